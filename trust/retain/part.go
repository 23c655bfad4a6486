package retain

import (
	"context"
	"slices"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// parts are what became of an order that is removed in several transactions.
type parts struct {
	org    account.OrgID
	copies map[string]string // by item: the id of its copy in the archive
	done   []Item
	why    string // why a part was refused
}

// used tells whether a keeper removed the order in parts.
func (p *parts) used() bool { return len(p.done) > 0 || p.why != "" }

// Part removes some items of a large order in a transaction of their own, or decides there once and for all that they go.
// first must be called inside that transaction: it is Gate for these items, and lets their copies in the archive count. A
// Conflict leaves these items alone, and the others go on. A keeper that removes in parts gives every item to some part.
func (o Order) Part(items []Item, remove func(first func(ctx context.Context, tx *db.Tx) error) error) error {
	p := o.parts
	if p == nil { // an order that no plan made
		p = &parts{}
	}
	err := remove(func(ctx context.Context, tx *db.Tx) error {
		if o.gate != nil {
			if err := o.gate(ctx, tx, items); err != nil {
				return err
			}
		}
		return p.settle(ctx, tx, items)
	})
	if fault.KindOf(err) == fault.Conflict {
		p.why = fault.Sentence(err)
		return nil
	}
	if err == nil {
		p.done = append(p.done, items...)
	}
	return err
}

// settle lets the copies of items count.
func (p *parts) settle(ctx context.Context, tx *db.Tx, items []Item) error {
	for part := range slices.Chunk(items, itemRows) {
		args := []any{p.org}
		for _, i := range part {
			if c, ok := p.copies[i.Key]; ok {
				args = append(args, c)
			}
		}
		if len(args) == 1 {
			continue
		}
		if _, err := tx.Exec(ctx, `UPDATE archive_items SET settled = 1 WHERE org_id = $1 AND id IN `+db.In(2, len(args)-1), args...); err != nil {
			return err
		}
	}
	return nil
}
