package lead

import (
	"context"
	"time"

	"parley/account"
	"parley/platform/db"
)

// Past lists what happened to a lead before a moment, or in its millisecond by a change below one, newest first: at most limit
// events, those of one change by field. It is for timelines, which have many sources.
func (s *Leads) Past(ctx context.Context, c db.Conn, org account.OrgID, id ID, before time.Time, below int64, limit int) ([]Event, error) {
	scan, err := s.scanEvent(ctx, org)
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, scan, `SELECT `+eventColumns+` FROM lead_events WHERE org_id = $1 AND lead = $2
		AND (at_ms < $3 OR at_ms = $3 AND rev < $4) ORDER BY rev DESC, field LIMIT $5`, org, id, millis(before), below, limit)
}
