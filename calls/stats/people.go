package stats

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// People gives a page of people: found and put in order by roll-ups, told from the calls of just the page's numbers.
func (r *Reporter) People(ctx context.Context, org *account.Org, q PeopleQuery) (*People, error) {
	if q.Limit < 1 || q.Limit > 500 {
		return nil, fault.Field("limit", "A page holds 1 to 500 people; %d were asked for.", q.Limit)
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	after, err := parsePlace(q.After)
	if err != nil {
		return nil, err
	}
	out := &People{}
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		l, err := r.list(ctx, tx, org, &q)
		if err != nil {
			return err
		}
		out.Total, out.ByState = int64(len(l.members)), l.byState
		page, err := l.page(ctx, tx, after, q.Limit+1)
		if err != nil {
			return err
		}
		if len(page) > q.Limit {
			page = page[:q.Limit]
			out.Next = page[q.Limit-1].place.text()
		}
		out.People, err = l.tell(ctx, tx, page)
		return err
	})
	return out, err
}

// EachPerson walks a whole list in its order, a page at a time, each from its own snapshot.
func (r *Reporter) EachPerson(ctx context.Context, org *account.Org, q PeopleQuery, visit func(*Person) error) error {
	for q.Limit = 500; ; {
		page, err := r.People(ctx, org, q)
		if err != nil {
			return err
		}
		for i := range page.People {
			if err := visit(&page.People[i]); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

func (q *PeopleQuery) check() error {
	if q.Sort == "" {
		q.Sort = SortLast
	}
	switch {
	case !slices.Contains([]List{ListClients, ListReached, ListNew, ListNeverAttended, ListNeverPickedUp, ListMissed}, q.List):
		return fault.Field("list", "There is no list of people %q. The lists are clients, reached, new, missed, never_attended and never_picked_up.", q.List)
	case !slices.Contains([]Sort{SortLast, SortCalls, SortWaiting}, q.Sort):
		return fault.Field("sort", "People cannot be sorted by %q. Choose last, calls or waiting.", q.Sort)
	case q.Sort == SortWaiting && q.List != ListMissed && q.List != ListNeverAttended:
		return fault.Field("sort", "Only missed callers can be sorted by how long they wait. Choose last or calls.")
	}
	for _, s := range q.States {
		if !slices.Contains(Recoveries(), s) {
			return fault.Field("state", "There is no state %q. The states are open, attempted, recovered_by_us and recovered_by_caller.", s)
		}
	}
	return q.Query.check()
}

// place is where somebody stands in a list: a number to sort by, then the id. Smaller comes first.
type place struct {
	rank int64
	id   number.ID
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.rank, o.rank), cmp.Compare(p.id, o.id))
}

func (p place) text() string {
	return id.Encode(binary.AppendVarint(binary.AppendVarint(nil, p.rank), int64(p.id)))
}

func parsePlace(text string) (*place, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no place is the beginning
	}
	wrong := fault.Field("after", "The page marker %q is not one this list gave out. Start again from the first page.", text)
	b, err := id.Decode(text)
	if err != nil || len(text) > 40 {
		return nil, wrong
	}
	rank, n := binary.Varint(b)
	if n <= 0 {
		return nil, wrong
	}
	who, m := binary.Varint(b[n:])
	if m <= 0 || n+m != len(b) {
		return nil, wrong
	}
	return &place{rank, number.ID(who)}, nil
}

// list is the members of a list with what roll-ups say of them.
type list struct {
	r       *Reporter
	org     *account.Org
	q       *PeopleQuery
	packs   []*pack // of the range, then up to Until
	days    int     // how many of the packs are in the range
	members []*tally
	byState map[Recovery]int64
}

// at is the position of a pack's day.
func (l *list) at(p *pack) uint16 { return uint16(p.day-l.q.From) + 1 }

// packOf is the pack of a position.
func (l *list) packOf(position uint16) *pack {
	day := l.q.From + civil.Day(position) - 1
	i, ok := slices.BinarySearchFunc(l.packs, day, func(p *pack, d civil.Day) int { return cmp.Compare(p.day, d) })
	if !ok {
		return nil
	}
	return l.packs[i]
}

