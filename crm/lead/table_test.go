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
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/subject"
)

// names asks for a table and gives who is in it, page by page.
func (s *story) names(t testing.TB, sight contact.Sight, a lead.Ask) string {
	t.Helper()
	var out []string
	for range 100 {
		p, err := s.leads.Table(t.Context(), s.DB, s.Org.ID, sight, a)
		must(t, err)
		for _, r := range p.Rows {
			out = append(out, r.Who.Name())
		}
		if a.Cursor = p.Cursor; a.Cursor == "" {
			return strings.Join(out, " ")
		}
	}
	t.Fatal("the pages do not end")
	return ""
}

func TestTheTableIsFilteredAndSorted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		now := s.Now()
		team, err := s.Accounts.CreateTeam(t.Context(), s.Org.ID, "North")
		must(t, err)
		s.add(t, "A1", lead.New{Value: 300, Owner: s.asha.ID, Source: "web", Tags: []string{"hot", "vip"}, Due: now.Add(2 * day)})
		s.Clock.Advance(time.Hour)
		s.add(t, "B2", lead.New{Value: 100, Owner: s.bina.ID, Source: "fair", Tags: []string{"hot"}, Due: now.Add(day), Team: team.ID})
		s.Clock.Advance(time.Hour)
		c := s.add(t, "C3", lead.New{Value: 200, Stage: "qualified", Import: "imp_1"})
		s.Clock.Advance(time.Hour)
		lost := s.add(t, "D4", lead.New{Value: 200})
		s.tx(t, func(tx *db.Tx) error {
			must(t, s.leads.SetTouch(t.Context(), tx, s.Org.ID, c.ID, lead.Touch{Attempts: 4, Last: s.Now().Add(day)}))
			_, err := s.leads.Lose(t.Context(), tx, s.Org, "", lost.ID, 0, "price", "")
			return err
		})
		all := contact.Sight{All: true}
		for _, x := range []struct {
			f    lead.Filter
			sort lead.Sort
			want string
		}{
			{lead.Filter{}, "", "D4 C3 B2 A1"},
			{lead.Filter{}, "made", "A1 B2 C3 D4"},
			{lead.Filter{}, "due", "B2 A1 C3 D4"},
			{lead.Filter{DueBefore: now.Add(5 * day)}, "-due", "A1 B2"},
			{lead.Filter{States: []lead.State{lead.Open}}, "value", "B2 C3 A1"},
			{lead.Filter{States: []lead.State{lead.Open}}, "-touched", "C3 B2 A1"},
			{lead.Filter{}, "-attempts", "C3 D4 B2 A1"},
			{lead.Filter{Tags: []string{"HOT"}}, "made", "A1 B2"},
			{lead.Filter{Tags: []string{"hot", "vip"}}, "made", "A1"},
			{lead.Filter{Owners: []account.MemberID{s.bina.ID, ""}}, "made", "B2 C3 D4"},
			{lead.Filter{Teams: []account.TeamID{team.ID}}, "made", "B2"},
			{lead.Filter{Sources: []string{"web", "fair"}}, "made", "A1 B2"},
			{lead.Filter{Reasons: []string{"price"}}, "made", "D4"},
			{lead.Filter{Stages: []string{"qualified"}, Pipeline: "sales"}, "made", "C3"},
			{lead.Filter{DueBefore: now.Add(36 * time.Hour)}, "made", "B2"},
			{lead.Filter{DueNever: true}, "made", "C3 D4"},
			{lead.Filter{MadeFrom: now.Add(time.Hour), MadeTo: now.Add(3 * time.Hour)}, "made", "B2 C3"},
			{lead.Filter{AttemptsMin: 1}, "made", "C3"},
			{lead.Filter{AttemptsMax: new(0)}, "made", "A1 B2 D4"},
			{lead.Filter{TouchedBefore: now.Add(30 * time.Minute)}, "made", "A1"},
			{lead.Filter{Import: "imp_1"}, "made", "C3"},
			{lead.Filter{Text: "B2"}, "made", "B2"},
			{lead.Filter{Text: "nobody"}, "made", ""},
			{lead.Filter{Contacts: []contact.ID{c.Contact}}, "made", "C3"},
			{lead.Filter{Contacts: []contact.ID{c.Contact}, Text: "B2"}, "made", ""},
		} {
			for _, limit := range []int{1, 3, 0} {
				if got := s.names(t, all, lead.Ask{Filter: x.f, Sort: x.sort, Limit: limit}); got != x.want {
					t.Errorf("%+v by %q in pages of %d: %s, want %s", x.f, x.sort, limit, got, x.want)
				}
			}
		}
		if got := s.names(t, contact.Sight{Members: []account.MemberID{s.asha.ID}}, lead.Ask{Filter: lead.Filter{Owners: []account.MemberID{s.bina.ID}}}); got != "" {
			t.Errorf("Asha sees %s", got)
		}
		if got := s.names(t, contact.Sight{Members: []account.MemberID{s.asha.ID}, Unowned: true}, lead.Ask{Sort: "made"}); got != "A1 C3 D4" {
			t.Errorf("Asha's manager sees %s", got)
		}
		p, err := s.leads.Table(t.Context(), s.DB, s.Org.ID, all, lead.Ask{Filter: lead.Filter{Tags: []string{"hot"}}, Count: true, Limit: 1})
		must(t, err)
		if p.Count != 2 || len(p.Rows) != 1 {
			t.Errorf("count: %+v", p)
		}
		_, err = s.leads.Table(t.Context(), s.DB, s.Org.ID, all, lead.Ask{Sort: "due", Cursor: p.Cursor})
		refused(t, err, fault.Invalid, "cursor")
		_, err = s.leads.Table(t.Context(), s.DB, s.Org.ID, all, lead.Ask{Sort: "size"})
		refused(t, err, fault.Invalid, "no order of leads")
		_, err = s.leads.Table(t.Context(), s.DB, s.Org.ID, all, lead.Ask{Filter: lead.Filter{Tags: make([]string, 1000)}})
		refused(t, err, fault.Invalid, "at most 500")
	}, schemas()...)
}

