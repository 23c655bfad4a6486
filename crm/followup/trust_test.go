package followup_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/platform/db"
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

// left counts what the tables hold.
func (s *story) left(t testing.TB) string {
	t.Helper()
	var out []string
	for _, table := range []string{"follow_ups", "follow_up_events", "notices"} {
		var n int
		must(t, s.DB.Row(t.Context(), `SELECT count(*) FROM `+table+` WHERE org_id = $1`, s.Org.ID).Scan(&n))
		out = append(out, fmt.Sprint(n))
	}
	return strings.Join(out, " ")
}

func counts(lines []rights.Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%s %d", l.Name, l.Count))
	}
	return strings.Join(out, ", ")
}

func TestAPersonsFollowUpsAreCopiedAndErased(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		ctx := t.Context()
		f := s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Text: "About the wedding"})
		s.add(t, followup.New{Kind: followup.Task, Due: s.at(t, "2026-04-16 10:00"), Owner: s.bina.ID})
		s.done(t, f.ID, followup.Finish{Outcome: "done", Result: "She married"})
		ravi := s.Contact(t, "Ravi", "", "+919812300102")
		s.add(t, followup.New{Contact: ravi.ID, Due: s.at(t, "2026-04-16 10:00"), Text: "His own"})
		store := s.all.Store()
		for _, who := range []subject.Ref{subject.OfContact(s.meera.Subject), subject.OfNumber(int64(s.meera.Nums[0]))} {
			var got written
			must(t, followup.Export(s.all, ctx, s.Org.ID, who, &got))
			for _, word := range []string{"lead follow_ups", "task", "lead.note follow_up_words", "About the wedding", "She married"} {
				if !strings.Contains(got.String(), word) {
					t.Errorf("%q is not in the copy:\n%s", word, got.String())
				}
			}
			for _, word := range []string{string(s.asha.ID), string(s.bina.ID), "His own"} {
				if strings.Contains(got.String(), word) {
					t.Errorf("the copy says %s:\n%s", word, got.String())
				}
			}
			plan, err := store.Plan(ctx, s.Org.ID, who)
			must(t, err)
			if said := counts(plan); said != "follow-ups 2, words of follow-ups 1" {
				t.Errorf("plan: %s", said)
			}
		}
		who := subject.OfContact(s.meera.Subject)
		erase := func(keep ...string) string {
			t.Helper()
			var d rights.Decision
			for _, c := range keep {
				d.Keep = append(d.Keep, rights.Lock{Category: c})
			}
			lines, err := store.Erase(ctx, s.Org.ID, who, d)
			must(t, err)
			return counts(lines) + "; " + s.left(t)
		}
		if got := erase(followup.CategoryNote); got != "; 3 4 1" {
			t.Errorf("with words kept by law: %s", got)
		}
		if got := erase(followup.Category); got != "words of follow-ups 1; 3 4 1" || s.get(t, f.ID).Result != "" {
			t.Errorf("with the rest kept by law: %s, %+v", got, s.get(t, f.ID))
		}
		if got := erase(); got != "follow-ups 2, words of follow-ups 0; 1 1 0" {
			t.Errorf("erased: %s", got)
		}
		if got := erase(); got != "; 1 1 0" {
			t.Errorf("erased again: %s", got)
		}
	})
}

func TestWhatAMemberWasToldIsTheirs(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		ctx := t.Context()
		s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Owner: s.bina.ID})
		_, err := s.all.NewFeed(ctx, s.as(t, s.bina))
		must(t, err)
		who := subject.OfMember(string(s.bina.ID))
		var got written
		must(t, followup.Export(s.all, ctx, s.Org.ID, who, &got))
		for _, word := range []string{"org.member notices given", "account calendar_links"} {
			if !strings.Contains(got.String(), word) {
				t.Errorf("%q is not in the copy:\n%s", word, got.String())
			}
		}
		plan, err := s.all.Store().Plan(ctx, s.Org.ID, who)
		must(t, err)
		gone, err := s.all.Store().Erase(ctx, s.Org.ID, who, rights.Decision{})
		must(t, err)
		if said := counts(gone); said != "notices 1, calendar link 1" || said != counts(plan) {
			t.Errorf("planned %s, gone %s", counts(plan), said)
		}
		if feed, err := s.all.FeedOf(ctx, s.DB, s.Org.ID, s.bina.ID); err != nil || !feed.Made.IsZero() || s.left(t) != "1 1 0" {
			t.Errorf("left: %s, %+v, %v", s.left(t), feed, err)
		}
	})
}