func (r *Reporter) list(ctx context.Context, tx *db.Tx, org *account.Org, q *PeopleQuery) (*list, error) {
	l := &list{r: r, org: org, q: q}
	wide := q.Query
	wide.To = max(q.To, q.Until)
	if wide.To-wide.From > maxDays {
		wide.To = wide.From + maxDays
	}
	var err error
	if l.packs, err = r.packs(ctx, tx, org, &wide); err != nil {
		return nil, err
	}
	l.days, _ = slices.BinarySearchFunc(l.packs, q.To, func(p *pack, d civil.Day) int { return cmp.Compare(p.day, d) })
	tallies, err := l.collect()
	if err != nil {
		return nil, err
	}
	return l, l.choose(ctx, tx, tallies)
}

// collect tallies every number of the range.
func (l *list) collect() ([]tally, error) {
	only := l.q.agentSet()
	index := map[number.ID]int32{}
	var tallies []tally
	var d roll.Day
	for i, p := range l.packs {
		within, day := i < l.days, l.at(p)
		for j, agent := range p.agents {
			if only != nil && !only[agent] {
				continue
			}
			if err := d.Decode(p.at(j)); err != nil {
				return nil, err
			}
			for k := range d.Numbers {
				e := &d.Numbers[k]
				if e.Flags&roll.Hidden != 0 {
					continue
				}
				at, ok := index[e.Number]
				if !ok {
					if !within {
						continue
					}
					at = int32(len(tallies))
					index[e.Number] = at
					tallies = append(tallies, tally{id: e.Number})
				}
				tallies[at].note(e, day, within)
			}
		}
	}
	for i := range tallies {
		tallies[i].turn()
	}
	return tallies, nil
}

// choose keeps the list's members.
func (l *list) choose(ctx context.Context, tx *db.Tx, tallies []tally) error {
	keep, err := l.rule(ctx, tx, tallies)
	if err != nil {
		return err
	}
	for i := range tallies {
		if keep(&tallies[i]) {
			l.members = append(l.members, &tallies[i])
		}
	}
	if l.q.List != ListMissed {
		return nil
	}
	if err := l.recoveries(ctx, tx); err != nil {
		return err
	}
	l.byState = map[Recovery]int64{}
	for _, t := range l.members {
		l.byState[t.state]++
	}
	if len(l.q.States) > 0 {
		l.members = slices.DeleteFunc(l.members, func(t *tally) bool { return !slices.Contains(l.q.States, t.state) })
	}
	return nil
}

// rule tells whom the list is about.
func (l *list) rule(ctx context.Context, tx *db.Tx, tallies []tally) (func(t *tally) bool, error) {
	switch l.q.List {
	case ListReached:
		return func(t *tally) bool { return t.seen.flags&roll.Connected != 0 }, nil
	case ListNeverPickedUp:
		return func(t *tally) bool { return t.neverPickedUp() }, nil
	case ListMissed:
		return func(t *tally) bool { return t.firstUnattended != 0 }, nil
	case ListNew:
		b, err := l.r.seenBefore(ctx, tx, l.org.ID, l.q.From, l.q.Filter.Excluded)
		return func(t *tally) bool { return !b.has(t.id) }, err
	case ListNeverAttended:
		never, err := l.neverAttended(ctx, tx, tallies)
		return func(t *tally) bool { return t.attendance() == neverAttended || never[t.id] }, err
	default:
		return func(*tally) bool { return true }, nil
	}
}

// neverAttended settles those whose agents' calls of one day must be put in order.
func (l *list) neverAttended(ctx context.Context, tx *db.Tx, tallies []tally) (map[number.ID]bool, error) {
	open := map[uint16]map[number.ID]bool{}
	for i := range tallies {
		if t := &tallies[i]; t.attendance() == unsettled {
			mark(open, t.firstUnattended, t.id)
		}
	}
	never := map[number.ID]bool{}
	for day, want := range open {
		rows, err := l.rows(ctx, tx, day, want)
		if err != nil {
			return nil, err
		}
		for n := range want {
			if !attendedIn(rows, n, l.org.ConnectedFrom) {
				never[n] = true
			}
		}
	}
	return never, nil
}

func mark(m map[uint16]map[number.ID]bool, day uint16, n number.ID) {
	if m[day] == nil {
		m[day] = map[number.ID]bool{}
	}
	m[day][n] = true
}

// rows reads the calls of some numbers on one day, ascending by start.
func (l *list) rows(ctx context.Context, tx *db.Tx, day uint16, want map[number.ID]bool) ([]call.Row, error) {
	p := l.packOf(day)
	if p == nil {
		return nil, nil
	}
	rows, err := l.r.rowsOf(ctx, tx, l.org, &l.q.Query, []*pack{p}, want)
	slices.SortStableFunc(rows, byStart)
	return rows, err
}

