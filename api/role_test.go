package api

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/account"
)

func update() bool { return flag.Lookup("update").Value.String() == "true" }

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	flag.Parse()
	os.Exit(m.Run())
}

// golden compares text with a file, or writes the file anew.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if update() {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s is not what the program says now; see what changed with go test ./api -update and git diff", path)
	}
}

// concrete fills a path's parameters with ids of nothing.
func concrete(path string) string {
	return regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "none_1")
}

// TestEveryRoleOnEveryOperation asks the real handler for each operation in each role, with tokens that have every scope.
// What is allowed may fail for other reasons: there is nothing behind the ids, and bodies are empty.
func TestEveryRoleOnEveryOperation(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tokens := map[account.Role]string{}
		for _, role := range account.Roles() {
			_, tokens[role] = h.member(t, "A "+role.Title(), role)
		}
		dev := h.pairedPhone(t, h.Agent(t, "Ravi"))
		var table strings.Builder
		table.WriteString("operation\tneeds")
		for _, role := range account.Roles() {
			table.WriteString("\t" + string(role))
		}
		table.WriteString("\tdevice\tnobody\n")
		for _, route := range Routes() {
			path := concrete(route.Path)
			table.WriteString(route.Method + " " + route.Path + "\t" + route.Needs)
			for _, role := range account.Roles() {
				got := h.do(t, tokens[role], route.Method, path, nil).StatusCode
				word := access(got)
				table.WriteString("\t" + word)
				if may := role.Can(account.Permission(route.Needs)) || route.Needs == NeedsNothing; may != (word == "yes") {
					t.Errorf("%s %s for a %s: %d", route.Method, route.Path, role, got)
				}
			}
			table.WriteString("\t" + access(h.do(t, dev, route.Method, path, nil).StatusCode))
			nobody := access(h.do(t, "", route.Method, path, nil).StatusCode)
			if (nobody == "yes") != (route.Needs == NeedsNothing) {
				t.Errorf("%s %s without a token: %s", route.Method, route.Path, nobody)
			}
			table.WriteString("\t" + nobody + "\n")
		}
		golden(t, "testdata/roles.tsv", table.String())
	})
}

func access(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "who"
	case http.StatusForbidden:
		return "no"
	default:
		return "yes"
	}
}

func TestATokenDoesNoMoreThanItsScopes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner, err := h.Accounts.Owner(t.Context(), h.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		narrow := h.token(t, h.Org, owner.ID, account.ReadOwn)
		h.do(t, narrow, http.MethodGet, root+"/organisation", nil).read(t, http.StatusOK, nil)
		p := h.do(t, narrow, http.MethodGet, root+"/teams", nil).problem(t, http.StatusForbidden)
		if !strings.Contains(p.Detail, `"read_people"`) {
			t.Errorf("the refusal does not name the scope: %s", p.Detail)
		}
		p = h.do(t, narrow, http.MethodGet, root+"/device/config", nil).problem(t, http.StatusUnauthorized)
		if !strings.Contains(p.Detail, "no device's token") {
			t.Errorf("a person's token at the device API: %s", p.Detail)
		}
	})
}

func TestAnotherOrganisationsIdsAreNotThere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ravi := h.Agent(t, "Ravi")
		var line Line
		h.send(t, http.MethodPost, "/lines", NewLine{Agent: ravi.ID, Number: "9812300001"}, http.StatusCreated, &line)
		var team Team
		h.send(t, http.MethodPost, "/teams", TeamName{"Sales"}, http.StatusCreated, &team)
		dev := h.pairedPhone(t, ravi)
		answers := h.syncOne(t, dev, SyncCall{Number: "9812345678", Type: "incoming", Start: "2026-04-15T10:00:00+05:30", Seconds: 30})
		other := h.NewOrg(t, "Bharat Traders")
		them, err := h.Accounts.Owner(t.Context(), other.ID)
		if err != nil {
			t.Fatal(err)
		}
		foreign := h.token(t, other, them.ID, account.Permissions()...)
		for _, x := range []struct{ method, path, body string }{
			{http.MethodGet, "/members/" + string(ravi.ID), ""}, {http.MethodPatch, "/members/" + string(ravi.ID), `{"name":"X"}`},
			{http.MethodPost, "/members/" + string(ravi.ID) + "/deactivate", ""}, {http.MethodGet, "/lines/" + string(line.ID), ""},
			{http.MethodPost, "/lines/" + string(line.ID) + "/archive", ""}, {http.MethodDelete, "/teams/" + string(team.ID), ""},
			{http.MethodGet, "/calls/" + answers.ID, ""}, {http.MethodDelete, "/calls/" + answers.ID, ""}, {http.MethodPatch, "/calls/" + answers.ID, `{"note":"x"}`},
			{http.MethodPost, "/pairing-codes", `{"agent":"` + string(ravi.ID) + `"}`},
		} {
			var sent any
			if x.body != "" {
				sent = x.body
			}
			h.do(t, foreign, x.method, root+x.path, sent).problem(t, http.StatusNotFound)
		}
		var got Page[Call]
		h.do(t, foreign, http.MethodPost, root+"/calls/get", CallIDs{[]string{answers.ID}}).read(t, http.StatusOK, &got)
		if len(got.Items) != 0 {
			t.Error("a foreign call was given out")
		}
		h.get(t, "/calls/"+answers.ID, nil)
	})
}
