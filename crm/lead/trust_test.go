package lead_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/trust/subject"
)

// written is a person's copy as text.
type written struct{ strings.Builder }

func (w *written) Table(category, name string, _ []string, each func(add func(values ...any) error) error) error {
	return each(func(values ...any) error {
		_, err := fmt.Fprintln(w, category, name, fmt.Sprint(values...))
		return err
	})
}

// left counts what tables of leads hold.
func (s *story) left(t testing.TB) string {
	t.Helper()
	var out []string
	for _, table := range []string{"leads", "lead_tags", "lead_events"} {
		var n int
		must(t, s.DB.Row(t.Context(), `SELECT count(*) FROM `+table+` WHERE org_id = $1`, s.Org.ID).Scan(&n))
		out = append(out, fmt.Sprint(n))
	}
	return strings.Join(out, " ")
}

func TestAPersonsLeadsAreCopiedAndErased(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		l := s.add(t, "Meera", lead.New{Owner: s.asha.ID, Tags: []string{"hot", "vip"}, Custom: map[string]string{"city": "Pune"}, Source: "fair"})
		must(t, s.change(t, s.bina, l.ID, 1, lead.Change{Custom: map[string]string{"budget": "big"}}))
		s.tx(t, func(tx *db.Tx) error {
			return s.leads.SetOwner(ctx, tx, s.Org, s.boss.Member.ID, l.ID, s.bina.ID, "She knows Meera.")
		})
		s.add(t, "Other", lead.New{Tags: []string{"hot"}})
		who := subject.OfContact(l.Subject)
		var got written
		must(t, lead.Export(s.leads, ctx, s.Org.ID, who, &got))
		for _, word := range []string{"lead leads", "fair", `{"budget":"big","city":"Pune"}`, "lead.tags lead_tags", "vip", "lead lead_history", "custom.budget", "She knows Meera."} {
			if !strings.Contains(got.String(), word) {
				t.Errorf("%q is not in the copy:\n%s", word, got.String())
			}
		}
		for _, word := range []string{string(s.asha.ID), string(s.bina.ID)} {
			if strings.Contains(got.String(), word) {
				t.Errorf("the copy names a colleague, %s:\n%s", word, got.String())
			}
		}
		store := s.leads.Store()
		want := "leads 1, history of leads 3, tags on leads 2"
		plan, err := store.Plan(ctx, s.Org.ID, who)
		must(t, err)
		if said := counts(plan); said != want {
			t.Errorf("plan: %s", said)
		}
		kept, err := store.Erase(ctx, s.Org.ID, who, rights.Decision{Keep: []rights.Lock{{Category: lead.Category}}})
		must(t, err)
		if counts(kept) != "tags on leads 2" || s.left(t) != "2 1 4" || len(s.get(t, l.ID).Tags) != 0 {
			t.Errorf("with leads kept by law: %s, left %s", counts(kept), s.left(t))
		}
		if nothing, err := store.Erase(ctx, s.Org.ID, who, rights.Decision{Keep: []rights.Lock{{Category: lead.CategoryTags}}}); err != nil || len(nothing) != 0 {
			t.Errorf("with tags kept by law: %v %v", nothing, err)
		}
		gone, err := store.Erase(ctx, s.Org.ID, who, rights.Decision{})
		must(t, err)
		if counts(gone) != "leads 1, history of leads 3, tags on leads 0" || s.left(t) != "1 1 1" {
			t.Errorf("erased: %s, left %s", counts(gone), s.left(t))
		}
		if again, err := store.Erase(ctx, s.Org.ID, who, rights.Decision{}); err != nil || len(again) != 0 {
			t.Errorf("erased again: %v %v", again, err)
		}
	}, schemas()...)
}

func counts(lines []rights.Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%s %d", l.Name, l.Count))
	}
	return strings.Join(out, ", ")
}

