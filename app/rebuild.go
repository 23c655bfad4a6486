package app

import (
	"context"

	"parley/account"
)

// rebuildAfter reckons everything anew when settings changed that figures depend on.
func rebuildAfter(ctx context.Context, r *Run, before, after *account.Org) error {
	if before.Zone == after.Zone && before.ConnectedFrom == after.ConnectedFrom && before.GapMinutes == after.GapMinutes {
		return nil
	}
	return rebuild(ctx, r, after)
}

func rebuild(ctx context.Context, r *Run, org *account.Org) error {
	b := newBar(r, "Rebuilding")
	defer b.done()
	return r.p.Writer.Rebuild(ctx, org, func(done, total int) { b.show(int64(done), int64(total)) })
}

type orgRebuildCmd struct{ inOrg }

func (c *orgRebuildCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if err := rebuild(ctx, r, org); err != nil {
		return err
	}
	return r.printf("The figures of %q were reckoned anew from its calls.\n", org.Name)
}

// rebuild is "parley doctor --rebuild".
func (c *doctorCmd) rebuild(ctx context.Context, r *Run) error {
	orgs, err := r.p.Accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	if c.Org != "" {
		org, err := r.p.Accounts.FindOrg(ctx, c.Org)
		if err != nil {
			return err
		}
		orgs = []*account.Org{org}
	}
	for _, org := range orgs {
		if err := rebuild(ctx, r, org); err != nil {
			return err
		}
		if err := r.printf("The figures of %q were reckoned anew from its calls.\n", org.Name); err != nil {
			return err
		}
	}
	return nil
}
