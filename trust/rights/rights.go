// Package rights carries out what people ask about their own data: access, a portable copy, correction, erasure,
// restriction, objection, withdrawal of consent, or a complaint. Requests from the public page, by mail, by phone and
// through the API stand in one queue, with the clocks of the law that applies.
//
// Before a person has proved who they are, nothing is looked up: so nothing can be told, not even whether data exists.
// Afterwards an officer sees a plan, approves it, it is carried out store by store, and a signed receipt says what was
// done. A request that is broken off goes on where it was.
package rights

import (
	"context"
	"embed"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/hold"
	"parley/trust/subject"
)

// Schema holds the tables of this package, series "rights".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Deps are what requests need of others. All fields are needed.
type Deps struct {
	DB       *db.DB
	Keys     *vault.Keys
	Accounts *account.Accounts
	Holds    *hold.Holds
	Log      *audit.Log
	Now      func() time.Time
	Dir      string // folder of the packages that wait to be fetched

	// Find tells who is meant by a contact that was proved. It is never asked before.
	Find func(ctx context.Context, org *account.Org, c Contact) (subject.Ref, bool, error)
	// Clock gives the shortest time that the law of a place ("" = unknown: the strictest) and the policy leave.
	Clock func(ctx context.Context, org *account.Org, q Question) (Clock, error)
	// Policy gives what of the policy document requests need.
	Policy func(ctx context.Context, org account.OrgID) (Policy, error)
	// Floor tells until when a law demands that data of a category is kept, given when the youngest of it came to be.
	Floor func(ctx context.Context, org account.OrgID, category string, newest time.Time) (Lock, bool, error)
	// Write sends a letter to a person or an officer.
	Write func(ctx context.Context, l Letter) error
	// Tell hands an order to a recipient. An error means that it did not get there; an Answer that is not empty that it
	// answered at once.
	Tell func(ctx context.Context, o Order) (Answer, error)
	// Withdraw ends consents and enters the person in the suppression list, for the purposes of an objection or withdrawal.
	Withdraw func(ctx context.Context, org account.OrgID, who subject.Ref, c Contact, purposes []string, request string) error
	// Child, which may be nil, marks a person as under age, once it is proved who they are.
	Child func(ctx context.Context, org account.OrgID, who subject.Ref, c Contact, request string) error
	// Restrict keeps a person's data from every use but being kept, or ends that, wherever such data is read.
	Restrict func(ctx context.Context, org account.OrgID, who subject.Ref, on bool) error
	// Settle makes sure that no copy of what was deleted is left in the database's own files.
	Settle func(ctx context.Context) error

	// Names gives every name under which a person is kept, the given one first: the numbers and the contacts that are the same
	// person. nil = each has one name.
	Names func(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]subject.Ref, error)

	Stores []Store // in the order in which they erase; those that know who has which name go last
}

// Question is what a clock depends on.
type Question struct {
	Kind     Kind
	Place    string
	Minor    bool
	Received time.Time
}

// Policy is what requests need of the policy document.
type Policy struct {
	Version    int
	Hash       string
	Facts      json.RawMessage // purposes, categories, periods and recipients, for the package of an access request
	Recipients []string        // keys of those who are told of erasures, corrections and objections
	Objectable []string        // keys of the purposes that a person may object to
	Consented  []string        // keys of those that rest on consent, which can be taken back
}

// Letter is a mail about a request. Its words are chosen where it is sent.
type Letter struct {
	Org     account.OrgID
	To      string
	Locale  string
	Kind    LetterKind
	Request string
	About   Kind
	Code    string    // LetterCode
	Secret  string    // LetterReceived: of the request's page
	Due     time.Time // LetterReceived, LetterExtended, LetterWarning
	Note    string    // LetterRefused, LetterExtended: the officer's words
	Reason  Reason    // LetterRefused
}

// LetterKind is what a letter says.
type LetterKind string

// The letters.
const (
	LetterCode     LetterKind = "code"
	LetterReceived LetterKind = "received" // confirms receipt
	LetterReady    LetterKind = "ready"    // a package waits
	LetterDone     LetterKind = "done"
	LetterLocked   LetterKind = "locked" // a law keeps something for a while
	LetterRefused  LetterKind = "refused"
	LetterExtended LetterKind = "extended"
	LetterWarning  LetterKind = "warning" // to officers: the answer is nearly due
	LetterOverdue  LetterKind = "overdue" // to officers
)

// Order is what a recipient is asked to do.
type Order struct {
	Org       account.OrgID
	Recipient string // key of the policy
	Request   string
	Kind      Kind
	Who       subject.Ref
	Contact   Contact
	Purposes  []string
	Changes   []Change // what was corrected
}

// Answer is what a recipient said.
type Answer string

// The answers.
const (
	NoAnswer Answer = ""
	DidIt    Answer = "done"
	Declined Answer = "refused"
)