func TestAMembersViewsAreTheirs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		s.tx(t, func(tx *db.Tx) error {
			_, err := s.leads.SaveView(ctx, tx, s.Org.ID, s.asha.ID, lead.View{Name: "Hot", Filter: lead.Filter{Text: "Meera"}})
			return err
		})
		var got written
		who := subject.OfMember(string(s.asha.ID))
		must(t, lead.Export(s.leads, ctx, s.Org.ID, who, &got))
		if !strings.Contains(got.String(), "Meera") {
			t.Errorf("copy: %s", got.String())
		}
		plan, err := s.leads.Store().Plan(ctx, s.Org.ID, who)
		must(t, err)
		gone, err := s.leads.Store().Erase(ctx, s.Org.ID, who, rights.Decision{})
		must(t, err)
		if counts(plan) != "saved views of leads 1" || counts(gone) != counts(plan) {
			t.Errorf("planned %s, gone %s", counts(plan), counts(gone))
		}
		if all, _ := s.leads.Views(ctx, s.DB, s.Org.ID, s.asha.ID); len(all) != 0 {
			t.Errorf("left: %+v", all)
		}
	}, schemas()...)
}

func TestWhatIsKeptTooLongGoes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		rule := func(category string) retain.Rule {
			return retain.Rule{Category: category, From: policy.LastActivity, Max: policy.Period{N: 365, Unit: policy.Days}, Archive: policy.Period{N: 90, Unit: policy.Days}}
		}
		sweep := retain.New(retain.Deps{DB: d, Keys: s.Keys, Holds: s.Holds, Keepers: s.leads.Keepers(), Log: s.Log, Now: s.Now, MaxShare: 100,
			Rules: func(context.Context, account.OrgID) ([]retain.Rule, error) {
				return []retain.Rule{rule(lead.Category), rule(lead.CategoryTags)}, nil
			}})
		run := func() string {
			t.Helper()
			out, err := sweep.Run(ctx, s.Org.ID)
			must(t, err)
			var said []string
			for _, p := range out.Applied {
				said = append(said, fmt.Sprintf("%s %s %d", p.Keeper, p.State, p.Removed))
			}
			return strings.Join(said, ", ")
		}
		begun := s.Now()
		old := s.add(t, "Old", lead.New{Tags: []string{"hot", "vip"}, Custom: map[string]string{"city": "Pune"}})
		held, touched := s.add(t, "Held", lead.New{}), s.add(t, "Touched", lead.New{})
		_, err := s.Holds.Add(ctx, s.boss, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfContact(held.Subject)}, Reason: "case", Owner: s.asha.ID, Ends: begun.Add(800 * day)})
		must(t, err)
		s.Clock.Set(begun.Add(100 * day))
		s.tx(t, func(tx *db.Tx) error {
			_, err := s.leads.Lose(ctx, tx, s.Org, "", touched.ID, 0, "price", "")
			return err
		})
		s.tx(t, func(tx *db.Tx) error {
			return s.leads.SetTouch(ctx, tx, s.Org.ID, touched.ID, lead.Touch{Attempts: 1, Last: begun.Add(200 * day)})
		})
		s.Clock.Set(begun.Add(364 * day))
		if said := run(); said != "" {
			t.Fatalf("after 364 days: %s", said)
		}
		s.Clock.Set(begun.Add(366 * day))
		if said := run(); said != "tags on leads applied 2, leads applied 1" {
			t.Fatalf("after 366 days: %s", said)
		}
		if _, err := s.leads.Get(ctx, s.DB, s.Org.ID, contact.Sight{All: true}, old.ID); fault.KindOf(err) != fault.NotFound || s.left(t) != "2 0 4" {
			t.Errorf("left: %s (%v)", s.left(t), err)
		}
		archived := s.back(t, sweep)
		if archived != 2 {
			t.Errorf("%d items came back from the archive", archived)
		}
		got := s.get(t, old.ID)
		// What was closed counts from its last touch, and from what else there was with the contact.
		met := s.add(t, "Met", lead.New{})
		s.tx(t, func(tx *db.Tx) error {
			return s.people.SetLast(ctx, tx, s.Org.ID, met.Contact, begun.Add(900*day))
		})
		for after, want := range map[time.Duration]bool{564 * day: true, 566 * day: false} {
			s.Clock.Set(begun.Add(after))
			due, err := s.leads.Keepers()[1].Due(ctx, s.Org.ID, retain.Cut{From: policy.LastActivity, Before: s.Now().Add(-365 * day)})
			must(t, err)
			if there := !slices.ContainsFunc(due, func(i retain.Item) bool { return i.Key == string(touched.ID) }); there != want {
				t.Errorf("%v after it was made, 200 days before its last touch: kept %v", after, there)
			}
		}
		s.Clock.Set(begun.Add(800 * day))
		due, err := s.leads.Keepers()[1].Due(ctx, s.Org.ID, retain.Cut{From: policy.LastActivity, Before: s.Now()})
		must(t, err)
		old5, err := s.leads.Keepers()[0].Due(ctx, s.Org.ID, retain.Cut{From: policy.Created, Before: begun.Add(time.Millisecond)})
		must(t, err)
		if len(old5) != 1 || old5[0].Key != string(old.ID) || old5[0].Rows != 2 || !old5[0].At.Equal(begun) {
			t.Errorf("made before the longest period: %+v", old5)
		}
		if len(due) != 3 || slices.ContainsFunc(due, func(i retain.Item) bool { return i.Key == string(met.ID) }) {
			t.Errorf("due: %+v", due)
		}
		if strings.Join(got.Tags, " ") != "hot vip" || got.Custom["city"] != "Pune" || s.told(t, old.ID) != "1 made >sales/new" || s.left(t) != "4 2 6" {
			t.Errorf("returned: %+v, left %s", got, s.left(t))
		}
	}, schemas()...)
}

