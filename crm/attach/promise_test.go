package attach_test

import (
	"testing"
	"time"

	"parley/calls/call"
	"parley/calls/ingest"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/platform/civil"
	"parley/platform/db"
)

// TestCallsSettleFollowUps: which calls do, which do not, and what happens when the call was none.
func TestCallsSettleFollowUps(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		asha, ravi := w.Agent(w.t, "Asha"), w.Agent(w.t, "Ravi")
		one := w.person("One", "", num(1))
		today := civil.DayOf(w.Now(), w.Org.Location())
		add := func(c contact.ID, kind followup.Kind, day civil.Day) followup.ID {
			t.Helper()
			var f *followup.FollowUp
			w.tx(func(tx *db.Tx) (err error) {
				f, err = w.followups.Add(ctx, tx, w.Org, asha.ID, followup.New{Kind: kind, Contact: c, Owner: asha.ID, Day: day, Text: "x"})
				return err
			})
			return f.ID
		}
		promised, tomorrow, task := add(one.ID, followup.Promised, today), add(one.ID, followup.Call, today+1), add(one.ID, followup.Task, today)
		early := w.Now()
		w.Clock.Advance(time.Hour)
		want := func(what string, id followup.ID, s followup.State) {
			t.Helper()
			w.work()
			all, err := w.followups.Load(ctx, w.DB, w.Org.ID, id)
			w.must(err)
			if all[id] == nil || all[id].State != s {
				t.Errorf("%s: the follow-up is %+v, want %s", what, all[id], s)
			}
		}
		put := func(it ingest.Item) call.Key { return w.Put(w.t, it)[0].Key }
		put(in(asha, 1, num(1), early.Add(-time.Minute), 60))
		want("from before it was made", promised, followup.Open)
		put(out(asha, 1, num(1), w.Now(), 0))
		want("not picked up", promised, followup.Open)
		put(out(asha, 1, num(2), w.Now(), 60))
		want("somebody else", promised, followup.Open)
		first := in(ravi, 2, num(1), w.Now().Add(time.Minute), 60)
		k := put(first)
		want("a colleague was called", promised, followup.Done)
		want("a task is no call", task, followup.Open)
		want("tomorrow is not today", tomorrow, followup.Open)
		if by, ok, err := w.attach.SettledBy(ctx, w.DB, w.Org.ID, promised); err != nil || !ok || by != k {
			t.Errorf("settled by %v, %v, %v", by, ok, err)
		}
		first.Seconds, first.Type = 0, call.TypeMissed
		put(first)
		want("it was missed after all", promised, followup.Open)
		first.Seconds, first.Type = 60, call.TypeIncoming
		put(first)
		want("it was not", promised, followup.Done)
		w.tx(func(tx *db.Tx) error {
			_, err := w.followups.Undo(ctx, tx, w.Org, asha.ID, promised)
			return err
		})
		w.tx(func(tx *db.Tx) error { return w.attach.Mark(ctx, tx, w.Org.ID, one.ID) })
		want("somebody opened it again", promised, followup.Open)
		second := put(out(asha, 1, num(1), w.Now().Add(2*time.Minute), 60))
		want("and called again", promised, followup.Done)
		if _, err := w.Writer.Delete(ctx, w.Org, []call.Key{second}); err != nil {
			t.Fatal(err)
		}
		want("that call was deleted", promised, followup.Open) // the first one did not settle it, as somebody said
		w.Clock.Advance(24 * time.Hour)
		put(out(asha, 1, num(1), w.Now(), 60))
		want("tomorrow has come", tomorrow, followup.Done)
	})
}
