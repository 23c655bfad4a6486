package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/web"
)

func signUpForm() url.Values {
	return url.Values{
		"name": {"Meera Homes"}, "industry": {"Real estate"}, "country": {"IN"}, "zone": {"Asia/Kolkata"},
		"contact_name": {"Meera Kulkarni"}, "contact_phone": {"+91 98123 00001"}, "email": {"meera@example.com"}, "password": {"neun lila elefanten"},
		"workdays": {"1", "2", "6"}, "work_from": {"10:00"}, "work_to": {"00:00"}, "accept_terms": {"1"}, "adult": {"1"},
	}
}

func TestSomebodySignsUpSignsOutAndSignsIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		b := w.stranger()
		b.get("/sign-up").want(t, "the form", 200, `name="password"`, `value="IN" selected`, "Asia/Kolkata", "Monday", "18 or older")
		b.post("/sign-up", signUpForm()).want(t, "signing up", 200, "Meera Homes is open", "Import a call log")
		org, err := w.Accounts.FindOrg(t.Context(), "Meera Homes")
		if err != nil {
			t.Fatal(err)
		}
		if org.Workdays != 0b1000110 || org.WorkFrom != 600 || org.WorkTo != 1440 || org.ContactPhone != "+91 98123 00001" || org.Industry != "Real estate" {
			t.Errorf("the organisation is kept as %+v", org)
		}
		b.post("/sign-out", nil).want(t, "signing out", 200, "You are signed out")
		if got := b.get("/welcome"); got.path != "/sign-in?next=%2Fwelcome" {
			t.Errorf("a page for members led to %s, want the sign-in", got.path)
		}
		wrong := url.Values{"email": {"meera@example.com"}, "password": {"something else"}, "next": {"/welcome"}}
		b.post("/sign-in", wrong).want(t, "a wrong password", 401, "is wrong", `value="/welcome"`)
		wrong.Set("password", "neun lila elefanten")
		if got := b.post("/sign-in", wrong); got.path != "/welcome" {
			t.Errorf("signing in led to %s, want /welcome", got.path)
		}
	}, schemas()...)
}

func TestSignUpTellsAllThatIsWrongAtOnce(t *testing.T) {
	d := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, nil)
	b := w.stranger()
	got := b.post("/sign-up", url.Values{"country": {"XX"}, "email": {"me"}, "work_from": {"late"}})
	got.want(t, "a bad form", 422, `href="#f-work_from"`, `href="#f-work_to"`, "not a time of day", "at least one working day")
	bad := signUpForm()
	for _, name := range []string{"name", "password", "accept_terms", "adult"} {
		bad.Del(name)
	}
	bad.Set("country", "XX")
	got = b.post("/sign-up", bad)
	got.want(t, "missing fields", 422, `href="#f-name"`, `href="#f-password"`, `href="#f-accept_terms"`, `href="#f-adult"`, `href="#f-country"`, `value="Meera Kulkarni"`)
	weak := signUpForm()
	weak.Set("password", "password1234")
	if b.post("/sign-up", weak).want(t, "a weak password", 422, `href="#f-password"`).has("password1234") {
		t.Error("a password came back in the form")
	}
	if _, err := w.Accounts.FindOrg(t.Context(), "Meera Homes"); err == nil {
		t.Error("a refused sign-up left an organisation")
	}
}

func TestSignUpCanBeClosed(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), func(d *web.Deps) { d.SignUp = false })
	b := w.stranger()
	b.get("/sign-up").want(t, "the form", 403)
	b.post("/sign-up", signUpForm()).want(t, "the form sent", 403)
	if b.get("/sign-in").has("/sign-up") {
		t.Error("the sign-in page leads to a closed sign-up")
	}
}

func TestALinkOpenedByAScannerStaysGood(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	owner, err := w.Accounts.Owner(t.Context(), w.Org.ID)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := w.Accounts.OneTimeLink(t.Context(), w.Org.ID, owner.ID, 1e12)
	if err != nil {
		t.Fatal(err)
	}
	b := w.stranger()
	for range 2 {
		b.get(web.LinkPath(secret)).want(t, "looking at the link", 200, "works once")
	}
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.post(web.LinkPath(secret), nil).want(t, "using the link", 303)
	b.get("/welcome").want(t, "a member's page", 200)
	w.stranger().post(web.LinkPath(secret), nil).want(t, "using it again", 410, "used or has expired")
}

func TestAForgottenPasswordIsSetByMail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		b := w.stranger()
		b.post("/sign-up", signUpForm()).want(t, "signing up", 200)
		stranger := w.stranger()
		unknown := stranger.post("/forgot", url.Values{"email": {"nobody@example.com"}}).want(t, "an unknown address", 200)
		known := stranger.post("/forgot", url.Values{"email": {"Meera@example.com"}}).want(t, "a known address", 200, "on its way")
		if unknown.text != known.text {
			t.Error("the page tells whether an address is known")
		}
		if len(w.mails) != 1 || w.mails[0].Org != 0 || !strings.EqualFold(w.mails[0].To, "meera@example.com") {
			t.Fatalf("%d mails were kept, want one that belongs to no organisation", len(w.mails))
		}
		link := regexp.MustCompile(`http://[^\s]+/reset/\S+`).FindString(w.mails[0].Text)
		path := strings.TrimPrefix(link, w.server.URL)
		stranger.get(path).want(t, "the page of the link", 200, `name="password"`)
		stranger.post(path, url.Values{"password": {"short"}}).want(t, "a short password", 422, "at least 10")
		stranger.post(path, url.Values{"password": {"zwölf blaue giraffen"}}).want(t, "a new password", 200, "new password is set")
		if got := b.get("/welcome"); !strings.HasPrefix(got.path, "/sign-in") {
			t.Error("a session outlived the reset")
		}
		if got := stranger.post(path, url.Values{"password": {"dreizehn rote kamele"}}); got.path != "/forgot" || !got.has("used or has expired") {
			t.Errorf("a used link led to %s: %s", got.path, got.text)
		}
		b.post("/sign-in", url.Values{"email": {"meera@example.com"}, "password": {"zwölf blaue giraffen"}, "next": {"/welcome"}}).want(t, "the new password", 200, "Meera Homes")
	}, schemas()...)
}

func TestTermsAreReadableInBothLanguages(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	b := w.stranger()
	b.get("/terms").want(t, "in English", 200, "Terms of use", "2026-11", "No warranty")
	b.post("/language", url.Values{"locale": {"hi"}, "back": {"/terms"}}).want(t, "in Hindi", 200, "उपयोग की शर्तें", `lang="hi"`)
}
