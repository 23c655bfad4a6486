package roll

import (
	"context"
	"embed"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/db"
)

// Schema holds the package's tables.
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Of is the roll-up rules of an organisation.
func Of(o *account.Org) Rules { return Rules{ConnectedFrom: o.ConnectedFrom, GapMinutes: o.GapMinutes} }

// Put keeps an agent's day as built, or removes it when it has no calls at all.
func Put(ctx context.Context, tx *db.Tx, org account.OrgID, day civil.Day, agent account.AgentNo, d *Day, scratch []byte) ([]byte, error) {
	if d.Calls() == 0 && len(d.Numbers) == 0 {
		_, err := tx.Exec(ctx, `DELETE FROM rolls WHERE org_id = $1 AND day = $2 AND agent = $3`, org, day, agent)
		return scratch, err
	}
	scratch = d.Encode(scratch[:0])
	_, err := tx.Exec(ctx, `INSERT INTO rolls (org_id, day, agent, b) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id, day, agent) DO UPDATE SET b = excluded.b`, org, day, agent, scratch)
	return scratch, err
}

// Delete removes everything derived of an organisation.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{`DELETE FROM rolls WHERE org_id = $1`, `DELETE FROM coarse WHERE org_id = $1`} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}
