package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/prove"
	"parley/web"
)

// proving gives the pages proof runs of two steps, of which the second looks at nothing.
func proving(w *world, d *web.Deps) {
	d.Proofs = prove.New(w.DB, w.Log)
	d.Prove = proveBy(w, d.Proofs, nil)
}

// proveBy makes runs whose second step finds an error.
func proveBy(w *world, proofs *prove.Proofs, found error) func(context.Context, *account.Org, string, *prove.Turn) error {
	return func(ctx context.Context, org *account.Org, actor string, turn *prove.Turn) (err error) {
		defer func() { turn.End(err) }()
		steps := []prove.Step{
			{ID: "lint", Title: "The document", Promises: []string{"P27"}, Run: func(context.Context) ([]string, error) { return []string{"The document was read."}, nil }},
			{ID: "log", Title: "The log", Promises: []string{"P64", "P65"}, Run: func(context.Context) ([]string, error) { return []string{"The log has 7 entries."}, found }},
		}
		r, err := prove.Run(ctx, prove.Report{Org: org.ID, Version: "test"}, steps, w.Now, turn.Said)
		if err != nil {
			return err
		}
		_, err = proofs.Keep(ctx, r, actor)
		return err
	}
}

func TestAProofRunIsBegunShownAndDownloaded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var deps *web.Deps
		w := newWorld(t, d, func(x *web.Deps) { deps = x })
		b := w.as(w.member(account.PrivacyOfficer, "Priya Officer"))
		b.get("/trust/proof").want(t, "before the first", 200, "No proof run yet", "Run now")
		b.get("/trust/proof/report.json").want(t, "no report yet", 404, "not proved yet")
		b.post("/trust/proof/run", nil).want(t, "a run", 200, "has begun", "3 promises", "all of them hold", "The policy holds", "The log has 7 entries.", "Apr")
		w.as(w.member(account.Manager, "Mina")).post("/trust/proof/run", nil).want(t, "a manager", 403)

		page := b.get("/trust/proof?result=proved")
		if !page.has(`id="P64"`) || page.has(`id="P1"`) || page.has(`id="P4"`) {
			t.Errorf("narrowed to what was proved: %s", page.main())
		}
		if page = b.get("/trust/proof?result=open"); page.has(`id="P64"`) || !page.has(`id="P4"`) {
			t.Errorf("narrowed to what is open: %s", page.main())
		}
		b.get("/trust/proof?result=broken").want(t, "nothing broken", 200, "There are no such promises")

		file := b.get("/trust/proof/report.json")
		if r, err := prove.Verify([]byte(file.text), ""); err != nil || !r.Passed || !strings.Contains(file.header.Get("Content-Disposition"), "proof-2026-") {
			t.Errorf("the file is no signed report: %v, %v", err, file.header)
		}
		other := w.NewOrg(t, "Other")
		w.as(w.memberOf(other, account.PrivacyOfficer, "Otto")).get("/trust/proof").want(t, "another organisation", 200, "No proof run yet")

		w.Clock.Advance(time.Hour)
		turn, err := deps.Proofs.Begin(w.Org.ID, w.Now())
		if err != nil {
			t.Fatal(err)
		}
		if err := proveBy(w, deps.Proofs, prove.Fail("P65", "A key did not rotate."))(t.Context(), w.Org, "", turn); err != nil {
			t.Fatal(err)
		}
		broken := b.get("/trust/proof").want(t, "a broken promise", 200, "1 promise was found broken", "Something is broken", "A key did not rotate.")
		if at := strings.Index(broken.text, `id="P65"`); at < 0 || at > strings.Index(broken.text, `id="P64"`) || at > strings.Index(broken.text, `id="P1"`) {
			t.Errorf("the broken promise does not stand first: %s", broken.main())
		}
	}, schemas()...)
}

