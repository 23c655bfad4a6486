package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/account"
	"parley/platform/audit"
)

// entries are those of the house's log since a position, the oldest first.
func (h *house) entries(t *testing.T, since int64) []audit.Record {
	t.Helper()
	all, _, err := h.Log.List(t.Context(), int64(h.Org.ID), audit.Filter{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(r audit.Record) bool { return r.N < since })
}

func (h *house) logSize(t *testing.T) int64 {
	t.Helper()
	n, err := h.Log.Size(t.Context(), int64(h.Org.ID))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestEveryOperationIsLoggedOrKnownToShowNobody reads the whole table of operations.
func TestEveryOperationIsLoggedOrKnownToShowNobody(t *testing.T) {
	nobody := []string{"GET /me", "GET /me/seen", "GET /organisation", "GET /teams", "GET /teams/{team}", "GET /device-settings", "GET /tags",
		"GET /metrics", "GET /reports", "GET /imports", "GET /imports/{import}", "GET /tokens", "GET /sessions", "GET /audit/checkpoint", "GET /audit/growth",
		"POST /imports/detect", "POST /audit/cosignatures",
		"GET /policy", "GET /policy/versions", "GET /policy/versions/{version}", "GET /policy/texts/{text}", "POST /policy/check", "POST /policy/versions", "GET /proof", "POST /proof", "GET /materials",
		"GET /contact-tags", "GET /lead-tags", "GET /lead-views", "POST /lead-views", "GET /lead-views/{view}", "PUT /lead-views/{view}", "DELETE /lead-views/{view}", "GET /fields", "GET /pipelines", "GET /lead-reasons", "GET /lead-lines", "GET /contact-groups", "GET /follow-up-settings",
		"GET /notices", "POST /notices/seen", "GET /assignment/rules", "GET /assignment/rescues", "GET /assignment/closed-days", "GET /lists", "GET /lists/{list}", "POST /lists/detect"}
	patterns := map[string]bool{}
	for _, r := range Routes() {
		pattern := r.Method + " " + strings.TrimPrefix(r.Path, root)
		patterns[pattern] = true
		open := r.Needs == NeedsNothing || r.Needs == NeedsDevice
		if !open && (r.Logs == "") != slices.Contains(nobody, pattern) || open && r.Logs != "" {
			t.Errorf("%s (%s) writes %q to the audit log", pattern, r.Needs, r.Logs)
		}
		if r.Logs != "" && !slices.Contains(audit.Actions(), r.Logs) {
			t.Errorf("%s logs %q, which has no words", pattern, r.Logs)
		}
	}
	for pattern := range traces() {
		if !patterns[pattern] {
			t.Errorf("there is no operation %s", pattern)
		}
	}
}

// TestWhoeverIsRefusedByTheAPIStandsInTheLog asks every operation with a token that may not: the gate logs it.
func TestWhoeverIsRefusedByTheAPIStandsInTheLog(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner, err := h.Accounts.Owner(t.Context(), h.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		narrow := h.token(t, h.Org, owner.ID, account.ReadOwn)
		tried := 0
		for _, r := range Routes() {
			if r.Logs == "" || r.Needs == string(account.ReadOwn) {
				continue
			}
			tried++
			h.Clock.Advance(audit.Once)
			since := h.logSize(t)
			h.do(t, narrow, r.Method, concrete(r.Path), nil).problem(t, http.StatusForbidden)
			got := h.entries(t, since)
			if len(got) != 1 || got[0].Actor != string(owner.ID) || got[0].Action != r.Logs || got[0].Result != audit.Denied || got[0].Details["token"] == "" {
				t.Errorf("%s %s, refused, left %+v", r.Method, r.Path, got)
			}
		}
		if tried < 40 {
			t.Errorf("only %d operations were tried", tried)
		}
	})
}

func TestLooksExportsAndChangesByTheAPIAreLogged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ravi := h.Agent(t, "Ravi")
		dev := h.pairedPhone(t, ravi)
		call := h.syncOne(t, dev, SyncCall{Number: "9812345678", Type: "incoming", Start: "2026-04-15T10:00:00+05:30", Seconds: 30})
		var found Page[Number]
		h.get(t, "/numbers?q=9812345678", &found)
		me, them := "member/"+string(ravi.ID), "number/1"
		for _, x := range []struct {
			method, path string
			body         any
			want         []string // action and person
		}{
			{"GET", "/calls?agent=" + string(ravi.ID), nil, []string{"calls.listed " + me}},
			{"GET", "/calls/" + call.ID, nil, []string{"call.opened " + them, "call.opened " + me}},
			{"GET", "/calls/" + call.ID, nil, nil}, // again within five minutes
			{"GET", "/numbers/" + string(found.Items[0].ID), nil, []string{"number.opened " + them}},
			{"GET", "/numbers/none", nil, nil},
			{"GET", "/members/" + string(ravi.ID), nil, []string{"person.opened " + me}},
			{"GET", "/reports/hours", nil, nil},
			{"GET", "/reports/clients", nil, []string{"report.opened "}},
			{"GET", "/reports/clients?format=csv", nil, []string{"export.made "}},
			{"GET", "/reports/clients?format=csv", nil, []string{"export.made "}},
			{"GET", "/metrics", nil, nil},
			{"PATCH", "/calls/" + call.ID, map[string]string{"note": "wants more"}, []string{"call.changed " + them, "call.changed " + me}},
			{"GET", "/search?q=wants+mo", nil, []string{"search.made " + them, "search.made " + me}},
			{"PATCH", "/members/" + string(ravi.ID), map[string]string{"role": "viewer"}, []string{"member.changed " + me}},
			{"PATCH", "/members/" + string(ravi.ID), map[string]string{"role": "emperor"}, nil},
			{"POST", "/teams", TeamName{"Sales"}, []string{"team.changed "}},
		} {
			since := h.logSize(t)
			h.do(t, h.owner, x.method, root+x.path, x.body)
			var got []string
			for _, e := range h.entries(t, since) {
				got = append(got, string(e.Action)+" "+e.About)
			}
			if x.method == "PATCH" && len(got) == 1 && h.entries(t, since)[0].Details["role"] != "viewer" {
				t.Errorf("the role that was given is not kept: %+v", h.entries(t, since))
			}
			if !slices.Equal(got, x.want) {
				t.Errorf("%s %s left %q, want %q", x.method, x.path, got, x.want)
			}
		}
		since := h.logSize(t)
		for range 2 {
			h.do(t, h.owner, http.MethodPost, root+"/teams", TeamName{"Support"}, idempotencyHeader, "one").read(t, http.StatusCreated, nil)
		}
		if got := h.entries(t, since); len(got) != 1 {
			t.Errorf("one write, sent twice, left %+v", got)
		}
		h.syncOne(t, dev, SyncCall{Number: "9812345679", Type: "incoming", Start: "2026-04-15T11:00:00+05:30", Seconds: 30})
		if got := h.entries(t, since); len(got) != 1 {
			t.Errorf("a phone that syncs left %+v", got)
		}
	})
}

