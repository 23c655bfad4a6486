package web

import (
	"context"

	"parley/account"
	"parley/reach/mail"
	"parley/web/ui"
)

// inviteRoutes ask people in.
func (s *site) inviteRoutes() []route {
	return []route{
		{"GET /people/invitations", account.ReadPeople, invitations},
		{"GET /people/invite", account.ManagePeople, inviteForm},
		{"POST /people/invite", account.ManagePeople, inviteSomebody},
		{"POST /people/{member}/invite", account.ManagePeople, inviteMember},
		{"POST /people/invitations/{invitation}/withdraw", account.ManagePeople, withdraw},
		{"GET /invitation/{secret}", Public, acceptForm},
		{"POST /invitation/{secret}", Public, accept},
	}
}

// invitations lists who was asked and has not come yet.
func invitations(v *visit) error {
	all, err := v.Accounts.Invitations(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	p := &tablePage{Frame: v.peopleFrame("people.invitations")}
	p.Table = ui.Table{Title: v.t("people.invitations"), Columns: []ui.Column{
		{Title: v.t("people.person")}, {Title: v.t("people.role")}, {Title: v.t("invitation.sent")}, {Title: v.t("invitation.state")}, {Title: v.t("table.actions"), Acts: true},
	}}
	open := 0
	for _, inv := range all {
		if !v.inSight(inv.Teams, inv.Member) {
			continue
		}
		if inv.ExpiresAt.After(v.Now()) {
			open++
		}
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: []ui.Cell{
			{Text: nonEmpty(inv.Name, inv.Email), Sub: inv.Email, Strong: true}, {Text: v.role(inv.Role)}, {Ago: inv.CreatedAt},
			{Tag: v.invitationTag(inv)}, {Acts: v.withdrawal(inv)},
		}})
	}
	p.Lead = v.words.Rich("invitation.lead", "Count", open)
	if v.actor.Can(account.ManagePeople) {
		p.Add = &ui.Action{Title: v.t("people.invite"), Href: "/people/invite", Icon: "mail", Primary: true}
	}
	p.Table.Empty = &ui.Empty{Icon: "mail", Title: v.t("invitation.none"), Text: v.t("invitation.none.text")}
	return v.render("table", p)
}

func (v *visit) invitationTag(inv *account.Invitation) *ui.Tag {
	if !inv.ExpiresAt.After(v.Now()) {
		return &ui.Tag{Text: v.t("invitation.expired"), Kind: ui.Warn}
	}
	return &ui.Tag{Text: v.t("invitation.until", "When", v.words.DateTime(inv.ExpiresAt)), Kind: ui.Info}
}

func (v *visit) withdrawal(inv *account.Invitation) []ui.Action {
	if !v.actor.Can(account.ManagePeople) {
		return nil
	}
	return []ui.Action{{Title: v.t("invitation.withdraw"), Post: true, Href: "/people/invitations/" + inv.ID + "/withdraw",
		Confirm: v.t("invitation.withdraw.title"), ConfirmText: v.t("invitation.withdraw.text"), Danger: true}}
}

func withdraw(v *visit) error {
	if err := v.Accounts.Revoke(v.ctx(), v.actor, v.r.PathValue("invitation")); err != nil {
		return err
	}
	return v.to(v.back("/people/invitations"), v.good("invitation.withdrawn"))
}

func (v *visit) invitePage(n account.NewInvitation) (*form, error) {
	p := &form{Frame: v.under(v.t("people.invite"), ui.Link{Title: v.t("nav.people"), Href: "/people"}), Submit: v.t("invitation.submit")}
	p.Lead = v.words.Rich("invitation.form.lead")
	teams, err := v.teamsField(n.Teams)
	if err != nil {
		return nil, err
	}
	p.Sections = []section{{Fields: []ui.Field{
		{Name: "email", Label: v.t("sign_in.email"), Type: "email", Value: n.Email, Focus: true, Complete: "off"},
		{Name: "name", Label: v.t("people.name"), Value: n.Name, Optional: true, Complete: "off"},
		v.roleField(n.Role),
		{Name: "agent", Label: v.t("invitation.agent"), Help: v.t("invitation.agent.help"), Type: "check", Checked: n.Agent},
	}}}
	if len(teams.Options) > 0 {
		p.Sections[0].Fields = append(p.Sections[0].Fields, teams)
	}
	return p, nil
}

func inviteForm(v *visit) error {
	p, err := v.invitePage(account.NewInvitation{Role: account.Manager})
	if err != nil {
		return err
	}
	return v.render("form", p)
}

func inviteSomebody(v *visit) error {
	n := account.NewInvitation{Email: v.form("email"), Name: v.form("name"), Role: account.Role(v.form("role")), Agent: v.checked("agent"), Teams: v.teamsOf("teams")}
	secret, inv, err := v.Accounts.Invite(v.ctx(), v.actor, n)
	if err != nil {
		p, formErr := v.invitePage(n)
		if formErr != nil {
			return formErr
		}
		return v.again("form", p, err)
	}
	return v.invited(secret, inv)
}

