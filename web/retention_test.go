package web_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"maps"
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
	"parley/platform/phone"
	"parley/trust/incident"
	"parley/trust/law"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/trust/subject"
	"parley/web"
)

// kept gives the pages retention over the World's calls, and the files of incidents, as app does.
func kept(w *world, d *web.Deps) {
	doc := func(context.Context, account.OrgID) (*policy.Document, error) { return policy.Shipped() }
	w.sweeper = retain.New(retain.Deps{
		DB: w.DB, Keys: w.Keys, Holds: w.Holds, Keepers: w.Persons.Keepers(), Log: w.Log, Now: w.Now,
		Rules: func(ctx context.Context, org account.OrgID) ([]retain.Rule, error) {
			shipped, err := doc(ctx, org)
			if err != nil {
				return nil, err
			}
			return retain.Of(shipped, w.Now()), nil
		},
	})
	laws, err := law.Load()
	if err != nil {
		w.t.Fatal(err)
	}
	d.Retain = w.sweeper
	d.Incidents = incident.New(incident.Deps{
		DB: w.DB, Keys: w.Keys, Accounts: w.Accounts, Log: w.Log, Laws: laws, Policy: doc, Now: w.Now,
		Affected: func(ctx context.Context, org *account.Org, s incident.Scope) ([]incident.Person, error) {
			all, err := w.Calls.Concerned(ctx, org.ID, s.From, s.To, nil)
			var out []incident.Person
			for _, c := range all {
				texts, err := w.Book.Texts(ctx, w.DB, org.ID, nil)
				if err != nil {
					return nil, err
				}
				out = append(out, incident.Person{Who: subject.OfNumber(int64(c.Number)), Number: texts[c.Number], Country: phone.Country(texts[c.Number]), Calls: c.Calls})
			}
			return out, err
		},
		Export: func(ctx context.Context, org account.OrgID, s incident.LegalScope, out io.Writer) (int64, error) {
			return w.rights.WritePart(ctx, org, s.Persons, rights.Part{Categories: s.Categories, From: s.From, To: s.To}, out)
		},
	})
	w.Accounts.OnSecurity(d.Incidents.RecordSecurity)
}

// sweep makes the daily run.
func (w *world) sweep(days int) {
	w.t.Helper()
	w.Clock.Advance(time.Duration(days) * 24 * time.Hour)
	if _, err := w.sweeper.Run(w.t.Context(), w.Org.ID); err != nil {
		w.t.Fatal(err)
	}
}

// rang puts calls of some numbers on an agent's phone.
func (w *world) rang(agent *account.Member, numbers int) {
	w.t.Helper()
	for n := range numbers {
		w.Put(w.t, ingest.Item{Agent: agent.Agent, Line: 1, Start: w.Now().Add(-time.Hour), Number: "+9198123000" + string(rune('0'+n/10)) + string(rune('0'+n%10)), Direction: call.TypeIncoming.Direction(),
			Type: call.TypeIncoming, Seconds: 9, Ref: int64(n + 1)})
	}
}

func TestRetentionIsShownConfirmedAndReviewed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		owner := w.owner()
		owner.get("/trust/retention").want(t, "before the first run", 200, "first run has not been made", "Nothing is about to go", "365 days", "60 months")
		w.rang(w.Agent(t, "Asha"), 30)
		w.sweep(1)
		owner.get("/trust/retention").want(t, "a quiet day", 200, "Nothing waits")
		w.sweep(365)
		owner = w.owner()
		page := owner.get("/trust/retention").want(t, "an unusual share", 200, "would take unusually much", "waits for you", "100%")
		digest := regexp.MustCompile(`name="digest" value="([0-9a-f]+)"`).FindStringSubmatch(page.text)
		plans := regexp.MustCompile(`name="plan" value="([^"]+)"`).FindAllStringSubmatch(page.text, -1)
		if digest == nil || len(plans) == 0 {
			t.Fatalf("there is no plan to confirm: %s", page.main())
		}
		owner.get("/trust/retention/plan").want(t, "the plan", 200, "What would go now", "30")
		owner.post("/trust/retention/confirm", url.Values{"plan": {plans[0][1]}, "digest": {strings.Repeat("0", len(digest[1]))}}).want(t, "another digest", 409, "not the one that was shown")
		st, err := w.sweeper.Status(t.Context(), w.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range st.Waiting {
			if x.Stopped() {
				owner.post("/trust/retention/confirm", url.Values{"plan": {x.ID}, "digest": {hex.EncodeToString(x.Digest)}}).want(t, "confirming", 200, "The plan goes on")
			}
		}
		w.sweep(3)
		owner.get("/trust/retention").want(t, "afterwards", 200, "Done")
		list := owner.get("/trust/retention/archive").want(t, "the archive", 200, "Person no. ", "Opening")
		item := regexp.MustCompile(`href="(/trust/retention/archive/arc_[^"]+)"[^>]*>Person no. \d+</a></div></th><td data-label="Category"><div>Calls<`).FindStringSubmatch(list.text)
		if item == nil {
			t.Fatalf("nothing is in the archive: %s", list.main())
		}
		owner.get(item[1]).want(t, "an item", 200, "What it holds", "Talk time", "Person no. ")
		admin := w.as(w.member(account.Admin, "Adil"))
		admin.get(item[1]).want(t, "an admin", 403)
		w.sweep(31)
		owner = w.owner()
		review := regexp.MustCompile(`href="(/trust/retention/reviews/rev_[^"]+)"`).FindStringSubmatch(owner.get("/trust/retention").want(t, "a review", 200, "Open").text)
		if review == nil {
			t.Fatal("no review can be decided")
		}
		owner.get(review[1]).want(t, "the review", 200, "Erase now")
		owner.post(review[1], nil).want(t, "no decision", 422, "Decide to keep")
		owner.post(review[1], url.Values{"decision": {"erase"}, "note": {"Nobody needs it."}}).want(t, "a decision", 200, "The review is signed", "Nobody needs it.")
	}, schemas()...)
}

