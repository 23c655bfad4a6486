package consent_test

import (
	"testing"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

func TestAnErasedNumberStaysKnownAsErased(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		other := w.newOrg("Other")
		set, err := w.consents.Tombstones(t.Context(), d, w.org.ID)
		if err != nil || set.Len() != 0 {
			t.Fatal(set, err)
		}
		at := w.now
		w.tx(func(tx *db.Tx) error { return w.consents.Bury(t.Context(), tx, w.org.ID, asha.Number) })
		w.now = w.now.Add(time.Hour)
		for name, s := range map[string]interface {
			len() (int, time.Time, bool)
		}{"at once": reading{w, d, w.org.ID}, "after a restart": reading{&world{t: t, consents: w.service()}, d, w.org.ID}} {
			if n, when, ok := s.len(); n != 1 || !ok || !when.Equal(at) {
				t.Errorf("%s: %d erased, %v at %v, want at %v", name, n, ok, when, at)
			}
		}
		if _, ok, err := w.consents.Erased(t.Context(), d, w.org.ID, ravi.Number); ok || err != nil {
			t.Errorf("another number counts as erased: %v", err)
		}
		if _, ok, err := w.consents.Erased(t.Context(), d, other.ID, asha.Number); ok || err != nil {
			t.Errorf("the number counts as erased in another organisation: %v", err)
		}
		before, _ := w.consents.Tombstones(t.Context(), d, w.org.ID)
		if same, _ := w.consents.Tombstones(t.Context(), d, w.org.ID); same != before {
			t.Error("the set was read again though nothing had changed")
		}
		w.tx(func(tx *db.Tx) error {
			found, err := w.consents.Unbury(t.Context(), tx, w.org.ID, asha.Number)
			if !found {
				t.Error("nothing was taken back")
			}
			return err
		})
		if _, ok, err := w.consents.Erased(t.Context(), d, w.org.ID, asha.Number); ok || err != nil {
			t.Errorf("still erased after it was taken back: %v", err)
		}
		w.tx(func(tx *db.Tx) error {
			found, err := w.consents.Unbury(t.Context(), tx, w.org.ID, asha.Number)
			if found {
				t.Error("taken back twice")
			}
			return err
		})
	}, schemas...)
}

// reading asks for the set and for one number in it.
type reading struct {
	w   *world
	d   *db.DB
	org account.OrgID
}

func (r reading) len() (int, time.Time, bool) {
	r.w.t.Helper()
	set, err := r.w.consents.Tombstones(r.w.t.Context(), r.d, r.org)
	if err != nil {
		r.w.t.Fatal(err)
	}
	at, ok := set.Erased(asha.Number)
	return set.Len(), at, ok
}

func TestTombstonesAndSuppressionsAreReplayed(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	w.record(take(asha, "sms"))
	w.tx(func(tx *db.Tx) error { return w.consents.Bury(t.Context(), tx, w.org.ID, asha.Number) })
	tombs, err := w.consents.AllTombstones(t.Context(), w.db, w.org.ID)
	if err != nil || len(tombs) != 1 {
		t.Fatal(tombs, err)
	}
	stops, err := w.consents.AllSuppressions(t.Context(), w.db, w.org.ID)
	if err != nil || len(stops) != 1 {
		t.Fatal(stops, err)
	}
	w.tx(func(tx *db.Tx) error { return w.consents.Delete(t.Context(), tx, w.org.ID) })
	if _, ok, _ := w.consents.Erased(t.Context(), w.db, w.org.ID, asha.Number); ok {
		t.Fatal("nothing was deleted")
	}
	for range 2 {
		w.tx(func(tx *db.Tx) error {
			if err := w.consents.PutTombstones(t.Context(), tx, w.org.ID, tombs); err != nil {
				return err
			}
			return w.consents.PutSuppression(t.Context(), tx, w.org.ID, stops[0])
		})
	}
	if at, ok, err := w.consents.Erased(t.Context(), w.db, w.org.ID, asha.Number); !ok || !at.Equal(w.now) || err != nil {
		t.Errorf("the tombstone was not put back: %v, %v, %v", at, ok, err)
	}
	w.want(asha, "marketing", "sms", "suppressed")
}
