package device

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

type holding struct {
	from  int64 // Unix milliseconds
	agent account.AgentNo
}

// Holders knows who held each line of an organisation when.
type Holders struct {
	lines map[call.LineNo][]holding // ascending by from
}

// At tells who held a line at a time.
func (h *Holders) At(line call.LineNo, at time.Time) (account.AgentNo, bool) {
	held := h.lines[line]
	i, exact := slices.BinarySearchFunc(held, at.UnixMilli(), func(x holding, ms int64) int { return cmp.Compare(x.from, ms) })
	if !exact {
		i--
	}
	if i < 0 {
		return 0, false
	}
	return held[i].agent, true
}

// Of lists everybody who ever held a line.
func (h *Holders) Of(line call.LineNo) []account.AgentNo {
	var out []account.AgentNo
	for _, x := range h.lines[line] {
		if !slices.Contains(out, x.agent) {
			out = append(out, x.agent)
		}
	}
	return out
}

// Holders loads who held each line of an organisation when, archived lines included.
func (s *Devices) Holders(ctx context.Context, org *account.Org) (*Holders, error) {
	return holders(ctx, s.db, org.ID)
}

func holders(ctx context.Context, c db.Conn, org account.OrgID) (*Holders, error) {
	type row struct {
		line call.LineNo
		held holding
	}
	rows, err := db.Select(ctx, c, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.line, &x.held.from, &x.held.agent) },
		`SELECT line, from_ms, agent FROM line_holders WHERE org_id = $1 ORDER BY line, from_ms`, org)
	h := &Holders{lines: make(map[call.LineNo][]holding, len(rows))}
	for _, r := range rows {
		h.lines[r.line] = append(h.lines[r.line], r.held)
	}
	return h, err
}

// HolderAt tells who held a line at a time; for many calls use Holders.
func (s *Devices) HolderAt(ctx context.Context, org *account.Org, line call.LineNo, at time.Time) (account.AgentNo, bool, error) {
	h, err := s.Holders(ctx, org)
	if err != nil {
		return 0, false, err
	}
	agent, ok := h.At(line, at)
	return agent, ok, nil
}

// MoveLine gives a line to another agent from at on; the zero time means now. Calls before that stay with whoever held
// the line then, those that arrive later too. A time before the line's newest stored call is refused, since that call
// would have two owners when it is sent again.
func (s *Devices) MoveLine(ctx context.Context, org *account.Org, line LineID, to account.AgentNo, at time.Time) (*Line, error) {
	return s.changeLine(ctx, org, line, func(tx *db.Tx, l *Line) error {
		if err := checkAgent(ctx, tx, org.ID, to); err != nil {
			return err
		}
		if l.Agent == to {
			return fault.New(fault.Conflict, "That agent holds the line already.")
		}
		from, err := s.handover(ctx, tx, org, l, at)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO line_holders (org_id, line, from_ms, agent) VALUES ($1, $2, $3, $4)`, org.ID, l.No, from, to); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE lines SET agent = $3 WHERE org_id = $1 AND no = $2`, org.ID, l.No, to); err != nil {
			return err
		}
		return s.followLine(ctx, tx, org.ID, l.Device)
	})
}

// handover settles the millisecond from which the new holder's time counts.
func (s *Devices) handover(ctx context.Context, tx *db.Tx, org *account.Org, l *Line, at time.Time) (int64, error) {
	h, err := holders(ctx, tx, org.ID)
	if err != nil {
		return 0, err
	}
	now, held := s.now(), h.lines[l.No]
	first := held[len(held)-1].from + 1 // the earliest instant that rewrites nothing
	since := civil.DayOf(now, org.Location())
	if !at.IsZero() && at.Before(now) {
		since = civil.DayOf(at, org.Location())
	}
	newest, err := newestCall(ctx, tx, org.ID, l.No, l.Agent, since)
	if err != nil {
		return 0, err
	}
	first = max(first, newest+1)
	switch {
	case at.IsZero():
		return max(now.UnixMilli(), first), nil
	case at.After(now):
		return 0, fault.Field("at", "A line cannot change hands in the future. Move it when the day has come, or choose an earlier time.")
	case at.UnixMilli() < first:
		return 0, fault.Field("at", "Calls of the line up to %s are kept for the agent who holds it now, or the line changed hands then. Choose a later time.",
			time.UnixMilli(first).In(org.Location()).Format("2006-01-02 15:04:05"))
	default:
		return at.UnixMilli(), nil
	}
}

// newestCall is the start of the newest call of a line and agent since a day, in Unix milliseconds; 0 when there is none.
func newestCall(ctx context.Context, c db.Conn, org account.OrgID, line call.LineNo, agent account.AgentNo, since civil.Day) (int64, error) {
	var newest int64
	err := c.Row(ctx, `SELECT COALESCE(MAX(start), 0) FROM calls WHERE org_id = $1 AND day >= $2 AND agent = $3 AND line = $4`, org, since, agent, line).Scan(&newest)
	return newest, err
}

// followLine makes a phone its lines' holder's, once all its lines are with one agent.
func (s *Devices) followLine(ctx context.Context, tx *db.Tx, org account.OrgID, device string) error {
	if device == "" {
		return nil
	}
	agents, err := db.Select(ctx, tx, func(r db.Scanner) (a account.AgentNo, err error) { return a, r.Scan(&a) }, `
		SELECT DISTINCT l.agent FROM device_lines d JOIN lines l ON l.org_id = d.org_id AND l.no = d.line
		WHERE d.org_id = $1 AND d.device_id = $2`, org, device)
	if err != nil || len(agents) != 1 {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE devices SET agent = $3 WHERE org_id = $1 AND id = $2`, org, device, agents[0])
	return err
}
