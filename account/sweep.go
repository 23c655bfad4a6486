package account

import (
	"context"
	"time"

	"parley/platform/db"
)

// Sweep removes what has expired: sessions, links, invitations and counts of failed sign-ins. It is called now and then.
func (a *Accounts) Sweep(ctx context.Context) error {
	now := a.now()
	return a.db.Tx(ctx, func(tx *db.Tx) error {
		for _, old := range []struct {
			query  string
			before time.Time
		}{
			{`DELETE FROM sessions WHERE seen_ms < $1`, now.Add(-idleSession)},
			{`DELETE FROM sessions WHERE created_ms < $1`, now.Add(-longestStay)},
			{`DELETE FROM one_time_links WHERE expires_ms < $1`, now},
			{`DELETE FROM resets WHERE expires_ms < $1`, now},
			{`DELETE FROM invitations WHERE expires_ms < $1`, now.Add(-keepInvitation)},
			{`DELETE FROM sign_in_attempts WHERE last_ms < $1`, now.Add(-forgotten)},
		} {
			if _, err := tx.Exec(ctx, old.query, old.before.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}
