package web_test

import (
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/attest"
	"parley/web"
)

// attested gives the pages what people attest, of a program of one library.
func attested(w *world, d *web.Deps) {
	d.Attested = attest.New(w.DB, w.Keys, w.Log, w.Holds.Check, "v1.2.0", w.Now)
	d.Bill = func() (*attest.Bill, error) {
		return &attest.Bill{Program: "parley", Version: "v1.2.0", Go: "go1.26.0", Revision: "abc123", Parts: []attest.Part{{Path: "example.com/library", Version: "v0.9.0"}}}, nil
	}
}

func TestAnOfficerAttestsAnAudit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		b := w.as(w.member(account.PrivacyOfficer, "Priya Officer"))
		b.get("/trust/attestations").want(t, "an empty list", 200, "Nothing is on the list yet", "Nothing is overdue")
		b.get("/trust/attestations/new").want(t, "the form", 200, "Scan of the release", "Priya Officer")
		day := func(n int) string { return w.Now().AddDate(0, 0, n).Format("2006-01-02") }
		good := url.Values{"kind": {"audit"}, "title": {"Audit of access"}, "due": {day(10)}, "every": {"365"}}
		for field, bad := range map[string]struct{ value, says string }{
			"kind": {"party", "no kind of duty"}, "title": {" ", "what is to be done"}, "due": {"", "Give the day"}, "every": {"often", "whole number"}, "member": {"mem_x", "Only a training"},
		} {
			form := url.Values{}
			maps.Copy(form, good)
			form.Set(field, bad.value)
			b.post("/trust/attestations/new", form).want(t, "a bad "+field, 422, bad.says, `href="#f-`+field+`"`)
		}
		page := b.post("/trust/attestations/new", good).want(t, "added", 200, "It is on the list", "Audit of access", "Nothing was attested yet", "365 days")
		w.Clock.Advance(11 * 24 * time.Hour)
		b.get("/trust/attestations").want(t, "an overdue one", 200, "1 is overdue", "Overdue", "never")
		b.post(page.path, url.Values{"result": {"findings"}}).want(t, "findings without a note", 422, "Say what was found")
		b.post(page.path, url.Values{"result": {"passed"}, "done": {day(3)}}).want(t, "a day to come", 422, "lies in the future")
		b.get(page.path+"/statement").want(t, "no statement yet", 404)
		b.post(page.path, url.Values{"result": {"findings"}, "done": {day(-1)}, "note": {"Two accounts too many"}}).want(t, "signed", 200, "the audit log has signed it", "With findings", "Two accounts too many", "Priya Officer")
		b.get("/trust/attestations").want(t, "in time again", 200, "Nothing is overdue", "With findings")
		text := b.get(page.path+"/statement").want(t, "the statement", 200).text
		key, err := w.Log.Key(t.Context(), int64(w.Org.ID))
		if err != nil {
			t.Fatal(err)
		}
		if s, _, err := attest.Verify([]byte(text), key); err != nil || s.Title != "Audit of access" {
			t.Errorf("the statement is %+v (%v)", s, err)
		}
		b.get("/trust/attestations/materials").want(t, "the bill of materials", 200, "example.com/library", "v0.9.0", "abc123", "<strong>1</strong>")
		if file := b.get("/trust/attestations/materials.json").want(t, "as a file", 200, "CycloneDX", "pkg:golang/example.com/library@v0.9.0"); !strings.Contains(file.header.Get("Content-Disposition"), "materials.json") {
			t.Errorf("the file is sent as %s", file.header.Get("Content-Disposition"))
		}
		b.post(page.path+"/drop", nil).want(t, "dropped", 200, "It is off the list", "Nothing is on the list yet")
		b.get(page.path).want(t, "gone", 404)
	}, schemas()...)
}
