// Package lead keeps what may become business with a contact: where each lead stands, who works on it, what it is worth,
// when something is due, and everything that happened to it.
package lead

import (
	"context"
	"embed"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// Schema holds the package's tables, series "lead".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Categories of the privacy policy that leads are data of.
const (
	Category     = "lead"
	CategoryTags = "lead.tags"
)

// ID is a lead's public name, such as "led_06c1…".
type ID string

// State says whether a lead is still worked on.
type State int8

// The states.
const (
	Open State = iota
	Won
	Lost
)

// String is the state's word in answers and histories: open, won or lost.
func (s State) String() string {
	switch s {
	case Won:
		return "won"
	case Lost:
		return "lost"
	default:
		return "open"
	}
}

// ParseState reads what String wrote.
func ParseState(word string) (State, error) {
	for _, s := range []State{Open, Won, Lost} {
		if s.String() == word {
			return s, nil
		}
	}
	return Open, fault.Field("state", "%q is no state of a lead. Write open, won or lost.", word)
}

// Lead is one chance of business with a contact. Names, numbers and addresses are the contact's.
type Lead struct {
	ID              ID
	Contact         contact.ID
	Subject         int64 // whose key seals tags and custom fields
	Pipeline, Stage string
	State           State
	Reason          string // why it was won or lost: a key; "" = none was given
	Value           int64  // in the currency's minor unit
	Currency        string // ISO 4217
	Source          string
	SourceDay       civil.Day // 0 = not known
	Owner           account.MemberID
	Team            account.TeamID
	Tags            []string
	Custom          map[string]string // canonical, see field.Check
	Import          string            // the import that brought it; "" = none
	Rev             int64             // grows with every change that the history shows

	Made, Changed       time.Time
	MadeBy, ChangedBy   account.MemberID // "" = the operator or the program itself
	Staged              time.Time        // when it came to its stage
	Closed              time.Time        // zero while it is open
	Due                 time.Time        // zero = nothing is due
	Attempts, Connected int              // calls to reach the contact, and those that did
	First, Last         time.Time        // first answer to the contact, and last touch; zero = none
	rank                rank
}

// Activity is the last moment at which anything happened with the lead: retention counts from it.
func (l *Lead) Activity() time.Time {
	at := l.Made
	for _, t := range []time.Time{l.Changed, l.Last, l.Closed} {
		if t.After(at) {
			at = t
		}
	}
	return at
}

// Deps are what Leads is made from. All are needed but Gate: without one, nothing is held.
type Deps struct {
	DB       *db.DB
	Keys     *vault.Keys
	Accounts *account.Accounts
	Contacts *contact.Contacts
	Fields   *field.Fields
	Gate     call.Gate // is asked before a lead is deleted
	Now      func() time.Time
}

// Leads keeps the leads of all organisations.
type Leads struct {
	d      Deps
	gone   []Gone
	turned []Turned
	owned  []Owned
}

// Turned is told, inside the transaction, whose leads were made, closed or opened again: what calls say of a lead depends on
// when it was open.
type Turned func(ctx context.Context, tx *db.Tx, org account.OrgID, contacts ...contact.ID) error

// Owned is told, inside the transaction, whose number of open leads may be another now, for whoever keeps count of them; deletions are
// told by Gone.
type Owned func(ctx context.Context, tx *db.Tx, org account.OrgID, owners ...account.MemberID) error

// Gone is told, inside the transaction, which leads are about to be deleted, so that whoever keeps rows about them removes
// those, too.
type Gone func(ctx context.Context, tx *db.Tx, org account.OrgID, leads []ID) error

// NewLeads gives the leads kept in d.DB.
func NewLeads(d Deps) *Leads { return &Leads{d: d} }

// OnGone says who is told of deletions. It is called at wiring, before anything is deleted.
func (s *Leads) OnGone(g Gone) { s.gone = append(s.gone, g) }

// OnTurn says who is told of leads that were made, closed or opened again. It is called at wiring.
func (s *Leads) OnTurn(t Turned) { s.turned = append(s.turned, t) }

// OnOwned says who is told of owners that leads came to or left. It is called at wiring.
func (s *Leads) OnOwned(o Owned) { s.owned = append(s.owned, o) }

// own tells whose number of open leads may be another.
func (s *Leads) own(ctx context.Context, tx *db.Tx, org account.OrgID, leads ...*Lead) error {
	if len(s.owned) == 0 {
		return nil
	}
	owners := make([]account.MemberID, 0, 2)
	for _, l := range leads {
		if l.Owner != "" && !slices.Contains(owners, l.Owner) {
			owners = append(owners, l.Owner)
		}
	}
	for _, o := range s.owned {
		if err := o(ctx, tx, org, owners...); err != nil {
			return err
		}
	}
	return nil
}

// turn tells whose leads were made, closed or opened again.
func (s *Leads) turn(ctx context.Context, tx *db.Tx, org account.OrgID, leads ...*Lead) error {
	if len(s.turned) == 0 {
		return nil
	}
	contacts := make([]contact.ID, len(leads))
	for i, l := range leads {
		contacts[i] = l.Contact
	}
	for _, t := range s.turned {
		if err := t(ctx, tx, org, contacts...); err != nil {
			return err
		}
	}
	return nil
}

func errNone(id ID) error {
	return fault.New(fault.NotFound, "There is no lead %q here. It may have been deleted, or belong to somebody whose leads you do not see.", string(id))
}

// at is the time of Unix milliseconds; 0 is no time.
func at(ms int64) time.Time {
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

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
