package device

import (
	"context"
	"time"

	"parley/account"
	"parley/platform/db"
)

// LastSigns tells when one of each agent's paired phones last gave a sign of life (see View.LastSign), as of a moment. Agents without
// one are left out. It reads less than Devices, for whoever asks often.
func (s *Devices) LastSigns(ctx context.Context, c db.Conn, org account.OrgID, now time.Time) (map[account.AgentNo]time.Time, error) {
	type sign struct {
		agent account.AgentNo
		at    time.Time
	}
	all, err := db.Select(ctx, c, func(r db.Scanner) (x sign, err error) {
		var paired, seen, synced, call int64
		err = r.Scan(&x.agent, &paired, &seen, &synced, &call)
		x.at = latest(moment(paired), moment(seen), moment(synced), minTime(moment(call), now))
		return x, err
	}, `SELECT agent, paired_ms, seen_ms, synced_ms, last_call_ms FROM devices WHERE org_id = $1 AND unpaired_ms = 0`, org)
	out := make(map[account.AgentNo]time.Time, len(all))
	for _, x := range all {
		out[x.agent] = latest(out[x.agent], x.at)
	}
	return out, err
}
