package prove_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/prove"
)

func TestTheInventoryIsWhole(t *testing.T) {
	kinds := map[prove.Kind]int{}
	for i, p := range prove.Promises() {
		if want := fmt.Sprintf("P%d", i+1); p.ID != want {
			t.Errorf("line %d is %s, want %s", i+1, p.ID, want)
		}
		if p.Title == "" || p.Rule == "" || p.Feature == "" {
			t.Errorf("%s lacks its title, rule or feature", p.ID)
		}
		kinds[p.Kind]++
	}
	want := map[prove.Kind]int{prove.Enforced: 120, prove.Register: 14, prove.Feature: 10, prove.Attested: 5, prove.Refused: 7}
	for k, n := range want {
		if kinds[k] != n {
			t.Errorf("%d promises of kind %s, want %d", kinds[k], k, n)
		}
	}
}

func run(t *testing.T, steps ...prove.Step) *prove.Report {
	t.Helper()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	r, err := prove.Run(t.Context(), prove.Report{Org: 1, Version: "test"}, steps, func() time.Time { return now }, func(int, int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func result(r *prove.Report, id string) prove.Result {
	i := slices.IndexFunc(r.Promises, func(p prove.PromiseResult) bool { return p.ID == id })
	return r.Promises[i].Result
}

func TestABrokenPromiseIsNamed(t *testing.T) {
	good := prove.Step{ID: "good", Title: "Good", Promises: []string{"P1", "P5"}, Run: func(context.Context) ([]string, error) { return []string{"looked"}, nil }}
	bad := prove.Step{ID: "bad", Title: "Bad", Promises: []string{"P64", "P65"}, Run: func(context.Context) ([]string, error) {
		var f prove.Failures
		f.Add(prove.Fail("P65", "A key did not rotate."))
		return nil, f.Err()
	}}
	whole := prove.Step{ID: "whole", Title: "Whole", Promises: []string{"P41"}, Run: func(context.Context) ([]string, error) { return nil, prove.Fail("", "No.") }}
	r := run(t, good, bad, whole)
	if r.Passed || !slices.Equal(r.Broken(), []string{"P41", "P65"}) {
		t.Errorf("passed %v, broken %v", r.Passed, r.Broken())
	}
	for id, want := range map[string]prove.Result{"P1": prove.Passed, "P64": prove.Passed, "P65": prove.Broken, "P41": prove.Broken, "P40": prove.NotYet} {
		if got := result(r, id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
	if r := run(t, good); !r.Passed {
		t.Error("a run in which everything holds did not pass")
	}
}

// A step that could not be carried out breaks no promise that it did not reach.
func TestWhatWasNotReachedIsNotTried(t *testing.T) {
	full := fault.New(fault.Unavailable, "The disk is full.")
	halfway := prove.Step{ID: "half", Title: "Half", Promises: []string{"P1", "P5", "P6", "P64"}, Run: func(context.Context) ([]string, error) {
		var f prove.Failures
		f.Add(prove.Fail("P5", "A number can be read."))
		f.Add(prove.Stop(full, "P6", "P64"))
		return nil, f.Err()
	}}
	at := prove.Step{ID: "none", Title: "None", Promises: []string{"P41"}, Run: func(context.Context) ([]string, error) { return nil, full }}
	also := prove.Step{ID: "also", Title: "Also", Promises: []string{"P41"}, Run: func(context.Context) ([]string, error) { return []string{"fine"}, nil }}
	r := run(t, halfway, at, also)
	for id, want := range map[string]prove.Result{"P1": prove.Passed, "P5": prove.Broken, "P6": prove.NotTried, "P64": prove.NotTried, "P41": prove.NotTried} {
		if got := result(r, id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
	if r.Passed || !slices.Equal(r.Broken(), []string{"P5"}) || r.Steps[0].Result != prove.Broken || r.Steps[1].Result != prove.NotTried {
		t.Errorf("passed %v, broken %v, steps %+v", r.Passed, r.Broken(), r.Steps)
	}
	if got := r.Unfinished(); !slices.Equal(got, []string{"half: The disk is full.", "none: The disk is full."}) {
		t.Errorf("unfinished are %q", got)
	}
	i := slices.IndexFunc(r.Promises, func(p prove.PromiseResult) bool { return p.ID == "P41" })
	if why := r.Promises[i].Why; why != "None: The disk is full." {
		t.Errorf("P41 was not tried because %q", why)
	}
	if r := run(t, prove.Step{ID: "x", Title: "X", Run: func(context.Context) ([]string, error) { return nil, prove.Stop(nil, "P1") }}); !r.Passed {
		t.Error("no error stops a step")
	}
}

func TestRunsAreKeptAndTellSinceWhen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Migrate(t.Context(), "prove", prove.Schema); err != nil {
			t.Fatal(err)
		}
		for series, files := range map[string]fs.FS{"account": account.Schema, "audit": audit.Schema} {
			if err := d.Migrate(t.Context(), series, files); err != nil {
				t.Fatal(err)
			}
		}
		keys, err := openKeys(t)
		if err != nil {
			t.Fatal(err)
		}
		p := prove.New(d, audit.New(d, keys, time.Now))
		if _, _, ok, err := p.Last(t.Context(), 1); ok || err != nil {
			t.Fatalf("a run before the first: %v, %v", ok, err)
		}
		step := prove.Step{ID: "a", Title: "A", Promises: []string{"P5"}, Run: func(context.Context) ([]string, error) { return nil, nil }}
		r := run(t, step)
		keep(t, p, r)
		step.Run = func(context.Context) ([]string, error) { return nil, prove.Fail("", "No.") }
		later := run(t, step)
		later.At = r.At.Add(time.Hour)
		keep(t, p, later)
		last, certified, ok, err := p.Last(t.Context(), 1)
		if err != nil || !ok || last.ID != later.ID || last.Passed {
			t.Errorf("the last run is %+v, %v, %v", last, ok, err)
		}
		if back, err := prove.Verify(certified, ""); err != nil || back.ID != later.ID {
			t.Errorf("the certified report does not verify: %v", err)
		}
		if _, err := prove.Verify(bytes.Replace(certified, []byte(`"passed":false`), []byte(`"passed":true`), 1), ""); err == nil {
			t.Error("a report that was made better verifies")
		}
		since, err := p.Since(t.Context(), 1)
		if err != nil || !since["P5"].Equal(r.Promises[4].At) {
			t.Errorf("P5 was last proved %v, %v", since["P5"], err)
		}
		for days, want := range map[int]bool{1: true, 2: false} {
			if due, err := p.Due(t.Context(), 1, days, later.At.AddDate(0, 0, 1)); err != nil || due != want {
				t.Errorf("a day later, a run every %d days is due: %v (%v)", days, due, err)
			}
		}
		if due, err := p.Due(t.Context(), 2, 365, later.At); err != nil || !due {
			t.Errorf("the first run is not due: %v", err)
		}
		shown, err := p.Shown(t.Context(), 1, "en", "/x")
		if err != nil || shown.Broken != 1 || len(shown.Promises) != 1 || !shown.Promises[0].Broken || !shown.Promises[0].Since.Equal(since["P5"]) {
			t.Errorf("everybody is shown %+v (%v)", shown, err)
		}
		if err := d.Tx(t.Context(), func(tx *db.Tx) error { return prove.Delete(t.Context(), tx, 1) }); err != nil {
			t.Fatal(err)
		}
		if since, err := p.Since(t.Context(), 1); err != nil || len(since) > 0 {
			t.Errorf("after the organisation went, dates are left: %v (%v)", since, err)
		}
		if _, _, ok, err := p.Last(t.Context(), 2); ok || err != nil {
			t.Errorf("another organisation sees a run: %v, %v", ok, err)
		}
	})
}

func TestPromisesAreToldInHindi(t *testing.T) {
	english, hindi := prove.Titles("en"), prove.Titles("hi")
	for _, p := range prove.Promises() {
		if english[p.ID] != p.Title {
			t.Errorf("%s is %q in English", p.ID, english[p.ID])
		}
		if !regexp.MustCompile(`\p{Devanagari}`).MatchString(hindi[p.ID]) {
			t.Errorf("%s is %q in Hindi", p.ID, hindi[p.ID])
		}
	}
	if len(hindi) != len(english) {
		t.Errorf("%d promises are told in Hindi, %d in English", len(hindi), len(english))
	}
}

func TestOneRunIsMadeAtATime(t *testing.T) {
	p := prove.New(nil, nil)
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	turn, err := p.Begin(1, at)
	if err != nil {
		t.Fatal(err)
	}
	for _, org := range []account.OrgID{1, 2} {
		if _, err := p.Begin(org, at); fault.KindOf(err) != fault.Conflict {
			t.Errorf("organisation %d begins a second run: %v", org, err)
		}
	}
	turn.Said(1, 3, "Second")
	if got := p.Progress(1); got != (prove.Progress{Running: true, Begun: at, Done: 1, Of: 3, Title: "Second"}) {
		t.Errorf("the run is at %+v", got)
	}
	if p.Progress(2).Running {
		t.Error("another organisation sees the run")
	}
	turn.End(fault.New(fault.Unavailable, "The disk is full."))
	if got := p.Progress(1); got != (prove.Progress{Failure: "The disk is full."}) {
		t.Errorf("the run ended as %+v", got)
	}
	turn, err = p.Begin(1, at)
	if err != nil || p.Progress(1).Failure != "" {
		t.Errorf("the next run does not begin anew: %v", err)
	}
	turn.End(nil)
	if p.Progress(1) != (prove.Progress{}) {
		t.Error("a run that ended well left something")
	}
}

func keep(t *testing.T, p *prove.Proofs, r *prove.Report) {
	t.Helper()
	if _, err := p.Keep(t.Context(), r, audit.Operator); err != nil {
		t.Fatal(err)
	}
}

func openKeys(t *testing.T) (*vault.Keys, error) {
	t.Helper()
	dir := t.TempDir()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		return nil, err
	}
	keys, err := vault.Open(t.Context(), dir, master)
	if err == nil {
		t.Cleanup(func() { _ = keys.Close() })
	}
	return keys, err
}
