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

// Analysis says what stands out in a scope, range and filter.
type Analysis struct {
	Figures
	Days     int64 // days with calls
	Longest  *call.Call
	Diallers []Top // most outgoing calls first
	Answers  []Top // most connected incoming calls first
	Talkers  []Top // most talk first, in seconds
	Callers  []Person
}

// mostTop is how many an analysis names of each.
const mostTop = 5

// Analysis computes an analysis. Averages come from Figures.
func (r *Reporter) Analysis(ctx context.Context, org *account.Org, q Query) (*Analysis, error) {
	rep, err := r.Report(ctx, org, q, WithAgents|WithPeople)
	if err != nil {
		return nil, err
	}
	a := &Analysis{Figures: rep.Figures}
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
		slices.SortStableFunc(out, func(x, y Top) int { return cmp.Or(cmp.Compare(y.Value, x.Value), cmp.Compare(x.Agent, y.Agent)) })
		return out[:min(mostTop, len(out))]
	}
	a.Diallers = top(func(f *Figures) int64 { return f.Types[call.TypeOutgoing] })
	a.Answers = top(func(f *Figures) int64 { return f.ConnectedIn })
	a.Talkers = top((*Figures).Talk)
	people, err := r.People(ctx, org, PeopleQuery{Query: q, List: ListClients, Sort: SortCalls, Limit: mostTop})
	if err != nil {
		return nil, err
	}
	a.Callers = people.People
	a.Longest, err = r.longest(ctx, org, q, max(a.LongestIn, a.LongestOut))
	return a, err
}

// longest finds the newest of the calls with the longest talk.
func (r *Reporter) longest(ctx context.Context, org *account.Org, q Query, seconds int64) (*call.Call, error) {
	if seconds == 0 {
		return nil, nil //nolint:nilnil // nobody talked
	}
	day, err := r.dayOfLongest(ctx, org, &q, seconds)
	if err != nil {
		return nil, err
	}
	q.Filter.MinSeconds = max(q.Filter.MinSeconds, int(seconds))
	if len(q.Filter.Outcomes) == 0 {
		q.Filter.Outcomes = []call.Outcome{call.OutcomeConnected}
	}
	page, err := r.calls.History(ctx, org, call.HistoryQuery{Agents: q.Agents, From: day, To: day + 1, Filter: q.Filter, Limit: 1})
	if err != nil || len(page.Calls) == 0 {
		return nil, err
	}
	return &page.Calls[0], nil
}

// dayOfLongest is the newest day whose longest talk is that of the range.
func (r *Reporter) dayOfLongest(ctx context.Context, org *account.Org, q *Query, seconds int64) (civil.Day, error) {
	day := q.To - 1
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		rep, err := r.report(ctx, tx, org, q, 0)
		if err != nil {
			return err
		}
		for i := range rep.Days {
			if f := &rep.Days[i].Figures; max(f.LongestIn, f.LongestOut) == seconds {
				day = rep.Days[i].Day
			}
		}
		return nil
	})
	return day, err
}
