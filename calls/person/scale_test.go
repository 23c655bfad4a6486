package person_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/platform/civil"
	"parley/platform/db/dbtest"
	"parley/trust/policy"
	"parley/trust/retain"
)

// crowded is an organisation of 20 agents whose calls with people lie on 240 days, five with each.
func crowded(t testing.TB, calls int) (*calltest.World, *retain.Sweeper) {
	t.Helper()
	d := dbtest.SQLite(t, append(calltest.Schemas(), dbtest.Schema{Series: "retain", Files: retain.Schema})...)
	w := calltest.New(t, d)
	const agents, days = 20, 240
	first := civil.Today(w.Now(), w.Org.Location()) - days
	people := calls / 5
	var items []ingest.Item
	for i := range calls {
		person, agent := i%people, i%agents
		day := first + civil.Day((i*7919)%days)
		items = append(items, ingest.Item{Agent: account.AgentNo(1 + agent), Line: 1, Start: day.Start(w.Org.Location()).Add(9*time.Hour + time.Duration(i%36000)*time.Second),
			Number: "+9198" + strconv.Itoa(10_000_000+person), Direction: call.Incoming, Type: call.TypeIncoming, Seconds: 30, Ref: int64(i + 1), Name: "Person " + strconv.Itoa(person)})
		if len(items) == 5000 || i == calls-1 {
			w.Put(t, items...)
			items = items[:0]
		}
	}
	for done := false; !done; {
		var err error
		done, err = w.Reporter.Settle(t.Context(), w.Org, first+days, 100)
		must(t, err)
	}
	var rules []retain.Rule
	for _, c := range []string{call.CategoryContact, call.CategoryCall, call.CategoryNote} {
		rules = append(rules, retain.Rule{Category: c, From: policy.LastActivity, Max: policy.Period{N: 365, Unit: policy.Days}, Archive: policy.Period{N: 90, Unit: policy.Days}})
	}
	return w, retain.New(retain.Deps{DB: d, Keys: w.Keys, Holds: w.Holds, Keepers: w.Persons.Keepers(), Log: w.Log, Now: w.Now, MaxShare: 100,
		Rules: func(context.Context, account.OrgID) ([]retain.Rule, error) { return rules, nil }})
}

// BenchmarkArchive lets everybody of an organisation fall due on one day, and then leave the archive on one.
func BenchmarkArchive(b *testing.B) {
	calls := 20_000
	if n, err := strconv.Atoi(os.Getenv("PARLEY_BENCH_CALLS")); err == nil {
		calls = n
	}
	for range b.N {
		b.StopTimer()
		w, sweep := crowded(b, calls)
		w.Clock.Advance(400 * 24 * time.Hour)
		b.StartTimer()
		began := time.Now()
		out, err := sweep.Run(b.Context(), w.Org.ID)
		must(b, err)
		archived := time.Since(began)
		for _, p := range out.Applied {
			if p.State != retain.Applied || p.Removed != p.Rows {
				b.Errorf("%s: %s, %d of %d rows: %s", p.Keeper, p.State, p.Removed, p.Rows, p.Why)
			}
		}
		w.Clock.Advance(91 * 24 * time.Hour)
		began = time.Now()
		out, err = sweep.Run(b.Context(), w.Org.ID)
		must(b, err)
		b.ReportMetric(archived.Seconds(), "s/archive")
		b.ReportMetric(time.Since(began).Seconds(), "s/erase")
		b.ReportMetric(float64(out.Erased), "items")
	}
}
