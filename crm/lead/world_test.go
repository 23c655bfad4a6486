package lead_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/crm/field"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/retain"
)

func schemas() []dbtest.Schema {
	return append(crmtest.Schemas(), dbtest.Schema{Series: "retain", Files: retain.Schema})
}

// story is an organisation with some who work on leads.
type story struct {
	*crmtest.World
	people     *contact.Contacts
	leads      *lead.Leads
	asha, bina *account.Member
	boss       *account.Actor
}

func newStory(t testing.TB, d *db.DB) *story {
	w := crmtest.New(t, d)
	s := &story{World: w, people: w.Contacts, leads: w.Leads, asha: w.Agent(t, "Asha"), bina: w.Agent(t, "Bina"), boss: w.Accounts.Operator(w.Org)}
	s.tx(t, func(tx *db.Tx) error {
		for _, title := range []string{"Budget", "City"} {
			if _, err := w.Fields.Save(t.Context(), tx, w.Org.ID, field.Def{Title: title, Kind: field.Text, Of: field.OfLead}); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err error, kind fault.Kind, words ...string) {
	t.Helper()
	for _, word := range words {
		if fault.KindOf(err) != kind || !strings.Contains(fault.Sentence(err), word) {
			t.Errorf("got %v, want kind %d with %q", err, kind, word)
		}
	}
}

func (s *story) tx(t testing.TB, do func(tx *db.Tx) error) {
	t.Helper()
	must(t, s.DB.Tx(t.Context(), do))
}

// persons makes contacts.
func (s *story) persons(t testing.TB, names ...string) (ids []contact.ID) {
	t.Helper()
	s.tx(t, func(tx *db.Tx) (err error) {
		news := make([]contact.New, len(names))
		for i, name := range names {
			news[i] = contact.New{Person: contact.Person{First: name}, Origin: "manual"}
		}
		made, _, err := s.people.AddMany(t.Context(), tx, s.Org, "", news)
		ids = nil
		for _, c := range made {
			ids = append(ids, c.ID)
		}
		return err
	})
	return ids
}

// add makes a lead of a new contact.
func (s *story) add(t testing.TB, name string, n lead.New) (l *lead.Lead) {
	t.Helper()
	n.Contact = s.persons(t, name)[0]
	s.tx(t, func(tx *db.Tx) (err error) {
		l, err = s.leads.Add(t.Context(), tx, s.Org, s.asha.ID, n)
		return err
	})
	return l
}

// try does something to leads in a transaction, and gives its error.
func (s *story) try(t testing.TB, do func(tx *db.Tx) error) error {
	t.Helper()
	return s.DB.Tx(t.Context(), do)
}

func (s *story) get(t testing.TB, id lead.ID) *lead.Lead {
	t.Helper()
	l, err := s.leads.Get(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, id)
	must(t, err)
	return l
}

func (s *story) as(t testing.TB, m *account.Member) *account.Actor {
	t.Helper()
	a, err := s.Accounts.As(t.Context(), s.Org.ID, m.ID)
	must(t, err)
	return a
}

// ownerOf is the owner of a contact.
func (s *story) ownerOf(t testing.TB, id contact.ID) account.MemberID {
	t.Helper()
	found, err := s.people.Load(t.Context(), s.DB, s.Org.ID, id)
	must(t, err)
	return found[id].Owner
}

// told writes a history shortly, oldest first.
func (s *story) told(t testing.TB, id lead.ID) string {
	t.Helper()
	all, err := s.leads.History(t.Context(), s.DB, s.Org.ID, id, 0, 100)
	must(t, err)
	var out []string
	for i := len(all) - 1; i >= 0; i-- {
		e := all[i]
		out = append(out, fmt.Sprintf("%d %s %s>%s", e.Rev, e.Field, e.From, e.To))
	}
	return strings.Join(out, "; ")
}

// order is who stands in a column of the board, from the top.
func (s *story) order(t testing.TB, stage string) string {
	t.Helper()
	b, err := s.leads.Board(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, "", lead.Filter{}, 1000)
	must(t, err)
	var names []string
	for _, col := range b.Columns {
		if col.Stage.Key != stage {
			continue
		}
		for _, c := range col.Cards {
			names = append(names, c.Who.Name())
		}
	}
	return strings.Join(names, " ")
}

//go:fix inline
const day = 24 * time.Hour