func TestALeadInTheArchiveGoesWithItsContactsKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		rule := retain.Rule{Category: lead.Category, From: policy.LastActivity, Max: policy.Period{N: 365, Unit: policy.Days}, Archive: policy.Period{N: 90, Unit: policy.Days}}
		sweep := retain.New(retain.Deps{DB: d, Keys: s.Keys, Holds: s.Holds, Keepers: s.leads.Keepers(), Log: s.Log, Now: s.Now, MaxShare: 100,
			Rules: func(context.Context, account.OrgID) ([]retain.Rule, error) { return []retain.Rule{rule}, nil }})
		begun := s.Now()
		l := s.add(t, "Old", lead.New{Custom: map[string]string{"city": "Pune"}})
		for _, after := range []time.Duration{359 * day, 366 * day} {
			s.Clock.Set(begun.Add(after))
			_, err := sweep.Run(ctx, s.Org.ID)
			must(t, err)
		}
		all, err := sweep.Archive(ctx, s.boss)
		must(t, err)
		if len(all) != 1 || all[0].Who != subject.OfContact(l.Subject) {
			t.Fatalf("archive: %+v", all)
		}
		_, content, err := sweep.Open(ctx, s.boss, all[0].ID)
		must(t, err)
		if !strings.Contains(string(content), "Pune") {
			t.Errorf("archived: %s", content)
		}
		k, err := s.Keys.Org(ctx, int64(s.Org.ID))
		must(t, err)
		must(t, k.DestroySubject(ctx, l.Subject))
		if _, _, err := sweep.Open(ctx, s.boss, all[0].ID); fault.KindOf(err) != fault.Gone {
			t.Errorf("after the key was destroyed: %v", err)
		}
	}, schemas()...)
}

// back returns everything that is in the archive, the leads before their tags.
func (s *story) back(t *testing.T, sweep *retain.Sweeper) (n int) {
	t.Helper()
	all, err := sweep.Archive(t.Context(), s.boss)
	must(t, err)
	for _, keeper := range []string{"leads", "tags on leads"} {
		for _, a := range all {
			if a.Keeper == keeper {
				must(t, sweep.Return(t.Context(), s.boss, a.ID))
				n++
			}
		}
	}
	return n
}

func TestANewIndexKeyFindsTheTags(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		s.add(t, "A", lead.New{Tags: []string{"hot", "vip"}})
		s.add(t, "B", lead.New{Tags: []string{"hot"}})
		k, _, err := s.Keys.NextIndex(ctx, int64(s.Org.ID))
		must(t, err)
		s.tx(t, func(tx *db.Tx) error { return s.leads.Reindex(ctx, tx, s.Org.ID, k) })
		hot := lead.Ask{Filter: lead.Filter{Tags: []string{"hot"}}, Sort: "made"}
		if got := s.names(t, contact.Sight{All: true}, hot); got != "" {
			t.Errorf("found by the old key: %s", got)
		}
		must(t, s.Keys.CommitIndex(ctx, int64(s.Org.ID)))
		if got := s.names(t, contact.Sight{All: true}, hot); len(got) != 3 {
			t.Errorf("found by the new key: %q", got)
		}
	}, schemas()...)
}

