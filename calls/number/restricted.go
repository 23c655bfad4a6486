package number

import (
	"context"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/flaw"
)

// Restrict keeps a number from every use but being stored, or lets it be used again. It tells whether that changed
// anything. The caller rebuilds the roll-ups that hold the number.
func (b *Book) Restrict(ctx context.Context, tx *db.Tx, org account.OrgID, n ID, on bool, at int64) (changed bool, err error) {
	if n <= Withheld {
		return false, fault.New(fault.NotFound, "There is no number %d.", n)
	}
	query, args := `DELETE FROM restricted_numbers WHERE org_id = $1 AND num = $2`, []any{org, n}
	if on {
		query, args = `INSERT INTO restricted_numbers (org_id, num, since_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, append(args, at)
	}
	rows, err := tx.Exec(ctx, query, args...)
	return rows > 0, err
}

// Restricted are the numbers that are stored and not used.
func (b *Book) Restricted(ctx context.Context, c db.Conn, org account.OrgID) (map[ID]bool, error) {
	all, err := db.Select(ctx, c, scanID, `SELECT num FROM restricted_numbers WHERE org_id = $1`, org)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	out := make(map[ID]bool, len(all))
	for _, n := range all {
		out[n] = true
	}
	return out, nil
}

// dropRestricted takes restricted numbers out of what is shown to people.
func dropRestricted(ctx context.Context, b *Book, c db.Conn, org account.OrgID, from map[ID]string) error {
	if len(from) == 0 {
		return nil
	}
	held, err := b.Restricted(ctx, c, org)
	for n := range held {
		delete(from, n)
	}
	return err
}

// CheckUse refuses, as Denied, to use what is known of a restricted number.
func (b *Book) CheckUse(ctx context.Context, c db.Conn, org account.OrgID, n ID) error {
	_, held, err := db.One(ctx, c, scanID, `SELECT num FROM restricted_numbers WHERE org_id = $1 AND num = $2`, org, n)
	if err == nil && held && !flaw.On(flaw.OpenRestriction) {
		err = fault.New(fault.Denied, "This person's data is restricted: it is kept, and nobody may look at it or use it. The privacy officer can tell more, and end the restriction.")
	}
	return err
}

// Seek is Find for people: a restricted number is Denied.
func (b *Book) Seek(ctx context.Context, c db.Conn, org account.OrgID, canonical string) (ID, bool, error) {
	n, ok, err := b.Find(ctx, c, org, canonical)
	if err != nil || !ok {
		return 0, false, err
	}
	if err := b.CheckUse(ctx, c, org, n); err != nil {
		return 0, false, err
	}
	return n, true, nil
}
