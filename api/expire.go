package api

import (
	"time"

	"parley/platform/expire"
)

// Expiring lists what ends by age: answers kept for writes that are sent again.
func Expiring() []expire.Table {
	const hour = `CAST(created_ms / 3600000 AS TEXT)` // together end all of an hour
	return []expire.Table{{
		Name: "answers to writes", Category: "usage", Part: "answers", From: "created", Days: int(keepAnswers / (24 * time.Hour)), Routine: true,
		Count:  `SELECT count(*) FROM idempotency WHERE org_id = $1`,
		Due:    `SELECT ` + hour + `, '', max(created_ms), count(*), 0 FROM idempotency WHERE org_id = $1 AND created_ms < $2 GROUP BY ` + hour,
		Remove: `DELETE FROM idempotency WHERE org_id = $1 AND created_ms < $2 AND ` + hour + ` = $3`,
	}}
}
