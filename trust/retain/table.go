package retain

import (
	"context"

	"parley/account"
	"parley/platform/db"
	"parley/platform/expire"
	"parley/trust/policy"
	"parley/trust/subject"
)

// OfTable is the keeper of rows that end by age alone.
func OfTable(d *db.DB, t expire.Table) Keeper {
	k := Keeper{Name: t.Name, Category: t.Category, Part: t.Part, Routine: t.Routine}
	if t.Days > 0 {
		k.Own = &Rule{From: policy.Event(t.From), Max: policy.Period{N: t.Days, Unit: policy.Days}}
	} else {
		k.Events = []policy.Event{policy.Event(t.From)}
	}
	k.Count = func(ctx context.Context, org account.OrgID) (int64, error) { return t.All(ctx, d, int64(org)) }
	k.Due = func(ctx context.Context, org account.OrgID, cut Cut) ([]Item, error) {
		rows, err := t.Old(ctx, d, int64(org), cut.Before)
		items := make([]Item, len(rows))
		for i, r := range rows {
			items[i] = Item{Key: r.Key, At: r.At, Rows: r.Rows, Bytes: r.Bytes}
			if r.Who == "" || err != nil {
				continue
			}
			var who subject.Ref
			who, err = subject.Parse(r.Who)
			items[i].Who = []subject.Ref{who}
		}
		return items, err
	}
	k.Remove = func(ctx context.Context, org account.OrgID, o Order) (int64, error) {
		rows := make([]expire.Row, len(o.Items))
		for i, x := range o.Items {
			rows[i] = expire.Row{Key: x.Key, At: x.At, Rows: x.Rows, Bytes: x.Bytes}
			if len(x.Who) > 0 {
				rows[i].Who = x.Who[0].String()
			}
		}
		return t.Clear(ctx, d, int64(org), o.Before, rows, o.Gate)
	}
	return k
}