func TestViewsAreSavedAndShared(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		save := func(m *account.Member, v lead.View) (out *lead.View, err error) {
			return out, s.try(t, func(tx *db.Tx) (err error) {
				out, err = s.leads.SaveView(ctx, tx, s.Org.ID, m.ID, v)
				return err
			})
		}
		v, err := save(s.asha, lead.View{Name: " Hot  ones ", Filter: lead.Filter{Tags: []string{"hot"}, DueBefore: s.Now(), Owners: []account.MemberID{""}}, Sort: "-due", Columns: []string{"name", "due"}})
		must(t, err)
		got, err := s.leads.View(ctx, s.DB, s.Org.ID, s.asha.ID, v.ID)
		must(t, err)
		if got.Name != "Hot ones" || !got.Filter.DueBefore.Equal(s.Now()) || !slices.Equal(got.Filter.Owners, []account.MemberID{""}) || got.Sort != "-due" || !slices.Equal(got.Columns, []string{"name", "due"}) {
			t.Errorf("view: %+v", got)
		}
		_, err = s.leads.View(ctx, s.DB, s.Org.ID, s.bina.ID, v.ID)
		refused(t, err, fault.NotFound, "no view")
		v.Shared = true
		v, err = save(s.asha, *v)
		must(t, err)
		if all, err := s.leads.Views(ctx, s.DB, s.Org.ID, s.bina.ID); err != nil || len(all) != 1 || all[0].Member != s.asha.ID {
			t.Errorf("Bina's views: %+v (%v)", all, err)
		}
		_, err = save(s.bina, *v)
		refused(t, err, fault.NotFound, "You have no view")
		v.Rev = 1
		_, err = save(s.asha, *v)
		refused(t, err, fault.Conflict, "in another window")
		_, err = save(s.asha, lead.View{Name: "HOT ONES"})
		refused(t, err, fault.Invalid, "already")
		_, err = save(s.asha, lead.View{Name: "x", Sort: "size"})
		refused(t, err, fault.Invalid, "no order")
		drop := func(m *account.Member) error {
			return s.try(t, func(tx *db.Tx) error { return s.leads.DropView(ctx, tx, s.Org.ID, m.ID, v.ID) })
		}
		refused(t, drop(s.bina), fault.NotFound, "You have no view")
		must(t, drop(s.asha))
	}, schemas()...)
}

