package app

import (
	"context"
	"strings"
	"time"

	"parley/account"
	"parley/platform/fault"
)

type userCmd struct {
	Invite     userInviteCmd     `cmd:"" help:"Invite somebody, or a member who cannot sign in yet."`
	List       userListCmd       `cmd:"" help:"List members."`
	Role       userRoleCmd       `cmd:"" help:"Change what a member may do."`
	ResetLink  userResetLinkCmd  `cmd:"" help:"Make a link with which a member sets a new password."`
	SignInLink userSignInLinkCmd `cmd:"" aliases:"link" help:"Make a link that signs a member in once."`
	Deactivate userDeactivateCmd `cmd:"" help:"End a member's access."`
}

type userInviteCmd struct {
	inOrg
	asJSON
	Email string   `arg:"" help:"E-mail address, or the name or id of a member."`
	Role  string   `default:"viewer" help:"owner, admin, manager, agent, privacy_officer or viewer."`
	Name  string   `help:"Name."`
	Team  []string `help:"Teams they are in."`
}

func (c *userInviteCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	teams, err := findTeams(ctx, r, org, c.Team)
	if err != nil {
		return err
	}
	n := account.NewInvitation{Email: c.Email, Name: c.Name, Role: account.Role(c.Role), Teams: teams}
	if !strings.Contains(c.Email, "@") {
		m, err := findMember(ctx, r, org, c.Email)
		if err != nil {
			return err
		}
		n = account.NewInvitation{Member: m.ID}
	}
	secret, inv, err := r.p.Accounts.Invite(ctx, r.p.Accounts.Operator(org), n)
	if err != nil {
		return err
	}
	return c.give(r, "invitation", secret, inv.ExpiresAt)
}

// give writes a link that works once.
func (j asJSON) give(r *Run, page, secret string, until time.Time) error {
	link := r.Config.link(page, secret)
	if j.JSON {
		return writeJSON(r, struct {
			Link    string    `json:"link"`
			Expires time.Time `json:"expires_at"`
		}{link, until})
	}
	return r.printf("%s\nIt works once, until %s.\n", link, until.Format("2006-01-02 15:04 MST"))
}

type userListCmd struct {
	inOrg
	asJSON
}

func (c *userListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	members, err := r.p.Accounts.Members(ctx, org.ID)
	if err != nil {
		return err
	}
	type view struct {
		ID     account.MemberID `json:"id"`
		Name   string           `json:"name"`
		Email  string           `json:"email"`
		Role   account.Role     `json:"role"`
		Agent  account.AgentNo  `json:"agent"`
		Active bool             `json:"active"`
		Joined bool             `json:"joined"`
	}
	out := make([]view, len(members))
	for i, m := range members {
		out[i] = view{m.ID, m.Name, m.Email, m.Role, m.Agent, m.Active, !m.JoinedAt.IsZero()}
	}
	return c.write(r, out, func(t *table) {
		t.row("NAME", "E-MAIL", "ROLE", "ACTIVE", "CAN SIGN IN", "ID")
		for _, v := range out {
			t.row(v.Name, v.Email, v.Role, yes(v.Active), yes(v.Joined), v.ID)
		}
	})
}

type userRoleCmd struct {
	inOrg
	Member string `arg:"" help:"Member, by name, e-mail address or id."`
	Role   string `arg:"" help:"owner, admin, manager, agent, privacy_officer or viewer."`
}

func (c *userRoleCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	m, err := findMember(ctx, r, org, c.Member)
	if err != nil {
		return err
	}
	after, err := r.p.Accounts.SetRole(ctx, r.p.Accounts.Operator(org), m.ID, account.Role(c.Role))
	if err != nil {
		return err
	}
	return r.printf("%s has the role %s now.\n", after.Name, after.Role)
}

type userResetLinkCmd struct {
	asJSON
	Email string `arg:"" help:"E-mail address of the member."`
}

func (c *userResetLinkCmd) onData(ctx context.Context, r *Run) error {
	secret, found, err := r.p.Accounts.StartReset(ctx, c.Email)
	if err != nil {
		return err
	}
	if !found {
		return fault.New(fault.NotFound, "Nobody with this e-mail address can sign in, or several links were made for it just now. See \"parley user list\"; invite new people with \"parley user invite\".")
	}
	return c.give(r, "reset", secret, r.p.Now().Add(time.Hour))
}

type userSignInLinkCmd struct {
	inOrg
	asJSON
	Member string        `arg:"" optional:"" help:"Member, by name, e-mail address or id; the owner when left out."`
	For    time.Duration `default:"15m" help:"How long it works."`
}

func (c *userSignInLinkCmd) onData(ctx context.Context, r *Run) error {
	if c.For < time.Minute || c.For > 24*time.Hour {
		return invalidf("--for is %s. A link can work from 1m to 24h.", c.For)
	}
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	m, err := r.p.Accounts.Owner(ctx, org.ID)
	if c.Member != "" {
		m, err = findMember(ctx, r, org, c.Member)
	}
	if err != nil {
		return err
	}
	secret, err := r.p.Accounts.OneTimeLink(ctx, org.ID, m.ID, c.For)
	if err != nil {
		return err
	}
	return c.give(r, "link", secret, r.p.Now().Add(c.For))
}

type userDeactivateCmd struct {
	inOrg
	Member string `arg:"" help:"Member, by name, e-mail address or id."`
}

func (c *userDeactivateCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	m, err := findMember(ctx, r, org, c.Member)
	if err != nil {
		return err
	}
	if _, err := r.p.Accounts.Deactivate(ctx, r.p.Accounts.Operator(org), m.ID); err != nil {
		return err
	}
	return r.printf("%s cannot sign in any more.\n", m.Name)
}
