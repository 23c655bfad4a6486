package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/assign"
	"parley/crm/followup"
)

// fair is a list of leads as an organiser sends it; the last row has no number.
const fair = "First name,Last name,Company,Phone,E-mail,Source,Value,Note\n" +
	"Meera,Iyer,Iyer & Sons,98123 00101,meera@example.org,Fair,1200,=1+1\n" +
	"سارة,Khan,Khan Textiles,98123 00102,sara@example.org,Fair,,Likes 🍋\n" +
	"Bad,Row,,12,,Fair,,\n"

// met waits until calls have met their people.
func (h *house) met(t *testing.T) {
	t.Helper()
	for range 100 {
		more, err := h.api.Attach.Work(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
	t.Fatal("calls do not come to an end")
}

// brought sends a list in and waits for its end.
func (h *house) brought(t *testing.T, query, text string) ListImport {
	t.Helper()
	var m ListImport
	h.do(t, h.owner, http.MethodPost, root+"/lists?"+query, []byte(text), "Content-Type", "text/csv").read(t, http.StatusAccepted, &m)
	h.api.work.wait()
	h.get(t, "/lists/"+m.ID, &m)
	return m
}

func TestALeadFromAListToItsEndForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ravi := h.Agent(t, "Ravi")
		bina, binas := h.member(t, "Bina", account.Agent)
		var rule AssignRule
		h.send(t, http.MethodPut, "/assignment/rules", AssignRule{Name: "By turns", AssignChoice: AssignChoice{To: assign.Target{Members: []account.MemberID{bina.ID}}, Way: assign.RoundRobin, Phoneless: true}}, http.StatusOK, &rule)
		var ways Page[Pipeline]
		h.get(t, "/pipelines", &ways)
		sales := ways.Items[0]
		sales.Attempted, sales.Connected = sales.Stages[1].Key, sales.Stages[2].Key
		h.send(t, http.MethodPut, "/pipelines", sales, http.StatusOK, &sales)

		if m := h.brought(t, "name=fair.csv&dry_run=true", fair); m.State != "dry" || m.Counts.Leads != 2 || m.Counts.Refused != 1 {
			t.Fatalf("trying it out gave %+v", m)
		}
		m := h.brought(t, "name=fair.csv", fair)
		if m.State != "done" || m.Counts.Leads != 2 || m.Counts.Owners["nobody"] != 2 || len(m.Problems) != 1 || m.Problems[0].Column != "Phone" {
			t.Fatalf("importing gave %+v", m)
		}
		var leads Page[Lead]
		h.get(t, "/leads?source=Fair&q="+url.QueryEscape("meera"), &leads)
		if len(leads.Items) != 1 || leads.Items[0].Owner != "" || leads.Items[0].Who.Company != "Iyer & Sons" || leads.Items[0].Value != 120000 {
			t.Fatalf("found %+v", leads.Items)
		}
		l := leads.Items[0]
		h.send(t, http.MethodPost, "/leads/"+string(l.ID)+"/owner", LeadOwner{Owner: "rules"}, http.StatusOK, &l)
		if l.Owner != bina.ID || !strings.Contains(l.AssignedBy, "By turns") {
			t.Errorf("the rules gave it to %q: %s", l.Owner, l.AssignedBy)
		}
		var log Page[Assigned]
		h.get(t, "/assignment/log?lead="+string(l.ID), &log)
		if len(log.Items) != 1 || log.Items[0].Owner != bina.ID || !strings.Contains(log.Items[0].Why, "By turns") {
			t.Errorf("the log says %+v", log.Items)
		}

		// Calls move it on.
		phone, other := h.pairedPhone(t, bina), h.pairedPhone(t, ravi)
		sync := func(token, number, kind string, seconds int, ago time.Duration) string {
			return h.syncOne(t, token, SyncCall{Number: number, Type: Code(kind), Start: Moment(h.Now().Add(-ago).Format(time.RFC3339)), Seconds: seconds}).ID
		}
		h.Clock.Set(h.Now().Add(time.Hour))
		sync(phone, "9812300101", "outgoing", 0, 10*time.Minute)
		call := sync(phone, "9812300101", "outgoing", 80, 5*time.Minute)
		h.met(t)
		h.get(t, "/leads/"+string(l.ID), &l)
		if l.Attempts != 2 || l.Connected != 1 || l.Stage != sales.Connected || l.FirstAt == nil {
			t.Errorf("after the calls it is %+v", l)
		}
		var match CallMatch
		h.send(t, http.MethodPut, "/calls/"+call+"/outcome", CallOutcomeText{Outcome: "interested", Next: &NewFollowUp{Kind: followup.Promised, DueAt: new(h.Now().Add(time.Hour)), Text: "Send the offer"}}, http.StatusOK, &match)
		if match.Lead != l.ID || match.Rule != "only_one" || match.Next == "" {
			t.Errorf("the call belongs to %+v", match)
		}
		h.do(t, h.owner, http.MethodPut, root+"/calls/"+call+"/outcome", CallOutcomeText{Outcome: "interested", Next: &NewFollowUp{Text: "no time"}}).problem(t, http.StatusUnprocessableEntity)

		// A caller who was missed on one line is recovered from another.
		sync(phone, "9812300102", "missed", 0, 4*time.Minute)
		h.met(t)
		var waiting Page[WaitingCaller]
		h.get(t, "/missed-callers", &waiting)
		if len(waiting.Items) != 1 || waiting.Items[0].Owner != "" || waiting.Items[0].Lead == "" {
			t.Errorf("waiting are %+v", waiting.Items)
		}
		sync(other, "9812300102", "outgoing", 33, 2*time.Minute)
		h.met(t)
		if h.get(t, "/missed-callers", &waiting); len(waiting.Items) != 0 {
			t.Errorf("still waiting are %+v", waiting.Items)
		}

		// The owner is reminded.
		h.Clock.Set(h.Now().Add(2 * time.Hour))
		var day Page[DayItem]
		h.do(t, h.owner, http.MethodGet, root+"/my-day", nil).read(t, http.StatusOK, &day)
		if len(day.Items) != 1 || day.Items[0].Reason != followup.PromiseBroken || day.Items[0].FollowUp.Text != "Send the offer" || day.Items[0].Number != "+919812300101" {
			t.Errorf("my day is %+v", day.Items)
		}
		if err := h.api.FollowUps.Remind(t.Context(), h.Now()); err != nil {
			t.Fatal(err)
		}
		var notices Page[Notice]
		h.get(t, "/notices", &notices)
		if len(notices.Items) != 1 || notices.Items[0].Link != "/followups/"+match.Next {
			t.Errorf("notices are %+v", notices.Items)
		}
		var ended FollowUpEnded
		h.send(t, http.MethodPost, "/follow-ups/"+match.Next+"/done", FollowUpEnd{Outcome: "done"}, http.StatusOK, &ended)

		// It is won, by whoever has it; two people who change it do not lose anything.
		h.get(t, "/leads/"+string(l.ID), &l)
		h.do(t, binas, http.MethodPatch, root+"/leads/"+string(l.ID), LeadChange{Rev: l.Rev, LeadText: LeadText{Value: new(int64(150000))}}).read(t, http.StatusOK, nil)
		p := h.do(t, h.owner, http.MethodPatch, root+"/leads/"+string(l.ID), LeadChange{Rev: l.Rev, LeadText: LeadText{Value: new(int64(1))}}).problem(t, http.StatusConflict)
		if !strings.Contains(p.Detail, "Bina") {
			t.Errorf("who changed it is not said: %s", p.Detail)
		}
		h.do(t, binas, http.MethodPost, root+"/leads/"+string(l.ID)+"/close", LeadClose{State: "won", Why: "They signed"}).read(t, http.StatusOK, &l)
		if l.State != "won" || l.Value != 150000 || l.ClosedAt == nil {
			t.Errorf("it ended as %+v", l)
		}
		var happened TimelinePage
		h.get(t, "/contacts/"+string(l.Contact)+"/timeline?kind=call,follow_up,change", &happened)
		kinds := map[string]int{}
		for _, x := range happened.Items {
			kinds[string(x.Kind)]++
		}
		if kinds["call"] != 2 || kinds["follow_up"] < 2 || kinds["change"] < 4 {
			t.Errorf("the timeline has %v", kinds)
		}

		// Out again, and gone.
		file := h.get(t, "/leads/export", nil)
		if !strings.Contains(file.text, "9812300101") || strings.Contains(file.text, ",=1+1") || !strings.Contains(file.Header.Get("Content-Disposition"), "leads.csv") {
			t.Errorf("the file is %s", file.text)
		}
		h.send(t, http.MethodDelete, "/contacts/"+string(l.Contact), nil, http.StatusNoContent, nil)
		h.do(t, h.owner, http.MethodGet, root+"/leads/"+string(l.ID), nil).problem(t, http.StatusNotFound)
		h.do(t, h.owner, http.MethodGet, root+"/contacts/"+string(l.Contact), nil).problem(t, http.StatusNotFound)
		h.send(t, http.MethodPost, "/lists/"+m.ID+"/undo", nil, http.StatusAccepted, nil)
		h.api.work.wait()
		if h.get(t, "/lists/"+m.ID, &m); m.State != "undone" || m.Counts.Kept != 2 {
			t.Errorf("taken back it is %+v", m) // the other lead and its contact were used since
		}
	})
}
