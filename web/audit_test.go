package web_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/web"
)

// entries are those of the World's organisation since a position, the oldest first.
func (w *world) entries(since int64) []audit.Record {
	w.t.Helper()
	all, _, err := w.Log.List(w.t.Context(), int64(w.Org.ID), audit.Filter{Limit: 500})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(r audit.Record) bool { return r.N < since })
}

// size is where the next entry will stand.
func (w *world) size() int64 {
	w.t.Helper()
	n, err := w.Log.Size(w.t.Context(), int64(w.Org.ID))
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// TestEveryRouteIsLoggedOrKnownToShowNobody reads the whole table of routes: what needs a permission leaves an entry, but
// for the pages that are named here.
func TestEveryRouteIsLoggedOrKnownToShowNobody(t *testing.T) {
	nobody := []string{
		"GET /definitions", "GET /reports", "GET /developer", "GET /devices/pair", "GET /devices/settings", "GET /people/invite", "GET /people/add",
		"GET /people/{member}/lines/add", "GET /settings", "GET /settings/close", "GET /settings/tokens", "GET /settings/tokens/new", "GET /me", "GET /me/seen",
		"GET /followups", "POST /day/seen", "GET /leads/new", "GET /contacts/new", "POST /leads/views", "POST /leads/views/{view}/delete", "GET /imports/{import}/progress", "GET /files/{file}", "GET /audit/checkpoint", "GET /trust", "GET /settings/backups",
		"GET /trust/policy", "GET /trust/policy/edit", "GET /trust/policy/preview", "GET /trust/policy/text/{text}", "GET /trust/policy/file/{file}", "POST /trust/policy/publish",
		"POST /policy/accept", "GET /trust/attestations/materials", "GET /trust/attestations/materials.json", "GET /trust/proof", "GET /trust/proof/progress", "GET /trust/proof/report.json", "POST /trust/proof/run", "POST /trust/proof/publish",
	}
	patterns := map[string]bool{}
	for _, r := range web.Routes() {
		patterns[r.Pattern] = true
		open := r.Needs == web.Public || r.Needs == web.SignedIn && strings.HasPrefix(r.Pattern, "GET ")
		if !open && (r.Logs == "") != slices.Contains(nobody, r.Pattern) {
			t.Errorf("%s (%s) writes %q to the audit log", r.Pattern, r.Needs, r.Logs)
		}
		if r.Logs != "" && !slices.Contains(audit.Actions(), r.Logs) {
			t.Errorf("%s logs %q, which has no words", r.Pattern, r.Logs)
		}
	}
	for _, p := range nobody {
		if !patterns[p] {
			t.Errorf("there is no route %s", p)
		}
	}
}

// TestWhoeverIsRefusedStandsInTheLog asks every route as somebody who may not use it: the one wrapper around all routes
// logs it, whatever the page is.
func TestWhoeverIsRefusedStandsInTheLog(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	people := map[account.Role]*browser{}
	who := map[account.Role]*account.Member{}
	for _, role := range []account.Role{account.Agent, account.Viewer, account.Manager, account.Admin, account.PrivacyOfficer} {
		who[role] = w.member(role, "Some "+string(role))
		people[role] = w.as(who[role])
		people[role].client.CheckRedirect = stay
	}
	blank := regexp.MustCompile(`\{[^}]*\}`)
	tried := 0
	for _, r := range web.Routes() {
		for role, b := range people {
			if r.Logs == "" || r.Needs == web.Public || r.Needs == web.SignedIn || role.Can(r.Needs) {
				continue
			}
			tried++
			w.Clock.Advance(audit.Once)
			since := w.size()
			method, pattern, _ := strings.Cut(r.Pattern, " ")
			path := blank.ReplaceAllString(strings.ReplaceAll(pattern, "{$}", ""), "none")
			if method == http.MethodGet {
				b.get(path)
			} else {
				b.post(path, url.Values{})
			}
			got := w.entries(since)
			if len(got) != 1 || got[0].Actor != string(who[role].ID) || got[0].Action != r.Logs || got[0].Result != audit.Denied {
				t.Errorf("%s, refused to a %s, left %+v", r.Pattern, role, got)
			}
			break
		}
	}
	if tried < 40 {
		t.Errorf("only %d routes were tried", tried)
	}
}

func TestLooksExportsAndChangesAreLogged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		asha := w.member(account.Agent, "Asha Rao")
		w.call(asha)
		owner := w.owner()
		boss, err := w.Accounts.Owner(t.Context(), w.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		page := owner.get("/calls?preset=last_30_days")
		callPath := regexp.MustCompile(`/calls/[A-Za-z0-9_-]{10,}`).FindString(page.text)
		number := regexp.MustCompile(`/numbers/[A-Za-z0-9_-]{8,}`).FindString(page.text)
		if callPath == "" || number == "" {
			t.Fatalf("there is no call on the page: %s", page.main())
		}
		me, them := "member/"+string(asha.ID), "number/1"
		type want struct {
			action audit.Action
			about  string
		}
		for _, x := range []struct {
			do    string
			form  url.Values
			wants []want
		}{
			{"GET /calls?agent=" + string(asha.ID), nil, []want{{audit.CallsListed, me}}},
			{"GET " + callPath, nil, []want{{audit.CallOpened, them}, {audit.CallOpened, me}}},
			{"GET " + number, nil, []want{{audit.NumberOpened, them}}},
			{"GET /people/" + string(asha.ID), nil, []want{{audit.PersonOpened, me}}},
			{"GET /agents/" + string(asha.ID), nil, []want{{audit.PersonOpened, me}}},
			{"GET /people", nil, []want{{audit.PeopleListed, ""}}},
			{"GET /reports/clients", nil, []want{{audit.ReportOpened, ""}}},
			{"GET /reports/hours", nil, nil},
			{"GET /reports/hours?agent=" + string(asha.ID), nil, []want{{audit.ReportOpened, me}}},
			{"GET /reports/calls.csv?agent=" + string(asha.ID), nil, []want{{audit.ExportMade, me}}},
			{"GET /reports/calls.csv?agent=" + string(asha.ID), nil, []want{{audit.ExportMade, me}}},
			{"GET /definitions", nil, nil},
			{"GET /calls/nothing", nil, nil},
			{"GET /people", nil, nil}, // again within five minutes
			{"POST " + callPath + "/note", url.Values{"note": {"ring again"}}, []want{{audit.CallChanged, them}, {audit.CallChanged, me}}},
			{"POST /people/" + string(asha.ID), url.Values{"name": {"Asha R"}, "role": {"agent"}, "email": {asha.Email}}, []want{{audit.MemberChanged, me}}},
			{"POST /settings/tokens/new", url.Values{"name": {""}}, nil}, // refused: it has no name
			{"POST /settings/tokens/new", url.Values{"name": {"Till"}, "scopes": {"read_calls"}, "expires": {"30"}}, []want{{audit.TokenChanged, ""}}},
			{"POST /teams", url.Values{"name": {"Sales"}}, []want{{audit.TeamChanged, ""}}},
		} {
			since := w.size()
			method, path, _ := strings.Cut(x.do, " ")
			if method == http.MethodGet {
				owner.get(path)
			} else {
				owner.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				owner.post(path, x.form)
				owner.client.CheckRedirect = nil
			}
			var got []want
			for _, e := range w.entries(since) {
				got = append(got, want{e.Action, e.About})
				if e.Actor != string(boss.ID) || e.Result != audit.OK || e.Purpose == "" {
					t.Errorf("%s left %+v", x.do, e)
				}
			}
			if strings.HasPrefix(x.do, "POST /people") && w.entries(since)[0].Details["role"] != "agent" {
				t.Errorf("the role that was given is not kept: %+v", w.entries(since))
			}
			if !slices.Equal(got, x.wants) {
				t.Errorf("%s left %v, want %v", x.do, got, x.wants)
			}
		}
		if v, err := w.Log.Verify(t.Context(), int64(w.Org.ID)); err != nil || !v.OK() {
			t.Errorf("%+v, %v", v, err)
		}
	}, schemas()...)
}

