package assign

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
)

const (
	// justNow is how long ago a call may have ended that a colleague is told of.
	justNow = 15 * time.Minute
	// longestCall is how long ago a call may have begun that still goes on or ended just now.
	longestCall = 6 * time.Hour
	// markFor is how long it counts that somebody said they are about to call.
	markFor = 5 * time.Minute
)

// Talk says that a colleague is talking to a number, or was just now.
type Talk struct {
	Member account.MemberID // "" = somebody who is no member any more
	Since  time.Time        // when the call began, or when they said that they are about to call
	Ended  time.Time        // when it ended; zero = it goes on, as far as is known
	Said   bool             // they said so; no call is known yet
}

// Calling notes that a member is about to call a number, for the colleagues who look at it meanwhile, and gives those who talk to it
// already. A number that is restricted is refused.
func (a *Assign) Calling(ctx context.Context, org *account.Org, by account.MemberID, n number.ID, now time.Time) ([]Talk, error) {
	if err := a.d.Book.CheckUse(ctx, a.d.DB, org.ID, n); err != nil {
		return nil, err
	}
	if _, err := a.d.DB.Exec(ctx, `INSERT INTO dial_marks (org_id, num, member, at_ms, until_ms) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org_id, num, member) DO UPDATE SET at_ms = excluded.at_ms, until_ms = excluded.until_ms`,
		org.ID, n, by, now.UnixMilli(), now.Add(markFor).UnixMilli()); err != nil {
		return nil, err
	}
	all, err := a.Talking(ctx, org, n, now)
	return slices.DeleteFunc(all, func(t Talk) bool { return t.Member == by }), err
}

// HungUp takes back that a member is about to call a number, or says that they are done.
func (a *Assign) HungUp(ctx context.Context, org account.OrgID, by account.MemberID, n number.ID) error {
	_, err := a.d.DB.Exec(ctx, `DELETE FROM dial_marks WHERE org_id = $1 AND num = $2 AND member = $3`, org, n, by)
	return err
}

// Talking tells who talks to a number, or did just now, the latest first: by calls that go on or ended in the last 15 minutes, and by
// what members said in the last five. Phones report a call when it is over, so while it goes on only the latter is known.
func (a *Assign) Talking(ctx context.Context, org *account.Org, n number.ID, now time.Time) ([]Talk, error) {
	if n == number.Withheld {
		return nil, nil
	}
	if err := a.d.Book.CheckUse(ctx, a.d.DB, org.ID, n); err != nil {
		return nil, nil // nothing is said of them
	}
	members, err := agents(ctx, a.d.DB, org.ID)
	if err != nil {
		return nil, err
	}
	out, err := a.recent(ctx, org, n, now, members)
	if err != nil {
		return nil, err
	}
	said, err := db.Select(ctx, a.d.DB, func(r db.Scanner) (t Talk, err error) {
		var at int64
		err = r.Scan(&t.Member, &at)
		t.Since, t.Said = moment(at), true
		return t, err
	}, `SELECT member, at_ms FROM dial_marks WHERE org_id = $1 AND num = $2 AND until_ms > $3`, org.ID, n, now.UnixMilli())
	for _, t := range said { // a call that was reported since tells more
		if !slices.ContainsFunc(out, func(x Talk) bool { return x.Member == t.Member && !x.Since.Before(t.Since.Add(-time.Minute)) }) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(x, y Talk) int { return cmp.Or(y.Since.Compare(x.Since), compare(x.Member, y.Member)) })
	return out, err
}

// recent gives the latest call of each agent with a number that goes on or ended just now.
func (a *Assign) recent(ctx context.Context, org *account.Org, n number.ID, now time.Time, members map[account.AgentNo]account.MemberID) ([]Talk, error) {
	var all []account.AgentNo
	for agent := range members {
		all = append(all, agent)
	}
	slices.Sort(all)
	from := now.Add(-longestCall)
	last := map[account.AgentNo]Talk{}
	for day := civil.DayOf(from, org.Location()); day <= civil.DayOf(now, org.Location()); day++ {
		for part := range slices.Chunk(all, perStatement) {
			where := call.Where(org.ID).And(`day = ?`, day).Agents(part).And(`start >= ?`, from.UnixMilli()).And(`num = ?`, n)
			if err := call.Each(ctx, a.d.DB, where, "", func(r *call.Row) error {
				ended := r.At().Add(time.Duration(r.Seconds) * time.Second)
				if r.At().After(now) || now.Sub(ended) >= justNow || r.Type == call.TypeBlocked {
					return nil
				}
				if ended.After(now) {
					ended = time.Time{}
				}
				if had, ok := last[r.Agent]; !ok || r.At().After(had.Since) {
					last[r.Agent] = Talk{Member: members[r.Agent], Since: r.At(), Ended: ended}
				}
				return nil
			}); err != nil {
				return nil, err
			}
		}
	}
	out := make([]Talk, 0, len(last))
	for _, t := range last {
		out = append(out, t)
	}
	return out, nil
}

// agents are the members whose calls are kept, by their numbers.
func agents(ctx context.Context, c db.Conn, org account.OrgID) (map[account.AgentNo]account.MemberID, error) {
	out := map[account.AgentNo]account.MemberID{}
	_, err := db.Select(ctx, c, func(r db.Scanner) (struct{}, error) {
		var n account.AgentNo
		var m account.MemberID
		err := r.Scan(&n, &m)
		out[n] = m
		return struct{}{}, err
	}, `SELECT agent_no, id FROM members WHERE org_id = $1 AND agent_no > 0`, org)
	return out, err
}

// dropMarks removes what does not count any more. It looks before it writes, since it is called all day long.
func dropMarks(ctx context.Context, d *db.DB, org account.OrgID, now time.Time) error {
	_, past, err := db.One(ctx, d, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) }, `SELECT 1 FROM dial_marks WHERE org_id = $1 AND until_ms <= $2 LIMIT 1`, org, now.UnixMilli())
	if err == nil && past {
		_, err = d.Exec(ctx, `DELETE FROM dial_marks WHERE org_id = $1 AND until_ms <= $2`, org, now.UnixMilli())
	}
	return err
}
