package ingest

import (
	"context"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/db"
)

// maxRecent bounds the calls that the writer remembers, about 150 bytes each.
const maxRecent = 60_000

// recent remembers the agent-days that were written last, because the next calls mostly belong to them. A day holds only
// while its generation in the table is the one it was kept with, so whoever else changes calls needs but touch the day.
// It belongs to the writer's goroutine alone.
type recent struct {
	days  map[orgDay]*recentDay
	calls int
	turn  int
}

type orgDay struct {
	org account.OrgID
	day civil.Day
}

type recentDay struct {
	gen    int64
	agents map[account.AgentNo]*agentDay
	used   int
}

// take hands an agent-day over to a unit, which changes it; it is remembered again when the unit has committed. It is
// nil when it is not known or no longer true. gen gives the day's generation.
func (c *recent) take(h *house, k dayKey, gen func(orgDay) (int64, error)) (*agentDay, error) {
	od := orgDay{k.org, k.day}
	kept := c.days[od]
	if kept == nil || kept.agents[k.agent] == nil {
		return nil, nil
	}
	now, err := gen(od)
	if err != nil {
		return nil, err
	}
	d := kept.agents[k.agent]
	if now != kept.gen || d.bounds != boundsOf(k.day, h.zone) {
		c.drop(od)
		return nil, nil
	}
	delete(kept.agents, k.agent)
	c.calls -= len(d.rows)
	d.house, d.gen = h, now
	return d, nil
}

func genOf(ctx context.Context, tx *db.Tx, od orgDay) (int64, error) {
	gen, _, err := db.One(ctx, tx, func(r db.Scanner) (gen int64, err error) { return gen, r.Scan(&gen) },
		`SELECT gen FROM days WHERE org_id = $1 AND day = $2`, od.org, od.day)
	return gen, err
}

func (c *recent) drop(od orgDay) {
	for _, d := range c.days[od].agents {
		c.calls -= len(d.rows)
	}
	delete(c.days, od)
}

// keep remembers what a unit has committed. gens are the new generations of the days it touched.
func (c *recent) keep(days map[dayKey]*agentDay, gens map[orgDay]int64) {
	c.turn++
	for k, d := range days {
		od := orgDay{k.org, k.day}
		gen, touched := gens[od]
		kept := c.days[od]
		if !touched && (kept == nil || d.gen != kept.gen) {
			continue // read from the table and not changed: its generation is not at hand
		}
		if !touched {
			gen = d.gen
		}
		if kept != nil && kept.gen != gen && (!touched || kept.gen != gen-1) {
			c.drop(od) // somebody else changed the day before this unit did
			kept = nil
		}
		if kept == nil {
			kept = &recentDay{agents: map[account.AgentNo]*agentDay{}}
			c.days[od] = kept
		}
		d = d.settle()
		kept.gen, kept.used = gen, c.turn
		kept.agents[k.agent] = d
		c.calls += len(d.rows)
	}
	for c.calls > maxRecent {
		c.forget()
	}
}

// forget drops the day that was used longest ago.
func (c *recent) forget() {
	var oldest orgDay
	least := c.turn + 1
	for od, d := range c.days {
		if d.used < least {
			oldest, least = od, d.used
		}
	}
	c.drop(oldest)
}
