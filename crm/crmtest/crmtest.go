// Package crmtest sets up an organisation with contacts, leads and calls, for the tests of whatever works with them.
package crmtest

import (
	"testing"

	"parley/calls/calltest"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// Schemas are the tables that a World needs.
func Schemas() []dbtest.Schema {
	return append(calltest.Schemas(),
		dbtest.Schema{Series: "field", Files: field.Schema},
		dbtest.Schema{Series: "contact", Files: contact.Schema},
		dbtest.Schema{Series: "lead", Files: lead.Schema},
	)
}

// World is an organisation that is ready for contacts and leads.
type World struct {
	*calltest.World
	Fields   *field.Fields
	Contacts *contact.Contacts
	Leads    *lead.Leads
}

// New makes a World on a database that has Schemas.
func New(t testing.TB, d *db.DB) *World {
	t.Helper()
	w := &World{World: calltest.New(t, d), Fields: field.New(d)}
	w.Contacts = contact.NewContacts(contact.Deps{DB: d, Keys: w.Keys, Accounts: w.Accounts, Book: w.Book, Fields: w.Fields, Gate: w.Holds.Check, Consents: w.Consents, Now: w.Now})
	w.Leads = lead.NewLeads(lead.Deps{DB: d, Keys: w.Keys, Accounts: w.Accounts, Contacts: w.Contacts, Fields: w.Fields, Gate: w.Holds.Check, Now: w.Now})
	return w
}

// Contact makes a contact of the World's organisation with a name and numbers.
func (w *World) Contact(t testing.TB, first, last string, numbers ...string) *contact.Contact {
	t.Helper()
	p := contact.Person{First: first, Last: last}
	for _, n := range numbers {
		p.Numbers = append(p.Numbers, contact.Labelled{Text: n})
	}
	return w.Add(t, contact.New{Person: p, Origin: "manual"})
}

// Add makes a contact of the World's organisation.
func (w *World) Add(t testing.TB, n contact.New) *contact.Contact {
	t.Helper()
	var c *contact.Contact
	var done func()
	w.Tx(t, func(tx *db.Tx) (err error) {
		c, done, err = w.Contacts.Add(t.Context(), tx, w.Org, "", n)
		return err
	})
	done()
	return c
}

// Tx runs do in a transaction, and fails the test with its error.
func (w *World) Tx(t testing.TB, do func(tx *db.Tx) error) {
	t.Helper()
	if err := w.DB.Tx(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}
