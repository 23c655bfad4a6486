package consent

import "parley/platform/expire"

// decisionDays is how long the answers of the gates are kept: a year of complaints.
const decisionDays = 365

// Expiring lists what ends by age: the answers of the gates, and the ledger of whoever agrees to nothing any more. That they
// are not to be contacted stays in the suppression list.
func Expiring() []expire.Table {
	const person = `CASE WHEN c.person LIKE 'number/%' OR c.person LIKE 'member/%' THEN c.person ELSE '' END`
	return []expire.Table{{
		Name: "contact decisions", Category: "consent", Part: "decisions", From: "created", Days: decisionDays, Routine: true,
		Count:  `SELECT count(*) FROM contact_decisions WHERE org_id = $1`,
		Due:    `SELECT id, CASE WHEN person LIKE 'number/%' OR person LIKE 'member/%' THEN person ELSE '' END, at_ms, 1, 0 FROM contact_decisions WHERE org_id = $1 AND at_ms < $2 ORDER BY id`,
		Remove: `DELETE FROM contact_decisions WHERE org_id = $1 AND at_ms < $2 AND id = $3`,
	}, {
		Name: "consents", Category: "consent", From: "withdrawn", Routine: true,
		Count: `SELECT count(*) FROM consents WHERE org_id = $1`,
		Due: `SELECT c.person, ` + person + `, max(c.at_ms), count(*), 0 FROM consents c WHERE c.org_id = $1 AND NOT EXISTS (
			SELECT 1 FROM consents g WHERE g.org_id = c.org_id AND g.person = c.person AND g.state = 'given' AND (g.expires_ms = 0 OR g.expires_ms >= $2) AND NOT EXISTS (
				SELECT 1 FROM consents l WHERE l.org_id = g.org_id AND l.person = g.person AND l.purpose = g.purpose AND l.channel = g.channel AND l.recipient = g.recipient AND l.n > g.n))
			GROUP BY c.person HAVING max(c.at_ms) < $2`,
		Remove: `DELETE FROM consents WHERE org_id = $1 AND person = $3 AND NOT EXISTS (SELECT 1 FROM consents l WHERE l.org_id = $1 AND l.person = $3 AND l.at_ms >= $2)`,
	}}
}
