package app

import (
	"context"

	"parley/account"
	"parley/api"
	"parley/calls/call"
	"parley/calls/roll"
	"parley/crm/assign"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/file"
	"parley/crm/intake"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/reach/mail"
	"parley/trust/attest"
	"parley/trust/hold"
	"parley/trust/incident"
	"parley/trust/prove"
	"parley/trust/retain"
)

// RemoveOrg deletes an organisation everywhere, and its keys, so that nothing of it can be read in copies of the data
// alone either.
func (p *Parley) RemoveOrg(ctx context.Context, org account.OrgID) error {
	if org <= 0 {
		return fault.New(fault.NotFound, "There is no organisation %d.", org)
	}
	if _, err := p.Accounts.Org(ctx, org); err != nil {
		return err
	}
	return p.removeRows(ctx, org, func(ctx context.Context, tx *db.Tx) error {
		return p.Holds.Check(ctx, tx, org, hold.Deletion{Path: hold.OrgClose})
	})
}

// removeRows is RemoveOrg once it is certain that there is such an organisation. may refuses.
func (p *Parley) removeRows(ctx context.Context, org account.OrgID, may func(ctx context.Context, tx *db.Tx) error) error {
	// In the writer's transaction, so that calls which are on their way come before or find no organisation.
	if err := p.Writer.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := may(ctx, tx); err != nil {
			return err
		}
		for _, remove := range []func(context.Context, *db.Tx, account.OrgID) error{
			func(ctx context.Context, tx *db.Tx, org account.OrgID) error {
				return audit.Delete(ctx, tx, int64(org))
			}, hold.Delete, retain.Delete, prove.Delete, attest.Delete, incident.Delete, p.Rights.Delete, p.Consents.Delete, p.Policies.Delete,
			api.Delete, p.Callbacks.Delete, p.Leads.DeleteOrg, assign.Delete, p.FollowUps.DeleteOrg, file.Delete, p.Attach.Delete, intake.Delete, contact.Delete, field.Delete, mail.Delete, p.Imports.Delete, call.Delete, roll.Delete, p.Devices.Delete, p.Book.Delete,
		} {
			if err := remove(ctx, tx, org); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := p.Accounts.DeleteOrg(ctx, org); err != nil {
		return err
	}
	return p.Keys.Destroy(ctx, int64(org))
}
