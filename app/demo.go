package app

import (
	"context"
	"errors"
	"time"

	"parley/account"
	"parley/app/demo"
	"parley/crm/contact"
	"parley/crm/file"
	"parley/crm/followup"
	"parley/crm/lead"
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
	org, err := demo.Make(ctx, demo.Deps{DB: p.DB, Keys: p.Keys, Book: p.Book, Calls: p.Calls, Writer: p.Writer, Now: p.Now, Outside: p.demoOutside}, seed, bar.show)
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

// demoOutside keeps the demo's people by a clock that shows when things are to have happened.
func (p *Parley) demoOutside(now func() time.Time) *demo.Outside {
	contacts := contact.NewContacts(contact.Deps{DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Book: p.Book, Fields: p.Fields, Gate: p.Holds.Check, Consents: p.Consents, Now: now})
	contacts.OnNumbers(p.Attach.Mark)
	leads := lead.NewLeads(lead.Deps{DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Contacts: contacts, Fields: p.Fields, Gate: p.Holds.Check, Now: now})
	leads.OnTurn(p.Attach.Mark)
	followUps := followup.NewFollowUps(followup.Deps{DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Book: p.Book, Contacts: contacts, Leads: leads, Log: p.Audit, Gate: p.Holds.Check, Now: now})
	files := file.New(file.Deps{DB: p.DB, Keys: p.Keys, Contacts: contacts, Gate: p.Holds.Check, Now: now})
	return &demo.Outside{Contacts: contacts, Leads: leads, FollowUps: followUps, Files: files, Assign: p.Assign, Settle: func(ctx context.Context) error {
		for {
			more, err := p.Attach.Work(ctx)
			if err != nil || !more {
				return err
			}
		}
	}}
}

// demoPolicy publishes a privacy policy for the demo, filled in with invented persons, so that it is whole.
func (p *Parley) demoPolicy(ctx context.Context, org *account.Org) error {
	_, err := p.Policies.Publish(ctx, p.Accounts.Operator(org), policy.DefaultText(policy.Facts{
		Name: org.Name, Address: "12 Ring Road, Pune 411001", Country: org.Country, Contact: org.Email, Phone: org.ContactPhone,
		Grievance: policy.Officer{Name: "Meera Joshi", Email: "grievance@asha-traders.example"},
	}))
	return err
}
