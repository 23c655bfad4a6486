package intake_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/crm/contact"
	"parley/crm/intake"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/trust/subject"
)

func (s *story) rows(t *testing.T, table string) (n int) {
	t.Helper()
	must(t, s.DB.Row(t.Context(), `SELECT count(*) FROM `+table+` WHERE org_id = $1`, s.Org.ID).Scan(&n))
	return n
}

// list has Meera in a refused row, however written, and in one that changes her.
const list = "Name,Mobile,Email,Remarks\nMeera Rao,98123-00001,,\nMeera,98123 00001,,4111 1111 1111 1111\nM,,MEERA@example.com,4111 1111 1111 1111\nOther,9812300002,,4111 1111 1111 1111\n"

func (s *story) meera(t *testing.T) (*contact.Contact, *intake.Import) {
	t.Helper()
	one := s.Add(t, contact.New{Person: contact.Person{First: "Meera", Numbers: []contact.Labelled{{Text: "+919812300001"}}, Emails: []contact.Labelled{{Text: "meera@example.com"}}}, Origin: "manual"})
	m := s.csv(t, list, intake.Spec{Kind: intake.Contacts, Policy: intake.Update})
	if m.Counts.Updated != 1 || m.Counts.Refused != 3 || s.rows(t, "crm_import_changes") != 1 {
		t.Fatalf("%+v", m.Counts)
	}
	return one, m
}

func TestAPersonIsErasedFromWhatImportsKeep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		one, m := s.meera(t)
		store := s.imports.Store()
		for _, who := range []subject.Ref{subject.OfNumber(int64(one.Nums[0])), subject.OfContact(one.Subject)} {
			plan, err := store.Plan(t.Context(), s.Org.ID, who)
			if err != nil || len(plan) != 2 || plan[0].Count != 2 || plan[1].Count != 1 || plan[1].Newest.IsZero() {
				t.Fatalf("%s: %+v %v", who, plan, err)
			}
		}
		gone, err := store.Erase(t.Context(), s.Org.ID, subject.OfNumber(int64(one.Nums[0])), rights.Decision{At: s.Now(), Keep: []rights.Lock{{Category: "contact"}}})
		if err != nil || len(gone) != 1 || gone[0].Count != 2 || s.rows(t, "crm_import_changes") != 1 {
			t.Fatalf("what a law keeps: %+v %v", gone, err)
		}
		var b strings.Builder
		must(t, s.imports.Rejected(t.Context(), s.Org.ID, m, &b))
		if strings.Contains(b.String(), "00001") || strings.Contains(strings.ToLower(b.String()), "meera") || !strings.Contains(b.String(), "Other") || strings.Count(b.String(), "erased since") != 2 {
			t.Error(b.String())
		}
		if gone, err = store.Erase(t.Context(), s.Org.ID, subject.OfContact(one.Subject), rights.Decision{At: s.Now()}); err != nil || gone[1].Count != 1 || s.rows(t, "crm_import_changes") != 0 {
			t.Errorf("%+v %v", gone, err)
		}
	}, schemas()...)
}

func TestWhatImportsChangedGoesWithTheContact(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		one, _ := s.meera(t)
		s.Contacts.OnGone(s.imports.ContactsGone)
		s.Tx(t, func(tx *db.Tx) error {
			_, err := s.Contacts.Delete(t.Context(), tx, s.Org.ID, one.ID)
			return err
		})
		if n := s.rows(t, "crm_import_changes"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		s.Tx(t, func(tx *db.Tx) error { return intake.Delete(t.Context(), tx, s.Org.ID) })
		for _, table := range []string{"crm_imports", "crm_import_rejects", "crm_import_mappings", "crm_import_counters", "contact_groups", "contact_group_consents"} {
			if n := s.rows(t, table); n != 0 {
				t.Errorf("%s keeps %d rows of a closed organisation", table, n)
			}
		}
	}, schemas()...)
}

func TestLeftoversOfImportsEndByAge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		_, m := s.meera(t)
		for days, want := range map[int]int{29: 0, 31: 1} {
			for _, table := range intake.Expiring() {
				if table.Part != "undo" {
					continue
				}
				cut := s.Now().Add(time.Duration(days-30) * 24 * time.Hour)
				k := retain.OfTable(d, table)
				due, err := k.Due(t.Context(), s.Org.ID, retain.Cut{Before: cut})
				if err != nil || len(due) != want {
					t.Errorf("after %d days %d are due, %v", days, len(due), err)
				}
			}
		}
		s.Clock.Advance(100 * 24 * time.Hour)
		if _, err := s.imports.Undo(t.Context(), s.owner, m.ID); err == nil || !strings.Contains(err.Error(), "30 days") {
			t.Errorf("an old import was undone: %v", err)
		}
		for _, table := range intake.Expiring() {
			rows, err := table.Old(t.Context(), d, int64(s.Org.ID), s.Now().Add(-24*time.Hour))
			must(t, err)
			if _, err := table.Clear(t.Context(), d, int64(s.Org.ID), s.Now().Add(-24*time.Hour), rows, func(context.Context, db.Conn) error { return nil }); err != nil {
				t.Errorf("%s: %v", table.Name, err)
			}
		}
		for _, table := range []string{"crm_imports", "crm_import_rejects", "crm_import_changes", "crm_import_mappings"} {
			if n := s.rows(t, table); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
	}, schemas()...)
}

func TestMembersGetACopyOfWhatTheyBroughtIn(t *testing.T) {
	s := newStory(t, dbtest.SQLite(t, schemas()...))
	s.meera(t)
	var boss = s.owner.Member.ID
	plan, err := s.imports.Store().Plan(t.Context(), s.Org.ID, subject.OfMember(string(boss)))
	if err != nil || len(plan) != 1 || plan[0].Count != 0 {
		t.Errorf("%+v %v", plan, err)
	}
}
