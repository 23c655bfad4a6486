package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/lead"
	"parley/platform/audit"
)

func TestALeadGoesItsWayForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, ashas := h.member(t, "Asha", account.Agent)
		a, b, c := h.newLead(t, h.owner, "98123 00101", "Web", asha.ID), h.newLead(t, h.owner, "98123 00102", "Web", asha.ID), h.newLead(t, h.owner, "98123 00103", "Web", asha.ID)
		path := "/leads/" + string(a.ID)
		if a.Who == nil || a.Who.FirstName != "नेहा 🍋 سارة" {
			t.Errorf("the name is %+v", a.Who)
		}

		// On the board, to a place between two others, and page by page.
		for _, l := range []Lead{b, c} {
			h.do(t, ashas, http.MethodPost, root+"/leads/"+string(l.ID)+"/move", LeadMove{Stage: "proposal", Rev: l.Rev}).read(t, http.StatusOK, nil)
		}
		h.do(t, ashas, http.MethodPost, root+path+"/move", LeadMove{Stage: "proposal", Above: b.ID, Below: c.ID, Rev: a.Rev}).read(t, http.StatusOK, &a)
		h.do(t, ashas, http.MethodPost, root+path+"/move", LeadMove{Stage: "nowhere"}).problem(t, http.StatusNotFound)
		var board Board
		h.get(t, "/lead-board?per_stage=1", &board)
		var column BoardColumn
		for _, x := range board.Columns {
			if x.Stage.Key == "proposal" {
				column = x
			}
		}
		if column.Count != 3 || len(column.Leads) != 1 || column.Leads[0].ID != c.ID || column.More == "" {
			t.Fatalf("the column is %+v", column)
		}
		var more Page[Lead]
		h.get(t, "/lead-board/proposal?limit=1&cursor="+url.QueryEscape(column.More), &more)
		if len(more.Items) != 1 || more.Items[0].ID != a.ID || more.Next == "" {
			t.Errorf("further down are %+v", more)
		}
		if h.get(t, "/lead-board/proposal?cursor="+url.QueryEscape(more.Next), &more); len(more.Items) != 1 || more.Items[0].ID != b.ID || more.Next != "" {
			t.Errorf("at the end are %+v", more)
		}

		// Words that are refused, and two who change the same.
		for what, text := range map[string]LeadText{
			"a card number in the source": {Source: new("Card 4111 1111 1111 1111")}, "a card number in a tag": {Tags: &[]string{"4111111111111111"}}, "a long source": {Source: new(strings.Repeat("न", 10000))},
			"a value": {Value: new(int64(-1))}, "a currency": {Currency: new("€€€")}, "a day": {SourceDay: new("Diwali")}, "a field": {Custom: []FieldValue{{"colour", "red"}}},
		} {
			if p := h.do(t, ashas, http.MethodPatch, root+path, LeadChange{LeadText: text}).problem(t, http.StatusUnprocessableEntity); p.Detail == "" {
				t.Errorf("%s is refused without a word", what)
			}
		}
		h.do(t, ashas, http.MethodPost, root+path+"/move", LeadMove{Stage: "new", Why: "Pays by 4111 1111 1111 1111"}).problem(t, http.StatusUnprocessableEntity)
		due := h.Now().Add(24 * time.Hour)
		h.do(t, ashas, http.MethodPatch, root+path, LeadChange{Rev: a.Rev, LeadText: LeadText{Value: new(int64(99900)), Source: new("مكالمة 📞"), DueAt: &due}, AddTags: []string{"vip"}}).read(t, http.StatusOK, &a)
		p := h.do(t, h.owner, http.MethodPost, root+path+"/move", LeadMove{Stage: "new", Rev: 1}).problem(t, http.StatusConflict)
		if !strings.Contains(p.Detail, "Asha changed the stage") {
			t.Errorf("who moved it is not said: %s", p.Detail)
		}
		today := h.Now().In(h.Org.Location())
		var days Page[DueDay]
		h.get(t, "/lead-calendar?from="+today.Format(time.DateOnly)+"&through="+today.AddDate(0, 0, 2).Format(time.DateOnly), &days)
		found := 0
		for _, d := range days.Items {
			if d.Day == due.In(h.Org.Location()).Format(time.DateOnly) && d.Count == 1 && d.Leads[0].ID == a.ID {
				found++
			}
		}
		if found != 1 {
			t.Errorf("the calendar is %+v", days.Items)
		}
		h.do(t, ashas, http.MethodPatch, root+path, LeadChange{LeadText: LeadText{DueAt: &due}, NoDue: true}).problem(t, http.StatusUnprocessableEntity)
		if h.do(t, ashas, http.MethodPatch, root+path, LeadChange{NoDue: true}).read(t, http.StatusOK, &a); a.DueAt != nil {
			t.Errorf("it is still due at %v", a.DueAt)
		}
		h.do(t, h.owner, http.MethodGet, root+"/lead-calendar?from=2026-01-01&through=2026-12-31", nil).problem(t, http.StatusUnprocessableEntity)

		// Its end needs a reason, and its history is whole on pages of any length.
		var ways Page[Pipeline]
		h.get(t, "/pipelines", &ways)
		ways.Items[0].LoseReason = true
		h.send(t, http.MethodPut, "/pipelines", ways.Items[0], http.StatusOK, nil)
		h.do(t, ashas, http.MethodPost, root+path+"/close", LeadClose{State: "lost"}).problem(t, http.StatusUnprocessableEntity)
		h.do(t, ashas, http.MethodPost, root+path+"/close", LeadClose{State: "lost", Reason: "price", Why: "बहुत महँगा 💸"}).read(t, http.StatusOK, &a)
		h.do(t, ashas, http.MethodPost, root+path+"/reopen", LeadReopen{Rev: a.Rev}).read(t, http.StatusOK, &a)
		var whole, part Page[LeadEvent]
		h.get(t, path+"/history", &whole)
		var pages []LeadEvent
		for next := ""; ; next = part.Next {
			h.get(t, path+"/history?limit=1&cursor="+next, &part)
			pages = append(pages, part.Items...)
			if part.Next == "" {
				break
			}
		}
		if len(whole.Items) < 8 || len(pages) != len(whole.Items) || pages[len(pages)-1].Field != "made" || whole.Next != "" {
			t.Errorf("the history has %d changes, page by page %d", len(whole.Items), len(pages))
		}

		// Deleted for good, by whoever may; the log says whose lead it was.
		kept, err := h.api.Contacts.Load(t.Context(), h.DB, h.Org.ID, a.Contact)
		if err != nil {
			t.Fatal(err)
		}
		h.do(t, ashas, http.MethodDelete, root+path, nil).problem(t, http.StatusForbidden)
		h.send(t, http.MethodDelete, path, nil, http.StatusNoContent, nil)
		h.do(t, ashas, http.MethodGet, root+path+"/history", nil).problem(t, http.StatusNotFound)
		seen, _, err := h.Log.List(t.Context(), int64(h.Org.ID), audit.Filter{About: kept[a.Contact].Refs()[0].String(), Actions: []audit.Action{audit.LeadDeleted}})
		if err != nil || len(seen) != 1 {
			t.Errorf("the log of the deletion is %v, %v", seen, err)
		}
	})
}

func TestViewsAndFiltersOfLeadsForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, ashas := h.member(t, "Asha", account.Agent)
		_, binas := h.member(t, "Bina", account.Agent)
		open, won := h.newLead(t, h.owner, "98123 00101", "Web", asha.ID), h.newLead(t, h.owner, "98123 00102", "Fair", asha.ID)
		h.send(t, http.MethodPost, "/leads/"+string(won.ID)+"/close", LeadClose{State: "won"}, http.StatusOK, nil)
		rfc := func(d time.Duration) string { return url.QueryEscape(h.Now().Add(d).Format(time.RFC3339)) }
		var list LeadPage
		for query, want := range map[string][]lead.ID{
			"closed_from=" + rfc(-time.Hour): {won.ID}, "closed_to=" + rfc(-time.Hour): nil, "closed_from=" + rfc(-time.Hour) + "&closed_to=" + rfc(time.Hour): {won.ID}, "attempts_max=3&state=open": {open.ID},
			"attempts_min=1": nil, "never_tried=true&source=Fair": {won.ID}, "owner=me": nil, "owner=" + string(asha.ID) + "&state=open": {open.ID}, "q=00102": {won.ID}, "contact=" + string(open.Contact): {open.ID},
			"due_never=true&stage=new&state=open": {open.ID}, "made_to=" + rfc(-time.Hour): nil,
		} {
			h.get(t, "/leads?count=true&"+query, &list)
			if len(list.Items) != len(want) || list.Total == nil || *list.Total != int64(len(want)) || len(want) == 1 && list.Items[0].ID != want[0] {
				t.Errorf("%s finds %+v", query, list)
			}
		}
		if h.get(t, "/leads?limit=1&count=true", &list); len(list.Items) != 1 || list.Next == "" || *list.Total != 2 {
			t.Errorf("a page is %+v", list)
		}
		if h.get(t, "/leads", &list); list.Total != nil {
			t.Errorf("counted unasked: %d", *list.Total)
		}

		// A view that is shared, used, changed by whoever made it, and by nobody else.
		n := NewLeadView{Name: "فائزون 🏆", Shared: true, Filter: LeadFilter{States: []string{"won"}, ClosedFrom: h.Now().Add(-time.Hour).UTC(), AttemptsMax: 5, Owners: []account.MemberID{asha.ID, "none"}}, Sort: "-value", Columns: []string{"person", "value"}}
		var v, first, theirs LeadView
		h.do(t, ashas, http.MethodPost, root+"/lead-views", n).read(t, http.StatusCreated, &v)
		if v.Name != n.Name || v.Filter.AttemptsMax != 5 || !v.Filter.ClosedFrom.Equal(n.Filter.ClosedFrom) || len(v.Columns) != 2 || len(v.Filter.Owners) != 2 || v.Filter.Owners[1] != "none" {
			t.Errorf("kept %+v", v)
		}
		if h.get(t, "/leads?view="+v.ID, &list); len(list.Items) != 1 || list.Items[0].ID != won.ID {
			t.Errorf("the view shows %+v", list.Items)
		}
		if h.do(t, binas, http.MethodGet, root+"/leads?view="+v.ID, nil).read(t, http.StatusOK, &list); len(list.Items) != 0 {
			t.Errorf("by a view Bina sees %+v", list.Items)
		}
		first = v
		n.Filter.States, n.Shared = []string{"open"}, false
		h.do(t, binas, http.MethodPut, root+"/lead-views/"+v.ID, LeadViewChange{n, v.Rev}).problem(t, http.StatusNotFound)
		h.do(t, ashas, http.MethodPut, root+"/lead-views/"+v.ID, LeadViewChange{n, v.Rev}).read(t, http.StatusOK, &v)
		h.do(t, ashas, http.MethodPut, root+"/lead-views/"+v.ID, LeadViewChange{n, first.Rev}).problem(t, http.StatusConflict)
		h.do(t, binas, http.MethodGet, root+"/lead-views/"+v.ID, nil).problem(t, http.StatusNotFound)
		h.do(t, ashas, http.MethodGet, root+"/lead-views/"+v.ID, nil).read(t, http.StatusOK, &theirs)
		if theirs.Rev != first.Rev+1 || theirs.Filter.States[0] != "open" || theirs.Shared {
			t.Errorf("changed it is %+v", theirs)
		}
		for what, spoil := range map[string]func(*NewLeadView){
			"a card number": func(x *NewLeadView) { x.Name = "4111 1111 1111 1111" }, "a state": func(x *NewLeadView) { x.Filter.States = []string{"lukewarm"} }, "an order": func(x *NewLeadView) { x.Sort = "colour" }, "no name": func(x *NewLeadView) { x.Name = "" },
		} {
			bad := NewLeadView{Name: "Bad"}
			spoil(&bad)
			if p := h.do(t, ashas, http.MethodPost, root+"/lead-views", bad).problem(t, http.StatusUnprocessableEntity); p.Detail == "" {
				t.Errorf("%s is refused without a word", what)
			}
		}
		narrow := h.token(t, h.Org, h.ownerID(t), account.ReadLeads)
		h.do(t, narrow, http.MethodPost, root+"/lead-views", NewLeadView{Name: "Mine"}).problem(t, http.StatusForbidden)
		h.do(t, narrow, http.MethodGet, root+"/leads", nil).read(t, http.StatusOK, nil)
		h.theirs(t, []foreignCall{
			{http.MethodGet, "/lead-views/" + v.ID, nil}, {http.MethodPut, "/lead-views/" + v.ID, LeadViewChange{n, v.Rev}}, {http.MethodDelete, "/lead-views/" + v.ID, nil}, {http.MethodGet, "/leads?view=" + v.ID, nil},
			{http.MethodDelete, "/leads/" + string(open.ID), nil}, {http.MethodPost, "/leads/" + string(open.ID) + "/reopen", LeadReopen{}}, {http.MethodPost, "/leads", NewLead{Contact: open.Contact}},
		})
		h.do(t, ashas, http.MethodDelete, root+"/lead-views/"+v.ID, nil).read(t, http.StatusNoContent, nil)
	})
}

