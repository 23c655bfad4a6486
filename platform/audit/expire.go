package audit

import "parley/platform/expire"

// Expiring lists what ends by age: what entries were about. Their leaves stay, so that every proof holds; they tell
// nothing of anybody.
func Expiring() []expire.Table {
	const day = `CAST(e.at_ms / 86400000 AS TEXT)` // together end all of a day
	const old = ` FROM audit_entries e JOIN audit_secrets s ON s.org_id = e.org_id AND s.n = e.n WHERE e.org_id = $1 AND e.at_ms < $2`
	return []expire.Table{{
		Name: "audit log", Category: "audit", From: "created", Routine: true,
		Count:  `SELECT count(*) FROM audit_secrets WHERE org_id = $1`,
		Due:    `SELECT ` + day + `, '', max(e.at_ms), count(*), sum(length(s.sealed))` + old + ` GROUP BY ` + day,
		Remove: `DELETE FROM audit_secrets WHERE org_id = $1 AND n IN (SELECT e.n` + old + ` AND ` + day + ` = $3)`,
	}}
}
