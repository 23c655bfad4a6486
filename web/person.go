package web

import (
	"slices"

	"parley/account"
	"parley/calls/device"
	"parley/platform/fault"
	"parley/web/ui"
)

// personRoutes show one member, and change them.
func (s *site) personRoutes() []route {
	return []route{
		{"GET /people/{member}", account.ReadPeople, person},
		{"POST /people/{member}", account.ManagePeople, changePerson},
		{"POST /people/{member}/agent", account.ManagePeople, makeAgent},
		{"POST /people/{member}/deactivate", account.ManagePeople, deactivate},
		{"POST /people/{member}/reactivate", account.ManagePeople, reactivate},
	}
}

// personPage is one member.
type personPage struct {
	form
	Member     *account.Member
	Notes      []ui.Note
	Facts      []ui.Fact
	MayChange  bool
	Agent      bool
	Lines      ui.Table
	AddLine    *ui.Action
	Phones     ui.Table
	Invite     *ui.Field // asks for the address of somebody who cannot sign in; nil when there is nothing to ask
	Invitation *account.Invitation
	Withdraw   *ui.Action
	InvitePath string
	Acts       []deed
}

// deed is something that can be done to a member, with what it means.
type deed struct {
	Title, Text string
	Action      ui.Action
}

// seen gives a member whom the actor may see.
func (v *visit) seen(id account.MemberID) (*account.Member, error) {
	m, err := v.Accounts.Member(v.ctx(), v.org().ID, id)
	if err == nil && !v.inSight(m.Teams, m.ID) {
		err = fault.New(fault.NotFound, "There is no member %s in your teams.", id)
	}
	return m, err
}

func person(v *visit) error {
	m, err := v.seen(account.MemberID(v.r.PathValue("member")))
	if err != nil {
		return err
	}
	p, err := v.personPage(m)
	if err != nil {
		return err
	}
	return v.render("person", p)
}

// mayChange tells whether the actor may change a member of a role.
func (v *visit) mayChange(m *account.Member) bool {
	if m.Role == account.Owner {
		return v.actor.Can(account.ManageOrg)
	}
	return v.actor.Can(account.ManagePeople)
}

func (v *visit) personPage(m *account.Member) (*personPage, error) {
	s, err := v.staff()
	if err != nil {
		return nil, err
	}
	p := &personPage{form: form{Frame: v.under(m.Name, ui.Link{Title: v.t("nav.people"), Href: "/people"}), Submit: v.t("person.save"), Action: personPath(m.ID)},
		Member: m, MayChange: v.mayChange(m) && m.Active, Agent: m.Agent != 0, InvitePath: personPath(m.ID) + "/invite"}
	if !m.Active {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Warn, Title: v.t("person.inactive"), Text: v.t("person.inactive.text")})
	}
	p.Facts = v.personFacts(s, m)
	if p.MayChange {
		teams, err := v.teamsField(m.Teams)
		if err != nil {
			return nil, err
		}
		fields := []ui.Field{{Name: "name", Label: v.t("people.name"), Value: m.Name, Complete: "off"}, v.roleField(m.Role)}
		if len(teams.Options) > 0 {
			fields = append(fields, teams)
		}
		p.Sections = []section{{Fields: fields}}
	}
	if p.Agent {
		v.personLines(p, s, m)
	}
	v.personDeeds(p, m)
	return p, v.personInvitation(p, m)
}

