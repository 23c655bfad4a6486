package web_test

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/web"
)

func settingsForm() url.Values {
	return url.Values{"name": {"Asha Traders"}, "country": {"IN"}, "zone": {"Asia/Kolkata"}, "locale": {"en"}, "workdays": {"1", "2", "3", "4", "5"},
		"work_from": {"09:00"}, "work_to": {"18:00"}, "connected_from": {"1"}, "gap_minutes": {"15"}}
}

func TestAThresholdChangesWhatReportsCount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		asha := w.member(account.Agent, "Asha")
		line, err := w.Devices.DefaultLine(t.Context(), w.Org, asha.Agent)
		if err != nil {
			t.Fatal(err)
		}
		w.Put(t, ingest.Item{Agent: asha.Agent, Line: line.No, Start: w.Now().Add(-time.Hour), Number: "+919999900001", Type: call.TypeOutgoing, Direction: call.Outgoing, Seconds: 5})
		hers, owner := w.as(asha), w.owner()
		const connected = `>Connected<[^§]{0,200}?>(\d+)<`
		if got := first(hers.get("/me").want(t, "her page", 200, "exactly what Asha Traders sees").text, connected); got != "1" {
			t.Errorf("her page counts %q connected calls, want 1", got)
		}
		form := settingsForm()
		form.Set("connected_from", "10")
		owner.post("/settings", form).want(t, "changing the threshold", 200, "being reckoned anew")
		if got := first(hers.get("/me").text, connected); got != "0" {
			t.Errorf("her page counts %q connected calls after the change, want 0", got)
		}
	}, schemas()...)
}

// first is the first group of a pattern in a text, "" when there is none.
func first(text, pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

func TestSettingsSayWhatIsWrong(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	owner := w.owner()
	owner.get("/settings").want(t, "the form", 200, `value="Asha Traders"`, "India", "How reports count")
	for field, bad := range map[string]string{"name": "", "zone": "Mars/North", "country": "QQ", "work_from": "25:00", "connected_from": "0", "gap_minutes": "x", "email": "me"} {
		form := settingsForm()
		form.Set(field, bad)
		owner.post("/settings", form).want(t, field+" "+bad, 422, `href="#f-`+field+`"`)
	}
	form := settingsForm()
	form.Del("workdays")
	owner.post("/settings", form).want(t, "no working day", 422, `href="#f-workdays"`)
	form = settingsForm()
	form.Set("work_to", "00:00")
	form.Set("locale", "hi")
	owner.post("/settings", form).want(t, "until midnight, in Hindi", 200, "सहेजा गया")
	org, err := w.Accounts.Org(t.Context(), w.Org.ID)
	if err != nil || org.WorkTo != 1440 || org.Locale != "hi" {
		t.Errorf("the organisation is kept as %+v (%v)", org, err)
	}
}

func (b *browser) upload(path, field string, content []byte) answer {
	b.t.Helper()
	return b.send(path, field, "file.png", content)
}

// send posts a form of one file.
func (b *browser) send(path, field, name string, content []byte) answer {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, err := m.CreateFormFile(field, name)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		b.t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, &body)
	if err == nil {
		r.Header.Set("Content-Type", m.FormDataContentType())
	}
	return b.do(r, err)
}