func TestOnesOwnPageIsNoLook(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	asha := w.member(account.Agent, "Asha Rao")
	w.call(asha)
	b := w.as(asha)
	since := w.size()
	for _, path := range []string{"/me", "/me/seen", "/account", "/agents/" + string(asha.ID)} {
		b.get(path).want(t, "one's own page", 200)
	}
	if got := w.entries(since); len(got) != 0 {
		t.Errorf("one's own pages left %+v", got)
	}
	b.get("/calls").want(t, "one's own calls", 200)
	if got := w.entries(since); len(got) != 1 || got[0].Action != audit.CallsListed {
		t.Errorf("a list with numbers of others left %+v", got)
	}
}

func TestSigningInAndOutIsLogged(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	m := w.member(account.Viewer, "Vera Mor")
	since := w.size()
	b := w.stranger()
	b.post("/sign-in", url.Values{"email": {m.Email}, "password": {"wrong wrong wrong"}})
	if got := w.entries(since); len(got) != 0 {
		t.Errorf("a wrong password left %+v", got)
	}
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.post("/sign-in", url.Values{"email": {m.Email}, "password": {"neun lila elefanten"}})
	b.post("/sign-out", nil)
	got := w.entries(since)
	if len(got) != 2 || got[0].Action != audit.SignedIn || got[1].Action != audit.SignedOut || got[0].Actor != string(m.ID) || got[1].Actor != string(m.ID) {
		t.Errorf("signing in and out left %+v", got)
	}
}

