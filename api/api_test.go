package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/calltest"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/attest"
	"parley/trust/incident"
	"parley/trust/prove"
	"parley/trust/retain"
)

// house is an organisation with its API over the whole handler.
type house struct {
	*calltest.World
	api   *API
	log   *bytes.Buffer
	owner string // a token of the owner with every scope
}

func seriesOf() []dbtest.Schema {
	return append(append(calltest.Schemas(), outsideSchemas()...), dbtest.Schema{Series: "api", Files: Schema}, dbtest.Schema{Series: "retain", Files: retain.Schema}, dbtest.Schema{Series: "incident", Files: incident.Schema}, dbtest.Schema{Series: "prove", Files: prove.Schema}, dbtest.Schema{Series: "attest", Files: attest.Schema})
}

// each runs a story over the handler on every engine.
func each(t *testing.T, story func(t *testing.T, h *house)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		story(t, newHouse(t, d, Limits{Token: 1 << 20, Device: 1 << 20, Address: 1 << 20, Failures: 1 << 20}))
	}, seriesOf()...)
}

func newHouse(t *testing.T, d *db.DB, l Limits) *house {
	t.Helper()
	w := calltest.New(t, d)
	h := &house{World: w, log: &bytes.Buffer{}}
	var err error
	of := deps(t, w, l, h.log)
	of.Rights = h.desk(t)
	h.api, err = New(of)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.api.Close)
	owner, err := w.Accounts.Owner(t.Context(), w.Org.ID)
	if err != nil {
		t.Fatal(err)
	}
	h.owner = h.token(t, w.Org, owner.ID, account.Permissions()...)
	return h
}

func deps(t *testing.T, w *calltest.World, l Limits, log io.Writer) Deps {
	t.Helper()
	d := Deps{
		Audit: w.Log, Consents: w.Consents, Holds: w.Holds, Policies: w.Policies, Accounts: w.Accounts, Devices: w.Devices, Calls: w.Calls, Book: w.Book, Writer: w.Writer, Reporter: w.Reporter, Reports: w.Reports,
		Callbacks: w.Callbacks, Imports: w.Imports, Keys: w.Keys, DB: w.DB, Now: w.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
		Version: "test", Limits: l, TempDir: t.TempDir(),
	}
	sweeping(t, w, &d)
	proving(w, &d)
	attested(w, &d)
	outside(w, &d)
	return d
}

// token makes a token of a member.
func (h *house) token(t *testing.T, org *account.Org, m account.MemberID, scopes ...account.Permission) string {
	t.Helper()
	by, err := h.Accounts.As(t.Context(), org.ID, m)
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := h.Accounts.CreateToken(t.Context(), by, account.NewToken{Name: "test", Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// member makes a member with a role, and a token that has every scope, so that the role alone decides.
func (h *house) member(t *testing.T, name string, role account.Role, teams ...account.TeamID) (*account.Member, string) {
	t.Helper()
	m, err := h.Accounts.AddAgent(t.Context(), h.Org.ID, account.NewAgent{Name: name, Teams: teams})
	if err != nil {
		t.Fatal(err)
	}
	operator := h.Accounts.Operator(h.Org)
	if _, err = h.Accounts.SetRole(t.Context(), operator, m.ID, account.Owner); err != nil {
		t.Fatal(err)
	}
	secret := h.token(t, h.Org, m.ID, account.Permissions()...)
	if m, err = h.Accounts.SetRole(t.Context(), operator, m.ID, role); err != nil {
		t.Fatal(err)
	}
	return m, secret
}

// reply is an answer, read.
type reply struct {
	*http.Response
	text string
}

// do sends a request. body is text, or anything else to be sent as JSON; nil for none. head holds names and values by turns.
func (h *house) do(t *testing.T, token, method, path string, body any, head ...string) reply {
	t.Helper()
	var src io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		src = strings.NewReader(b)
	case []byte:
		src = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		src = bytes.NewReader(text)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, src)
	r.RemoteAddr = "192.0.2.7:4711"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	h.api.ServeHTTP(w, r)
	res := w.Result()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res, string(text)}
}

// get sends a GET as the owner and reads the answer into v.
func (h *house) get(t *testing.T, path string, v any) reply {
	t.Helper()
	return h.do(t, h.owner, http.MethodGet, root+path, nil).read(t, http.StatusOK, v)
}

// send sends a write as the owner and reads the answer into v.
func (h *house) send(t *testing.T, method, path string, body any, status int, v any) reply {
	t.Helper()
	return h.do(t, h.owner, method, root+path, body).read(t, status, v)
}

func (r reply) read(t *testing.T, status int, v any) reply {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("%d instead of %d: %s", r.StatusCode, status, r.text)
	}
	if v != nil {
		reflect.ValueOf(v).Elem().SetZero() // what an answer leaves out is not what the one before said
		if err := json.Unmarshal([]byte(r.text), v); err != nil {
			t.Fatalf("%v in %s", err, r.text)
		}
	}
	return r
}