func (v *visit) personFacts(s *staff, m *account.Member) []ui.Fact {
	facts := []ui.Fact{{Title: v.t("people.role"), Cell: ui.Cell{Text: v.role(m.Role), Sub: v.t("role." + string(m.Role) + ".text")}}}
	if m.Email != "" {
		facts = append(facts, ui.Fact{Title: v.t("sign_in.email"), Cell: ui.Cell{Text: m.Email}})
	}
	teams := ui.Cell{Text: v.t("person.no_team"), Muted: true}
	if len(m.Teams) > 0 {
		teams = ui.Cell{}
		for _, t := range m.Teams {
			teams.Tags = append(teams.Tags, ui.Tag{Text: s.teams[t], Href: v.teamPath(t)})
		}
	}
	joined := ui.Cell{Text: v.t("person.never_joined"), Muted: true}
	if !m.JoinedAt.IsZero() {
		joined = ui.Cell{Time: m.JoinedAt}
	}
	facts = append(facts, ui.Fact{Title: v.t("nav.teams"), Cell: teams}, ui.Fact{Title: v.t("person.joined"), Cell: joined})
	if m.Agent != 0 {
		facts = append(facts, ui.Fact{Title: v.t("nav.reports"), Cell: ui.Cell{Text: v.t("person.report"), Href: "/agents/" + string(m.ID)}})
	}
	return facts
}

// personLines shows an agent's lines and phones.
func (v *visit) personLines(p *personPage, s *staff, m *account.Member) {
	manage := v.actor.Can(account.ManagePeople)
	p.Lines = ui.Table{Title: v.t("people.lines"), Columns: []ui.Column{{Title: v.t("line.number")}, {Title: v.t("line.slot")}, {Title: v.t("line.since")}, {Title: v.t("people.phone")}, {Title: v.t("table.actions"), Acts: true}}}
	for _, l := range s.lines[m.Agent] {
		row := []ui.Cell{{Text: v.lineTitle(l), Strong: true}, {Text: "–", Muted: true}, {Time: l.CreatedAt}, {Text: v.t("people.no_phone"), Muted: true}, {}}
		if l.Label != "" && l.Number != "" {
			row[0].Sub = l.Label
		}
		if l.SIMSlot > 0 {
			row[1] = ui.Cell{Text: v.t("line.sim", "Slot", l.SIMSlot)}
		}
		for _, d := range s.phones[m.Agent] {
			if d.ID == l.Device {
				row[3] = ui.Cell{Text: d.Name}
			}
		}
		if manage {
			row[4].Acts = []ui.Action{{Title: v.t("line.change"), Href: "/lines/" + string(l.ID), Icon: "edit"}}
		}
		p.Lines.Rows = append(p.Lines.Rows, ui.Row{Cells: row})
	}
	if manage && m.Active {
		p.AddLine = &ui.Action{Title: v.t("line.add"), Href: personPath(m.ID) + "/lines/add", Icon: "plus"}
	}
	p.Lines.Empty = &ui.Empty{Icon: "call", Title: v.t("line.none"), Text: v.t("line.none.text")}
	p.Phones = ui.Table{Title: v.t("person.phones"), Columns: []ui.Column{{Title: v.t("people.phone")}, {Title: v.t("person.phone.state")}, {Title: v.t("people.seen")}, {Title: v.t("person.phone.waiting"), Numeric: true}}}
	for _, d := range s.phones[m.Agent] {
		p.Phones.Rows = append(p.Phones.Rows, v.phoneRow(&d))
	}
	p.Phones.Empty = &ui.Empty{Icon: "device", Title: v.t("person.no_phone"), Text: v.t("person.no_phone.text")}
	if v.actor.Can(account.ManageDevices) {
		p.Phones.Empty.Action = &ui.Action{Title: v.t("person.pair"), Href: "/devices", Icon: "device"}
	}
}

func (v *visit) phoneRow(d *device.View) ui.Row {
	name := ui.Cell{Text: nonEmpty(d.Name, d.Model), Sub: d.OS, Strong: true}
	if v.actor.Can(account.ReadDevices) {
		name.Href = "/devices"
	}
	seen := ui.Cell{Ago: d.SeenAt}
	if d.SeenAt.IsZero() {
		seen = ui.Cell{Text: "–", Muted: true}
	}
	return ui.Row{Cells: []ui.Cell{name, {Text: v.phoneWord(d), Dot: true, State: phoneKind(d)}, seen, {Text: v.words.Number(int64(d.Waiting))}}}
}