func TestFollowUpsGoWithTheirLeadAndTheirContact(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Owner: s.bina.ID})
		s.add(t, followup.New{Contact: s.meera.ID, Due: s.at(t, "2026-04-16 10:00")})
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			return s.Leads.Delete(ctx, tx, s.Org, s.asha.ID, s.lead.ID)
		}))
		if got := s.left(t); got != "1 1 0" {
			t.Errorf("without the lead there are left %s", got)
		}
		var committed func(context.Context) error
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) (err error) {
			committed, err = s.Contacts.Delete(ctx, tx, s.Org.ID, s.meera.ID)
			return err
		}))
		must(t, committed(t.Context()))
		if got := s.left(t); got != "0 0 0" {
			t.Errorf("without the contact there are left %s", got)
		}
	})
}

func TestNothingIsLeftOfAClosedOrganisation(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Owner: s.bina.ID})
		s.settings(t, followup.NewSettings{Stale: new(7)})
		_, err := s.all.NewFeed(t.Context(), s.as(t, s.asha))
		must(t, err)
		other := s.NewOrg(t, "Other Traders")
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error { return s.all.DeleteOrg(ctx, tx, other.ID) }))
		if got := s.left(t); got != "1 1 1" {
			t.Errorf("of another organisation is left %s", got)
		}
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error { return s.all.DeleteOrg(ctx, tx, s.Org.ID) }))
		set, err := s.all.Settings(t.Context(), s.DB, s.Org.ID)
		must(t, err)
		feed, err := s.all.FeedOf(t.Context(), s.DB, s.Org.ID, s.asha.ID)
		if got := s.left(t); err != nil || got != "0 0 0" || set.Rev != 0 || !feed.Made.IsZero() {
			t.Errorf("left is %s, %+v, %+v (%v)", got, set, feed, err)
		}
	})
}

