package attach

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
)

// Debt is a call to an open lead of which its agent has not said what the organisation wants to know.
type Debt struct {
	Call          call.Row
	Contact       contact.ID
	Lead          lead.ID
	Outcome, Next bool // what is missing
}

// owedDays is how many days back calls are looked through for what is owed.
const owedDays civil.Day = 30

// Owed lists the calls of a member, the newest first, that belong to an open lead and lack an outcome or a next step that the
// organisation wants (see followup.Settings.Owes): outgoing and connected calls of the last 30 days. A call from before its
// lead was made owes nothing.
func (a *Attach) Owed(ctx context.Context, org *account.Org, member account.MemberID) ([]Debt, error) {
	var out []Debt
	err := a.DB.Read(ctx, func(tx *db.Tx) error {
		out = nil
		s, err := a.FollowUps.Settings(ctx, tx, org.ID)
		if err != nil || s.AfterConnected.IsZero() && s.AfterTried.IsZero() {
			return err
		}
		rows, err := a.owing(ctx, tx, org, member, &s)
		if err != nil || len(rows) == 0 {
			return err
		}
		out, err = a.debts(ctx, tx, org, &s, rows)
		return err
	})
	return out, err
}

// owing gives the calls of a member that could owe something, the newest first.
func (a *Attach) owing(ctx context.Context, tx *db.Tx, org *account.Org, member account.MemberID, s *followup.Settings) (rows []call.Row, err error) {
	agent, _, err := db.One(ctx, tx, func(r db.Scanner) (n account.AgentNo, err error) { return n, r.Scan(&n) },
		`SELECT agent_no FROM members WHERE org_id = $1 AND id = $2`, org.ID, member)
	if err != nil || agent == 0 {
		return nil, err
	}
	from := earliest(s.AfterConnected, s.AfterTried)
	today := civil.Today(a.Now(), org.Location())
	kept, err := a.Book.Excluded(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	for day := today + 1; day >= max(civil.DayOf(from, org.Location()), today-owedDays); day-- {
		where := call.Where(org.ID).And(`day = ?`, day).And(`agent = ?`, agent).And(`num > ?`, number.Withheld)
		if err := call.Each(ctx, tx, where, `ORDER BY start DESC, num DESC, dir DESC, line DESC`, func(r *call.Row) error {
			counts := r.Direction == call.Outgoing || r.Outcome(org.ConnectedFrom) == call.OutcomeConnected
			if counts && !r.At().Before(from) && !kept.Restricted[r.Number] {
				rows = append(rows, *r)
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// debts gives what calls owe.
func (a *Attach) debts(ctx context.Context, tx *db.Tx, org *account.Org, s *followup.Settings, rows []call.Row) (out []Debt, err error) {
	keys := make([]call.Key, len(rows))
	for i := range rows {
		keys[i] = rows[i].Key
	}
	matches, err := a.attachAll(ctx, tx, org.ID, keys)
	if err != nil {
		return nil, err
	}
	said, err := call.SaidOf(ctx, tx, org.ID, keys...)
	if err != nil {
		return nil, err
	}
	var ids []lead.ID
	for _, m := range matches {
		if m.Lead != "" {
			ids = append(ids, m.Lead)
		}
	}
	slices.Sort(ids)
	leads, err := a.Leads.Load(ctx, tx, org.ID, slices.Compact(ids)...)
	if err != nil {
		return nil, err
	}
	var all []*lead.Lead
	for _, l := range leads {
		all = append(all, l)
	}
	since, err := a.Since(ctx, tx, org.ID, all...)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		m := matches[r.Key]
		if m.Lead == "" || r.At().Before(since[m.Lead]) {
			continue
		}
		o := said[r.Key]
		d := Debt{Call: r, Contact: m.Contact, Lead: m.Lead}
		d.Outcome, d.Next = s.Owes(r.At(), r.Outcome(org.ConnectedFrom) == call.OutcomeConnected, o.Outcome, o.Next != "")
		if d.Outcome || d.Next {
			out = append(out, d)
		}
	}
	return out, nil
}

// earliest is the earlier of two moments; a zero one is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
