package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
)

// Invitation asks somebody to become a member.
type Invitation struct {
	ID        string           `json:"id"`
	Email     string           `json:"email"`
	Name      string           `json:"name,omitempty"`
	Role      account.Role     `json:"role"`
	Teams     []account.TeamID `json:"teams"`
	Agent     bool             `json:"agent" doc:"Whether their calls are to be kept"`
	Member    account.MemberID `json:"member,omitempty" doc:"The member who gets a sign-in by it; absent for somebody new"`
	InvitedBy account.MemberID `json:"invited_by,omitempty"`
	CreatedAt *time.Time       `json:"created_at"`
	ExpiresAt *time.Time       `json:"expires_at"`
}

// NewInvitation says who is invited, and as what.
type NewInvitation struct {
	Email  string           `json:"email,omitempty" doc:"Needed unless the member has one"`
	Name   string           `json:"name,omitempty" maxLength:"200"`
	Role   account.Role     `json:"role,omitempty" enum:"owner,admin,manager,agent,privacy_officer,viewer" doc:"Needed for somebody new"`
	Teams  []account.TeamID `json:"teams,omitempty" maxItems:"100"`
	Agent  bool             `json:"agent,omitempty" doc:"Keep their calls; implied by the role agent"`
	Member account.MemberID `json:"member,omitempty" doc:"Gives this member a sign-in instead of inviting somebody new"`
}

// MadeInvitation is an invitation with the secret of its link.
type MadeInvitation struct {
	Invitation
	Secret string `json:"secret" doc:"Shown this once. Give it to the person as the link's last part"`
	Path   string `json:"path" doc:"The link's path on this server"`
}

// invitationPath is where the page that accepts an invitation stands.
const invitationPath = "/invitation/"

func invitationOf(org *account.Org, i *account.Invitation) Invitation {
	out := Invitation{
		ID: i.ID, Email: i.Email, Name: i.Name, Role: i.Role, Teams: i.Teams, Agent: i.Agent, Member: i.Member, InvitedBy: i.InvitedBy,
		CreatedAt: at(org, i.CreatedAt), ExpiresAt: at(org, i.ExpiresAt),
	}
	if out.Teams == nil {
		out.Teams = []account.TeamID{}
	}
	return out
}

func (s *API) invitations() {
	handle(s, does(http.MethodGet, "/invitations", "list-invitations", account.ManagePeople, tagPeople, "List invitations").
		saying("Those that are open or have lately expired, newest first."), s.listInvitations)
	handle(s, does(http.MethodPost, "/invitations", "invite", account.ManagePeople, tagPeople, "Invite somebody").
		saying("Withdraws an earlier invitation to the same address. The answer holds the secret of the link; nothing is mailed.").giving(http.StatusCreated), s.invite)
	handle(s, does(http.MethodDelete, "/invitations/{invitation}", "withdraw-invitation", account.ManagePeople, tagPeople, "Withdraw an invitation").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct {
			Invitation string `path:"invitation"`
		}) (*struct{}, error) {
			return nil, s.Accounts.Revoke(ctx, actorOf(ctx), in.Invitation)
		})
}

func (s *API) listInvitations(ctx context.Context, in *struct{ Paging }) (*body[Page[Invitation]], error) {
	org := callerOf(ctx).org
	all, err := s.Accounts.Invitations(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	out := make([]Invitation, len(all))
	for i := range all {
		out[i] = invitationOf(org, all[i])
	}
	return pageOf(out, in.Paging, func(i Invitation) string { return i.ID })
}

func (s *API) invite(ctx context.Context, in *struct{ Body NewInvitation }) (*body[MadeInvitation], error) {
	secret, inv, err := s.Accounts.Invite(ctx, actorOf(ctx), account.NewInvitation{
		Member: in.Body.Member, Email: in.Body.Email, Name: in.Body.Name, Role: in.Body.Role, Teams: in.Body.Teams, Agent: in.Body.Agent,
	})
	if err != nil {
		return nil, err
	}
	return answerOf(MadeInvitation{Invitation: invitationOf(callerOf(ctx).org, inv), Secret: secret, Path: invitationPath + secret}), nil
}
