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
	also       string // another page that belongs to it; may be ""
	letter     string
	needs      account.Permission
	dock       bool
	unless     account.Permission // whoever may do this has another way there
	agents     bool               // for those whose calls are kept
	count      func(c *counts) int64
}

// places are the navigation: the daily pages, then those of the organisation.
func places() (daily, organisation []place) {
	daily = []place{
		{key: "nav.today", path: "/", icon: "today", letter: "t", needs: account.ReadReports, dock: true},
		{key: "nav.missed", short: "outcome.missed", path: "/missed", icon: "call-missed", letter: "m", needs: account.ReadReports, dock: true, count: func(c *counts) int64 { return c.missed }},
		{key: "nav.day", path: "/day", icon: "calendar", letter: "n", needs: account.ReadLeads},
		{key: "nav.leads", path: "/leads", icon: "target", letter: "k", needs: account.ReadLeads},
		{key: "nav.contacts", path: "/contacts", icon: "people", letter: "o", needs: account.ReadLeads},
		{key: "nav.calls", path: "/calls", icon: "call", letter: "c", needs: account.ReadCalls, dock: true},
		{key: "nav.reports", path: "/reports", icon: "reports", letter: "r", needs: account.ReadReports, dock: true},
		{key: "nav.leaderboard", path: "/leaderboard", icon: "leaderboard", letter: "l", needs: account.ReadReports},
		{key: "nav.me", path: "/me", icon: "user", letter: "y", needs: account.ReadOwn, agents: true},
	}
	organisation = []place{
		{key: "nav.people", path: "/people", icon: "agents", letter: "p", needs: account.ReadPeople},
		{key: "nav.devices", path: "/devices", icon: "device", letter: "d", needs: account.ReadDevices, count: func(c *counts) int64 { return int64(c.devices.Silent) }},
		{key: "nav.imports", path: "/imports", icon: "import", letter: "i", needs: account.ImportCalls},
		{key: "nav.trust", path: "/trust", also: "/audit", icon: "shield", letter: "v", needs: account.ReadPrivacy},
		{key: "nav.settings", path: "/settings", icon: "settings", letter: "s", needs: account.ManageSettings},
		{key: "settings.exclusions", path: "/settings/exclusions", icon: "block", letter: "s", needs: account.ManageExclusions, unless: account.ManageSettings},
		{key: "close.title", path: "/settings/close", icon: "settings", letter: "s", needs: account.CloseOrg, unless: account.ManageSettings},
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
	if f.Notice = v.closingNotice(); f.Notice == nil {
		f.Notice = v.policyNotice()
	}
	daily, organisation := places()
	f.Nav = append(f.Nav, ui.NavGroup{Items: v.navItems(daily)})
	if items := v.navItems(organisation); len(items) > 0 {
		f.Nav = append(f.Nav, ui.NavGroup{Title: org.Name, Items: items})
	}
}

func (v *visit) navItems(in []place) []ui.NavItem {
	var out []ui.NavItem
	beside, err := v.counts()
	if err != nil {
		v.Log.Error("figures beside the navigation not counted", "err", err)
	}
	for _, p := range in {
		if !v.actor.Can(p.needs) || v.actor.Can(p.unless) || p.agents && v.actor.Member.Agent == 0 {
			continue
		}
		item := ui.NavItem{Title: v.t(p.key), Href: p.path, Icon: p.icon, Key: p.letter, Dock: p.dock, Current: within(v.r.URL.Path, p.path) || p.also != "" && within(v.r.URL.Path, p.also)}
		if p.short != "" {
			item.Short = v.t(p.short)
		}
		if p.count != nil {
			item.Count, item.Hot = p.count(&beside), true
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

// startSession lets the browser in, and notes for the audit log who that is.
func (v *visit) startSession(secret string) {
	v.cookie(sessionCookie, secret, sessionAge)
	actor, err := v.Accounts.Session(v.ctx(), secret)
	if err != nil {
		v.Log.Error("who signed in is not known", "err", err)
		return
	}
	v.trail.entered = actor
}

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
