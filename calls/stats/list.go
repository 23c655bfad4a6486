package stats

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// list is the members of a list with what roll-ups say of them.
type list struct {
	r    *Reporter
	org  *account.Org
	zone *time.Location
	q    *PeopleQuery
	only map[account.AgentNo]bool

	end        civil.Day // where the calls end that are looked at: the range's end or Until
	packs      []*pack   // of the query, from the range's first day to end
	scope      Query     // the query with what of its filter belongs to the scope, from the range's first day to end
	scopePacks []*pack

	tallies []tally
	members []*tally
	byState map[Recovery]int64
}

// maxReach bounds the days from a range's first to Until: positions of days are kept in 16 bits.
const maxReach = 60_000

func (r *Reporter) list(ctx context.Context, tx *db.Tx, org *account.Org, q *PeopleQuery) (*list, error) {
	l := &list{r: r, org: org, zone: org.Location(), q: q, only: q.agentSet(), end: min(max(q.To, q.Until), q.From+maxReach)}
	wide := q.Query
	wide.To = l.end
	l.scope = wide
	l.scope.Filter = call.Filter{Line: q.Filter.Line, Excluded: q.Filter.Excluded, Numbers: q.Filter.Numbers}
	var err error
	if l.packs, err = r.peoplePacks(ctx, tx, org, &wide); err != nil {
		return nil, err
	}
	if l.scopePacks = l.packs; !l.isScope() {
		if l.scopePacks, err = r.peoplePacks(ctx, tx, org, &l.scope); err != nil {
			return nil, err
		}
	}
	if err := l.collect(ctx, tx); err != nil {
		return nil, err
	}
	return l, l.choose(ctx, tx)
}

// isScope tells whether the query's filter narrows nothing but the scope.
func (l *list) isScope() bool {
	f := l.q.Filter
	f.Line, f.Excluded, f.Numbers = 0, false, nil
	return f.IsZero()
}

// slots finds a number's tally: its position plus one by the number's id, 0 where there is none. They are used again.
type slots struct{ at []int32 }

// collect tallies every number of the range.
func (l *list) collect(ctx context.Context, tx *db.Tx) error {
	n, err := l.r.book.Count(ctx, tx, l.org.ID)
	if err != nil {
		return err
	}
	s := l.r.slots.Get().(*slots)
	if len(s.at) < int(n) {
		s.at = make([]int32, n+n/8+1024)
	}
	defer func() {
		for i := range l.tallies {
			s.at[l.tallies[i].id] = 0
		}
		l.r.slots.Put(s)
	}()
	missed, same := l.q.List.aboutMissed(), l.isScope()
	if err := l.each(l.packs, func(e *roll.Entry, day civil.Day) {
		within, position := day < l.q.To, uint16(day-l.q.From)+1
		at := &s.at[e.Number]
		if *at == 0 {
			if !within {
				return
			}
			l.tallies = append(l.tallies, tally{id: int32(e.Number)})
			*at = int32(len(l.tallies))
		}
		t := &l.tallies[*at-1]
		if within {
			t.add(e, position)
		} else if e.Flags&roll.Connected != 0 && t.firstUnattended != 0 {
			t.lastConnected = position
		}
		if missed && same {
			t.follow(e, position, within)
		}
	}); err != nil || !missed {
		return err
	}
	if !same {
		err = l.each(l.scopePacks, func(e *roll.Entry, day civil.Day) {
			if at := s.at[e.Number]; at > 0 {
				l.tallies[at-1].follow(e, uint16(day-l.q.From)+1, day < l.q.To)
			}
		})
	}
	for i := range l.tallies {
		l.tallies[i].turn()
	}
	return err
}

// each walks the entries of packs that are in scope, by day.
func (l *list) each(packs []*pack, visit func(e *roll.Entry, day civil.Day)) error {
	var entries []roll.Entry
	for _, p := range packs {
		for j, agent := range p.agents {
			if l.only != nil && !l.only[agent] {
				continue
			}
			var err error
			if entries, err = roll.DecodeNumbers(p.at(j), entries); err != nil {
				return err
			}
			for k := range entries {
				if e := &entries[k]; e.Shown(l.q.Filter.Excluded) {
					visit(e, p.day)
				}
			}
		}
	}
	return nil
}