func TestAnIncidentFromItsNoticeToItsReport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.Clock.Set(time.Date(2027, 6, 1, 9, 0, 0, 0, time.UTC))
		w.rang(w.Agent(t, "Asha"), 3)
		b := w.as(w.member(account.PrivacyOfficer, "Priya Officer"))
		b.get("/trust/incidents").want(t, "none yet", 200, "No incident", "Nothing happened")
		b.get("/trust/incidents/new").want(t, "the form", 200, "High risk", "Asha")
		good := url.Values{"title": {"Laptop lost"}, "text": {"Left in a train."}, "noticed": {"2027-06-01T14:00"}, "risk": {"high"}, "categories": {"call.meta"}, "places": {"de"}}
		for _, bad := range [][3]string{{"title", "", "a title"}, {"noticed", "soon", "is no time"}, {"noticed", "2027-06-02T14:00", "in the future"}, {"places", "Germany", "Germany"}, {"from", "x", "x"}, {"agents", "mem_none", "no such agent"}} {
			form := url.Values{}
			maps.Copy(form, good)
			form[bad[0]] = []string{bad[1]}
			if got := b.post("/trust/incidents/new", form); got.status != 422 || !strings.Contains(got.text, bad[2]) {
				t.Errorf("%s=%q gave %d:\n%s", bad[0], bad[1], got.status, got.main())
			}
		}
		page := b.post("/trust/incidents/new", good).want(t, "the file", 200, "Laptop lost", "CERT-In", "6 hours", "72 hours", "3 people", "Left in a train.")
		clocks := regexp.MustCompile(`<option value="([^"]+/[^"]+)"`).FindAllStringSubmatch(page.text, -1)
		if len(clocks) < 5 {
			t.Fatalf("%d clocks run", len(clocks))
		}
		b.get(page.path+"/draft?clock="+url.QueryEscape(clocks[0][1])).want(t, "a draft", 200, "Left in a train.")
		b.get(page.path+"/draft?language=hi&clock="+url.QueryEscape(clocks[0][1])).want(t, "a Hindi draft", 200, "क्या हुआ")
		b.get(page.path+"/draft?clock=none").want(t, "no such clock", 404)
		b.post(page.path+"/close", url.Values{"lessons": {"x"}}).want(t, "closing too early", 409, "clock still runs")
		b.post(page.path+"/step", url.Values{"kind": {"measure"}}).want(t, "a step without words", 422, "Say what was done")
		b.post(page.path+"/step", url.Values{"kind": {"measure"}, "text": {"Wiped it from afar."}}).want(t, "a measure", 200, "Wiped it from afar.")
		for i, c := range clocks {
			kind := []string{"notice", "waived"}[i%2]
			b.post(page.path+"/step", url.Values{"kind": {kind}, "clock": {c[1]}, "text": {"Said so."}}).want(t, kind, 200, "It is written down")
		}
		b.post(page.path+"/count", nil).want(t, "counting", 200, "3 people")
		if got := b.get(page.path + "/people.csv"); got.status != 200 || !got.has("number,country,calls") || strings.Count(got.text, "\n") != 4 {
			t.Errorf("the list is %q", got.text)
		}
		b.post(page.path+"/close", url.Values{"lessons": {"Encrypt laptops."}}).want(t, "closing", 200, "Closing report", "Encrypt laptops.", "Wiped it from afar.")
		b.get("/trust/incidents").want(t, "the list", 200, "Laptop lost", "Closed")
		b.get("/trust/incidents/inc_none").want(t, "no such file", 404)
		other := w.NewOrg(t, "Other")
		w.as(w.memberOf(other, account.PrivacyOfficer, "Otto")).get(page.path).want(t, "another organisation", 404)
	}, schemas()...)
}

