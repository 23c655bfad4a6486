package ingest_test

import (
	"context"
	"errors"
	"testing"

	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// What was decided to go to the archive goes, wherever that is broken off, and what came later stays.
func TestTakingGoesOnAfterAStop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := calltest.New(t, d), t.Context()
		const calls = 900 // three transactions
		n := manyCalls(t, w, calls, 300, 3)
		last := civil.Today(w.Now(), w.Org.Location()) - 20
		refused := errors.New("somebody called")
		if err := w.Writer.BeginTaking(ctx, w.Devices, w.Org, []number.ID{n}, last, func(context.Context, *db.Tx) error { return refused }); !errors.Is(err, refused) {
			t.Fatalf("a refusal gave %v", err)
		}
		if got, err := w.Writer.EndTaking(ctx, w.Devices, w.Org); err != nil || got != 0 {
			t.Fatalf("after a refusal %d calls went (%v)", got, err)
		}
		if err := w.Writer.BeginTaking(ctx, w.Devices, w.Org, []number.ID{n}, last, func(context.Context, *db.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
		crash := errors.New("the power failed")
		w.Writer.Trip(func(at string) error {
			if at == "some detached" {
				return crash
			}
			return nil
		})
		if _, err := w.Writer.EndTaking(ctx, w.Devices, w.Org); !errors.Is(err, crash) {
			t.Fatalf("it ended with %v", err)
		}
		w.Writer.Trip(nil)
		if err := w.Writer.Resume(ctx, w.Accounts, w.Devices); err != nil {
			t.Fatal(err)
		}
		var before, after, erased int
		for _, r := range w.Rows(t) {
			switch {
			case r.Number == n && r.Day < last:
				before++
			case r.Number == n:
				after++
			case r.Presentation == call.PresentationErased:
				erased++
			}
		}
		if before != 0 || after == 0 || erased == 0 || after+erased != calls {
			t.Errorf("%d calls of before are left, %d of after, and %d are nobody's", before, after, erased)
		}
		var left int
		if err := d.Row(ctx, `SELECT count(*) FROM taking_numbers WHERE org_id = $1`, w.Org.ID).Scan(&left); err != nil || left > 0 {
			t.Errorf("%d marks are left (%v)", left, err)
		}
	}, calltest.Schemas()...)
}
