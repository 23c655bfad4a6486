package stats

import (
	"context"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/platform/civil"
)

// History is call.Store.History, and quick over long ranges where the filter names numbers: only the days and agents
// with calls of those are read, found through the coarse sets and roll-ups.
func (r *Reporter) History(ctx context.Context, org *account.Org, q call.HistoryQuery) (*call.Page, error) {
	if len(q.Filter.Numbers) > 0 {
		q.Narrow = r.finder(org.ID, q.Agents, q.Filter.Numbers)
	}
	return r.calls.History(ctx, org, q)
}

// The days that any call can be on, see ingest.
const (
	firstDay civil.Day = 0
	lastDay  civil.Day = 1 << 30
)

// CallsOf pages through all calls of one number with some agents (nil = everybody), newest first; after is the last
// page's Next. A number that is hidden from reports is shown, since whoever asks for one number means it.
func (r *Reporter) CallsOf(ctx context.Context, org *account.Org, agents []account.AgentNo, n number.ID, after string, limit int) (*call.Page, error) {
	return r.History(ctx, org, call.HistoryQuery{
		Agents: agents, From: firstDay, To: lastDay, After: after, Limit: limit,
		Filter: call.Filter{Numbers: []number.ID{n}, Excluded: true},
	})
}
