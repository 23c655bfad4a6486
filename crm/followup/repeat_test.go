package followup_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/followup"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// run ends a follow-up and all that come after it, each a minute after it was due, and gives when they were, at most n.
func (s *story) run(t *testing.T, f *followup.FollowUp, n int) (out []string) {
	t.Helper()
	for f != nil && len(out) < n {
		out = append(out, f.At.In(s.Org.Location()).Format("Mon 2006-01-02 15:04 MST"))
		s.Clock.Set(f.At.Add(time.Minute))
		f = s.done(t, f.ID, followup.Finish{}).Again
	}
	return out
}

func TestOneThatRepeatsComesAgainByTheClocksOfTheZone(t *testing.T) {
	week := account.Weekdays(0).With(time.Monday).With(time.Thursday)
	for name, c := range map[string]struct {
		zone, now, due string
		repeat         followup.Repeat
		want           []string
	}{
		"the clocks go forward": {"Europe/Berlin", "2026-03-27 08:00", "2026-03-28 09:30", followup.Repeat{Unit: followup.Daily, Count: 3},
			[]string{"Sat 2026-03-28 09:30 CET", "Sun 2026-03-29 09:30 CEST", "Mon 2026-03-30 09:30 CEST"}},
		"an hour that is left out": {"Europe/Berlin", "2026-03-27 08:00", "2026-03-28 02:30", followup.Repeat{Unit: followup.Daily, Count: 3},
			[]string{"Sat 2026-03-28 02:30 CET", "Sun 2026-03-29 03:30 CEST", "Mon 2026-03-30 02:30 CEST"}},
		"an hour that comes twice": {"Europe/Berlin", "2026-10-23 08:00", "2026-10-24 02:30", followup.Repeat{Unit: followup.Daily, Count: 3},
			[]string{"Sat 2026-10-24 02:30 CEST", "Sun 2026-10-25 02:30 CEST", "Mon 2026-10-26 02:30 CET"}},
		"west of Greenwich": {"America/New_York", "2026-10-30 08:00", "2026-10-31 18:00", followup.Repeat{Unit: followup.Daily, Count: 3},
			[]string{"Sat 2026-10-31 18:00 EDT", "Sun 2026-11-01 18:00 EST", "Mon 2026-11-02 18:00 EST"}},
		"every other week on two days": {"Asia/Kolkata", "2026-04-15 12:00", "2026-04-16 10:00", followup.Repeat{Unit: followup.Weekly, Every: 2, Days: week},
			[]string{"Thu 2026-04-16 10:00 IST", "Mon 2026-04-27 10:00 IST", "Thu 2026-04-30 10:00 IST", "Mon 2026-05-11 10:00 IST"}},
		"weekly on its own day until a day": {"Asia/Kolkata", "2026-04-15 12:00", "2026-04-17 10:00", followup.Repeat{Unit: followup.Weekly, Until: civil.Date(2026, 5, 1)},
			[]string{"Fri 2026-04-17 10:00 IST", "Fri 2026-04-24 10:00 IST", "Fri 2026-05-01 10:00 IST"}},
		"the last day of short months": {"Asia/Kolkata", "2026-01-15 12:00", "2026-01-31 10:00", followup.Repeat{Unit: followup.Monthly, Count: 4},
			[]string{"Sat 2026-01-31 10:00 IST", "Sat 2026-02-28 10:00 IST", "Tue 2026-03-31 10:00 IST", "Thu 2026-04-30 10:00 IST"}},
		"each quarter, over a leap day": {"Asia/Kolkata", "2027-11-15 12:00", "2027-11-29 10:00", followup.Repeat{Unit: followup.Monthly, Every: 3, Count: 3},
			[]string{"Mon 2027-11-29 10:00 IST", "Tue 2028-02-29 10:00 IST", "Mon 2028-05-29 10:00 IST"}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *story) {
				s.move(t, c.zone)
				s.Clock.Set(s.at(t, c.now))
				f := s.add(t, followup.New{Kind: followup.Task, Due: s.at(t, c.due), Repeat: c.repeat})
				most := len(c.want)
				if c.repeat.Count > 0 || c.repeat.Until > 0 {
					most++ // and then no more
				}
				if got := s.run(t, f, most); !slices.Equal(got, c.want) {
					t.Errorf("it came\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
			})
		})
	}
}