// problem reads a problem and checks its form.
func (r reply) problem(t *testing.T, status int) Problem {
	t.Helper()
	var p Problem
	r.read(t, status, &p)
	if got := r.Header.Get("Content-Type"); got != problemType {
		t.Errorf("a problem came as %q", got)
	}
	if p.Status != status || p.Detail == "" || p.Title == "" || !strings.HasPrefix(p.Type, "/api/docs#problem-") {
		t.Errorf("the problem is not whole: %s", r.text)
	}
	if !strings.HasSuffix(p.Detail, ".") && !strings.HasSuffix(p.Detail, "…") {
		t.Errorf("not a sentence: %q", p.Detail)
	}
	return p
}

func TestTheOperatorOfAnOrganisationSeesWhoTheyAre(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var me Me
		r := h.get(t, "/me", &me)
		if me.Member.Name != "Owner" || me.Organisation.Name != "Asha Traders" || len(me.Permissions) != len(account.Permissions()) || me.Token == nil {
			t.Errorf("the owner is shown as %+v", me)
		}
		if !strings.Contains(r.text, `"created_at":"2026-04-15T12:00:00+05:30"`) {
			t.Errorf("times do not have the organisation's offset: %s", r.text)
		}
	})
}

func TestNobodyGetsInWithoutACredential(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for token, says := range map[string]string{
			"": "API token", "ply_nonsense": "not known", h.owner[:len(h.owner)-1]: "not known", "pld_1_abc": "",
		} {
			r := h.do(t, token, http.MethodGet, root+"/me", nil)
			p := r.problem(t, http.StatusUnauthorized)
			if !strings.Contains(p.Detail, says) || r.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("with %q: %s", token, p.Detail)
			}
		}
	})
}

func TestABrowsersSessionReadsAndDoesNotWrite(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner, err := h.Accounts.Owner(t.Context(), h.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		link, err := h.Accounts.OneTimeLink(t.Context(), h.Org.ID, owner.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		session, err := h.Accounts.UseOneTimeLink(t.Context(), link, account.SignInFrom{IP: "192.0.2.1", UserAgent: "Firefox"})
		if err != nil {
			t.Fatal(err)
		}
		cookie := sessionCookie + "=" + session
		var list Page[Session]
		h.do(t, "", http.MethodGet, root+"/sessions", nil, "Cookie", cookie).read(t, http.StatusOK, &list)
		if len(list.Items) != 1 || !list.Items[0].Current || list.Items[0].UserAgent != "Firefox" {
			t.Fatalf("sessions: %+v", list)
		}
		p := h.do(t, "", http.MethodPost, root+"/teams", TeamName{"Sales"}, "Cookie", cookie).problem(t, http.StatusUnauthorized)
		if !strings.Contains(p.Detail, "reading alone") {
			t.Errorf("writing by cookie says %q", p.Detail)
		}
		h.send(t, http.MethodDelete, "/sessions/"+list.Items[0].ID, nil, http.StatusNoContent, nil)
		h.do(t, "", http.MethodGet, root+"/sessions", nil, "Cookie", cookie).problem(t, http.StatusUnauthorized)
	})
}

func TestAnAddressWithAnEmptyPartIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, path := range []string{"/api/v1/imports//rejected", "/api/v1/teams/", "/api/", "/api/v2/teams", "/api/v1/teams/x/y"} {
			h.do(t, h.owner, http.MethodGet, path, nil).problem(t, http.StatusNotFound)
		}
	})
}

func TestAnOperationWithoutAPermissionDoesNotStart(t *testing.T) {
	for needs, starts := range map[string]bool{"": false, "everything": false, NeedsNothing: true, string(account.ReadOwn): true} {
		s := newAPI(Deps{})
		handle(s, operation{id: "x", method: http.MethodGet, path: root + "/x", needs: needs, tag: "x"},
			func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
		if got := len(s.faults) == 0; got != starts {
			t.Errorf("an operation that needs %q starts: %v", needs, got)
		}
	}
	s := newAPI(Deps{})
	gated{s}.HandleFunc("GET /api/v1/undeclared", func(http.ResponseWriter, *http.Request) {})
	if len(s.faults) != 1 {
		t.Error("a handler that was not declared starts")
	}
}

// wait waits for what runs, and lets new work begin.
func (b *background) wait() { b.running.Wait() }
