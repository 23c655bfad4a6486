package roll

import (
	"context"
	"database/sql"
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

// Walk visits the stored roll-ups of the days [from, to) by day and agent. b is only good until visit returns.
func Walk(ctx context.Context, c db.Conn, org account.OrgID, from, to civil.Day, visit func(day civil.Day, agent account.AgentNo, b []byte) error) error {
	rows, err := c.Rows(ctx, `SELECT day, agent, b FROM rolls WHERE org_id = $1 AND day >= $2 AND day < $3 ORDER BY day, agent`, org, from, to)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var day civil.Day
		var agent account.AgentNo
		var b sql.RawBytes
		if err := rows.Scan(&day, &agent, &b); err != nil {
			return err
		}
		if err := visit(day, agent, b); err != nil {
			return err
		}
	}
	return rows.Err()
}

// The days that any call can be on.
const (
	FirstDay civil.Day = 0
	LastDay  civil.Day = 1 << 30
)

// Levels of coarse rows, and how many days a block has.
const (
	LevelDay   = 0
	LevelBlock = 1
	BlockDays  = 30
)

// Forget removes the coarse rows that a day is part of. They are made again when somebody has time; until then reports do
// without. Stale rows harm no report, but they name numbers that were erased since.
func Forget(ctx context.Context, tx *db.Tx, org account.OrgID, day civil.Day) error {
	_, err := tx.Exec(ctx, `DELETE FROM coarse WHERE org_id = $1 AND (level = $2 AND period = $3 OR level = $4 AND period = $5)`,
		org, LevelDay, day, LevelBlock, day/BlockDays)
	return err
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
