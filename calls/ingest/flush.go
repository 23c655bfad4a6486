package ingest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// screen answers what can be answered without looking at stored calls, and collects the numbers of the rest.
func screen(items []Item, h *house, now time.Time) (answers []Answer, numbers []string) {
	answers = make([]Answer, len(items))
	numbers = make([]string, 0, len(items))
	for i := range items {
		if err := items[i].check(now); err != nil {
			answers[i] = Answer{State: Refused, Reason: err.Error()}
			continue
		}
		if h.excluded.Drops(items[i].Number) {
			answers[i] = Answer{State: Excluded}
			continue
		}
		if h.erased(&items[i]) {
			answers[i] = Answer{State: Erased}
			continue
		}
		numbers = append(numbers, items[i].Number)
	}
	return answers, numbers
}

// row is the stored form of an item.
func (u *unit) row(h *house, it *Item, n number.ID) call.Row {
	ms := it.Start.UnixMilli()
	return call.Row{
		Key:  call.Key{Day: h.dayOf(ms), Agent: it.Agent, Start: ms, Number: n, Direction: it.Direction, Line: it.Line},
		Type: it.Type, Seconds: it.Seconds, Source: it.Source, Presentation: it.Presentation, Ref: it.Ref, Synced: u.w.now().Unix(),
	}
}

// day gives an agent's day, once per unit.
func (u *unit) day(ctx context.Context, h *house, day civil.Day, agent account.AgentNo) (*agentDay, error) {
	k := dayKey{h.id, day, agent}
	if d, ok := u.days[k]; ok {
		return d, nil
	}
	d, err := u.load(ctx, h, k)
	if err == nil {
		u.days[k] = d
	}
	return d, err
}

// loadDay takes an agent's day from what the writer remembers, or else from the table.
func (u *unit) loadDay(ctx context.Context, h *house, k dayKey) (*agentDay, error) {
	d, err := u.w.recent.take(h, k, func(od orgDay) (gen int64, err error) {
		gen, ok := u.gens[od]
		if !ok {
			gen, err = genOf(ctx, u.tx, od)
			u.gens[od] = gen
		}
		return gen, err
	})
	if err != nil || d != nil {
		return d, err
	}
	d = newAgentDay(h, boundsOf(k.day, h.zone))
	return d, d.read(ctx, u.tx, k)
}

// read adds the calls that c has of the day.
func (d *agentDay) read(ctx context.Context, c db.Conn, k dayKey) error {
	return call.Each(ctx, c, call.Where(k.org).And(`day = ?`, k.day).And(`agent = ?`, k.agent), "", func(r *call.Row) error {
		d.append(r, false)
		return nil
	})
}

// flush writes what changed: deleted rows, fresh rows, the roll-up of each touched agent-day, the mark of each day.
func (u *unit) flush(ctx context.Context) error {
	keys := slices.SortedFunc(maps.Keys(u.days), func(a, b dayKey) int {
		return cmp.Or(cmp.Compare(a.org, b.org), cmp.Compare(a.day, b.day), cmp.Compare(a.agent, b.agent))
	})
	touched := map[orgDay]int64{}
	fresh := map[account.OrgID][]call.Row{}
	var scratch []byte
	var rollup roll.Day
	for _, k := range keys {
		d := u.days[k]
		if !d.changed {
			continue
		}
		u.note(k, d)
		if err := u.deleteGone(ctx, k.agent, d); err != nil {
			return err
		}
		fresh[k.org] = d.collect(fresh[k.org])
		u.rollRows = d.forRoll(u.rollRows[:0])
		rollup.Build(u.rollRows, k.day.Start(d.house.zone), d.house.rules)
		var err error
		if scratch, err = roll.Put(ctx, u.tx, k.org, k.day, k.agent, &rollup, scratch); err != nil {
			return err
		}
		touched[orgDay{k.org, k.day}] = 0
	}
	for org, rows := range fresh {
		if err := insertCalls(ctx, u.tx, &u.w.inserts, org, rows); err != nil {
			return err
		}
	}
	if err := u.writeNames(ctx); err != nil {
		return err
	}
	for od := range touched {
		var err error
		if touched[od], err = call.Touch(ctx, u.tx, od.org, od.day); err != nil {
			return err
		}
	}
	if err := u.tell(ctx); err != nil {
		return err
	}
	days := u.days
	u.committed = append(u.committed, func() { u.w.recent.keep(days, touched) })
	return nil
}

func (u *unit) writeNames(ctx context.Context) error {
	keys := slices.SortedFunc(maps.Keys(u.names), func(a, b nameKey) int { return cmp.Or(cmp.Compare(a.org, b.org), cmp.Compare(a.num, b.num)) })
	for _, k := range keys {
		n := u.names[k]
		if err := u.w.book.Rename(ctx, u.tx, k.org, k.num, n.text, n.at); err != nil {
			return err
		}
	}
	return nil
}

func (u *unit) deleteGone(ctx context.Context, agent account.AgentNo, d *agentDay) error {
	if !d.dropped {
		return nil
	}
	if len(d.struck) > 0 {
		if err := call.DeleteOf(ctx, u.tx, d.house.id, d.bounds.day, agent, d.struck); err != nil {
			return err
		}
	}
	for i := range d.rows {
		if !d.gone[i] || d.fresh[i] || slices.Contains(d.struck, d.rows[i].Number) {
			continue
		}
		if _, ok := d.find(&d.rows[i].Key); ok {
			continue // the same key is written again and keeps its note and tags
		}
		if _, err := call.DeleteRow(ctx, u.tx, d.house.id, d.rows[i].Key); err != nil {
			return err
		}
	}
	return nil
}

// insertSizes are the row counts of insert statements: few texts, so that each stays prepared.
var insertSizes = [...]int{50, 10, 1}

const callColumns = 13

func insertCalls(ctx context.Context, tx *db.Tx, texts *[len(insertSizes)]string, org account.OrgID, rows []call.Row) error {
	slices.SortFunc(rows, func(a, b call.Row) int { return a.Compare(b.Key) })
	args := make([]any, 0, insertSizes[0]*callColumns)
	for i, size := range insertSizes {
		for len(rows) >= size {
			args = args[:0]
			for j := range rows[:size] {
				r := &rows[j]
				args = append(args, org, r.Day, r.Agent, r.Start, r.Number, r.Direction, r.Line, r.Type, r.Seconds, r.Source, r.Presentation, r.Ref, r.Synced)
			}
			if _, err := tx.Exec(ctx, texts[i], args...); err != nil {
				return err
			}
			rows = rows[size:]
		}
	}
	return nil
}

// insertTexts are the statements for insertSizes.
func insertTexts() (texts [len(insertSizes)]string) {
	for i, rows := range insertSizes {
		texts[i] = `INSERT INTO calls (org_id, ` + call.Columns + `) VALUES ` + db.Values(rows, callColumns) + `
			ON CONFLICT (org_id, day, agent, start, num, dir, line) DO UPDATE SET type = excluded.type, seconds = excluded.seconds,
			source = excluded.source, pres = excluded.pres, ref = excluded.ref, synced = excluded.synced`
	}
	return texts
}
