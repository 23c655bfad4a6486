package person

import (
	"context"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/trust/rights"
	"parley/trust/subject"
)

// Heed makes restrictions what they are to be: the persons outside among restricted are, and nobody else is. It is called
// whenever that changes, and at the start.
func (p *Persons) Heed(ctx context.Context, org *account.Org, restricted map[subject.Ref]bool) error {
	kept, err := p.Book.Excluded(ctx, p.DB, org.ID)
	if err != nil {
		return err
	}
	for who := range restricted {
		n := number.ID(who.Num())
		if n <= number.Withheld || kept.Restricted[n] {
			continue
		}
		stored, err := p.stored(ctx, org.ID, n)
		if err != nil {
			return err
		}
		if !stored { // erased or archived: there is nothing to use
			continue
		}
		if err := p.Writer.Restrict(ctx, org, n, true); err != nil {
			return err
		}
	}
	for n := range kept.Restricted {
		if !restricted[subject.OfNumber(int64(n))] {
			if err := p.Writer.Restrict(ctx, org, n, false); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Persons) stored(ctx context.Context, org account.OrgID, n number.ID) (bool, error) {
	_, ok, err := db.One(ctx, p.DB, func(r db.Scanner) (n number.ID, err error) { return n, r.Scan(&n) }, `SELECT num FROM numbers WHERE org_id = $1 AND num = $2`, org, n)
	return ok, err
}

// nameField is the contact name that phones logged, which a person may have corrected. A phone that logs another one later
// changes it again.
func (p *Persons) nameField() rights.Field {
	return rights.Field{
		Key: "contact.name", Kind: subject.Number,
		Read: func(ctx context.Context, org account.OrgID, who subject.Ref) (string, error) {
			n := number.ID(who.Num())
			names, err := p.Book.LoggedNames(ctx, p.DB, org, []number.ID{n})
			return names[n], err
		},
		Write: func(ctx context.Context, org account.OrgID, who subject.Ref, value string) error {
			return p.DB.Tx(ctx, func(tx *db.Tx) error {
				return p.Book.Rename(ctx, tx, org, number.ID(who.Num()), value, p.Now().UnixMilli())
			})
		},
	}
}