// choose keeps the list's members.
func (l *list) choose(ctx context.Context, tx *db.Tx) error {
	keep, err := l.rule(ctx, tx)
	if err != nil {
		return err
	}
	for i := range l.tallies {
		if keep(&l.tallies[i]) {
			l.members = append(l.members, &l.tallies[i])
		}
	}
	if !l.q.List.aboutMissed() {
		return nil
	}
	if err := l.order(ctx, tx); err != nil {
		return err
	}
	if err := l.settle(ctx, tx); err != nil {
		return err
	}
	l.byState = map[Recovery]int64{}
	for _, t := range l.members {
		l.byState[t.state.recovery()]++
	}
	if len(l.q.States) > 0 {
		l.members = slices.DeleteFunc(l.members, func(t *tally) bool { return !slices.Contains(l.q.States, t.state.recovery()) })
	}
	return nil
}

// rule tells whom the list is about.
func (l *list) rule(ctx context.Context, tx *db.Tx) (func(t *tally) bool, error) {
	switch l.q.List {
	case ListReached:
		return func(t *tally) bool { return t.seen.flags&roll.Connected != 0 }, nil
	case ListNeverPickedUp:
		return func(t *tally) bool { return t.neverPickedUp() }, nil
	case ListMissed:
		return func(t *tally) bool { return t.firstUnattended != 0 }, nil
	case ListNew:
		b, err := l.r.seenBefore(ctx, tx, l.org.ID, l.q.From, l.q.Filter.Excluded)
		return func(t *tally) bool { return !b.has(t.number()) }, err
	case ListNeverAttended:
		never, err := l.neverAttended(ctx, tx)
		return func(t *tally) bool { return t.attendance() == neverAttended || never[t.number()] }, err
	default:
		return func(*tally) bool { return true }, nil
	}
}

// neverAttended settles those of whom several agents' calls of one day must be put in order.
func (l *list) neverAttended(ctx context.Context, tx *db.Tx) (map[number.ID]bool, error) {
	open := map[number.ID]civil.Day{}
	for i := range l.tallies {
		if t := &l.tallies[i]; t.attendance() == unsettled {
			open[t.number()] = l.dayAt(t.firstUnattended)
		}
	}
	return l.r.settle(ctx, tx, l.org, &l.q.Query, l.packs, open)
}

// order settles the states of members whose calls of a day must be put in order: few days of few people.
func (l *list) order(ctx context.Context, tx *db.Tx) error {
	for todo := l.members; len(todo) > 0; {
		byDay := map[civil.Day][]*tally{}
		var next []*tally
		for _, t := range todo {
			if day := t.unread(); day > 0 {
				byDay[l.dayAt(day)] = append(byDay[l.dayAt(day)], t)
				next = append(next, t)
			}
		}
		for day, tallies := range byDay {
			if err := l.readDay(ctx, tx, day, tallies); err != nil {
				return err
			}
		}
		todo = next
	}
	return nil
}

// callsOn reads the calls in scope of some members on one day, in order.
func (l *list) callsOn(ctx context.Context, tx *db.Tx, day civil.Day, tallies []*tally) (map[number.ID][]call.Row, error) {
	ids := make([]number.ID, len(tallies))
	for i, t := range tallies {
		ids[i] = t.number()
	}
	rows, err := l.r.rowsOf(ctx, tx, l.org, l.scope.of(ids), packOn(l.scopePacks, day), roll.SetOf(ids...))
	return byNumber(rows), err
}

func (l *list) readDay(ctx context.Context, tx *db.Tx, day civil.Day, tallies []*tally) error {
	by, err := l.callsOn(ctx, tx, day, tallies)
	if err != nil {
		return err
	}
	for _, t := range tallies {
		u := pursuit{}
		if !t.sameDay {
			u.state = open // it waits since an earlier day
		}
		u.follow(by[t.number()], l.q.To, l.org.ConnectedFrom)
		t.read(u)
	}
	return nil
}
