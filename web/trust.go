package web

import (
	"parley/account"
	"parley/web/ui"
)

// trustRoutes lead to the pages about privacy.
func (s *site) trustRoutes() []route {
	return []route{{"GET /trust", account.ManagePrivacy, trustStart}}
}

// trustTabs are the pages about privacy. Each file of one adds its line here.
func trustTabs() []struct {
	key, path string
	needs     account.Permission
} {
	return []struct {
		key, path string
		needs     account.Permission
	}{
		{"policy.tab", "/trust/policy", account.ManagePrivacy},
		{"proof.tab", proofHome, account.ManagePrivacy},
		{"consent.tab", "/trust/consent", account.ManagePrivacy},
		{"request.tab", requestsHome, account.ManagePrivacy},
		{"hold.tab", "/trust/holds", account.ManagePrivacy},
		{"attest.tab", attestHome, account.ManagePrivacy},
		{"retention.tab", retentionHome, account.ManagePrivacy},
		{"incident.tab", incidentsHome, account.ManagePrivacy},
		{"legal.tab", legalHome, account.ManagePrivacy},
		{"audit.tab", "/audit", account.ReadAudit},
	}
}

// trustFrame is the frame of a page about privacy, with those tabs that the actor may open. title is written out already.
func (v *visit) trustFrame(title string) ui.Frame {
	f := v.frame(title)
	for _, t := range trustTabs() {
		if v.actor.Can(t.needs) {
			f.Tabs = append(f.Tabs, ui.Link{Title: v.t(t.key), Href: t.path, Current: within(v.r.URL.Path, t.path)})
		}
	}
	return f
}

// trustStart opens the first page that the actor may see.
func trustStart(v *visit) error {
	for _, t := range trustTabs() {
		if v.actor.Can(t.needs) {
			return v.to(t.path)
		}
	}
	return nothingHere(v)
}
