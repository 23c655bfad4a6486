package person_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/calls/person"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/trust/subject"
)

const aDay = 24 * time.Hour

// eachAge tells a story with a sweeper that archives after 365 days without activity for 90 days, and ends calls and notes
// after five years.
func eachAge(t *testing.T, archive bool, tell func(t *testing.T, s *story, sweep *retain.Sweeper)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		days := func(n int) policy.Period { return policy.Period{N: n, Unit: policy.Days} }
		var rules []retain.Rule
		for _, c := range []string{call.CategoryContact, call.CategoryCall, call.CategoryNote} {
			r := retain.Rule{Category: c, From: policy.LastActivity, Max: days(365)}
			if archive {
				r.Archive = days(90)
			}
			rules = append(rules, r)
			if c != call.CategoryContact {
				rules = append(rules, retain.Rule{Category: c, From: policy.Created, Max: days(5 * 365)})
			}
		}
		sweep := retain.New(retain.Deps{DB: d, Keys: s.Keys, Holds: s.Holds, Keepers: s.Persons.Keepers(), Log: s.Log, Now: s.Now, MaxShare: 100,
			Rules: func(context.Context, account.OrgID) ([]retain.Rule, error) { return rules, nil }})
		tell(t, s, sweep)
	}, append(calltest.Schemas(), dbtest.Schema{Series: "retain", Files: retain.Schema})...)
}

func (s *story) sweep(sweep *retain.Sweeper) string {
	s.t.Helper()
	out, err := sweep.Run(s.t.Context(), s.Org.ID)
	must(s.t, err)
	var said []string
	for _, p := range out.Applied {
		said = append(said, fmt.Sprintf("%s %s %d", p.Keeper, p.State, p.Removed))
	}
	if out.Erased > 0 {
		said = append(said, fmt.Sprintf("archive %d", out.Erased))
	}
	return strings.Join(said, ", ")
}

func TestTheInactiveGoAfterAYearByWayOfTheArchive(t *testing.T) {
	eachAge(t, true, func(t *testing.T, s *story, sweep *retain.Sweeper) {
		s.known()
		must(t, s.Writer.Include(t.Context(), s.Org, s.key(meera))) // who is kept out stays on that list
		n, begun := s.find(meera), s.Now()
		counted, before := len(s.Rows(t)), s.everywhere()
		s.Clock.Set(begun.Add(364 * aDay))
		if said := s.sweep(sweep); said != "" || !strings.Contains(s.everywhereFrom(begun), "Meera Canary") {
			t.Fatalf("after 364 days: %s", said)
		}
		s.Clock.Set(begun.Add(364 * aDay))
		s.sync(s.call(other, time.Minute)) // who calls stays
		s.Clock.Set(begun.Add(366 * aDay))
		want := "contacts applied 2, notes and tags applied 2, call-backs applied 1, calls applied 3"
		if said := s.sweep(sweep); said != want {
			t.Fatalf("after 366 days: %s\nwant: %s", said, want)
		}
		if again := s.sweep(sweep); again != "" {
			t.Errorf("a second run: %s", again)
		}
		seen := s.everywhereFrom(begun)
		for _, canary := range []string{"9812300101", "Meera", "blue canary", "canary tag"} {
			if strings.Contains(seen, canary) {
				t.Errorf("%q is seen after the year", canary)
			}
		}
		if !strings.Contains(seen, other) {
			t.Error("who called since is gone, too")
		}
		if now := len(s.Rows(t)); now != counted+1 {
			t.Errorf("%d calls are counted, want %d", now, counted+1)
		}
		// The archive can be opened by whoever may, and brought back.
		items, err := sweep.Archive(t.Context(), s.officer())
		must(t, err)
		if len(items) != 4 {
			t.Fatalf("%d items are in the archive, want 4", len(items))
		}
		if _, err := sweep.Archive(t.Context(), s.as(s.asha)); fault.KindOf(err) != fault.Denied {
			t.Errorf("an agent lists the archive: %v", err)
		}
		for _, i := range items {
			_, content, err := sweep.Open(t.Context(), s.officer(), i.ID)
			must(t, err)
			if i.Keeper == "contacts" && !strings.Contains(string(content), meera) {
				t.Errorf("the archived contact is %s", content)
			}
			must(t, sweep.Return(t.Context(), s.officer(), i.ID))
		}
		s.Clock.Set(begun)
		for line := range strings.SplitSeq(before, "\n") {
			if back := s.everywhere(); strings.Contains(line, "981") && !strings.Contains(back, line) {
				t.Errorf("brought back is\n%s\nwhich lacks\n%s", back, line)
			}
		}
		if s.find(meera) != n {
			t.Error("the number came back under another id")
		}
	})
}

