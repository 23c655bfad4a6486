package stats

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/db"
)

// tell makes people of a page's members: their calls are read, numbers and names opened.
func (l *list) tell(ctx context.Context, tx *db.Tx, page []placed) ([]Person, error) {
	ids := make([]number.ID, len(page))
	want := make(map[number.ID]bool, len(page))
	for i, p := range page {
		ids[i], want[p.id] = p.id, true
	}
	within, err := l.r.rowsOf(ctx, tx, l.org, &l.q.Query, l.packs[:l.days], want)
	if err != nil {
		return nil, err
	}
	later, err := l.r.rowsOf(ctx, tx, l.org, &l.q.Query, l.packs[l.days:], want)
	if err != nil {
		return nil, err
	}
	known, err := l.acquaintances(ctx, tx, want)
	if err != nil {
		return nil, err
	}
	numbers, err := l.r.book.Show(ctx, tx, l.org.ID, ids)
	if err != nil {
		return nil, err
	}
	names, err := l.r.book.Names(ctx, tx, l.org.ID, ids)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(within, byStart)
	slices.SortStableFunc(later, byStart)
	mine, after := byNumber(within), byNumber(later)
	out := make([]Person, len(page))
	for i, n := range ids {
		p := Person{ID: n, Number: numbers[n], Name: names[n]}
		if p.Number != "" {
			if p.Key, err = l.r.book.Key(ctx, l.org.ID, p.Number); err != nil {
				return nil, err
			}
		}
		p.count(mine[n], l.org.ConnectedFrom)
		p.recover(mine[n], after[n], l.org, l.r.now())
		p.suggest(known[n])
		out[i] = p
	}
	return out, nil
}

// count adds up a person's calls, ascending by start.
func (p *Person) count(rows []call.Row, connectedFrom int) {
	per := map[account.AgentNo]int64{}
	for i := range rows {
		r := &rows[i]
		if p.Calls++; p.Calls == 1 {
			p.First = r.At()
		}
		p.Last, p.LastAgent = r.At(), r.Agent
		per[r.Agent]++
		switch r.Type.Direction() {
		case call.Incoming:
			p.Incoming++
		case call.Outgoing:
			p.Outgoing++
		}
		switch o := r.Outcome(connectedFrom); {
		case o == call.OutcomeConnected:
			p.Connected++
			p.Talk += time.Duration(r.Seconds) * time.Second
			p.LastConnected, p.LastConnectedBy = r.At(), r.Agent
		case o == call.OutcomeNotPickedUp:
			p.NotPickedUp++
		case roll.IsUnattended(r.Type, r.Seconds, connectedFrom):
			if p.Unattended++; p.Unattended == 1 {
				p.FirstMissed = r.At()
			}
			p.LastMissed, p.MissedBy = r.At(), r.Agent
		}
	}
	p.Agents = mostFirst(per)
}

func mostFirst(per map[account.AgentNo]int64) []account.AgentNo {
	return slices.SortedFunc(maps.Keys(per), func(a, b account.AgentNo) int {
		return cmp.Or(cmp.Compare(per[b], per[a]), cmp.Compare(a, b))
	})
}

// recover follows what happened since the last unattended call, in the range and after it.
func (p *Person) recover(within, later []call.Row, org *account.Org, now time.Time) {
	if p.Unattended == 0 {
		return
	}
	p.State = Open
	until := now
	for _, r := range append(slices.Clip(within), later...) {
		if r.At().Before(p.LastMissed) {
			continue
		}
		o := r.Outcome(org.ConnectedFrom)
		if o == call.OutcomeNotPickedUp {
			p.State = Attempted
			p.Attempts++
		}
		if o == call.OutcomeConnected {
			p.State, p.RecoveredAt, p.RecoveredBy = recoveredBy(&r), r.At(), r.Agent
			until = r.At()
			break
		}
	}
	p.Waiting = max(0, until.Sub(p.LastMissed))
	p.WaitingBusiness = device.WorkingTime(org, p.LastMissed, until)
}

// acquaintance is who had calls with a number, by roll-ups.
type acquaintance struct {
	calls     map[account.AgentNo]int64
	spokeLast account.AgentNo
}

// acquaintances looks back beyond the range for who knows the numbers, whatever the query's filter.
func (l *list) acquaintances(ctx context.Context, tx *db.Tx, want map[number.ID]bool) (map[number.ID]*acquaintance, error) {
	out := map[number.ID]*acquaintance{}
	if l.q.List != ListMissed && l.q.List != ListNeverAttended {
		return out, nil
	}
	packs, err := l.r.packs(ctx, tx, l.org, &Query{Agents: l.q.Agents, From: l.q.From - lookBack, To: max(l.q.To, l.q.Until)})
	if err != nil {
		return nil, err
	}
	only := l.q.agentSet()
	var d roll.Day
	for _, p := range packs {
		for i, agent := range p.agents {
			if only != nil && !only[agent] {
				continue
			}
			if err := d.Decode(p.at(i)); err != nil {
				return nil, err
			}
			for _, e := range d.Numbers {
				if want[e.Number] {
					meet(out, e, agent)
				}
			}
		}
	}
	return out, nil
}

func meet(known map[number.ID]*acquaintance, e roll.Entry, agent account.AgentNo) {
	a := known[e.Number]
	if a == nil {
		a = &acquaintance{calls: map[account.AgentNo]int64{}}
		known[e.Number] = a
	}
	a.calls[agent] += int64(e.Calls)
	if e.Flags&roll.Connected != 0 {
		a.spokeLast = agent // packs ascend by day
	}
}

// suggest lists who should call back: who spoke with them last, then those who know them, then who missed the call.
func (p *Person) suggest(a *acquaintance) {
	if a == nil {
		return
	}
	add := func(agent account.AgentNo, why Why) {
		if agent != 0 && !slices.ContainsFunc(p.Candidates, func(c Candidate) bool { return c.Agent == agent }) {
			p.Candidates = append(p.Candidates, Candidate{agent, why})
		}
	}
	add(a.spokeLast, SpokeLast)
	for _, agent := range mostFirst(a.calls) {
		if agent != p.MissedBy || a.calls[agent] > p.Unattended { // a call that was only missed makes nobody known
			add(agent, KnowsThem)
		}
	}
	add(p.MissedBy, MissedIt)
}
