package api

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/platform/phone"
	"parley/trust/incident"
	"parley/trust/law"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/subject"
)

// sweeping gives the API retention over the World's calls, and the files of incidents, as app does.
func sweeping(t *testing.T, w *calltest.World, d *Deps) {
	t.Helper()
	doc := func(context.Context, account.OrgID) (*policy.Document, error) { return policy.Shipped() }
	d.Retain = retain.New(retain.Deps{
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
		t.Fatal(err)
	}
	d.Incidents = incident.New(incident.Deps{
		DB: w.DB, Keys: w.Keys, Accounts: w.Accounts, Log: w.Log, Laws: laws, Policy: doc, Now: w.Now,
		Affected: func(ctx context.Context, org *account.Org, s incident.Scope) (out []incident.Person, err error) {
			all, err := w.Calls.Concerned(ctx, org.ID, s.From, s.To, nil)
			for _, c := range all {
				out = append(out, incident.Person{Who: subject.OfNumber(int64(c.Number)), Number: "+9198123000", Country: phone.Country("+919812300000"), Calls: c.Calls})
			}
			return out, err
		},
	})
}

func TestRetentionForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, _ := h.member(t, "Asha", account.Agent)
		var items []ingest.Item
		for n := range 12 {
			items = append(items, ingest.Item{Agent: asha.Agent, Line: 1, Start: h.Now().Add(-time.Hour), Number: "+91981230001" + string(rune('0'+n%10)) + string(rune('0'+n/10)), Direction: call.TypeIncoming.Direction(), Type: call.TypeIncoming, Seconds: 5, Ref: int64(n + 1)})
		}
		h.Put(t, items...)
		var st Retention
		h.send(t, http.MethodGet, "/retention", nil, http.StatusOK, &st)
		if len(st.Rules) < 10 || len(st.Waiting) != 0 || st.LastRun != nil {
			t.Errorf("retention stands at %+v", st)
		}
		h.Clock.Advance(366 * 24 * time.Hour)
		var plans []RetentionPlan
		h.send(t, http.MethodGet, "/retention/plan", nil, http.StatusOK, &plans)
		rows := int64(0)
		for _, p := range plans {
			rows += p.Rows
		}
		if rows == 0 || plans[0].ID != "" {
			t.Errorf("the plan is %+v", plans)
		}
		if _, err := h.api.Retain.Run(t.Context(), h.Org.ID); err != nil {
			t.Fatal(err)
		}
		h.send(t, http.MethodGet, "/retention", nil, http.StatusOK, &st)
		var stopped *RetentionPlan
		for i := range st.Waiting {
			if st.Waiting[i].Stopped {
				stopped = &st.Waiting[i]
			}
		}
		if stopped == nil || len(st.Alarms) == 0 {
			t.Fatalf("nothing waits for a person: %+v", st.Waiting)
		}
		h.send(t, http.MethodPost, "/retention/plans/"+stopped.ID+"/confirm", PlanConfirmation{Digest: "00"}, http.StatusConflict, nil)
		h.send(t, http.MethodPost, "/retention/plans/none/confirm", PlanConfirmation{Digest: "00"}, http.StatusNotFound, nil)
		var got RetentionPlan
		h.send(t, http.MethodPost, "/retention/plans/"+stopped.ID+"/confirm", PlanConfirmation{Digest: stopped.Digest}, http.StatusOK, &got)
		if got.Stopped {
			t.Errorf("it still waits: %+v", got)
		}
		h.Clock.Advance(3 * 24 * time.Hour)
		if _, err := h.api.Retain.Run(t.Context(), h.Org.ID); err != nil {
			t.Fatal(err)
		}
		var archived Page[ArchivedItem]
		h.send(t, http.MethodGet, "/archive", nil, http.StatusOK, &archived)
		if len(archived.Items) == 0 {
			t.Fatal("nothing was archived")
		}
		var item ArchivedItem
		h.send(t, http.MethodGet, "/archive/"+archived.Items[0].ID, nil, http.StatusOK, &item)
		if !json.Valid(item.Content) {
			t.Errorf("the item holds %q", item.Content)
		}
		var list Page[RetentionPlan]
		h.send(t, http.MethodGet, "/retention/plans", nil, http.StatusOK, &list)
		if len(list.Items) == 0 {
			t.Error("no plan is listed")
		}
		var reviews Page[ArchiveReview]
		h.send(t, http.MethodGet, "/archive-reviews", nil, http.StatusOK, &reviews)
		h.send(t, http.MethodPost, "/archive-reviews/none/decide", ReviewDecision{Decision: "keep"}, http.StatusNotFound, nil)
	})
}

func TestIncidentsForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.send(t, http.MethodPost, "/incidents", NewIncident{Title: "Laptop lost", Places: []string{"Germany"}}, http.StatusUnprocessableEntity, nil)
		h.send(t, http.MethodPost, "/incidents", NewIncident{Title: "Laptop lost", From: "2026-03-02", To: "2026-03-01"}, http.StatusUnprocessableEntity, nil)
		var i Incident
		h.send(t, http.MethodPost, "/incidents", NewIncident{Title: "Laptop lost", What: "In a train.", Categories: []string{"call.meta"}, From: "2026-03-01", To: "2026-03-01"}, http.StatusCreated, &i)
		if len(i.Clocks) == 0 || i.People == nil || i.State != incident.Open {
			t.Fatalf("the file is %+v", i)
		}
		var draft NoticeDraft
		h.send(t, http.MethodGet, "/incidents/"+i.ID+"/draft?language=hi&clock="+i.Clocks[0].Key, nil, http.StatusOK, &draft)
		if draft.Text == "" {
			t.Error("the draft is empty")
		}
		h.send(t, http.MethodPost, "/incidents/"+i.ID+"/close", IncidentEnd{Lessons: "x"}, http.StatusConflict, nil)
		for _, c := range i.Clocks {
			h.send(t, http.MethodPost, "/incidents/"+i.ID+"/steps", NewStep{Kind: "waived", Clock: c.Key, Text: "It was encrypted."}, http.StatusOK, nil)
		}
		h.send(t, http.MethodPost, "/incidents/"+i.ID+"/count", nil, http.StatusOK, nil)
		h.send(t, http.MethodGet, "/incidents/"+i.ID+"/people", nil, http.StatusOK, nil)
		h.send(t, http.MethodPost, "/incidents/"+i.ID+"/close", IncidentEnd{Lessons: "Encrypt laptops."}, http.StatusOK, &i)
		if i.Report == "" || i.State != incident.Closed {
			t.Errorf("the file is %+v", i)
		}
		var all Page[Incident]
		h.send(t, http.MethodGet, "/incidents", nil, http.StatusOK, &all)
		if len(all.Items) != 1 {
			t.Errorf("%d files are listed", len(all.Items))
		}
		h.send(t, http.MethodPost, "/legal-requests", NewLegalRequest{Authority: "Cyber Cell", Law: "BNSS s. 94", Categories: []string{"call.meta"}}, http.StatusUnprocessableEntity, nil)
		var q LegalRequest
		h.send(t, http.MethodPost, "/legal-requests", NewLegalRequest{Authority: "Cyber Cell", Law: "BNSS s. 94", Categories: []string{"call.meta"}, Numbers: []string{"+919812300001"}}, http.StatusCreated, &q)
		if q.Approvals != 0 || len(q.Persons) != 1 {
			t.Errorf("the request is %+v", q)
		}
		h.send(t, http.MethodGet, "/legal-requests", nil, http.StatusOK, nil)
		h.send(t, http.MethodGet, "/security-events", nil, http.StatusOK, nil)
	})
}

func TestClosingForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.send(t, http.MethodPost, "/organisation/close", ClosingOrder{Days: 31}, http.StatusUnprocessableEntity, nil)
		var c Closing
		h.send(t, http.MethodPost, "/organisation/close", ClosingOrder{Days: 7}, http.StatusOK, &c)
		if !c.Closing || c.ClosesAt == nil || !c.ClosesAt.Equal(h.Now().AddDate(0, 0, 7)) {
			t.Errorf("closing is %+v", c)
		}
		h.send(t, http.MethodGet, "/calls", nil, http.StatusOK, nil)
		h.send(t, http.MethodPost, "/teams", map[string]string{"name": "New"}, http.StatusForbidden, nil)
		var open Closing
		h.send(t, http.MethodPost, "/organisation/reopen", nil, http.StatusOK, &open)
		if open.Closing {
			t.Errorf("after reopening it is %+v", open)
		}
		h.send(t, http.MethodPost, "/teams", map[string]string{"name": "New"}, http.StatusCreated, nil)
	})
}
