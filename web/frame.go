package web

import (
	"net/http"
	"strconv"
	"strings"

	"parley/account"
	"parley/platform/fault"
	"parley/web/phrase"
	"parley/web/ui"
)

// frameRoutes are what the frame around every page needs.
func (s *site) frameRoutes() []route {
	return []route{
		{"POST /language", Public, chooseLanguage},
		{"GET /logo/{org}", SignedIn, logo},
		{"POST /organisation", SignedIn, switchOrganisation},
		{"POST /demo/remove", account.ManageOrg, removeDemo},
	}
}

// place is a page of the navigation.
type place struct {
	key, short string // of phrases; short may be ""
	path, icon string
	letter     string
	needs      account.Permission
	dock       bool
}

// places are the navigation: the daily pages, then those of the organisation.
func places() (daily, organisation []place) {
	daily = []place{
		{"nav.today", "", "/", "today", "t", account.ReadReports, true},
		{"nav.missed", "outcome.missed", "/missed", "call-missed", "m", account.ReadReports, true},
		{"nav.calls", "", "/calls", "call", "c", account.ReadCalls, true},
		{"nav.reports", "", "/reports", "reports", "r", account.ReadReports, true},
		{"nav.leaderboard", "", "/leaderboard", "leaderboard", "l", account.ReadReports, false},
	}
	organisation = []place{
		{"nav.people", "", "/people", "agents", "p", account.ReadPeople, false},
		{"nav.devices", "", "/devices", "device", "d", account.ReadDevices, false},
		{"nav.imports", "", "/imports", "import", "i", account.ImportCalls, false},
		{"nav.settings", "", "/settings", "settings", "s", account.ManageSettings, false},
	}
	return daily, organisation
}

// signedIn fills what only members see around a page.
func (v *visit) signedIn(f *ui.Frame) {
	org, me := v.actor.Org, v.actor.Member
	f.Demo = org.Demo && v.actor.Can(account.ManageOrg)
	f.Me = &ui.Me{Name: me.Name, Role: v.t("role." + string(me.Role)), Href: "/account"}
	f.Org = &ui.Org{Name: org.Name, Others: v.otherOrgs()}
	if _, _, err := v.Accounts.Logo(v.ctx(), org.ID); err == nil {
		f.Org.Logo = "/logo/" + strconv.FormatInt(int64(org.ID), 10)
	}
	daily, organisation := places()
	f.Nav = append(f.Nav, ui.NavGroup{Items: v.navItems(daily)})
	if items := v.navItems(organisation); len(items) > 0 {
		f.Nav = append(f.Nav, ui.NavGroup{Title: org.Name, Items: items})
	}
}

func (v *visit) navItems(in []place) []ui.NavItem {
	var out []ui.NavItem
	for _, p := range in {
		if !v.actor.Can(p.needs) {
			continue
		}
		item := ui.NavItem{Title: v.t(p.key), Href: p.path, Icon: p.icon, Key: p.letter, Dock: p.dock, Current: within(v.r.URL.Path, p.path)}
		if p.short != "" {
			item.Short = v.t(p.short)
		}
		out = append(out, item)
	}
	return out
}

// within tells whether a path lies under a page of the navigation.
func within(path, page string) bool {
	return path == page || page != "/" && strings.HasPrefix(path, page+"/")
}

// otherOrgs are the organisations one can switch to, the current one among them; nil where there is just one.
func (v *visit) otherOrgs() []ui.Link {
	all, err := v.Accounts.Memberships(v.ctx(), v.actor)
	if err != nil || len(all) < 2 {
		return nil
	}
	out := make([]ui.Link, len(all))
	for i, m := range all {
		out[i] = ui.Link{Title: m.OrgName, Href: strconv.FormatInt(int64(m.Org), 10), Current: m.Org == v.actor.Org.ID}
	}
	return out
}

func chooseLanguage(v *visit) error {
	for _, l := range phrase.Languages() {
		if l.Code == v.form("locale") {
			v.cookie(localeCookie, l.Code, 365*24*3600)
		}
	}
	return v.to(v.back("/"))
}

func logo(v *visit) error {
	if v.r.PathValue("org") != strconv.FormatInt(int64(v.org().ID), 10) {
		return fault.New(fault.NotFound, "There is no such picture.")
	}
	image, kind, err := v.Accounts.Logo(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "private, max-age=300")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	v.w.WriteHeader(http.StatusOK)
	_, err = v.w.Write(image)
	if err != nil {
		v.Log.Debug("picture not delivered", "err", err)
	}
	return nil
}

func switchOrganisation(v *visit) error {
	org, err := strconv.ParseInt(v.form("org"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "There is no such organisation.")
	}
	secret, err := v.Accounts.SwitchOrg(v.ctx(), v.actor, account.OrgID(org))
	if err != nil {
		return err
	}
	v.startSession(secret)
	return v.to("/")
}

// sessionAge is how long browsers keep the session's cookie, in seconds; the server ends sessions by its own rules.
const sessionAge = 90 * 24 * 3600

func (v *visit) startSession(secret string) { v.cookie(sessionCookie, secret, sessionAge) }

func removeDemo(v *visit) error {
	if !v.org().Demo {
		return fault.New(fault.Conflict, "This organisation is no demo, so nothing was removed.")
	}
	if err := v.RemoveOrg(v.ctx(), v.org().ID); err != nil {
		return err
	}
	v.cookie(sessionCookie, "", -1)
	return v.to("/sign-in", v.good("demo.removed"))
}
