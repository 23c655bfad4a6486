package retain_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/subject"
)

func each(t *testing.T, story func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { story(t, newWorld(t, d)) }, schemas...)
}

func TestWhatIsInactiveForAYearIsGoneADayLater(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelf.put(item(1, w.now, 3))
		w.days(362)
		if len(w.notices) != 0 {
			t.Fatalf("%d notices went out on day 362", len(w.notices))
		}
		w.days(2)
		if !w.shelf.has("number/1") {
			t.Error("it is gone on day 364")
		}
		if len(w.notices) != 1 || w.notices[0].Plan.Rows != 3 {
			t.Errorf("the notices are %+v", w.notices)
		}
		w.days(2)
		if w.shelf.has("number/1") {
			t.Error("it is there on day 366")
		}
		history, err := w.History(t.Context(), w.org.ID, 10)
		if err != nil || len(history) != 1 {
			t.Fatalf("the history is %v (%v)", history, err)
		}
		p := history[0]
		if p.State != retain.Applied || p.Removed != 3 || !bytes.Equal(p.Digest, p.RemovedSum) || p.DueAt.Sub(p.MadeAt) < 48*time.Hour {
			t.Errorf("the plan is %+v", p)
		}
		if w.logged("retention.planned") != 1 || w.logged("retention.applied") != 1 {
			t.Error("it is not in the audit log")
		}
	})
}

func TestActivityAfterTheNoticeKeepsAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelf.put(item(1, w.now, 3))
		w.shelf.put(item(2, w.now, 1))
		w.days(364)
		w.shelf.put(item(1, w.now, 4)) // a call came
		w.days(3)
		if !w.shelf.has("number/1") || w.shelf.has("number/2") {
			t.Error("not exactly the inactive number is gone")
		}
		w.days(370)
		if w.shelf.has("number/1") {
			t.Error("the number stays a year after its last call")
		}
	})
}

func TestRowsThatCameAfterTheNoticeWaitForTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelf.put(item(1, w.now, 3))
		w.days(364)
		w.shelf.put(item(1, w.now.AddDate(0, 0, -364), 9)) // an old log was imported
		w.days(1)
		if !w.shelf.has("number/1") {
			t.Error("rows are gone that no notice told of")
		}
		w.days(3)
		if w.shelf.has("number/1") || len(w.notices) != 2 {
			t.Errorf("after the second notice it is still there: %d notices", len(w.notices))
		}
	})
}

func TestAnUnusualShareWaitsForAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for n := range int64(40) {
			i := item(n+1, w.now, 1)
			if n >= 30 {
				i.At = w.now.AddDate(0, 0, 300)
			}
			w.shelf.put(i)
		}
		w.days(370)
		if !w.shelf.has("number/1") {
			t.Fatal("three quarters of all numbers went without anybody looking")
		}
		st := w.status()
		if len(st.Waiting) != 1 || !st.Waiting[0].Stopped() || st.Waiting[0].Share() != 75 || alarms(st) != "stopped" {
			t.Fatalf("waiting is %+v, alarms %v", st.Waiting, st.Alarms)
		}
		if len(w.notices) != 1 || w.notices[0].Alarm == "" {
			t.Errorf("the notices are %+v", w.notices)
		}
		p := st.Waiting[0]
		if _, err := w.Confirm(t.Context(), w.by, p.ID, "00"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("confirming something else than was shown gave %v", err)
		}
		agent := *w.by
		agent.Member = &account.Member{Org: w.org.ID, Role: account.Manager, Active: true}
		if _, err := w.Confirm(t.Context(), &agent, p.ID, hex.EncodeToString(p.Digest)); fault.KindOf(err) != fault.Denied {
			t.Errorf("a manager confirmed: %v", err)
		}
		if _, err := w.Confirm(t.Context(), w.by, p.ID, hex.EncodeToString(p.Digest)); err != nil {
			t.Fatal(err)
		}
		w.run()
		if w.shelf.has("number/1") || !w.shelf.has("number/31") {
			t.Error("the confirmed plan was not carried out exactly")
		}
		if st := w.status(); len(st.Alarms) != 0 {
			t.Errorf("alarms are left: %v", st.Alarms)
		}
	})
}