// Rights keeps and carries out requests.
type Rights struct {
	Deps
	run sync.Mutex // one request is carried out at a time
}

// New gives the requests kept in d.DB.
func New(d Deps) *Rights { return &Rights{Deps: d} }

// Tables lists the tables that some store answers for, for the test that none is missing.
func (r *Rights) Tables() []string {
	var out []string
	for _, s := range r.Stores {
		out = append(out, s.Tables...)
	}
	slices.Sort(out)
	return out
}

// officer checks that an actor may work on requests.
func officer(by *account.Actor) error { return by.Require(account.AnswerRequests) }

// name is how an actor stands in histories.
func name(by *account.Actor) string {
	if by.Member.ID == "" {
		return operator
	}
	return string(by.Member.ID)
}

// Those who are no members, as the audit log calls them.
const (
	system   = audit.System
	person   = audit.Public
	operator = audit.Operator
)

// Queue is what of the requests is wanted.
type Queue struct {
	Closed  bool // those that are done or refused, instead of the open ones
	Kind    Kind // "" = all
	Overdue bool
	Limit   int // 1..500; 0 = 200
}

// List gives the requests of an organisation: open ones by the day on which they are due, closed ones latest first.
func (r *Rights) List(ctx context.Context, by *account.Actor, q Queue) ([]*Request, error) {
	if err := officer(by); err != nil {
		return nil, err
	}
	if q.Limit <= 0 || q.Limit > 500 {
		q.Limit = 200
	}
	condition, order := `closed_ms = 0`, `due_ms, id`
	if q.Closed {
		condition, order = `closed_ms > 0`, `closed_ms DESC, id`
	}
	args := []any{by.Org.ID, q.Limit}
	if q.Kind != "" {
		condition += ` AND kind = $3`
		args = append(args, q.Kind)
	}
	all, err := db.Select(ctx, r.DB, r.scan(ctx), `SELECT `+columns+` FROM requests WHERE org_id = $1 AND `+condition+` ORDER BY `+order+` LIMIT $2`, args...)
	if err != nil || !q.Overdue {
		return all, err
	}
	now := r.Now()
	return slices.DeleteFunc(all, func(q *Request) bool { return !q.Overdue(now) }), nil
}

// One gives a request.
func (r *Rights) One(ctx context.Context, by *account.Actor, id string) (*Request, error) {
	if err := officer(by); err != nil {
		return nil, err
	}
	return r.get(ctx, r.DB, by.Org.ID, id)
}

// Mine lists a member's own requests, latest first.
func (r *Rights) Mine(ctx context.Context, by *account.Actor) ([]*Request, error) {
	return db.Select(ctx, r.DB, r.scan(ctx), `SELECT `+columns+` FROM requests WHERE org_id = $1 AND subject_ref = $2 ORDER BY received_ms DESC, id LIMIT 50`,
		by.Org.ID, subject.OfMember(string(by.Member.ID)).String())
}

// History gives what happened to a request, oldest first.
func (r *Rights) History(ctx context.Context, org account.OrgID, id string) ([]Event, error) {
	k, err := r.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, r.DB, func(row db.Scanner) (e Event, err error) {
		var at int64
		var note []byte
		if err := row.Scan(&e.N, &at, &e.Actor, &e.What, &e.State, &note); err != nil {
			return e, err
		}
		e.At = time.UnixMilli(at)
		e.Note, err = openText(k, "request.note|"+id, note)
		return e, err
	}, `SELECT n, at_ms, actor, what, state, note_sealed FROM request_events WHERE org_id = $1 AND request_id = $2 ORDER BY n`, org, id)
}

// Overdue counts the requests of all organisations that were not answered in time.
func (r *Rights) Overdue(ctx context.Context) (n int64, err error) {
	err = r.DB.Row(ctx, `SELECT count(*) FROM requests WHERE org_id > 0 AND closed_ms = 0 AND state <> 'locked' AND due_ms < $1`, r.Now().UnixMilli()).Scan(&n)
	return n, err
}

// Delete removes every request of an organisation that is closed, and the packages that wait.
func (r *Rights) Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	files, err := db.Select(ctx, tx, scanText, `SELECT file FROM request_packages WHERE org_id = $1`, org)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := r.removeFile(f); err != nil {
			return err
		}
	}
	for _, table := range []string{`request_events`, `request_codes`, `request_limits`, `request_steps`, `request_receipts`, `request_packages`,
		`request_recipients`, `request_corrections`, `subject_states`, `requests`} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1`, org); err != nil {
			return err
		}
	}
	return nil
}

func scanText(r db.Scanner) (s string, err error) { return s, r.Scan(&s) }

func notHere(id string) error {
	return fault.New(fault.NotFound, "There is no request %q. It may have been misspelt, or belong to another organisation.", id)
}