func TestALogoIsKeptShownAndRemoved(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	owner := w.owner()
	var logo bytes.Buffer
	if err := png.Encode(&logo, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	owner.upload("/settings/logo", "logo", logo.Bytes()).want(t, "a logo", 200, "Saved", `src="/logo/1"`)
	if got := owner.get("/logo/1"); got.status != 200 || got.header.Get("Content-Type") != "image/png" {
		t.Errorf("the logo came as %d %s", got.status, got.header.Get("Content-Type"))
	}
	owner.upload("/settings/logo", "logo", []byte("<svg/>")).want(t, "an SVG", 422, `href="#f-logo"`)
	owner.upload("/settings/logo", "logo", bytes.Repeat([]byte{1}, account.MaxLogo+1)).want(t, "a large one", 422, `href="#f-logo"`)
	owner.upload("/settings/logo", "logo", bytes.Repeat([]byte{1}, 4<<20)).want(t, "a huge one", 413)
	owner.post("/settings/logo", nil).want(t, "removing it", 200, "The logo is removed")
	owner.get("/logo/1").want(t, "no logo", 404)
}

func TestNumbersAreKeptOutAndTakenBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		b := w.as(w.member(account.PrivacyOfficer, "Pia"))
		b.get("/settings/exclusions").want(t, "an empty list", 200, "No number is excluded")
		if b.get("/settings/exclusions").has(`href="/settings"`) {
			t.Error("a privacy officer is offered the settings")
		}
		b.post("/settings/exclusions", url.Values{"number": {""}, "strength": {"hidden"}}).want(t, "no number", 422, `href="#f-number"`)
		b.post("/settings/exclusions", url.Values{"number": {"1"}, "strength": {"wholly"}}).want(t, "no such strength", 422, `href="#f-strength"`)
		got := b.post("/settings/exclusions", url.Values{"number": {"98123 00009"}, "label": {"Home"}, "strength": {"never_stored"}}).
			want(t, "adding", 200, "+91 98123 00009", "Home", "Pia", "Never stored")
		key := first(got.text, `name="number" value="([^"]{20,})"`)
		b.post("/settings/exclusions/remove", url.Values{"number": {"x"}}).want(t, "removing another", 404)
		b.post("/settings/exclusions/remove", url.Values{"number": {key}}).want(t, "removing", 200, "No number is excluded")
	}, schemas()...)
}

func TestATokenIsShownOnceAndRevoked(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	owner := w.owner()
	owner.get("/settings/tokens").want(t, "no token", 200, "No token yet")
	owner.post("/settings/tokens/new", url.Values{"name": {"CRM"}, "expires": {"30"}}).want(t, "no scope", 422, `href="#f-scopes"`)
	made := owner.post("/settings/tokens/new", url.Values{"name": {"CRM"}, "expires": {"30"}, "scopes": {"read_calls", "read_reports"}}).want(t, "making", 200, "shown only now")
	secret := first(made.text, `(ply_\w+)`)
	actor, err := w.Accounts.ByToken(t.Context(), secret)
	if err != nil || actor.Can(account.ManagePeople) || !actor.Can(account.ReadCalls) {
		t.Fatalf("the token gives %+v, %v", actor, err)
	}
	if want := w.Now().Add(30 * 24 * time.Hour); !actor.Token.ExpiresAt.Equal(want) {
		t.Errorf("the token expires at %s, want %s", actor.Token.ExpiresAt, want)
	}
	list := owner.get("/settings/tokens").want(t, "the list", 200, "CRM", "Read calls", "Owner")
	if strings.Contains(list.text, secret) {
		t.Error("the list shows the secret")
	}
	owner.post("/settings/tokens/"+actor.Token.ID+"/revoke", nil).want(t, "revoking", 200, "The token is revoked")
	if _, err := w.Accounts.ByToken(t.Context(), secret); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("a revoked token gives %v", err)
	}
	owner.post("/settings/tokens/tok_x/revoke", nil).want(t, "another's token", 404)
}

func TestOwnAccountAndSessions(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	meera := w.member(account.Viewer, "Meera")
	signIn := url.Values{"email": {meera.Email}, "password": {"neun lila elefanten"}, "next": {"/account"}}
	here, there := w.stranger(), w.stranger()
	here.post("/sign-in", signIn)
	there.post("/sign-in", signIn).want(t, "a second browser", 200, "Meera")
	here.get("/account").want(t, "the account", 200, "This one", "End all others", meera.Email)
	here.post("/account", url.Values{"name": {"Meera Rao"}}).want(t, "a new name", 200, "Saved", `value="Meera Rao"`)
	here.post("/account/password", url.Values{"old_password": {"wrong"}, "password": {"zwölf blaue giraffen"}}).want(t, "a wrong password", 422, `href="#f-old_password"`)
	here.post("/account/sessions/end", url.Values{"session": {"ses_x"}}).want(t, "no such session", 404)
	here.post("/account/sessions/end-others", nil).want(t, "ending the others", 200, "All other sessions are ended")
	if got := there.get("/account"); !strings.HasPrefix(got.path, "/sign-in") {
		t.Error("another session outlived its end")
	}
	here.post("/account/password", url.Values{"old_password": {"neun lila elefanten"}, "password": {"zwölf blaue giraffen"}}).want(t, "a new password", 200, "Your password is changed")
	w.owner().get("/account").want(t, "an account entered by a link", 200, "one-time link")
}

