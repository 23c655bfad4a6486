package ingest

import (
	"context"
	"maps"
	"slices"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// EachOf visits the calls with one number by day and agent, restricted or not, in one snapshot.
func (w *Writer) EachOf(ctx context.Context, org account.OrgID, n number.ID, visit func(*call.Row) error) error {
	if n == number.Withheld {
		return nil
	}
	return w.db.Read(ctx, func(tx *db.Tx) error {
		days, err := rollsOf(ctx, tx, org, roll.LastDay, []number.ID{n}, nil)
		if err != nil {
			return err
		}
		for _, k := range days {
			where := call.Where(org).And(`day = ?`, k.day).And(`agent = ?`, k.agent).And(`num = ?`, n)
			if err := call.Each(ctx, tx, where, "ORDER BY start, dir, line", visit); err != nil {
				return err
			}
		}
		return nil
	})
}

// Take detaches the calls with some numbers before a local day, as an erasure does, and leaves everything else of them: they
// were archived. first is asked in each transaction; when it refuses, the calls of that transaction stay. It tells how many
// were detached.
func (w *Writer) Take(ctx context.Context, org *account.Org, numbers []number.ID, to civil.Day, first func(ctx context.Context, tx *db.Tx) error) (calls int64, err error) {
	who := make(map[number.ID]erasing, len(numbers))
	for _, n := range numbers {
		who[n] = erasing{num: n}
	}
	return w.detachAll(ctx, nil, org, to, who, first)
}

// PutBack attaches calls to their numbers again that Take detached. A call that is not found as it was left is stored anew.
func (w *Writer) PutBack(ctx context.Context, org *account.Org, rows []call.Row) error {
	return w.submit(ctx, len(rows), func(ctx context.Context, u *unit) error {
		h, err := u.enter(ctx, org)
		if err != nil {
			return err
		}
		for i := range rows {
			r := rows[i]
			r.Day = h.dayOf(r.Start) // the zone may be another by now
			d, err := u.day(ctx, h, r.Day, r.Agent)
			if err != nil {
				return err
			}
			if _, there := d.find(&r.Key); there {
				continue
			}
			if j, ok := d.left(&r); ok {
				d.remove(j)
			}
			d.insert(&r)
		}
		return nil
	})
}

// left finds what detach left of a call.
func (d *agentDay) left(r *call.Row) (int, bool) {
	best, least := -1, int64(nearMillis+1)
	i, ok := d.head[number.Withheld]
	for ; ok && i >= 0; i = d.chain[i] {
		old := &d.rows[i]
		if d.gone[i] || old.Presentation != call.PresentationErased || old.Direction != r.Direction || old.Line != r.Line || old.Seconds != r.Seconds || old.Type != r.Type {
			continue
		}
		if diff := max(old.Start-r.Start, r.Start-old.Start); diff < least {
			best, least = int(i), diff
		}
	}
	return best, best >= 0
}

// detachAll detaches until no roll-up has one of the numbers; it looks again, since a rebuild may move calls to a day that
// was done already.
func (w *Writer) detachAll(ctx context.Context, devices *device.Devices, org *account.Org, to civil.Day, who map[number.ID]erasing, first func(ctx context.Context, tx *db.Tx) error) (calls int64, err error) {
	want := slices.Collect(maps.Keys(who))
	for {
		var days []dayKey
		if err := w.db.Read(ctx, func(tx *db.Tx) (err error) {
			days, err = rollsOf(ctx, tx, org.ID, to, want, nil)
			return err
		}); err != nil || len(days) == 0 {
			return calls, err
		}
		for len(days) > 0 {
			part := days[:min(len(days), rebuildDays)]
			days = days[len(part):]
			n, err := w.detachDays(ctx, devices, org, part, who, first)
			calls += n
			if err != nil {
				return calls, err
			}
		}
	}
}

// Bundle is the calls of one agent's day with one number.
type Bundle struct {
	Day    civil.Day
	Agent  account.AgentNo
	Number number.ID
}

// Drop deletes calls for good with their notes and tags, and tells how many. Nothing else asks for that but their age; first
// is asked in each transaction.
func (w *Writer) Drop(ctx context.Context, org *account.Org, bundles []Bundle, first func(ctx context.Context, tx *db.Tx) error) (calls int64, err error) {
	for part := range slices.Chunk(bundles, rebuildDays) {
		var n int64
		if err := w.submit(ctx, 0, func(ctx context.Context, u *unit) error {
			n = 0
			if err := first(ctx, u.tx); err != nil {
				return err
			}
			h, err := u.enter(ctx, org)
			if err != nil {
				return err
			}
			for _, b := range part {
				d, err := u.day(ctx, h, b.Day, b.Agent)
				if err != nil {
					return err
				}
				for i := range d.rows {
					if d.rows[i].Number == b.Number && !d.gone[i] {
						d.remove(i)
						n++
					}
				}
				if err := roll.Forget(ctx, u.tx, org.ID, b.Day); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return calls, err
		}
		calls += n
	}
	return calls, nil
}
