package followup_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/subject"
)

func (s *story) snooze(t *testing.T, id followup.ID, until time.Time) *followup.FollowUp {
	t.Helper()
	var f *followup.FollowUp
	must(t, s.try(t, func(ctx context.Context, tx *db.Tx) (err error) {
		f, err = s.all.Snooze(ctx, tx, s.Org, s.asha.ID, id, until)
		return err
	}))
	return f
}

func TestTheSoonestOpenFollowUpIsWhenTheLeadIsDue(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		late := s.add(t, followup.New{Due: s.at(t, "2026-04-20 15:00"), Text: "Ask about the quote"})
		if got := s.dueOn(t); got != "Mon 2026-04-20 15:00" {
			t.Errorf("due is %s", got)
		}
		soon := s.add(t, followup.New{Kind: followup.Task, Day: s.day(t, "2026-04-16"), Owner: s.bina.ID})
		if got := s.dueOn(t); got != "Thu 2026-04-16 09:00" {
			t.Errorf("with something for a whole day, due is %s", got)
		}
		if f := s.get(t, soon.ID); !f.AllDay || f.Overdue(s.at(t, "2026-04-16 23:59")) || !f.Overdue(s.at(t, "2026-04-17 00:00")) {
			t.Errorf("the whole day is %+v", f)
		}
		s.done(t, soon.ID, followup.Finish{})
		if got := s.dueOn(t); got != "Mon 2026-04-20 15:00" {
			t.Errorf("with the one done, due is %s", got)
		}
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.Leads.Lose(ctx, tx, s.Org, "", s.lead.ID, 0, "", "no money")
			if fault.KindOf(err) == fault.Invalid { // the usual pipeline asks for a reason
				reasons, rerr := s.Leads.Reasons(ctx, tx, s.Org.ID)
				must(t, rerr)
				i := slices.IndexFunc(reasons, func(r lead.Reason) bool { return r.State == lead.Lost })
				_, err = s.Leads.Lose(ctx, tx, s.Org, "", s.lead.ID, 0, reasons[i].Key, "no money")
			}
			return err
		}))
		s.snooze(t, late.ID, s.at(t, "2026-04-21 15:00"))
		if got := s.dueOn(t); got != "never" {
			t.Errorf("on a closed lead, due is %s", got)
		}
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.Leads.Reopen(ctx, tx, s.Org, "", s.lead.ID, 0, "")
			return err
		}))
		if got := s.dueOn(t); got != "Tue 2026-04-21 15:00" {
			t.Errorf("opened again, due is %s", got)
		}
	})
}

func TestPuttingOff(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		now := s.at(t, "2026-04-17 17:30") // a Friday
		for p, want := range map[followup.Preset]string{followup.TenMinutes: "Fri 2026-04-17 17:40", followup.OneHour: "Fri 2026-04-17 18:30",
			followup.Tomorrow: "Sat 2026-04-18 09:00", followup.NextWorkday: "Mon 2026-04-20 09:00"} {
			at, err := p.After(s.Org, now)
			must(t, err)
			if got := s.clock(at); got != want {
				t.Errorf("%s after Friday evening is %s, want %s", p, got, want)
			}
		}
		_, err := followup.Preset("someday").After(s.Org, now)
		refused(t, err, fault.Invalid, "no time to put")

		f := s.add(t, followup.New{Kind: followup.Promised, Due: s.at(t, "2026-04-15 14:00"), Reminders: new([]int{10, 60})})
		s.Clock.Set(s.at(t, "2026-04-15 14:30"))
		until := s.at(t, "2026-04-16 09:00")
		if got := s.snooze(t, f.ID, until); got.Overdue(s.Now()) || !got.At.Equal(until) || s.clock(got.Due) != "Wed 2026-04-15 14:00" || got.Snoozes != 1 {
			t.Errorf("put off: %+v", got)
		}
		if got := s.dueOn(t); got != "Thu 2026-04-16 09:00" {
			t.Errorf("put off, due is %s", got)
		}
		for _, bad := range []time.Time{s.Now(), s.Now().AddDate(1, 0, 1)} {
			refused(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := s.all.Snooze(ctx, tx, s.Org, s.asha.ID, f.ID, bad)
				return err
			}), fault.Invalid, "from now on")
		}
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.all.Undo(ctx, tx, s.Org, s.asha.ID, f.ID)
			return err
		}))
		if got := s.get(t, f.ID); !got.Overdue(s.Now()) || !got.Snoozed.IsZero() || got.Snoozes != 1 {
			t.Errorf("taken back: %+v", got)
		}
		s.snooze(t, f.ID, until)
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			got, err := s.all.Change(ctx, tx, s.Org, s.asha.ID, f.ID, 0, followup.Change{Due: new(s.at(t, "2026-04-17 10:00"))})
			if err == nil && (!got.Snoozed.IsZero() || s.clock(got.At) != "Fri 2026-04-17 10:00" || got.Overdue(s.at(t, "2026-04-17 09:59"))) {
				t.Errorf("planned anew: %+v", got)
			}
			return err
		}))
		refused(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.all.Undo(ctx, tx, s.Org, s.asha.ID, f.ID)
			return err
		}), fault.Conflict, "Nothing can be taken back")
	})
}

