package stats

import (
	"cmp"
	"context"
	"slices"

	"parley/account"
	"parley/calls/call"
	"parley/platform/civil"
	"parley/platform/db"
)

// Top is an agent with what they lead in: calls or seconds.
type Top struct {
	Agent account.AgentNo
	Value int64
}

// Analysis says what stands out in a scope, range and filter. Averages follow from its Figures.
type Analysis struct {
	Figures
	Days     int64      // days with calls
	Longest  *call.Call // the newest of the calls with the longest talk; nil where nobody talked
	Diallers []Top      // most outgoing calls first
	Answers  []Top      // most connected incoming calls first
	Talkers  []Top      // most talk first, in seconds

	Callers    []Person // most calls first, whatever the direction
	CallingIn  []Person // most calls that came in first
	Dialled    []Person // most calls dialled first
	TalkedWith []Person // most talk first
}

// mostTop is how many an analysis names of each.
const mostTop = 5

// Analysis computes an analysis.
func (r *Reporter) Analysis(ctx context.Context, org *account.Org, q Query) (*Analysis, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	a := &Analysis{}
	var longest civil.Day
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		rep, err := r.report(ctx, tx, org, &q, WithAgents|WithPeople)
		if err != nil {
			return err
		}
		a.lead(rep)
		longest = rep.dayOfLongest()
		return r.leaders(ctx, tx, org, &q, a)
	})
	if err != nil || a.Connected() == 0 {
		return a, err
	}
	a.Longest, err = r.longest(ctx, org, &q, longest, max(a.LongestIn, a.LongestOut))
	return a, err
}

// lead takes from a report what an analysis says of agents and days.
func (a *Analysis) lead(rep *Report) {
	a.Figures = rep.Figures
	for i := range rep.Days {
		if rep.Days[i].Calls() > 0 {
			a.Days++
		}
	}
	top := func(value func(f *Figures) int64) []Top {
		var out []Top
		for i := range rep.Agents {
			if v := value(&rep.Agents[i].Figures); v > 0 {
				out = append(out, Top{rep.Agents[i].Agent, v})
			}
		}
		slices.SortFunc(out, func(x, y Top) int { return cmp.Or(cmp.Compare(y.Value, x.Value), cmp.Compare(x.Agent, y.Agent)) })
		return out[:min(mostTop, len(out))]
	}
	a.Diallers = top(func(f *Figures) int64 { return f.Types[call.TypeOutgoing] })
	a.Answers = top(func(f *Figures) int64 { return f.ConnectedIn })
	a.Talkers = top((*Figures).Talk)
}

// leaders finds the people who lead in something; whoever has none of it does not lead.
func (r *Reporter) leaders(ctx context.Context, tx *db.Tx, org *account.Org, q *Query, a *Analysis) error {
	l, err := r.list(ctx, tx, org, &PeopleQuery{Query: *q, List: ListClients, Sort: SortCalls})
	if err != nil {
		return err
	}
	for _, x := range []struct {
		sort Sort
		into *[]Person
	}{{SortCalls, &a.Callers}, {SortIncoming, &a.CallingIn}, {SortOutgoing, &a.Dialled}, {SortTalk, &a.TalkedWith}} {
		l.q.Sort = x.sort
		top, err := l.page(ctx, tx, nil, mostTop)
		if err != nil {
			return err
		}
		top = slices.DeleteFunc(top, func(p placed) bool { return p.place.rank == 0 })
		if *x.into, err = l.tell(ctx, tx, top); err != nil {
			return err
		}
	}
	return nil
}

// dayOfLongest is the newest day whose longest talk is that of the range.
func (r *Report) dayOfLongest() (day civil.Day) {
	for i := range r.Days {
		if d := &r.Days[i]; max(d.LongestIn, d.LongestOut) == max(r.LongestIn, r.LongestOut) {
			day = d.Day
		}
	}
	return day
}

// longest finds the newest call of a day with the longest talk.
func (r *Reporter) longest(ctx context.Context, org *account.Org, q *Query, day civil.Day, seconds int64) (*call.Call, error) {
	f := q.Filter.With(call.Filter{Outcomes: []call.Outcome{call.OutcomeConnected}, MinSeconds: int(seconds)})
	page, err := r.History(ctx, org, call.HistoryQuery{Agents: q.Agents, From: day, To: day + 1, Filter: f, Limit: 1})
	if err != nil || len(page.Calls) == 0 {
		return nil, err
	}
	return &page.Calls[0], nil
}
