package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/crm/funnel"
)

// aDay is a day with one caller who was reached and one who was not, both at two agents.
func (h *house) aDay(t *testing.T) (asha, ravi *account.Member) {
	t.Helper()
	asha, ravi = h.Agent(t, "Asha"), h.Agent(t, "Ravi")
	h.Put(t, h.item(t, asha, "09:00", "9812345678", call.TypeMissed, 0), h.item(t, ravi, "09:30", "9812345678", call.TypeOutgoing, 60),
		h.item(t, asha, "10:00", "9800000077", call.TypeMissed, 0), h.item(t, asha, "10:30", "9800000077", call.TypeOutgoing, 0))
	return asha, ravi
}

func TestEveryReportComesAsJSONAndAsAFile(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, _ := h.aDay(t)
		const days = "?from=2026-04-15&to=2026-04-16"
		for _, id := range report.IDs() {
			var head report.Head
			r := h.get(t, "/reports/"+string(id)+days, &head)
			if head.Report != id || head.From != "2026-04-15" || head.To != "2026-04-16" || head.Zone != "Asia/Kolkata" || r.Header.Get("Content-Disposition") != "" {
				t.Errorf("%s begins %+v", id, head)
			}
			for _, format := range []string{"csv", "xlsx", "json"} {
				r := h.get(t, "/reports/"+string(id)+days+"&format="+format, nil)
				if !strings.Contains(r.Header.Get("Content-Disposition"), "."+format) || len(r.text) == 0 {
					t.Errorf("%s as %s: %v", id, format, r.Header)
				}
			}
		}
		var sum struct{ Metrics map[stats.MetricID]*float64 }
		h.get(t, "/reports/summary"+days+"&agent="+string(asha.ID), &sum)
		if len(sum.Metrics) != len(stats.Metrics()) || *sum.Metrics["calls"] != 3 || *sum.Metrics["never_attended_clients"] != 2 {
			t.Errorf("Asha's summary: %v", sum.Metrics)
		}
		h.get(t, "/reports/summary"+days, &sum)
		if *sum.Metrics["never_attended_clients"] != 1 {
			t.Errorf("the organisation's summary: %v", *sum.Metrics["never_attended_clients"])
		}
		r := h.do(t, h.owner, http.MethodGet, root+"/reports/calls"+days, nil, "Accept", "text/csv")
		if r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv") {
			t.Errorf("by Accept: %d %v", r.StatusCode, r.Header)
		}
		p := h.do(t, h.owner, http.MethodGet, root+"/reports/nonsense", nil).problem(t, http.StatusNotFound)
		if !strings.Contains(p.Detail, "leaderboard") {
			t.Errorf("an unknown report: %s", p.Detail)
		}
		p = h.do(t, h.owner, http.MethodGet, root+"/reports/summary?from=15.4.2026&type=incomming", nil).problem(t, http.StatusUnprocessableEntity)
		if len(p.Errors) == 0 || p.Errors[0].Field == "" {
			t.Errorf("wrong words: %+v", p)
		}
		p = h.do(t, h.owner, http.MethodGet, root+"/reports/summary?form=2026-04-15", nil).problem(t, http.StatusUnprocessableEntity)
		if !strings.Contains(p.Detail, `"form"`) || p.Errors[0].In != "query" {
			t.Errorf("a misspelt parameter: %+v", p)
		}
	})
}

func TestTakingAReportOutNeedsItsPermission(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.aDay(t)
		_, viewer := h.member(t, "Vera", account.Viewer)
		h.do(t, viewer, http.MethodGet, root+"/reports/leaderboard", nil).read(t, http.StatusOK, nil)
		h.do(t, viewer, http.MethodGet, root+"/reports/leaderboard?format=csv", nil).problem(t, http.StatusForbidden)
		h.do(t, viewer, http.MethodGet, root+"/reports/leaderboard", nil, "Accept", "text/csv").problem(t, http.StatusForbidden)
		owner, err := h.Accounts.Owner(t.Context(), h.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		figures := h.token(t, h.Org, owner.ID, account.ReadReports)
		h.do(t, figures, http.MethodGet, root+"/reports/summary", nil).read(t, http.StatusOK, nil)
		h.do(t, figures, http.MethodGet, root+"/reports/missed", nil).problem(t, http.StatusForbidden)
		h.do(t, figures, http.MethodGet, root+"/calls", nil).problem(t, http.StatusForbidden)
	})
}

