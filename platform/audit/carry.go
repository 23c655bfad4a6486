package audit

import (
	"context"

	"parley/platform/db"
)

// Carry puts the log that another database has of an organisation in the place of the one here, unless that one is longer:
// a log that a restored backup cut off would look as if somebody had shortened it.
func (l *Log) Carry(ctx context.Context, from *Log, tx *db.Tx, org int64) error {
	size := func(c db.Conn) (n int64, err error) {
		n, _, err = db.One(ctx, c, func(r db.Scanner) (n int64, err error) { return n, r.Scan(&n) }, `SELECT size FROM audit_logs WHERE org_id = $1`, org)
		return n, err
	}
	theirs, err := size(from.db)
	if err != nil {
		return err
	}
	ours, err := size(tx)
	if err != nil || theirs < ours {
		return err
	}
	for _, table := range []string{"audit_logs", "audit_entries", "audit_secrets", "audit_blocks", "audit_checkpoints", "audit_witnesses", "audit_successions"} {
		if err := db.CopyRows(ctx, from.db, tx, table, org, nil); err != nil {
			return err
		}
	}
	return nil
}
