package call

import (
	"context"

	"parley/account"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
)

// Concerned is a number with how many calls it has in a scope.
type Concerned struct {
	Number number.ID
	Calls  int64
}

// Concerned lists every number that has calls on days from first to last (0 = no bound) with some agents (none = all):
// hidden and restricted ones too, since an incident concerns them all the same. Withheld numbers are nobody's.
func (s *Store) Concerned(ctx context.Context, org account.OrgID, first, last civil.Day, agents []account.AgentNo) ([]Concerned, error) {
	if last == 0 {
		last = 1 << 30
	}
	query, args := `SELECT num, count(*) FROM calls WHERE org_id = $1 AND day >= $2 AND day <= $3 AND num > 0`, []any{org, first, last}
	if len(agents) > 0 {
		query += ` AND agent IN ` + db.In(4, len(agents))
		for _, a := range agents {
			args = append(args, a)
		}
	}
	return db.Select(ctx, s.db, func(r db.Scanner) (c Concerned, err error) { return c, r.Scan(&c.Number, &c.Calls) }, query+` GROUP BY num ORDER BY num`, args...)
}