// ownerID is the organisation's owner.
func (h *house) ownerID(t *testing.T) account.MemberID {
	t.Helper()
	m, err := h.Accounts.Owner(t.Context(), h.Org.ID)
	if err != nil {
		t.Fatal(err)
	}
	return m.ID
}

func TestHowLeadsGoIsArrangedByPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ravi, ravis := h.member(t, "Ravi", account.Agent)
		var ways Page[Pipeline]
		h.get(t, "/pipelines", &ways)
		sales := ways.Items[0]
		bad := sales
		bad.Title, bad.Attempted = "Homes", "nowhere"
		h.do(t, h.owner, http.MethodPut, root+"/pipelines", bad).problem(t, http.StatusUnprocessableEntity)
		if h.get(t, "/pipelines", &ways); ways.Items[0].Title != sales.Title || ways.Items[0].Rev != sales.Rev {
			t.Errorf("half of it was kept: %+v", ways.Items[0])
		}
		h.do(t, ravis, http.MethodPut, root+"/pipelines", sales).problem(t, http.StatusForbidden)
		var homes Pipeline
		h.send(t, http.MethodPut, "/pipelines", Pipeline{Title: "घर 🏠", Stages: []Stage{{Title: "Seen", Probability: 10}, {Title: "Signed", Probability: 90}}, Currency: "EUR"}, http.StatusOK, &homes)
		stale := homes
		homes.Connected = homes.Stages[1].Key
		h.send(t, http.MethodPut, "/pipelines", homes, http.StatusOK, &homes)
		if homes.Connected != "signed" || homes.Rev == stale.Rev {
			t.Errorf("kept %+v", homes)
		}
		h.do(t, h.owner, http.MethodPut, root+"/pipelines", stale).problem(t, http.StatusConflict)

		var reasons LeadReasons
		h.get(t, "/lead-reasons", &reasons)
		n := len(reasons.Items)
		h.send(t, http.MethodPut, "/lead-reasons", LeadReasons{append(reasons.Items[:1:1], LeadReason{Title: "हमसे प्यार ❤️", State: "won"})}, http.StatusOK, &reasons)
		offered := 0
		for _, r := range reasons.Items {
			if !r.Gone {
				offered++
			}
		}
		if offered != 2 || len(reasons.Items) != n+1 {
			t.Errorf("of %d reasons %d are offered", len(reasons.Items), offered)
		}

		// A line makes leads of unknown callers once it is told to.
		var line Line
		h.send(t, http.MethodPost, "/lines", NewLine{Agent: ravi.ID, Number: "9812300001"}, http.StatusCreated, &line)
		h.do(t, h.owner, http.MethodPut, root+"/lead-lines", LeadLine{Line: "lin_none", Incoming: true}).problem(t, http.StatusNotFound)
		h.do(t, h.owner, http.MethodPut, root+"/lead-lines", LeadLine{Line: line.ID, Incoming: true, Pipeline: "nowhere"}).problem(t, http.StatusNotFound)
		h.do(t, ravis, http.MethodPut, root+"/lead-lines", LeadLine{Line: line.ID, Incoming: true}).problem(t, http.StatusForbidden)
		h.send(t, http.MethodPut, "/lead-lines", LeadLine{Line: line.ID, Incoming: true, MinSeconds: 5, Pipeline: homes.Key, Source: "Hotline"}, http.StatusNoContent, nil)
		var lines Page[LeadLine]
		if h.get(t, "/lead-lines", &lines); len(lines.Items) != 1 || lines.Items[0].Line != line.ID || lines.Items[0].MinSeconds != 5 || lines.Items[0].Pipeline != homes.Key {
			t.Errorf("the lines are %+v", lines.Items)
		}
		h.send(t, http.MethodPut, "/lead-lines", LeadLine{Line: line.ID}, http.StatusNoContent, nil)
		if h.get(t, "/lead-lines", &lines); len(lines.Items) != 0 {
			t.Errorf("switched off, the lines are %+v", lines.Items)
		}
	})
}
