package ingest

import (
	"context"
	"time"

	"parley/platform/db"
	"parley/platform/expire"
)

// Expiring are the rows that end by age: what is known of imports of files, with the rows they did not take, and how tables
// were read. An import that is forgotten cannot be undone any more; its calls stay.
func Expiring() []expire.Table {
	return []expire.Table{
		{
			Name: "imports", Category: "import.file", From: "created",
			Count: `SELECT (SELECT count(*) FROM imports WHERE org_id = $1) + (SELECT count(*) FROM import_rejects WHERE org_id = $1)`,
			Due: `SELECT i.id, CASE WHEN i.by_member = '' THEN '' ELSE 'member/' || i.by_member END, i.started_ms,
				1 + (SELECT count(*) FROM import_rejects r WHERE r.org_id = i.org_id AND r.no = i.no), i.bytes
				FROM imports i WHERE i.org_id = $1 AND i.started_ms < $2 AND i.ended_ms > 0`,
			Do: func(ctx context.Context, tx *db.Tx, org int64, before time.Time, row expire.Row) (int64, error) {
				no, ok, err := db.One(ctx, tx, func(r db.Scanner) (n int64, err error) { return n, r.Scan(&n) },
					`DELETE FROM imports WHERE org_id = $1 AND id = $2 AND started_ms < $3 AND ended_ms > 0 RETURNING no`, org, row.Key, before.UnixMilli())
				if err != nil || !ok {
					return 0, err
				}
				n, err := tx.Exec(ctx, `DELETE FROM import_rejects WHERE org_id = $1 AND no = $2`, org, no)
				return n + 1, err
			},
		},
		{
			Name: "ways tables were read", Category: "import.file", Part: "mappings", From: "used", Days: mappingDays, Routine: true,
			Count:  `SELECT count(*) FROM import_mappings WHERE org_id = $1`,
			Due:    `SELECT CAST(used_ms AS TEXT), '', used_ms, count(*), 0 FROM import_mappings WHERE org_id = $1 AND used_ms < $2 GROUP BY used_ms`,
			Remove: `DELETE FROM import_mappings WHERE org_id = $1 AND used_ms < $2 AND CAST(used_ms AS TEXT) = $3`,
		},
	}
}

// mappingDays is how long it is remembered how a table was read, counted from its last import.
const mappingDays = 365