func TestTheCalendarShowsWhatIsDue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		today := civil.Today(s.Now(), s.Org.Location())
		midnight := (today + 1).Start(s.Org.Location())
		s.add(t, "late", lead.New{Due: midnight.Add(-time.Second)})
		s.add(t, "early", lead.New{Due: midnight})
		s.add(t, "noon", lead.New{Due: midnight.Add(12 * time.Hour), Owner: s.bina.ID})
		s.add(t, "never", lead.New{})
		s.add(t, "last", lead.New{Due: midnight.Add(2*day - time.Second)})
		s.add(t, "beyond", lead.New{Due: midnight.Add(2 * day)})
		days, err := s.leads.Calendar(t.Context(), s.DB, s.Org, contact.Sight{All: true}, today, today+2, 1)
		must(t, err)
		var got []string
		for _, d := range days {
			var text strings.Builder
			text.WriteString(fmt.Sprintf("%d:", d.Count))
			for _, r := range d.Rows {
				text.WriteString(r.Who.Name())
			}
			got = append(got, text.String())
		}
		if text := strings.Join(got, " "); text != "1:late 2:early 1:last" {
			t.Errorf("calendar: %s", text)
		}
		days, err = s.leads.Calendar(t.Context(), s.DB, s.Org, contact.Sight{Members: []account.MemberID{s.bina.ID}}, today, today+2, 5)
		must(t, err)
		if days[0].Count != 0 || days[1].Count != 1 || days[1].Rows[0].Who.Name() != "noon" {
			t.Errorf("Bina's calendar: %+v", days)
		}
		_, err = s.leads.Calendar(t.Context(), s.DB, s.Org, contact.Sight{}, today, today+9999, 5)
		refused(t, err, fault.Invalid, "between 1 and")
	}, schemas()...)
}

func TestAHoldStopsTheDeletionOfLeads(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		a, b := s.add(t, "A", lead.New{Tags: []string{"x"}}), s.add(t, "B", lead.New{})
		var told []lead.ID
		s.leads.OnGone(func(_ context.Context, _ *db.Tx, _ account.OrgID, ids []lead.ID) error {
			told = append(told, ids...)
			return nil
		})
		h, err := s.Holds.Add(ctx, s.boss, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfContact(a.Subject)}, Reason: "case", Owner: s.asha.ID, Ends: s.Now().Add(30 * day)})
		must(t, err)
		drop := func(ids ...lead.ID) error {
			return s.try(t, func(tx *db.Tx) error { return s.leads.Delete(ctx, tx, s.Org, s.asha.ID, ids...) })
		}
		refused(t, drop(a.ID, b.ID), fault.Conflict, h.ID)
		if len(told) != 0 || s.order(t, "new") != "B A" {
			t.Errorf("a held lead went: %v", told)
		}
		must(t, drop(b.ID))
		_, err = s.Holds.Release(ctx, s.boss, h.ID, "over")
		must(t, err)
		must(t, drop(a.ID))
		if !slices.Equal(told, []lead.ID{b.ID, a.ID}) {
			t.Errorf("told: %v", told)
		}
		refused(t, drop(a.ID), fault.NotFound, "There is no lead")
		for _, table := range []string{"leads", "lead_tags", "lead_events"} {
			var n int
			must(t, s.DB.Row(ctx, `SELECT count(*) FROM `+table+` WHERE org_id = $1`, s.Org.ID).Scan(&n))
			if n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
	}, schemas()...)
}
