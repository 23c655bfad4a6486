package device

import (
	"context"
	"strconv"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/expire"
)

// digestDays is how long a phone's digests are kept: phones compare the last days only, and reports ask about these.
const digestDays = 90

// Expiring are the rows that end by age: battery levels, phones that are not paired any more, and what phones said of days.
func (s *Devices) Expiring() []expire.Table {
	const member = `coalesce((SELECT 'member/' || m.id FROM members m WHERE m.org_id = devices.org_id AND m.agent_no = devices.agent AND m.agent_no > 0), '')`
	return []expire.Table{
		{
			Name: "digests of phones", Category: "call.meta", Part: "digests", From: "created", Days: digestDays, Routine: true,
			Count: `SELECT count(*) FROM digests WHERE org_id = $1`,
			Due:   `SELECT CAST(day AS TEXT), '', max(at_ms), count(*), 0 FROM digests WHERE org_id = $1 GROUP BY day HAVING max(at_ms) < $2`,
			Do: func(ctx context.Context, tx *db.Tx, org int64, before time.Time, row expire.Row) (int64, error) {
				day, err := strconv.Atoi(row.Key)
				if err != nil {
					return 0, err
				}
				return tx.Exec(ctx, `DELETE FROM digests WHERE org_id = $1 AND day = $2 AND at_ms < $3`, org, day, before.UnixMilli())
			},
		},
		{
			Name: "battery levels", Category: "device.battery", From: "received", Routine: true,
			Count:  `SELECT count(*) FROM devices WHERE org_id = $1 AND battery IS NOT NULL`,
			Due:    `SELECT id, ` + member + `, seen_ms, 1, 0 FROM devices WHERE org_id = $1 AND battery IS NOT NULL AND seen_ms < $2`,
			Remove: `UPDATE devices SET battery = NULL WHERE org_id = $1 AND battery IS NOT NULL AND seen_ms < $2 AND id = $3`,
		},
		{
			Name: "unpaired phones", Category: "device", From: "account_closed",
			Count: `SELECT count(*) FROM devices WHERE org_id = $1`,
			Due:   `SELECT id, ` + member + `, unpaired_ms, 1, 0 FROM devices WHERE org_id = $1 AND unpaired_ms > 0 AND unpaired_ms < $2`,
			Do: func(ctx context.Context, tx *db.Tx, org int64, before time.Time, row expire.Row) (int64, error) {
				n, err := tx.Exec(ctx, `UPDATE devices SET battery = NULL WHERE org_id = $1 AND id = $2 AND unpaired_ms > 0 AND unpaired_ms < $3`, org, row.Key, before.UnixMilli())
				if err != nil || n == 0 {
					return 0, err
				}
				return 1, s.Remove(ctx, tx, account.OrgID(org), row.Key)
			},
		},
	}
}
