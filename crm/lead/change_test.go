package lead_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/account"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

// change changes a lead in a transaction.
func (s *story) change(t testing.TB, by *account.Member, id lead.ID, rev int64, c lead.Change) error {
	t.Helper()
	return s.try(t, func(tx *db.Tx) error {
		_, err := s.leads.Change(t.Context(), tx, s.Org, by.ID, id, rev, c)
		return err
	})
}

func TestTwoPeopleEditOneLead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		l := s.add(t, "Meera", lead.New{Value: 100, Custom: map[string]string{"budget": "small"}})
		// Both opened the lead at rev 1.
		must(t, s.change(t, s.asha, l.ID, 1, lead.Change{Value: new(int64(500)), AddTags: []string{"hot"}, Custom: map[string]string{"budget": "big"}}))
		s.Clock.Advance(5 * time.Minute)
		must(t, s.change(t, s.bina, l.ID, 1, lead.Change{Source: new("fair"), Custom: map[string]string{"city": "Pune"}}))
		got := s.get(t, l.ID)
		if got.Value != 500 || got.Source != "fair" || got.Rev != 3 || got.Custom["budget"] != "big" || got.Custom["city"] != "Pune" || len(got.Tags) != 1 || got.ChangedBy != s.bina.ID {
			t.Errorf("merged: %+v", got)
		}
		err := s.change(t, s.bina, l.ID, 1, lead.Change{Value: new(int64(700)), Custom: map[string]string{"budget": "none"}, SourceDay: new(got.SourceDay + 1)})
		refused(t, err, fault.Conflict, "Asha changed the value on 15 April 2026, 12:00", "Asha changed “Budget”", "Nothing of yours was saved")
		if strings.Contains(fault.Sentence(err), "big") {
			t.Errorf("the sentence tells the content: %s", fault.Sentence(err))
		}
		if got := s.get(t, l.ID); got.Value != 500 || got.SourceDay != 0 || got.Rev != 3 {
			t.Errorf("after a conflict: %+v", got)
		}
		must(t, s.change(t, s.bina, l.ID, 1, lead.Change{Value: new(int64(500))})) // what is there already
		must(t, s.change(t, s.bina, l.ID, 1, lead.Change{DropTags: []string{"cold"}}))
		refused(t, s.change(t, s.bina, l.ID, 1, lead.Change{Tags: &[]string{"mine"}}), fault.Conflict, "Asha changed the tags")
		refused(t, s.change(t, s.bina, l.ID, 9, lead.Change{Value: new(int64(1))}), fault.Invalid, "no version 9")
		must(t, s.change(t, s.bina, l.ID, 3, lead.Change{Value: new(int64(700))}))
		if got := s.told(t, l.ID); got != "1 made >sales/new; 2 value 100 INR>500 INR; 2 tags >hot; 2 custom.budget small>big; 3 source >fair; 3 custom.city >Pune; 4 value 500 INR>700 INR" {
			t.Errorf("history: %s", got)
		}
	}, schemas()...)
}

func TestManyEditAtOnceAndNothingIsLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		l := s.add(t, "Meera", lead.New{})
		const each = 20
		var wins, conflicts int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, m := range []*account.Member{s.asha, s.bina} {
			for i := range each {
				wg.Go(func() {
					err := s.DB.Tx(context.WithoutCancel(t.Context()), func(tx *db.Tx) error {
						_, err := s.leads.Change(t.Context(), tx, s.Org, m.ID, l.ID, 1, lead.Change{Value: new(int64(1000*i + len(m.Name) + int(m.Agent)))})
						return err
					})
					mu.Lock()
					defer mu.Unlock()
					if wins++; err != nil {
						wins--
						conflicts++
						if fault.KindOf(err) != fault.Conflict {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		if got := s.get(t, l.ID); wins != 1 || conflicts != 2*each-1 || got.Rev != 2 {
			t.Errorf("%d changes went through and %d did not; the lead is at %d", wins, conflicts, got.Rev)
		}
	}, schemas()...)
}

func TestALeadIsGivenAway(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		l := s.add(t, "Meera", lead.New{Owner: s.asha.ID})
		give := func(to account.MemberID, why string) error {
			return s.try(t, func(tx *db.Tx) error { return s.leads.SetOwner(ctx, tx, s.Org, s.asha.ID, l.ID, to, why) })
		}
		must(t, give(s.bina.ID, "Asha is away."))
		if got := s.get(t, l.ID); got.Owner != s.bina.ID {
			t.Errorf("given: %+v", got)
		}
		if got := s.ownerOf(t, l.Contact); got != s.bina.ID {
			t.Errorf("the contact belongs to %q", got)
		}
		all, err := s.leads.History(ctx, s.DB, s.Org.ID, l.ID, 0, 1)
		must(t, err)
		if e := all[0]; e.Field != "owner" || e.From != string(s.asha.ID) || e.To != string(s.bina.ID) || e.Why != "Asha is away." {
			t.Errorf("history: %+v", e)
		}
		_, err = s.Accounts.Deactivate(ctx, s.boss, s.asha.ID)
		must(t, err)
		refused(t, give(s.asha.ID, ""), fault.Invalid, "Asha was deactivated")
		refused(t, give("mem_none", ""), fault.NotFound, "no member")
		refused(t, give(s.bina.ID, strings.Repeat("x", 2000)), fault.Invalid, "at most 1000")
		// Somebody else gave it to nobody since rev 1.
		must(t, give("", ""))
		refused(t, s.try(t, func(tx *db.Tx) error {
			_, err := s.leads.Give(ctx, tx, s.Org, s.bina.ID, l.ID, 2, s.bina.ID, "")
			return err
		}), fault.Conflict, "changed the owner")
		if got := s.ownerOf(t, l.Contact); got != "" {
			t.Errorf("the contact belongs to %q", got)
		}
	}, schemas()...)
}

func TestTheContactFollowsItsNewestOpenLead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		old := s.add(t, "Meera", lead.New{Owner: s.asha.ID})
		s.Clock.Advance(time.Hour)
		var young *lead.Lead
		s.tx(t, func(tx *db.Tx) (err error) {
			young, err = s.leads.Add(ctx, tx, s.Org, "", lead.New{Contact: old.Contact, Owner: s.bina.ID})
			return err
		})
		want := func(m *account.Member) {
			t.Helper()
			if got := s.ownerOf(t, old.Contact); got != m.ID {
				t.Errorf("the contact belongs to %q, not to %s", got, m.Name)
			}
		}
		want(s.bina)
		s.tx(t, func(tx *db.Tx) error {
			_, err := s.leads.Lose(ctx, tx, s.Org, s.bina.ID, young.ID, 1, "price", "")
			return err
		})
		want(s.asha)
		s.tx(t, func(tx *db.Tx) error {
			_, err := s.leads.Reopen(ctx, tx, s.Org, s.bina.ID, young.ID, 2, "")
			return err
		})
		want(s.bina)
		s.tx(t, func(tx *db.Tx) error { return s.leads.Delete(ctx, tx, s.Org, s.asha.ID, young.ID) })
		want(s.asha)
	}, schemas()...)
}
