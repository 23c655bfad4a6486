package stats

import (
	"context"
	"slices"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/db"
	"parley/platform/fault"
)

// CallsOf pages through all calls of one number with some agents (nil = everybody), newest first; after is the last
// page's Next. The days and agents concerned are found through the coarse sets and roll-ups.
func (r *Reporter) CallsOf(ctx context.Context, org *account.Org, agents []account.AgentNo, n number.ID, after string, limit int) (*call.Page, error) {
	if limit < 1 || limit > 500 {
		return nil, fault.Field("limit", "A page holds 1 to 500 calls; %d were asked for.", limit)
	}
	var mark *call.Key
	if after != "" {
		k, err := call.ParseID(org.ID, after)
		if err != nil {
			return nil, fault.Field("after", "The page marker %q is not one this list gave out. Start again from the first page.", after)
		}
		mark = &k
	}
	page := &call.Page{}
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := r.callsOf(ctx, tx, org, agents, n, mark, limit+1)
		if err != nil {
			return err
		}
		if len(rows) > limit {
			rows = rows[:limit]
			page.Next = rows[limit-1].ID(org.ID)
		}
		page.Calls, err = r.calls.Dress(ctx, tx, org, rows)
		return err
	})
	return page, err
}

func (r *Reporter) callsOf(ctx context.Context, tx *db.Tx, org *account.Org, agents []account.AgentNo, n number.ID, mark *call.Key, most int) ([]call.Row, error) {
	days, err := r.daysWith(ctx, tx, org.ID, n)
	if err != nil {
		return nil, err
	}
	q := &Query{Agents: agents}
	q.Filter.Excluded = true // who asks for one number means it
	var out []call.Row
	for _, d := range slices.Backward(days) {
		if len(out) >= most {
			break
		}
		if mark != nil && d.day > mark.Day {
			continue
		}
		rows, err := r.dayOf(ctx, tx, org, q, d, n)
		if err != nil {
			return nil, err
		}
		for _, row := range slices.Backward(rows) {
			if (mark == nil || historyBefore(&row.Key, mark)) && len(out) < most {
				out = append(out, row)
			}
		}
	}
	return out, nil
}

// historyBefore tells whether k comes after the mark in a list with the newest first.
func historyBefore(k, mark *call.Key) bool {
	if k.Day != mark.Day {
		return k.Day < mark.Day
	}
	if k.Start != mark.Start {
		return k.Start < mark.Start
	}
	return k.Compare(*mark) < 0
}

// dayOf reads one number's calls of one day, ascending by start and key.
func (r *Reporter) dayOf(ctx context.Context, tx *db.Tx, org *account.Org, q *Query, d dayGen, n number.ID) ([]call.Row, error) {
	p := r.cache.get(packKey{org.ID, d.day}, d.gen)
	if p == nil {
		var err error
		if p, err = loadPack(ctx, tx, org.ID, d); err != nil {
			return nil, err
		}
	}
	rows, err := r.rowsOf(ctx, tx, org, q, []*pack{p}, map[number.ID]bool{n: true})
	slices.SortFunc(rows, func(a, b call.Row) int {
		if a.Start != b.Start {
			return int(min(max(a.Start-b.Start, -1), 1))
		}
		return a.Compare(b.Key)
	})
	return rows, err
}

// daysWith lists the days that have, or by what is known could have, calls of a number.
func (r *Reporter) daysWith(ctx context.Context, tx *db.Tx, org account.OrgID, n number.ID) ([]dayGen, error) {
	days, err := daysOf(ctx, tx, org, -1<<30, 1<<30)
	if err != nil {
		return nil, err
	}
	excluded, err := r.book.Excluded(ctx, tx, org)
	if err != nil || excluded.Hidden[n] { // the sets leave hidden numbers out
		return days, err
	}
	var out []dayGen
	for _, d := range days {
		has, err := r.has(ctx, tx, org, d, n)
		if err != nil {
			return nil, err
		}
		if has {
			out = append(out, d)
		}
	}
	return out, nil
}

// has tells whether a day may have a number: by its coarse set when that is true still, else by its roll-ups.
func (r *Reporter) has(ctx context.Context, tx *db.Tx, org account.OrgID, d dayGen, n number.ID) (bool, error) {
	var found parts
	ok, err := r.addRow(ctx, tx, org, levelDay, int32(d.day), d.gen, &found, []kind{kindAll})
	if err != nil {
		return false, err
	}
	if ok {
		return found[kindAll][0].Contains(uint32(n)), nil
	}
	p := r.cache.get(packKey{org, d.day}, d.gen)
	if p == nil {
		return true, nil
	}
	var day roll.Day
	for i := range p.agents {
		if err := day.Decode(p.at(i)); err != nil {
			return false, err
		}
		if slices.ContainsFunc(day.Numbers, func(e roll.Entry) bool { return e.Number == n }) {
			return true, nil
		}
	}
	return false, nil
}