func TestArchivedNumbersAreFoundUnderANewIndexKey(t *testing.T) {
	eachAge(t, true, func(t *testing.T, s *story, sweep *retain.Sweeper) {
		s.known()
		n, ctx := s.find(meera), t.Context()
		s.Clock.Advance(400 * aDay)
		s.sweep(sweep)
		next, _, err := s.Keys.NextIndex(ctx, int64(s.Org.ID))
		must(t, err)
		must(t, s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Book.Reindex(ctx, tx, s.Org.ID, next, s.Persons.Archived(sweep)) }))
		must(t, s.Keys.CommitIndex(ctx, int64(s.Org.ID)))
		if back, ok, err := s.Book.FindArchived(ctx, s.DB, s.Org.ID, meera); err != nil || !ok || back != n {
			t.Errorf("in the archive the number is %d (%v, %v), want %d", back, ok, err, n)
		}
		s.Clock.Advance(time.Hour)
		s.sync(s.call(meera, time.Minute))
		if back := s.find(meera); back != n {
			t.Errorf("a call brings the number back as %d, want %d", back, n)
		}
	})
}

func (s *story) as(m *account.Member) *account.Actor {
	s.t.Helper()
	a, err := s.Accounts.As(s.t.Context(), s.Org.ID, m.ID)
	must(s.t, err)
	return a
}

// everywhereFrom is everywhere as seen from another day, so that its last days are in sight.
func (s *story) everywhereFrom(day time.Time) string {
	s.t.Helper()
	now := s.Now()
	s.Clock.Set(day)
	defer s.Clock.Set(now)
	return s.everywhere() + s.numbersNow()
}

func (s *story) numbersNow() string {
	s.t.Helper()
	var out strings.Builder
	for _, n := range []string{meera, other} {
		if _, ok, err := s.Book.Find(s.t.Context(), s.DB, s.Org.ID, n); err == nil && ok {
			out.WriteString(n + "\n")
		}
	}
	return out.String()
}

func TestTheArchiveEndsAfterNinetyDays(t *testing.T) {
	eachAge(t, true, func(t *testing.T, s *story, sweep *retain.Sweeper) {
		s.known()
		n, begun := s.find(meera), s.Now()
		calls := len(s.Rows(t))
		s.Clock.Set(begun.Add(366 * aDay))
		s.sync(s.call(other, time.Minute))
		s.sweep(sweep)
		k, err := s.Keys.Org(t.Context(), int64(s.Org.ID))
		must(t, err)
		if _, err := k.SealOnce(t.Context(), int64(n), "x", nil); err != nil {
			t.Fatalf("the key is gone while the archive needs it: %v", err)
		}
		s.Clock.Set(begun.Add((366 + 91) * aDay))
		s.sync(s.call(other, time.Minute))
		if said := s.sweep(sweep); said != "archive 4" {
			t.Errorf("on day 91: %s", said)
		}
		if _, err := k.SealOnce(t.Context(), int64(n), "x", nil); fault.KindOf(err) != fault.Gone {
			t.Errorf("the key is still there: %v", err)
		}
		if _, ok, err := s.Book.FindArchived(t.Context(), s.DB, s.Org.ID, meera); err != nil || ok {
			t.Errorf("the number is still in the archive's list (%v)", err)
		}
		if now := len(s.Rows(t)); now != calls+2 {
			t.Errorf("%d calls are left, want %d", now, calls+2)
		}
		if a := s.sync(s.call(meera, (366+91)*aDay+90*time.Minute)); a[0].State != ingest.Erased {
			t.Errorf("the phone brought an old call back: %v", a[0].State)
		}
	})
}

