// Package assign says who gets a lead, and why: by an organisation's rules, among those who are there, can take more, and whose
// turn it is. Every decision is kept with its reasons and with who was passed over. It takes leads away from whoever leaves them
// lying, and warns when a colleague is talking to a number already.
package assign

import (
	"context"
	"embed"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
)

// Schema holds the package's tables, series "assign".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Category is what decisions are data of in the privacy policy.
const Category = "lead"

// RuleID is a rule's public name, such as "rul_06c1…".
type RuleID string

// Deps are what Assign is made from. Handed may be nil: then nobody hears.
type Deps struct {
	DB       *db.DB
	Accounts *account.Accounts
	Book     *number.Book
	Devices  *device.Devices
	Contacts *contact.Contacts
	Leads    *lead.Leads
	// Handed is told, inside the transaction, of a lead that was taken from somebody, so that what they had to do on it goes along.
	Handed func(ctx context.Context, tx *db.Tx, org *account.Org, l *lead.Lead, from, to account.MemberID) error
	Now    func() time.Time
}

// Assign gives out the leads of all organisations.
type Assign struct {
	d     Deps
	spoke *speakers
}

// New gives an Assign over d.DB. It hears of leads that are deleted, and of those that come to somebody or leave them.
func New(d Deps) *Assign {
	a := &Assign{d: d, spoke: newSpeakers()}
	d.Leads.OnGone(a.leadsGone)
	d.Leads.OnOwned(a.leadsOwned)
	return a
}

// Delete removes everything of an organisation that is closed.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{
		`DELETE FROM assign_rules WHERE org_id = $1`, `DELETE FROM assign_settings WHERE org_id = $1`, `DELETE FROM assignees WHERE org_id = $1`,
		`DELETE FROM member_absences WHERE org_id = $1`, `DELETE FROM assign_turns WHERE org_id = $1`, `DELETE FROM assign_counters WHERE org_id = $1`,
		`DELETE FROM assign_log WHERE org_id = $1`, `DELETE FROM assign_queue WHERE org_id = $1`, `DELETE FROM assign_watch WHERE org_id = $1`,
		`DELETE FROM assign_followed WHERE org_id = $1`, `DELETE FROM assign_loads WHERE org_id = $1`, `DELETE FROM dial_marks WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
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
