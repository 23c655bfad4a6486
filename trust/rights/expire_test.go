package rights_test

import (
	"context"
	"testing"
	"time"

	"parley/platform/db"
	"parley/trust/rights"
)

func TestClosedRequestsEndWithTheirParts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, closed := range []int64{0, 1_000} {
			id := map[int64]string{0: "req_open", 1_000: "req_closed"}[closed]
			if _, err := w.db.Exec(t.Context(), `INSERT INTO requests (org_id, id, kind, channel, state, reason, place, locale, purposes, minor, proof, reviewer, subject_ref, law, received_ms, due_ms,
				extend_ms, extended_ms, confirm_ms, warned_ms, changed_ms, closed_ms, approved_by, approved_ms, run_ms, round)
				VALUES ($1, $2, 'access', 'page', 'done', '', '', 'en', '', 0, '', '', 'member/m', '', 1, 1, 0, 0, 0, 0, 1, $3, '', 0, 0, 0)`, w.org.ID, id, closed); err != nil {
				t.Fatal(err)
			}
			if _, err := w.db.Exec(t.Context(), `INSERT INTO request_events (org_id, request_id, n, at_ms, actor, what, state) VALUES ($1, $2, 1, 1, '', 'x', 'done')`, w.org.ID, id); err != nil {
				t.Fatal(err)
			}
		}
		table := rights.Expiring()[0]
		if old, err := table.Old(t.Context(), w.db, int64(w.org.ID), time.UnixMilli(1_000)); err != nil || len(old) != 0 {
			t.Errorf("due at once: %v (%v)", old, err)
		}
		old, err := table.Old(t.Context(), w.db, int64(w.org.ID), time.UnixMilli(1_001))
		if err != nil || len(old) != 1 || old[0].Who != "member/m" {
			t.Fatalf("due are %+v (%v)", old, err)
		}
		if n, err := table.Clear(t.Context(), w.db, int64(w.org.ID), time.UnixMilli(1_001), old, func(context.Context, db.Conn) error { return nil }); err != nil || n != 1 {
			t.Errorf("%d went (%v)", n, err)
		}
		var requests, events int
		if err := w.db.Row(t.Context(), `SELECT (SELECT count(*) FROM requests), (SELECT count(*) FROM request_events)`).Scan(&requests, &events); err != nil || requests != 1 || events != 1 {
			t.Errorf("%d requests and %d events are left (%v)", requests, events, err)
		}
	})
}
