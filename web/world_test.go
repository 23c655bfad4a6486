package web_test

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/roll"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/reach/mail"
	"parley/trust/attest"
	"parley/trust/incident"
	"parley/trust/prove"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/web"
)

func schemas() []dbtest.Schema {
	return append(append(calltest.Schemas(), outside()...), dbtest.Schema{Series: "mail", Files: mail.Schema}, dbtest.Schema{Series: "retain", Files: retain.Schema}, dbtest.Schema{Series: "incident", Files: incident.Schema}, dbtest.Schema{Series: "prove", Files: prove.Schema},
		dbtest.Schema{Series: "attest", Files: attest.Schema})
}

// world is a calltest.World with the pages over it, behind a real server.
type world struct {
	*calltest.World
	t       testing.TB
	server  *httptest.Server
	mail    *mail.Mailer
	mails   []mail.Sent // that were kept here
	working sync.WaitGroup
	rights  *rights.Rights
	letters []rights.Letter // about requests
	sweeper *retain.Sweeper
}

// newWorld serves the pages over a database that has schemas(). change adjusts what they are made from; it may be nil.
func newWorld(t testing.TB, d *db.DB, change func(*web.Deps)) *world {
	t.Helper()
	w := &world{World: calltest.New(t, d), t: t}
	w.mail = mail.New(d, w.Keys, mail.Server{}, w.Now)
	w.mail.OnLocal = func(s mail.Sent) { w.mails = append(w.mails, s) }
	deps := w.deps()
	ledger(w, &deps)
	desk(w, &deps)
	kept(w, &deps)
	proving(w, &deps)
	attested(w, &deps)
	crm(w, &deps)
	if change != nil {
		change(&deps)
	}
	pages, err := web.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(pages)
	t.Cleanup(func() {
		w.server.Close()
		w.working.Wait()
	})
	return w
}

// background carries out at once what pages leave for later, and fails the test when it fails.
func (w *world) background(what string, do func(ctx context.Context) error) {
	w.working.Add(1)
	defer w.working.Done()
	if err := do(context.Background()); err != nil {
		w.t.Errorf("%s: %v", what, err)
	}
}

// removeOrg is the app's way to delete an organisation, less what these tests have no rows of.
func (w *world) removeOrg(ctx context.Context, org account.OrgID) error {
	if err := w.Writer.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, remove := range []func(context.Context, *db.Tx, account.OrgID) error{w.Callbacks.Delete, mail.Delete, call.Delete, roll.Delete, w.Devices.Delete, w.Book.Delete} {
			if err := remove(ctx, tx, org); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return w.Accounts.DeleteOrg(ctx, org)
}

func quiet() *slog.Logger {
	if os.Getenv("PARLEY_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.DiscardHandler)
}

// browser is somebody who looks at the pages: it keeps cookies and follows redirects.
type browser struct {
	t      testing.TB
	client *http.Client
	base   string
}

// stranger is a browser that nobody has signed in with.
func (w *world) stranger() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{t: w.t, client: &http.Client{Jar: jar}, base: w.server.URL}
}

// as is a browser in which a member has signed in by a one-time link.
func (w *world) as(m *account.Member) *browser {
	w.t.Helper()
	secret, err := w.Accounts.OneTimeLink(w.t.Context(), m.Org, m.ID, time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	b := w.stranger()
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the start page is another test's
	if got := b.post(web.LinkPath(secret), nil); got.status != http.StatusSeeOther {
		w.t.Fatalf("signing in by a link gave %d: %s", got.status, got.text)
	}
	b.client.CheckRedirect = nil
	return b
}

// owner is the World's owner, signed in.
func (w *world) owner() *browser {
	w.t.Helper()
	m, err := w.Accounts.Owner(w.t.Context(), w.Org.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.as(m)
}

// member makes a member with a role, who has joined. An agent gets an agent number.
func (w *world) member(role account.Role, name string) *account.Member {
	w.t.Helper()
	return w.memberOf(w.Org, role, name)
}

func (w *world) memberOf(org *account.Org, role account.Role, name string) *account.Member {
	w.t.Helper()
	secret, _, err := w.Accounts.Invite(w.t.Context(), w.Accounts.Operator(org), account.NewInvitation{Email: strings.ReplaceAll(strings.ToLower(name), " ", ".") + "@example.com", Name: name, Role: role})
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := w.Accounts.Accept(w.t.Context(), secret, account.Acceptance{Password: "neun lila elefanten", AcceptTerms: true, Adult: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// answer is what a browser shows.
type answer struct {
	status int
	path   string // where redirects ended
	header http.Header
	text   string // with entities resolved
}

func (a answer) has(parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(a.text, p) {
			return false
		}
	}
	return true
}

func (b *browser) do(r *http.Request, err error) answer {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Request.URL.RequestURI(), res.Header, html.UnescapeString(string(text))}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do(http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+path, nil))
}

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.do(r, err)
}

// want fails the test when a page is not answered with a status, or lacks some of its words.
func (a answer) want(t testing.TB, what string, status int, parts ...string) answer {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: %s gave %d, want %d:\n%s", what, a.path, a.status, status, a.main())
		return a
	}
	for _, p := range parts {
		if !a.has(p) {
			t.Errorf("%s: %s lacks %q:\n%s", what, a.path, p, a.main())
		}
	}
	return a
}

// deps are what the pages are made from.
func (w *world) deps() web.Deps {
	return web.Deps{
		Policies: w.Policies, DB: w.DB, Audit: w.Log, Accounts: w.Accounts, Devices: w.Devices, Book: w.Book, Calls: w.Calls, Writer: w.Writer, Reporter: w.Reporter,
		Reports: w.Reports, Callbacks: w.Callbacks, Imports: w.Imports, Mail: w.mail, Backups: w.backups(""), RemoveOrg: w.removeOrg, Background: w.background, SignUp: true, Now: w.Now, Log: quiet(),
	}
}

// main is what the page itself says, for messages of tests.
func (a answer) main() string {
	_, text, found := strings.Cut(a.text, "<main")
	if !found {
		text = a.text
	}
	text, _, _ = strings.Cut(text, "</main>")
	return regexp.MustCompile(`\s*\n\s*`).ReplaceAllString(text, "\n")
}
