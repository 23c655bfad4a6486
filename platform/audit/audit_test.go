package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"math/bits"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/vault"
)

// world is a log over one database, with a clock that tests move.
type world struct {
	*audit.Log
	t    testing.TB
	db   *db.DB
	keys *vault.Keys
	mu   sync.Mutex
	at   time.Time
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	dir := t.TempDir()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := vault.Open(t.Context(), dir, master)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, db: d, keys: k, at: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	w.Log = audit.New(d, k, w.now)
	return w
}

func each(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { story(t, newWorld(t, d)) }, dbtest.Schema{Series: "audit", Files: audit.Schema})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// fill records n entries, each a second after the one before, about persons number/1 to number/5 by turns.
func (w *world) fill(org int64, n int) {
	w.t.Helper()
	for i := range n {
		w.advance(time.Second)
		w.must(w.Record(w.t.Context(), org, audit.Entry{Actor: fmt.Sprintf("mem_%d", i%3), Action: audit.NumberOpened, About: fmt.Sprintf("number/%d", i%5+1), Object: fmt.Sprintf("page/%d", i), Purpose: "call_ops", Policy: 3}))
	}
}

func (w *world) export(org int64) string {
	w.t.Helper()
	var b bytes.Buffer
	_, err := w.Export(w.t.Context(), org, &b)
	w.must(err)
	return b.String()
}

// faults verifies the stored log and gives what is wrong with it.
func (w *world) faults(org int64) []string {
	w.t.Helper()
	v, err := w.Verify(w.t.Context(), org)
	w.must(err)
	return v.Faults
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	n, err := w.db.Exec(w.t.Context(), query, args...)
	w.must(err)
	if n == 0 {
		w.t.Fatalf("%s changed nothing", query)
	}
}

func TestWhatIsLoggedIsRead(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		var n int64
		w.must(w.db.Tx(ctx, func(tx *db.Tx) (err error) {
			if _, err = w.Append(ctx, tx, 1, audit.Entry{Actor: "mem_1", Action: audit.CallOpened, About: "number/7", Object: "call/abc", Purpose: "call_ops", Policy: 2, Details: map[string]string{"by": "token"}}); err != nil {
				return err
			}
			n, err = w.Append(ctx, tx, 1, audit.Entry{Action: audit.ExportMade, Object: "report/calls", Result: audit.Denied})
			return err
		}))
		if n != 1 {
			t.Errorf("the second entry stands at %d", n)
		}
		got, next, err := w.List(ctx, 1, audit.Filter{})
		w.must(err)
		if len(got) != 2 || next != 0 {
			t.Fatalf("%d entries, next %d", len(got), next)
		}
		e := got[1]
		if e.Actor != "mem_1" || e.About != "number/7" || e.Object != "call/abc" || e.Purpose != "call_ops" || e.Policy != 2 || e.Result != audit.OK || e.Details["by"] != "token" || !e.At.Equal(w.now()) {
			t.Errorf("read %+v", e)
		}
		if got[0].Actor != audit.Operator || got[0].Result != audit.Denied || got[0].About != "" {
			t.Errorf("read %+v", got[0])
		}
		for _, secret := range []string{"mem_1", "number/7", "abc", "token"} {
			if strings.Contains(e.Leaf, secret) {
				t.Errorf("the leaf tells %s: %s", secret, e.Leaf)
			}
		}
		if other, _, err := w.List(ctx, 2, audit.Filter{}); err != nil || len(other) != 0 {
			t.Errorf("another organisation reads %d entries, %v", len(other), err)
		}
	})
}

func TestARolledBackEntryIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 3)
		failed := fmt.Errorf("the caller failed")
		err := w.db.Tx(t.Context(), func(tx *db.Tx) error {
			if _, err := w.Append(t.Context(), tx, 1, audit.Entry{Action: audit.PolicyChanged}); err != nil {
				return err
			}
			return failed
		})
		if err == nil {
			t.Fatal("the transaction did not fail")
		}
		w.fill(1, 1)
		if size, err := w.Size(t.Context(), 1); err != nil || size != 4 {
			t.Errorf("%d entries, %v", size, err)
		}
		if f := w.faults(1); len(f) > 0 {
			t.Error(f)
		}
	})
}

func TestWhatTheProgramGetsWrongIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, e := range []audit.Entry{
			{}, {Action: "Opened"}, {Action: audit.CallOpened, About: "number"}, {Action: audit.CallOpened, About: "x y/1"},
			{Action: audit.CallOpened, Object: "/1"}, {Action: audit.CallOpened, Purpose: "A b"}, {Action: audit.CallOpened, Result: "no!"},
			{Action: audit.CallOpened, Actor: strings.Repeat("x", 201)},
		} {
			if err := w.Record(t.Context(), 1, e); err == nil {
				t.Errorf("%+v was taken", e)
			}
		}
	})
}

func TestFiltersAndPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, start := t.Context(), w.now()
		w.fill(1, 30) // at start+1s to start+30s
		w.must(w.Record(ctx, 1, audit.Entry{Actor: "mem_1", Action: audit.SettingsChanged}))
		count := func(f audit.Filter) (n int) {
			t.Helper()
			f.Limit = 4
			last := int64(1 << 40)
			for {
				got, next, err := w.List(ctx, 1, f)
				w.must(err)
				for _, e := range got {
					if e.N >= last {
						t.Fatalf("entry %d comes after %d", e.N, last)
					}
					last = e.N
				}
				n += len(got)
				if next == 0 {
					return n
				}
				f.Before = next
			}
		}
		for _, x := range []struct {
			what string
			f    audit.Filter
			want int
		}{
			{"all", audit.Filter{}, 31},
			{"about", audit.Filter{About: "number/2"}, 6},
			{"actor", audit.Filter{Actor: "mem_1"}, 11},
			{"actor and person", audit.Filter{Actor: "mem_1", About: "number/2"}, 2},
			{"action", audit.Filter{Actions: []audit.Action{audit.SettingsChanged, audit.RoleChanged}}, 1},
			{"nobody", audit.Filter{About: "number/99"}, 0},
			{"from", audit.Filter{From: start.Add(21 * time.Second)}, 11},
			{"to", audit.Filter{To: start.Add(21 * time.Second)}, 20},
			{"between", audit.Filter{From: start.Add(11 * time.Second), To: start.Add(16 * time.Second)}, 5},
			{"later", audit.Filter{From: start.Add(time.Hour)}, 0},
		} {
			if got := count(x.f); got != x.want {
				t.Errorf("%s: %d entries, want %d", x.what, got, x.want)
			}
		}
	})
}

func TestAClockSetBackDoesNotSpoilTheOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 3)
		w.advance(-time.Hour)
		w.fill(1, 3)
		if f := w.faults(1); len(f) > 0 {
			t.Error(f)
		}
	})
}

func TestErasureLeavesEveryProof(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.fill(1, 20)
		older, err := w.Checkpoint(ctx, 1)
		w.must(err)
		remembered, err := w.Remembered(ctx, 1, "number/2")
		w.must(err)
		var forgotten int64
		w.must(w.db.Tx(ctx, func(tx *db.Tx) error {
			forgotten, err = w.Forget(ctx, tx, 1, "number/2")
			return err
		}))
		after, err := w.Remembered(ctx, 1, "number/2")
		w.must(err)
		if forgotten != 4 || remembered != 4 || after != 0 {
			t.Errorf("%d entries were forgotten of %d, and %d are left; want 4 of 4", forgotten, remembered, after)
		}
		w.fill(1, 5)
		got, _, err := w.List(ctx, 1, audit.Filter{Limit: 100})
		w.must(err)
		for _, e := range got {
			gone := e.N < 20 && e.N%5 == 1
			if e.Forgotten != gone || gone != (e.About == "") || gone != (e.Actor == "") {
				t.Errorf("after the erasure entry %d is %+v", e.N, e)
			}
			if gone && (e.Action != audit.NumberOpened || e.Purpose != "call_ops" || !strings.HasPrefix(e.WhoHash, "member:")) {
				t.Errorf("the erasure took more than the person: %+v", e)
			}
			p, err := w.Prove(ctx, 1, e.N)
			w.must(err)
			if _, err := p.Check(""); err != nil {
				t.Errorf("the proof of entry %d: %v", e.N, err)
			}
		}
		if f := w.faults(1); len(f) > 0 {
			t.Error(f)
		}
		key, err := w.Key(ctx, 1)
		w.must(err)
		v, err := audit.Verify(strings.NewReader(w.export(1)), audit.Known{Key: key, Checkpoints: []string{older.Note}})
		w.must(err)
		if !v.OK() || v.Entries != 25 || v.Checkpoints != 2 || !v.KeyKnown {
			t.Errorf("%+v", v)
		}
	})
}

func TestErasingWhoActedForgetsWhatTheyDid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 6)
		w.must(w.db.Tx(t.Context(), func(tx *db.Tx) error {
			n, err := w.Forget(t.Context(), tx, 1, "member/mem_0")
			if n != 2 {
				t.Errorf("%d entries were forgotten, want 2", n)
			}
			return err
		}))
	})
}

func TestAPersonsKeyTakesTheirEntriesAlong(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k, err := w.keys.Org(t.Context(), 1)
		w.must(err)
		w.must(k.EnsureSubjects(t.Context(), 5))
		w.fill(1, 10)
		w.must(k.DestroySubject(t.Context(), 2))
		got, _, err := w.List(t.Context(), 1, audit.Filter{})
		w.must(err)
		for _, e := range got {
			if gone := e.N%5 == 1; e.Forgotten != gone {
				t.Errorf("entry %d forgotten: %v, want %v", e.N, e.Forgotten, gone)
			}
		}
		w.must(w.Record(t.Context(), 1, audit.Entry{Action: audit.PersonErased, About: "number/2"}))
		if f := w.faults(1); len(f) > 0 {
			t.Error(f)
		}
	})
}

func TestTheSameAgainCountsOnceInAWhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		look := audit.Entry{Actor: "mem_1", Action: audit.NumberOpened, About: "number/1"}
		other := look
		other.About = "number/2"
		for range 3 {
			w.must(w.RecordOnce(t.Context(), 1, 5*time.Minute, look))
		}
		w.must(w.RecordOnce(t.Context(), 1, 5*time.Minute, look, other))
		w.must(w.RecordOnce(t.Context(), 2, 5*time.Minute, look))
		w.advance(5 * time.Minute)
		w.must(w.RecordOnce(t.Context(), 1, 5*time.Minute, look))
		for org, want := range map[int64]int64{1: 3, 2: 1} {
			if got, err := w.Size(t.Context(), org); err != nil || got != want {
				t.Errorf("organisation %d has %d entries, want %d (%v)", org, got, want, err)
			}
		}
	})
}

func TestManyAtOnceMakeOneLog(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for i := range 40 {
					var err error
					if i%4 == 0 {
						err = w.db.Tx(t.Context(), func(tx *db.Tx) error {
							_, err := w.Append(t.Context(), tx, int64(g%2+1), audit.Entry{Action: audit.HoldChanged})
							return err
						})
					} else {
						err = w.Record(t.Context(), int64(g%2+1), audit.Entry{Actor: fmt.Sprint(g), Action: audit.CallsListed})
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		for org := int64(1); org <= 2; org++ {
			if size, err := w.Size(t.Context(), org); err != nil || size != 160 {
				t.Errorf("%d entries, %v", size, err)
			}
			if f := w.faults(org); len(f) > 0 {
				t.Error(f)
			}
		}
	})
}

func TestAClosedOrganisationLeavesNoLog(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 300)
		w.fill(2, 2)
		_, err := w.Checkpoint(t.Context(), 1)
		w.must(err)
		w.must(w.db.Tx(t.Context(), func(tx *db.Tx) error { return audit.Delete(t.Context(), tx, 1) }))
		for _, table := range []string{"audit_logs", "audit_entries", "audit_secrets", "audit_blocks", "audit_checkpoints", "audit_witnesses"} {
			var n int
			w.must(w.db.Row(t.Context(), `SELECT count(*) FROM `+table+` WHERE org_id = 1`).Scan(&n))
			if n > 0 {
				t.Errorf("%s has %d rows", table, n)
			}
		}
		if f := w.faults(2); len(f) > 0 {
			t.Error(f)
		}
	})
}

// TestTheBudget appends 100,000 entries, as many at once as a busy server would, well within the time that is allowed on
// the embedded database: 3 s on a quiet machine, see BenchmarkRecord.
func TestTheBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100,000 entries")
	}
	w := newWorld(t, dbtest.SQLite(t, dbtest.Schema{Series: "audit", Files: audit.Schema}))
	entries := 100_000
	if raced {
		entries = 5_000
	}
	began := time.Now()
	w.bulk(entries)
	if took := time.Since(began); took > 15*time.Second && !raced {
		t.Errorf("%d entries took %s", entries, took)
	}
	v, err := w.Verify(t.Context(), 1)
	w.must(err)
	if !v.OK() || v.Entries != int64(entries) {
		t.Errorf("%+v", v)
	}
	p, err := w.Prove(t.Context(), 1, int64(entries)*7/9)
	w.must(err)
	if c, err := p.Check(""); err != nil || c.Size != int64(entries) || len(p.Hashes) > bits.Len(uint(entries)) {
		t.Errorf("a proof of %d hashes: %v", len(p.Hashes), err)
	}
}

// bulk records n entries by 64 callers at once.
func (w *world) bulk(n int) {
	const callers, together = 64, 64
	var all sync.WaitGroup
	for g := range callers {
		all.Go(func() {
			some := make([]audit.Entry, 0, together)
			for i := g; i < n; i += callers {
				some = append(some, audit.Entry{Actor: fmt.Sprintf("mem_%d", g), Action: audit.CallOpened, About: fmt.Sprintf("number/%d", i), Object: fmt.Sprintf("call/%d", i), Purpose: "call_ops", Policy: 3})
				if len(some) == together || i+callers >= n {
					if err := w.Record(context.Background(), 1, some...); err != nil {
						w.t.Error(err)
					}
					some = some[:0]
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkRecord measures one entry of 100,000.
func BenchmarkRecord(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b, dbtest.Schema{Series: "audit", Files: audit.Schema}))
	k, err := w.keys.Org(b.Context(), 1)
	w.must(err)
	w.must(k.EnsureSubjects(b.Context(), int64(b.N)))
	b.ResetTimer()
	w.bulk(b.N)
}
