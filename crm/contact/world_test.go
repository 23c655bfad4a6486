package contact_test

import (
	"testing"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

// world is an organisation with two members who work on contacts.
type world struct {
	*crmtest.World
	ravi, meera *account.Member
}

func each(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := &world{World: crmtest.New(t, d)}
		w.ravi, w.meera = w.member(t, "Ravi"), w.member(t, "Meera")
		story(t, w)
	}, crmtest.Schemas()...)
}

func (w *world) member(t *testing.T, name string) *account.Member {
	t.Helper()
	m, err := w.Accounts.AddAgent(t.Context(), w.Org.ID, account.NewAgent{Name: name})
	must(t, err)
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if fault.KindOf(err) != kind {
		t.Errorf("got %v, want kind %v", err, kind)
	}
}

func (w *world) load(t *testing.T, id contact.ID) *contact.Contact {
	t.Helper()
	found, err := w.Contacts.Load(t.Context(), w.DB, w.Org.ID, id)
	must(t, err)
	return found[id]
}

// change changes a contact as somebody who saw rev.
func (w *world) change(t *testing.T, by *account.Member, id contact.ID, rev int64, edit func(p *contact.Person)) (c *contact.Contact, err error) {
	t.Helper()
	return w.changeFrom(t, by, w.load(t, id), rev, edit)
}

// changeFrom is change by somebody who saw was.
func (w *world) changeFrom(t *testing.T, by *account.Member, was *contact.Contact, rev int64, edit func(p *contact.Person)) (c *contact.Contact, err error) {
	t.Helper()
	p := was.Person
	edit(&p)
	var done func()
	err = w.DB.Tx(t.Context(), func(tx *db.Tx) (err error) {
		c, done, err = w.Contacts.Change(t.Context(), tx, w.Org, by.ID, was.ID, rev, p, was.Tags)
		return err
	})
	if err == nil {
		done()
	}
	return c, err
}

func (w *world) merge(t *testing.T, into, from contact.ID) error {
	t.Helper()
	var done func()
	err := w.DB.Tx(t.Context(), func(tx *db.Tx) (err error) {
		_, done, err = w.Contacts.Merge(t.Context(), tx, w.Org, w.ravi.ID, into, from)
		return err
	})
	if err == nil {
		done()
	}
	return err
}

func (w *world) split(t *testing.T, from contact.ID) error {
	t.Helper()
	var done func()
	err := w.DB.Tx(t.Context(), func(tx *db.Tx) (err error) {
		_, done, err = w.Contacts.Split(t.Context(), tx, w.Org, w.ravi.ID, from)
		return err
	})
	if err == nil {
		done()
	}
	return err
}

func (w *world) find(t *testing.T, text string) []contact.ID {
	t.Helper()
	ids, err := w.Contacts.Search(t.Context(), w.DB, w.Org.ID, text, 20)
	must(t, err)
	return ids
}

func texts(all []contact.Labelled) []string {
	var out []string
	for _, x := range all {
		out = append(out, x.Text)
	}
	return out
}
