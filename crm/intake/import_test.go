package intake_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/account"
	"parley/calls/device"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

// march is a list as people keep it: a title above the header, a header twice, numbers as they come, names of any script.
const march = "Enquiries of March,,,,,,,,,\n" +
	"Name,Company,Mobile,Phone,Email,City,Budget,Lead Source,Enquiry date,Remarks\n" +
	"Meera Sharma,Sharma Textiles,98123 00001,022-66200101,meera@example.com,Mumbai,\"₹1,25,000\",Fair,13/03/2026,wants samples\n" +
	"محمد علي 🎉,,+919812300002,,,Pune,,,02/03/2026,\n" +
	"रवि शर्मा,,9.1E+11,,,,,,,\n" +
	"Card Carl,,9812300004,,,,,,,pays with 4111 1111 1111 1111\n" +
	"=HYPERLINK(1),,9812300005,,,,,,,\n" +
	"Name,Company,Mobile,Phone,Email,City,Budget,Lead Source,Enquiry date,Remarks\n" +
	"Meera S.,,+91 98123 00001,,,,,,,\n" +
	",,,,nobody,,,,,\n" +
	"Own Line,,+919999900000,,,,,,,\n"

func TestAListBecomesLeads(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		_, err := s.Devices.AddLine(t.Context(), s.Org, device.NewLine{Agent: 1, Number: "+919999900000"})
		must(t, err)
		spec := intake.Spec{Kind: intake.Leads, Tags: []string{"march"}, Source: "List", SourceDay: civil.Date(2026, 3, 31), Give: intake.Fixed, Member: s.asha}
		dry := spec
		dry.DryRun = true
		rehearsed := s.csv(t, march, dry)
		if c, l := s.counts(t); c+l != 0 || rehearsed.State != intake.Dry {
			t.Fatalf("a dry run wrote %d contacts and %d leads", c, l)
		}
		m := s.csv(t, march, spec)
		want := intake.Counts{Rows: 8, New: 3, Skipped: 1, Left: 1, Refused: 3, Contacts: 3, Leads: 3, Owners: map[account.MemberID]int64{s.asha: 3}}
		if fmt.Sprint(m.Counts) != fmt.Sprint(want) || fmt.Sprint(rehearsed.Counts) != fmt.Sprint(want) || m.State != intake.Done {
			t.Errorf("%s\n got %+v\nrehearsed %+v\nwant %+v\n%s", m.State, m.Counts, rehearsed.Counts, want, s.problems(t, m))
		}
		if s.problems(t, m) != s.problems(t, rehearsed) {
			t.Errorf("the rehearsal said\n%s", s.problems(t, rehearsed))
		}
		for _, words := range []string{"Mobile: A spreadsheet rounded", "Remarks: ", "Email: \"nobody\"", "Row 3 of the file", "one of your own lines"} {
			if !strings.Contains(s.problems(t, m), words) {
				t.Errorf("no problem says %q:\n%s", words, s.problems(t, m))
			}
		}
		s.seeMarch(t)
	}, schemas()...)
}

// seeMarch looks whether the list arrived as it stands there.
func (s *story) seeMarch(t *testing.T) {
	t.Helper()
	meera := s.person(t, "Meera Sharma")
	p := &meera.Person
	if p.Company != "Sharma Textiles" || p.Address.City != "Mumbai" || meera.Owner != s.asha || fmt.Sprint(p.Numbers) != "[{mobile +919812300001} { +912266200101}]" || fmt.Sprint(p.Emails) != "[{ meera@example.com}]" {
		t.Errorf("%+v", meera)
	}
	if ali := s.person(t, "محمد علي 🎉"); ali.Person.Last != "🎉" || ali.Origin != "import" {
		t.Errorf("%+v", ali)
	}
	s.person(t, "=HYPERLINK(1)")
	all := s.leads(t)
	i := slices.IndexFunc(all, func(r lead.Row) bool { return r.Contact == meera.ID })
	if l := all[i]; l.Value != 12500000 || l.Currency != "INR" || l.Source != "Fair" || l.SourceDay != civil.Date(2026, 3, 13) || l.Owner != s.asha || !slices.Equal(l.Tags, []string{"march"}) || l.Rev != 1 {
		t.Errorf("%+v", l.Lead)
	}
	i = slices.IndexFunc(all, func(r lead.Row) bool { return r.Who.Name() == "محمد علي 🎉" })
	if l := all[i]; l.Source != "List" || l.SourceDay != civil.Date(2026, 3, 2) {
		t.Errorf("what is said of all rows: %+v", l.Lead)
	}
	notes, err := s.Contacts.Notes(t.Context(), s.DB, s.Org.ID, meera.ID, s.Now().AddDate(0, 0, 1), 10)
	if err != nil || len(notes) != 1 || notes[0].Text != "wants samples" {
		t.Errorf("%v %v", notes, err)
	}
}

func TestImportingAgainAddsNothingTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		s.csv(t, march, intake.Spec{})
		contacts, leads := s.counts(t)
		m := s.csv(t, march, intake.Spec{})
		if c, l := s.counts(t); c != contacts || l != leads || m.Counts.New != 0 {
			t.Errorf("%d contacts and %d leads became %d and %d", contacts, leads, c, l)
		}
		m = s.csv(t, march, intake.Spec{Policy: intake.Both})
		if c, l := s.counts(t); m.Counts.New != 5 || c != contacts+5 || l != leads+5 {
			t.Errorf("keeping both made %d: %d contacts and %d leads", m.Counts.New, c, l)
		}
		s.Contact(t, "Known", "Alone", "+919812300077")
		m = s.csv(t, "Name,Mobile\nWhoever,9812300077\n", intake.Spec{})
		known := s.person(t, "Known Alone")
		if got, err := s.Leads.OfContacts(t.Context(), d, s.Org.ID, known.ID); err != nil || len(got) != 1 || m.Counts.Leads != 1 || m.Counts.Contacts != 0 {
			t.Errorf("somebody known without a lead has %d, %+v, %v", len(got), m.Counts, err)
		}
	}, schemas()...)
}

const april = "Name,Company,Mobile,Email,Budget\n" +
	"Meera Sharma-Rao,,9812300001,,200000\n" + // goes over
	"Meera Sharma-Rao,Rao Ltd,9812300001,new@example.com,200000\n" + // again, further down
	"Meera Sharma-Rao,,9812300001,,\n" + // says nothing new
	",,,new@example.com,\n" + // known by the address that the file brought
	"New Nora,,9812300009,,\n" +
	"New Nora,Acme,9812300009,,5\n" // goes over what the file made

func TestAnUpdateGoesOverWhatIsThereAndUndoPutsItBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		s.csv(t, march, intake.Spec{Give: intake.Fixed, Member: s.asha})
		before := fmt.Sprint(s.person(t, "Meera Sharma").Person)
		spec := intake.Spec{Policy: intake.Update, Tags: []string{"april"}, Give: intake.Fixed, Member: s.bina}
		dry := spec
		dry.DryRun = true
		rehearsed, m := s.csv(t, april, dry), s.csv(t, april, spec)
		want := intake.Counts{Rows: 6, New: 1, Updated: 3, Same: 2, Contacts: 1, Leads: 1, Owners: map[account.MemberID]int64{s.bina: 1}}
		if fmt.Sprint(m.Counts) != fmt.Sprint(want) || fmt.Sprint(rehearsed.Counts) != fmt.Sprint(want) {
			t.Fatalf("got %+v\nrehearsed %+v\nwant %+v\n%s", m.Counts, rehearsed.Counts, want, s.problems(t, m))
		}
		meera := s.person(t, "Meera Sharma-Rao")
		if meera.Person.Company != "Rao Ltd" || meera.Person.Address.City != "Mumbai" || len(meera.Person.Numbers) != 2 || len(meera.Person.Emails) != 2 || meera.Owner != s.asha {
			t.Errorf("%+v", meera)
		}
		leads, err := s.Leads.OfContacts(t.Context(), d, s.Org.ID, meera.ID)
		if err != nil || len(leads) != 1 || leads[0].Value != 20000000 || !slices.Equal(leads[0].Tags, []string{"april"}) {
			t.Errorf("%+v %v", leads, err)
		}
		if m, err = s.imports.Undo(t.Context(), s.owner, m.ID); err != nil || m.Counts.Removed != 2 || m.Counts.Restored != 2 || m.Counts.Kept != 0 || m.State != intake.Undone {
			t.Fatalf("%+v %v", m, err)
		}
		if got := fmt.Sprint(s.person(t, "Meera Sharma").Person); got != before {
			t.Errorf("put back is %s, was %s", got, before)
		}
		leads, err = s.Leads.OfContacts(t.Context(), d, s.Org.ID, meera.ID)
		if err != nil || len(leads) != 1 || leads[0].Value != 12500000 || len(leads[0].Tags) != 0 {
			t.Errorf("%+v %v", leads, err)
		}
		if _, err := s.imports.Undo(t.Context(), s.owner, m.ID); fault.KindOf(err) != fault.Conflict {
			t.Errorf("undone twice: %v", err)
		}
	}, schemas()...)
}

