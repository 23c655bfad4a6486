package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"parley/account"
	"parley/platform/fault"
)

// Member is a person in the organisation. An agent is a member whose calls are kept.
type Member struct {
	ID        account.MemberID `json:"id"`
	Name      string           `json:"name"`
	Email     string           `json:"email,omitempty"`
	Role      account.Role     `json:"role" enum:"owner,admin,manager,agent,privacy_officer,viewer"`
	Agent     bool             `json:"agent" doc:"Whether their calls are kept"`
	Teams     []account.TeamID `json:"teams"`
	Active    bool             `json:"active"`
	JoinedAt  *time.Time       `json:"joined_at,omitempty" doc:"When they accepted the terms; absent for those who cannot sign in"`
	CreatedAt *time.Time       `json:"created_at"`
}

// AgentRef names an agent.
type AgentRef struct {
	ID   account.MemberID `json:"id"`
	Name string           `json:"name"`

	active bool
}

// NewAgent is somebody whose calls are to be kept.
type NewAgent struct {
	Name  string           `json:"name" minLength:"1" maxLength:"200"`
	Email string           `json:"email,omitempty" doc:"Needed only for signing in, with an invitation"`
	Teams []account.TeamID `json:"teams,omitempty" maxItems:"100"`
}

// MemberChange is what to change; what is left out stays. All of it happens, or nothing.
type MemberChange struct {
	Name  *string           `json:"name,omitempty" minLength:"1" maxLength:"200"`
	Role  *account.Role     `json:"role,omitempty" enum:"owner,admin,manager,agent,privacy_officer,viewer"`
	Teams *[]account.TeamID `json:"teams,omitempty" maxItems:"100" doc:"All teams that the member is to be in"`
}

// MemberPath names a member.
type MemberPath struct {
	Member account.MemberID `path:"member"`
}

func memberOf(org *account.Org, m *account.Member) Member {
	out := Member{
		ID: m.ID, Name: m.Name, Email: m.Email, Role: m.Role, Agent: m.Agent != 0, Teams: m.Teams, Active: m.Active,
		JoinedAt: at(org, m.JoinedAt), CreatedAt: at(org, m.CreatedAt),
	}
	if out.Teams == nil {
		out.Teams = []account.TeamID{}
	}
	return out
}

func (s *API) members() {
	handle(s, does(http.MethodGet, "/members", "list-members", account.ReadPeople, tagPeople, "List members").
		saying("By name, deactivated ones too. A manager sees the members of their teams."), s.listMembers)
	handle(s, does(http.MethodGet, "/members/{member}", "get-member", account.ReadPeople, tagPeople, "One member"), s.getMember)
	handle(s, does(http.MethodPost, "/agents", "add-agent", account.ManagePeople, tagPeople, "Add an agent").
		saying("Somebody whose calls are kept. They need not have an e-mail address, nor ever sign in.").giving(http.StatusCreated), s.addAgent)
	handle(s, does(http.MethodPatch, "/members/{member}", "update-member", account.ManagePeople, tagPeople, "Change name, role or teams").
		saying("Only an owner makes owners or changes them, and one owner always remains."), s.updateMember)
	handle(s, does(http.MethodPost, "/members/{member}/agent", "make-agent", account.ManagePeople, tagPeople, "Keep a member's calls"), s.act((*account.Accounts).MakeAgent))
	handle(s, does(http.MethodPost, "/members/{member}/deactivate", "deactivate-member", account.ManagePeople, tagPeople, "Deactivate").
		saying("Ends their sessions and tokens. Their calls stay."), s.actBy((*account.Accounts).Deactivate))
	handle(s, does(http.MethodPost, "/members/{member}/reactivate", "reactivate-member", account.ManagePeople, tagPeople, "Reactivate"), s.actBy((*account.Accounts).Reactivate))
}

// ListMembers narrows a list of members.
type ListMembers struct {
	Paging
	Agents bool           `query:"agents" doc:"Agents alone"`
	Active bool           `query:"active" doc:"Active members alone"`
	Team   account.TeamID `query:"team" doc:"Members of this team alone"`
}

