package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/person"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/consent"
	"parley/trust/policy"
	"parley/web"
)

// ledger gives the pages of a world the shipped policy and a ledger that asks by it.
func ledger(w *world, d *web.Deps) {
	purposes := func(context.Context, account.OrgID) ([]consent.Purpose, error) {
		doc, err := policy.Shipped()
		if err != nil {
			return nil, err
		}
		return consent.FromPolicy(doc), nil
	}
	d.Policy = func(context.Context, account.OrgID) (*policy.Document, error) { return policy.Shipped() }
	d.Consents = consent.New(consent.Deps{DB: w.DB, Keys: w.Keys, Accounts: w.Accounts, Log: w.Log, People: person.InBook(w.Book), Purposes: purposes, Now: w.Now})
	d.Holds = w.Holds
	w.Consents = d.Consents
}

var asha = consent.Who{Number: "+919812300001"}

func (w *world) link(who consent.Who) string {
	w.t.Helper()
	link, err := w.Consents.Link(w.t.Context(), w.Org.ID, who)
	if err != nil {
		w.t.Fatal(err)
	}
	return "/preferences/" + link
}

func (w *world) may(who consent.Who, purpose string, c consent.Channel) string {
	w.t.Helper()
	d, err := w.Consents.MayContact(w.t.Context(), w.Org.ID, who, purpose, c, w.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return d.Reason
}

func TestAPersonChoosesByLinkWithoutAccountOrCookie(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		b, path := w.stranger(), w.link(asha)
		seen := func(a answer) answer {
			if c := a.header.Values("Set-Cookie"); len(c) > 0 {
				t.Errorf("%s sets a cookie: %v", a.path, c)
			}
			return a
		}
		first := seen(b.get(path).want(t, "the page", 200, "What may Asha Traders contact you about?", "••• 0001", "Advertising for our own offers", "By ticking a box you agree", "Stop everything"))
		if strings.Contains(first.text, "9812300001") {
			t.Error("the page shows the whole number")
		}
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		// Giving is one form, taking back the same one.
		for _, step := range []struct {
			want url.Values
			sms  string
			call string
		}{
			{url.Values{"want.marketing": {"sms", "call"}, "want.service_notice": {"sms"}, "want.personalise": {"yes"}}, "", ""},
			{url.Values{"want.marketing": {"call"}, "want.service_notice": {"sms"}}, consent.IsSuppressed, ""},
			{url.Values{}, consent.IsSuppressed, consent.IsSuppressed},
			{url.Values{"want.marketing": {"sms"}}, "", consent.IsSuppressed},
		} {
			seen(b.post(path, step.want).want(t, "saving", 303))
			if sms, call := w.may(asha, "marketing", consent.SMS), w.may(asha, "marketing", consent.Call); sms != step.sms || call != step.call {
				t.Errorf("after %v the gate says %q and %q, want %q and %q", step.want, sms, call, step.sms, step.call)
			}
		}
		if got := w.may(asha, "personalise", consent.None); got != consent.IsSuppressed {
			t.Errorf("an unticked use is answered %q", got)
		}
		seen(b.get(path+"?done=saved").want(t, "the page afterwards", 200, "Your choices are saved", `value="sms" checked`))
		seen(b.post(path+"/stop", nil).want(t, "stopping", 303))
		if got := w.may(asha, "marketing", consent.SMS); got != consent.IsSuppressed {
			t.Errorf("after the stop the gate says %q", got)
		}
		if a := seen(b.get(path+"?done=stopped").want(t, "the page after the stop", 200, "does not contact you any more")); strings.Contains(a.main(), "checked") {
			t.Error("something is still ticked after the stop")
		}
		all, err := w.Consents.Ledger(t.Context(), d, w.Org.ID, asha)
		if err != nil || len(all) == 0 {
			t.Fatal(all, err)
		}
		text, err := w.Consents.WordingText(t.Context(), w.Org.ID, all[0].Wording, "en")
		if err != nil || !strings.Contains(first.text, strings.TrimSuffix(text, " Call")) && !strings.Contains(first.text, strings.TrimSuffix(text, " SMS")) {
			t.Errorf("the ledger has %q, which the page did not show: %v", text, err)
		}
	}, schemas()...)
}

func TestThePreferencePageSpeaksHindi(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+w.link(asha), nil)
	if err == nil {
		r.Header.Set("Accept-Language", "hi-IN,hi;q=0.9")
	}
	w.stranger().do(r, err).want(t, "the page in Hindi", 200, "सब कुछ बंद करें", "हमारे अपने प्रस्तावों का प्रचार")
}

func TestForgedLinksAreRefusedAndGuessingIsLimited(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	b, path := w.stranger(), w.link(asha)
	forged := path[:len(path)-3] + "000"
	for range 30 {
		b.get(forged).want(t, "a forged link", 404)
	}
	b.get(forged).want(t, "one guess too many", 429)
	b.post(path, url.Values{"want.marketing": {"sms"}}).want(t, "a good link from there", 429)
	if got := w.may(asha, "marketing", consent.SMS); got != consent.NoConsent {
		t.Errorf("the gate says %q", got)
	}
	w.Clock.Advance(time.Hour)
	b.get(path).want(t, "an hour later", 200)
	w.Clock.Advance(consent.LinkLife)
	b.get(path).want(t, "a link that is too old", 410)
}