func TestUndoLeavesWhatWasChangedOrUsedSince(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		var rows strings.Builder
		for i := range 450 { // more than a batch of undoing
			fmt.Fprintf(&rows, "Person %d,98123%05d\n", i, i)
		}
		m := s.csv(t, "Name,Mobile\n"+rows.String(), intake.Spec{})
		one, two := s.person(t, "Person 7"), s.person(t, "Person 8")
		s.Tx(t, func(tx *db.Tx) error {
			leads, err := s.Leads.OfContacts(t.Context(), tx, s.Org.ID, one.ID)
			if err != nil {
				return err
			}
			value := int64(5)
			if _, err := s.Leads.Change(t.Context(), tx, s.Org, s.asha, leads[0].ID, 0, lead.Change{Value: &value}); err != nil {
				return err
			}
			_, err = s.Contacts.AddNote(t.Context(), tx, s.Org.ID, s.asha, two.ID, "called")
			return err
		})
		m, err := s.imports.Undo(t.Context(), s.owner, m.ID)
		if err != nil || m.Counts.Removed != 448+449 || m.Counts.Kept != 3 {
			t.Fatalf("%+v %v", m.Counts, err)
		}
		contacts, leads, err := s.imports.Remaining(t.Context(), s.Org.ID, m)
		if err != nil || len(contacts) != 2 || len(leads) != 1 {
			t.Errorf("%v %v %v", contacts, leads, err)
		}
	}, schemas()...)
}

func TestContactsFromCards(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		s.field(t, field.OfContact, "Budget", field.Number)
		cards := "BEGIN:VCARD\nVERSION:3.0\nN:Sharma;Meera;;;\nFN:Meera Sharma\nTEL;TYPE=CELL:98123 00001\nADR:;;1 MG Road;Mumbai;MH;400001;India\nCATEGORIES:VIP,myContacts\nX-PARLEY-BUDGET:50\nNOTE:hello\n" +
			"PHOTO;ENCODING=b:QUJD\nEND:VCARD\nBEGIN:VCARD\nFN:No End\nBEGIN:VCARD\nFN:Acme\nORG:Acme\nTEL:9812300002\nEND:VCARD\nBEGIN:VCARD\nFN:Nobody\nEND:VCARD\n"
		m := s.run(t, []byte(cards), intake.Spec{Kind: intake.Contacts, Name: "all.vcf", Give: intake.Fixed, Member: s.asha})
		if c := m.Counts; c.Rows != 4 || c.New != 3 || c.Refused != 1 || c.Pictures != 1 || c.Leads != 0 {
			t.Fatalf("%+v %s", c, s.problems(t, m))
		}
		meera, acme := s.person(t, "Meera Sharma"), s.person(t, "Acme")
		if p := meera.Person; p.Address.Country != "IN" || p.Custom["budget"] != "50" || !slices.Equal(meera.Tags, []string{"VIP"}) || meera.Owner != s.asha || p.Numbers[0] != (contact.Labelled{Label: "mobile", Text: "+919812300001"}) {
			t.Errorf("%+v", meera)
		}
		if acme.Person.First != "" || acme.Person.Company != "Acme" {
			t.Errorf("%+v", acme)
		}
		var b bytes.Buffer
		must(t, s.imports.Rejected(t.Context(), s.Org.ID, m, &b))
		if !strings.Contains(b.String(), "Row,Reason,Column,Name") || !strings.Contains(b.String(), "END:VCARD is missing") {
			t.Error(b.String())
		}
	}, schemas()...)
}

func TestRowsThatWereNotTakenCanBeCorrectedAndBroughtInAgain(t *testing.T) {
	d := dbtest.SQLite(t, schemas()...)
	s := newStory(t, d)
	m := s.csv(t, "Name,Mobile,Remarks\n=Evil(),12,x\nGood,9812300001,-1\n", intake.Spec{})
	var b bytes.Buffer
	must(t, s.imports.Rejected(t.Context(), s.Org.ID, m, &b))
	want := "Row,Reason,Column,Name,Mobile,Remarks\n2,\"\"\"12\"\" is not a phone number. Write its digits, with the country code where it is abroad.\",Mobile,'=Evil(),12,x\n"
	if b.String() != want {
		t.Errorf("got %s\nwant %s", b.String(), want)
	}
	again := s.csv(t, strings.Replace(b.String(), ",12,", ",9812300002,", 1), intake.Spec{})
	if again.Counts.New != 1 {
		t.Errorf("%+v %s", again.Counts, s.problems(t, again))
	}
	s.person(t, "=Evil()")
}

