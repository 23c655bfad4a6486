package assign

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/crm/lead"
	"parley/platform/db"
)

// leadsOwned notes that members have other leads now. The count is made by whoever needs it: it is never adjusted, so it cannot drift.
func (a *Assign) leadsOwned(ctx context.Context, tx *db.Tx, org account.OrgID, owners ...account.MemberID) error {
	owners = slices.Clone(owners)
	slices.Sort(owners) // two transactions meet their members in the same order
	for part := range slices.Chunk(slices.Compact(owners), rows) {
		args := make([]any, 0, 5*len(part))
		for _, m := range part {
			args = append(args, org, m, 0, 1, 0)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO assign_loads (org_id, member, open, gen, counted) VALUES `+db.Values(len(part), 5)+`
			ON CONFLICT (org_id, member) DO UPDATE SET gen = assign_loads.gen + 1`, args...); err != nil {
			return err
		}
	}
	return nil
}

// ownersOf are those who have some leads.
func ownersOf(ctx context.Context, tx *db.Tx, org account.OrgID, leads []lead.ID) (owners []account.MemberID, err error) {
	for part := range slices.Chunk(leads, 4*rows) {
		args := []any{org}
		for _, l := range part {
			args = append(args, l)
		}
		some, err := db.Select(ctx, tx, func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) },
			`SELECT DISTINCT owner FROM leads WHERE org_id = $1 AND owner <> '' AND lead IN `+db.In(2, len(part)), args...)
		if err != nil {
			return nil, err
		}
		owners = append(owners, some...)
	}
	return owners, nil
}

// tally is how many open leads a member has, as long as it is true.
type tally struct {
	member             account.MemberID
	open, gen, counted int64
}

// readLoads gives everybody their open leads as they were counted last.
func (r *Run) readLoads(ctx context.Context, c db.Conn, _ time.Time) error {
	all, err := db.Select(ctx, c, func(row db.Scanner) (l tally, err error) { return l, row.Scan(&l.member, &l.open, &l.gen, &l.counted) },
		`SELECT member, open, gen, counted FROM assign_loads WHERE org_id = $1`, r.org.ID)
	if err != nil {
		return err
	}
	for _, p := range r.all {
		p.open, p.gen, p.stale = 0, 0, true
	}
	for _, l := range all {
		if p := r.byID[l.member]; p != nil {
			p.open, p.gen, p.stale = int(l.open), l.gen, l.gen != l.counted
		}
	}
	return nil
}

// countOpen counts the open leads of those of some whose leads changed since they were counted.
func (r *Run) countOpen(ctx context.Context, c db.Conn, at time.Time, of ...*person) error {
	if err := r.need(ctx, c, at, factLoads); err != nil {
		return err
	}
	stale := slices.DeleteFunc(slices.Clone(of), func(p *person) bool { return !p.stale || !p.works() })
	if len(stale) == 0 {
		return nil
	}
	if err := r.count(ctx, c, stale, `SELECT owner, count(*) FROM leads WHERE org_id = $1 AND state = $2 AND owner IN `, 0, func(p *person, n int) { p.open = n }); err != nil {
		return err
	}
	tx, writes := c.(*db.Tx)
	for _, p := range stale {
		p.stale = false
		if !writes || !r.single { // a dry run writes nothing, and an import counts its own leads
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO assign_loads (org_id, member, open, gen, counted) VALUES ($1, $2, $3, $4, $4)
			ON CONFLICT (org_id, member) DO UPDATE SET open = excluded.open, counted = excluded.counted WHERE assign_loads.gen = excluded.gen`,
			r.org.ID, p.id, p.open, p.gen); err != nil {
			return err
		}
	}
	return nil
}