func TestWhatIsKeptTooLongGoes(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		ctx := t.Context()
		const day = 24 * time.Hour
		rule := func(category string) retain.Rule {
			return retain.Rule{Category: category, From: policy.LastActivity, Max: policy.Period{N: 365, Unit: policy.Days}, Archive: policy.Period{N: 90, Unit: policy.Days}}
		}
		sweep := retain.New(retain.Deps{DB: s.DB, Keys: s.Keys, Holds: s.Holds, Keepers: s.all.Keepers(), Log: s.Log, Now: s.Now, MaxShare: 100,
			Rules: func(context.Context, account.OrgID) ([]retain.Rule, error) {
				return []retain.Rule{rule(followup.Category), rule(followup.CategoryNote)}, nil
			}})
		begun := s.Now()
		person := func(i int) contact.ID {
			return s.Contact(t, fmt.Sprint("P", i), "", fmt.Sprintf("+9198123003%02d", i)).ID
		}
		old := s.add(t, followup.New{Contact: person(1), Due: begun.Add(time.Hour), Text: "Old words"})
		s.snooze(t, old.ID, begun.Add(2*time.Hour))
		later := s.add(t, followup.New{Contact: person(2), Due: begun.Add(100 * day), Text: "For later"})
		heldBy := s.Contact(t, "Held", "", "+919812300399")
		held := s.add(t, followup.New{Contact: heldBy.ID, Due: begun.Add(time.Hour), Text: "Held words"})
		_, err := s.Holds.Add(ctx, s.boss, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfContact(heldBy.Subject)}, Reason: "case", Owner: s.asha.ID, Ends: begun.Add(800 * day)})
		must(t, err)
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
		s.Clock.Set(begun.Add(364 * day))
		if said := run(); said != "" {
			t.Fatalf("after 364 days: %s", said)
		}
		s.Clock.Set(begun.Add(366 * day))
		if said := run(); said != "words of follow-ups applied 1, follow-ups applied 1" {
			t.Fatalf("after 366 days: %s", said)
		}
		all := contact.Sight{All: true}
		if _, err := s.all.Get(ctx, s.DB, s.Org.ID, all, old.ID); fault.KindOf(err) != fault.NotFound || s.get(t, later.ID).Text == "" || s.get(t, held.ID).Text == "" {
			t.Errorf("left: %s (%v)", s.left(t), err)
		}
		items, err := sweep.Archive(ctx, s.boss)
		must(t, err)
		for _, keeper := range []string{"follow-ups", "words of follow-ups"} {
			for _, a := range items {
				if a.Keeper == keeper {
					must(t, sweep.Return(ctx, s.boss, a.ID))
				}
			}
		}
		if got := s.get(t, old.ID); got.Text != "Old words" || got.Rev != 2 || !got.At.Equal(begun.Add(2*time.Hour)) || got.AllDay {
			t.Errorf("returned: %+v", got)
		}
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error { // with its history
			f, err := s.all.Undo(ctx, tx, s.Org, s.asha.ID, old.ID)
			if err == nil && !f.At.Equal(begun.Add(time.Hour)) {
				t.Errorf("taken back, it is for %s", f.At)
			}
			return err
		}))
		due, err := s.all.Keepers()[1].Due(ctx, s.Org.ID, retain.Cut{From: policy.LastActivity, Before: begun.Add(101 * day)})
		must(t, err)
		if i := slices.IndexFunc(due, func(i retain.Item) bool { return i.Key == string(later.ID) }); i < 0 || !due[i].At.Equal(begun.Add(100*day)) {
			t.Errorf("what was for later counts from elsewhere: %+v", due)
		}
		ceiling, err := s.all.Keepers()[1].Due(ctx, s.Org.ID, retain.Cut{From: policy.Created, Before: begun.Add(time.Millisecond)})
		must(t, err)
		if len(ceiling) != 3 || !ceiling[0].At.Equal(begun) {
			t.Errorf("made before the longest period: %+v", ceiling)
		}
	})
}

func TestNoticesAndLinksOfLeaversEndByAge(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		ctx := t.Context()
		s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Owner: s.bina.ID})
		for _, m := range []*account.Member{s.asha, s.bina} {
			_, err := s.all.NewFeed(ctx, s.as(t, m))
			must(t, err)
		}
		_, err := s.Accounts.Deactivate(ctx, s.boss, s.bina.ID)
		must(t, err)
		after := s.Now().Add(time.Hour)
		for _, table := range followup.Expiring() {
			if early, err := table.Old(ctx, s.DB, int64(s.Org.ID), s.Now()); err != nil || len(early) != 0 {
				t.Errorf("%s: at once %+v are old (%v)", table.Name, early, err)
			}
			old, err := table.Old(ctx, s.DB, int64(s.Org.ID), after)
			must(t, err)
			if len(old) != 1 || old[0].Who != "member/"+string(s.bina.ID) {
				t.Fatalf("%s: old are %+v", table.Name, old)
			}
			n, err := table.Clear(ctx, s.DB, int64(s.Org.ID), after, old, func(context.Context, db.Conn) error { return nil })
			must(t, err)
			if left, err := table.All(ctx, s.DB, int64(s.Org.ID)); err != nil || n != 1 || table.Name == "calendar links" && left != 1 || table.Name == "notices" && left != 0 {
				t.Errorf("%s: removed %d, left %d (%v)", table.Name, n, left, err)
			}
		}
	})
}

