package intake_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/crm/field"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func schemas() []dbtest.Schema {
	return append(crmtest.Schemas(), dbtest.Schema{Series: "intake", Files: intake.Schema})
}

// story is a world with imports, an owner who brings lists in, and two agents.
type story struct {
	*crmtest.World
	imports    *intake.Imports
	owner      *account.Actor
	asha, bina account.MemberID
	deps       intake.Deps
}

func newStory(t testing.TB, d *db.DB) *story {
	t.Helper()
	w := crmtest.New(t, d)
	s := &story{World: w, asha: w.Agent(t, "Asha").ID, bina: w.Agent(t, "Bina").ID}
	all, err := w.Accounts.Members(t.Context(), w.Org.ID)
	must(t, err)
	for _, m := range all {
		if m.Role == account.Owner {
			s.owner, err = w.Accounts.As(t.Context(), w.Org.ID, m.ID)
			must(t, err)
		}
	}
	s.deps = intake.Deps{DB: d, Keys: w.Keys, Accounts: w.Accounts, Book: w.Book, Devices: w.Devices, Fields: w.Fields, Contacts: w.Contacts, Leads: w.Leads, Gate: w.Holds.Check, Now: w.Now}
	s.imports = intake.New(s.deps)
	return s
}

// field adds an own field.
func (s *story) field(t testing.TB, of, title string, kind field.Kind) {
	t.Helper()
	s.Tx(t, func(tx *db.Tx) error {
		_, err := s.Fields.Save(t.Context(), tx, s.Org.ID, field.Def{Of: of, Title: title, Kind: kind})
		return err
	})
}

// run brings a file in.
func (s *story) run(t testing.TB, data []byte, spec intake.Spec) *intake.Import {
	t.Helper()
	m, err := s.imports.Run(t.Context(), s.owner, bytes.NewReader(data), int64(len(data)), spec, nil)
	must(t, err)
	return m
}

// csv brings a text table in.
func (s *story) csv(t testing.TB, text string, spec intake.Spec) *intake.Import {
	t.Helper()
	spec.Name = "list.csv"
	if spec.Kind == "" {
		spec.Kind = intake.Leads
	}
	return s.run(t, []byte(text), spec)
}

// problems are the reasons why rows were not taken.
func (s *story) problems(t testing.TB, m *intake.Import) string {
	t.Helper()
	all, err := s.imports.Problems(t.Context(), s.Org.ID, m, 100)
	must(t, err)
	var b strings.Builder
	for _, p := range all {
		b.WriteString(p.Column + ": " + p.Reason + "\n")
	}
	return b.String()
}

// people are all contacts.
func (s *story) people(t testing.TB) (out []*contact.Contact) {
	t.Helper()
	for a := (contact.Ask{Limit: 500}); ; {
		p, err := s.Contacts.List(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, a)
		must(t, err)
		out = append(out, p.Contacts...)
		if a.Cursor = p.Cursor; a.Cursor == "" {
			return out
		}
	}
}

func (s *story) person(t testing.TB, name string) *contact.Contact {
	t.Helper()
	for _, c := range s.people(t) {
		if c.Name() == name {
			return c
		}
	}
	t.Fatalf("there is no %q", name)
	return nil
}

func (s *story) leads(t testing.TB) []lead.Row {
	t.Helper()
	p, err := s.Leads.Table(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, lead.Ask{Sort: "made", Limit: 500})
	must(t, err)
	return p.Rows
}

func (s *story) counts(t testing.TB) (contacts, leads int) {
	t.Helper()
	must(t, s.DB.Row(t.Context(), `SELECT (SELECT count(*) FROM contacts WHERE org_id = $1), (SELECT count(*) FROM leads WHERE org_id = $1)`, s.Org.ID).Scan(&contacts, &leads))
	return contacts, leads
}

var errBroken = errors.New("broken")

// broken gives an error after some bytes.
type broken struct {
	io.ReaderAt
	after int64
}

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off >= b.after {
		return 0, errBroken
	}
	return b.ReaderAt.ReadAt(p, off)
}
