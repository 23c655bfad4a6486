package ingest

import (
	"cmp"
	"context"
	"slices"

	"parley/account"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// Exclude keeps a number out from now on: of what is stored by hiding it from reports, and of what comes by the exclusion's
// strength. It returns when every roll-up says so.
func (w *Writer) Exclude(ctx context.Context, org *account.Org, e number.Exclusion) error {
	n, stored, err := w.book.Find(ctx, w.db, org.ID, e.Number)
	if err != nil {
		return err
	}
	return w.reflag(ctx, org, n, stored, func(ctx context.Context, tx *db.Tx) (string, error) {
		return e.Number, w.book.Exclude(ctx, tx, org.ID, e)
	})
}

// Include takes an exclusion back. Calls that were never stored do not come back.
func (w *Writer) Include(ctx context.Context, org *account.Org, key number.Key) error {
	n, err := w.book.ByKey(ctx, w.db, org.ID, key)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return w.reflag(ctx, org, n, err == nil, func(ctx context.Context, tx *db.Tx) (string, error) {
		return w.book.Include(ctx, tx, org.ID, key)
	})
}

// reflag changes the list of exclusions together with the roll-ups that hold number n, if it is stored. The roll-ups are
// found before, without holding the writer, and up to rebuildDays of them are rebuilt in the transaction of the change.
// Whatever is written after that obeys the new list; what was written in between, and the roll-ups of a number that has
// very many, are settled afterwards. Until then the number stands in unsettled_numbers.
func (w *Writer) reflag(ctx context.Context, org *account.Org, n number.ID, stored bool, change func(ctx context.Context, tx *db.Tx) (canonical string, err error)) error {
	var holders []dayKey
	var err error
	if stored {
		if holders, err = w.rollsWith(ctx, org, n, nil); err != nil {
			return err
		}
		holders = holders[:min(len(holders), rebuildDays)]
	}
	if err := w.submit(ctx, 0, func(ctx context.Context, u *unit) error {
		if err := u.flush(ctx); err != nil { // what came with this in one group was read by the old list
			return err
		}
		canonical, err := change(ctx, u.tx)
		if err != nil {
			return err
		}
		u.restart()
		if n, stored, err = w.book.Find(ctx, u.tx, org.ID, canonical); err != nil || !stored {
			return err
		}
		if _, err := u.tx.Exec(ctx, `INSERT INTO unsettled_numbers (org_id, num) VALUES ($1, $2) ON CONFLICT DO NOTHING`, org.ID, n); err != nil {
			return err
		}
		return u.rollAgain(ctx, org, holders)
	}); err != nil || !stored {
		return err
	}
	return w.settleNumber(ctx, org, n)
}

// rollAgain has the roll-ups of agent-days rebuilt.
func (u *unit) rollAgain(ctx context.Context, org *account.Org, days []dayKey) error {
	h, err := u.enter(ctx, org)
	if err != nil {
		return err
	}
	for _, k := range days {
		d, err := u.day(ctx, h, k.day, k.agent)
		if err != nil {
			return err
		}
		d.changed = true
	}
	return nil
}

// settleNumber rebuilds the roll-ups in which a number is not marked as the list of exclusions has it.
func (w *Writer) settleNumber(ctx context.Context, org *account.Org, n number.ID) error {
	ex, err := w.book.Excluded(ctx, w.db, org.ID)
	if err != nil {
		return err
	}
	stale, err := w.rollsWith(ctx, org, n, func(f roll.Flags) bool { return (f&roll.Hidden != 0) != ex.Hidden[n] })
	if err != nil {
		return err
	}
	for part := range slices.Chunk(stale, rebuildDays) {
		if err := w.submit(ctx, 0, func(ctx context.Context, u *unit) error { return u.rollAgain(ctx, org, part) }); err != nil {
			return err
		}
	}
	return w.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM unsettled_numbers WHERE org_id = $1 AND num = $2`, org.ID, n)
		return err
	})
}

// rollsWith lists the agent-days whose roll-ups hold a number with flags that match; nil matches all. There is no index
// from numbers to days: reading all roll-ups costs about a second for ten million calls.
func (w *Writer) rollsWith(ctx context.Context, org *account.Org, n number.ID, match func(roll.Flags) bool) ([]dayKey, error) {
	var out []dayKey
	err := w.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Rows(ctx, `SELECT day, agent, b FROM rolls WHERE org_id = $1`, org.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		var d roll.Day
		for rows.Next() {
			var b []byte
			k := dayKey{org: org.ID}
			if err := rows.Scan(&k.day, &k.agent, &b); err != nil {
				return err
			}
			if err := d.Decode(b); err != nil {
				return err
			}
			i, ok := slices.BinarySearchFunc(d.Numbers, n, func(e roll.Entry, n number.ID) int { return cmp.Compare(e.Number, n) })
			if ok && (match == nil || match(d.Numbers[i].Flags)) {
				out = append(out, k)
			}
		}
		return rows.Err()
	})
	return out, err
}

func scanDay(r db.Scanner) (d civil.Day, err error) { return d, r.Scan(&d) }
