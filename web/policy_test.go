package web_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/policy"
	"parley/web"
)

func policyText(edits ...string) string {
	text := policy.DefaultText(policy.Facts{
		Name: "Asha Traders", Address: "12 Ring Road, Pune", Country: "IN", Contact: "privacy@asha.example", Grievance: policy.Officer{Name: "Meera Joshi", Email: "grievance@asha.example"},
	})
	return strings.NewReplacer(edits...).Replace(text)
}

func TestAnOfficerEditsPreviewsAndPublishesThePolicy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		b := w.owner()
		b.get("/trust/policy").want(t, "before anything", 200, "ships with Parley", "Nothing was published yet", "passages of the policy in force are not right")
		b.get("/trust/policy/edit").want(t, "the editor", 200, "must be mended before", "no grievance officer is named", "What must be mended", "Line 8")
		broken := b.post("/trust/policy/edit", url.Values{"text": {policyText("acceptance: act", "acceptance: use")}}).want(t, "a trap", 200, "would be taken as acceptance", "P143", "acceptance: use}", "The draft is kept")
		if strings.Contains(broken.text, "/trust/policy/publish") {
			t.Error("a text with findings can be published")
		}
		b.post("/trust/policy/edit", url.Values{"text": {"version: 1\nhalf: <b>a thought</b>"}}).want(t, "half a text", 200, "is not known in The document", "half: <b>a thought")
		sound := b.post("/trust/policy/edit", url.Values{"text": {policyText()}}).want(t, "a sound text", 200, "Nothing is wrong with it", "version 1", "Addresses or persons to write to changed")
		b.get("/trust/policy/preview?lang=hi").want(t, "the preview", 200, "निजता", "Meera Joshi", "Nothing is published yet")
		hash := regexp.MustCompile(`name="hash" value="([0-9a-f]+)"`).FindStringSubmatch(sound.text)
		if hash == nil {
			t.Fatal("the page offers no publishing")
		}
		b.post("/trust/policy/publish", url.Values{"hash": {"0000"}}).want(t, "another text than was looked at", 200, "changed meanwhile")
		b.post("/trust/policy/publish", url.Values{"hash": {hash[1]}}).want(t, "published", 200, "Version 1 is published", "in force")
		b.get("/trust/policy/edit").want(t, "the next draft", 200, "Nothing differs from version 1")
		for path, want := range map[string]string{
			"/trust/policy/text/register": "Register of processing activities", "/trust/policy/text/recipients": "Nobody gets data", "/trust/policy/text/annex?customer=Customer+Ltd": "Customer Ltd",
			"/trust/policy/file/register.csv": "Data,Role", "/trust/policy/file/annex.md": "# Annex", "/trust/policy/file/policy.yaml": "controller:", "/trust/policy/file/fideslang.json": "privacy_declarations", "/trust/policy/file/dpv.jsonld": "dpv:hasPurpose",
		} {
			b.get(path).want(t, path, 200, want)
		}
		b.get("/trust/policy/text/novel").want(t, "no such text", 404)
		b.get("/trust/policy/file/register.exe").want(t, "no such file", 404)
	}, schemas()...)
}