func byStart(a, b call.Row) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Line, b.Line))
}

// recoveries settles the members' states: by days where those tell, else by the calls of a day, of two at most.
func (l *list) recoveries(ctx context.Context, tx *db.Tx) error {
	todo := l.members
	for len(todo) > 0 {
		read, want := map[uint16][]*tally{}, map[uint16]map[number.ID]bool{}
		for _, t := range todo {
			s, day := t.recovery()
			if day == 0 {
				t.state = s
				continue
			}
			read[day] = append(read[day], t)
			mark(want, day, t.id)
		}
		todo = nil
		for day, tallies := range read {
			rows, err := l.rows(ctx, tx, day, want[day])
			if err != nil {
				return err
			}
			by := byNumber(rows)
			for _, t := range tallies {
				t.settle(by[t.id], day, l.org.ConnectedFrom)
				if t.sameDay = false; t.state == "" {
					todo = append(todo, t)
				}
			}
		}
	}
	return nil
}

func byNumber(rows []call.Row) map[number.ID][]call.Row {
	by := map[number.ID][]call.Row{}
	for _, r := range rows {
		by[r.Number] = append(by[r.Number], r)
	}
	return by
}

// placed is a member with their place in the list.
type placed struct {
	*tally
	place place
}

// page gives up to most members after a place, in order.
func (l *list) page(ctx context.Context, tx *db.Tx, after *place, most int) ([]placed, error) {
	if l.q.Sort == SortCalls {
		all := make([]placed, len(l.members))
		for i, t := range l.members {
			all[i] = placed{t, place{-int64(t.calls), t.id}}
		}
		return cut(all, after, most), nil
	}
	return l.pageByTime(ctx, tx, after, most)
}

// cut sorts members and keeps those after a place.
func cut(all []placed, after *place, most int) []placed {
	if after != nil {
		all = slices.DeleteFunc(all, func(p placed) bool { return p.place.compare(*after) <= 0 })
	}
	slices.SortFunc(all, func(a, b placed) int { return a.place.compare(b.place) })
	return all[:min(most, len(all))]
}

// pageByTime goes day by day, since roll-ups know the day of a call and only the calls its time: so that only the days
// a page touches are read.
func (l *list) pageByTime(ctx context.Context, tx *db.Tx, after *place, most int) ([]placed, error) {
	oldest := l.q.Sort == SortWaiting
	groups := map[uint16][]*tally{}
	for _, t := range l.members {
		groups[l.sortDay(t)] = append(groups[l.sortDay(t)], t)
	}
	days := make([]uint16, 0, len(groups))
	for d := range groups {
		days = append(days, d)
	}
	slices.Sort(days)
	if !oldest {
		slices.Reverse(days)
	}
	var out []placed
	for _, d := range days {
		if len(out) >= most {
			break
		}
		if after != nil && l.before(d, after, oldest) {
			continue
		}
		group, err := l.timed(ctx, tx, d, groups[d], oldest)
		if err != nil {
			return nil, err
		}
		out = append(out, cut(group, after, most-len(out))...)
	}
	return out, nil
}

func (l *list) sortDay(t *tally) uint16 {
	if l.q.Sort == SortWaiting {
		return t.lastUnattended
	}
	return t.lastDay
}

// before tells whether a whole day lies before a place.
func (l *list) before(day uint16, after *place, oldest bool) bool {
	start := (l.q.From + civil.Day(day) - 1).Start(l.org.Location()).UnixMilli()
	end := (l.q.From + civil.Day(day)).Start(l.org.Location()).UnixMilli()
	if oldest {
		return end <= after.rank
	}
	return start > -after.rank
}

// timed finds the times that members of one day are sorted by.
func (l *list) timed(ctx context.Context, tx *db.Tx, day uint16, tallies []*tally, oldest bool) ([]placed, error) {
	want := make(map[number.ID]bool, len(tallies))
	for _, t := range tallies {
		want[t.id] = true
	}
	rows, err := l.rows(ctx, tx, day, want)
	if err != nil {
		return nil, err
	}
	last := make(map[number.ID]int64, len(tallies))
	for i := range rows {
		if r := &rows[i]; !oldest || roll.IsUnattended(r.Type, r.Seconds, l.org.ConnectedFrom) {
			last[r.Number] = r.Start
		}
	}
	out := make([]placed, len(tallies))
	for i, t := range tallies {
		rank := last[t.id]
		if !oldest {
			rank = -rank
		}
		out[i] = placed{t, place{rank, t.id}}
	}
	return out, nil
}
