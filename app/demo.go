package app

import (
	"context"
	"errors"

	"parley/account"
	"parley/app/demo"
	"parley/platform/fault"
	"parley/trust/policy"
)

// demoSeed makes the same demo each time.
const demoSeed = 20260401

type demoCmd struct {
	Remove  bool   `help:"Remove the demo organisation with everything in it."`
	IfEmpty bool   `help:"Do nothing when there is an organisation already."`
	Seed    uint64 `default:"20260401" help:"Another seed makes other calls."`
}

func (c *demoCmd) founds() bool { return !c.Remove }

func (c *demoCmd) onData(ctx context.Context, r *Run) error {
	orgs, err := r.p.Accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	if c.Remove {
		return c.remove(ctx, r, orgs)
	}
	if c.IfEmpty && len(orgs) > 0 {
		return nil
	}
	for _, o := range orgs {
		if o.Demo {
			return fault.New(fault.Conflict, "There is a demo organisation already, %q. Remove it first with \"parley demo --remove\".", o.Name)
		}
	}
	_, err = makeDemo(ctx, r, r.p, c.Seed)
	return err
}

func (c *demoCmd) remove(ctx context.Context, r *Run, orgs []*account.Org) error {
	removed := 0
	for _, o := range orgs {
		if !o.Demo {
			continue
		}
		if err := r.p.RemoveOrg(ctx, o.ID); err != nil {
			return err
		}
		removed++
	}
	if removed == 0 {
		return fault.New(fault.NotFound, "There is no demo organisation to remove.")
	}
	return r.printf("The demo organisation was removed.\n")
}

// makeDemo makes the demo organisation. When that fails, what was made of it is removed again.
func makeDemo(ctx context.Context, r *Run, p *Parley, seed uint64) (*account.Org, error) {
	bar := newBar(r, "Making demo calls")
	org, err := demo.Make(ctx, demo.Deps{DB: p.DB, Keys: p.Keys, Book: p.Book, Calls: p.Calls, Writer: p.Writer, Now: p.Now}, seed, bar.show)
	bar.done()
	if err == nil {
		err = p.demoPolicy(ctx, org)
	}
	if err != nil {
		if org != nil {
			err = errors.Join(err, p.RemoveOrg(context.WithoutCancel(ctx), org.ID))
		}
		return nil, err
	}
	return org, r.printf("The demo organisation %q was made. \"parley demo --remove\" removes it.\n", org.Name)
}

// demoPolicy publishes a privacy policy for the demo, filled in with invented persons, so that it is whole.
func (p *Parley) demoPolicy(ctx context.Context, org *account.Org) error {
	_, err := p.Policies.Publish(ctx, p.Accounts.Operator(org), policy.DefaultText(policy.Facts{
		Name: org.Name, Address: "12 Ring Road, Pune 411001", Country: org.Country, Contact: org.Email, Phone: org.ContactPhone,
		Grievance: policy.Officer{Name: "Meera Joshi", Email: "grievance@asha-traders.example"},
	}))
	return err
}
