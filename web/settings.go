package web

import (
	"context"
	"strconv"
	"strings"

	"parley/account"
	"parley/platform/fault"
	"parley/web/phrase"
	"parley/web/ui"
)

// settingsRoutes change what an organisation says about itself.
func (s *site) settingsRoutes() []route {
	return []route{
		{"GET /settings", account.ManageSettings, settings},
		{"POST /settings", account.ManageSettings, changeSettings},
		{"POST /settings/logo", account.ManageSettings, changeLogo},
	}
}

// settingsFrame is the frame of the pages about settings, with those tabs that the actor may open.
func (v *visit) settingsFrame(title string) ui.Frame {
	f := v.frame(v.t(title))
	for _, t := range []struct {
		key, path string
		needs     account.Permission
	}{
		{"settings.organisation", "/settings", account.ManageSettings},
		{"settings.exclusions", "/settings/exclusions", account.ManageExclusions},
		{"settings.tokens", "/settings/tokens", account.ManageTokens},
		{"backup.title", "/settings/backups", account.ReadPrivacy},
		{"settings.developer", "/developer", account.Developer},
		{"settings.close", "/settings/close", account.CloseOrg},
	} {
		if v.actor.Can(t.needs) {
			f.Tabs = append(f.Tabs, ui.Link{Title: v.t(t.key), Href: t.path, Current: v.r.URL.Path == t.path})
		}
	}
	return f
}

// settingsPage changes the organisation.
type settingsPage struct {
	form
	Notes  []ui.Note
	Logo   form
	Image  string // address of the logo; "" where there is none
	Remove ui.Action
}

func (p *settingsPage) mark() {
	p.form.mark()
	p.Logo.Errors = p.Errors
	p.Logo.mark()
}

func (v *visit) settingsPage(s account.OrgSettings) (*settingsPage, error) {
	p := &settingsPage{form: form{Frame: v.settingsFrame("nav.settings"), Action: "/settings", Submit: v.t("person.save")}}
	p.Sections = []section{
		{Title: v.t("settings.organisation"), Fields: []ui.Field{
			{Name: "name", Label: v.t("org.name"), Value: s.Name},
			{Name: "industry", Label: v.t("org.industry"), Help: v.t("org.industry.help"), Value: s.Industry, Optional: true, Size: "medium"},
			countryField(v.words, s.Country), zoneField(v.words, s.Zone, v.Now()), v.localeField(s.Locale),
		}},
		{Title: v.t("settings.contact"), Fields: []ui.Field{
			{Name: "contact_name", Label: v.t("org.contact_name"), Value: s.ContactName, Optional: true},
			{Name: "contact_phone", Label: v.t("org.contact_phone"), Type: "tel", Value: s.ContactPhone, Optional: true, Size: "medium"},
			{Name: "email", Label: v.t("sign_in.email"), Type: "email", Value: s.Email, Optional: true},
		}},
		{Title: v.t("org.hours"), Text: v.t("org.hours.help"), Fields: v.hoursFields(s.Workdays, s.WorkFrom, s.WorkTo)},
		{Title: v.t("settings.reports"), Text: v.t("settings.reports.text"), Fields: []ui.Field{
			{Name: "connected_from", Label: v.t("settings.connected_from"), Help: v.t("settings.connected_from.help"), Type: "number", Mode: "numeric", Min: "1", Max: "600", Size: "short", Value: strconv.Itoa(s.ConnectedFrom)},
			{Name: "gap_minutes", Label: v.t("settings.gap_minutes"), Help: v.t("settings.gap_minutes.help"), Type: "number", Mode: "numeric", Min: "1", Max: "240", Size: "short", Value: strconv.Itoa(s.GapMinutes)},
		}},
	}
	p.Logo = form{Action: "/settings/logo", Submit: v.t("settings.logo.set"), Files: true, Sections: []section{{Fields: []ui.Field{v.logoField()}}}}
	if _, _, err := v.Accounts.Logo(v.ctx(), v.org().ID); err == nil {
		p.Image = "/logo/" + strconv.FormatInt(int64(v.org().ID), 10)
		p.Remove = ui.Action{Title: v.t("settings.logo.remove"), Post: true, Href: "/settings/logo", Icon: "trash"}
	}
	note, err := v.rebuildNote()
	if note != nil {
		p.Notes = append(p.Notes, *note)
	}
	return p, err
}

