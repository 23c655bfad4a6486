package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/bench/contract"
	"parley/bench/duck"
	"parley/bench/ours"
	"parley/bench/pg"
	"parley/bench/seed"
)

// folder is a temporary folder with a short path that PostgreSQL's own user can reach: testing's cannot be.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func opened(t *testing.T, e engine, err error) engine {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestAllEnginesAgree(t *testing.T) {
	dir := folder(t)
	postgres, err := pg.Open(t.Context(), dir, -1)
	engines := []engine{opened(t, postgres, err)}
	duckdb, err := duck.Open(t.Context(), dir)
	engines = append(engines, opened(t, duckdb, err))
	parley, err := ours.Open(t.Context(), dir+"/ours")
	engines = append(engines, opened(t, parley, err))

	stream := seed.Make(seed.Options{Calls: 20_000, Agents: 60, Days: 40, Seed: 11})
	if _, err := loadAll(t.Context(), engines, stream); err != nil {
		t.Fatal(err)
	}
	results, err := race(t.Context(), engines, contract.Queries(stream, 3, 2), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := differences(results); err != nil {
		t.Error(err)
	}
	for _, r := range results {
		if r.query.Group.Scope == contract.Org && r.rows == 0 {
			t.Errorf("%s has no rows", r.query)
		}
	}
}

func TestAnEngineThatLosesACallIsFound(t *testing.T) {
	dir := folder(t)
	whole, err := duck.Open(t.Context(), dir)
	engines := []engine{opened(t, whole, err)}
	lossy, err := duck.Open(t.Context(), folder(t))
	engines = append(engines, opened(t, lossy, err))
	stream := seed.Make(seed.Options{Calls: 2_000, Agents: 5, Days: 10, Seed: 1})
	if err := whole.Load(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	lost := *stream
	gone := stream.Calls[700]
	lost.Calls = slices.DeleteFunc(slices.Clone(stream.Calls), func(c seed.Call) bool { return c == gone })
	if err := lossy.Load(t.Context(), &lost); err != nil {
		t.Fatal(err)
	}
	results, err := race(t.Context(), engines, contract.Queries(stream, 3, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := differences(results); err == nil || !strings.Contains(err.Error(), "summary") {
		t.Errorf("a lost call was reported as %v, want a difference in the summary", err)
	}
}

func TestAnEmptyDatabaseIsNoWinner(t *testing.T) {
	e, err := duck.Open(t.Context(), folder(t))
	engines := []engine{opened(t, e, err)}
	stream := &seed.Stream{Days: 40, Agents: 60}
	if err := e.Load(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	if _, err := race(t.Context(), engines, contract.Queries(stream, 3, 1), 1); err == nil {
		t.Error("an empty database took part")
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int{"20k": 20_000, "1m": 1_000_000, "10M": 10_000_000, "7": 7} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "m", "10g", "1mm", "-5", "0"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %d, want an error", text, got)
		}
	}
}

func TestTargetsSayWhatWasNotReached(t *testing.T) {
	group := contract.Group{Scope: contract.Org, Days: 30}
	v := &verdict{
		calls: targetCalls, names: []string{ourName, duckName}, serving: &serving{MostResident: 299e6, Start: 600 * time.Millisecond},
		loads:  []load{{name: ourName, bytes: 800, calls: 10}},
		ingest: &ours.Ingest{Together: ours.Pace{Calls: 50_000, Wall: time.Second}, Alone: ours.Pace{Calls: 5_000, Wall: time.Second}},
		results: []result{{query: contract.Query{Kind: contract.Clients, Group: group}, times: []timed{
			{cpu: []time.Duration{20 * time.Millisecond}, wall: []time.Duration{time.Second}},
			{cpu: []time.Duration{60 * time.Millisecond}, wall: []time.Duration{time.Second}},
		}}, {query: contract.Query{Kind: contract.AtOnce, Group: group}, times: []timed{
			{cpu: []time.Duration{20 * time.Millisecond}, wall: []time.Duration{time.Second}},
			{cpu: []time.Duration{120 * time.Millisecond}, wall: []time.Duration{time.Second}},
		}}},
	}
	var out bytes.Buffer
	p := &printer{out: &out}
	p.verdict(v)
	reached := map[string]bool{"organisation, 30 days": true, "unique clients": false, "DuckDB, 30 days and more, all reports at once": true, "DuckDB, 30 days and more, one by one": false, "8 senders": true, "one sender": false, "bytes per call": true, "resident": true, "start": false}
	for what, want := range reached {
		i := slices.IndexFunc(v.targets(), func(t target) bool { return strings.Contains(t.what, what) })
		if i < 0 {
			t.Fatalf("no target about %s", what)
		}
		if got := v.targets()[i]; got.reached != want {
			t.Errorf("%s (%s, %s): reached %t, want %t", got.what, got.want, got.got, got.reached, want)
		}
	}
	if !strings.Contains(out.String(), "NOT reached") {
		t.Errorf("the output hides what was not reached:\n%s", out.String())
	}
}