func TestWhoLiesInTheArchiveCanBeErased(t *testing.T) {
	eachAge(t, true, func(t *testing.T, s *story, sweep *retain.Sweeper) {
		s.known()
		n, begun := s.find(meera), s.Now()
		s.Clock.Set(begun.Add(366 * aDay))
		s.sync(s.call(other, time.Minute))
		s.sweep(sweep)
		who, found, err := person.InBook(s.Book).Find(t.Context(), s.DB, s.Org.ID, meera)
		if err != nil || !found || who.Num() != int64(n) {
			t.Fatalf("an archived person is found as %v, %v (%v)", who, found, err)
		}
		plan, err := s.Persons.Store().Plan(t.Context(), s.Org.ID, who)
		must(t, err)
		lines, err := s.Persons.Store().Erase(t.Context(), s.Org.ID, who, rights.Decision{})
		must(t, err)
		if want := "1 key of the person, 1 entries of the number index"; counts(plan) != want || counts(lines) != want {
			t.Errorf("planned %s, erased %s, want %s", counts(plan), counts(lines), want)
		}
		k, err := s.Keys.Org(t.Context(), int64(s.Org.ID))
		must(t, err)
		if _, err := k.SealOnce(t.Context(), int64(n), "x", nil); fault.KindOf(err) != fault.Gone {
			t.Errorf("the key is still there: %v", err)
		}
		if _, found, err := person.InBook(s.Book).Find(t.Context(), s.DB, s.Org.ID, meera); err != nil || found {
			t.Errorf("the number is still found (%v)", err)
		}
	})
}

func TestACallBringsAnArchivedNumberBack(t *testing.T) {
	eachAge(t, true, func(t *testing.T, s *story, sweep *retain.Sweeper) {
		s.known()
		n, begun := s.find(meera), s.Now()
		s.Clock.Set(begun.Add(366 * aDay))
		s.sync(s.call(other, time.Minute))
		s.sweep(sweep)
		s.Clock.Advance(time.Hour)
		if a := s.sync(s.call(meera, time.Minute)); a[0].State != ingest.New {
			t.Fatalf("a new call was answered %v", a[0].State)
		}
		if s.find(meera) != n {
			t.Error("the person got another number id")
		}
		s.Clock.Set(begun.Add((366 + 91) * aDay)) // what was archived ends, and she stays
		s.sync(s.call(other, time.Minute))
		s.sweep(sweep)
		if texts, err := s.Book.Texts(t.Context(), s.DB, s.Org.ID, []number.ID{n}); err != nil || texts[n] != meera {
			t.Errorf("the number is %q (%v)", texts[n], err)
		}
	})
}

// P86: phones are ordered to forget whom retention took out of the ordinary stores, whether to the archive or for good.
func TestPhonesForgetWhomRetentionTakes(t *testing.T) {
	for name, archive := range map[string]bool{"archived": true, "erased": false} {
		t.Run(name, func(t *testing.T) {
			eachAge(t, archive, func(t *testing.T, s *story, sweep *retain.Sweeper) {
				s.known()
				begun := s.Now()
				s.Clock.Set(begun.Add(366 * aDay))
				s.sync(s.call(other, time.Minute))
				s.sweep(sweep)
				c, err := s.Devices.Config(t.Context(), s.dev)
				must(t, err)
				if len(c.Forget) != 1 || !marks(c.Forget[0], meera) || marks(c.Forget[0], other) {
					t.Fatalf("the phone has the orders %+v", c.Forget)
				}
				must(t, s.Devices.Forgotten(t.Context(), s.dev, []string{c.Forget[0].ID}))
				s.Clock.Set(begun.Add((366 + 91) * aDay))
				s.sync(s.call(other, time.Minute))
				s.sweep(sweep)
				if c, err = s.Devices.Config(t.Context(), s.dev); err != nil || len(c.Forget) > 0 {
					t.Errorf("after the archive's end the phone has the orders %+v (%v)", c.Forget, err)
				}
			})
		})
	}
}