func (w *world) publish(text string) *policy.Version {
	w.t.Helper()
	m, err := w.Accounts.Owner(w.t.Context(), w.Org.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	by, err := w.Accounts.As(w.t.Context(), w.Org.ID, m.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := w.Policies.Publish(w.t.Context(), by, text)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestEverybodyReadsThePolicyInTheirLanguageWithoutACookie(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		first := w.publish(policyText())
		second := w.publish(policyText("retention: {from: created, max: 90d}\n    rights: [access, export, erase", "retention: {from: created, max: 80d}\n    rights: [access, export, erase"))
		name, err := w.Policies.Name(t.Context(), w.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		at := "/privacy/" + name
		for _, b := range []*browser{w.stranger(), w.owner()} {
			for path, want := range map[string][]string{
				at:                         {"Privacy at Asha Traders", "Version 2", "Together that is 485 days at most", "Meera Joshi", second.Hash, "kept for a shorter time, 80 days instead of 90 days", `href="` + at + `/v/1"`},
				at + "?lang=hi":            {"Asha Traders में निजता", "कुल मिलाकर अधिकतम", `lang="hi"`},
				at + "?lang=xx":            {"Privacy at Asha Traders"},
				at + "/v/1":                {"former version", first.Hash, "The version in force"},
				at + "/v/1/policy.yaml":    {"controller:", "max: 90d"},
				at + "/recipients":         {"Recipients of Asha Traders", "Nobody gets data"},
				at + "/recipients?lang=hi": {"प्राप्तकर्ता"},
			} {
				got := b.get(path).want(t, path, 200, want...)
				if c := got.header.Values("Set-Cookie"); len(c) > 0 {
					t.Errorf("%s sets a cookie: %v", path, c)
				}
			}
			if body := b.get(at + "/v/1/policy.yaml").text; policy.Hash(body) != first.Hash {
				t.Error("the text that everybody gets is not the one that was hashed")
			}
			b.get(at+"/v/3").want(t, "no such version", 404)
			b.get(at+"/v/x").want(t, "no version", 404)
			b.get("/privacy/nobody").want(t, "no such organisation", 404)
		}
	}, schemas()...)
}

func TestAMemberIsToldOfAChangeAndAcceptsIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.publish(policyText())
		m := w.member(account.Agent, "Ravi")
		w.Clock.Advance(60 * 24 * time.Hour)
		b := w.as(m)
		if got := b.get("/me"); strings.Contains(got.text, `href="/policy"`) {
			t.Error("a notice without a change")
		}
		b.get("/policy").want(t, "nothing waits", 200, "Nothing waits for you")
		v := w.publish(policyText("retention: {from: created, max: 90d}\n    rights: [access, export, erase", "retention: {from: created, max: 99d}\n    rights: [access, export, erase"))
		b.get("/me").want(t, "the notice", 200, `href="/policy"`, "The privacy policy changes on")
		if _, left, err := w.Policies.Untold(t.Context(), w.Org.ID, policy.InApp); err != nil || slices.ContainsFunc(left, func(x *account.Member) bool { return x.ID == m.ID }) {
			t.Errorf("that the member was told is not noted: %v", err)
		}
		b.get("/policy").want(t, "the change", 200, "kept longer, 99 days instead of 90 days", "material", "I have read version 2")
		b.post("/policy/accept", url.Values{"version": {"2"}}).want(t, "no tick", 422, "Tick the box")
		b.post("/policy/accept", url.Values{"version": {"7"}, "agree": {"1"}}).want(t, "another version", 200, "changed meanwhile")
		b.post("/policy/accept", url.Values{"version": {"2"}, "agree": {"1"}}).want(t, "accepted", 200, "Your acceptance is recorded", "Nothing waits for you")
		deeds, err := w.Policies.Deeds(t.Context(), w.DB, w.Org.ID, m.ID)
		if err != nil || len(deeds) != 2 || !slices.ContainsFunc(deeds, func(x policy.Deed) bool { return x.What == "accepted" && x.Version == 2 && x.Hash == v.Hash }) {
			t.Errorf("deeds %+v, %v", deeds, err)
		}
		if got := b.get("/me"); strings.Contains(got.text, `href="/policy"`) {
			t.Error("the notice stays after it was accepted")
		}
	}, schemas()...)
}

// The purpose gate stands in front of every page, and what it refuses is logged like every other refusal.
func TestWhatThePolicyDoesNotAllowIsRefusedAndLogged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.Accounts.SetGate(w.Policies.Gate)
		b := w.owner()
		b.get("/missed").want(t, "allowed", 200)
		w.publish(policyText("purposes: [call_ops, reports, security, rights, legal]", "purposes: [call_ops, security, rights, legal]"))
		since := w.size()
		b.get("/missed").want(t, "not allowed any more", 403, "privacy policy does not allow")
		b.get("/people").want(t, "another purpose", 200)
		denied := slices.DeleteFunc(w.entries(since), func(r audit.Record) bool { return r.Result != audit.Denied })
		if len(denied) != 1 {
			t.Errorf("%d refusals in the log", len(denied))
		}
	}, schemas()...)
}

// What the page says of cookies is what the program sets.
func TestTheCookiesAreTheRegisteredOnes(t *testing.T) {
	if got, want := web.Cookies(), policy.Cookies(); !slices.Equal(got, want) {
		t.Errorf("pages set %v, the register names %v", got, want)
	}
	d, err := policy.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for name, days := range map[string]int{"parley_session": 90, "parley_locale": 365} {
		if got := d.Cookies[name].Lifetime.N; got != days {
			t.Errorf("%s lasts %d days on the page, %d in browsers", name, got, days)
		}
	}
}
