package app

import (
	"context"
	"strings"

	"parley/account"
	"parley/platform/fault"
	"parley/trust/law"
	"parley/trust/policy"
)

// place sets a country.
func place(name string, at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		if v != "" && !policy.IsPlace(v) {
			return fault.New(fault.Invalid, "%s is %q, which is no country. Write two capital letters, such as IN or DE, or EU.", name, v)
		}
		*at(c) = v
		return nil
	}
}

// permitBackup refuses to make backups where the policy of an organisation does not let its data lie.
func (p *Parley) permitBackup(ctx context.Context) error {
	region := p.Config.Backup.Region
	if region == "" {
		return nil
	}
	tables, err := law.Load()
	if err != nil {
		return err
	}
	return p.eachPolicy(ctx, func(org *account.Org, d *policy.Document) error {
		if tables.Within(region, d.Regions.Allowed) {
			return nil
		}
		return fault.New(fault.Denied, "No backup was made: backups lie in %s (backup.region), and the privacy policy of %s allows its data in %s only (regions.allowed). "+
			"Choose a target there, or publish a policy that allows %s.", region, org.Name, strings.Join(d.Regions.Allowed, ", "), region)
	})
}

// eachPolicy visits the policies in force.
func (p *Parley) eachPolicy(ctx context.Context, visit func(*account.Org, *policy.Document) error) error {
	orgs, err := p.Accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, o := range orgs {
		d, err := p.Policies.Current(ctx, o.ID)
		if err == nil {
			err = visit(o, d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkRegions compares where data lies with what the policies say of it.
func checkRegions(ctx context.Context, r *Run) finding {
	const name = "regions"
	here, there := r.Config.Region, r.Config.Backup.Region
	if here == "" || there == "" && r.Config.Backup.Where != "" {
		return warning(name, "it is not said where data lies, so it cannot be compared with the privacy policies. Set region and backup.region to countries, such as IN")
	}
	if err := r.p.permitBackup(ctx); err != nil {
		return failed(name, err)
	}
	err := r.p.eachPolicy(ctx, func(org *account.Org, d *policy.Document) error {
		if g := d.Regions; g.Storage != here || there != "" && g.Backup != there {
			return fault.New(fault.Conflict, "The privacy policy of %s says that data lies in %s and backups in %s; region is %s and backup.region %s. Mend the policy, or the settings.",
				org.Name, g.Storage, g.Backup, here, nonEmpty(there, "not set"))
		}
		return nil
	})
	if err != nil {
		return failed(name, err)
	}
	return ok(name, "data lies in %s and backups in %s, as the privacy policies say", here, nonEmpty(there, "no place"))
}
