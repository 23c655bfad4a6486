package intake

import (
	"context"
	"errors"
	"slices"

	"parley/crm/lead"
)

// assign says who gets the new leads: whom their row names, else as the import says. Nobody's leads of somebody who has an
// owner are that owner's.
func (b *batch) assign(ctx context.Context) error {
	if b.m.Spec.Kind != Leads {
		return nil
	}
	type pair struct {
		who *someone
		c   *chance
	}
	var open []pair
	for _, who := range b.people {
		for _, c := range who.Leads {
			if c.fresh && c.Lead.Owner == "" {
				open = append(open, pair{who, c})
			}
		}
	}
	slices.SortStableFunc(open, func(x, y pair) int { return x.c.row - y.c.row })
	cases := make([]Case, len(open))
	for n, p := range open {
		p.c.Lead.Team = b.m.Spec.Team
		cases[n] = caseOf(p.who, p.c)
	}
	given := make([]Given, len(open))
	switch {
	case len(open) == 0:
		return nil
	case b.m.Spec.Give == ByRules && b.assigner != nil:
		var err error
		if given, err = b.assigner.Decide(ctx, b.c, cases); err != nil {
			return err
		}
		if len(given) != len(open) {
			return errors.New("intake: the rules decided about another number of leads than they were asked for")
		}
		for _, p := range open {
			p.c.asked = true
		}
	case b.m.Spec.Give == Fixed:
		for n := range given {
			given[n] = Given{Owner: b.m.Spec.Member, Team: b.m.Spec.Team}
		}
	default:
		for n, p := range open {
			given[n] = Given{Owner: p.who.Owner, Team: b.m.Spec.Team}
		}
	}
	for n, p := range open {
		if err := b.hand(ctx, p.who, p.c, given[n]); err != nil {
			return err
		}
	}
	return nil
}

// hand gives a lead to somebody, or to nobody when they left meanwhile.
func (b *batch) hand(ctx context.Context, who *someone, c *chance, g Given) error {
	probe := lead.New{Pipeline: c.Lead.Pipeline, Stage: c.Lead.Stage, Owner: g.Owner, Team: g.Team, Why: g.Why}
	if err := b.leads.Check(ctx, b.c, &probe); err != nil {
		if !user(err) {
			return err
		}
		g = Given{Why: "Whoever was to get it can no longer work on leads."}
	}
	c.Lead.Owner, c.Lead.Why = g.Owner, g.Why
	if g.Team != "" {
		c.Lead.Team = g.Team
	}
	if who.fresh && who.Owner == "" {
		who.Owner = g.Owner
	}
	return nil
}

func caseOf(who *someone, c *chance) Case {
	p := &who.Person
	out := Case{Country: p.Address.Country, State: p.Address.State, Postcode: p.Address.Postcode, Language: p.Language, Source: c.Lead.Source, Tags: c.Lead.Tags, Team: c.Lead.Team}
	if who.was != nil {
		out.Contact = who.was.ID
	}
	if len(p.Numbers) > 0 {
		out.Number = p.Numbers[0].Text
	}
	return out
}