func TestAMailProgramUnsubscribesWithOneClick(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		mira := consent.Who{Email: "mira@example.com"}
		if err := w.Consents.Record(t.Context(), w.Org.ID, consent.Change{Who: mira, Purposes: []string{"marketing"}, Channels: []consent.Channel{consent.Email}, State: consent.Given, How: consent.ByWebForm, Wording: consent.Wording{Language: "en", Text: "Yes."}}); err != nil {
			t.Fatal(err)
		}
		b, path := w.stranger(), w.link(mira)+"/unsubscribe/marketing"
		if got := b.get(path).want(t, "looking", 200, "Stop everything"); strings.Contains(got.path, "unsubscribe") {
			t.Errorf("looking led to %s", got.path)
		}
		b.post(path, url.Values{"something": {"else"}}).want(t, "another body", 422)
		if got := w.may(mira, "marketing", consent.Email); got != "" {
			t.Errorf("before the click the gate says %q", got)
		}
		b.post(w.link(mira)+"/unsubscribe/nothing", url.Values{"List-Unsubscribe": {"One-Click"}}).want(t, "a purpose that is none", 404)
		if got := b.post(path, url.Values{"List-Unsubscribe": {"One-Click"}}).want(t, "the click", 200); len(got.header.Values("Set-Cookie")) > 0 || len(got.text) > 0 {
			t.Errorf("the answer was %q with %v", got.text, got.header)
		}
		if got := w.may(mira, "marketing", consent.Email); got != consent.IsSuppressed {
			t.Errorf("after the click the gate says %q", got)
		}
		w.Clock.Advance(time.Minute)
		body := "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n"
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+path, strings.NewReader(body))
		if err == nil {
			r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		}
		b.do(r, err).want(t, "the click in parts", 200)
	}, schemas()...)
}

func TestStaffEnterWhatAPersonSaid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		b := w.as(w.member(account.PrivacyOfficer, "Priya Officer"))
		b.post("/trust/consent", url.Values{"person": {"nobody"}}).want(t, "no number", 422, "not a phone number")
		page := b.post("/trust/consent", url.Values{"person": {"98123 00001"}}).want(t, "looking up", 200, "They said nothing yet", "No consent", "/preferences/plp_")
		if strings.Contains(page.path, "98123") {
			t.Errorf("the address names the number: %s", page.path)
		}
		yes := url.Values{"state": {"given"}, "purpose": {"marketing"}, "channels": {"sms"}, "how": {"spoken"}, "language": {"en"}, "wording": {"May we text you offers?"}, "evidence": {"call at 11:20"}, "expires": {"2027-04-30"}}
		b.post(page.path, url.Values{"state": {"given"}, "purpose": {"marketing"}, "channels": {"sms"}, "how": {"spoken"}, "language": {"en"}, "evidence": {"x"}}).want(t, "without wording", 422, "Give the words")
		b.post(page.path, url.Values{"state": {"implied"}, "purpose": {"marketing"}, "channels": {"sms"}, "how": {"spoken"}}).want(t, "an implied one", 422)
		b.post(page.path, yes).want(t, "entering", 200, "It is entered", "said on the phone or in person", "call at 11:20", "Priya Officer", "until")
		if got := w.may(asha, "marketing", consent.SMS); got != "" {
			t.Errorf("the gate says %q", got)
		}
		b.post(page.path, url.Values{"state": {"withdrawn"}, "purpose": {"marketing"}, "channels": {"sms"}, "how": {"spoken"}}).want(t, "taking back", 200, "Not wanted")
		if got := w.may(asha, "marketing", consent.SMS); got != consent.IsSuppressed {
			t.Errorf("the gate says %q", got)
		}
		b.post(page.path+"/stop", nil).want(t, "stopping", 200, "Nobody contacts this person")
		b.post(page.path+"/minor?under_age=yes", nil).want(t, "marking a child", 200, "marked as under age")
		b.post(page.path, yes).want(t, "a child's yes", 200, "</svg>under age</span>")
		if got := w.may(asha, "marketing", consent.SMS); got != consent.IsMinor {
			t.Errorf("for a child the gate says %q", got)
		}
		b.post(page.path+"/minor?under_age=no", nil).want(t, "taking the mark back", 200, "count as of age")
		if got := w.may(asha, "marketing", consent.SMS); got != "" {
			t.Errorf("for an adult the gate says %q", got)
		}
		file := b.get(page.path+"/export").want(t, "the export", 200)
		var x consent.Export
		if err := json.Unmarshal([]byte(file.text), &x); err != nil || len(x.Entries) < 2 {
			t.Fatalf("the export has %d entries, %v", len(x.Entries), err)
		}
		if v, err := consent.VerifyExport(strings.NewReader(file.text), x.Key); err != nil || v.Person != asha.Number {
			t.Errorf("the export does not verify: %+v, %v", v, err)
		}
		given, _, err := w.Log.List(t.Context(), int64(w.Org.ID), audit.Filter{Actions: []audit.Action{audit.ConsentGiven}})
		if err != nil || len(given) != 2 {
			t.Errorf("the audit log has %+v, %v", given, err)
		}
	}, schemas()...)
}

func TestAnotherOrganisationsPersonIsNotThere(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	other := w.NewOrg(t, "Other")
	link, err := w.Consents.Link(t.Context(), other.ID, asha)
	if err != nil {
		t.Fatal(err)
	}
	owner := w.owner()
	for _, path := range []string{"/trust/consent/" + link, "/trust/consent/" + link + "/export", "/trust/consent/none"} {
		owner.get(path).want(t, "a foreign person", 404)
	}
	owner.post("/trust/consent/"+link+"/minor?under_age=yes", nil).want(t, "marking a foreign person", 404)
	owner.post("/trust/consent/"+link+"/stop", nil).want(t, "stopping a foreign person", 404)
	owner.post("/trust/consent/"+link, url.Values{"state": {"withdrawn"}}).want(t, "entering about a foreign person", 404)
}