func TestTheOutboxShowsWhatStaysHere(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	owner, admin := w.owner(), w.as(w.member(account.Admin, "Adil"))
	owner.post("/people/invite", url.Values{"email": {"new@example.com"}, "role": {"owner"}}).want(t, "inviting", 200)
	w.stranger().post("/forgot", url.Values{"email": {"adil@example.com"}}).want(t, "forgetting", 200)
	owner.get("/developer/outbox").want(t, "the owner's outbox", 200, "new@example.com", "/invitation/pli_")
	got := admin.get("/developer/outbox").want(t, "an admin's outbox", 200, "new@example.com")
	if got.has("/invitation/pli_") {
		t.Error("an admin can read an owner's invitation")
	}
	if owner.get("/developer/outbox").has("/reset/") {
		t.Error("an owner can read somebody's link to set a password")
	}
	admin.get("/developer").want(t, "the developer's page", 200, "/api/docs")

	w2 := newWorld(t, dbtest.SQLite(t, schemas()...), func(d *web.Deps) { d.Dev = true })
	w2.member(account.Admin, "Adil")
	w2.stranger().post("/forgot", url.Values{"email": {"adil@example.com"}}).want(t, "forgetting", 200)
	w2.owner().get("/developer/outbox").want(t, "a developer's outbox", 200, "/reset/plr_")
}

func TestAnOrganisationIsClosedByItsNameAndCanComeBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		owner, admin := w.owner(), w.as(w.member(account.Admin, "Adil"))
		form := url.Values{"name": {"asha traders"}, "days": {"7"}}
		admin.post("/settings/close", form).want(t, "an admin", 403)
		owner.get("/settings/close").want(t, "the page", 200, "keys")
		owner.post("/settings/close", url.Values{"name": {"Asha"}, "days": {"7"}}).want(t, "a wrong name", 422, `href="#f-name"`)
		for _, days := range []string{"", "0", "31", "-1", "soon"} {
			owner.post("/settings/close", url.Values{"name": {"Asha Traders"}, "days": {days}}).want(t, "days "+days, 422)
		}
		owner.post("/settings/close", form).want(t, "closing", 200, "The organisation is locked", "22 Apr 2026", "Take it back")
		owner.post("/settings/close", form).want(t, "closing twice", 409)
		owner.get("/calls").want(t, "an owner looks", 200)
		owner.post("/settings/exclusions", url.Values{"number": {"+919812300001"}, "strength": {"hidden"}}).want(t, "an owner changes something", 403, "being closed")
		admin.get("/calls").want(t, "an admin looks", 403, "being closed")
		owner.post("/settings/close/undo", nil).want(t, "taking it back", 200, "open again")
		owner.post("/settings/close/undo", nil).want(t, "taking it back twice", 409)
		admin.get("/calls").want(t, "an admin looks again", 200)
	}, schemas()...)
}

func TestTheDemoIsRemovedByItsOwnerOnly(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	demo, err := w.Accounts.CreateOrg(t.Context(), account.NewOrg{Name: "Demo", Country: "IN", Zone: "Asia/Kolkata", OwnerName: "Dev", OwnerEmail: "dev@example.com", Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	w.owner().post("/demo/remove", nil).want(t, "a real organisation", 409, "no demo")
	owner, err := w.Accounts.Owner(t.Context(), demo.ID)
	if err != nil {
		t.Fatal(err)
	}
	b := w.as(owner)
	b.get("/account").want(t, "a page of the demo", 200, "Remove demo data")
	b.post("/demo/remove", nil).want(t, "removing it", 200, "The demo is gone")
	if _, err := w.Accounts.Org(t.Context(), demo.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the demo is still there: %v", err)
	}
}

func TestABigFormOfPartsIsNotRead(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	w.stranger().upload("/sign-in", "email", bytes.Repeat([]byte{1}, 4<<20)).want(t, "a file to the sign-in", 422)
}