func TestAnOutcomeAndTheNextStep(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		f := s.add(t, followup.New{Due: s.at(t, "2026-04-15 14:00")})
		free := s.done(t, f.ID, followup.Finish{}) // nothing is wanted yet
		if free.State != followup.Done || free.EndedBy != s.asha.ID || !free.Ended.Equal(s.Now()) {
			t.Errorf("done: %+v", free.FollowUp)
		}
		s.settings(t, followup.NewSettings{AfterConnected: new(true)})
		g := s.add(t, followup.New{Due: s.at(t, "2026-04-15 15:00")})
		finish := func(fin followup.Finish) error {
			return s.try(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := s.all.Done(ctx, tx, s.Org, s.asha.ID, g.ID, fin)
				return err
			})
		}
		refused(t, finish(followup.Finish{}), fault.Invalid, "what the call came to")
		refused(t, finish(followup.Finish{Outcome: "bought_a_horse"}), fault.Invalid, "not on your organisation's list")
		refused(t, finish(followup.Finish{Outcome: "interested"}), fault.Invalid, "next step")
		refused(t, finish(followup.Finish{Outcome: "done", Result: "card 4111 1111 1111 1111"}), fault.Invalid, "payment card")
		e := s.done(t, g.ID, followup.Finish{Outcome: "interested", Result: "Wants the quote again", Next: &followup.New{Kind: followup.Task, Due: s.at(t, "2026-04-17 10:00"), Text: "Send the quote"}})
		if e.Next == nil || e.Next.Lead != s.lead.ID || e.Next.Owner != s.asha.ID || e.Next.Text != "Send the quote" {
			t.Fatalf("the next step is %+v", e.Next)
		}
		if got := s.get(t, g.ID); got.Outcome != "interested" || got.Result != "Wants the quote again" {
			t.Errorf("kept: %+v", got)
		}
		refused(t, finish(followup.Finish{Outcome: "done"}), fault.Conflict, "Asha marked this follow-up as done")
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.all.Undo(ctx, tx, s.Org, s.asha.ID, g.ID)
			return err
		}))
		if got, next := s.get(t, g.ID), s.get(t, e.Next.ID); got.State != followup.Open || got.Outcome != "" || next.State != followup.Cancelled {
			t.Errorf("taken back: %+v, and the step is %s", got, next.State)
		}
		// A task, a follow-up without a lead and one that a call settled need none.
		task := s.add(t, followup.New{Kind: followup.Task, Due: s.at(t, "2026-04-15 16:00")})
		alone := s.add(t, followup.New{Contact: s.meera.ID, Due: s.at(t, "2026-04-15 16:00")})
		s.done(t, task.ID, followup.Finish{})
		s.done(t, alone.ID, followup.Finish{})
		if got := s.done(t, g.ID, followup.Finish{Settled: true, At: s.at(t, "2026-04-15 11:00")}); s.clock(got.Ended) != "Wed 2026-04-15 11:00" {
			t.Errorf("settled by a call at 11:00, it ended at %s", s.clock(got.Ended))
		}
	})
}

