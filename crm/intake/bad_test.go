package intake_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

// manager is a member who leads a team with Asha in it, and sees what is hers and nobody's.
func (s *story) manager(t *testing.T) *account.Actor {
	t.Helper()
	team, err := s.Accounts.CreateTeam(t.Context(), s.Org.ID, "North")
	must(t, err)
	m := s.Agent(t, "Mona")
	for _, x := range []account.MemberID{s.asha, m.ID} {
		_, err := s.Accounts.SetTeams(t.Context(), s.Org.ID, x, []account.TeamID{team.ID})
		must(t, err)
	}
	_, err = s.Accounts.SetRole(t.Context(), s.owner, m.ID, account.Manager)
	must(t, err)
	as, err := s.Accounts.As(t.Context(), s.Org.ID, m.ID)
	must(t, err)
	return as
}

func TestAManagerChangesNobodyOutOfSight(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		mona := s.manager(t)
		for i, owner := range []account.MemberID{s.asha, s.bina} {
			s.Add(t, contact.New{Person: contact.Person{First: fmt.Sprint("P", i), Numbers: []contact.Labelled{{Text: fmt.Sprintf("+91981230000%d", i)}}}, Owner: owner, Origin: "manual"})
		}
		const file = "Name,Company,Mobile\nA,Acme,9812300000\nB,Beta,9812300001\n"
		for _, spec := range []intake.Spec{{Kind: intake.Contacts, Policy: intake.Update}, {Kind: intake.Leads}} {
			m, err := s.imports.Run(t.Context(), mona, strings.NewReader(file), int64(len(file)), spec, nil)
			if err != nil || m.Counts.Refused != 1 || m.Counts.New+m.Counts.Updated != 1 || !strings.Contains(s.problems(t, m), "whose contacts you do not see") {
				t.Errorf("%+v %v", m, err)
			}
		}
		if one := s.person(t, "P1"); one.Person.Company != "" {
			t.Errorf("%+v", one.Person)
		}
		var b strings.Builder
		_, err := s.Accounts.SetRole(t.Context(), s.owner, mona.Member.ID, account.PrivacyOfficer)
		must(t, err)
		officer, err := s.Accounts.As(t.Context(), s.Org.ID, mona.Member.ID)
		must(t, err)
		must(t, s.imports.ExportContacts(t.Context(), officer, contact.Ask{}, intake.CSV, &b))
		if strings.Count(b.String(), "tel:+") != 2 {
			t.Error(b.String())
		}
	}, schemas()...)
}

func TestWhoIsErasedKeptOutOrRestrictedDoesNotComeBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		quiet := s.Contact(t, "Quiet", "", "+919812300003")
		s.Tx(t, func(tx *db.Tx) error {
			if err := s.Consents.Bury(t.Context(), tx, s.Org.ID, "+919812300001"); err != nil {
				return err
			}
			if err := s.Book.Exclude(t.Context(), tx, s.Org.ID, number.Exclusion{Number: "+919812300002", Strength: number.NeverStored}); err != nil {
				return err
			}
			_, err := s.Book.Restrict(t.Context(), tx, s.Org.ID, quiet.Nums[0], true, 0)
			return err
		})
		const file = "Name,Company,Mobile\nErased,Acme,9812300001\nOut,Acme,9812300002\nQuiet,Acme,9812300003\nFine,Acme,9812300004\n"
		for _, dry := range []bool{true, false} {
			m := s.csv(t, file, intake.Spec{Policy: intake.Update, DryRun: dry})
			if c := m.Counts; c.Erased != 1 || c.Left != 1 || c.Refused != 1 || c.New != 1 || c.Rows != 4 {
				t.Errorf("%+v\n%s", c, s.problems(t, m))
			}
		}
		if c, l := s.counts(t); c != 2 || l != 1 {
			t.Errorf("%d contacts, %d leads", c, l)
		}
	}, schemas()...)
}

// ruled gives leads out by a function, and counts what is kept and forgotten.
type ruled struct {
	give            func(intake.Case) account.MemberID
	refuse          func([]lead.ID) error
	waiting         int // decisions that are neither kept nor forgotten
	kept, forgotten int
}

func (s *story) by(r *ruled) {
	s.deps.Assign = func(context.Context, *account.Org) (*intake.Assigner, error) {
		return &intake.Assigner{
			Decide: func(_ context.Context, _ db.Conn, cases []intake.Case) (out []intake.Given, err error) {
				for _, c := range cases {
					out = append(out, intake.Given{Owner: r.give(c), Why: "as ruled"})
				}
				r.waiting += len(cases)
				return out, nil
			},
			Keep: func(_ context.Context, _ *db.Tx, leads []lead.ID) error {
				if len(leads) != r.waiting {
					return fmt.Errorf("%d leads were made of %d decisions", len(leads), r.waiting)
				}
				if r.refuse != nil {
					if err := r.refuse(leads); err != nil {
						return err
					}
				}
				r.kept, r.waiting = r.kept+len(leads), 0
				return nil
			},
			Forget: func() { r.forgotten, r.waiting = r.forgotten+r.waiting, 0 },
		}, nil
	}
	s.imports = intake.New(s.deps)
}

