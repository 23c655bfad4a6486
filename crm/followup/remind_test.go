package followup_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/account"
	"parley/crm/followup"
	"parley/platform/audit"
	"parley/platform/db"
)

// remind runs the duty at a time.
func (s *story) remind(t *testing.T, at time.Time) {
	t.Helper()
	s.Clock.Set(at)
	must(t, s.all.Remind(t.Context(), at))
}

// told are the kinds and members of the mails so far, and forgets them.
func (s *story) told() string {
	var out []string
	for _, n := range s.mails {
		name := map[account.MemberID]string{s.asha.ID: "asha", s.bina.ID: "bina"}[n.Member]
		out = append(out, string(n.Kind)+" "+name)
	}
	s.mails = nil
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestWhatIsPlannedForSoonIsSpokenOfWhenItIsDue(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.Clock.Set(s.at(t, "2026-04-15 14:55"))
		s.add(t, followup.New{Due: s.at(t, "2026-04-15 15:00"), Reminders: new([]int{10})})
		s.add(t, followup.New{Due: s.at(t, "2026-04-15 15:01"), Reminders: new([]int{})}) // nobody wants to hear of it
		for _, x := range []struct{ at, told string }{{"2026-04-15 14:59", ""}, {"2026-04-15 15:00", "reminder asha"}, {"2026-04-15 15:10", ""}} {
			s.remind(t, s.at(t, x.at))
			if got := s.told(); got != x.told {
				t.Errorf("at %s it told %q, want %q", x.at, got, x.told)
			}
		}
	})
}

func TestEachReminderComesOnce(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		f := s.add(t, followup.New{Kind: followup.Promised, Due: s.at(t, "2026-04-15 15:00"), Reminders: new([]int{60, 10})})
		steps := []struct{ at, told string }{
			{"2026-04-15 13:59", ""}, {"2026-04-15 14:00", "reminder asha"}, {"2026-04-15 14:01", ""}, {"2026-04-15 14:50", "reminder asha"}, {"2026-04-15 15:30", ""},
		}
		for _, x := range steps {
			s.remind(t, s.at(t, x.at))
			s.all = s.open() // the program starts anew
			if got := s.told(); got != x.told {
				t.Errorf("at %s it told %q, want %q", x.at, got, x.told)
			}
		}
		if got := s.unseen(t, s.asha); got != "reminder reminder" {
			t.Errorf("on the pages stands %q", got)
		}
		notices, err := s.all.Unseen(t.Context(), s.DB, s.Org.ID, s.asha.ID, 1)
		must(t, err)
		if notices[0].Link != "/followups/"+string(f.ID) {
			t.Errorf("the link is %s", notices[0].Link)
		}
		must(t, s.all.See(t.Context(), s.Org.ID, s.asha.ID, notices[0].ID))
		if got := s.unseen(t, s.asha); got != "reminder" {
			t.Errorf("with one seen there stands %q", got)
		}
		must(t, s.all.See(t.Context(), s.Org.ID, s.bina.ID))
		if got := s.unseen(t, s.asha); got != "reminder" {
			t.Errorf("what Bina saw took away Asha's: %q", got)
		}
		// Put off, it is spoken of again then, and whoever puts it off has seen it.
		s.snooze(t, f.ID, s.at(t, "2026-04-15 15:40"))
		if got := s.unseen(t, s.asha); got != "" {
			t.Errorf("put off, there stands %q", got)
		}
		s.remind(t, s.at(t, "2026-04-15 15:39"))
		s.remind(t, s.at(t, "2026-04-15 15:40"))
		s.remind(t, s.at(t, "2026-04-15 15:41"))
		if got := s.told(); got != "reminder asha" {
			t.Errorf("put off, it told %q", got)
		}
		s.done(t, f.ID, followup.Finish{})
		if got := s.unseen(t, s.asha); got != "" {
			t.Errorf("done, there stands %q", got)
		}
	})
}

