package web

import (
	"slices"

	"parley/account"
	"parley/calls/device"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/web/ui"
)

// peopleRoutes show who is in the organisation, and bring people in.
func (s *site) peopleRoutes() []route {
	return []route{
		{"GET /people", account.ReadPeople, people},
		{"GET /people/add", account.ManagePeople, addAgentForm},
		{"POST /people/add", account.ManagePeople, addAgent},
	}
}

// tablePage is a page that is a table, with one thing to do.
type tablePage struct {
	ui.Frame
	Notes []ui.Note
	Table ui.Table
	Add   *ui.Action
	More  []ui.Action
}

// under is the frame of a page under others.
func (v *visit) under(title string, crumbs ...ui.Link) ui.Frame {
	f := v.frame(title)
	f.Crumbs = crumbs
	return f
}

// peopleFrame is the frame of the pages about people, with their tabs.
func (v *visit) peopleFrame(title string) ui.Frame {
	f := v.frame(v.t(title))
	for _, t := range []struct{ key, path string }{{"nav.people", "/people"}, {"nav.teams", "/teams"}, {"people.invitations", "/people/invitations"}} {
		f.Tabs = append(f.Tabs, ui.Link{Title: v.t(t.key), Href: t.path, Current: v.r.URL.Path == t.path})
	}
	return f
}

func (v *visit) role(r account.Role) string { return v.t("role." + string(r)) }

// inSight tells whether the actor sees somebody: a manager sees their own teams and themself, whoever else reads people
// sees everybody.
func (v *visit) inSight(teams []account.TeamID, m account.MemberID) bool {
	me := v.actor.Member
	if me.Role != account.Manager || me.ID == m && m != "" {
		return true
	}
	return slices.ContainsFunc(teams, func(t account.TeamID) bool { return slices.Contains(me.Teams, t) })
}

// staff is what is known of the organisation's people, to be shown in one table.
type staff struct {
	members []*account.Member // those in sight
	teams   map[account.TeamID]string
	lines   map[account.AgentNo][]*device.Line
	phones  map[account.AgentNo][]device.View // paired ones
}

