package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/assign"
	"parley/crm/lead"
	"parley/platform/audit"
)

// turns is a rule that gives leads to members in turn, whether they have a phone or not.
func turns(name string, to ...account.MemberID) AssignRule {
	return AssignRule{Name: name, AssignChoice: AssignChoice{To: assign.Target{Members: to}, Way: assign.RoundRobin, Phoneless: true}}
}

// newLead makes a lead from a source, as whoever has the token, and lets owner be said.
func (h *house) newLead(t *testing.T, token, number, source string, owner account.MemberID) Lead {
	t.Helper()
	var l Lead
	n := NewLead{Who: new(personText("नेहा 🍋 سارة", number)), Owner: owner}
	n.Source = &source
	h.do(t, token, http.MethodPost, root+"/leads", n).read(t, http.StatusCreated, &l)
	return l
}

func TestRulesOfAssignmentForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, ashas := h.member(t, "Asha", account.Agent)
		bina, _ := h.member(t, "Bina", account.Agent)
		var rest, fair AssignRule
		h.send(t, http.MethodPut, "/assignment/rules", turns("Rest", bina.ID), http.StatusOK, &rest)
		fair = turns("Fair 🎪 معرض", asha.ID)
		fair.When = AssignWhen{Sources: []string{"Fair"}, Hours: assign.Within}
		fair.Way, fair.Weights = assign.Weighted, []MemberWeight{{asha.ID, 3}, {bina.ID, 1}}
		h.send(t, http.MethodPut, "/assignment/rules", fair, http.StatusOK, &fair)
		h.send(t, http.MethodPut, "/assignment/rules/order", RuleOrder{[]assign.RuleID{fair.ID, rest.ID}}, http.StatusNoContent, nil)
		h.do(t, h.owner, http.MethodPut, root+"/assignment/rules/order", RuleOrder{[]assign.RuleID{fair.ID}}).problem(t, http.StatusConflict)
		var rules Page[AssignRule]
		if h.get(t, "/assignment/rules", &rules); len(rules.Items) != 2 || rules.Items[0].Name != "Fair 🎪 معرض" || len(rules.Items[0].Weights) != 2 || rules.Items[0].When.Hours != assign.Within {
			t.Fatalf("the rules are %+v", rules.Items)
		}

		// New leads are given out, unless somebody says whose they are.
		l := h.newLead(t, h.owner, "98123 00101", "Fair", "")
		if l.Owner != asha.ID || !strings.HasPrefix(l.AssignedBy, "By the rule “Fair") || l.Who.Owner != asha.ID {
			t.Errorf("the lead from the fair is %+v", l)
		}
		if l := h.newLead(t, h.owner, "98123 00102", "Web", "rules"); l.Owner != bina.ID {
			t.Errorf("the other lead is %+v", l)
		}
		nobodys := h.newLead(t, h.owner, "98123 00103", "Web", "none")
		if nobodys.Owner != "" || nobodys.AssignedBy != "" {
			t.Errorf("the lead of nobody is %+v", nobodys)
		}
		if l := h.newLead(t, ashas, "98123 00104", "Web", ""); l.Owner != asha.ID || l.AssignedBy != "" {
			t.Errorf("the agent's own lead is %+v", l)
		}
		for _, owner := range []account.MemberID{"rules", "none", bina.ID} {
			n := NewLead{Who: new(personText("X", "98123 00105")), Owner: owner}
			h.do(t, ashas, http.MethodPost, root+"/leads", n).problem(t, http.StatusForbidden)
		}

		// Trying changes nothing, and says what was looked at.
		var would Assigned
		h.get(t, "/leads/"+string(nobodys.ID)+"/assignment", &would)
		if would.Owner != bina.ID || len(would.Tried) != 2 || would.Tried[0].Rule != fair.ID || would.Tried[0].Miss != assign.MissSource || would.Tried[1].Miss != "" {
			t.Errorf("it would be %+v", would)
		}
		h.get(t, "/leads/"+string(nobodys.ID), &nobodys)
		var log Page[Assigned]
		if h.get(t, "/assignment/log?lead="+string(nobodys.ID), &log); nobodys.Owner != "" || len(log.Items) != 0 {
			t.Errorf("trying gave it to %q: %+v", nobodys.Owner, log.Items)
		}

		// The log, page by page, and as an agent sees it.
		var leads []lead.ID
		for next := ""; ; next = log.Next {
			h.get(t, "/assignment/log?limit=1&cursor="+next, &log)
			for _, x := range log.Items {
				leads = append(leads, x.Lead)
			}
			if log.Next == "" {
				break
			}
		}
		if len(leads) != 2 || leads[1] != l.ID {
			t.Errorf("the log has %v", leads)
		}
		if h.do(t, ashas, http.MethodGet, root+"/assignment/log", nil).read(t, http.StatusOK, &log); len(log.Items) != 1 || log.Items[0].Lead != l.ID {
			t.Errorf("an agent sees %+v", log.Items)
		}
		if h.get(t, "/assignment/log?rule="+string(rest.ID), &log); len(log.Items) != 1 || log.Items[0].Owner != bina.ID {
			t.Errorf("of one rule there are %+v", log.Items)
		}
		h.do(t, h.owner, http.MethodGet, root+"/assignment/log?cursor=first", nil).problem(t, http.StatusUnprocessableEntity)

		// Two who edit a rule, what cannot be one, and who may not.
		changed := fair
		changed.Off = true
		h.send(t, http.MethodPut, "/assignment/rules", changed, http.StatusOK, &changed)
		if p := h.do(t, h.owner, http.MethodPut, root+"/assignment/rules", fair).problem(t, http.StatusConflict); p.Detail == "" {
			t.Error("a stale rule is refused without a word")
		}
		for what, spoil := range map[string]func(*AssignRule){
			"a card number": func(r *AssignRule) { r.Name = "4111 1111 1111 1111" }, "no such line": func(r *AssignRule) { r.When.Lines = append(r.When.Lines, "lin_none") },
			"no country": func(r *AssignRule) { r.When.Countries = []string{"India"} }, "to nobody": func(r *AssignRule) { r.To = assign.Target{} }, "a way": func(r *AssignRule) { r.Way = "by_lot" },
			"an hour": func(r *AssignRule) { r.When.Hours = "sometimes" }, "a long name": func(r *AssignRule) { r.Name = strings.Repeat("न🍋", 5000) },
		} {
			bad := turns("Bad", asha.ID)
			spoil(&bad)
			if p := h.do(t, h.owner, http.MethodPut, root+"/assignment/rules", bad).problem(t, http.StatusUnprocessableEntity); p.Detail == "" {
				t.Errorf("%s is refused without a word", what)
			}
		}
		h.do(t, h.owner, http.MethodPut, root+"/assignment/rules", turns("Bad", "mem_none")).problem(t, http.StatusNotFound)
		h.do(t, ashas, http.MethodPut, root+"/assignment/rules", turns("Mine", asha.ID)).problem(t, http.StatusForbidden)
		h.send(t, http.MethodDelete, "/assignment/rules/"+string(rest.ID), nil, http.StatusNoContent, nil)
		h.do(t, h.owner, http.MethodDelete, root+"/assignment/rules/"+string(rest.ID), nil).problem(t, http.StatusNotFound)
		if l := h.newLead(t, h.owner, "98123 00106", "Fair", ""); l.Owner != "" || !strings.Contains(l.AssignedBy, "No rule") {
			t.Errorf("without a rule the lead is %+v", l)
		}
	})
}

func TestWhoIsAwayAndWhatWaitsForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, ashas := h.member(t, "Asha", account.Agent)
		bina, binas := h.member(t, "Bina", account.Agent)
		rule := turns("Asha's", asha.ID)
		rule.Away, rule.Wait = assign.Queue, 100
		h.send(t, http.MethodPut, "/assignment/rules", rule, http.StatusOK, nil)
		var away, back Absence
		h.do(t, ashas, http.MethodPost, root+"/absences", Absence{Member: asha.ID, From: h.Now().Add(-time.Hour), Until: h.Now().Add(48 * time.Hour)}).read(t, http.StatusCreated, &away)
		h.do(t, binas, http.MethodPost, root+"/absences", Absence{Member: asha.ID, From: h.Now(), Until: h.Now().Add(time.Hour)}).problem(t, http.StatusForbidden)
		h.do(t, binas, http.MethodDelete, root+"/absences/"+string(away.ID), nil).problem(t, http.StatusNotFound)
		h.do(t, h.owner, http.MethodPost, root+"/absences", Absence{Member: asha.ID, From: h.Now(), Until: h.Now().Add(-time.Hour)}).problem(t, http.StatusUnprocessableEntity)
		h.send(t, http.MethodPost, "/absences", Absence{Member: bina.ID, From: h.Now().Add(time.Hour), Until: h.Now().Add(2 * time.Hour)}, http.StatusCreated, &back)
		var all Page[Absence]
		if h.get(t, "/absences", &all); len(all.Items) != 2 || all.Items[0].ID != away.ID {
			t.Errorf("away are %+v", all.Items)
		}
		h.do(t, binas, http.MethodDelete, root+"/absences/"+string(back.ID), nil).read(t, http.StatusNoContent, nil)

		l := h.newLead(t, h.owner, "98123 00101", "Web", "")
		if l.Owner != "" || !strings.Contains(l.AssignedBy, "waits") {
			t.Errorf("while Asha is away the lead is %+v", l)
		}
		var waiting Page[Assigned]
		if h.get(t, "/assignment/waiting", &waiting); len(waiting.Items) != 1 || waiting.Items[0].Lead != l.ID || waiting.Items[0].Until == nil {
			t.Errorf("waiting are %+v", waiting.Items)
		}
		if h.do(t, ashas, http.MethodGet, root+"/assignment/waiting", nil).read(t, http.StatusOK, &waiting); len(waiting.Items) != 0 {
			t.Errorf("an agent sees %+v", waiting.Items)
		}
		kept, err := h.api.Contacts.Load(t.Context(), h.DB, h.Org.ID, l.Contact)
		if err != nil {
			t.Fatal(err)
		}
		seen, _, err := h.Log.List(t.Context(), int64(h.Org.ID), audit.Filter{Actor: string(asha.ID), About: kept[l.Contact].Refs()[0].String()})
		if err != nil || len(seen) != 0 {
			t.Errorf("what the agent was not shown stands in the log: %v, %v", seen, err)
		}
		h.do(t, ashas, http.MethodDelete, root+"/absences/"+string(away.ID), nil).read(t, http.StatusNoContent, nil)
		if h.send(t, http.MethodPost, "/leads/"+string(l.ID)+"/owner", LeadOwner{Owner: "rules"}, http.StatusOK, &l); l.Owner != asha.ID {
			t.Errorf("once she is back the lead is %+v", l)
		}

		// What members take, and when nobody works.
		h.send(t, http.MethodPut, "/assignment/members/"+string(asha.ID), assign.Assignee{Paused: true, Languages: []string{"hi"}}, http.StatusNoContent, nil)
		h.do(t, ashas, http.MethodPut, root+"/assignment/members/"+string(asha.ID), assign.Assignee{}).problem(t, http.StatusForbidden)
		var would Assigned
		h.get(t, "/leads/"+string(l.ID)+"/assignment", &would)
		if would.Owner != "" || !slices.Contains(would.Passed, PassedOver{asha.ID, assign.IsPaused}) {
			t.Errorf("while she is paused it would be %+v", would)
		}
		var closed ClosedDays
		h.get(t, "/assignment/closed-days", &closed)
		first := closed
		closed.Closed, closed.Holidays = []ClosedDay{{"2026-11-08", "दिवाली 🪔"}}, true
		h.send(t, http.MethodPut, "/assignment/closed-days", closed, http.StatusOK, &closed)
		if len(closed.Closed) != 1 || closed.Closed[0].Title != "दिवाली 🪔" || closed.Rev == first.Rev {
			t.Errorf("closed are %+v", closed)
		}
		h.do(t, h.owner, http.MethodPut, root+"/assignment/closed-days", first).problem(t, http.StatusConflict)
		closed.Closed[0].Day = "Diwali"
		h.do(t, h.owner, http.MethodPut, root+"/assignment/closed-days", closed).problem(t, http.StatusUnprocessableEntity)
		h.do(t, binas, http.MethodPut, root+"/assignment/closed-days", closed).problem(t, http.StatusForbidden)

		// Leads that are left lying.
		var rescue RescueRule
		h.send(t, http.MethodPut, "/assignment/rescues", RescueRule{Name: "Nobody called", Reason: assign.NoAttempt, After: 60, Most: 2, ByRule: true}, http.StatusOK, &rescue)
		stale := rescue
		rescue.After = 90
		h.send(t, http.MethodPut, "/assignment/rescues", rescue, http.StatusOK, &rescue)
		h.do(t, h.owner, http.MethodPut, root+"/assignment/rescues", stale).problem(t, http.StatusConflict)
		var rescues Page[RescueRule]
		if h.get(t, "/assignment/rescues", &rescues); len(rescues.Items) != 1 || rescues.Items[0].After != 90 {
			t.Errorf("the rescues are %+v", rescues.Items)
		}
		h.send(t, http.MethodDelete, "/assignment/rules/"+string(rescue.ID), nil, http.StatusNoContent, nil)
		h.theirs(t, []foreignCall{
			{http.MethodGet, "/leads/" + string(l.ID) + "/assignment", nil}, {http.MethodPost, "/leads/" + string(l.ID) + "/owner", LeadOwner{Owner: "rules"}}, {http.MethodDelete, "/absences/" + string(away.ID), nil},
			{http.MethodPost, "/absences", Absence{Member: asha.ID, From: h.Now(), Until: h.Now().Add(time.Hour)}}, {http.MethodPut, "/assignment/members/" + string(asha.ID), assign.Assignee{}},
			{http.MethodPut, "/assignment/rules", turns("Theirs", asha.ID)},
		})
	})
}

