package account

import (
	"context"
	"slices"

	"parley/platform/db"
	"parley/platform/fault"
)

// Actor is whoever does something: a member through a session or a token, or the operator at the command line.
type Actor struct {
	Org     *Org
	Member  *Member  // never nil; for the operator an owner without an id
	Token   *Token   // nil unless a program acts
	Session *Session // nil unless a person acts

	accounts *Accounts
	gate     func(Permission) error // nil: roles and scopes alone decide
}

// Can tells whether the actor may do p: the member's role grants it and, where a token is used, the token's scopes do.
func (a *Actor) Can(p Permission) bool {
	if a == nil || a.Member == nil || !a.Member.Active || !a.Member.Role.Can(p) || !a.mayWhileClosing(p) {
		return false
	}
	return a.Token == nil || slices.Contains(a.Token.Scopes, p)
}

// Require is Can with a sentence for the refused, and asks besides whether the organisation's privacy policy allows what
// the permission is for.
func (a *Actor) Require(p Permission) error {
	if a.Can(p) {
		if a.gate != nil {
			return a.gate(p)
		}
		return nil
	}
	if a != nil && a.Org.Closing() && a.Member != nil && !a.mayWhileClosing(p) {
		return errClosing(a.Org)
	}
	if a != nil && a.Token != nil && !slices.Contains(a.Token.Scopes, p) {
		return fault.New(fault.Denied, "This token may not do that: it needs the scope %q. Make a token with that scope, if your role allows it.", p)
	}
	return fault.New(fault.Denied, "Your role does not allow this (%s). Ask an owner or admin of your organisation.", p.Title())
}

// Agents lists whose calls the actor may see: nil means everybody's, an empty list nobody's. A manager sees the agents
// of their teams and themself, an agent just themself.
func (a *Actor) Agents(ctx context.Context) ([]AgentNo, error) {
	switch a.Member.Role {
	case Owner, Admin, PrivacyOfficer, Viewer:
		return nil, nil
	case Manager:
		return a.teamAgents(ctx)
	default:
		return a.ownAgent(), nil
	}
}

// Sees tells whether the actor may see the calls of one agent.
func (a *Actor) Sees(ctx context.Context, agent AgentNo) (bool, error) {
	agents, err := a.Agents(ctx)
	if err != nil {
		return false, err
	}
	return agents == nil || slices.Contains(agents, agent), nil
}

func (a *Actor) ownAgent() []AgentNo {
	if a.Member.Agent == 0 {
		return []AgentNo{}
	}
	return []AgentNo{a.Member.Agent}
}

func (a *Actor) teamAgents(ctx context.Context) ([]AgentNo, error) {
	agents := a.ownAgent()
	if a.accounts == nil {
		return agents, nil
	}
	of, err := db.Select(ctx, a.accounts.db, scanAgentNo, `
		SELECT DISTINCT m.agent_no FROM team_members mine
		JOIN team_members t ON t.org_id = mine.org_id AND t.team_id = mine.team_id
		JOIN members m ON m.org_id = t.org_id AND m.id = t.member_id
		WHERE mine.org_id = $1 AND mine.member_id = $2 AND m.agent_no > 0 ORDER BY m.agent_no`, a.Org.ID, a.Member.ID)
	if err != nil {
		return nil, err
	}
	for _, no := range of {
		if !slices.Contains(agents, no) {
			agents = append(agents, no)
		}
	}
	return agents, nil
}

func scanAgentNo(r db.Scanner) (no AgentNo, err error) { return no, r.Scan(&no) }

// over is Require for a deed on one organisation; another than the actor's does not exist for them.
func (a *Actor) over(org OrgID, p Permission) error {
	if a.Org == nil || a.Org.ID != org {
		return fault.New(fault.NotFound, "There is no organisation %d.", org)
	}
	return a.Require(p)
}

// Operator is whoever runs the program's commands on an organisation: they have the data in hand anyway.
func (a *Accounts) Operator(org *Org) *Actor {
	return &Actor{Org: org, Member: &Member{Org: org.ID, Name: "Operator", Role: Owner, Active: true}, accounts: a}
}

// As gives the actor that a member is, for work done in their name.
func (a *Accounts) As(ctx context.Context, org OrgID, member MemberID) (*Actor, error) {
	o, err := a.Org(ctx, org)
	if err != nil {
		return nil, err
	}
	m, err := a.Member(ctx, org, member)
	if err != nil {
		return nil, err
	}
	return a.gated(ctx, &Actor{Org: o, Member: m, accounts: a})
}

// gated puts the gate in front of an actor.
func (a *Accounts) gated(ctx context.Context, actor *Actor) (*Actor, error) {
	if a.gate == nil {
		return actor, nil
	}
	var err error
	actor.gate, err = a.gate(ctx, actor.Org.ID, actor.Member.ID)
	return actor, err
}
