package ingest_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// witness hears what the writer tells, and compares it with what changed in the table.
type witness struct {
	w     *calltest.World
	heard []ingest.Changes
	had   map[call.Key]call.Row
}

func newWitness(w *calltest.World) *witness {
	s := &witness{w: w, had: map[call.Key]call.Row{}}
	w.Writer.Watch(func(_ context.Context, _ *db.Tx, org account.OrgID, c *ingest.Changes) error {
		if org == w.Org.ID {
			s.heard = append(s.heard, *c)
		}
		return nil
	})
	return s
}

// check compares what was told since the last check with what happened.
func (s *witness) check(t *testing.T, what string) {
	t.Helper()
	numbers, days := map[number.ID]bool{}, map[ingest.AgentDay]bool{}
	for _, c := range s.heard {
		for _, n := range c.Numbers {
			numbers[n] = true
		}
		for _, d := range c.Days {
			days[d] = true
		}
	}
	now := map[call.Key]call.Row{}
	for _, r := range s.w.Rows(t) {
		now[r.Key] = r
	}
	wantNumbers, wantDays := map[number.ID]bool{}, map[ingest.AgentDay]bool{}
	for k, r := range now {
		if old, ok := s.had[k]; !ok || old != r {
			wantNumbers[k.Number], wantDays[ingest.AgentDay{Day: k.Day, Agent: k.Agent}] = true, true
		}
	}
	for k := range s.had {
		if _, ok := now[k]; !ok {
			wantNumbers[k.Number], wantDays[ingest.AgentDay{Day: k.Day, Agent: k.Agent}] = true, true
		}
	}
	delete(wantNumbers, number.Withheld)
	if !maps.Equal(numbers, wantNumbers) {
		t.Fatalf("%s: told of numbers %v, changed were %v", what, slices.Sorted(maps.Keys(numbers)), slices.Sorted(maps.Keys(wantNumbers)))
	}
	if !maps.Equal(days, wantDays) {
		t.Fatalf("%s: told of days %v, changed were %v", what, days, wantDays)
	}
	s.had, s.heard = now, nil
}

// TestWatch: whoever watches hears of exactly the numbers whose calls changed, whatever changed them.
func TestWatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := calltest.New(t, d)
		a := w.Agent(t, "Ravi")
		s := newWitness(w)
		rnd := rand.New(rand.NewPCG(3, 4))
		item := func(ref int64) ingest.Item {
			it := ingest.Item{Agent: a.Agent, Line: 1, Start: w.Now().Add(-time.Duration(rnd.IntN(4000)) * time.Minute), Direction: call.Incoming, Type: call.TypeIncoming, Seconds: rnd.IntN(3), Ref: ref}
			if n := rnd.IntN(8); n > 0 {
				it.Number = fmt.Sprintf("+9198123000%02d", n)
			}
			return it
		}
		for step := range 60 {
			keys := slices.SortedFunc(maps.Keys(s.had), call.Key.Compare)
			switch op := rnd.IntN(5); {
			case op < 2 || len(keys) == 0:
				w.Put(t, item(int64(step+1)), item(int64(1000+step)), item(int64(1+rnd.IntN(step+1)))) // the third corrects an earlier one
				s.check(t, "put")
			case op == 2:
				if _, err := w.Writer.Correct(t.Context(), w.Org, keys[rnd.IntN(len(keys))], item(0)); err != nil {
					t.Fatal(err)
				}
				s.check(t, "correct")
			case op == 3:
				if _, err := w.Writer.Delete(t.Context(), w.Org, keys[:min(2, len(keys))]); err != nil {
					t.Fatal(err)
				}
				s.check(t, "delete")
			default:
				k := keys[rnd.IntN(len(keys))]
				r := s.had[k]
				it := ingest.Item{Agent: k.Agent, Line: k.Line, Start: time.UnixMilli(k.Start), Direction: k.Direction, Type: call.TypeRejected, Ref: r.Ref}
				if k.Number != number.Withheld {
					texts, err := w.Book.Texts(t.Context(), w.DB, w.Org.ID, []number.ID{k.Number})
					if err != nil {
						t.Fatal(err)
					}
					it.Number = texts[k.Number]
				}
				w.Put(t, it) // its phone says that it was another type
				s.check(t, "reclassify")
			}
		}
	}, calltest.Schemas()...)
}

// TestWatchFlags: a number that is kept out is told, although none of its calls changed.
func TestWatchFlags(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := calltest.New(t, d)
		a := w.Agent(t, "Ravi")
		s := newWitness(w)
		it := ingest.Item{Agent: a.Agent, Line: 1, Start: w.Now().Add(-time.Hour), Number: "+919812300001", Direction: call.Incoming, Type: call.TypeIncoming, Seconds: 9, Ref: 7}
		k := w.Put(t, it)[0].Key
		s.heard = nil
		if err := w.Writer.Exclude(t.Context(), w.Org, number.Exclusion{Number: it.Number, Strength: number.Hidden, AddedAt: w.Now()}); err != nil {
			t.Fatal(err)
		}
		var flagged []number.ID
		for _, c := range s.heard {
			flagged = append(flagged, c.Flagged...)
		}
		if !slices.Equal(flagged, []number.ID{k.Number}) {
			t.Errorf("told that %v were flagged, want %v", flagged, k.Number)
		}
	}, calltest.Schemas()...)
}