func TestTheLogByTheAPI(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ravi, token := h.member(t, "Ravi", account.Agent)
		h.get(t, "/members/"+string(ravi.ID), nil)
		h.send(t, http.MethodPost, "/teams", TeamName{"Sales"}, http.StatusCreated, nil)
		var page LogPage
		h.get(t, "/audit/entries?about=member/"+string(ravi.ID), &page)
		if len(page.Items) != 1 || page.Items[0].Action != audit.PersonOpened || page.Items[0].Details["token"] == "" {
			t.Fatalf("%+v", page)
		}
		h.get(t, "/audit/entries?action=team.changed&action=call.opened&limit=1&from=2026-01-01T00:00:00Z", &page)
		if len(page.Items) != 1 || page.Items[0].Action != audit.TeamChanged || page.Next != 0 {
			t.Errorf("%+v", page)
		}
		var seen LogPage
		h.do(t, token, http.MethodGet, root+"/me/seen", nil).read(t, http.StatusOK, &seen)
		if len(seen.Items) != 1 || seen.Items[0].Action != audit.PersonOpened {
			t.Errorf("who looked at Ravi: %+v", seen)
		}
		var proof audit.Proof
		h.get(t, "/audit/entries/0/proof", &proof)
		if _, err := proof.Check(proof.Key); err != nil {
			t.Error(err)
		}
		h.do(t, h.owner, http.MethodGet, root+"/audit/entries/999/proof", nil).problem(t, http.StatusNotFound)
		var c Checkpoint
		h.get(t, "/audit/checkpoint", &c)
		h.send(t, http.MethodPost, "/teams", TeamName{"Support"}, http.StatusCreated, nil)
		text := h.get(t, "/audit/growth?from=1", nil).text
		var g audit.Growth
		if err := json.Unmarshal([]byte(text), &g); err != nil || g.Old != 1 {
			t.Errorf("%v in %s", err, text)
		}
		var v Verified
		h.send(t, http.MethodPost, "/audit/verify", nil, http.StatusOK, &v)
		if !v.Whole || v.Entries < c.Size {
			t.Errorf("%+v", v)
		}
		file := h.get(t, "/audit/log", nil)
		found, err := audit.Verify(strings.NewReader(file.text), audit.Known{Key: c.Key, Checkpoints: []string{c.Note}})
		if err != nil || !found.OK() || !strings.Contains(file.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%+v, %v", found, err)
		}
		h.do(t, h.owner, http.MethodPost, root+"/audit/cosignatures", Cosignature{Note: c.Note, Key: c.Key}).problem(t, http.StatusUnprocessableEntity)
	})
}

func TestWhatCannotBeLoggedIsNotAnswered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ravi := h.Agent(t, "Ravi")
		if _, err := h.DB.Exec(t.Context(), `ALTER TABLE audit_entries RENAME TO away`); err != nil {
			t.Fatal(err)
		}
		got := h.do(t, h.owner, http.MethodGet, root+"/members/"+string(ravi.ID), nil)
		got.problem(t, http.StatusServiceUnavailable)
		if strings.Contains(got.text, "Ravi") {
			t.Errorf("shown all the same: %s", got.text)
		}
	})
}
