package account

import (
	"context"

	"parley/platform/db"
)

// Carry ends here the access that has ended in another database of the same organisation: sessions, tokens, links and invitations that
// are not there any more, and members who left. It gives the members who are erased there and not here.
func (a *Accounts) Carry(ctx context.Context, from *Accounts, tx *db.Tx, org OrgID) (erased []MemberID, err error) {
	type state struct {
		id           MemberID
		active, left int64
	}
	scan := func(r db.Scanner) (s state, err error) { return s, r.Scan(&s.id, &s.active, &s.left) }
	const members = `SELECT id, active, left_ms FROM members WHERE org_id = $1`
	there, err := db.Select(ctx, from.db, scan, members, org)
	if err != nil {
		return nil, err
	}
	now := make(map[MemberID]state, len(there))
	for _, s := range there {
		now[s.id] = s
	}
	here, err := db.Select(ctx, tx, scan, members, org)
	if err != nil {
		return nil, err
	}
	for _, s := range here {
		is, ok := now[s.id]
		switch {
		case s.left < 0: // erased here, too
		case !ok || is.left < 0:
			erased = append(erased, s.id)
		case is.active == 0 && s.active == 1:
			if err := a.endAccess(ctx, tx, org, s.id); err != nil {
				return nil, err
			}
			if _, err := tx.Exec(ctx, `UPDATE members SET left_ms = $3 WHERE org_id = $1 AND id = $2`, org, s.id, is.left); err != nil {
				return nil, err
			}
		}
	}
	return erased, dropEnded(ctx, from.db, tx, org)
}

// dropEnded removes what lets somebody in and is not in another database any more.
func dropEnded(ctx context.Context, from db.Conn, tx *db.Tx, org OrgID) error {
	scan := func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }
	for _, table := range []string{`sessions`, `one_time_links`, `tokens`, `invitations`} {
		query := `SELECT secret_hash FROM ` + table + ` WHERE org_id = $1`
		there, err := db.Select(ctx, from, scan, query, org)
		if err != nil {
			return err
		}
		stands := make(map[string]bool, len(there))
		for _, hash := range there {
			stands[string(hash)] = true
		}
		here, err := db.Select(ctx, tx, scan, query, org)
		if err != nil {
			return err
		}
		for _, hash := range here {
			if stands[string(hash)] {
				continue
			}
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1 AND secret_hash = $2`, org, hash); err != nil {
				return err
			}
		}
	}
	return nil
}
