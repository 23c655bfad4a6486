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
	return w.EachOfAll(ctx, org, []number.ID{n}, visit)
}

// fewNumbers is up to how many numbers the database picks their calls out of an agent's day.
const fewNumbers = 8

// EachOfAll is EachOf for many numbers at once: each day is read once for all of them.
func (w *Writer) EachOfAll(ctx context.Context, org account.OrgID, numbers []number.ID, visit func(*call.Row) error) error {
	numbers = slices.DeleteFunc(slices.Clone(numbers), func(n number.ID) bool { return n == number.Withheld })
	if len(numbers) == 0 {
		return nil
	}
	want := roll.SetOf(numbers...)
	return w.db.Read(ctx, func(tx *db.Tx) error {
		days, err := rollsOf(ctx, tx, org, roll.LastDay, numbers, nil)
		if err != nil {
			return err
		}
		for _, k := range days {
			where := call.Where(org).And(`day = ?`, k.day).And(`agent = ?`, k.agent)
			if len(numbers) <= fewNumbers {
				where = where.Filter(&call.Filter{Numbers: numbers, Excluded: true}, 0)
			}
			if err := call.Each(ctx, tx, where, "ORDER BY start, dir, line", func(r *call.Row) error {
				if !want.Has(r.Number) {
					return nil
				}
				return visit(r)
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// DaysOf tells on which days of which lines numbers had calls.
func (w *Writer) DaysOf(ctx context.Context, org account.OrgID, numbers []number.ID) (map[number.ID][]device.LineDay, error) {
	out := map[number.ID][]device.LineDay{}
	return out, w.EachOfAll(ctx, org, numbers, func(r *call.Row) error {
		if on := (device.LineDay{Line: r.Line, Day: r.Day}); !slices.Contains(out[r.Number], on) {
			out[r.Number] = append(out[r.Number], on)
		}
		return nil
	})
}

// BeginTaking decides that the calls with some numbers before a local day are detached, as an erasure does, and everything
// else of them left: they were archived. first is asked in the transaction; when it refuses, nothing is decided. EndTaking
// carries it out, and the next start does where it was broken off. Phones are ordered to forget those that are in the book.
func (w *Writer) BeginTaking(ctx context.Context, devices *device.Devices, org *account.Org, numbers []number.ID, to civil.Day, first func(ctx context.Context, tx *db.Tx) error) error {
	return w.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := first(ctx, tx); err != nil {
			return err
		}
		texts, err := w.book.Texts(ctx, tx, org.ID, numbers)
		if err != nil {
			return err
		}
		for _, n := range numbers {
			order, sealed, err := orderFor(ctx, devices, org, texts[n])
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO taking_numbers (org_id, num, before_day, order_id, sealed) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (org_id, num) DO UPDATE SET before_day = excluded.before_day`, org.ID, n, to, order, sealed); err != nil {
				return err
			}
		}
		return nil
	})
}

// EndTaking detaches what BeginTaking decided, and tells how many calls.
func (w *Writer) EndTaking(ctx context.Context, devices *device.Devices, org *account.Org) (calls int64, err error) {
	type taken struct {
		erasing
		to civil.Day
	}
	all, err := db.Select(ctx, w.db, func(r db.Scanner) (t taken, err error) {
		return t, r.Scan(&t.num, &t.to, &t.order, &t.sealed)
	}, `SELECT num, before_day, order_id, sealed FROM taking_numbers WHERE org_id = $1`, org.ID)
	if err != nil {
		return 0, err
	}
	byDay := map[civil.Day]map[number.ID]erasing{}
	for _, t := range all {
		if byDay[t.to] == nil {
			byDay[t.to] = map[number.ID]erasing{}
		}
		byDay[t.to][t.num] = t.erasing
	}
	for to, who := range byDay {
		n, err := w.detachAll(ctx, devices, org, to, who)
		calls += n
		if err != nil {
			return calls, err
		}
		for part := range slices.Chunk(slices.Collect(maps.Keys(who)), eraseAtOnce) {
			args := []any{org.ID}
			for _, n := range part {
				args = append(args, n)
			}
			if _, err := w.db.Exec(ctx, `DELETE FROM taking_numbers WHERE org_id = $1 AND num IN `+db.In(2, len(part)), args...); err != nil {
				return calls, err
			}
		}
	}
	return calls, nil
}

// orderFor makes the order to phones to forget a number; there is none for one that is not known.
func orderFor(ctx context.Context, devices *device.Devices, org *account.Org, canonical string) (order string, sealed []byte, err error) {
	if canonical == "" {
		return "", []byte{}, nil
	}
	return devices.NewForget(ctx, org.ID, canonical)
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
func (w *Writer) detachAll(ctx context.Context, devices *device.Devices, org *account.Org, to civil.Day, who map[number.ID]erasing) (calls int64, err error) {
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
			n, err := w.detachDays(ctx, devices, org, part, who)
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
