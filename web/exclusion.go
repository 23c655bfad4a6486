package web

import (
	"parley/account"
	"parley/calls/number"
	"parley/platform/phone"
	"parley/web/ui"
)

// exclusionRoutes keep numbers out.
func (s *site) exclusionRoutes() []route {
	return []route{
		{"GET /settings/exclusions", account.ManageExclusions, exclusions},
		{"POST /settings/exclusions", account.ManageExclusions, exclude},
		{"POST /settings/exclusions/remove", account.ManageExclusions, include},
	}
}

// exclusionsPage lists the numbers that are kept out, with the form that adds one.
type exclusionsPage struct {
	form
	Notes []ui.Note
	Table ui.Table
}

func (v *visit) exclusionsPage() (*exclusionsPage, error) {
	all, err := v.Book.Exclusions(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return nil, err
	}
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, m := range members {
		names[string(m.ID)] = m.Name
	}
	p := &exclusionsPage{form: form{Frame: v.settingsFrame("settings.exclusions"), Action: "/settings/exclusions", Submit: v.t("exclusion.add")}}
	p.Lead = v.words.Rich("exclusion.lead", "Count", len(all))
	strength := v.form("strength")
	if strength == "" {
		strength = number.NeverStored.String()
	}
	p.Sections = []section{{Fields: []ui.Field{
		{Name: "number", Label: v.t("line.number"), Help: v.t("exclusion.number.help"), Type: "tel", Value: v.form("number"), Size: "medium", Complete: "off"},
		{Name: "label", Label: v.t("line.label"), Help: v.t("exclusion.label.help"), Value: v.form("label"), Optional: true, Size: "medium", Complete: "off"},
		{Name: "strength", Label: v.t("exclusion.strength"), Type: "radio", Value: strength, Options: []ui.Option{
			{Value: "never_stored", Title: v.t("exclusion.never_stored"), Help: v.t("exclusion.never_stored.text")},
			{Value: "hidden", Title: v.t("exclusion.hidden"), Help: v.t("exclusion.hidden.text")},
		}},
	}}}
	p.Table = ui.Table{Title: v.t("settings.exclusions"), Columns: []ui.Column{{Title: v.t("line.number")}, {Title: v.t("exclusion.strength")}, {Title: v.t("exclusion.by")}, {Title: v.t("exclusion.since")}, {Title: v.t("table.actions"), Acts: true}}}
	for _, e := range all {
		shown := v.t("number.erased")
		if e.Number != "" {
			shown = phone.Display(e.Number, v.org().Country)
		}
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: []ui.Cell{
			{Text: shown, Sub: e.Label, Strong: true}, {Tag: &ui.Tag{Text: v.t("exclusion." + e.Strength.String())}},
			{Text: nonEmpty(names[e.AddedBy], "–")}, {Time: e.AddedAt},
			{Acts: []ui.Action{{Title: v.t("exclusion.remove"), Post: true, Href: "/settings/exclusions/remove", Fields: []ui.Param{{Name: "number", Value: string(e.Key)}}, Confirm: v.t("exclusion.remove.title"), ConfirmText: v.t("exclusion.remove.text")}}},
		}})
	}
	p.Table.Empty = &ui.Empty{Icon: "block", Title: v.t("exclusion.none"), Text: v.t("exclusion.none.text")}
	note, err := v.rebuildNote()
	if note != nil {
		p.Notes = append(p.Notes, *note)
	}
	return p, err
}

func exclusions(v *visit) error {
	p, err := v.exclusionsPage()
	if err != nil {
		return err
	}
	return v.render("exclusions", p)
}

func exclude(v *visit) error {
	err := v.exclude()
	if err == nil {
		return v.to("/settings/exclusions", v.good("exclusion.added"))
	}
	p, formErr := v.exclusionsPage()
	if formErr != nil {
		return formErr
	}
	return v.again("exclusions", p, err)
}

func (v *visit) exclude() error {
	strength, err := number.ParseStrength(v.form("strength"))
	if err != nil {
		return err
	}
	return v.Writer.Exclude(v.ctx(), v.org(), number.Exclusion{Number: phone.Parse(v.form("number"), v.org().Country).Canonical(), Strength: strength, Label: v.form("label"),
		AddedBy: string(v.actor.Member.ID), AddedAt: v.Now()})
}

func include(v *visit) error {
	if err := v.Writer.Include(v.ctx(), v.org(), number.Key(v.form("number"))); err != nil {
		return err
	}
	return v.to("/settings/exclusions", v.good("exclusion.removed"))
}