func inviteMember(v *visit) error {
	member := account.MemberID(v.r.PathValue("member"))
	secret, inv, err := v.Accounts.Invite(v.ctx(), v.actor, account.NewInvitation{Member: member, Email: v.form("email")})
	if err != nil {
		return v.personAgain(member, err)
	}
	return v.invited(secret, inv)
}

// invitedPage says that an invitation is on its way; where no mail leaves this machine it shows the link itself.
type invitedPage struct {
	ui.Frame
	Link string // "" when the mail carries it
	Mail string
	Next []ui.Action
}

// invited sends an invitation's link and says so.
func (v *visit) invited(secret string, inv *account.Invitation) error {
	link := v.base(v.r) + InvitationPath(secret)
	if err := v.mailInvitation(v.ctx(), inv, link); err != nil {
		return err
	}
	p := &invitedPage{Frame: v.under(v.t("invitation.done"), ui.Link{Title: v.t("nav.people"), Href: "/people"}), Mail: inv.Email}
	p.Next = []ui.Action{{Title: v.t("nav.people"), Href: "/people", Icon: "agents"}, {Title: v.t("people.invite_another"), Href: "/people/invite", Icon: "mail"}}
	if !v.Mail.Configured() {
		p.Link = link
	}
	return v.render("invited", p)
}

func (v *visit) mailInvitation(ctx context.Context, inv *account.Invitation, link string) error {
	p, org := wordsOf(v.org()), v.org()
	args := []any{"By", v.actor.Member.Name, "Organisation", org.Name, "Role", p.T("role." + string(inv.Role)), "Link", link, "Until", p.DateTime(inv.ExpiresAt)}
	return v.Mail.Send(ctx, mail.Message{Org: org.ID, To: inv.Email, Subject: p.T("mail.invitation.subject", args...), Text: p.T("mail.invitation.text", args...)})
}

// acceptPage is what an invited person sees.
func (v *visit) acceptPage(inv *account.Invitation, in account.Acceptance) (*form, error) {
	org, err := v.Accounts.Org(v.ctx(), inv.Org)
	if err != nil {
		return nil, err
	}
	known, err := v.Accounts.KnownPerson(v.ctx(), inv)
	if err != nil {
		return nil, err
	}
	p := &form{Frame: v.bare(v.t("accept.title", "Organisation", org.Name)), Submit: v.t("accept.submit")}
	p.Lead = v.words.Rich("accept.lead", "Role", v.role(inv.Role), "Email", inv.Email)
	name := in.Name
	if name == "" {
		name = inv.Name
	}
	secret := v.newPassword("password", "sign_in.password")
	if known {
		secret = ui.Field{Name: "password", Label: v.t("sign_in.password"), Type: "password", Help: v.t("accept.known")}
	}
	p.Sections = []section{
		{Fields: []ui.Field{{Name: "name", Label: v.t("sign_up.name"), Value: name, Complete: "name", Focus: true}, secret}},
		{Title: v.t("sign_up.consent"), Text: v.t("sign_up.consent.text"), Link: v.termsLink(), Fields: v.consentFields(in.AcceptTerms, in.Adult)},
	}
	if inv.Agent {
		p.Sections[1].Text = v.t("accept.agent")
	}
	return p, nil
}

func acceptForm(v *visit) error {
	inv, err := v.Accounts.Invitation(v.ctx(), v.r.PathValue("secret"))
	if err != nil {
		return err
	}
	p, err := v.acceptPage(inv, account.Acceptance{})
	if err != nil {
		return err
	}
	return v.render("accept", p)
}

func accept(v *visit) error {
	secret := v.r.PathValue("secret")
	inv, err := v.Accounts.Invitation(v.ctx(), secret)
	if err != nil {
		return err
	}
	in := account.Acceptance{Name: v.form("name"), Password: v.typed("password"), AcceptTerms: v.checked("accept_terms"), Adult: v.checked("adult"), From: from(v.r)}
	m, err := v.Accounts.Accept(v.ctx(), secret, in)
	if err != nil {
		p, formErr := v.acceptPage(inv, in)
		if formErr != nil {
			return formErr
		}
		return v.again("accept", p, err)
	}
	if err := v.signInTo(m.Org, inv.Email, in.Password); err != nil {
		return err
	}
	return v.to("/me", v.good("accept.done"))
}

// signInTo opens a session in one of a person's organisations.
func (v *visit) signInTo(org account.OrgID, email, password string) error {
	all, secret, err := v.Accounts.SignIn(v.ctx(), email, password, from(v.r))
	if err != nil {
		return err
	}
	if all[0].Org != org {
		actor, err := v.Accounts.Session(v.ctx(), secret)
		if err != nil {
			return err
		}
		if secret, err = v.Accounts.SwitchOrg(v.ctx(), actor, org); err != nil {
			return err
		}
	}
	v.startSession(secret)
	return nil
}

func nonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