func TestAnOrganisationGoesWithAllItsLeads(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		l := s.add(t, "A", lead.New{Tags: []string{"hot"}})
		_, err := s.leads.Bulk(ctx, s.boss, lead.Selection{IDs: []lead.ID{l.ID}}, lead.Edit{AddTags: []string{"x"}})
		must(t, err)
		s.tx(t, func(tx *db.Tx) error {
			_, err := s.leads.SaveView(ctx, tx, s.Org.ID, s.asha.ID, lead.View{Name: "Hot"})
			return err
		})
		s.tx(t, func(tx *db.Tx) error { return s.leads.DeleteOrg(ctx, tx, s.Org.ID) })
		for _, table := range []string{"leads", "lead_tags", "lead_events", "lead_bulks", "lead_views", "pipelines", "stages", "lead_reasons"} {
			var n int
			must(t, s.DB.Row(ctx, `SELECT count(*) FROM `+table+` WHERE org_id = $1`, s.Org.ID).Scan(&n))
			if n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
	}, schemas()...)
}

func TestLeadsOfMergedContactsAreOnes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		a, b := s.add(t, "Meera", lead.New{Owner: s.asha.ID}), s.add(t, "M.", lead.New{Owner: s.bina.ID, Custom: map[string]string{"city": "Pune"}})
		s.people.OnGone(s.leads.ContactsGone)
		s.tx(t, func(tx *db.Tx) error {
			_, _, err := s.people.Merge(ctx, tx, s.Org, s.asha.ID, a.Contact, b.Contact)
			return err
		})
		of, err := s.leads.OfContacts(ctx, s.DB, s.Org.ID, a.Contact)
		must(t, err)
		if len(of) != 2 || s.get(t, b.ID).Custom["city"] != "Pune" {
			t.Errorf("leads: %+v", of)
		}
		if got := s.order(t, "new"); got != "Meera Meera" {
			t.Errorf("board: %s", got)
		}
		// The one that was merged is worked on, and its owner is the contact's that is left.
		s.Clock.Advance(time.Minute)
		var l *lead.Lead
		s.tx(t, func(tx *db.Tx) (err error) {
			l, err = s.leads.Add(ctx, tx, s.Org, "", lead.New{Contact: b.Contact, Owner: s.bina.ID})
			return err
		})
		if l.Contact != a.Contact || s.ownerOf(t, a.Contact) != s.bina.ID {
			t.Errorf("a new lead of who was merged: %+v", l)
		}
		s.tx(t, func(tx *db.Tx) error { return s.leads.Delete(ctx, tx, s.Org, "", l.ID, a.ID) })
		s.tx(t, func(tx *db.Tx) error { return s.leads.SetOwner(ctx, tx, s.Org, "", b.ID, s.asha.ID, "") })
		if got := s.ownerOf(t, a.Contact); got != s.asha.ID {
			t.Errorf("the contact that is left belongs to %q", got)
		}
		var got written
		must(t, lead.Export(s.leads, ctx, s.Org.ID, subject.OfContact(b.Subject), &got))
		if !strings.Contains(got.String(), string(b.ID)) {
			t.Errorf("the copy lacks the lead of who was merged: %s", got.String())
		}
		if plan, err := s.leads.Store().Plan(ctx, s.Org.ID, subject.OfContact(a.Subject)); err != nil || counts(plan) != "leads 0, history of leads 0, tags on leads 0" {
			t.Errorf("it is counted under another name, too: %s (%v)", counts(plan), err)
		}
		h, err := s.Holds.Add(ctx, s.boss, hold.Hold{Scope: hold.Category, Categories: []string{lead.Category}, Reason: "case", Owner: s.asha.ID, Ends: s.Now().Add(30 * day)})
		must(t, err)
		drop := func() error {
			return s.try(t, func(tx *db.Tx) error {
				_, err := s.people.Delete(ctx, tx, s.Org.ID, a.Contact)
				return err
			})
		}
		refused(t, drop(), fault.Conflict, h.ID)
		_, err = s.Holds.Release(ctx, s.boss, h.ID, "over")
		must(t, err)
		must(t, drop())
		if s.left(t) != "0 0 0" {
			t.Errorf("left: %s", s.left(t))
		}
	}, schemas()...)
}
