package app

import (
	"context"

	"parley/account"
	"parley/platform/fault"
)

type orgSetCmd struct {
	inOrg
	asJSON
	Name          *string `help:"Name."`
	Country       *string `help:"Country, as its two letters."`
	Zone          *string `help:"Time zone. The days of all calls are reckoned anew."`
	Locale        *string `help:"Language of its pages: en or hi."`
	Industry      *string `help:"Industry."`
	ContactName   *string `help:"Name of the contact person."`
	ContactPhone  *string `help:"Number of the contact person."`
	Email         *string `help:"E-mail address."`
	Workdays      *string `placeholder:"mon-sat" help:"Working days."`
	WorkFrom      *string `placeholder:"09:30" help:"When work begins."`
	WorkTo        *string `placeholder:"18:30" help:"When work ends."`
	ConnectedFrom *int    `placeholder:"SECONDS" help:"Talk time from which a call counts as connected."`
	GapMinutes    *int    `placeholder:"MINUTES" help:"Longest pause between calls that counts as active time."`
}

func (c *orgSetCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	s, err := c.settings(org)
	if err != nil {
		return err
	}
	after, err := r.p.Accounts.UpdateOrg(ctx, r.p.Accounts.Operator(org), org.ID, s)
	if err != nil {
		return err
	}
	if err := rebuildAfter(ctx, r, org, after); err != nil {
		return err
	}
	return c.show(r, after)
}

// settings gives the organisation's settings with what the flags say.
func (c *orgSetCmd) settings(org *account.Org) (account.OrgSettings, error) {
	s := org.Settings()
	for _, f := range []struct {
		flag *string
		to   *string
	}{
		{c.Name, &s.Name}, {c.Country, &s.Country}, {c.Zone, &s.Zone}, {c.Locale, &s.Locale}, {c.Industry, &s.Industry},
		{c.ContactName, &s.ContactName}, {c.ContactPhone, &s.ContactPhone}, {c.Email, &s.Email},
	} {
		if f.flag != nil {
			*f.to = *f.flag
		}
	}
	if c.ConnectedFrom != nil {
		s.ConnectedFrom = *c.ConnectedFrom
	}
	if c.GapMinutes != nil {
		s.GapMinutes = *c.GapMinutes
	}
	var errs [3]error
	if c.Workdays != nil {
		s.Workdays, errs[0] = readWorkdays(*c.Workdays)
	}
	if c.WorkFrom != nil {
		s.WorkFrom, errs[1] = readClock("work-from", *c.WorkFrom)
	}
	if c.WorkTo != nil {
		s.WorkTo, errs[2] = readClock("work-to", *c.WorkTo)
	}
	return s, fault.Join(errs[:]...)
}