func TestALegalHoldKeepsAndALawLocks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rules[0].Floors = []retain.Floor{{Place: "IN", Min: policy.Period{N: 400, Unit: policy.Days}, Cite: "DPDP Rules 2025 r. 8(3)"}}
		w.shelf.put(item(1, w.now, 1))
		w.shelf.put(item(2, w.now, 1))
		h, err := w.holds.Add(t.Context(), w.by, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfNumber(2)}, Reason: "Suit 4/2026", Owner: w.by.Member.ID, Ends: w.now.AddDate(0, 0, 600)})
		if err != nil {
			t.Fatal(err)
		}
		end := w.now.AddDate(0, 0, 400)
		w.days(370)
		locks, err := w.LocksOf(t.Context(), w.db, w.org.ID, subject.OfNumber(1))
		if err != nil || len(locks) != 1 || locks[0].Law != "DPDP Rules 2025 r. 8(3)" || !locks[0].Until.Equal(end) {
			t.Fatalf("the locks are %+v (%v)", locks, err)
		}
		plans, err := w.Plans(t.Context(), w.org.ID)
		if err != nil || len(plans) != 1 || len(plans[0].Locked) != 1 || len(plans[0].Held) != 1 || plans[0].Held[0].Hold != h.ID {
			t.Fatalf("the plan is %+v (%v)", plans, err)
		}
		w.days(34)
		if w.shelf.has("number/1") {
			t.Error("what the law had locked stays after its end")
		}
		if locks, _ := w.LocksOf(t.Context(), w.db, w.org.ID, subject.OfNumber(1)); len(locks) != 0 {
			t.Errorf("it is still locked: %+v", locks)
		}
		w.days(190)
		if !w.shelf.has("number/2") {
			t.Error("what was held is gone")
		}
		w.days(10)
		if w.shelf.has("number/2") {
			t.Error("what was held stays after the hold")
		}
	})
}

func TestAHoldAfterTheNoticeStopsAPlan(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelf.put(item(1, w.now, 1))
		w.days(364)
		if _, err := w.holds.Add(t.Context(), w.by, hold.Hold{Scope: hold.Category, Categories: []string{"call.meta"}, Reason: "Suit", Owner: w.by.Member.ID, Ends: w.now.AddDate(1, 0, 0)}); err != nil {
			t.Fatal(err)
		}
		w.days(5)
		if !w.shelf.has("number/1") {
			t.Error("a plan went on against a hold")
		}
	})
}

func TestAPolicyThatChangedIsTheOneThatCounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelf.put(item(1, w.now, 1))
		w.days(364)
		w.rules[0].Max = policy.Period{N: 24, Unit: policy.Months}
		w.days(3)
		if !w.shelf.has("number/1") {
			t.Error("an old plan went on against a longer period")
		}
		w.rules = nil
		w.days(3)
		if !w.shelf.has("number/1") {
			t.Error("something went without a rule")
		}
		w.rules = []retain.Rule{{Category: "call.meta", From: policy.LastActivity, Max: year, Unused: true, Notice: policy.Period{N: 2, Unit: policy.Days}}}
		w.run()
		if plans, err := w.Plans(t.Context(), w.org.ID); err != nil || plans[0].Count != 1 {
			t.Fatalf("a category without a purpose is not planned: %+v (%v)", plans, err)
		}
		w.days(2)
		if w.shelf.has("number/1") {
			t.Error("a category without a purpose stays")
		}
	})
}

func TestAKeeperThatRemovesSomethingElseIsFound(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.shelf.put(item(1, w.now, 1))
		w.shelf.put(item(2, w.now.AddDate(0, 0, 100), 1))
		w.days(365)
		w.shelf.broken = true
		w.now = w.now.AddDate(0, 0, 1)
		if _, err := w.Run(t.Context(), w.org.ID); err == nil {
			t.Error("nobody noticed that another row went, too")
		}
		if got := alarms(w.status()); got != "failed not_run" {
			t.Errorf("the alarms are %q", got)
		}
	})
}

