package ingest

import (
	"context"
	"fmt"
	"slices"

	"parley/account"
	"parley/calls/call"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/hold"
)

// Undo removes the calls that an import added, and tells how many. Calls that a phone confirmed since are the phone's and
// stay; so do calls that were there before. An interrupted Undo can be given again.
func (i *Imports) Undo(ctx context.Context, org *account.Org, id string, by account.MemberID) (int64, error) {
	end, err := i.turn(ctx, org.ID)
	if err != nil {
		return 0, err
	}
	defer end()
	m, err := i.One(ctx, org, id)
	if err != nil {
		return 0, err
	}
	switch m.State {
	case ImportRunning:
		return 0, fault.New(fault.Conflict, "The import is still running. Stop it first, or wait for its end.")
	case ImportDry:
		return 0, fault.New(fault.Conflict, "That was a dry run, which added nothing. There is nothing to undo.")
	case ImportUndone:
		return 0, fault.New(fault.Conflict, "The import was undone already.")
	}
	n, err := i.removeAdded(ctx, org, m)
	if err != nil {
		return n, err
	}
	return n, i.w.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE imports SET state = $3, sentence = $4, undone_by = $5, ended_ms = $6 WHERE org_id = $1 AND no = $2`,
			org.ID, m.No, ImportUndone, fmt.Sprintf("Undone: %d calls were removed.", n), by, i.now().UnixMilli())
		return err
	})
}

// removeAdded removes the calls that have the import's number, day by day and a batch at a time.
func (i *Imports) removeAdded(ctx context.Context, org *account.Org, m *Import) (removed int64, err error) {
	if m.From.IsZero() {
		return 0, nil
	}
	// Two days on both sides, since the zone may have changed in between.
	from, to := civil.DayOf(m.From, org.Location())-2, civil.DayOf(m.To, org.Location())+2
	days, err := db.Select(ctx, i.db, func(r db.Scanner) (d civil.Day, err error) { return d, r.Scan(&d) },
		`SELECT day FROM days WHERE org_id = $1 AND day >= $2 AND day <= $3 ORDER BY day`, org.ID, from, to)
	if err != nil {
		return 0, err
	}
	for _, day := range days {
		var keys []call.Key
		if err := call.Each(ctx, i.db, call.Where(org.ID).And(`day = ?`, day).And(`ref = ?`, -m.No), "", func(r *call.Row) error {
			keys = append(keys, r.Key)
			return nil
		}); err != nil {
			return removed, err
		}
		for part := range slices.Chunk(keys, importBatch) {
			n, err := i.w.deleteOf(ctx, org, part, -m.No)
			removed += n
			if err != nil {
				return removed, err
			}
		}
	}
	return removed, nil
}

// deleteOf removes those of the calls that still have ref, and tells how many.
func (w *Writer) deleteOf(ctx context.Context, org *account.Org, keys []call.Key, ref int64) (n int64, err error) {
	err = w.submit(ctx, len(keys), func(ctx context.Context, u *unit) error {
		n = 0
		if err := w.trust.Gate.Ask(ctx, u.tx, org.ID, hold.ImportUndo, call.CategoryCall, keys...); err != nil {
			return err
		}
		for _, k := range keys {
			there, err := u.delete(ctx, org, k, ref)
			if err != nil {
				return err
			}
			if there {
				n++
			}
		}
		return nil
	})
	if err != nil {
		n = 0
	}
	return n, err
}