func TestTwoPeopleChangeOneFollowUp(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		f := s.add(t, followup.New{Due: s.at(t, "2026-04-16 14:00"), Text: "Ring"})
		change := func(by account.MemberID, rev int64, ch followup.Change) error {
			return s.try(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := s.all.Change(ctx, tx, s.Org, by, f.ID, rev, ch)
				return err
			})
		}
		must(t, change(s.bina.ID, f.Rev, followup.Change{Text: new("Ring her at home")}))
		must(t, change(s.asha.ID, f.Rev, followup.Change{Due: new(s.at(t, "2026-04-16 15:00"))})) // another field
		refused(t, change(s.asha.ID, f.Rev, followup.Change{Text: new("Ring her office")}), fault.Conflict, "Bina changed this follow-up (text) on 15 April 2026, 12:00")
		refused(t, change(s.asha.ID, 9, followup.Change{Text: new("x")}), fault.Invalid, "no version 9")
		must(t, change(s.asha.ID, 3, followup.Change{Text: new("Ring her office"), Kind: new(followup.Promised)}))
		if got := s.get(t, f.ID); got.Text != "Ring her office" || s.clock(got.At) != "Thu 2026-04-16 15:00" || got.Rev != 4 || got.Kind != followup.Promised {
			t.Errorf("in the end it is %+v", got)
		}
		history, err := s.all.History(t.Context(), s.DB, s.Org.ID, f.ID)
		must(t, err)
		if len(history) != 4 || history[0].What != followup.Changed || !slices.Equal(history[0].Fields, []string{"kind", "text"}) || history[3].What != followup.Added {
			t.Errorf("the history is %+v", history)
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		other := s.NewOrg(t, "Other Traders")
		viewer := s.Agent(t, "Guest")
		_, err := s.Accounts.SetRole(t.Context(), s.boss, viewer.ID, account.Viewer)
		must(t, err)
		gone := s.Agent(t, "Gone")
		_, err = s.Accounts.Deactivate(t.Context(), s.boss, gone.ID)
		must(t, err)
		ravi := s.Contact(t, "Ravi", "", "+919812300102")
		due := s.at(t, "2026-04-16 10:00")
		for _, c := range []struct {
			org  *account.Org
			n    followup.New
			kind fault.Kind
			word string
		}{
			{s.Org, followup.New{Kind: "visit", Lead: s.lead.ID, Due: due}, fault.Invalid, "no kind"},
			{s.Org, followup.New{Kind: followup.Call, Due: due}, fault.Invalid, "whom"},
			{s.Org, followup.New{Kind: followup.Call, Lead: s.lead.ID}, fault.Invalid, "when it is to be done"},
			{s.Org, followup.New{Kind: followup.Call, Lead: s.lead.ID, Due: s.Now().AddDate(11, 0, 0)}, fault.Invalid, "next ten"},
			{s.Org, followup.New{Kind: followup.Call, Lead: "led_none", Due: due}, fault.NotFound, "no lead"},
			{s.Org, followup.New{Kind: followup.Call, Contact: "con_none", Due: due}, fault.NotFound, "no contact"},
			{s.Org, followup.New{Kind: followup.Call, Contact: ravi.ID, Lead: s.lead.ID, Due: due}, fault.Invalid, "another contact"},
			{s.Org, followup.New{Kind: followup.Call, Lead: s.lead.ID, Due: due, Owner: viewer.ID}, fault.Invalid, "may look at leads"},
			{s.Org, followup.New{Kind: followup.Call, Lead: s.lead.ID, Due: due, Owner: gone.ID}, fault.Invalid, "deactivated"},
			{s.Org, followup.New{Kind: followup.Call, Lead: s.lead.ID, Due: due, Text: "card 5555-5555-5555-4444"}, fault.Invalid, "payment card"},
			{s.Org, followup.New{Kind: followup.Call, Lead: s.lead.ID, Due: due, Reminders: new([]int{1, 2, 3, 4, 5, 6})}, fault.Invalid, "at most 5"},
			{s.Org, followup.New{Kind: followup.Call, Lead: s.lead.ID, Due: due, Reminders: new([]int{-1})}, fault.Invalid, "minutes before"},
			{other, followup.New{Kind: followup.Call, Lead: s.lead.ID, Due: due}, fault.NotFound, "no lead"},
			{other, followup.New{Kind: followup.Call, Contact: s.meera.ID, Due: due}, fault.NotFound, "no contact"},
		} {
			refused(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := s.all.Add(ctx, tx, c.org, s.asha.ID, c.n)
				return err
			}), c.kind, c.word)
		}
		f := s.add(t, followup.New{Due: due})
		for _, see := range []contact.Sight{{Members: []account.MemberID{s.bina.ID}}, {Unowned: true}} {
			_, err := s.all.Get(t.Context(), s.DB, s.Org.ID, see, f.ID)
			refused(t, err, fault.NotFound, "no follow-up")
		}
		_, err = s.all.Get(t.Context(), s.DB, other.ID, contact.Sight{All: true}, f.ID)
		refused(t, err, fault.NotFound, "no follow-up")
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.Book.Restrict(ctx, tx, s.Org.ID, s.meera.Nums[0], true, s.Now().UnixMilli())
			return err
		}))
		refused(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.all.Add(ctx, tx, s.Org, s.asha.ID, followup.New{Kind: followup.Call, Lead: s.lead.ID, Due: due})
			return err
		}), fault.Denied, "restricted")
	})
}

