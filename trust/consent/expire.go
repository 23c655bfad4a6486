package consent

import "parley/platform/expire"

// decisionDays is how long the answers of the gates are kept: a year of complaints.
const decisionDays = 365

// Expiring lists what ends by age: the answers of the gates. The ledger itself stays until its person is erased.
func Expiring() []expire.Table {
	return []expire.Table{{
		Name: "contact decisions", Category: "consent", Part: "decisions", From: "created", Days: decisionDays, Routine: true,
		Count:  `SELECT count(*) FROM contact_decisions WHERE org_id = $1`,
		Due:    `SELECT id, CASE WHEN person LIKE 'number/%' OR person LIKE 'member/%' THEN person ELSE '' END, at_ms, 1, 0 FROM contact_decisions WHERE org_id = $1 AND at_ms < $2 ORDER BY id`,
		Remove: `DELETE FROM contact_decisions WHERE org_id = $1 AND at_ms < $2 AND id = $3`,
	}}
}
