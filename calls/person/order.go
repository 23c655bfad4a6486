package person

import (
	"context"
	"slices"

	"parley/account"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/trust/retain"
)

// together is how many persons one transaction of retention handles, and atOnce of how many the days are looked up at once.
const (
	together = 250
	atOnce   = 20_000
)

// order is what a keeper is to remove of persons with whom nothing happened for long.
type order struct {
	retain.Order
	p   *Persons
	org *account.Org
	had map[civil.Day]int64
}

// settled begins to carry out an order: what changed since it was planned is left out of it. due lists what is due now.
func (p *Persons) settled(ctx context.Context, id account.OrgID, o retain.Order, due func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error)) (*order, error) {
	org, err := p.Accounts.Org(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &order{Order: o, p: p, org: org}
	if out.had, err = generations(ctx, p.DB, id); err != nil { // before anything is read
		return nil, err
	}
	now, err := due(ctx, id, o.Cut)
	if err != nil {
		return nil, err
	}
	if out.Items = unchanged(now, o.Items); len(out.Items) == 0 && len(o.Items) > 0 {
		return nil, changed()
	}
	return out, nil
}

// each removes items of the order some persons at a time. first is to be asked in the transaction that decides: it refuses when a
// hold covers one of them, or something happened with one meanwhile.
func (o *order) each(all []retain.Item, remove func(numbers []number.ID, first func(ctx context.Context, tx *db.Tx) error) error) error {
	for items := range slices.Chunk(all, together) {
		_, numbers, err := readKeys(items)
		if err != nil {
			return err
		}
		if err := o.Part(items, func(first func(context.Context, *db.Tx) error) error {
			return remove(numbers, func(ctx context.Context, tx *db.Tx) error {
				if err := o.calm(ctx, tx, numbers); err != nil {
					return err
				}
				return first(ctx, tx)
			})
		}); err != nil {
			return err
		}
	}
	return nil
}

// calm refuses, as a Conflict, when something happened with one of the numbers since the order was settled.
func (o *order) calm(ctx context.Context, tx *db.Tx, numbers []number.ID) error {
	if err := still(ctx, tx, o.org.ID, o.had, numbers); err != nil {
		return err
	}
	args := []any{o.org.ID, o.Before.UnixMilli()}
	for _, n := range numbers {
		args = append(args, n)
	}
	_, agreed, err := db.One(ctx, tx, scanNumber, `SELECT num FROM callbacks WHERE org_id = $1 AND (assigned_ms >= $2 OR handled_ms >= $2) AND num IN `+db.In(3, len(numbers))+` LIMIT 1`, args...)
	if err == nil && agreed {
		err = changed()
	}
	return err
}

// unchanged are those of the items that are due now as they were planned.
func unchanged(now, items []retain.Item) []retain.Item {
	have := make(map[string]retain.Item, len(now))
	for _, i := range now {
		have[i.Key] = i
	}
	var out []retain.Item
	for _, i := range items {
		if n, ok := have[i.Key]; ok && n.Rows == i.Rows && n.At.Equal(i.At) {
			out = append(out, i)
		}
	}
	return out
}