// Whatever happens between: what goes was announced, is a year old, and is not held; what is a year and a day old and
// free is gone; and the sums agree.
func TestPlansAreExact(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rules[0].Max = policy.Period{N: 20, Unit: policy.Days}
		r := rand.New(rand.NewPCG(7, uint64(len(t.Name()))))
		held := map[string]bool{}
		for n := range int64(12) {
			if n%4 == 0 {
				held[subject.OfNumber(n+1).String()] = true
				if _, err := w.holds.Add(t.Context(), w.by, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfNumber(n + 1)}, Reason: "Suit", Owner: w.by.Member.ID, Ends: w.now.AddDate(1, 0, 0)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		removed := int64(0)
		for day := range 80 {
			for range r.IntN(4) {
				w.shelf.put(item(1+r.Int64N(12), w.now.Add(-time.Duration(r.IntN(25*24))*time.Hour), 1+r.Int64N(3)))
			}
			before := map[string]retain.Item{}
			maps.Copy(before, w.shelf.items)
			w.now = w.now.Add(24 * time.Hour)
			for _, p := range w.run().Applied {
				removed += p.Removed
				if p.State == retain.Applied && p.EndedAt.Sub(p.MadeAt) < 48*time.Hour {
					t.Fatalf("day %d: a plan of %s went %s later", day, p.MadeAt, p.EndedAt.Sub(p.MadeAt))
				}
			}
			for k, i := range before {
				old := w.now.Sub(i.At) > 20*24*time.Hour
				if gone := !w.shelf.has(k); gone && (!old || held[k]) {
					t.Fatalf("day %d: %s is gone (old %v, held %v)", day, k, old, held[k])
				}
			}
			if o := w.run(); len(o.Applied) > 0 || len(o.Waiting) > 0 {
				t.Fatalf("day %d: a second run did something: %+v", day, o)
			}
		}
		for range 24 { // day by day: at once it would be an unusual share
			w.now = w.now.Add(24 * time.Hour)
			w.run()
		}
		for k := range w.shelf.items {
			if !held[k] {
				t.Errorf("%s stays", k)
			}
		}
		if removed == 0 {
			t.Error("nothing was ever removed")
		}
	})
}

func TestADraftShowsHowItDiffersFromThePlanBefore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for n := range int64(3) {
			w.shelf.put(item(n+1, w.now, 1))
		}
		w.days(364)
		w.shelf.put(item(1, w.now, 2))
		w.shelf.put(item(9, w.now.AddDate(0, 0, -364), 2))
		plans, err := w.Plans(t.Context(), w.org.ID)
		if err != nil || len(plans) != 1 || plans[0].Before == nil {
			t.Fatalf("the plans are %+v (%v)", plans, err)
		}
		if c := plans[0].Before; c.Count != 3 || c.More != 1 || c.Fewer != 1 {
			t.Errorf("the difference is %+v", c)
		}
		if plans, err = w.Plans(t.Context(), w.org.ID); err != nil || plans[0].State != retain.Draft || len(w.shelf.items) != 4 {
			t.Errorf("looking changed something: %+v (%v)", plans[0], err)
		}
	})
}

func TestRoutineNeedsNobody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k := w.shelf.keeper(w.db)
		k.Routine, k.Events, k.Category, k.Part = true, nil, "account", "sessions"
		k.Own = &retain.Rule{From: "last_use", Max: policy.Period{N: 14, Unit: policy.Days}}
		w.use(k)
		for n := range int64(30) {
			w.shelf.put(item(n+1, w.now, 1))
		}
		w.days(13)
		if len(w.shelf.items) != 30 {
			t.Fatal("sessions ended early")
		}
		w.days(2)
		if len(w.shelf.items) != 0 || len(w.notices) != 0 {
			t.Errorf("%d sessions are left, %d notices went out", len(w.shelf.items), len(w.notices))
		}
	})
}

func TestManyItems(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for n := range int64(1200) {
			w.shelf.put(item(n+1, w.now, 1))
		}
		for n := range int64(9000) {
			w.shelf.put(item(n+5001, w.now.AddDate(1, 0, 0), 1))
		}
		w.now = w.now.AddDate(0, 0, 365)
		w.run()
		w.days(2)
		if n := len(w.shelf.items); n != 9000 {
			t.Errorf("%d are left", n)
		}
	})
}

func TestDigestTellsItemsApart(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	all := []retain.Item{item(1, at, 1), item(2, at, 1)}
	sum := fmt.Sprintf("%x", retain.Digest(all))
	if got := fmt.Sprintf("%x", retain.Digest([]retain.Item{all[1], all[0]})); got != sum {
		t.Error("the order counts")
	}
	for _, other := range [][]retain.Item{nil, all[:1], {item(1, at, 1), item(2, at, 2)}, {item(1, at, 1), item(2, at.Add(time.Millisecond), 1)}, {item(1, at, 1), item(3, at, 1)}} {
		if fmt.Sprintf("%x", retain.Digest(other)) == sum {
			t.Errorf("%+v has the same digest", other)
		}
	}
}
