package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/account"
	"parley/platform/db/dbtest"
	"parley/web"
)

// sentWhileClosing are the forms that owners can send while their organisation is being closed: looking where a form keeps
// a number out of addresses, answering what people ask, and taking the closing back. Closing twice is refused behind its page.
func sentWhileClosing() []string {
	return []string{
		"POST /audit/verify", "POST /settings/close", "POST /settings/close/undo", "POST /trust/consent",
		"POST /trust/requests/new", "POST /trust/requests/{request}/answer", "POST /trust/requests/{request}/approve", "POST /trust/requests/{request}/extend",
		"POST /trust/requests/{request}/hear", "POST /trust/requests/{request}/lift", "POST /trust/requests/{request}/note", "POST /trust/requests/{request}/plan",
		"POST /trust/requests/{request}/propose", "POST /trust/requests/{request}/refuse", "POST /trust/requests/{request}/review", "POST /trust/requests/{request}/run",
		"POST /trust/requests/{request}/speak",
	}
}

func TestWhileAnOrganisationClosesOwnersLookTakeCopiesAndAnswer(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	admin := w.as(w.member(account.Admin, "Anil"))
	owner := w.owner()
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	owner.client.CheckRedirect = stay
	if _, err := w.Accounts.CloseOrg(t.Context(), w.Accounts.Operator(w.Org), account.UsualUndo); err != nil {
		t.Fatal(err)
	}
	blank := regexp.MustCompile(`\{[^}]*\}`)
	var sent []string
	for _, r := range web.Routes() {
		method, pattern, _ := strings.Cut(r.Pattern, " ")
		if r.Needs == web.Public || r.Needs == web.SignedIn {
			continue
		}
		path := blank.ReplaceAllString(strings.ReplaceAll(pattern, "{$}", ""), "none")
		may := slices.Contains(account.WhileClosing(), r.Needs)
		got := owner.get
		if method != http.MethodGet {
			got = func(path string) answer { return owner.post(path, url.Values{}) }
			if may {
				sent = append(sent, r.Pattern)
				continue // what they do is tried below, and not on an organisation that they would open again
			}
		}
		if a := got(path); (a.status == http.StatusForbidden) == may {
			t.Errorf("%s gave the owner of a closing organisation %d", r.Pattern, a.status)
		}
	}
	slices.Sort(sent)
	if want := sentWhileClosing(); !slices.Equal(sent, want) {
		t.Errorf("while an organisation is being closed, these forms can be sent:\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(want, "\n"))
	}

	owner.get("/trust/policy").want(t, "the policy while closing", 200, "being closed", "/settings/close")
	for page, form := range map[string]string{"/trust/policy": "/trust/policy/edit", "/trust/holds": "/trust/holds/new", "/trust/incidents": "/trust/incidents/new", "/trust/legal": "/trust/legal/new"} {
		if got := owner.get(page).want(t, page, 200, ""); strings.Contains(got.main(), form) {
			t.Errorf("%s offers %s, which is refused", page, form)
		}
	}
	owner.post("/trust/policy/edit", url.Values{"text": {"version: 2"}}).want(t, "editing the policy", 403, "being closed")
	owner.post("/trust/requests/new", url.Values{"kind": {"access"}, "channel": {"phone"}, "contact": {"asked@example.org"}}).want(t, "entering a request", 303, "")
	admin.get("/people").want(t, "an admin while closing", 403, "being closed")
	owner.post("/settings/close/undo", nil).want(t, "taking it back", 303, "")
	org, err := w.Accounts.Org(t.Context(), w.Org.ID)
	if err != nil || org.Closing() {
		t.Errorf("the closing was not taken back: %v, %v", org, err)
	}
	if got := owner.get("/trust/policy").want(t, "the policy afterwards", 200, "/trust/policy/edit"); got.has("being closed") {
		t.Error("the organisation is open, and its pages say that it is being closed")
	}
}
