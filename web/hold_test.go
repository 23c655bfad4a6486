package web_test

import (
	"maps"
	"net/url"
	"strings"
	"testing"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/subject"
)

func TestAHoldIsMadeExtendedAndReleased(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		officer := w.member(account.PrivacyOfficer, "Priya Officer")
		b := w.as(officer)
		b.get("/trust/holds").want(t, "no holds yet", 200, "Nothing is held", "Erasing a person on request")
		b.get("/trust").want(t, "the start", 200)
		b.get("/trust/holds/new").want(t, "the form", 200, "call.meta", "Priya Officer")
		good := url.Values{"scope": {"case"}, "case": {"CS 12/2026"}, "persons": {"98123 00001\n+91 98123 00002\n"}, "member": {string(officer.ID)}, "categories": {"call.meta", "call.note"}, "reason": {"Dispute over an order"}, "owner": {string(officer.ID)}, "ends": {"2026-12-31"}}
		for _, bad := range []struct{ field, value, says string }{
			{"owner", "", "answers for the hold"}, {"ends", "", "the day on which the hold ends"}, {"ends", "2026-01-01", "in the past"}, {"ends", "soon", "is not a day"}, {"reason", "", "Give the reason"}, {"persons", "nobody", "is not a phone number"},
			{"case", "", "name or number of the case"}, {"member", "mem_none", "no such member"}, {"scope", "all", "choose person, case or category"},
		} {
			form := url.Values{}
			maps.Copy(form, good)
			form[bad.field] = []string{bad.value}
			if got := b.post("/trust/holds/new", form); got.status != 422 || !strings.Contains(strings.ToLower(got.text), strings.ToLower(bad.says)) {
				t.Errorf("a hold with %s=%q gave %d:\n%s", bad.field, bad.value, got.status, got.main())
			}
		}
		page := b.post("/trust/holds/new", good).want(t, "the hold", 200, "CS 12/2026", "In force", "+91 98123 00001", "+91 98123 00002", "Dispute over an order", "Priya Officer", "It stopped nothing yet")
		ids, err := w.Book.Known(t.Context(), d, w.Org.ID, []string{"+919812300001"})
		if err != nil {
			t.Fatal(err)
		}
		del := hold.Deletion{Who: []subject.Ref{subject.OfNumber(int64(ids["+919812300001"]))}, Category: "call.meta", Path: hold.RightsErase}
		if err := w.Holds.Check(t.Context(), d, w.Org.ID, del); fault.KindOf(err) != fault.Conflict {
			t.Errorf("the hold stops nothing: %v", err)
		}
		b.get(page.path).want(t, "after a refusal", 200, "Erasing a person on request")
		b.get("/trust/holds").want(t, "the list", 200, "CS 12/2026", "1 hold")
		b.post(page.path+"/extend", url.Values{"ends": {"2025-01-01"}}).want(t, "an end in the past", 422, "in the past")
		b.post(page.path+"/extend", url.Values{"ends": {"2027-06-30"}}).want(t, "extending", 200, "30 Jun 2027")
		b.post(page.path+"/release", nil).want(t, "without a reason", 422, "Give the reason")
		if got := b.post(page.path+"/release", url.Values{"reason": {"settled"}}).want(t, "releasing", 200, "Released", "settled"); strings.Contains(got.text, "/release") {
			t.Error("a released hold can be released again")
		}
		if err := w.Holds.Check(t.Context(), d, w.Org.ID, del); err != nil {
			t.Errorf("a released hold stops a deletion: %v", err)
		}
		b.post(page.path+"/release", url.Values{"reason": {"again"}}).want(t, "releasing twice", 409)
		w.owner().get("/trust/holds/hld_none").want(t, "no such hold", 404)
	}, schemas()...)
}
