package ingest

import (
	"cmp"
	"context"
	"slices"

	"parley/account"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// Exclude keeps a number out from now on: of what is stored by hiding it from reports, and of what comes by the exclusion's
// strength. It returns when every roll-up says so.
func (w *Writer) Exclude(ctx context.Context, org *account.Org, e number.Exclusion) error {
	n, _, err := w.book.Find(ctx, w.db, org.ID, e.Number)
	if err != nil {
		return err
	}
	return w.reflag(ctx, org, n, func(ctx context.Context, tx *db.Tx) (number.ID, error) {
		if err := w.book.Exclude(ctx, tx, org.ID, e); err != nil {
			return 0, err
		}
		n, _, err := w.book.Find(ctx, tx, org.ID, e.Number)
		return n, err
	})
}

// Include takes an exclusion back. Calls that were never stored do not come back.
func (w *Writer) Include(ctx context.Context, org *account.Org, key number.Key) error {
	n, err := w.book.IDOf(ctx, w.db, org.ID, key)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return w.reflag(ctx, org, n, func(ctx context.Context, tx *db.Tx) (number.ID, error) {
		if err := w.book.Include(ctx, tx, org.ID, key); err != nil {
			return 0, err
		}
		n, err := w.book.IDOf(ctx, tx, org.ID, key)
		if fault.KindOf(err) == fault.NotFound {
			return 0, nil
		}
		return n, err
	})
}

// Restrict keeps a number's data from every use but being stored, or ends that. Calls with it are taken on; no report, list
// or page has them, asked for or not. It returns when every roll-up says so.
func (w *Writer) Restrict(ctx context.Context, org *account.Org, n number.ID, on bool) error {
	return w.reflag(ctx, org, n, func(ctx context.Context, tx *db.Tx) (number.ID, error) {
		changed, err := w.book.Restrict(ctx, tx, org.ID, n, on, w.now().UnixMilli())
		if err != nil || !changed {
			return 0, err
		}
		return n, nil
	})
}

// reflag changes what reports may have together with the roll-ups that hold number n, if it is stored (not 0). change tells
// the number as it is now. The roll-ups are found before, without holding the writer, and up to rebuildDays of them are
// rebuilt in the transaction of the change. Whatever is written after that obeys the new list; what was written in between,
// and the roll-ups of a number that has very many, are settled afterwards. Until then the number stands in
// unsettled_numbers.
func (w *Writer) reflag(ctx context.Context, org *account.Org, n number.ID, change func(ctx context.Context, tx *db.Tx) (number.ID, error)) error {
	var holders []dayKey
	var err error
	if n != number.Withheld {
		if holders, err = w.rollsWith(ctx, org, n, nil); err != nil {
			return err
		}
		holders = holders[:min(len(holders), rebuildDays)]
	}
	var now number.ID
	if err := w.submit(ctx, 0, func(ctx context.Context, u *unit) error {
		if err := u.flush(ctx); err != nil { // what came with this in one group was read by the old list
			return err
		}
		now, err = change(ctx, u.tx)
		if err != nil {
			return err
		}
		u.restart()
		if now == number.Withheld {
			return nil
		}
		c := u.changesOf(org.ID)
		c.Flagged = append(c.Flagged, now)
		if _, err := u.tx.Exec(ctx, `INSERT INTO unsettled_numbers (org_id, num) VALUES ($1, $2) ON CONFLICT DO NOTHING`, org.ID, now); err != nil {
			return err
		}
		return u.rollAgain(ctx, org, holders)
	}); err != nil || now == number.Withheld {
		return err
	}
	return w.settleNumber(ctx, org, now)
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
	var want roll.Flags
	if ex.Hidden[n] {
		want |= roll.Hidden
	}
	if ex.Restricted[n] {
		want |= roll.Restricted
	}
	stale, err := w.rollsWith(ctx, org, n, func(f roll.Flags) bool { return f&(roll.Hidden|roll.Restricted) != want })
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

// rollsWith lists the agent-days whose roll-ups hold a number with flags that match; nil matches all.
func (w *Writer) rollsWith(ctx context.Context, org *account.Org, n number.ID, match func(roll.Flags) bool) (out []dayKey, err error) {
	var has func(b []byte) (bool, error)
	if match != nil {
		has = flagged(n, match)
	}
	err = w.db.Read(ctx, func(tx *db.Tx) error {
		out, err = rollsOf(ctx, tx, org.ID, roll.LastDay, []number.ID{n}, has)
		return err
	})
	return out, err
}

// flagged tells whether a roll-up has a number with flags that match.
func flagged(n number.ID, match func(roll.Flags) bool) func(b []byte) (bool, error) {
	var entries []roll.Entry
	return func(b []byte) (is bool, err error) {
		if entries, err = roll.DecodeNumbers(b, entries); err != nil {
			return false, err
		}
		i, ok := slices.BinarySearchFunc(entries, n, func(e roll.Entry, n number.ID) int { return cmp.Compare(e.Number, n) })
		return ok && match(entries[i].Flags), nil
	}
}

// rollsOf lists the agent-days before a day whose roll-ups hold one of the numbers and match; nil matches all. Only the
// roll-ups of days that may have one are read, by the coarse sets.
func rollsOf(ctx context.Context, c db.Conn, org account.OrgID, to civil.Day, numbers []number.ID, match func(b []byte) (bool, error)) (out []dayKey, err error) {
	days, err := stats.DaysWith(ctx, c, org, to, numbers)
	if err != nil {
		return nil, err
	}
	want := roll.SetOf(numbers...)
	for len(days) > 0 {
		n := 1
		for n < len(days) && days[n] == days[n-1]+1 {
			n++
		}
		if err := roll.Walk(ctx, c, org, days[0], days[n-1]+1, func(day civil.Day, agent account.AgentNo, b []byte) error {
			is, err := roll.Holds(b, want)
			if is && match != nil {
				is, err = match(b)
			}
			if is && err == nil {
				out = append(out, dayKey{org, day, agent})
			}
			return err
		}); err != nil {
			return nil, err
		}
		days = days[n:]
	}
	return out, nil
}

func scanDay(r db.Scanner) (d civil.Day, err error) { return d, r.Scan(&d) }