func TestARoundThatBreaksOffTellsNobodyTwice(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		for i := range 250 { // more than one transaction
			s.add(t, followup.New{Due: s.at(t, "2026-04-15 15:00").Add(time.Duration(i) * time.Second), Reminders: new([]int{0})})
		}
		at := s.at(t, "2026-04-15 15:10")
		s.Clock.Set(at)
		// The mails cannot be kept: nothing is.
		s.fail = errors.New("the disk is full")
		if err := s.all.Remind(t.Context(), at); !errors.Is(err, s.fail) {
			t.Fatalf("got %v", err)
		}
		if got := s.unseen(t, s.asha); got != "" {
			t.Errorf("notices without mails: %s", got)
		}
		// Broken off after the first transaction.
		s.fail = nil
		ctx, stop := context.WithCancel(t.Context())
		broken := s.open()
		n := 0
		broken.Wire(followup.Sources{Mail: func(_ context.Context, _ *db.Tx, _ *account.Org, notices []followup.Notice) (func(), error) {
			return func() { n += len(notices); s.mails = append(s.mails, notices...); stop() }, nil
		}})
		if err := broken.Remind(ctx, at); err == nil {
			t.Error("a round that broke off says nothing of it")
		}
		if n == 0 || n == 250 {
			t.Fatalf("%d were told before it broke off", n)
		}
		s.all = s.open()
		for range 3 {
			must(t, s.all.Remind(t.Context(), at))
		}
		seen := map[followup.ID]int{}
		for _, m := range s.mails {
			seen[m.About]++
		}
		for id, times := range seen {
			if times != 1 {
				t.Errorf("%s was told %d times", id, times)
			}
		}
		if len(seen) != 250 {
			t.Errorf("%d of 250 were told", len(seen))
		}
	})
}

func TestNobodyIsRemindedOfWhatIsOver(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		done := s.add(t, followup.New{Due: s.at(t, "2026-04-15 15:00")})
		s.done(t, done.ID, followup.Finish{})
		moved := s.add(t, followup.New{Due: s.at(t, "2026-04-15 15:00")})
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.all.Change(ctx, tx, s.Org, s.asha.ID, moved.ID, 0, followup.Change{Day: new(s.day(t, "2026-04-16")), Reminders: new([]int{30})})
			return err
		}))
		s.remind(t, s.at(t, "2026-04-15 20:00"))
		if got := s.told(); got != "" {
			t.Errorf("told %q", got)
		}
		s.remind(t, s.at(t, "2026-04-16 08:29"))
		if got := s.told(); got != "" {
			t.Errorf("told %q", got)
		}
		s.remind(t, s.at(t, "2026-04-16 08:30")) // half an hour before working hours begin
		if got := s.told(); got != "reminder asha" {
			t.Errorf("of a whole day told %q", got)
		}
		// A server that was off for a day gives one reminder, not three.
		s.add(t, followup.New{Due: s.at(t, "2026-04-17 15:00"), Reminders: new([]int{120, 60, 10})})
		s.settings(t, followup.NewSettings{Mail: new(false)})
		before := len(strings.Fields(s.unseen(t, s.asha)))
		s.remind(t, s.at(t, "2026-04-17 16:00"))
		if got := len(strings.Fields(s.unseen(t, s.asha))) - before; got != 1 || s.told() != "" {
			t.Errorf("after a day there are %d notices more", got)
		}
	})
}

func TestOfWhomNothingMayBeUsedNothingIsSaid(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.add(t, followup.New{Due: s.at(t, "2026-04-15 15:00"), Reminders: new([]int{10})})
		restrict := func(on bool) {
			must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := s.Book.Restrict(ctx, tx, s.Org.ID, s.meera.Nums[0], on, s.Now().UnixMilli())
				return err
			}))
		}
		restrict(true)
		s.remind(t, s.at(t, "2026-04-15 14:55"))
		if got := s.told() + s.unseen(t, s.asha); got != "" {
			t.Errorf("of somebody who is restricted it told %q", got)
		}
		restrict(false)
		s.remind(t, s.at(t, "2026-04-15 15:54"))
		s.remind(t, s.at(t, "2026-04-15 15:55"))
		if got := s.told(); got != "reminder asha" {
			t.Errorf("when that ended it told %q", got)
		}
	})
}

