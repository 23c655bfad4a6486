package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/account"
	"parley/platform/db/dbtest"
	"parley/web"
)

// TestEveryRouteLetsInWhomTheTableSays asks each address as each role, with ids that name nothing: who may not is refused
// before anything is looked up, who may gets past that.
func TestEveryRouteLetsInWhomTheTableSays(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	people := map[account.Role]*browser{account.Owner: w.owner()}
	for _, role := range account.Roles() {
		if people[role] == nil {
			people[role] = w.as(w.member(role, "Some "+string(role)))
		}
		people[role].client.CheckRedirect = stay
	}
	stranger := w.stranger()
	stranger.client.CheckRedirect = stay
	blank := regexp.MustCompile(`\{[^}]*\}`)
	for _, r := range web.Routes() {
		method, pattern, _ := strings.Cut(r.Pattern, " ")
		path := blank.ReplaceAllString(strings.ReplaceAll(pattern, "{$}", ""), "none")
		ask := func(b *browser) answer {
			if method == http.MethodGet {
				return b.get(path)
			}
			return b.post(path, url.Values{})
		}
		toSignIn := func(a answer) bool { return a.status == 303 && strings.HasPrefix(a.header.Get("Location"), "/sign-in") }
		if r.Needs == web.Public {
			if got := ask(stranger); toSignIn(got) && path != "/sign-out" && path != "/" {
				t.Errorf("%s is for everybody and sent a stranger to sign in", r.Pattern)
			}
			continue
		}
		if got := ask(stranger); !toSignIn(got) {
			t.Errorf("%s gave a stranger %d, want the sign-in", r.Pattern, got.status)
		}
		for _, role := range account.Roles() {
			may := r.Needs == web.SignedIn || role.Can(r.Needs)
			got := ask(people[role])
			if refused := got.status == 403; refused == may || got.status >= 500 {
				t.Errorf("%s gave the role %s %d, want it refused: %v", r.Pattern, role, got.status, !may)
			}
		}
	}
}

func TestNothingIsOpenWithoutAPermission(t *testing.T) {
	known := map[account.Permission]bool{web.Public: true, web.SignedIn: true}
	for _, p := range account.Permissions() {
		known[p] = true
	}
	seen := map[string]bool{}
	for _, r := range web.Routes() {
		if !known[r.Needs] {
			t.Errorf("%s needs %q, which is no permission", r.Pattern, r.Needs)
		}
		if seen[r.Pattern] {
			t.Errorf("%s stands in the table twice", r.Pattern)
		}
		seen[r.Pattern] = true
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	owner := w.owner()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, owner.base+"/settings", strings.NewReader("name=Theirs"))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://evil.example")
	}
	owner.do(r, err).want(t, "a form from another site", 403, "another site")
}
