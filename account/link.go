package account

import (
	"context"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// OneTimeLink makes the secret of a link that signs a member in once, within ttl. Whoever holds it is that member; it
// does not open the other organisations of the same person.
func (a *Accounts) OneTimeLink(ctx context.Context, org OrgID, member MemberID, ttl time.Duration) (string, error) {
	secret := newSecret(linkPrefix, org)
	err := a.db.Tx(ctx, func(tx *db.Tx) error {
		m, err := a.member(ctx, tx, org, member)
		if err != nil {
			return err
		}
		if !m.Active {
			return fault.New(fault.Conflict, "This member is deactivated. Reactivate them first.")
		}
		_, err = tx.Exec(ctx, `INSERT INTO one_time_links (org_id, secret_hash, member_id, expires_ms) VALUES ($1, $2, $3, $4)`,
			org, id.Hash(secret), member, a.now().Add(ttl).UnixMilli())
		return err
	})
	return secret, err
}

// UseOneTimeLink opens a session through a link, which is used up by it.
func (a *Accounts) UseOneTimeLink(ctx context.Context, secret string, from SignInFrom) (string, error) {
	gone := fault.New(fault.Gone, "This sign-in link was used or has expired. Ask for a new one; whoever runs Parley can make it with \"parley user link\".")
	org, hash, ok := readSecret(linkPrefix, secret)
	if !ok {
		return "", gone
	}
	var session string
	err := a.db.Tx(ctx, func(tx *db.Tx) error {
		id, ok, err := db.One(ctx, tx, scanMemberID, `SELECT member_id FROM one_time_links WHERE org_id = $1 AND secret_hash = $2 AND expires_ms > $3`,
			org, hash, a.now().UnixMilli())
		if err != nil {
			return err
		}
		if !ok {
			return gone
		}
		n, err := tx.Exec(ctx, `DELETE FROM one_time_links WHERE org_id = $1 AND secret_hash = $2`, org, hash)
		if err != nil {
			return err
		}
		m, err := a.member(ctx, tx, org, id)
		if err != nil {
			return err
		}
		if n == 0 || !m.Active {
			return gone
		}
		session, err = a.insertSession(ctx, tx, org, id, false, from)
		return err
	})
	return session, err
}