// P72: a number that nobody ever called, entered for some other reason, ends as others do.
func TestNumbersWithoutCallsEndToo(t *testing.T) {
	eachAge(t, true, func(t *testing.T, s *story, sweep *retain.Sweeper) {
		begun, ctx := s.Now(), t.Context()
		s.sync(s.call(other, time.Hour))
		enter := func(n string) {
			t.Helper()
			_, err := person.Enter(ctx, s.DB, s.Book, s.Org, "number", []string{n})
			must(t, err)
		}
		enter(meera)
		s.Clock.Set(begun.Add(200 * aDay))
		const late = "+919812300303"
		enter(late)
		s.Clock.Set(begun.Add(365*aDay - time.Hour))
		s.sync(s.call(other, time.Minute))
		if said := s.sweep(sweep); said != "" {
			t.Errorf("before the year: %s", said)
		}
		s.Clock.Set(begun.Add(365*aDay + time.Hour))
		if said := s.sweep(sweep); said != "contacts applied 1" {
			t.Errorf("after the year: %s", said)
		}
		if _, ok, err := s.Book.Find(ctx, s.DB, s.Org.ID, meera); err != nil || ok {
			t.Errorf("the number is still in the book (%v)", err)
		}
		s.find(late)
		s.find(other)
		// Of a number from a time when that was not kept, the period begins now.
		_, err := s.DB.Exec(ctx, `UPDATE numbers SET made_ms = 0 WHERE org_id = $1`, s.Org.ID)
		must(t, err)
		s.Clock.Set(begun.Add(600 * aDay))
		s.sync(s.call(other, time.Minute))
		if said := s.sweep(sweep); said != "archive 1" {
			t.Errorf("of an unknown age: %s", said)
		}
		must(t, s.Book.Date(ctx))
		s.Clock.Set(begun.Add(600*aDay + 366*aDay))
		s.sync(s.call(other, time.Minute))
		if said := s.sweep(sweep); said != "contacts applied 1" {
			t.Errorf("a year after it was dated: %s", said)
		}
	})
}

func TestWithoutAnArchiveTheInactiveAreErased(t *testing.T) {
	eachAge(t, false, func(t *testing.T, s *story, sweep *retain.Sweeper) {
		s.known()
		n, begun := s.find(meera), s.Now()
		s.Clock.Set(begun.Add(366 * aDay))
		s.sync(s.call(other, time.Minute))
		if said := s.sweep(sweep); said != "contacts applied 2" {
			t.Errorf("swept: %s", said)
		}
		k, err := s.Keys.Org(t.Context(), int64(s.Org.ID))
		must(t, err)
		if _, err := k.SealOnce(t.Context(), int64(n), "x", nil); fault.KindOf(err) != fault.Gone {
			t.Errorf("the key is still there: %v", err)
		}
	})
}

func TestCallsEndAfterFiveYears(t *testing.T) {
	eachAge(t, false, func(t *testing.T, s *story, sweep *retain.Sweeper) {
		s.known()
		begun := s.Now()
		for year := range 6 { // she keeps calling
			s.Clock.Set(begun.Add(time.Duration(year*300) * aDay))
			s.sync(s.call(meera, time.Minute), s.call(other, time.Minute))
		}
		s.Clock.Set(begun.Add((5*365 + 1) * aDay))
		s.sync(s.call(meera, time.Minute), s.call(other, time.Minute))
		rows := len(s.Rows(t))
		said := s.sweep(sweep)
		// Note, tag; three calls of hers and one of the other's and the withheld one, and of the two years' beginnings.
		if said != "notes and tags applied 2, calls applied 7" {
			t.Errorf("swept: %s", said)
		}
		if now := len(s.Rows(t)); now != rows-7 {
			t.Errorf("%d calls are left of %d", now, rows)
		}
		if again := s.sweep(sweep); again != "" {
			t.Errorf("a second run: %s", again)
		}
	})
}

func TestRetentionLeavesWhoIsHeldOrRestricted(t *testing.T) {
	eachAge(t, true, func(t *testing.T, s *story, sweep *retain.Sweeper) {
		s.known()
		n, begun := s.find(meera), s.Now()
		held, err := s.Holds.Add(t.Context(), s.officer(), hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfNumber(int64(n))}, Reason: "A claim",
			Owner: s.officer().Member.ID, Ends: s.Now().AddDate(2, 0, 0)})
		must(t, err)
		s.Clock.Set(begun.Add(366 * aDay))
		s.sync(s.call(other, time.Minute))
		if said := s.sweep(sweep); said != "" {
			t.Errorf("under a hold: %s", said)
		}
		_, err = s.Holds.Release(t.Context(), s.officer(), held.ID, "Settled")
		must(t, err)
		must(t, s.Persons.Restrict(t.Context(), s.Org, n, true))
		if said := s.sweep(sweep); said != "" {
			t.Errorf("restricted: %s", said)
		}
		must(t, s.Persons.Restrict(t.Context(), s.Org, n, false))
		if said := s.sweep(sweep); !strings.HasPrefix(said, "contacts applied 2") {
			t.Errorf("afterwards: %s", said)
		}
	})
}
