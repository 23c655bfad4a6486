// Package followup keeps what somebody is to do for a contact and when: calls, call-backs that were promised, tasks. It reminds,
// puts off, repeats, hands over, tells managers of what stays undone, and says whom to call next and why. How an organisation
// works with leads (Settings) is kept here, too.
package followup

import (
	"context"
	"embed"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/audit"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// Schema holds the package's tables, series "followup".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Categories of the privacy policy that follow-ups are data of.
const (
	Category     = "lead"
	CategoryNote = "lead.note"
)

// ID is a follow-up's public name, such as "fol_06c1…".
type ID string

// Kind is what is to be done.
type Kind string

// The kinds.
const (
	Call     Kind = "call"
	Promised Kind = "callback_promised" // somebody was told that they would be called back
	Task     Kind = "task"              // anything else
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Call, Promised, Task} }

// State says whether it is still to be done.
type State int8

// The states.
const (
	Open State = iota
	Done
	Cancelled
)

// String is the state's word in answers: open, done or cancelled.
func (s State) String() string {
	switch s {
	case Done:
		return "done"
	case Cancelled:
		return "cancelled"
	default:
		return "open"
	}
}

// FollowUp is one thing that somebody is to do for a contact.
type FollowUp struct {
	ID      ID
	Contact contact.ID
	Subject int64   // whose key seals the words
	Lead    lead.ID // "" = none
	Owner   account.MemberID
	Kind    Kind
	State   State

	Day    civil.Day // for when it was planned, by the organisation's calendar
	AllDay bool
	Due    time.Time // for when it was planned; when working hours begin, for a whole day
	At     time.Time // Due, or until when it was put off
	Late   time.Time // it is overdue from then on

	Snoozed   time.Time // until when it was put off; zero = it was not
	Snoozes   int       // how often, in all
	Reminders []int     // minutes before At, the most first
	Repeat    Repeat    // zero = once
	Series    ID        // the first of the series; "" = it does not repeat
	Nth       int       // place in the series, from 1

	Text    string // what is to be done; "" once the person's data was erased
	Outcome string // what it came to: a key of the settings; "" = nobody said
	Result  string // the same in words

	Rev               int64
	Made, Changed     time.Time
	Ended             time.Time        // when it was done or cancelled; zero while it is open
	MadeBy, ChangedBy account.MemberID // "" = the operator or the program itself
	EndedBy           account.MemberID
	Escalated         time.Time // when a manager was told; zero = not

	minute int       // minutes after midnight, -1 for a whole day
	remind time.Time // when it is spoken of next; zero = not again
}

// Overdue tells whether it should have been done.
func (f *FollowUp) Overdue(now time.Time) bool { return f.State == Open && !now.Before(f.Late) }

// Deps are what FollowUps is made from. All are needed but Gate: without one, nothing is held.
type Deps struct {
	DB       *db.DB
	Keys     *vault.Keys
	Accounts *account.Accounts
	Book     *number.Book
	Contacts *contact.Contacts
	Leads    *lead.Leads
	Log      *audit.Log
	Gate     call.Gate // is asked before words are removed or replaced
	Now      func() time.Time
}

// Sources are what follow-ups learn from, and have done by, packages that stand above. Each may be nil.
type Sources struct {
	// Missed lists the callers who reached nobody, still wait and are for a member to call back.
	Missed func(ctx context.Context, org *account.Org, member account.MemberID, now time.Time) ([]Missed, error)
	// Stopped tells which of some numbers are not to be called, and why: see Dial.
	Stopped func(ctx context.Context, org *account.Org, numbers map[number.ID]string) (map[number.ID]string, error)
	// Mail keeps mails about notices for delivery in the transaction that keeps the notices; committed is called after it.
	Mail func(ctx context.Context, tx *db.Tx, org *account.Org, notices []Notice) (committed func(), err error)
}

// FollowUps keeps the follow-ups of all organisations.
type FollowUps struct {
	d   Deps
	src Sources
}

// NewFollowUps gives the follow-ups kept in d.DB. They hear of contacts and leads that are deleted.
func NewFollowUps(d Deps) *FollowUps {
	s := &FollowUps{d: d}
	d.Leads.OnGone(s.leadsGone)
	d.Leads.OnTurn(s.leadsTurned)
	d.Contacts.OnGone(s.contactsGone)
	return s
}

// Wire hands in what comes from above. It is called once, before anything runs.
func (s *FollowUps) Wire(src Sources) { s.src = src }

func errNone(id ID) error {
	return fault.New(fault.NotFound, "There is no follow-up %q here. It may have been deleted, or belong to somebody whose follow-ups you do not see.", string(id))
}

// log writes what was done to the audit log.
func (s *FollowUps) log(ctx context.Context, tx *db.Tx, org account.OrgID, e audit.Entry) error {
	e.Purpose = "call_ops"
	_, err := s.d.Log.Append(ctx, tx, int64(org), e)
	return err
}

// moment is the time of Unix milliseconds; 0 is no time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// written is an instant in a sentence, by the organisation's clocks.
func written(t time.Time, org *account.Org) string {
	return t.In(org.Location()).Format("2 January 2006, 15:04")
}