// visible tells whether the caller sees a member: a manager sees themself and those of their teams.
func visible(a *account.Actor, m *account.Member) bool {
	if a.Member.Role != account.Manager || m.ID == a.Member.ID {
		return true
	}
	return slices.ContainsFunc(m.Teams, func(t account.TeamID) bool { return slices.Contains(a.Member.Teams, t) })
}

func (s *API) listMembers(ctx context.Context, in *ListMembers) (*body[Page[Member]], error) {
	a := actorOf(ctx)
	all, err := s.Accounts.Members(ctx, a.Org.ID)
	if err != nil {
		return nil, err
	}
	out := []Member{}
	for _, m := range all {
		if visible(a, m) && (!in.Agents || m.Agent != 0) && (!in.Active || m.Active) && (in.Team == "" || slices.Contains(m.Teams, in.Team)) {
			out = append(out, memberOf(a.Org, m))
		}
	}
	return pageOf(out, in.Paging, func(m Member) string { return string(m.ID) })
}

// member gives a member that the caller sees.
func (s *API) member(ctx context.Context, id account.MemberID) (*account.Member, error) {
	a := actorOf(ctx)
	m, err := s.Accounts.Member(ctx, a.Org.ID, id)
	if err == nil && !visible(a, m) {
		err = fault.New(fault.NotFound, "There is no member %.60s in this organisation.", id)
	}
	return m, err
}

func (s *API) getMember(ctx context.Context, in *MemberPath) (*body[Member], error) {
	m, err := s.member(ctx, in.Member)
	if err != nil {
		return nil, err
	}
	return answerOf(memberOf(callerOf(ctx).org, m)), nil
}

func (s *API) updateMember(ctx context.Context, in *struct {
	MemberPath
	Body MemberChange
}) (*body[Member], error) {
	m, err := s.Accounts.Change(ctx, actorOf(ctx), in.Member, account.MemberChange(in.Body))
	if err != nil {
		return nil, err
	}
	return answerOf(memberOf(callerOf(ctx).org, m)), nil
}

type memberAct func(context.Context, *MemberPath) (*body[Member], error)

// act makes a handler of something done to a member.
func (s *API) act(do func(*account.Accounts, context.Context, account.OrgID, account.MemberID) (*account.Member, error)) memberAct {
	return func(ctx context.Context, in *MemberPath) (*body[Member], error) {
		org := callerOf(ctx).org
		m, err := do(s.Accounts, ctx, org.ID, in.Member)
		if err != nil {
			return nil, err
		}
		return answerOf(memberOf(org, m)), nil
	}
}

// actBy is act where it matters who does it.
func (s *API) actBy(do func(*account.Accounts, context.Context, *account.Actor, account.MemberID) (*account.Member, error)) memberAct {
	return func(ctx context.Context, in *MemberPath) (*body[Member], error) {
		m, err := do(s.Accounts, ctx, actorOf(ctx), in.Member)
		if err != nil {
			return nil, err
		}
		return answerOf(memberOf(callerOf(ctx).org, m)), nil
	}
}

// agentsByNo are the agents of an organisation with their names.
func (s *API) agentsByNo(ctx context.Context, org *account.Org) (map[account.AgentNo]AgentRef, error) {
	all, err := s.Accounts.Agents(ctx, org.ID)
	out := make(map[account.AgentNo]AgentRef, len(all))
	for _, m := range all {
		out[m.Agent] = AgentRef{ID: m.ID, Name: m.Name, active: m.Active}
	}
	return out, err
}

// agentNo gives the number of an agent that the caller sees. field names where the agent was given, for the refusal.
func (s *API) agentNo(ctx context.Context, field string, id account.MemberID) (account.AgentNo, error) {
	m, err := s.member(ctx, id)
	if err != nil {
		return 0, err
	}
	if m.Agent == 0 {
		return 0, fault.Field(field, "This member is no agent: their calls are not kept. Make them one first.")
	}
	return m.Agent, nil
}

// addAgent makes an agent; a line of theirs is added by itself.
func (s *API) addAgent(ctx context.Context, in *struct{ Body NewAgent }) (*body[Member], error) {
	org := callerOf(ctx).org
	m, err := s.Accounts.AddAgent(ctx, org.ID, account.NewAgent{Name: in.Body.Name, Email: in.Body.Email, Teams: in.Body.Teams})
	if err != nil {
		return nil, err
	}
	return answerOf(memberOf(org, m)), nil
}
