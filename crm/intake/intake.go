// Package intake brings lists of contacts and leads in, from CSV, Excel and vCard files and, by group, from the address books
// of phones, and gives them out again in the same formats.
package intake

import (
	"context"
	"embed"
	"sync"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// Schema holds the package's tables, series "intake".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// category of the privacy policy that imports are data of.
const category = "import.file"

// Kind says what the rows of a file become.
type Kind string

// The kinds. A lead's row makes its contact, too.
const (
	Leads    Kind = "leads"
	Contacts Kind = "contacts"
)

// ParseKind reads a kind.
func ParseKind(word string) (Kind, error) {
	switch k := Kind(word); k {
	case Leads, Contacts:
		return k, nil
	default:
		return "", fault.Field("kind", "%q is nothing that can be brought in. Write leads or contacts.", word)
	}
}

// Policy says what happens to a row about somebody who is known: by one of the numbers, else by an e-mail address. Rows
// further up in the file count as known.
type Policy string

// The policies.
const (
	Skip   Policy = "skip"   // contacts who are known, and persons who have a lead, are left out; known persons without one get one
	Update Policy = "update" // what the row says goes over what is there, what it leaves empty stays; the newest open lead is changed
	Both   Policy = "both"   // a contact and a lead of its own for every row
)

// ParsePolicy reads a policy; "" is Skip.
func ParsePolicy(word string) (Policy, error) {
	switch p := Policy(word); p {
	case "":
		return Skip, nil
	case Skip, Update, Both:
		return p, nil
	default:
		return "", fault.Field("policy", "%q does not say what to do with persons who are known. Write skip, update or both.", word)
	}
}

// Give says who gets the new rows. An owner that a row names goes before.
type Give string

// The ways. "" is Nobody.
const (
	Nobody  Give = ""
	ByRules Give = "rules"  // as the organisation's rules of assignment say; of leads alone
	Fixed   Give = "member" // one member
)

// Case is a lead that somebody is to get.
type Case struct {
	Contact                            contact.ID // "" = new
	Number                             string     // canonical; "" = none
	Country, State, Postcode, Language string
	Source                             string
	Tags                               []string
	Team                               account.TeamID
}

// Given is who got it, and why.
type Given struct {
	Owner account.MemberID // "" = nobody
	Team  account.TeamID
	Why   string
}

// Assigner gives out the leads of one import.
type Assigner struct {
	Decide func(ctx context.Context, c db.Conn, cases []Case) ([]Given, error)
	// Keep notes what was decided about leads that were made, in the order of the cases. A dry run does not call it. nil = not needed.
	Keep func(ctx context.Context, tx *db.Tx, leads []lead.ID) error
	// Forget lets go of what was decided since the last Keep: in a dry run, and where the leads could not be made. nil = not needed.
	Forget func()
}

// Deps are what Imports is made from. Gate, Assign, Busy and Collects may be nil: then nothing is held, nobody gets leads by
// rules, no work of others is known, and no phone sends anything.
type Deps struct {
	DB       *db.DB
	Keys     *vault.Keys
	Accounts *account.Accounts
	Book     *number.Book
	Devices  *device.Devices
	Fields   *field.Fields
	Contacts *contact.Contacts
	Leads    *lead.Leads
	Gate     call.Gate
	Assign   func(ctx context.Context, org *account.Org) (*Assigner, error)
	// Busy tells which contacts somebody has work with, such as a follow-up, so that undoing an import leaves them.
	Busy func(ctx context.Context, c db.Conn, org account.OrgID, contacts ...contact.ID) (map[contact.ID]bool, error)
	// Collects tells whether the organisation's policy lets data of a category come in.
	Collects func(ctx context.Context, org account.OrgID, category string) (bool, error)
	Now      func() time.Time
}

// Imports keeps the imports of all organisations.
type Imports struct {
	d Deps

	mu    sync.Mutex
	turns map[account.OrgID]chan struct{} // one import at a time: holds one token per organisation
}

// New gives the imports kept in d.DB.
func New(d Deps) *Imports { return &Imports{d: d, turns: map[account.OrgID]chan struct{}{}} }

// turn waits until no other import of the organisation runs. The returned function ends the turn.
func (i *Imports) turn(ctx context.Context, org account.OrgID) (func(), error) {
	i.mu.Lock()
	t, ok := i.turns[org]
	if !ok {
		t = make(chan struct{}, 1)
		i.turns[org] = t
	}
	i.mu.Unlock()
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "Another import is still running, and this one was given up while it waited. Try again when that one is done.")
	}
}

// Delete removes everything that this package keeps about an organisation.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{
		`DELETE FROM crm_import_changes WHERE org_id = $1`, `DELETE FROM crm_import_rejects WHERE org_id = $1`, `DELETE FROM crm_import_mappings WHERE org_id = $1`,
		`DELETE FROM crm_imports WHERE org_id = $1`, `DELETE FROM crm_import_counters WHERE org_id = $1`, `DELETE FROM contact_groups WHERE org_id = $1`,
		`DELETE FROM contact_group_consents WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}
