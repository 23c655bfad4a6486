package retain_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/policy"
	"parley/trust/retain"
)

// inParts has the shelf remove an order item by item; before is asked first and may refuse or break off.
func (s *shelf) inParts(k retain.Keeper, d *db.DB, before func(key string) error) retain.Keeper {
	k.Remove = func(ctx context.Context, _ account.OrgID, o retain.Order) (n int64, err error) {
		for _, i := range o.Items {
			if err := o.Part([]retain.Item{i}, func(first func(context.Context, *db.Tx) error) error {
				if err := before(i.Key); err != nil {
					return err
				}
				if err := d.Tx(ctx, func(tx *db.Tx) error { return first(ctx, tx) }); err != nil {
					return err
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.items, i.Key)
				n += i.Rows
				return nil
			}); err != nil {
				return n, err
			}
		}
		return n, nil
	}
	return k
}

func eachPart(t *testing.T, before func(key string) error, tell func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.rules[0].Notice, w.rules[0].Archive = policy.Period{}, policy.Period{N: 90, Unit: policy.Days}
		k, err := w.keys.Org(t.Context(), int64(w.org.ID))
		if err != nil {
			t.Fatal(err)
		}
		if err := k.EnsureSubjects(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		w.use(w.shelf.inParts(w.shelf.archiving(d), d, before))
		for n := range int64(5) {
			w.shelf.put(item(n+1, w.now.AddDate(-2, 0, 0), 1))
		}
		tell(t, w)
	}, schemas...)
}

func (w *world) kept() (keys []string) {
	w.t.Helper()
	all, err := w.Archive(w.t.Context(), w.by)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range all {
		_, content, err := w.Open(w.t.Context(), w.by, a.ID)
		if err != nil || string(content) != "canary of "+a.Item {
			w.t.Errorf("%s holds %q (%v)", a.Item, content, err)
		}
		keys = append(keys, a.Item)
	}
	slices.Sort(keys)
	return keys
}

func TestWhatChangedMeanwhileIsLeftOutOfALargeOrder(t *testing.T) {
	refuse := "number/3"
	eachPart(t, func(key string) error {
		if key == refuse {
			return fault.New(fault.Conflict, "Somebody called meanwhile.")
		}
		return nil
	}, func(t *testing.T, w *world) {
		refuse = "number/3"
		out := w.run()
		p := out.Applied[0]
		if p.State != retain.Applied || p.Rows != 5 || p.Removed != 4 || p.Why != "Somebody called meanwhile." {
			t.Errorf("the plan ended %s, %d of %d rows: %s", p.State, p.Removed, p.Rows, p.Why)
		}
		if got := fmt.Sprint(w.kept()); got != "[number/1 number/2 number/4 number/5]" || !w.shelf.has("number/3") {
			t.Errorf("in the archive are %s, still there: %v", got, w.shelf.items)
		}
		refuse = ""
		w.now = w.now.Add(24 * time.Hour)
		if out := w.run(); len(out.Applied) != 1 || out.Applied[0].Removed != 1 {
			t.Errorf("the next day: %+v", out.Applied)
		}
		if len(w.kept()) != 5 {
			t.Errorf("in the archive are %v", w.kept())
		}
	})
}

// A run that breaks off between two parts loses nothing: what was decided lies in the archive, and the next run goes on.
func TestALargeOrderGoesOnAfterAStop(t *testing.T) {
	parts := 0
	eachPart(t, func(string) error {
		if parts++; parts == 3 {
			return errors.New("the power went off")
		}
		return nil
	}, func(t *testing.T, w *world) {
		parts = 0
		if _, err := w.Run(t.Context(), w.org.ID); err == nil {
			t.Fatal("the run did not fail")
		}
		if left := len(w.shelf.items); left != 3 || len(w.kept()) != 2 {
			t.Errorf("%d items are left, in the archive are %v", left, w.kept())
		}
		w.now = w.now.Add(24 * time.Hour)
		out := w.run()
		if p := out.Applied[0]; p.State != retain.Applied || p.Removed != 5 || p.Why != "" {
			t.Errorf("the plan ended %s, %d rows: %s", p.State, p.Removed, p.Why)
		}
		if len(w.shelf.items) != 0 || len(w.kept()) != 5 {
			t.Errorf("left are %v, in the archive %v", w.shelf.items, w.kept())
		}
		if again := w.run(); len(again.Applied) > 0 {
			t.Errorf("a further run: %+v", again.Applied)
		}
	})
}