func TestSettings(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		ctx := t.Context()
		change := func(by *account.Actor, rev int64, in followup.NewSettings) error {
			_, err := s.all.SetSettings(ctx, by, rev, in)
			return err
		}
		refused(t, change(s.as(t, s.asha), 0, followup.NewSettings{Stale: new(7)}), fault.Denied, "role does not allow")
		long := strings.Repeat("x", 61)
		for word, in := range map[string]followup.NewSettings{
			"0 and 400; 401":      {Escalate: new(401)},
			"a missed caller":     {Recovery: new(0)},
			"a new lead":          {Response: new(0)},
			"stale":               {Stale: new(366)},
			"at most 5 reminders": {Reminders: new([]int{1, 2, 3, 4, 5, 6})},
			"1 to 60 entries":     {Outcomes: new([]followup.Outcome{})},
			"no title":            {Outcomes: new([]followup.Outcome{{Key: "a", Title: " "}})},
			"no key":              {Outcomes: new([]followup.Outcome{{Key: "A b", Title: "A"}})},
			"listed twice":        {Outcomes: new([]followup.Outcome{{Key: "a", Title: "A"}, {Key: "a", Title: "B"}})},
			"more than 60":        {Outcomes: new([]followup.Outcome{{Key: "a", Title: long}})},
			"payment card":        {Outcomes: new([]followup.Outcome{{Key: "a", Title: "4111 1111 1111 1111"}})},
		} {
			refused(t, change(s.boss, 0, in), fault.Invalid, word)
		}
		must(t, change(s.boss, 0, followup.NewSettings{Outcomes: new([]followup.Outcome{{Key: "bought", Title: " Bought  it "}, {Key: "done", Title: "Settled", Next: true}}),
			Reminders: new([]int{5, 60, 5}), AfterTried: new(true)}))
		set, err := s.all.Settings(ctx, s.DB, s.Org.ID)
		must(t, err)
		if o, ok := set.Outcome("bought"); !ok || o.Title != "Bought it" || o.Retired {
			t.Errorf("the new outcome is %+v", o)
		}
		if o, ok := set.Outcome("interested"); !ok || !o.Retired {
			t.Errorf("the old outcome is %+v, want it retired", o)
		}
		if fmt.Sprint(set.Reminders) != "[60 5]" || !set.AfterTried.Equal(s.Now()) || !set.AfterConnected.IsZero() {
			t.Errorf("kept: %+v", set)
		}
		refused(t, change(s.boss, 0, followup.NewSettings{Stale: new(7)}), fault.Conflict, "changed these settings on 15 April 2026")
		for _, c := range []struct {
			before, connected bool
			said              string
			next              bool
			outcome, step     bool
		}{
			{false, false, "", false, true, false}, {true, false, "", false, false, false}, {false, true, "", false, false, false},
			{false, false, "done", false, false, true}, {false, false, "done", true, false, false}, {false, false, "bought", false, false, false},
		} {
			at := s.Now()
			if c.before {
				at = at.Add(-time.Second)
			}
			if outcome, step := set.Owes(at, c.connected, c.said, c.next); outcome != c.outcome || step != c.step {
				t.Errorf("%+v owes outcome %v, step %v", c, outcome, step)
			}
		}
		s.Clock.Advance(time.Hour)
		must(t, change(s.boss, 1, followup.NewSettings{AfterTried: new(true), Stale: new(7)})) // on stays on since then
		if again, err := s.all.Settings(ctx, s.DB, s.Org.ID); err != nil || !again.AfterTried.Equal(set.AfterTried) || again.Stale != 7 {
			t.Errorf("switched on again: %+v (%v)", again, err)
		}
		if f := s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00")}); fmt.Sprint(f.Reminders) != "[60 5]" {
			t.Errorf("a new follow-up has reminders %v", f.Reminders)
		}
	})
}
