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

// History is call.Store.History, and quick over long ranges where the filter names numbers: only the days and agents
// with calls of those are read, found through the coarse sets and roll-ups.
func (r *Reporter) History(ctx context.Context, org *account.Org, q call.HistoryQuery) (*call.Page, error) {
	if len(q.Filter.Numbers) > 0 {
		q.Narrow = r.finder(org.ID, q.Agents, q.Filter.Numbers)
	}
	return r.calls.History(ctx, org, q)
}

// NewestOf pages through the calls with some numbers and some agents (nil = everybody) as one snapshot has them, the newest
// first and without what call.Store.Dress adds. after is the id of the last call seen, next that of the last one given when
// there are more. Hidden numbers are shown, restricted ones never.
func (r *Reporter) NewestOf(ctx context.Context, tx *db.Tx, org *account.Org, agents []account.AgentNo, numbers []number.ID, after string, limit int) (rows []call.Row, next string, err error) {
	if len(numbers) == 0 {
		return nil, "", nil
	}
	return r.calls.Newest(ctx, tx, org, call.HistoryQuery{
		Agents: agents, From: firstDay, To: lastDay, After: after, Limit: limit, Filter: call.Filter{Numbers: numbers, Excluded: true},
		Narrow: r.finder(org.ID, agents, numbers),
	})
}

// The days that any call can be on, see ingest.
const (
	firstDay = roll.FirstDay
	lastDay  = roll.LastDay
)

// CallsOf pages through all calls of one number with some agents (nil = everybody), newest first; after is the last
// page's Next. A number that is hidden from reports is shown, since whoever asks for one number means it.
func (r *Reporter) CallsOf(ctx context.Context, org *account.Org, agents []account.AgentNo, n number.ID, after string, limit int) (*call.Page, error) {
	return r.History(ctx, org, call.HistoryQuery{
		Agents: agents, From: firstDay, To: lastDay, After: after, Limit: limit,
		Filter: call.Filter{Numbers: []number.ID{n}, Excluded: true},
	})
}

// PersonOf tells about one number: all its calls with some agents (nil = everybody), and what became of its last
// unattended one. A number without any has Calls 0 and nothing else but its ID.
func (r *Reporter) PersonOf(ctx context.Context, org *account.Org, agents []account.AgentNo, n number.ID) (*Person, error) {
	p := &Person{ID: n}
	var rows []call.Row
	for after := ""; ; {
		page, err := r.CallsOf(ctx, org, agents, n, after, 500)
		if err != nil {
			return nil, err
		}
		for i := range page.Calls {
			c := &page.Calls[i]
			p.Number, p.Key, p.Name = c.Number, c.NumberKey, c.Name
			rows = append(rows, c.Row)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	slices.SortFunc(rows, inOrder(org.ConnectedFrom))
	now := r.now()
	p.count(rows, org.ConnectedFrom)
	tomorrow := civil.Today(now, org.Location()) + 2 // a phone's clock may be ahead
	p.recover(rows, &list{r: r, org: org, zone: org.Location(), q: &PeopleQuery{Query: Query{To: tomorrow}}, end: tomorrow}, now)
	if p.State.Waiting() {
		p.suggest(nil, rows, org.ConnectedFrom)
	}
	return p, nil
}

// RowsOf gives the calls with some numbers, by anybody, from a day on, as one snapshot has them: the first call first, see
// inOrder. Numbers that are hidden from reports are among them, restricted ones never.
func (r *Reporter) RowsOf(ctx context.Context, tx *db.Tx, org *account.Org, numbers []number.ID, from civil.Day) ([]call.Row, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	excluded, err := r.book.Excluded(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	q := Query{From: max(from, firstDay), To: lastDay, Filter: call.Filter{Numbers: numbers, Excluded: true}}
	var out []call.Row
	err = r.eachOfNumbers(ctx, tx, org, &q, func(row *call.Row) error {
		if q.Filter.Match(row, org.Location(), &excluded) {
			out = append(out, *row)
		}
		return nil
	})
	slices.SortFunc(out, inOrder(org.ConnectedFrom))
	return out, err
}
