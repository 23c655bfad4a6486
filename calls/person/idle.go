package person

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/subject"
)

// idler is somebody with whom nothing happened for a while.
type idler struct {
	last   time.Time // the last instant of the day of the last call, or when a call-back was last agreed or handled, or a number without calls came
	calls  int64
	agents []account.AgentNo // who had the calls
}

// idle gives the persons outside with whom there was no call, and about whom no call-back was agreed or handled, from a
// moment on. A call counts for the whole of its local day; of a number without any, when it came into the book counts.
// Somebody restricted is left out: their data is kept as it is.
func (p *Persons) idle(ctx context.Context, c db.Conn, org *account.Org, before time.Time) (map[number.ID]*idler, error) {
	zone := org.Location()
	cut := civil.DayOf(before, zone)
	count, err := p.Book.Count(ctx, c, org.ID)
	if err != nil {
		return nil, err
	}
	active := make([]bool, count)
	if err := p.spare(ctx, c, org.ID, before, active); err != nil {
		return nil, err
	}
	var entries []roll.Entry
	walk := func(from, to civil.Day, visit func(day civil.Day, agent account.AgentNo, e *roll.Entry)) error {
		return roll.Walk(ctx, c, org.ID, from, to, func(day civil.Day, agent account.AgentNo, b []byte) (err error) {
			if entries, err = roll.DecodeNumbers(b, entries); err != nil {
				return err
			}
			for i := range entries {
				if e := &entries[i]; e.Number < count {
					visit(day, agent, e)
				}
			}
			return nil
		})
	}
	if err := walk(cut, roll.LastDay, func(_ civil.Day, _ account.AgentNo, e *roll.Entry) { active[e.Number] = true }); err != nil {
		return nil, err
	}
	out := map[number.ID]*idler{}
	err = walk(roll.FirstDay, cut, func(day civil.Day, agent account.AgentNo, e *roll.Entry) {
		if active[e.Number] {
			return
		}
		i := out[e.Number]
		if i == nil {
			i = &idler{}
			out[e.Number] = i
		}
		i.calls += int64(e.Calls)
		i.last = dayEnd(day, zone) // days ascend
		if !slices.Contains(i.agents, agent) {
			i.agents = append(i.agents, agent)
		}
	})
	if err != nil {
		return nil, err
	}
	if err := p.Book.EachMade(ctx, c, org.ID, before, func(n number.ID, at time.Time) {
		if n < count && !active[n] && out[n] == nil {
			out[n] = &idler{last: at}
		}
	}); err != nil {
		return nil, err
	}
	return out, p.agreed(ctx, c, org.ID, out)
}

// dayEnd is the last millisecond of a local day.
func dayEnd(day civil.Day, zone *time.Location) time.Time {
	return (day + 1).Start(zone).Add(-time.Millisecond)
}

// spare marks the numbers that are not idle whatever their calls: restricted ones, and those with a call-back since a moment.
func (p *Persons) spare(ctx context.Context, c db.Conn, org account.OrgID, since time.Time, active []bool) error {
	found, err := db.Select(ctx, c, scanNumber, `SELECT num FROM restricted_numbers WHERE org_id = $1
		UNION ALL SELECT num FROM callbacks WHERE org_id = $1 AND (assigned_ms >= $2 OR handled_ms >= $2)`, org, since.UnixMilli())
	if err == nil && p.known != nil {
		var known []number.ID
		known, err = p.known(ctx, c, org, since)
		found = append(found, known...)
	}
	for _, n := range found {
		if int(n) < len(active) {
			active[n] = true
		}
	}
	return err
}

// LetGo takes numbers out of the book that no call is kept with, and that whoever entered them has no use for any more. They
// may come again.
func (p *Persons) LetGo(ctx context.Context, id account.OrgID, numbers []number.ID) error {
	org, err := p.Accounts.Org(ctx, id)
	if err != nil {
		return err
	}
	var uncalled []number.ID
	for _, n := range numbers {
		called := false
		if err := p.Writer.EachOf(ctx, id, n, func(*call.Row) error { called = true; return nil }); err != nil {
			return err
		}
		if !called {
			uncalled = append(uncalled, n)
		}
	}
	_, err = p.Writer.Erase(ctx, p.Devices, org, ingest.Erasure{Numbers: uncalled, Bury: func(context.Context, *db.Tx, number.ID, string) error { return nil }})
	return err
}

// agreed lets call-backs count as activity.
func (p *Persons) agreed(ctx context.Context, c db.Conn, org account.OrgID, idle map[number.ID]*idler) error {
	type agreed struct {
		num               number.ID
		assigned, handled int64
	}
	all, err := db.Select(ctx, c, func(r db.Scanner) (a agreed, err error) { return a, r.Scan(&a.num, &a.assigned, &a.handled) },
		`SELECT num, assigned_ms, handled_ms FROM callbacks WHERE org_id = $1`, org)
	for _, a := range all {
		if i := idle[a.num]; i != nil {
			if at := time.UnixMilli(max(a.assigned, a.handled)); at.After(i.last) {
				i.last = at
			}
		}
	}
	return err
}

func scanNumber(r db.Scanner) (n number.ID, err error) { return n, r.Scan(&n) }

// still refuses, as a Conflict, when calls with one of the numbers came or changed since the generations of all days were had.
func still(ctx context.Context, c db.Conn, org account.OrgID, had map[civil.Day]int64, numbers []number.ID) error {
	now, err := generations(ctx, c, org)
	if err != nil {
		return err
	}
	want := roll.SetOf(numbers...)
	for day, gen := range now {
		if had[day] == gen {
			continue
		}
		if err := roll.Walk(ctx, c, org, day, day+1, func(_ civil.Day, _ account.AgentNo, b []byte) error {
			has, err := roll.Holds(b, want)
			if err == nil && has {
				err = changed()
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func changed() error {
	return fault.New(fault.Conflict, "Calls came or went meanwhile, so nothing was removed.")
}

// generations are the days that have calls, each with its generation.
func generations(ctx context.Context, c db.Conn, org account.OrgID) (map[civil.Day]int64, error) {
	out := map[civil.Day]int64{}
	_, err := db.Select(ctx, c, func(r db.Scanner) (struct{}, error) {
		var day civil.Day
		var gen int64
		err := r.Scan(&day, &gen)
		out[day] = gen
		return struct{}{}, err
	}, `SELECT day, gen FROM days WHERE org_id = $1`, org)
	return out, err
}

// members are the members by the number of the agent they are.
func (p *Persons) members(ctx context.Context, org account.OrgID) (map[account.AgentNo]subject.Ref, error) {
	all, err := p.Accounts.Agents(ctx, org)
	out := make(map[account.AgentNo]subject.Ref, len(all))
	for _, m := range all {
		out[m.Agent] = subject.OfMember(string(m.ID))
	}
	return out, err
}

// whose are the persons whom calls of a number with some agents are about.
func whose(n number.ID, members map[account.AgentNo]subject.Ref, agents ...account.AgentNo) []subject.Ref {
	var out []subject.Ref
	if n != number.Withheld {
		out = append(out, subject.OfNumber(int64(n)))
	}
	for _, a := range agents {
		if m, ok := members[a]; ok {
			out = append(out, m)
		}
	}
	return out
}