func TestWhatWasMissedOfASeriesIsLeftOut(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		f := s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Repeat: followup.Repeat{Unit: followup.Daily, Count: 8}})
		s.Clock.Set(s.at(t, "2026-04-20 10:00")) // five days late, to the minute
		e := s.done(t, f.ID, followup.Finish{})
		if e.Again == nil || s.clock(e.Again.At) != "Tue 2026-04-21 10:00" || e.Again.Nth != 6 {
			t.Fatalf("after the first comes %+v", e.Again)
		}
		// Done early, the next one is the one after it.
		early := s.done(t, e.Again.ID, followup.Finish{})
		if early.Again == nil || s.clock(early.Again.At) != "Wed 2026-04-22 10:00" {
			t.Fatalf("done early, it is followed by %+v", early.Again)
		}
		whole := s.add(t, followup.New{Day: s.day(t, "2026-04-18"), Repeat: followup.Repeat{Unit: followup.Daily}})
		again := s.done(t, whole.ID, followup.Finish{}).Again // today is not over
		if again == nil || again.Day != s.day(t, "2026-04-20") || !again.AllDay || s.clock(again.Late) != "Tue 2026-04-21 00:00" {
			t.Errorf("of a whole day, the next is %+v", again)
		}
	})
}

func TestEndingASeries(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		f := s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Text: "Ask for the order", Reminders: new([]int{30}), Repeat: followup.Repeat{Unit: followup.Daily}})
		var e *followup.Ended
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) (err error) {
			e, err = s.all.Cancel(ctx, tx, s.Org, s.asha.ID, f.ID, true)
			return err
		}))
		if e.Again == nil || e.Again.Text != "Ask for the order" || e.Again.Owner != s.asha.ID || !slices.Equal(e.Again.Reminders, []int{30}) || e.State != followup.Cancelled {
			t.Fatalf("one left out is followed by %+v", e.Again)
		}
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) (err error) {
			e, err = s.all.Cancel(ctx, tx, s.Org, s.asha.ID, e.Again.ID, false)
			return err
		}))
		if e.Again != nil || s.dueOn(t) != "never" {
			t.Errorf("the cancelled series goes on with %+v; due is %s", e.Again, s.dueOn(t))
		}
	})
}

func TestUndoTakesTheNextOfASeriesWithIt(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		f := s.add(t, followup.New{Due: s.at(t, "2026-04-16 10:00"), Repeat: followup.Repeat{Unit: followup.Daily}})
		undo := func(id followup.ID) {
			t.Helper()
			must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := s.all.Undo(ctx, tx, s.Org, s.asha.ID, id)
				return err
			}))
		}
		first := s.done(t, f.ID, followup.Finish{}).Again
		undo(f.ID)
		if got := s.get(t, first.ID); got.State != followup.Cancelled || s.dueOn(t) != "Thu 2026-04-16 10:00" {
			t.Errorf("taken back, the next one is %s and the lead due %s", got.State, s.dueOn(t))
		}
		again := s.done(t, f.ID, followup.Finish{}).Again
		if again == nil || again.ID != first.ID || s.get(t, first.ID).State != followup.Open {
			t.Errorf("done again, it is followed by %+v, want the one there was", again)
		}
		// Somebody works on the next one already: it stays, and no other comes.
		must(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
			_, err := s.all.Change(ctx, tx, s.Org, s.asha.ID, first.ID, 0, followup.Change{Text: new("Bring the price list")})
			return err
		}))
		undo(f.ID)
		if got := s.get(t, first.ID); got.State != followup.Open {
			t.Errorf("one that was changed is %s", got.State)
		}
		if more := s.done(t, f.ID, followup.Finish{}).Again; more != nil {
			t.Errorf("there are two of one day: %+v", more)
		}
	})
}

func TestRepetitionsThatAreNone(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		for word, r := range map[string]followup.Repeat{
			"no way to repeat":    {Unit: "hourly"},
			"every 1 to 365":      {Unit: followup.Daily, Every: 366},
			"falls on a Thursday": {Unit: followup.Weekly, Days: account.Weekdays(0).With(time.Friday)},
			"at most 1000 times":  {Unit: followup.Monthly, Count: 1001},
			"on or after its":     {Unit: followup.Daily, Until: civil.Date(2026, 4, 15)},
			"are none":            {Unit: followup.Weekly, Days: 1 << 7},
		} {
			refused(t, s.try(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := s.all.Add(ctx, tx, s.Org, s.asha.ID, followup.New{Kind: followup.Task, Lead: s.lead.ID, Due: s.at(t, "2026-04-16 10:00"), Repeat: r})
				return err
			}), fault.Invalid, word)
		}
	})
}
