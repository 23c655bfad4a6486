package stats

import (
	"context"
	"slices"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// People gives a page of people: found and put in order by roll-ups, told from the calls of just the page's numbers.
func (r *Reporter) People(ctx context.Context, org *account.Org, q PeopleQuery) (*People, error) {
	if q.Limit < 1 || q.Limit > 500 {
		return nil, fault.Field("limit", "A page holds 1 to 500 people; %d were asked for.", q.Limit)
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	after, err := parsePlace(q.Sort, q.After)
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
			out.Next = page[q.Limit-1].place.text(q.Sort)
		}
		out.People, err = l.tell(ctx, tx, page)
		return err
	})
	return out, err
}

// perTelling is how many people EachPerson tells at a time.
const perTelling = 500

// EachPerson walks a whole list in its order; Limit and After do not matter. The list is made once; people are told in
// parts, between which calls may change: somebody whose calls are gone meanwhile is left out.
func (r *Reporter) EachPerson(ctx context.Context, org *account.Org, q PeopleQuery, visit func(*Person) error) error {
	if err := q.check(); err != nil {
		return err
	}
	var l *list
	var all []placed
	err := r.db.Read(ctx, func(tx *db.Tx) (err error) {
		if l, err = r.list(ctx, tx, org, &q); err == nil {
			all, err = l.page(ctx, tx, nil, len(l.members))
		}
		return err
	})
	if err != nil {
		return err
	}
	for part := range slices.Chunk(all, perTelling) {
		var people []Person
		if err := r.db.Read(ctx, func(tx *db.Tx) (err error) {
			people, err = l.tell(ctx, tx, part)
			return err
		}); err != nil {
			return err
		}
		for i := range people {
			if people[i].Calls == 0 {
				continue
			}
			if err := visit(&people[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (q *PeopleQuery) check() error {
	if q.Sort == "" {
		q.Sort = SortLast
	}
	switch {
	case !slices.Contains(Lists(), q.List):
		return fault.Field("list", "There is no list of people %q. The lists are clients, reached, new, missed, never_attended and never_picked_up.", q.List)
	case !slices.Contains(Sorts(), q.Sort):
		return fault.Field("sort", "People cannot be sorted by %q. Choose last, calls, incoming, outgoing, talk or waiting.", q.Sort)
	case q.Sort == SortWaiting && !q.List.aboutMissed():
		return fault.Field("sort", "Only missed callers can be sorted by how long they wait. Choose last, calls, incoming, outgoing or talk.")
	case len(q.States) > 0 && !q.List.aboutMissed():
		return fault.Field("state", "Only missed callers have a state of recovery. Choose the list missed or never_attended.")
	}
	for _, s := range q.States {
		if !slices.Contains(Recoveries(), s) {
			return fault.Field("state", "There is no state %q. The states are open, attempted, recovered_by_us, recovered_by_caller and settled.", s)
		}
	}
	return q.Query.check()
}
