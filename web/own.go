package web

import (
	"strings"

	"parley/web/phrase"
	"parley/web/ui"
)

// ownRoutes let members look after their own account.
func (s *site) ownRoutes() []route {
	return []route{
		{"GET /account", SignedIn, ownAccount},
		{"POST /account", SignedIn, renameMyself},
		{"POST /account/password", SignedIn, changePassword},
		{"POST /account/sessions/end", SignedIn, endSession},
		{"POST /account/sessions/end-others", SignedIn, endOtherSessions},
	}
}

// accountPage is one's own account.
type accountPage struct {
	form
	Password  form
	ByLink    bool // no password can be changed: the session was opened by a link
	Sessions  ui.Table
	EndOthers *ui.Action
	Languages []ui.Option
	Language  string
}

func (p *accountPage) mark() {
	p.form.mark()
	p.Password.Errors = p.Errors
	p.Password.mark()
}

func (v *visit) accountPage() (*accountPage, error) {
	m := v.actor.Member
	p := &accountPage{form: form{Frame: v.frame(v.t("menu.account")), Action: "/account", Submit: v.t("person.save")}, ByLink: !v.actor.Session.ByPassword, Language: v.words.Lang()}
	p.Tabs = []ui.Link{{Title: v.t("menu.account"), Href: "/account", Current: true}, {Title: v.t("me.title"), Href: "/me"}}
	p.Lead = v.words.Rich("account.lead", "Role", v.role(m.Role), "Organisation", v.org().Name, "Email", m.Email)
	if m.Email == "" {
		p.Lead = v.words.Rich("account.lead.nameless", "Role", v.role(m.Role), "Organisation", v.org().Name)
	}
	p.Sections = []section{{Fields: []ui.Field{{Name: "name", Label: v.t("people.name"), Value: m.Name, Complete: "name", Size: "medium"}}}}
	p.Password = form{Action: "/account/password", Submit: v.t("account.password.change"), Sections: []section{{Fields: []ui.Field{
		{Name: "old_password", Label: v.t("account.password.old"), Type: "password"},
		v.newPassword("password", "reset.password"),
	}}}}
	for _, l := range phrase.Languages() {
		p.Languages = append(p.Languages, ui.Option{Value: l.Code, Title: l.Name})
	}
	return p, v.sessionsTable(p)
}

func (v *visit) sessionsTable(p *accountPage) error {
	all, err := v.Accounts.Sessions(v.ctx(), v.actor)
	if err != nil {
		return err
	}
	p.Sessions = ui.Table{Title: v.t("account.sessions"), Note: v.words.Number(int64(len(all))), Columns: []ui.Column{
		{Title: v.t("account.session")}, {Title: v.t("account.session.address")}, {Title: v.t("account.session.began")}, {Title: v.t("account.session.used")}, {Title: v.t("table.actions"), Acts: true},
	}}
	for _, s := range all {
		row := []ui.Cell{{Text: browserWords(v.words, s.UserAgent), Strong: true}, {Text: nonEmpty(s.IP, "–")}, {Time: s.CreatedAt}, {Ago: s.SeenAt}, {}}
		if !s.ByPassword {
			row[0].Sub = v.t("account.session.by_link")
		}
		if s.ID == v.actor.Session.ID {
			row[0].Tag = &ui.Tag{Text: v.t("account.session.this"), Kind: ui.Info}
		} else {
			row[4].Acts = []ui.Action{{Title: v.t("account.session.end"), Post: true, Href: "/account/sessions/end", Fields: []ui.Param{{Name: "session", Value: s.ID}}}}
		}
		p.Sessions.Rows = append(p.Sessions.Rows, ui.Row{Cells: row})
	}
	if len(all) > 1 {
		p.EndOthers = &ui.Action{Title: v.t("account.sessions.end_others"), Post: true, Href: "/account/sessions/end-others", Danger: true, Confirm: v.t("account.sessions.end_others.title"), ConfirmText: v.t("account.sessions.end_others.text")}
	}
	return nil
}

// browserWords tells from a User-Agent which browser on what somebody used, in the words that people use.
func browserWords(p *phrase.Phrases, agent string) string {
	browser := firstIn(agent, []named{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Safari", "Safari"}, {"curl", "curl"}})
	system := firstIn(agent, []named{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"}, {"Mac OS", "Mac"}, {"Linux", "Linux"}})
	switch {
	case browser == "" && system == "":
		return p.T("account.session.unknown")
	case browser == "":
		return system
	case system == "":
		return browser
	default:
		return p.T("account.session.on", "Browser", browser, "System", system)
	}
}

// named is a mark in a User-Agent and what it stands for.
type named struct{ mark, name string }

func firstIn(text string, marks []named) string {
	for _, m := range marks {
		if strings.Contains(text, m.mark) {
			return m.name
		}
	}
	return ""
}

func ownAccount(v *visit) error {
	p, err := v.accountPage()
	if err != nil {
		return err
	}
	return v.render("account", p)
}

// accountDone says what was done, or shows the page again with what was wrong.
func (v *visit) accountDone(said string, wrong error) error {
	if wrong == nil {
		return v.to("/account", v.good(said))
	}
	p, err := v.accountPage()
	if err != nil {
		return err
	}
	return v.again("account", p, wrong)
}

func renameMyself(v *visit) error {
	_, err := v.Accounts.Rename(v.ctx(), v.org().ID, v.actor.Member.ID, v.form("name"))
	return v.accountDone("person.saved", err)
}

func changePassword(v *visit) error {
	err := v.Accounts.ChangePassword(v.ctx(), v.actor, v.typed("old_password"), v.typed("password"))
	return v.accountDone("account.password.changed", err)
}

func endSession(v *visit) error {
	return v.accountDone("account.session.ended", v.Accounts.EndSession(v.ctx(), v.actor, v.form("session")))
}

func endOtherSessions(v *visit) error {
	return v.accountDone("account.sessions.ended", v.Accounts.EndOtherSessions(v.ctx(), v.actor))
}
