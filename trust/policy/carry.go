package policy

import (
	"context"

	"parley/account"
	"parley/platform/db"
)

// Carry puts what another database has of an organisation's published versions, and of who was told of them and accepted
// them, in the place of what is here.
func (p *Policies) Carry(ctx context.Context, from *Policies, tx *db.Tx, org account.OrgID) error {
	for _, table := range []string{"policies", "policy_acceptances", "policy_notices", "public_names"} {
		if err := db.CopyRows(ctx, from.db, tx, table, int64(org), nil); err != nil {
			return err
		}
	}
	p.Reload(org)
	return nil
}
