package stats_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// The days of a number are found by sets where those are true, whoever the number is, and no day is missed where not.
func TestDaysOfNumbersAreFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := calltest.New(t, d), t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		first := civil.Today(w.Now(), w.Org.Location()) - 100
		put := func(person int, day civil.Day) {
			w.Put(t, ingest.Item{Agent: account.AgentNo(1 + person%3), Line: 1, Start: day.Start(w.Org.Location()).Add(9*time.Hour + time.Duration(person)*time.Minute),
				Number: "+9198000000" + strconv.Itoa(10+person), Direction: call.Incoming, Type: call.TypeIncoming, Seconds: 20, Ref: int64(day)<<8 | int64(person+1)})
		}
		for person := range 6 {
			for k := range 4 {
				put(person, first+civil.Day(person*3+k*23))
			}
		}
		id := func(person int) number.ID {
			n, ok, err := w.Book.Find(ctx, d, w.Org.ID, "+9198000000"+strconv.Itoa(10+person))
			if err != nil || !ok {
				t.Fatal(err, ok)
			}
			return n
		}
		settle := func() {
			t.Helper()
			done, err := w.Reporter.Settle(ctx, w.Org, first+100, 1000)
			if err == nil && !done {
				done, err = w.Reporter.Settle(ctx, w.Org, first+100, 1000)
			}
			if err != nil || !done {
				t.Fatal(err, done)
			}
		}
		compare := func(when string, exact bool) {
			t.Helper()
			for _, people := range [][]int{{0}, {1}, {2}, {3}, {4}, {5}, {1, 4}, {0, 1, 2, 3, 4, 5}} {
				var numbers []number.ID
				want := map[civil.Day]bool{}
				for _, p := range people {
					numbers = append(numbers, id(p))
				}
				for _, r := range w.Rows(t) {
					if slices.Contains(numbers, r.Number) && r.Day < first+95 {
						want[r.Day] = true
					}
				}
				got, err := stats.DaysWith(ctx, d, w.Org.ID, first+95, numbers)
				must(err)
				for day := range want {
					if !slices.Contains(got, day) {
						t.Errorf("%s: a day of %v is missing", when, people)
					}
				}
				if exact && len(got) != len(want) || !slices.IsSorted(got) {
					t.Errorf("%s: of %v %d days are given, want %d", when, people, len(got), len(want))
				}
			}
		}
		compare("without sets", false)
		settle()
		compare("with sets", true)
		must(w.Writer.Restrict(ctx, w.Org, id(1), true))
		must(w.Writer.Exclude(ctx, w.Org, number.Exclusion{Number: "+919800000012", Strength: number.Hidden, AddedAt: w.Now()}))
		compare("with stale sets", false)
		settle()
		compare("with a hidden and a restricted one", true)
		put(4, first+50)
		put(5, first+3)
		compare("after late calls", false)
		settle()
		compare("after late calls, settled", true)
		_, err := d.Exec(ctx, `DELETE FROM coarse WHERE org_id = $1 AND kind = 6`, w.Org.ID) // as an older version left them
		must(err)
		compare("with sets of an older version", false)
		settle()
		compare("renewed", true)
		if got, err := stats.DaysWith(ctx, d, w.Org.ID, first+95, []number.ID{number.Withheld}); err != nil || len(got) != 0 {
			t.Errorf("withheld numbers are on %v (%v)", got, err)
		}
	}, calltest.Schemas()...)
}
