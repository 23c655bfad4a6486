package stats

import (
	"context"
	"slices"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// lookBack is how many days before a range are asked who knows a missed caller.
const lookBack civil.Day = 90

// acquaintance is who had calls with a number before a range.
type acquaintance struct {
	calls  map[account.AgentNo]int64 // unattended ones aside
	talked civil.Day                 // the last day with a connected call
	spoke  account.AgentNo           // who had it; with several on that day, the calls must tell
	many   bool
}

// suggest names who should call back those of people who wait. rows are all their calls in scope since the range's
// first day, in order.
func (l *list) suggest(ctx context.Context, tx *db.Tx, people []Person, rows map[number.ID][]call.Row) error {
	var waiting []number.ID
	for i := range people {
		if people[i].State.Waiting() {
			waiting = append(waiting, people[i].ID)
		}
	}
	if len(waiting) == 0 || !l.q.List.aboutMissed() {
		return nil
	}
	known, err := l.acquaintances(ctx, tx, roll.SetOf(waiting...))
	if err != nil {
		return err
	}
	for i := range people {
		if p := &people[i]; p.State.Waiting() {
			p.suggest(known[p.ID], rows[p.ID], l.org.ConnectedFrom)
		}
	}
	return nil
}

// acquaintances reads the roll-ups of the days before the range.
func (l *list) acquaintances(ctx context.Context, tx *db.Tx, want roll.Set) (map[number.ID]*acquaintance, error) {
	q := l.scope
	q.From, q.To = l.q.From-lookBack, l.q.From
	packs, err := l.r.peoplePacks(ctx, tx, l.org, &q)
	if err != nil {
		return nil, err
	}
	known := map[number.ID]*acquaintance{}
	var entries []roll.Entry
	for _, p := range packs {
		agents, err := p.holding(want, l.only, nil)
		if err != nil {
			return nil, err
		}
		for _, agent := range agents {
			if entries, err = roll.DecodeNumbers(p.of(agent), entries); err != nil {
				return nil, err
			}
			for i := range entries {
				if e := &entries[i]; want.Has(e.Number) && e.Shown(q.Filter.Excluded) {
					meet(known, e, p.day, agent)
				}
			}
		}
	}
	return known, l.whoSpoke(ctx, tx, &q, packs, known)
}

func meet(known map[number.ID]*acquaintance, e *roll.Entry, day civil.Day, agent account.AgentNo) {
	a := known[e.Number]
	if a == nil {
		a = &acquaintance{calls: map[account.AgentNo]int64{}}
		known[e.Number] = a
	}
	if n := int64(e.Calls - e.Unattended); n > 0 {
		a.calls[agent] += n
	}
	if e.Flags&roll.Connected != 0 { // days ascend
		a.many = a.spoke != 0 && a.talked == day
		a.talked, a.spoke = day, agent
	}
}

// whoSpoke reads the calls of days on which several agents spoke with one number last.
func (l *list) whoSpoke(ctx context.Context, tx *db.Tx, q *Query, packs []*pack, known map[number.ID]*acquaintance) error {
	byDay := map[civil.Day][]number.ID{}
	for n, a := range known {
		if a.many {
			byDay[a.talked] = append(byDay[a.talked], n)
		}
	}
	for day, ids := range byDay {
		rows, err := l.r.rowsOf(ctx, tx, l.org, q, packOn(packs, day), roll.SetOf(ids...))
		if err != nil {
			return err
		}
		for i := range rows {
			if r := &rows[i]; r.Outcome(l.org.ConnectedFrom) == call.OutcomeConnected {
				known[r.Number].spoke = r.Agent
			}
		}
	}
	return nil
}

// suggest lists who should call back.
func (p *Person) suggest(a *acquaintance, rows []call.Row, connectedFrom int) {
	if a == nil {
		a = &acquaintance{calls: map[account.AgentNo]int64{}}
	}
	spoke := p.LastConnectedBy
	if spoke == 0 {
		spoke = a.spoke
	}
	for i := range rows {
		if r := &rows[i]; !roll.IsUnattended(r.Type, r.Seconds, connectedFrom) {
			a.calls[r.Agent]++
		}
	}
	add := func(agent account.AgentNo, why Why) {
		if agent != 0 && !slices.ContainsFunc(p.Candidates, func(c Candidate) bool { return c.Agent == agent }) {
			p.Candidates = append(p.Candidates, Candidate{agent, why})
		}
	}
	add(spoke, SpokeLast)
	for _, agent := range mostFirst(a.calls) {
		add(agent, KnowsThem)
	}
	add(p.MissedBy, MissedIt)
}
