package consent_test

import (
	"context"
	"testing"
	"time"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/consent"
)

func TestTheLedgerOfWhoeverAgreesToNothingEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		table := consent.Expiring()[1]
		due := func() int {
			old, err := table.Old(t.Context(), d, int64(w.org.ID), w.now)
			if err != nil {
				t.Fatal(err)
			}
			return len(old)
		}
		w.record(give(asha, consent.SMS))
		w.record(give(mira, consent.SMS))
		w.now = w.now.Add(time.Hour)
		if due() != 0 {
			t.Error("a consent in force is due")
		}
		back := give(asha, consent.SMS)
		back.State = consent.Withdrawn
		w.record(back)
		if due() != 0 {
			t.Error("it is due at once")
		}
		w.now = w.now.Add(time.Hour)
		old, err := table.Old(t.Context(), d, int64(w.org.ID), w.now)
		if err != nil || len(old) != 1 || old[0].Rows != 2 || old[0].Who == "" {
			t.Fatalf("due is %+v (%v)", old, err)
		}
		pass := func(context.Context, db.Conn) error { return nil }
		if n, err := table.Clear(t.Context(), d, int64(w.org.ID), w.now, old, pass); err != nil || n != 2 {
			t.Errorf("cleared %d (%v)", n, err)
		}
		if n, err := table.All(t.Context(), d, int64(w.org.ID)); err != nil || n != 1 {
			t.Errorf("%d entries are left (%v)", n, err)
		}
		var wishes int
		if err := d.Row(t.Context(), `SELECT count(*) FROM suppressions WHERE org_id = $1`, w.org.ID).Scan(&wishes); err != nil || wishes == 0 {
			t.Errorf("the wish not to be contacted went along (%v)", err)
		}
	}, schemas...)
}
