package app

import (
	"context"
	"strings"
	"time"

	"parley/account"
	"parley/calls/person"
	"parley/platform/civil"
	"parley/trust/hold"
	"parley/trust/subject"
)

type holdCmd struct {
	Add     holdAddCmd     `cmd:"" help:"Put a legal hold into force: what it covers is not deleted."`
	List    holdListCmd    `cmd:"" help:"List holds."`
	Extend  holdExtendCmd  `cmd:"" help:"Move the end of a hold."`
	Release holdReleaseCmd `cmd:"" help:"End a hold."`
	Paths   holdPathsCmd   `cmd:"" help:"List every way by which data about people can be deleted; each asks the holds."`
}

type holdAddCmd struct {
	inOrg
	Number   []string `help:"Phone numbers of persons outside."`
	Member   []string `help:"Members, by name, e-mail address or id."`
	Category []string `help:"Categories of the privacy policy, such as call.recording."`
	Case     string   `help:"Name or number of the case."`
	Reason   string   `required:"" help:"Why."`
	Owner    string   `required:"" help:"Member who answers for the hold."`
	Until    string   `required:"" placeholder:"2027-12-31" help:"Last day of the hold."`
}

func (c *holdAddCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	in := hold.Hold{Case: c.Case, Categories: c.Category, Reason: c.Reason}
	switch {
	case c.Case != "":
		in.Scope = hold.Case
	case len(c.Number)+len(c.Member) > 0:
		in.Scope = hold.Person
	default:
		in.Scope = hold.Category
	}
	owner, err := findMember(ctx, r, org, c.Owner)
	if err != nil {
		return err
	}
	in.Owner = owner.ID
	if in.Ends, err = lastMoment(c.Until, org); err != nil {
		return err
	}
	for _, name := range c.Member {
		m, err := findMember(ctx, r, org, name)
		if err != nil {
			return err
		}
		in.Persons = append(in.Persons, subject.OfMember(string(m.ID)))
	}
	numbers, err := person.Enter(ctx, r.p.DB, r.p.Book, org, "number", c.Number)
	if err != nil {
		return err
	}
	in.Persons = append(in.Persons, numbers...)
	h, err := r.p.Holds.Add(ctx, r.p.Accounts.Operator(org), in)
	if err != nil {
		return err
	}
	return r.printf("%s is in force until %s.\n", h.ID, lastDayOf(h.Ends, org))
}

// lastDayOf is the last day before an end.
func lastDayOf(ends time.Time, org *account.Org) string {
	return civil.DayOf(ends.Add(-1), org.Location()).String()
}

type holdListCmd struct {
	inOrg
	asJSON
	All bool `help:"Ended ones too."`
}

type holdView struct {
	ID         string           `json:"id"`
	Scope      hold.Scope       `json:"scope"`
	Case       string           `json:"case"`
	Persons    []string         `json:"persons"`
	Categories []string         `json:"categories"`
	Reason     string           `json:"reason"`
	Owner      account.MemberID `json:"owner"`
	Ends       time.Time        `json:"ends_at"`
	Released   *time.Time       `json:"released_at"`
	Active     bool             `json:"active"`
	Refused    int64            `json:"refused"`
}

func (c *holdListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Holds.List(ctx, org.ID)
	if err != nil {
		return err
	}
	out := []holdView{}
	for _, h := range all {
		v := holdView{ID: h.ID, Scope: h.Scope, Case: h.Case, Persons: []string{}, Categories: h.Categories, Reason: h.Reason, Owner: h.Owner, Ends: h.Ends, Released: orNil(h.ReleasedAt), Active: h.Active(r.p.Now())}
		for _, p := range h.Persons {
			v.Persons = append(v.Persons, p.String())
		}
		for _, x := range h.Refused {
			v.Refused += x.Times
		}
		if v.Active || c.All {
			out = append(out, v)
		}
	}
	return c.write(r, out, func(t *table) {
		t.row("ID", "ABOUT", "CATEGORIES", "UNTIL", "ACTIVE", "STOPPED", "REASON")
		for _, v := range out {
			about := strings.Join(v.Persons, " ")
			if v.Case != "" {
				about = v.Case
			}
			t.row(v.ID, about, strings.Join(v.Categories, " "), lastDayOf(v.Ends, org), yes(v.Active), v.Refused, v.Reason)
		}
	})
}

type holdExtendCmd struct {
	inOrg
	Hold  string `arg:"" help:"The hold's id."`
	Until string `required:"" placeholder:"2027-12-31" help:"Its last day."`
}

func (c *holdExtendCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	ends, err := lastMoment(c.Until, org)
	if err != nil {
		return err
	}
	if _, err := r.p.Holds.Extend(ctx, r.p.Accounts.Operator(org), c.Hold, ends); err != nil {
		return err
	}
	return r.printf("%s is in force until %s.\n", c.Hold, lastDayOf(ends, org))
}

type holdReleaseCmd struct {
	inOrg
	Hold   string `arg:"" help:"The hold's id."`
	Reason string `required:"" help:"Why it ends."`
}

func (c *holdReleaseCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if _, err := r.p.Holds.Release(ctx, r.p.Accounts.Operator(org), c.Hold, c.Reason); err != nil {
		return err
	}
	return r.printf("%s is released. What it kept may be deleted again.\n", c.Hold)
}

type holdPathsCmd struct{ asJSON }

func (c *holdPathsCmd) plain(_ context.Context, r *Run) error {
	return c.write(r, hold.Paths(), func(t *table) {
		t.row("WAY", "A HOLD STOPS")
		for _, p := range hold.Paths() {
			t.row(p.Path, p.What)
		}
	})
}
