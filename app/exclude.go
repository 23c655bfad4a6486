package app

import (
	"context"

	"parley/account"
	"parley/calls/number"
	"parley/platform/phone"
)

type excludeCmd struct {
	Add    excludeAddCmd    `cmd:"" help:"Keep a number out."`
	List   excludeListCmd   `cmd:"" help:"List numbers that are kept out."`
	Remove excludeRemoveCmd `cmd:"" help:"Take an exclusion back."`
}

type excludeAddCmd struct {
	inOrg
	Number   string `arg:"" help:"The number."`
	Strength string `default:"hidden" help:"hidden: stored, and left out of reports. never_stored: calls with it are dropped."`
	Label    string `help:"Why, or whose it is."`
}

func (c *excludeAddCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	strength, err := number.ParseStrength(c.Strength)
	if err != nil {
		return err
	}
	canonical := phone.Parse(c.Number, org.Country).Canonical()
	if err := r.p.Writer.Exclude(ctx, org, number.Exclusion{Number: canonical, Strength: strength, Label: c.Label, AddedAt: r.p.Now()}); err != nil {
		return err
	}
	return r.printf("%s is kept out now (%s).\n", canonical, strength)
}

type excludeListCmd struct {
	inOrg
	asJSON
}

func (c *excludeListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Book.Exclusions(ctx, r.p.DB, org.ID)
	if err != nil {
		return err
	}
	type view struct {
		Number   string `json:"number"`
		Strength string `json:"strength"`
		Label    string `json:"label"`
		AddedAt  string `json:"added_at"`
	}
	out := make([]view, len(all))
	for i, e := range all {
		out[i] = view{e.Number, e.Strength.String(), e.Label, e.AddedAt.In(org.Location()).Format("2006-01-02T15:04:05-07:00")}
	}
	return c.write(r, out, func(t *table) {
		t.row("NUMBER", "STRENGTH", "LABEL", "SINCE")
		for _, v := range out {
			t.row(v.Number, v.Strength, v.Label, v.AddedAt[:10])
		}
	})
}

type excludeRemoveCmd struct {
	inOrg
	Number string `arg:"" help:"The number."`
}

func (c *excludeRemoveCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	key, err := c.key(ctx, r, org)
	if err != nil {
		return err
	}
	if err := r.p.Writer.Include(ctx, org, key); err != nil {
		return err
	}
	return r.printf("%s is not kept out any more. Calls that were never stored do not come back.\n", c.Number)
}

func (c *excludeRemoveCmd) key(ctx context.Context, r *Run, org *account.Org) (number.Key, error) {
	canonical := phone.Parse(c.Number, org.Country).Canonical()
	all, err := r.p.Book.Exclusions(ctx, r.p.DB, org.ID)
	if err != nil {
		return "", err
	}
	for _, e := range all {
		if e.Number == canonical {
			return e.Key, nil
		}
	}
	return "", notFoundf("The number %s is not kept out. See \"parley exclude list\".", canonical)
}
