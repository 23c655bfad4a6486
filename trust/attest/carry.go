package attest

import (
	"context"

	"parley/account"
	"parley/platform/db"
)

// Carry puts what another database has of an organisation in the place of what is here, so that a restored backup does not
// forget what was signed.
func (a *Attestations) Carry(ctx context.Context, from *Attestations, tx *db.Tx, org account.OrgID) error {
	for _, table := range []string{"attest_duties", "attestations"} {
		if err := db.CopyRows(ctx, from.db, tx, table, int64(org), nil); err != nil {
			return err
		}
	}
	return nil
}