func TestManagersHearOfWhatStaysUndone(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		team, err := s.Accounts.CreateTeam(t.Context(), s.Org.ID, "North")
		must(t, err)
		for _, m := range []*account.Member{s.asha, s.bina} {
			_, err := s.Accounts.SetTeams(t.Context(), s.Org.ID, m.ID, []account.TeamID{team.ID})
			must(t, err)
		}
		_, err = s.Accounts.SetRole(t.Context(), s.boss, s.bina.ID, account.Manager)
		must(t, err)
		s.settings(t, followup.NewSettings{Escalate: new(4)})
		f := s.add(t, followup.New{Due: s.at(t, "2026-04-17 16:00"), Reminders: new([]int{})}) // Friday, two hours before work ends
		s.add(t, followup.New{Kind: followup.Task, Day: s.day(t, "2026-04-17"), Reminders: new([]int{})})
		for _, x := range []struct{ at, told string }{
			{"2026-04-17 17:59", ""}, {"2026-04-19 20:00", ""}, {"2026-04-20 10:59", ""},
			{"2026-04-20 11:00", "escalation bina"}, // four working hours after 16:00 on Friday
			{"2026-04-20 11:01", ""}, {"2026-04-20 12:59", ""},
			{"2026-04-20 13:00", "escalation bina"}, // the whole day was over on Friday night
			{"2026-04-21 13:00", ""},
		} {
			s.remind(t, s.at(t, x.at))
			s.all = s.open()
			if got := s.told(); got != x.told {
				t.Errorf("at %s it told %q, want %q", x.at, got, x.told)
			}
		}
		if got := s.unseen(t, s.bina); got != "escalation escalation" {
			t.Errorf("on the pages stands %q", got)
		}
		entries, _, err := s.Log.List(t.Context(), int64(s.Org.ID), audit.Filter{Actions: []audit.Action{audit.FollowUpEscalated}, Limit: 10})
		must(t, err)
		if len(entries) != 2 {
			t.Errorf("the log has %d entries of it", len(entries))
		}
		// Planned anew it may be told again; without a manager it goes to the owner of the organisation.
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.all.Change(ctx, tx, s.Org, s.asha.ID, f.ID, 0, followup.Change{Due: new(s.at(t, "2026-04-21 14:00"))})
			return err
		}))
		_, err = s.Accounts.SetTeams(t.Context(), s.Org.ID, s.bina.ID, nil)
		must(t, err)
		s.remind(t, s.at(t, "2026-04-22 09:00"))
		owner, err := s.Accounts.Owner(t.Context(), s.Org.ID)
		must(t, err)
		if len(s.mails) != 1 || s.mails[0].Member != owner.ID || s.mails[0].About != f.ID {
			t.Errorf("without a manager it told %+v", s.mails)
		}
		s.settings(t, followup.NewSettings{Escalate: new(0)})
		s.mails = nil
		s.add(t, followup.New{Due: s.at(t, "2026-04-22 10:00"), Reminders: new([]int{})})
		s.remind(t, s.at(t, "2026-05-22 10:00"))
		if got := s.told(); got != "" {
			t.Errorf("switched off, it told %q", got)
		}
	})
}

func TestTwoRoundsAtOnceTellEachMemberOnce(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		for i := range 120 {
			s.add(t, followup.New{Due: s.at(t, "2026-04-15 15:00").Add(time.Duration(i) * time.Second), Reminders: new([]int{0})})
		}
		var told atomic.Int64
		var rounds sync.WaitGroup
		at := s.at(t, "2026-04-15 15:10")
		for range 4 {
			all := s.open()
			all.Wire(followup.Sources{Mail: func(_ context.Context, _ *db.Tx, _ *account.Org, notices []followup.Notice) (func(), error) {
				return func() { told.Add(int64(len(notices))) }, nil
			}})
			rounds.Go(func() {
				if err := all.Remind(t.Context(), at); err != nil {
					t.Error(err)
				}
			})
		}
		rounds.Wait()
		if told.Load() != 120 {
			t.Errorf("%d mails about 120 reminders", told.Load())
		}
	})
}
