package web

import (
	"slices"

	"parley/account"
	"parley/platform/fault"
	"parley/web/ui"
)

// teamRoutes show the teams and change them.
func (s *site) teamRoutes() []route {
	return []route{
		{"GET /teams", account.ReadPeople, teams},
		{"POST /teams", account.ManageTeams, makeTeam},
		{"GET /teams/{team}", account.ManageTeams, teamForm},
		{"POST /teams/{team}", account.ManageTeams, changeTeam},
		{"POST /teams/{team}/delete", account.ManageTeams, deleteTeam},
	}
}

// teamsPage lists the teams, with the form that makes one.
type teamsPage struct {
	form
	Table     ui.Table
	MayChange bool
}

func (v *visit) teamsPage() (*teamsPage, error) {
	s, err := v.staff()
	if err != nil {
		return nil, err
	}
	all, err := v.Accounts.Teams(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t account.Team) bool { return !v.inSight([]account.TeamID{t.ID}, "") })
	p := &teamsPage{form: form{Frame: v.peopleFrame("nav.teams"), Submit: v.t("team.make"), Action: "/teams"}, MayChange: v.actor.Can(account.ManageTeams)}
	p.Lead = v.words.Rich("team.lead", "Count", len(all))
	p.Sections = []section{{Fields: []ui.Field{{Name: "name", Label: v.t("team.name"), Value: v.form("name"), Size: "medium", Complete: "off"}}}}
	p.Table = ui.Table{Title: v.t("nav.teams"), Columns: []ui.Column{{Title: v.t("team.team")}, {Title: v.t("team.members"), Numeric: true}, {Title: v.t("team.who")}, {Title: v.t("nav.reports")}}}
	for _, t := range all {
		row := []ui.Cell{{Text: t.Name, Strong: true, Href: v.teamPath(t.ID)}, {Text: v.words.Number(int64(t.Members))}, {}, {Text: v.t("team.report"), Href: "/reports?team=" + string(t.ID)}}
		for _, m := range s.members {
			if m.Active && slices.Contains(m.Teams, t.ID) {
				row[2].Tags = append(row[2].Tags, ui.Tag{Text: m.Name, Href: personPath(m.ID)})
			}
		}
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: row})
	}
	p.Table.Empty = &ui.Empty{Icon: "team", Title: v.t("team.none"), Text: v.t("team.none.text")}
	return p, nil
}

func teams(v *visit) error {
	p, err := v.teamsPage()
	if err != nil {
		return err
	}
	return v.render("teams", p)
}

func makeTeam(v *visit) error {
	t, err := v.Accounts.CreateTeam(v.ctx(), v.org().ID, v.form("name"))
	if err != nil {
		p, formErr := v.teamsPage()
		if formErr != nil {
			return formErr
		}
		return v.again("teams", p, err)
	}
	return v.to("/teams/"+string(t.ID), v.good("team.made", "Name", t.Name))
}

// teamPage changes one team.
type teamPage struct {
	form
	Delete ui.Action
}

func (v *visit) teamPage() (*teamPage, error) {
	all, err := v.Accounts.Teams(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	id := account.TeamID(v.r.PathValue("team"))
	i := slices.IndexFunc(all, func(t account.Team) bool { return t.ID == id })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "There is no team %s in this organisation.", id)
	}
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	who := ui.Field{Name: "members", Label: v.t("team.who"), Help: v.t("team.who.help"), Type: "checks", Optional: true}
	for _, m := range members {
		if !m.Active {
			continue
		}
		who.Options = append(who.Options, ui.Option{Value: string(m.ID), Title: m.Name, Help: v.role(m.Role)})
		if slices.Contains(m.Teams, id) {
			who.Values = append(who.Values, string(m.ID))
		}
	}
	p := &teamPage{form: form{Frame: v.under(all[i].Name, ui.Link{Title: v.t("nav.people"), Href: "/people"}, ui.Link{Title: v.t("nav.teams"), Href: "/teams"}), Submit: v.t("person.save")}}
	p.Sections = []section{{Fields: []ui.Field{{Name: "name", Label: v.t("team.name"), Value: all[i].Name, Size: "medium", Complete: "off"}, who}}}
	p.Delete = ui.Action{Title: v.t("team.delete"), Post: true, Href: "/teams/" + string(id) + "/delete", Icon: "trash", Danger: true, Confirm: v.t("team.delete.title", "Name", all[i].Name), ConfirmText: v.t("team.delete.text")}
	return p, nil
}

func teamForm(v *visit) error {
	p, err := v.teamPage()
	if err != nil {
		return err
	}
	return v.render("team", p)
}

func changeTeam(v *visit) error {
	name, id := v.form("name"), account.TeamID(v.r.PathValue("team"))
	var members []account.MemberID
	for _, m := range v.r.PostForm["members"] {
		members = append(members, account.MemberID(m))
	}
	if err := v.Accounts.ChangeTeam(v.ctx(), v.org().ID, id, name, members); err != nil {
		p, formErr := v.teamPage()
		if formErr != nil {
			return formErr
		}
		return v.again("team", p, err)
	}
	return v.to("/teams", v.good("person.saved"))
}

func deleteTeam(v *visit) error {
	if err := v.Accounts.DeleteTeam(v.ctx(), v.org().ID, account.TeamID(v.r.PathValue("team"))); err != nil {
		return err
	}
	return v.to("/teams", v.good("team.deleted"))
}