// localeField asks for the language of the organisation's mails, and of pages for readers who chose none.
func (v *visit) localeField(locale string) ui.Field {
	f := ui.Field{Name: "locale", Label: v.t("settings.locale"), Help: v.t("settings.locale.help"), Type: "select", Size: "medium"}
	lang, _, _ := strings.Cut(locale, "-")
	for _, l := range phrase.Languages() {
		f.Options = append(f.Options, ui.Option{Value: l.Code, Title: l.Name})
		if l.Code == lang {
			f.Value = l.Code
		}
	}
	return f
}

// rebuildNote says that figures are being reckoned anew; nil when they are not.
func (v *visit) rebuildNote() (*ui.Note, error) {
	busy, err := v.Writer.Rebuilding(v.ctx(), v.org())
	if err != nil || !busy {
		return nil, err
	}
	return &ui.Note{Kind: ui.Info, Title: v.t("rebuild.title"), Text: v.t("rebuild.text")}, nil
}

func settings(v *visit) error {
	p, err := v.settingsPage(v.org().Settings())
	if err != nil {
		return err
	}
	return v.render("settings", p)
}

func (v *visit) readSettings() (account.OrgSettings, error) {
	s := v.org().Settings()
	s.Name, s.Industry, s.Country, s.Zone, s.Locale = v.form("name"), v.form("industry"), v.form("country"), v.form("zone"), v.form("locale")
	s.ContactName, s.ContactPhone, s.Email = v.form("contact_name"), v.form("contact_phone"), v.form("email")
	s.Workdays = v.weekdays("workdays")
	var errs [5]error
	s.WorkFrom, errs[0] = v.time("work_from", false)
	s.WorkTo, errs[1] = v.time("work_to", true)
	if s.Workdays == 0 {
		errs[2] = fault.Field("workdays", "Choose at least one working day.")
	}
	s.ConnectedFrom, errs[3] = v.atLeastOne("connected_from")
	s.GapMinutes, errs[4] = v.atLeastOne("gap_minutes")
	return s, fault.Join(errs[:]...)
}

// atLeastOne reads a whole number where 0 would stand for the usual value.
func (v *visit) atLeastOne(name string) (int, error) {
	n, err := v.whole(name)
	if err == nil && n < 1 {
		err = fault.Field(name, "%d is too small. Write 1 or more.", n)
	}
	return n, err
}

func changeSettings(v *visit) error {
	s, err := v.readSettings()
	was, org := v.org(), v.org()
	if err == nil {
		org, err = v.Accounts.UpdateOrg(v.ctx(), v.actor, was.ID, s)
	}
	if err != nil {
		p, formErr := v.settingsPage(s)
		if formErr != nil {
			return formErr
		}
		return v.again("settings", p, err)
	}
	v.words = phrase.For(v.locale(org)).In(org.Location()) // what is said now is said in its new language
	if org.Zone == was.Zone && org.ConnectedFrom == was.ConnectedFrom && org.GapMinutes == was.GapMinutes {
		return v.to("/settings", v.good("person.saved"))
	}
	v.Background("rebuild after a change of settings", func(ctx context.Context) error { return v.Writer.Rebuild(ctx, org, nil) })
	return v.to("/settings", v.good("settings.rebuilding"))
}

func changeLogo(v *visit) error {
	err := v.readFiles(account.MaxLogo)
	var image []byte
	if err == nil {
		image, err = v.file("logo", account.MaxLogo)
	}
	if err == nil {
		err = v.Accounts.SetLogo(v.ctx(), v.actor, v.org().ID, image)
	}
	if err != nil {
		p, formErr := v.settingsPage(v.org().Settings())
		if formErr != nil {
			return formErr
		}
		return v.again("settings", p, err)
	}
	if len(image) == 0 {
		return v.to("/settings", v.good("settings.logo.removed"))
	}
	return v.to("/settings", v.good("person.saved"))
}