func (v *visit) staff() (*staff, error) {
	s := &staff{teams: map[account.TeamID]string{}, lines: map[account.AgentNo][]*device.Line{}, phones: map[account.AgentNo][]device.View{}}
	all, err := v.Accounts.Members(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	s.members = slices.DeleteFunc(all, func(m *account.Member) bool { return !v.inSight(m.Teams, m.ID) })
	teams, err := v.Accounts.Teams(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	for _, t := range teams {
		s.teams[t.ID] = t.Name
	}
	lines, err := v.Devices.LinesOf(v.ctx(), v.org(), nil)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		s.lines[l.Agent] = append(s.lines[l.Agent], l)
	}
	phones, err := v.Devices.Devices(v.ctx(), v.org(), nil)
	if err != nil {
		return nil, err
	}
	for _, d := range phones {
		if d.Health != device.Unpaired {
			s.phones[d.Agent] = append(s.phones[d.Agent], d)
		}
	}
	return s, nil
}

func people(v *visit) error {
	s, err := v.staff()
	if err != nil {
		return err
	}
	p := &tablePage{Frame: v.peopleFrame("nav.people")}
	p.Table = ui.Table{Title: v.t("people.members"), Columns: []ui.Column{
		{Title: v.t("people.person")}, {Title: v.t("people.role")}, {Title: v.t("nav.teams")}, {Title: v.t("people.lines")}, {Title: v.t("people.phone")}, {Title: v.t("people.seen")},
	}}
	agents, silent, left := 0, 0, 0
	for _, m := range s.members {
		if !m.Active {
			left++
			continue
		}
		if m.Agent != 0 {
			agents++
		}
		for _, d := range s.phones[m.Agent] {
			if d.Silent {
				silent++
			}
		}
		p.Table.Rows = append(p.Table.Rows, v.personRow(s, m))
	}
	for _, m := range s.members {
		if !m.Active {
			row := v.personRow(s, m)
			row.Muted = true
			p.Table.Rows = append(p.Table.Rows, row)
		}
	}
	p.Table.Note = v.words.Number(int64(len(s.members) - left))
	p.Lead = v.words.Rich("people.lead", "Count", agents, "Silent", silent)
	if silent == 0 {
		p.Lead = v.words.Rich("people.lead.quiet", "Count", agents)
	}
	if v.actor.Can(account.ManagePeople) {
		p.Add = &ui.Action{Title: v.t("people.add"), Href: "/people/add", Icon: "plus", Primary: true}
		p.More = []ui.Action{{Title: v.t("people.invite"), Href: "/people/invite", Icon: "mail"}}
	}
	p.Table.Empty = &ui.Empty{Icon: "agents", Title: v.t("people.none"), Text: v.t("people.none.text"), Action: p.Add}
	return v.render("table", p)
}

func personPath(m account.MemberID) string { return "/people/" + string(m) }

func (v *visit) personRow(s *staff, m *account.Member) ui.Row {
	name := ui.Cell{Text: m.Name, Href: personPath(m.ID), Strong: true, Sub: m.Email}
	switch {
	case !m.Active:
		name.Tag = &ui.Tag{Text: v.t("people.inactive"), Kind: ui.Off}
	case m.ID == v.actor.Member.ID:
		name.Tag = &ui.Tag{Text: v.t("people.you"), Kind: ui.Info}
	}
	var teams ui.Cell
	for _, t := range m.Teams {
		teams.Tags = append(teams.Tags, ui.Tag{Text: s.teams[t], Href: v.teamPath(t)})
	}
	phoneCell, seen := v.phoneCell(s.phones[m.Agent])
	if m.Agent == 0 {
		phoneCell = ui.Cell{Text: "–", Muted: true}
	}
	return ui.Row{ID: string(m.ID), Cells: []ui.Cell{name, {Text: v.role(m.Role)}, teams, v.linesCell(s.lines[m.Agent], m), phoneCell, seen}}
}

func (v *visit) teamPath(t account.TeamID) string {
	if v.actor.Can(account.ManageTeams) {
		return "/teams/" + string(t)
	}
	return ""
}

func (v *visit) linesCell(lines []*device.Line, m *account.Member) ui.Cell {
	switch {
	case m.Agent == 0:
		return ui.Cell{Text: "–", Muted: true}
	case len(lines) == 0:
		return ui.Cell{Text: v.t("people.no_line"), Muted: true}
	case len(lines) == 1:
		return ui.Cell{Text: v.lineTitle(lines[0])}
	default:
		return ui.Cell{Text: v.lineTitle(lines[0]), Sub: v.t("people.more_lines", "Count", len(lines)-1)}
	}
}

// lineTitle is how a line is called: by its number, else by its label, else by its SIM.
func (v *visit) lineTitle(l *device.Line) string {
	switch {
	case l.Number != "":
		return phone.Display(l.Number, v.org().Country)
	case l.Label != "":
		return l.Label
	case l.SIMSlot > 0:
		return v.t("line.sim", "Slot", l.SIMSlot)
	default:
		return v.t("line.nameless")
	}
}

// phoneCell tells how an agent's phones are, the worst first, and when one was seen last.
func (v *visit) phoneCell(phones []device.View) (health, seen ui.Cell) {
	if len(phones) == 0 {
		return ui.Cell{Text: v.t("people.no_phone"), Muted: true}, ui.Cell{Text: "–", Muted: true}
	}
	worst := phones[0]
	for _, d := range phones {
		if phoneKind(&d) != ui.Good {
			worst = d
		}
		if d.SeenAt.After(seen.Ago) {
			seen.Ago = d.SeenAt
		}
	}
	if seen.Ago.IsZero() {
		seen = ui.Cell{Text: "–", Muted: true}
	}
	return ui.Cell{Text: v.phoneWord(&worst), Dot: true, State: phoneKind(&worst)}, seen
}

// phoneWord says in a word how a phone is.
func (v *visit) phoneWord(d *device.View) string {
	if d.Silent && d.Health != device.Unpaired {
		return v.t("people.phone.silent")
	}
	return v.t("people.phone." + string(d.Health))
}

func phoneKind(d *device.View) ui.Kind {
	switch {
	case d.Health == device.Unpaired:
		return ui.Off
	case d.Silent:
		return ui.Bad
	case d.Health == device.Online:
		return ui.Good
	default:
		return ui.Warn
	}
}

// roleField offers the roles that the actor may give.
func (v *visit) roleField(chosen account.Role) ui.Field {
	f := ui.Field{Name: "role", Label: v.t("people.role"), Type: "radio", Value: string(chosen)}
	for _, r := range account.Roles() {
		if r == account.Owner && !v.actor.Can(account.ManageOrg) {
			continue
		}
		f.Options = append(f.Options, ui.Option{Value: string(r), Title: v.role(r), Help: v.t("role." + string(r) + ".text")})
	}
	return f
}

// teamsField offers the organisation's teams; it has no options where there are none.
func (v *visit) teamsField(chosen []account.TeamID) (ui.Field, error) {
	f := ui.Field{Name: "teams", Label: v.t("nav.teams"), Type: "checks", Row: true, Optional: true}
	teams, err := v.Accounts.Teams(v.ctx(), v.org().ID)
	for _, t := range teams {
		f.Options = append(f.Options, ui.Option{Value: string(t.ID), Title: t.Name})
	}
	for _, t := range chosen {
		f.Values = append(f.Values, string(t))
	}
	return f, err
}

func (v *visit) teamsOf(name string) []account.TeamID {
	v.typed(name) // parses the form
	var out []account.TeamID
	for _, t := range v.r.PostForm[name] {
		out = append(out, account.TeamID(t))
	}
	return out
}

// newAgent is what the form to add an agent says.
type newAgent struct {
	account.NewAgent
	number, label string
}

func (v *visit) addAgentPage(n newAgent) (*form, error) {
	p := &form{Frame: v.under(v.t("people.add"), ui.Link{Title: v.t("nav.people"), Href: "/people"}), Submit: v.t("people.add.submit")}
	p.Lead = v.words.Rich("people.add.lead")
	teams, err := v.teamsField(n.Teams)
	if err != nil {
		return nil, err
	}
	fields := []ui.Field{
		{Name: "name", Label: v.t("people.name"), Value: n.Name, Focus: true, Complete: "off"},
		{Name: "number", Label: v.t("people.number"), Help: v.t("people.number.help"), Type: "tel", Value: n.number, Optional: true, Size: "medium", Complete: "off"},
		{Name: "email", Label: v.t("sign_in.email"), Help: v.t("people.email.help"), Type: "email", Value: n.Email, Optional: true, Complete: "off"},
	}
	if len(teams.Options) > 0 {
		fields = append(fields, teams)
	}
	p.Sections = []section{{Fields: fields}}
	return p, nil
}

func addAgentForm(v *visit) error {
	p, err := v.addAgentPage(newAgent{})
	if err != nil {
		return err
	}
	return v.render("form", p)
}

func addAgent(v *visit) error {
	n := newAgent{NewAgent: account.NewAgent{Name: v.form("name"), Email: v.form("email"), Teams: v.teamsOf("teams")}, number: v.form("number")}
	m, err := v.addAgent(n)
	if err != nil {
		p, formErr := v.addAgentPage(n)
		if formErr != nil {
			return formErr
		}
		return v.again("form", p, err)
	}
	if m.Email == "" {
		return v.to(personPath(m.ID), v.good("people.added", "Name", m.Name))
	}
	secret, inv, err := v.Accounts.Invite(v.ctx(), v.actor, account.NewInvitation{Member: m.ID})
	if err != nil {
		return err
	}
	return v.invited(secret, inv)
}

// addAgent adds an agent with a line. A number that cannot be theirs is refused before anything is stored.
func (v *visit) addAgent(n newAgent) (*account.Member, error) {
	_, taken, err := v.Devices.FindLine(v.ctx(), v.org(), n.number)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, fault.Field("number", "Another line has this number already. Move that line instead, or archive it first.")
	}
	m, err := v.Accounts.AddAgent(v.ctx(), v.org().ID, n.NewAgent)
	if err != nil || n.number == "" {
		return m, err
	}
	_, err = v.Devices.AddLine(v.ctx(), v.org(), device.NewLine{Agent: m.Agent, Number: n.number, Label: n.label})
	return m, err
}
