package account

import (
	"context"
	"time"

	"parley/platform/db"
)

// Kept counts rows about a member in one table.
type Kept struct {
	Table  string
	Rows   int64
	Newest time.Time // zero when there are none, or when the table does not tell
}

// KeptOf counts what this package holds of a member. One who was erased counts as nobody, though the number of an agent
// stays.
func (a *Accounts) KeptOf(ctx context.Context, org OrgID, m MemberID) ([]Kept, error) {
	var out []Kept
	for _, t := range []struct{ table, query string }{
		{"members", `SELECT count(*), COALESCE(MAX(created_ms), 0) FROM members WHERE org_id = $1 AND id = $2 AND left_ms >= 0`},
		{"acceptances", `SELECT count(*), COALESCE(MAX(accepted_ms), 0) FROM acceptances WHERE org_id = $1 AND member_id = $2`},
		{"team_members", `SELECT count(*), 0 FROM team_members WHERE org_id = $1 AND member_id = $2`},
		{"sessions", `SELECT count(*), COALESCE(MAX(seen_ms), 0) FROM sessions WHERE org_id = $1 AND member_id = $2`},
		{"one_time_links", `SELECT count(*), 0 FROM one_time_links WHERE org_id = $1 AND member_id = $2`},
		{"tokens", `SELECT count(*), COALESCE(MAX(created_ms), 0) FROM tokens WHERE org_id = $1 AND member_id = $2`},
		{"invitations", `SELECT count(*), COALESCE(MAX(created_ms), 0) FROM invitations WHERE org_id = $1 AND member_id = $2`},
	} {
		k := Kept{Table: t.table}
		var newest int64
		if err := a.db.Row(ctx, t.query, org, m).Scan(&k.Rows, &newest); err != nil {
			return nil, err
		}
		if newest > 0 {
			k.Newest = time.UnixMilli(newest)
		}
		out = append(out, k)
	}
	return out, nil
}

// Accepted is a version of the terms that a member accepted.
type Accepted struct {
	Terms string
	Adult bool // they said that they are of age
	At    time.Time
}

// AcceptedOf lists the versions of the terms that a member accepted, oldest first.
func (a *Accounts) AcceptedOf(ctx context.Context, org OrgID, m MemberID) ([]Accepted, error) {
	return db.Select(ctx, a.db, func(r db.Scanner) (x Accepted, err error) {
		var adult int
		var at int64
		err = r.Scan(&x.Terms, &adult, &at)
		x.Adult, x.At = adult == 1, time.UnixMilli(at)
		return x, err
	}, `SELECT terms, adult, accepted_ms FROM acceptances WHERE org_id = $1 AND member_id = $2 ORDER BY accepted_ms, terms`, org, m)
}