func TestWhatCannotBeLoggedIsNotShown(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	asha := w.member(account.Agent, "Asha Rao")
	w.call(asha)
	owner := w.owner()
	if _, err := w.DB.Exec(t.Context(), `ALTER TABLE audit_entries RENAME TO away`); err != nil {
		t.Fatal(err)
	}
	got := owner.get("/people/" + string(asha.ID))
	if got.status != http.StatusServiceUnavailable || got.has("Asha") {
		t.Errorf("%d: %s", got.status, got.text)
	}
	owner.get("/definitions").want(t, "a page that shows nobody", 200)
}

func TestTheAuditPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		asha := w.member(account.Agent, "Asha Rao")
		w.call(asha)
		officer := w.member(account.PrivacyOfficer, "Olga Prad")
		owner, b := w.owner(), w.as(officer)
		owner.get("/people/" + string(asha.ID))
		for range 3 { // so that there are several pages of it
			for range 20 {
				if err := w.Log.Record(t.Context(), int64(w.Org.ID), audit.Entry{Actor: audit.System, Action: "backup.made"}); err != nil {
					t.Fatal(err)
				}
			}
			w.Clock.Advance(time.Hour)
		}
		b.get("/audit").want(t, "the log", 200, "Made a backup", "Parley itself", "before=")
		b.get("/audit?about="+string(asha.ID)).want(t, "about Asha", 200, "Opened a person’s page", "Owner", "Asha Rao")
		b.get("/audit?who=system&action=looks").want(t, "what does not exist", 200, "Nothing was logged")
		b.get("/audit?number=nonsense&from=then").want(t, "nonsense", 422, "then", "nonsense")
		b.get("/audit?before=x").want(t, "no page", 404)
		b.post("/audit/verify", nil).want(t, "verifying", 200, "The log is whole.", "Last checkpoint", "Nobody yet")
		file := b.get("/audit/log.jsonl")
		v, err := audit.Verify(strings.NewReader(file.text), audit.Known{})
		if err != nil || !v.OK() || v.Entries < 60 {
			t.Errorf("the download: %+v, %v", v, err)
		}
		if c := b.get("/audit/checkpoint"); !strings.HasPrefix(c.text, "parley/log_") {
			t.Errorf("the checkpoint is %q", c.text)
		}
		w.as(asha).get("/audit").want(t, "an agent", 403)
		if _, err := w.DB.Exec(t.Context(), `UPDATE audit_entries SET action = 'nothing' WHERE org_id = $1 AND n = 1`, w.Org.ID); err != nil {
			t.Fatal(err)
		}
		b.post("/audit/verify", nil).want(t, "a log that was changed", 200, "The log was tampered with.", "Entry 1 ")
	}, schemas()...)
}

func TestMembersSeeWhoLookedAtTheirData(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		asha := w.member(account.Agent, "Asha Rao")
		w.call(asha)
		w.member(account.Viewer, "Ravi Iyer")
		b := w.as(asha)
		b.get("/me").want(t, "before anybody looked", 200, "Nobody looked yet")
		mira := w.as(w.member(account.Admin, "Mira Sen"))
		mira.get("/people/" + string(asha.ID))
		callPath := regexp.MustCompile(`/calls/[A-Za-z0-9_-]{10,}`).FindString(mira.get("/calls?preset=last_30_days").text)
		mira.get(callPath)
		for range 7 {
			w.Clock.Advance(audit.Once)
			mira.get("/agents/" + string(asha.ID))
		}
		b.get("/me").want(t, "one's own page", 200, "Who looked at your data", "Mira Sen", "Opened a person’s page")
		all := b.get("/me/seen").want(t, "all of it", 200, "Opened a call", "Mira Sen", "Work with calls")
		if n := strings.Count(all.main(), "Mira Sen"); n < 9 {
			t.Errorf("%d looks are listed", n)
		}
		if got := b.get("/me/seen"); strings.Contains(got.main(), "Asha Rao") {
			t.Errorf("one's own deeds are listed: %s", got.main())
		}
		w.as(w.member(account.Viewer, "Tara Das")).get("/me/seen").want(t, "somebody whom nobody looked at", 200, "Nobody looked yet")
	}, schemas()...)
}

// TestEveryActionHasWords looks for the titles of all actions in every language.
func TestEveryActionHasWords(t *testing.T) {
	for _, lang := range []string{"en", "hi"} {
		text, err := os.ReadFile(filepath.Join("phrase", "catalogue", lang+".json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range audit.Actions() {
			if !strings.Contains(string(text), `"audit.action.`+string(a)+`"`) {
				t.Errorf("%s has no words for %s", lang, a)
			}
		}
	}
}

// call keeps a call of an agent with the first number of the book.
func (w *world) call(m *account.Member) {
	w.t.Helper()
	w.Put(w.t, ingest.Item{Agent: m.Agent, Line: 1, Start: w.Now().Add(-time.Hour), Number: "+919876543210", Direction: call.Incoming, Type: call.TypeIncoming, Seconds: 60, Source: call.SourcePhone})
}