// personInvitation shows what stands between a member and their own sign-in.
func (v *visit) personInvitation(p *personPage, m *account.Member) error {
	if !m.JoinedAt.IsZero() || !m.Active || !v.mayChange(m) {
		return nil
	}
	all, err := v.Accounts.Invitations(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(all, func(inv *account.Invitation) bool { return inv.Member == m.ID }); i >= 0 {
		p.Invitation = all[i]
		p.Withdraw = &v.withdrawal(all[i])[0]
		p.Withdraw.Fields = []ui.Param{{Name: "back", Value: personPath(m.ID)}}
	}
	p.Invite = &ui.Field{Name: "email", Label: v.t("sign_in.email"), Help: v.t("people.email.help"), Type: "email", Value: m.Email, Size: "medium", Complete: "off"}
	if m.Email != "" {
		p.Invite.Type, p.Invite.Help = "hidden", ""
	}
	return nil
}

func (v *visit) personDeeds(p *personPage, m *account.Member) {
	if !v.mayChange(m) {
		return
	}
	if m.Active && m.Agent == 0 {
		p.Acts = append(p.Acts, deed{Title: v.t("person.make_agent"), Text: v.t("person.make_agent.text"),
			Action: ui.Action{Title: v.t("person.make_agent.go"), Post: true, Href: personPath(m.ID) + "/agent", Icon: "call", Confirm: v.t("person.make_agent"), ConfirmText: v.t("person.make_agent.text")}})
	}
	switch {
	case !m.Active:
		p.Acts = append(p.Acts, deed{Title: v.t("person.reactivate"), Text: v.t("person.reactivate.text"),
			Action: ui.Action{Title: v.t("person.reactivate.go"), Post: true, Href: personPath(m.ID) + "/reactivate", Icon: "user"}})
	case m.ID != v.actor.Member.ID:
		p.Acts = append(p.Acts, deed{Title: v.t("person.deactivate"), Text: v.t("person.deactivate.text"),
			Action: ui.Action{Title: v.t("person.deactivate.go"), Post: true, Href: personPath(m.ID) + "/deactivate", Icon: "block", Danger: true,
				Confirm: v.t("person.deactivate.title", "Name", m.Name), ConfirmText: v.t("person.deactivate.text")}})
	}
}

// personAgain shows a member's page with what was wrong in one of its forms.
func (v *visit) personAgain(id account.MemberID, wrong error) error {
	m, err := v.seen(id)
	if err != nil {
		return err
	}
	p, err := v.personPage(m)
	if err != nil {
		return err
	}
	return v.again("person", p, wrong)
}

func (p *personPage) mark() {
	p.form.mark()
	if p.Invite != nil {
		p.Invite.Error = p.Wrong(p.Invite.Name)
	}
}

func changePerson(v *visit) error {
	id, name, role, teams := account.MemberID(v.r.PathValue("member")), v.form("name"), account.Role(v.form("role")), v.teamsOf("teams")
	m, err := v.Accounts.Change(v.ctx(), v.actor, id, account.MemberChange{Name: &name, Role: &role, Teams: &teams})
	if err != nil {
		return v.personAgain(id, err)
	}
	return v.to(personPath(m.ID), v.good("person.saved"))
}

// decide carries out a deed on the member of the address and says so on their page.
func (v *visit) decide(said string, do func(id account.MemberID) (*account.Member, error)) error {
	id := account.MemberID(v.r.PathValue("member"))
	m, err := do(id)
	if err != nil {
		return v.personAgain(id, err)
	}
	return v.to(personPath(m.ID), v.good(said, "Name", m.Name))
}

func makeAgent(v *visit) error {
	return v.decide("person.is_agent", func(id account.MemberID) (*account.Member, error) {
		return v.Accounts.MakeAgent(v.ctx(), v.org().ID, id)
	})
}

func deactivate(v *visit) error {
	return v.decide("person.deactivated", func(id account.MemberID) (*account.Member, error) { return v.Accounts.Deactivate(v.ctx(), v.actor, id) })
}

func reactivate(v *visit) error {
	return v.decide("person.reactivated", func(id account.MemberID) (*account.Member, error) { return v.Accounts.Reactivate(v.ctx(), v.actor, id) })
}
