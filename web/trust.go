package web

import (
	"parley/account"
	"parley/web/ui"
)

// trustRoutes lead to the pages about privacy.
func (s *site) trustRoutes() []route {
	return []route{{"GET /trust", account.ReadPrivacy, trustStart}}
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
		{"policy.tab", "/trust/policy", account.ReadPrivacy},
		{"proof.tab", proofHome, account.ReadPrivacy},
		{"consent.tab", "/trust/consent", account.ReadPrivacy},
		{"request.tab", requestsHome, account.AnswerRequests},
		{"hold.tab", "/trust/holds", account.ReadPrivacy},
		{"attest.tab", attestHome, account.ReadPrivacy},
		{"retention.tab", retentionHome, account.ReadPrivacy},
		{"incident.tab", incidentsHome, account.ReadPrivacy},
		{"legal.tab", legalHome, account.ReadPrivacy},
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

// keeps tells whether the visitor may change what stands on the pages about privacy, and not only look: forms are for them.
func (v *visit) keeps() bool { return v.actor.Can(account.ManagePrivacy) }

// forKeepers gives an action to whoever may change what stands on the page.
func (v *visit) forKeepers(a ui.Action) *ui.Action {
	if !v.keeps() {
		return nil
	}
	return &a
}