func TestOneProofRunIsMadeAtATimeAndItsProgressIsShown(t *testing.T) {
	var deps *web.Deps
	w := newWorld(t, dbtest.SQLite(t, schemas()...), func(x *web.Deps) { deps = x })
	b := w.owner()
	turn, err := deps.Proofs.Begin(w.Org.ID, w.Now())
	if err != nil {
		t.Fatal(err)
	}
	turn.Said(2, 9, "Canary")
	page := b.get("/trust/proof").want(t, "under way", 200, `hx-get="/trust/proof/progress"`, "Step 3 of 9")
	if page.has("Run now") {
		t.Error("a second run is offered")
	}
	b.get("/trust/proof/progress").want(t, "the progress", 200, "Step 3 of 9", "hx-get")
	b.post("/trust/proof/run", nil).want(t, "a second run", 200, "under way already")
	other := w.NewOrg(t, "Other")
	w.as(w.memberOf(other, account.Owner, "Otto")).post("/trust/proof/run", nil).want(t, "a run of others", 200, "another organisation")
	turn.End(errors.New("secret detail"))
	if got := b.get("/trust/proof").want(t, "a run that ended badly", 200, "made no report", "Run now"); got.has("secret detail") {
		t.Error("an inner error is shown")
	}
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+"/trust/proof/progress", nil)
	if err == nil {
		r.Header.Set("HX-Request", "true")
	}
	if got := b.do(r, err); got.header.Get("HX-Redirect") != "/trust/proof" {
		t.Errorf("the end of a run gave %d, %v", got.status, got.header)
	}
}

func TestThePublicSeesHowPromisesStandUnlessTheOwnerSaysNo(t *testing.T) {
	var deps *web.Deps
	w := newWorld(t, dbtest.SQLite(t, schemas()...), func(x *web.Deps) { deps = x })
	name, err := w.Policies.Name(t.Context(), w.Org.ID)
	if err != nil {
		t.Fatal(err)
	}
	home := "/privacy/" + name
	stranger := w.stranger()
	stranger.get(home).want(t, "before the first run", 200, "No such run was made yet")
	stranger.get(home+"/proof").want(t, "the page before the first run", 200, "No proof run yet")
	run := func(found error) {
		t.Helper()
		turn, err := deps.Proofs.Begin(w.Org.ID, w.Now())
		if err == nil {
			err = proveBy(w, deps.Proofs, found)(t.Context(), w.Org, "", turn)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run(nil)
	stranger.get(home).want(t, "all kept", 200, "tried 3 of its promises", "All of them hold", "Keys rotate without rewriting content", home+"/proof")
	w.Clock.Advance(48 * time.Hour)
	run(prove.Fail("P65", "A key did not rotate."))
	page := stranger.get(home).want(t, "one broken", 200, "Broken promises: 1", "BROKEN", "15 April 2026", "17 April 2026")
	if page.has("A key did not rotate.") {
		t.Error("the privacy page tells what a step found")
	}
	proof := stranger.get(home+"/proof").want(t, "the page", 200, "1 promise was found broken", "Broken", "Proved", "Tested")
	if proof.has("7 entries") || proof.has("did not rotate") || proof.has("report.json") || proof.header.Get("Set-Cookie") != "" {
		t.Errorf("the public page tells what is inside: %s", proof.main())
	}
	stranger.get(home+"/proof?lang=hi").want(t, "in Hindi", 200, "सामग्री दोबारा लिखे बिना कुंजियाँ बदलती हैं", "टूटा")
	stranger.get(home+"/v/0").want(t, "the version in force by its number", 200, "BROKEN")

	w.as(w.member(account.PrivacyOfficer, "Priya Officer")).post("/trust/proof/publish", nil).want(t, "who may not", 403)
	owner := w.owner()
	owner.post("/trust/proof/publish", nil).want(t, "hiding it", 200, "does not show it any more", "Show it to everybody")
	if stranger.get(home).has("BROKEN") {
		t.Error("the privacy page shows what the owner hides")
	}
	stranger.get(home+"/proof").want(t, "hidden", 404, "does not show")
	owner.post("/trust/proof/publish", url.Values{"on": {"yes"}}).want(t, "showing it", 200, "shows how the promises stand")
	stranger.get(home+"/proof").want(t, "shown again", 200, "Broken")
	stranger.get("/privacy/nobody/proof").want(t, "nobody", 404)
}