func TestALeadForSomebodyWhoJustLeftIsNobodys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		r := &ruled{give: func(c intake.Case) account.MemberID {
			if c.State == "gone" {
				return "mem_gone"
			}
			return s.bina
		}}
		s.by(r)
		spec := intake.Spec{Give: intake.ByRules}
		const file = "Name,Mobile,State\nA,9812300001,gone\nB,9812300002,\nA,9812300001,\nC,1,\n"
		dry := spec
		dry.DryRun = true
		rehearsed := s.csv(t, file, dry)
		if r.kept != 0 || r.waiting != 0 || r.forgotten != 2 {
			t.Errorf("after a dry run: %+v", r)
		}
		m := s.csv(t, file, spec)
		if m.Counts.Owners[""] != 1 || m.Counts.Owners[s.bina] != 1 || fmt.Sprint(rehearsed.Counts) != fmt.Sprint(m.Counts) || r.kept != 2 {
			t.Errorf("%+v\n%+v\n%+v", m.Counts, rehearsed.Counts, r)
		}
		all := s.leads(t)
		i := slices.IndexFunc(all, func(l lead.Row) bool { return l.Owner == "" })
		events, err := s.Leads.History(t.Context(), d, s.Org.ID, all[i].ID, 0, 10)
		if err != nil || len(events) != 1 || !strings.Contains(events[0].Why, "no longer") {
			t.Errorf("%+v %v", events, err)
		}
	}, schemas()...)
}

// TestARowThatOnlyWritingRefusesCostsItselfAlone: the rows before and behind it are kept, and counted once.
func TestARowThatOnlyWritingRefusesCostsItselfAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		bad := false
		r := &ruled{give: func(c intake.Case) account.MemberID {
			bad = bad || c.Source == "cursed"
			return s.bina
		}}
		r.refuse = func([]lead.ID) error {
			if was := bad; was {
				bad = false
				return fault.New(fault.Conflict, "Cursed.")
			}
			return nil
		}
		s.by(r)
		m := s.csv(t, "Name,Mobile,Source\nA,9812300001,x\nB,9812300002,x\nC,9812300003,cursed\nD,9812300004,x\nA,9812300001,x\nE,7,x\n", intake.Spec{Give: intake.ByRules})
		if c := m.Counts; c.Rows != 6 || c.New != 3 || c.Skipped != 1 || c.Refused != 2 || c.Leads != 3 || r.kept != 3 || !strings.Contains(s.problems(t, m), "Cursed.") {
			t.Errorf("%+v %+v\n%s", c, r, s.problems(t, m))
		}
		if c, l := s.counts(t); c != 3 || l != 3 {
			t.Errorf("%d contacts, %d leads", c, l)
		}
	}, schemas()...)
}

func TestAFileThatCannotBeReadFurtherSaysWhatIsThere(t *testing.T) {
	s := newStory(t, dbtest.SQLite(t, schemas()...))
	var rows strings.Builder
	rows.WriteString("Name,Mobile\n")
	for i := range 20_000 {
		fmt.Fprintf(&rows, "Person %d,98%08d\n", i, i)
	}
	data := rows.String()
	m, err := s.imports.Run(t.Context(), s.owner, broken{strings.NewReader(data), int64(len(data) / 2)}, int64(len(data)), intake.Spec{Kind: intake.Contacts}, nil)
	c, _ := s.counts(t)
	if err == nil || m.State != intake.Failed || int64(c) != m.Counts.Contacts || c == 0 || strings.Contains(m.Sentence, "broken") || !strings.Contains(m.Sentence, fmt.Sprint(c)) {
		t.Errorf("%d contacts, %v: %+v", c, err, m)
	}
	if _, err := s.imports.One(t.Context(), s.NewOrg(t, "Other").ID, m.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another organisation sees it: %v", err)
	}
}

func TestALongNoteAndNamesOfAnyScriptStay(t *testing.T) {
	s := newStory(t, dbtest.SQLite(t, schemas()...))
	note := strings.Repeat("नोट 🎉 ", 1666)
	m := s.csv(t, "Name,Mobile,Notes\nمحمد \"بن\" علي,9812300001,\""+note+"\"\n王小明,9812300002,"+strings.Repeat("x", 10_001)+"\n", intake.Spec{})
	if m.Counts.New != 1 || m.Counts.Refused != 1 || !strings.Contains(s.problems(t, m), "Notes: The note has 10001") {
		t.Fatalf("%+v %s", m.Counts, s.problems(t, m))
	}
	one := s.person(t, `محمد "بن" علي`)
	notes, err := s.Contacts.Notes(t.Context(), s.DB, s.Org.ID, one.ID, s.Now().AddDate(1, 0, 0), 5)
	if err != nil || len(notes) != 1 || notes[0].Text != strings.TrimSpace(note) {
		t.Errorf("%d %v", len(notes), err)
	}
}
