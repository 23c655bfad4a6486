// Package attach brings calls and people together: which contact and lead a call belongs to, how often a lead was tried and
// reached, what calls have come to, which unknown callers become leads, and which missed callers wait.
//
// Nothing here is ever added up. The writer of calls notes, in its own transaction, whose calls changed (Heard); Run looks up
// whose numbers these are and reckons their leads from the calls themselves. So late, repeated, corrected, reclassified and
// deleted calls cannot make a figure drift, and a kill at any moment loses nothing.
package attach

import (
	"context"
	"embed"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/device"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/trust/consent"
)

// Schema holds the package's tables, series "attach".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Caller is an unknown caller for whom a lead is made.
type Caller struct {
	Number  number.ID
	Contact contact.ID
	Line    call.LineNo
	Agent   account.AgentNo // whose call it was
	At      time.Time

	Pipeline, Source string // of the lead; pipeline "" = the organisation's first
}

// Given says who gets the lead of an unknown caller, and why; all may be empty. Keep, unless it is nil, is told which lead it is
// once that was made in the same transaction.
type Given struct {
	Owner account.MemberID
	Team  account.TeamID
	Why   string
	Keep  func(ctx context.Context, tx *db.Tx, l lead.ID) error
}

// Assign says who gets the lead of an unknown caller.
type Assign func(ctx context.Context, tx *db.Tx, org *account.Org, c Caller) (Given, error)

// Deps are what Attach is made from. Gate and Assign may be nil: nothing is held then, and nobody gets the leads of unknown
// callers.
type Deps struct {
	DB        *db.DB
	Accounts  *account.Accounts
	Book      *number.Book
	Calls     *call.Store
	Devices   *device.Devices
	Reporter  *stats.Reporter
	Callbacks *callback.Callbacks
	Consents  *consent.Consents
	Contacts  *contact.Contacts
	Leads     *lead.Leads
	FollowUps *followup.FollowUps
	Gate      call.Gate
	Assign    Assign
	Now       func() time.Time
}

// Attach brings the calls and the people of all organisations together. Run must be running.
type Attach struct {
	Deps
	trip func(step string) error // of tests alone
}

// New gives an Attach.
func New(d Deps) *Attach { return &Attach{Deps: d} }

func (a *Attach) gate() call.Gate { return a.Gate }

// Mark has the leads of contacts reckoned anew once the transaction has committed: for whoever changes which numbers a contact
// has, or makes, closes or opens leads.
func (a *Attach) Mark(ctx context.Context, tx *db.Tx, org account.OrgID, contacts ...contact.ID) error {
	contacts = slices.Clone(contacts)
	slices.Sort(contacts)
	for part := range slices.Chunk(slices.Compact(contacts), marksAtOnce) {
		args := make([]any, 0, 4*marksAtOnce)
		for _, id := range part {
			args = append(args, org, id, 1, 0)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO due_contacts (org_id, contact, n, after_ms) VALUES `+db.Values(len(part), 4)+`
			ON CONFLICT (org_id, contact) DO UPDATE SET n = due_contacts.n + 1, after_ms = 0`, args...); err != nil {
			return err
		}
	}
	return nil
}

// marksAtOnce is how many contacts one statement marks.
const marksAtOnce = 50

// Delete removes everything of an organisation that is closed.
func (a *Attach) Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{
		`DELETE FROM touched_calls WHERE org_id = $1`, `DELETE FROM due_contacts WHERE org_id = $1`, `DELETE FROM attach_reckoned WHERE org_id = $1`,
		`DELETE FROM lead_lines WHERE org_id = $1`, `DELETE FROM stage_rules WHERE org_id = $1`, `DELETE FROM call_leads WHERE org_id = $1`,
		`DELETE FROM settled_follow_ups WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}

// memberOf is the member that an agent is, "" when there is none any more.
func memberOf(ctx context.Context, c db.Conn, org account.OrgID, agent account.AgentNo) (account.MemberID, error) {
	m, _, err := db.One(ctx, c, func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) },
		`SELECT id FROM members WHERE org_id = $1 AND agent_no = $2 AND agent_no > 0`, org, agent)
	return m, err
}