func TestNothingGoesToAnAuthorityWithoutTwo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.rang(w.Agent(t, "Asha"), 2)
		one, two := w.as(w.member(account.PrivacyOfficer, "Priya Officer")), w.as(w.member(account.Admin, "Adil"))
		one.get("/trust/legal").want(t, "none yet", 200, "No authority has asked", "No transfer")
		one.get("/trust/legal/new").want(t, "the form", 200, "call.meta")
		one.post("/trust/legal/new", url.Values{"authority": {"Cyber Cell"}, "law": {"BNSS s. 94"}, "categories": {"call.meta"}}).want(t, "nobody named", 422, "whom the request is about")
		page := one.post("/trust/legal/new", url.Values{"authority": {"Cyber Cell"}, "law": {"BNSS s. 94"}, "categories": {"call.meta"}, "persons": {"+919812300000"}}).want(t, "the file", 200, "0 of 2", "98123 00000")
		one.post(page.path+"/disclose", nil).want(t, "too early", 403, "two different members")
		one.post(page.path+"/decide", url.Values{"why": {"x"}}).want(t, "no decision", 422, "approve or refuse")
		one.post(page.path+"/decide", url.Values{"decision": {"approve"}}).want(t, "no reason", 422, "Give the reason")
		if got := one.post(page.path+"/decide", url.Values{"decision": {"approve"}, "why": {"The order is valid."}}).want(t, "one approval", 200, "1 of 2", "The order is valid."); got.has(page.path + "/decide") {
			t.Error("the same member is asked again")
		}
		one.post(page.path+"/decide", url.Values{"decision": {"approve"}, "why": {"Again."}}).want(t, "twice", 409, "somebody else")
		two.post(page.path+"/decide", url.Values{"decision": {"approve"}, "why": {"Checked, too."}}).want(t, "two approvals", 200, "2 of 2")
		got := two.post(page.path+"/disclose", nil)
		if got.status != 200 || got.header.Get("Content-Type") != "application/zip" {
			t.Fatalf("the package gave %d: %s", got.status, got.main())
		}
		two.post(page.path+"/told", nil).want(t, "telling", 200, "It is written down")
		two.post(page.path+"/disclose", nil).want(t, "a closed file", 409)
	}, schemas()...)
}

func TestAPackageForAnAuthorityHoldsTheScopeAlone(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	w.rang(w.Agent(t, "Asha"), 2)
	numbers, err := w.Book.Known(t.Context(), w.DB, w.Org.ID, []string{"+919812300000"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := w.rights.WritePart(t.Context(), w.Org.ID, []subject.Ref{subject.OfNumber(int64(numbers["+919812300000"]))}, rights.Part{Categories: []string{"call.meta"}}, &b); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(z.File) == 0 {
		t.Fatalf("the package has %d files (%v)", len(z.File), err)
	}
	for _, f := range z.File {
		c, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "9812300001") || !strings.Contains(f.Name, "call.meta") {
			t.Errorf("%s holds what was not asked for:\n%s", f.Name, text)
		}
	}
}

func TestATransferIsAnnouncedAndObjectedTo(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	w.rang(w.Agent(t, "Asha"), 1)
	owner := w.owner()
	owner.post("/trust/transfers/new", url.Values{"successor": {"Beta Ltd"}, "contact": {"p@example.com"}, "until": {"2026-05-01"}}).want(t, "too short", 422, "30 days")
	page := owner.post("/trust/transfers/new", url.Values{"successor": {"Beta Ltd"}, "contact": {"p@example.com"}, "until": {"2026-06-01"}}).want(t, "announced", 200, "Beta Ltd", "Announced")
	object := regexp.MustCompile(`href="(/trust/transfers/[^"]+/object)"`).FindStringSubmatch(page.text)[1]
	owner.post(object, nil).want(t, "nobody", 422, "Say who objects")
	owner.post(object, url.Values{"persons": {"+919812300000"}}).want(t, "an objection", 200, "The objection is written down")
	owner.post(strings.TrimSuffix(object, "object")+"withdraw", nil).want(t, "withdrawn", 200, "Withdrawn")
}

func TestGuessesAndNewBrowsersAreListed(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	w.member(account.Manager, "Mira")
	stranger := w.stranger()
	for range 7 {
		stranger.post("/sign-in", url.Values{"email": {"mira@example.com"}, "password": {"wrong words here"}})
	}
	w.owner().get("/trust/incidents").want(t, "guesses", 200, "Too many wrong passwords", "Mira", "127.0.0.1")
}