func TestAnImportThatBreaksOffSaysWhatItLeft(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		var rows strings.Builder
		rows.WriteString("Name,Mobile\n")
		for i := range 60_000 {
			fmt.Fprintf(&rows, "Person %d,98%08d\n", i, i)
		}
		data := rows.String()
		ctx, stop := context.WithCancel(t.Context())
		m, err := s.imports.Run(ctx, s.owner, strings.NewReader(data), int64(len(data)), intake.Spec{Kind: intake.Leads, Name: "a.csv"}, func(m intake.Import) {
			if m.Counts.Rows >= 1000 {
				stop()
			}
		})
		contacts, leads := s.counts(t)
		if err == nil || m.State != intake.Failed || contacts == 0 || contacts != leads || int64(contacts) != m.Counts.Contacts || !strings.Contains(m.Sentence, fmt.Sprintf("%d contacts", contacts)) {
			t.Fatalf("%d contacts, %d leads, %v: %+v", contacts, leads, err, m)
		}
		// As kill -9 leaves it.
		_, err = d.Exec(t.Context(), `UPDATE crm_imports SET state = 'running', ended_ms = 0 WHERE org_id = $1`, s.Org.ID)
		must(t, err)
		must(t, intake.New(s.deps).Interrupted(t.Context()))
		m, err = s.imports.One(t.Context(), s.Org.ID, m.ID)
		if err != nil || m.State != intake.Failed || !strings.Contains(m.Sentence, "The server stopped") || !strings.Contains(m.Sentence, fmt.Sprintf("%d leads", leads)) {
			t.Fatalf("%+v %v", m, err)
		}
		if m, err = s.imports.Undo(t.Context(), s.owner, m.ID); err != nil {
			t.Fatal(err)
		}
		if c, l := s.counts(t); c+l != 0 {
			t.Errorf("%d contacts and %d leads are left of %+v", c, l, m.Counts)
		}
	}, schemas()...)
}

// TestRowsFarApartAboutOnePerson: those in the first part of a file and in the next are about the same people, in a rehearsal too,
// and undoing the import knows what it made itself.
func TestRowsFarApartAboutOnePerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		s.csv(t, "Name,Mobile,Budget\nMeera,9812399999,10\nRavi,9812399998,10\n", intake.Spec{})
		var file strings.Builder
		file.WriteString("Name,Company,Mobile,Budget\nMeera,Acme,9812399999,20\nRavi,,9812399998,20\nNora,,9812399997,5\n")
		for i := range 1100 {
			fmt.Fprintf(&file, "Person %d,,98123%05d,\n", i, i)
		}
		file.WriteString("Meera,Acme,9812399999,20\nNora,Rao Ltd,9812399997,6\nMeera,Beta,9812399999,\n")
		spec := intake.Spec{Policy: intake.Update}
		dry := spec
		dry.DryRun = true
		rehearsed, m := s.csv(t, file.String(), dry), s.csv(t, file.String(), spec)
		if c := m.Counts; c.Updated != 4 || c.Same != 1 || c.New != 1101 || fmt.Sprint(c) != fmt.Sprint(rehearsed.Counts) {
			t.Fatalf("%+v\n%+v", c, rehearsed.Counts)
		}
		ravi := s.person(t, "Ravi")
		s.Tx(t, func(tx *db.Tx) error {
			leads, err := s.Leads.OfContacts(t.Context(), tx, s.Org.ID, ravi.ID)
			if err != nil {
				return err
			}
			source := "phone"
			_, err = s.Leads.Change(t.Context(), tx, s.Org, s.asha, leads[0].ID, 0, lead.Change{Source: &source})
			return err
		})
		m, err := s.imports.Undo(t.Context(), s.owner, m.ID)
		if err != nil || m.Counts.Removed != 2202 || m.Counts.Restored != 2 || m.Counts.Kept != 1 {
			t.Fatalf("%+v %v", m.Counts, err)
		}
		for name, value := range map[string]int64{"Meera": 1000, "Ravi": 2000} {
			leads, err := s.Leads.OfContacts(t.Context(), d, s.Org.ID, s.person(t, name).ID)
			if err != nil || len(leads) != 1 || leads[0].Value != value || s.person(t, name).Person.Company != "" {
				t.Errorf("%s: %+v %v", name, leads, err)
			}
		}
	}, schemas()...)
}
