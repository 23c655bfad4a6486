package call

import (
	"context"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/trust/hold"
	"parley/trust/subject"
)

// Categories of the privacy policy that calls are data of.
const (
	CategoryCall    = "call.meta"
	CategoryNote    = "call.note"
	CategoryContact = "contact"
)

// Gate is asked inside every transaction that deletes data about people, and refuses with a Conflict what a legal hold
// keeps. A nil Gate lets everything pass.
type Gate func(ctx context.Context, c db.Conn, org account.OrgID, d hold.Deletion) error

// AskNumbers asks the gate about data of persons outside.
func (g Gate) AskNumbers(ctx context.Context, c db.Conn, org account.OrgID, path hold.Path, category string, numbers ...number.ID) error {
	if g == nil || len(numbers) == 0 {
		return nil
	}
	d := hold.Deletion{Category: category, Path: path}
	for _, n := range numbers {
		d.Who = append(d.Who, subject.OfNumber(int64(n)))
	}
	return g(ctx, c, org, d)
}

// Ask asks the gate about calls, each of which is data of two: the person outside, if they are known, and the agent.
func (g Gate) Ask(ctx context.Context, c db.Conn, org account.OrgID, path hold.Path, category string, keys ...Key) error {
	if g == nil || len(keys) == 0 {
		return nil
	}
	d := hold.Deletion{Category: category, Path: path}
	numbers, agents := map[number.ID]bool{number.Withheld: true}, map[account.AgentNo]bool{}
	for _, k := range keys {
		if !numbers[k.Number] {
			numbers[k.Number] = true
			d.Who = append(d.Who, subject.OfNumber(int64(k.Number)))
		}
		if agents[k.Agent] {
			continue
		}
		agents[k.Agent] = true
		members, err := db.Select(ctx, c, func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) },
			`SELECT id FROM members WHERE org_id = $1 AND agent_no = $2`, org, k.Agent)
		if err != nil {
			return err
		}
		for _, m := range members {
			d.Who = append(d.Who, subject.OfMember(string(m)))
		}
	}
	return g(ctx, c, org, d)
}
