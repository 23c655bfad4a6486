package stats

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// tell makes people of a page's members: their calls are read, numbers and names opened.
func (l *list) tell(ctx context.Context, tx *db.Tx, page []placed) ([]Person, error) {
	ids := make([]number.ID, len(page))
	for i, p := range page {
		ids[i] = p.number()
	}
	within, scope, err := l.calls(ctx, tx, ids)
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
	now := l.r.now()
	out := make([]Person, len(page))
	for i, n := range ids {
		p := Person{ID: n, Number: numbers[n], Name: names[n]}
		if p.Number != "" {
			if p.Key, err = l.r.book.Key(ctx, l.org.ID, p.Number); err != nil {
				return nil, err
			}
		}
		p.count(within[n], l.org.ConnectedFrom)
		p.recover(scope[n], l, now)
		out[i] = p
	}
	return out, l.suggest(ctx, tx, out, scope)
}

// calls reads the calls of numbers that pass the filter in the range, and those in scope from its first day to the end,
// both in order.
func (l *list) calls(ctx context.Context, tx *db.Tx, ids []number.ID) (within, scope map[number.ID][]call.Row, err error) {
	want := roll.SetOf(ids...)
	rows, err := l.r.rowsOf(ctx, tx, l.org, l.scope.of(ids), l.scopePacks, want)
	if err != nil {
		return nil, nil, err
	}
	scope = byNumber(rows)
	if !l.isScope() {
		if rows, err = l.r.rowsOf(ctx, tx, l.org, l.q.Query.of(ids), l.packs, want); err != nil {
			return nil, nil, err
		}
	}
	return byNumber(slices.DeleteFunc(slices.Clone(rows), func(r call.Row) bool { return r.Day >= l.q.To })), scope, nil
}

// count adds up a person's calls, in order.
func (p *Person) count(rows []call.Row, connectedFrom int) {
	per := map[account.AgentNo]int64{}
	for i := range rows {
		r := &rows[i]
		if p.Calls++; p.Calls == 1 {
			p.First = r.At()
		}
		p.Last, p.LastAgent = r.At(), r.Agent
		per[r.Agent]++
		if r.Type.Direction() == call.Incoming {
			p.Incoming++
		}
		if r.Type == call.TypeOutgoing {
			p.Outgoing++
		}
		switch o := r.Outcome(connectedFrom); {
		case o == call.OutcomeConnected:
			p.Connected++
			p.Talk += time.Duration(r.Seconds) * time.Second
		case o == call.OutcomeNotPickedUp:
			p.NotPickedUp++
		case roll.IsUnattended(r.Type, r.Seconds, connectedFrom):
			p.Unattended++
		}
	}
	p.Agents = mostFirst(per)
}

func mostFirst(per map[account.AgentNo]int64) []account.AgentNo {
	return slices.SortedFunc(maps.Keys(per), func(a, b account.AgentNo) int {
		return cmp.Or(cmp.Compare(per[b], per[a]), cmp.Compare(a, b))
	})
}

// pursuit is what became of somebody's last unattended call.
type pursuit struct {
	state       progress
	first, last *call.Row // unattended calls in the range
	recovery    *call.Row // the first connected call at or after last
	tries       int64     // our calls not picked up between
	connected   *call.Row // the last connected call of all
}

// follow takes in one number's calls, in order; only unattended calls on days before to count as such.
func (u *pursuit) follow(rows []call.Row, to civil.Day, connectedFrom int) {
	for i := range rows {
		r := &rows[i]
		o := r.Outcome(connectedFrom)
		if o == call.OutcomeConnected {
			u.connected = r
		}
		switch {
		case roll.IsUnattended(r.Type, r.Seconds, connectedFrom) && r.Day < to:
			if u.first == nil {
				u.first = r
			}
			u.last, u.recovery, u.tries, u.state = r, nil, 0, open
		case !u.state.waits():
		case o == call.OutcomeConnected:
			u.recovery, u.state = r, byCaller
			if r.Type == call.TypeOutgoing {
				u.state = byUs
			}
		case o == call.OutcomeNotPickedUp:
			u.tries++
			u.state = attempted
		}
	}
}

// recover tells what happened since the last unattended call; rows are all calls in scope, in order.
func (p *Person) recover(rows []call.Row, l *list, now time.Time) {
	var u pursuit
	u.follow(rows, l.q.To, l.org.ConnectedFrom)
	if u.connected != nil {
		p.LastConnected, p.LastConnectedBy = u.connected.At(), u.connected.Agent
	}
	if u.last == nil {
		return
	}
	p.State, p.Attempts = u.state.recovery(), u.tries
	p.FirstMissed, p.LastMissed, p.MissedBy = u.first.At(), u.last.At(), u.last.Agent
	until := now
	if end := l.end.Start(l.zone); end.Before(now) {
		until = end
	}
	if u.recovery != nil {
		p.RecoveredAt, p.RecoveredBy = u.recovery.At(), u.recovery.Agent
		until = p.RecoveredAt
	}
	p.Waiting = max(0, until.Sub(p.LastMissed))
	p.WaitingBusiness = l.org.WorkingTime(p.LastMissed, until)
	if at, ok := l.q.Settled[p.ID]; ok && p.State.Waiting() && !at.Before(p.LastMissed) {
		p.State = Settled
	}
}
