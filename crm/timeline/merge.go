package timeline

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// place is where an item stands in a timeline. Of the items of one millisecond those of the source with the lower rank come
// first, and those of one source as the source has them.
type place struct {
	ms   int64
	rank int
	sub  string // among the items of a source's millisecond; "" is before none of them
}

// source gives the items of one kind from one place, newest first: those that come after a place in the timeline, at most n.
// Where that takes looking at more than is worth while, it gives fewer and says how far it has looked.
type source func(ctx context.Context, tx *db.Tx, after place, n int) (batch, error)

// batch is what a source has found.
type batch struct {
	items []Item
	// looked is how far down the timeline the batch is complete when there may be more items; nil when there are none.
	looked *place
	hidden []place // calls that the actor may not see
}

// before tells whether a stands before b in a timeline, source by source.
func (a place) before(b place) bool {
	if a.ms != b.ms {
		return a.ms > b.ms
	}
	return a.rank < b.rank
}

// resume is the place from which on the source with a rank goes on after a place of any source.
func (a place) resume(rank int) place {
	switch {
	case a.rank == rank:
		return a
	case a.rank < rank: // nothing of that millisecond was given yet
		return place{ms: a.ms + 1, rank: rank}
	default:
		return place{ms: a.ms, rank: rank}
	}
}

// merge puts together the first n items after a place. hidden counts the calls between them that the actor may not see.
func merge(ctx context.Context, tx *db.Tx, sources []source, after place, n int) (items []Item, next *place, hidden int, err error) {
	var all []batch
	for rank, s := range sources {
		b, err := s(ctx, tx, after.resume(rank), n+1)
		if err != nil {
			return nil, nil, 0, err
		}
		for i := range b.items {
			b.items[i].at.rank = rank
		}
		if b.looked != nil {
			b.looked.rank = rank
		}
		all = append(all, b)
	}
	// No farther down than where every source has looked.
	var end *place
	for i := range all {
		if l := all[i].looked; l != nil && (end == nil || l.before(*end)) {
			end = l
		}
	}
	for i := range all {
		for _, x := range all[i].items {
			if end == nil || !end.before(x.at) {
				items = append(items, x)
			}
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		switch {
		case a.at.before(b.at):
			return -1
		case b.at.before(a.at):
			return 1
		default:
			return 0
		}
	})
	if len(items) > n {
		items = items[:n]
		last := items[n-1].at
		next, end = &last, &last
	} else {
		next = end
	}
	for i := range all {
		for _, h := range all[i].hidden {
			if end == nil || !end.before(h) {
				hidden++
			}
		}
	}
	return items, next, hidden, nil
}

// cursor writes a place as a page's marker.
func (a place) cursor() string {
	text, err := json.Marshal([]any{a.ms, a.rank, a.sub})
	if err != nil {
		return "" // numbers and text always can be written
	}
	return id.Encode(text)
}

// parseCursor reads a marker; "" is the beginning, which is some days ahead, since clocks of phones may be.
func parseCursor(text string, now time.Time) (p place, err error) {
	if text == "" {
		return place{ms: now.AddDate(0, 0, ahead).UnixMilli(), rank: -1}, nil
	}
	raw, err := id.Decode(text)
	if err == nil {
		err = json.Unmarshal(raw, &[]any{&p.ms, &p.rank, &p.sub})
	}
	if err != nil || len(text) > 400 {
		return p, fault.Field("cursor", "The page marker %q is not one this list gave out. Start again from the first page.", text)
	}
	return p, nil
}

// ahead is how many days after today a timeline begins.
const ahead = 400
