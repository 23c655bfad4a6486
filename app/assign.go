package app

import (
	"context"
	"errors"

	"parley/account"
	"parley/calls/number"
	"parley/crm/assign"
	"parley/crm/attach"
	"parley/crm/followup"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/phone"
)

// assignLead gives a new lead to whom the rules say.
func (p *Parley) assignLead(ctx context.Context, tx *db.Tx, org *account.Org, l *lead.Lead) error {
	_, err := p.Assign.Give(ctx, tx, org, "", l.ID)
	return err
}

// assignCaller says who gets the lead of an unknown caller.
func (p *Parley) assignCaller(ctx context.Context, tx *db.Tx, org *account.Org, c attach.Caller) (attach.Given, error) {
	now := p.Now()
	run, err := p.Assign.Turn(ctx, tx, org, now)
	if err != nil {
		return attach.Given{}, err
	}
	texts, err := p.Book.Show(ctx, tx, org.ID, []number.ID{c.Number})
	if err != nil {
		return attach.Given{}, err
	}
	d, err := run.Decide(ctx, tx, now, assign.Case{Contact: c.Contact, Numbers: []number.ID{c.Number}, Country: phone.Country(texts[c.Number]), Pipeline: c.Pipeline, Source: c.Source, Line: c.Line})
	return attach.Given{Owner: d.Owner, Team: d.Team, Why: d.Sentence(), Keep: func(ctx context.Context, tx *db.Tx, l lead.ID) error {
		return run.Keep(ctx, tx, now, []lead.ID{l})
	}}, err
}

// assignImport gives out the leads of an import. Who there is is looked up anew for every part of it: somebody may leave meanwhile.
func (p *Parley) assignImport(ctx context.Context, org *account.Org) (*intake.Assigner, error) {
	run, err := p.Assign.NewRun(ctx, p.DB, org, p.Now())
	if err != nil {
		return nil, err
	}
	return &intake.Assigner{
		Decide: func(ctx context.Context, c db.Conn, cases []intake.Case) ([]intake.Given, error) {
			now := p.Now()
			if err := run.Refresh(ctx, c, now); err != nil {
				return nil, err
			}
			asked, err := p.casesOf(ctx, c, org, cases)
			if err != nil {
				return nil, err
			}
			all, err := run.DecideAll(ctx, c, now, asked)
			given := make([]intake.Given, len(all))
			for i, d := range all {
				given[i] = intake.Given{Owner: d.Owner, Team: d.Team, Why: d.Sentence()}
			}
			return given, err
		},
		Keep:   func(ctx context.Context, tx *db.Tx, leads []lead.ID) error { return run.Keep(ctx, tx, p.Now(), leads) },
		Forget: run.Forget,
	}, nil
}

// casesOf are the leads of an import as rules look at them.
func (p *Parley) casesOf(ctx context.Context, c db.Conn, org *account.Org, cases []intake.Case) ([]assign.Case, error) {
	var numbers []string
	for _, x := range cases {
		if x.Number != "" {
			numbers = append(numbers, x.Number)
		}
	}
	known, err := p.Book.Known(ctx, c, org.ID, numbers)
	if err != nil {
		return nil, err
	}
	out := make([]assign.Case, len(cases))
	for i, x := range cases {
		out[i] = assign.Case{Contact: x.Contact, Country: x.Country, State: x.State, Postcode: x.Postcode, Language: x.Language, Source: x.Source, Tags: x.Tags, Team: x.Team}
		if x.Country == "" {
			out[i].Country = phone.Country(x.Number)
		}
		if n, ok := known[x.Number]; ok {
			out[i].Numbers = []number.ID{n}
		}
	}
	return out, nil
}

// handFollowUps hands over what somebody had to do on a lead that was taken from them.
func (p *Parley) handFollowUps(ctx context.Context, tx *db.Tx, org *account.Org, l *lead.Lead, from, to account.MemberID) error {
	all, err := p.FollowUps.OfContacts(ctx, tx, org.ID, l.Contact)
	if err != nil {
		return err
	}
	for _, f := range all {
		if f.Lead != l.ID || f.Owner != from || f.State != followup.Open {
			continue
		}
		if _, err := p.FollowUps.HandOver(ctx, tx, org, "", f.ID, to); err != nil {
			return err
		}
	}
	return nil
}

// reassign gives out what waited, and takes away what lies about, in every organisation. The failure of one does not stop the others.
func (p *Parley) reassign(ctx context.Context) error {
	orgs, err := p.Accounts.Orgs(ctx)
	for _, org := range orgs {
		if ctx.Err() != nil {
			break
		}
		err = errors.Join(err, p.Assign.Reassign(ctx, org, p.Now()))
	}
	return err
}
