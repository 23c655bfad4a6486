package stats

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// place is where somebody stands in a list; smaller comes first. rank is the figure sorted by, or a time in Unix
// milliseconds, made negative where the greatest comes first.
type place struct {
	group int64 // 1 for those who no longer wait, in the order of waiting
	rank  int64
	id    number.ID
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.group, o.group), cmp.Compare(p.rank, o.rank), cmp.Compare(p.id, o.id))
}

// text is a place as a page marker; it holds the order that it belongs to.
func (p place) text(s Sort) string {
	var b []byte
	for _, v := range [...]int64{int64(slices.Index(Sorts(), s)), p.group, p.rank, int64(p.id)} {
		b = binary.AppendVarint(b, v)
	}
	return id.Encode(b)
}

func parsePlace(s Sort, text string) (*place, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no place is the beginning
	}
	wrong := fault.Field("cursor", "The page marker %q is not one this list gave out. Start again from the first page.", text)
	if len(text) > 80 {
		return nil, wrong
	}
	b, err := id.Decode(text)
	if err != nil {
		return nil, wrong
	}
	var v [4]int64
	for i := range v {
		n := 0
		if v[i], n = binary.Varint(b); n <= 0 {
			return nil, wrong
		}
		b = b[n:]
	}
	if len(b) > 0 || v[0] != int64(slices.Index(Sorts(), s)) {
		return nil, wrong
	}
	return &place{v[1], v[2], number.ID(v[3])}, nil
}

// placed is a member with their place in the list.
type placed struct {
	*tally
	place place
}

// page gives up to most members after a place, in order.
func (l *list) page(ctx context.Context, tx *db.Tx, after *place, most int) ([]placed, error) {
	var rank func(t *tally) int64
	switch l.q.Sort {
	case SortCalls:
		rank = func(t *tally) int64 { return int64(t.calls) }
	case SortIncoming:
		rank = func(t *tally) int64 { return int64(t.incoming) }
	case SortOutgoing:
		rank = func(t *tally) int64 { return int64(t.outgoing) }
	case SortTalk:
		rank = func(t *tally) int64 { return t.talk }
	default:
		return l.pageByTime(ctx, tx, after, most)
	}
	all := make([]placed, len(l.members))
	for i, t := range l.members {
		all[i] = placed{t, place{rank: -rank(t), id: t.number()}}
	}
	return cut(all, after, most), nil
}

// cut keeps up to most of the members after a place, in order. It sorts no more than it must: whoever stands behind the
// best so far is passed over.
func cut(all []placed, after *place, most int) []placed {
	byPlace := func(a, b placed) int { return a.place.compare(b.place) }
	var best []placed
	var last *place
	for _, p := range all {
		if after != nil && p.place.compare(*after) <= 0 || last != nil && p.place.compare(*last) > 0 {
			continue
		}
		if best = append(best, p); len(best) >= 2*most+64 {
			slices.SortFunc(best, byPlace)
			best = best[:most]
			if most > 0 {
				bound := best[most-1].place
				last = &bound
			}
		}
	}
	slices.SortFunc(best, byPlace)
	return best[:min(most, len(best))]
}

// dayGroup is the members of a group whose time to be sorted by lies on one day.
type dayGroup struct {
	group int64
	day   uint16
}

// pageByTime goes day by day, since roll-ups know the day of a call and only the calls its time: so that only the days
// a page touches are read.
func (l *list) pageByTime(ctx context.Context, tx *db.Tx, after *place, most int) ([]placed, error) {
	members := map[dayGroup][]*tally{}
	for _, t := range l.members {
		g := l.groupOf(t)
		members[g] = append(members[g], t)
	}
	groups := make([]dayGroup, 0, len(members))
	for g := range members {
		groups = append(groups, g)
	}
	oldest := l.q.Sort == SortWaiting
	slices.SortFunc(groups, func(a, b dayGroup) int {
		byDay := cmp.Compare(a.day, b.day)
		if !oldest {
			byDay = -byDay
		}
		return cmp.Or(cmp.Compare(a.group, b.group), byDay)
	})
	var out []placed
	for _, g := range groups {
		if len(out) >= most {
			break
		}
		if after != nil && l.lastOf(g, oldest).compare(*after) <= 0 {
			continue
		}
		timed, err := l.timed(ctx, tx, g, members[g], oldest)
		if err != nil {
			return nil, err
		}
		out = append(out, cut(timed, after, most-len(out))...)
	}
	return out, nil
}

func (l *list) groupOf(t *tally) dayGroup {
	switch {
	case l.q.Sort == SortWaiting && t.state.waits():
		return dayGroup{0, t.missDay}
	case l.q.Sort == SortWaiting:
		return dayGroup{1, t.missDay}
	case l.q.List.aboutMissed():
		return dayGroup{0, t.missDay}
	default:
		return dayGroup{0, t.lastDay}
	}
}

// lastOf is a place after all those of a group.
func (l *list) lastOf(g dayGroup, oldest bool) place {
	const none = number.ID(1) << 62
	day := l.dayAt(g.day)
	if oldest {
		return place{g.group, (day + 1).Start(l.zone).UnixMilli(), none}
	}
	return place{g.group, -day.Start(l.zone).UnixMilli(), none}
}

// dayAt is the day of a position.
func (l *list) dayAt(position uint16) civil.Day { return l.q.From + civil.Day(position) - 1 }

// timed finds the times that members of one day are sorted by: of missed callers, that of the last unattended call.
func (l *list) timed(ctx context.Context, tx *db.Tx, g dayGroup, members []*tally, oldest bool) ([]placed, error) {
	ids := make([]number.ID, len(members))
	for i, t := range members {
		ids[i] = t.number()
	}
	q, packs := l.q.Query, l.packs
	if l.q.List.aboutMissed() {
		q, packs = l.scope, l.scopePacks
		q.Filter = q.Filter.With(call.Filter{Outcomes: call.Unattended()})
	}
	rows, err := l.r.rowsOf(ctx, tx, l.org, q.of(ids), packOn(packs, l.dayAt(g.day)), roll.SetOf(ids...))
	if err != nil {
		return nil, err
	}
	last := make(map[number.ID]int64, len(members))
	for i := range rows {
		last[rows[i].Number] = rows[i].Start
	}
	out := make([]placed, len(members))
	for i, t := range members {
		rank := last[ids[i]]
		if !oldest {
			rank = -rank
		}
		out[i] = placed{t, place{g.group, rank, ids[i]}}
	}
	return out, nil
}

// packOn is the pack of one day, if it is there.
func packOn(packs []*pack, day civil.Day) []*pack {
	i, ok := slices.BinarySearchFunc(packs, day, func(p *pack, d civil.Day) int { return cmp.Compare(p.day, d) })
	if !ok {
		return nil
	}
	return packs[i : i+1]
}