// foreignCall is an operation that another organisation tries on ours.
type foreignCall struct {
	method, path string
	body         any
}

// theirs tries operations with the token of another organisation's owner: nothing of ours is there.
func (h *house) theirs(t *testing.T, calls []foreignCall) (token string) {
	t.Helper()
	other := h.NewOrg(t, "Bharat Traders")
	them, err := h.Accounts.Owner(t.Context(), other.ID)
	if err != nil {
		t.Fatal(err)
	}
	token = h.token(t, other, them.ID, account.Permissions()...)
	for _, x := range calls {
		h.do(t, token, x.method, root+x.path, x.body).problem(t, http.StatusNotFound)
	}
	return token
}

func TestTwoDoNotCallTheSamePersonForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, ashas := h.member(t, "Asha", account.Agent)
		bina, binas := h.member(t, "Bina", account.Agent)
		h.newLead(t, h.owner, "98123 00101", "Web", bina.ID)
		talks := func(token string) []Talking {
			t.Helper()
			var out Page[Talking]
			h.do(t, token, http.MethodGet, root+"/talking?number="+url.QueryEscape("98123 00101"), nil).read(t, http.StatusOK, &out)
			return out.Items
		}
		if all := talks(binas); len(all) != 0 {
			t.Errorf("before anybody called: %+v", all)
		}
		var others Page[Talking]
		h.do(t, ashas, http.MethodPost, root+"/talking", CalledNumber{"+91 98123-00101"}).read(t, http.StatusOK, &others)
		if len(others.Items) != 0 || len(talks(ashas)) != 0 {
			t.Errorf("one is warned of oneself: %+v", others.Items)
		}
		if all := talks(binas); len(all) != 1 || all[0].Member != asha.ID || !all[0].Said {
			t.Errorf("Bina sees %+v", all)
		}
		h.do(t, binas, http.MethodPost, root+"/talking", CalledNumber{"98123 00101"}).read(t, http.StatusOK, &others)
		if len(others.Items) != 1 || others.Items[0].Member != asha.ID {
			t.Errorf("Bina is told %+v", others.Items)
		}
		h.do(t, ashas, http.MethodPost, root+"/talking/end", CalledNumber{"98123 00101"}).read(t, http.StatusNoContent, nil)
		if all := talks(binas); len(all) != 0 {
			t.Errorf("once Asha is done: %+v", all)
		}
		h.syncOne(t, h.pairedPhone(t, asha), SyncCall{Number: "98123 00101", Type: "outgoing", Start: Moment(h.Now().Add(-10 * time.Minute).Format(time.RFC3339)), Seconds: 60})
		if all := talks(binas); len(all) != 1 || all[0].Said || all[0].Ended == nil {
			t.Errorf("after Asha's call: %+v", all)
		}
		other := h.theirs(t, nil)
		if all := talks(other); len(all) != 0 {
			t.Errorf("another organisation sees %+v", all)
		}
		for _, bad := range []string{"", "?number=", "?number=" + strings.Repeat("9", 100)} {
			h.do(t, h.owner, http.MethodGet, root+"/talking"+bad, nil).problem(t, http.StatusUnprocessableEntity)
		}
		for _, nobody := range []string{"98123 99999", "hello 🍋", "private"} {
			h.do(t, ashas, http.MethodPost, root+"/talking", CalledNumber{nobody}).read(t, http.StatusOK, &others)
			if len(others.Items) != 0 {
				t.Errorf("%q gives %+v", nobody, others.Items)
			}
		}
		viewer, viewers := h.member(t, "Vera", account.Viewer)
		if viewer.ID == "" || len(talks(viewers)) != 2 {
			t.Errorf("a viewer sees %+v", talks(viewers))
		}
		h.do(t, viewers, http.MethodPost, root+"/talking", CalledNumber{"98123 00101"}).problem(t, http.StatusForbidden)
	})
}
