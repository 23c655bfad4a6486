package intake_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

// others are people with everything that a file can spoil.
func others() []contact.New {
	return []contact.New{
		{Person: contact.Person{First: "Dr. मीरा", Last: "शर्मा", Company: "=SUM(A1), \"Sons\"; & Co", Title: "-Head", Numbers: []contact.Labelled{{Label: "mobile", Text: "+919812300001"}, {Label: "Site office", Text: "+912266200101"}},
			Emails: []contact.Labelled{{Label: "work", Text: "m@example.com"}, {Text: "n@example.com"}}, Photo: "https://example.com/p.jpg", Language: "hi",
			Address: contact.Address{Street: "12; MG Road,\\ 3rd", City: "Mumbai", State: "MH", Postcode: "0040", Country: "IN"}, Custom: map[string]string{"city": "Thane", "since": "2026-03-02"}}, Tags: []string{"VIP", "north"}},
		{Person: contact.Person{First: "محمد", Last: "علي 🎉"}},
		{Person: contact.Person{Company: "Acme", Numbers: []contact.Labelled{{Text: "+919812300003"}, {Text: "+919812300004"}, {Text: "+919812300005"}, {Text: "+919812300006"}, {Text: "+919812300007"}, {Text: "1800"}}}},
	}
}

// told is a person as text, to compare.
func told(c *contact.Contact) string { return fmt.Sprintf("%+v %q", c.Person, c.Tags) }

func TestContactsComeBackAsTheyWentOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		s.field(t, field.OfContact, "City", field.Text)
		s.field(t, field.OfContact, "Since", field.Date)
		var want []string
		for _, n := range others() {
			n.Origin, n.Owner = "manual", s.bina
			want = append(want, told(s.Add(t, n)))
		}
		hidden := s.Contact(t, "Hidden", "", "+919812300099")
		s.Tx(t, func(tx *db.Tx) error {
			_, err := s.Book.Restrict(t.Context(), tx, s.Org.ID, hidden.Nums[0], true, 0)
			return err
		})
		slices.Sort(want)
		files := map[intake.Format][]byte{}
		for _, f := range []intake.Format{intake.CSV, intake.XLSX, intake.VCard3, intake.VCard4} {
			var b bytes.Buffer
			must(t, s.imports.ExportContacts(t.Context(), s.owner, contact.Ask{}, f, &b))
			files[f] = b.Bytes()
		}
		if strings.Contains(string(files[intake.CSV]), "Hidden") {
			t.Error("somebody restricted was given out")
		}
		for f, data := range files {
			for _, c := range s.people(t) {
				s.Tx(t, func(tx *db.Tx) error {
					_, err := s.Contacts.Delete(t.Context(), tx, s.Org.ID, c.ID)
					return err
				})
			}
			m := s.run(t, data, intake.Spec{Kind: intake.Contacts, Name: "again"})
			if m.Counts.New != 3 {
				t.Errorf("%s: %+v %s", f, m.Counts, s.problems(t, m))
			}
			var got []string
			for _, c := range s.people(t) {
				got = append(got, told(c))
				if (f == intake.CSV || f == intake.XLSX) && c.Owner != s.bina {
					t.Errorf("%s: the owner is %q", f, c.Owner)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s:\n got %s\nwant %s", f, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}, schemas()...)
}

func TestLeadsComeBackAsTheyWentOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		s.field(t, field.OfContact, "Since", field.Date)
		s.field(t, field.OfLead, "Since", field.Date)
		s.field(t, field.OfLead, "Stage", field.Text)
		meera := s.Add(t, contact.New{Person: others()[2].Person, Origin: "manual"})
		s.Tx(t, func(tx *db.Tx) error {
			_, err := s.Leads.Add(t.Context(), tx, s.Org, s.asha, lead.New{Contact: meera.ID, Stage: "proposal", Value: 12345678, Currency: "EUR", Source: "@fair", SourceDay: civil.Date(2026, 2, 1), Owner: s.asha,
				Tags: []string{"a", "b"}, Custom: map[string]string{"since": "2026-01-31", "stage": "=x"}})
			return err
		})
		tell := func() string {
			l := s.leads(t)[0]
			return fmt.Sprintln(l.Stage, l.Value, l.Currency, l.Source, l.SourceDay, l.Owner, l.Tags, l.Custom, told(l.Who))
		}
		want := tell()
		for _, f := range []intake.Format{intake.CSV, intake.XLSX} {
			var b bytes.Buffer
			must(t, s.imports.ExportLeads(t.Context(), s.owner, lead.Filter{}, f, &b))
			for _, c := range s.people(t) {
				s.Tx(t, func(tx *db.Tx) error {
					all, err := s.Leads.OfContacts(t.Context(), tx, s.Org.ID, c.ID)
					if err != nil {
						return err
					}
					for _, l := range all {
						err = s.Leads.Delete(t.Context(), tx, s.Org, s.asha, l.ID)
					}
					if err != nil {
						return err
					}
					_, err = s.Contacts.Delete(t.Context(), tx, s.Org.ID, c.ID)
					return err
				})
			}
			m := s.run(t, b.Bytes(), intake.Spec{Kind: intake.Leads, Name: "again"})
			if m.Counts.Leads != 1 {
				t.Fatalf("%s: %+v %s\n%s", f, m.Counts, s.problems(t, m), b.String())
			}
			if got := tell(); got != want {
				t.Errorf("%s:\n got %s\nwant %s", f, got, want)
			}
		}
		if err := s.imports.ExportLeads(t.Context(), s.owner, lead.Filter{}, intake.VCard4, &bytes.Buffer{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("leads as cards: %v", err)
		}
	}, schemas()...)
}

func TestAnAgentExportsNothing(t *testing.T) {
	s := newStory(t, dbtest.SQLite(t, schemas()...))
	agent, err := s.Accounts.As(t.Context(), s.Org.ID, s.asha)
	must(t, err)
	var b bytes.Buffer
	if err := s.imports.ExportContacts(t.Context(), agent, contact.Ask{}, intake.CSV, &b); fault.KindOf(err) != fault.Denied || b.Len() > 0 {
		t.Errorf("%v", err)
	}
	if _, err := s.imports.Run(t.Context(), agent, strings.NewReader("Name\nx\n"), 7, intake.Spec{Kind: intake.Leads}, nil); fault.KindOf(err) != fault.Denied {
		t.Errorf("an agent imports: %v", err)
	}
}
