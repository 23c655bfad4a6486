package person

import (
	"context"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/subject"
)

// Enter gives the persons behind phone numbers as people write them, entering those that are not in the book: a legal
// hold, for one, may come before the data. field names what is wrong with a number.
func Enter(ctx context.Context, d *db.DB, book *number.Book, org *account.Org, field string, written []string) (out []subject.Ref, err error) {
	canonical := make([]string, len(written))
	for i, text := range written {
		n := phone.Parse(text, org.Country)
		if n.E164 == "" {
			return nil, fault.Field(field, "%q is not a phone number. Write it with the country's code, such as +91 98123 00001.", text)
		}
		canonical[i] = n.E164
	}
	if len(canonical) == 0 {
		return nil, nil
	}
	err = d.Tx(ctx, func(tx *db.Tx) error {
		ids, _, err := book.Resolve(ctx, tx, org.ID, canonical) // not remembered, see InBook
		if err != nil {
			return err
		}
		out = nil
		for _, n := range canonical {
			out = append(out, subject.OfNumber(int64(ids[n])))
		}
		return nil
	})
	return out, err
}
