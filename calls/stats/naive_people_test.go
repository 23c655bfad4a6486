package stats_test

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/civil"
)

// list is a whole list of people in its order, numbers and names aside.
func (n *naive) list(q stats.PeopleQuery) []stats.Person {
	rows := n.calls(q.Agents, q.Filter, q.From, q.To)
	later := n.calls(q.Agents, q.Filter, q.To, max(q.To, q.Until))
	var out []stats.Person
	for _, id := range n.people(rows, later, q.From, q.Filter.Excluded)[q.List] {
		p := n.person(q, id, rows)
		if len(q.States) == 0 || slices.Contains(q.States, p.State) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b stats.Person) int { return cmp.Or(compare(q, &a, &b), cmp.Compare(a.ID, b.ID)) })
	return out
}

func compare(q stats.PeopleQuery, a, b *stats.Person) int {
	missed := q.List == stats.ListMissed || q.List == stats.ListNeverAttended
	switch q.Sort {
	case stats.SortCalls:
		return cmp.Compare(b.Calls, a.Calls)
	case stats.SortIncoming:
		return cmp.Compare(b.Incoming, a.Incoming)
	case stats.SortOutgoing:
		return cmp.Compare(b.Outgoing, a.Outgoing)
	case stats.SortTalk:
		return cmp.Compare(b.Talk, a.Talk)
	case stats.SortWaiting:
		if a.State.Waiting() != b.State.Waiting() {
			if a.State.Waiting() {
				return -1
			}
			return 1
		}
		return a.LastMissed.Compare(b.LastMissed)
	default:
		if missed {
			return b.LastMissed.Compare(a.LastMissed)
		}
		return b.Last.Compare(a.Last)
	}
}

// person counts the rows of one number, and follows its recovery through all calls in scope.
func (n *naive) person(q stats.PeopleQuery, id number.ID, rows []call.Row) stats.Person {
	p := stats.Person{ID: id}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r call.Row) bool { return r.Number != id })
	p.Calls = int64(len(rows))
	p.First, p.Last, p.LastAgent = rows[0].At(), rows[len(rows)-1].At(), rows[len(rows)-1].Agent
	p.Incoming = count(rows, func(r *call.Row) bool { return r.Type != call.TypeOutgoing && r.Type != call.TypeUnknown })
	p.Outgoing = count(rows, ofType(call.TypeOutgoing))
	p.Connected = count(rows, n.connected)
	p.Unattended = count(rows, n.unattended)
	p.NotPickedUp = count(rows, n.notPickedUp)
	p.Talk = time.Duration(sum(n.talks(rows, 0))) * time.Second
	p.Agents = byCalls(rows)

	end := max(q.To, q.Until)
	scope := call.Filter{Line: q.Filter.Line, Excluded: q.Filter.Excluded, Numbers: []number.ID{id}}
	n.recovery(&p, n.calls(q.Agents, scope, q.From, end), q.To, end)
	if at, ok := q.Settled[id]; ok && p.State.Waiting() && !at.Before(p.LastMissed) {
		p.State = stats.Settled
	}
	if p.State.Waiting() && (q.List == stats.ListMissed || q.List == stats.ListNeverAttended) {
		p.Candidates = n.candidates(&p, n.calls(q.Agents, scope, q.From-90, end))
	}
	return p
}

func byCalls(rows []call.Row) []account.AgentNo {
	per := map[account.AgentNo]int{}
	for i := range rows {
		per[rows[i].Agent]++
	}
	return slices.SortedFunc(maps.Keys(per), func(a, b account.AgentNo) int {
		return cmp.Or(cmp.Compare(per[b], per[a]), cmp.Compare(a, b))
	})
}

func (n *naive) recovery(p *stats.Person, scope []call.Row, to, end civil.Day) {
	var missed []call.Row
	for _, r := range scope {
		if n.unattended(&r) && r.Day < to {
			missed = append(missed, r)
		}
		if n.connected(&r) {
			p.LastConnected, p.LastConnectedBy = r.At(), r.Agent
		}
	}
	if len(missed) == 0 {
		return
	}
	last := missed[len(missed)-1]
	p.FirstMissed, p.LastMissed, p.MissedBy = missed[0].At(), last.At(), last.Agent
	p.State = stats.Open
	until := n.now
	if closes := end.Start(n.org.Location()); closes.Before(until) {
		until = closes
	}
	for i := range scope {
		r := &scope[i]
		if n.order(*r, last) <= 0 {
			continue
		}
		if n.connected(r) {
			p.RecoveredAt, p.RecoveredBy, until = r.At(), r.Agent, r.At()
			p.State = stats.RecoveredByCaller
			if r.Type == call.TypeOutgoing {
				p.State = stats.RecoveredByUs
			}
			break
		}
		if n.notPickedUp(r) {
			p.Attempts++
			p.State = stats.Attempted
		}
	}
	p.Waiting = max(0, until.Sub(p.LastMissed))
	p.WaitingBusiness = n.business(p.LastMissed, until)
}

// business adds up working time minute by minute of the clock; whole minutes are remembered.
func (n *naive) business(from, to time.Time) (sum time.Duration) {
	for at := from; at.Before(to); {
		next := at.Truncate(time.Minute).Add(time.Minute)
		if next.After(to) {
			next = to
		}
		if n.works(at.Truncate(time.Minute)) {
			sum += next.Sub(at)
		}
		at = next
	}
	return sum
}

func (n *naive) works(minute time.Time) bool {
	works, known := n.working[minute.Unix()]
	if !known {
		local := minute.In(n.org.Location())
		m := local.Hour()*60 + local.Minute()
		works = n.org.Workdays.Has(local.Weekday()) && m >= n.org.WorkFrom && m < n.org.WorkTo
		n.working[minute.Unix()] = works
	}
	return works
}

func (n *naive) candidates(p *stats.Person, known []call.Row) (out []stats.Candidate) {
	add := func(agent account.AgentNo, why stats.Why) {
		if !slices.ContainsFunc(out, func(c stats.Candidate) bool { return c.Agent == agent }) {
			out = append(out, stats.Candidate{Agent: agent, Why: why})
		}
	}
	for i := range slices.Backward(known) {
		if n.connected(&known[i]) {
			add(known[i].Agent, stats.SpokeLast)
			break
		}
	}
	attended := slices.DeleteFunc(slices.Clone(known), func(r call.Row) bool { return n.unattended(&r) })
	for _, agent := range byCalls(attended) {
		add(agent, stats.KnowsThem)
	}
	add(p.MissedBy, stats.MissedIt)
	return out
}