func TestWordsLieSealedAndAreHeld(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		f := s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Text: "Wedding in Jaipur"})
		var sealed []byte
		must(t, s.DB.Row(t.Context(), `SELECT sealed FROM follow_ups WHERE org_id = $1 AND follow_up = $2`, s.Org.ID, f.ID).Scan(&sealed))
		if len(sealed) == 0 || bytes.Contains(sealed, []byte("Jaipur")) {
			t.Errorf("the words lie open: %q", sealed)
		}
		_, err := s.Holds.Add(t.Context(), s.boss, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfContact(s.meera.Subject)}, Reason: "A suit", Owner: s.asha.ID, Ends: s.Now().AddDate(0, 1, 0)})
		must(t, err)
		change := func(ch followup.Change) error {
			return s.try(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := s.all.Change(ctx, tx, s.Org, s.asha.ID, f.ID, 0, ch)
				return err
			})
		}
		refused(t, change(followup.Change{Text: new("Nothing")}), fault.Conflict, "hold")
		must(t, change(followup.Change{Due: new(s.at(t, "2026-04-16 11:00"))}))
		k, err := s.Keys.Org(t.Context(), int64(s.Org.ID))
		must(t, err)
		must(t, k.DestroySubject(t.Context(), s.meera.Subject))
		if got := s.get(t, f.ID); got.Text != "" {
			t.Errorf("with the key destroyed it still says %q", got.Text)
		}
	})
}

func TestHandingOver(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		ravi := s.Contact(t, "Ravi", "", "+919812300102")
		his := s.leadOf(t, ravi, lead.New{Owner: s.bina.ID})
		first := s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00")})
		second := s.add(t, followup.New{Lead: his.ID, Due: s.at(t, "2026-04-17 10:00"), Owner: s.asha.ID})
		late := s.add(t, followup.New{Due: s.at(t, "2026-05-20 10:00")})
		done := s.add(t, followup.New{Due: s.at(t, "2026-04-16 12:00")})
		s.done(t, done.ID, followup.Finish{})
		all := func(h followup.Hand) (handed, stayed int) {
			t.Helper()
			must(t, s.try(t, func(ctx context.Context, tx *db.Tx) (err error) {
				handed, stayed, err = s.all.HandOverAll(ctx, tx, s.Org, s.boss.Member.ID, h)
				return err
			}))
			return handed, stayed
		}
		// To whoever has the lead: Asha's own stay with her.
		if handed, stayed := all(followup.Hand{From: s.asha.ID}); handed != 1 || stayed != 2 || s.get(t, second.ID).Owner != s.bina.ID {
			t.Errorf("handed over %d, stayed %d; the second is of %s", handed, stayed, s.get(t, second.ID).Owner)
		}
		// While she is away.
		if handed, stayed := all(followup.Hand{From: s.asha.ID, To: s.bina.ID, Until: s.at(t, "2026-05-01 00:00")}); handed != 1 || stayed != 0 {
			t.Errorf("handed over %d, stayed %d", handed, stayed)
		}
		for id, want := range map[followup.ID]account.MemberID{first.ID: s.bina.ID, late.ID: s.asha.ID, done.ID: s.asha.ID} {
			if got := s.get(t, id).Owner; got != want {
				t.Errorf("%s is of %s, want %s", id, got, want)
			}
		}
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.all.HandOver(ctx, tx, s.Org, s.asha.ID, late.ID, s.bina.ID)
			return err
		}))
		if got := s.unseen(t, s.bina); got != "given" { // the operator's doing is none of a colleague's
			t.Errorf("Bina was told %q", got)
		}
		for _, h := range []followup.Hand{{From: s.asha.ID, To: s.asha.ID}, {To: s.asha.ID}} {
			refused(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
				_, _, err := s.all.HandOverAll(ctx, tx, s.Org, "", h)
				return err
			}), fault.Invalid, "somebody else")
		}
		entries, _, err := s.Log.List(t.Context(), int64(s.Org.ID), audit.Filter{Actions: []audit.Action{audit.FollowUpsHanded}, Limit: 10})
		must(t, err)
		if len(entries) != 2 || entries[0].Details["handed"] != "1" {
			t.Errorf("the log says %+v", entries)
		}
	})
}

func TestListsGoPageByPage(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		var want []followup.ID
		for i := range 7 {
			want = append(want, s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00").Add(time.Duration(i/2) * time.Hour)}).ID)
		}
		s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Owner: s.bina.ID})
		slices.SortStableFunc(want, func(a, b followup.ID) int { return s.get(t, a).At.Compare(s.get(t, b).At) })
		var got []followup.ID
		f := followup.Filter{Owners: []account.MemberID{s.asha.ID}, States: []followup.State{followup.Open}, Contact: s.meera.ID, Lead: s.lead.ID, Limit: 3,
			From: s.at(t, "2026-04-16 00:00"), To: s.at(t, "2026-04-17 00:00")}
		for range 5 {
			p, err := s.all.List(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, f)
			must(t, err)
			for _, x := range p.Rows {
				got = append(got, x.ID)
			}
			if f.Cursor = p.Next; f.Cursor == "" {
				break
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("the pages hold %v, want %v", got, want)
		}
		_, err := s.all.List(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, followup.Filter{Cursor: "page two"})
		refused(t, err, fault.Invalid, "not the cursor")
	})
}