func TestMissedCallersAreListedAndHandled(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, _ := h.aDay(t)
		var list People
		const missed = "/people?list=missed&from=2026-04-15&to=2026-04-16"
		h.get(t, missed, &list)
		if list.Total != 2 || list.ByState[stats.Attempted] != 1 || list.ByState[stats.RecoveredByUs] != 1 {
			t.Fatalf("missed: %+v", list)
		}
		h.get(t, missed+"&state=open,attempted", &list)
		if len(list.Items) != 1 {
			t.Fatalf("who waits: %+v", list)
		}
		p := list.Items[0]
		if p.Number != "+919800000077" || p.Recovery == nil || p.Recovery.Attempts != 1 || p.Recovery.Waiting != 7200 || p.Recovery.Suggested == nil || p.Recovery.Suggested.Agent.ID != asha.ID {
			t.Errorf("who waits: %+v, %+v", p, p.Recovery)
		}
		var n Number
		number := "/numbers/" + string(p.ID)
		h.send(t, http.MethodPost, number+"/callback/assign", Assignment{asha.ID}, http.StatusOK, &n)
		if n.Callback == nil || n.Callback.State != "assigned" || n.Callback.AssignedTo.ID != asha.ID || n.Figures.Calls != 2 {
			t.Errorf("assigned: %+v", n)
		}
		h.send(t, http.MethodPost, number+"/callback/handle", Handling{"Came by"}, http.StatusOK, &n)
		h.get(t, missed+"&state=settled", &list)
		if len(list.Items) != 1 || list.Items[0].Callback.Note != "Came by" {
			t.Errorf("settled: %+v", list)
		}
		h.send(t, http.MethodPost, number+"/callback/reopen", nil, http.StatusOK, &n)
		if n.Callback.State != "assigned" {
			t.Errorf("reopened: %+v", n.Callback)
		}
		h.do(t, h.owner, http.MethodGet, root+missed+"&state=lost", nil).problem(t, http.StatusUnprocessableEntity)
		h.do(t, h.owner, http.MethodGet, root+"/people", nil).problem(t, http.StatusUnprocessableEntity)
	})
}

func TestHistoryIsPagedAndFiltered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.aDay(t)
		var all []string
		cursor := ""
		for {
			var page Page[Call]
			h.get(t, "/calls?from=2026-04-15&to=2026-04-16&limit=3&cursor="+cursor, &page)
			for _, c := range page.Items {
				all = append(all, c.Start.Format("15:04"))
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if got := strings.Join(all, " "); got != "10:30 10:00 09:30 09:00" {
			t.Errorf("history: %s", got)
		}
		var page Page[Call]
		h.get(t, "/calls?preset=today&type=Missed&number=0077&hour_from=9&hour_to=11", &page)
		if len(page.Items) != 1 || page.Items[0].Outcome != "missed" {
			t.Errorf("filtered: %+v", page.Items)
		}
		h.do(t, h.owner, http.MethodGet, root+"/calls?cursor=nonsense", nil).problem(t, http.StatusUnprocessableEntity)
		h.do(t, h.owner, http.MethodGet, root+"/calls?limit=501", nil).problem(t, http.StatusUnprocessableEntity)
	})
}

func TestReportsSayWhoIsLate(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha := h.Agent(t, "Asha")
		dev := h.pairedPhone(t, asha)
		waiting := 12
		h.do(t, dev, http.MethodPost, root+"/device/calls", Batch{Waiting: &waiting, Calls: []SyncCall{{Number: "9812345678", Type: "1", Start: "2026-04-14T10:00:00+05:30", Seconds: 3}}}).
			read(t, http.StatusOK, nil)
		h.Clock.Advance(time.Hour)
		var c Completeness
		h.get(t, "/completeness?preset=today", &c)
		if c.Complete || len(c.Waiting) != 1 || c.Waiting[0].Agent.ID != asha.ID || c.Waiting[0].Calls != 12 {
			t.Errorf("completeness: %+v", c)
		}
		waiting = 0
		h.do(t, dev, http.MethodPost, root+"/device/calls", Batch{Waiting: &waiting, Calls: []SyncCall{}}).read(t, http.StatusOK, nil)
		h.get(t, "/completeness?from=2026-04-14&to=2026-04-15", &c)
		if !c.Complete {
			t.Errorf("after the last call: %+v", c)
		}
	})
}

func TestMetricsArePublished(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var list Page[Metric]
		h.get(t, "/metrics", &list)
		if len(list.Items) != len(stats.Metrics())+len(funnel.Metrics()) || list.Items[0].Definition == "" {
			t.Errorf("%d metrics", len(list.Items))
		}
		var kinds Page[ReportKind]
		h.get(t, "/reports", &kinds)
		if len(kinds.Items) != len(report.IDs()) {
			t.Errorf("%d reports", len(kinds.Items))
		}
	})
}
