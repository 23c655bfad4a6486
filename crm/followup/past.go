package followup

import (
	"context"
	"time"

	"parley/account"
	"parley/platform/db"
)

// Past lists what was done with the follow-ups about somebody before a moment, or in its millisecond below an event of a
// follow-up, newest first: at most limit events. subject is whose key seals them. It is for timelines, which have many sources.
func (s *FollowUps) Past(ctx context.Context, c db.Conn, org account.OrgID, subject int64, before time.Time, below ID, rev int64, limit int) ([]Event, error) {
	return db.Select(ctx, c, scanEvent, `SELECT `+eventColumns+` FROM follow_up_events WHERE org_id = $1 AND subject = $2
		AND (at_ms < $3 OR at_ms = $3 AND (follow_up, rev) < ($4, $5)) ORDER BY at_ms DESC, follow_up DESC, rev DESC LIMIT $6`,
		org, subject, before.UnixMilli(), below, rev, limit)
}
