package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/platform/civil"
	"parley/platform/phone"
)

// item is a call of an agent at a time of 15 April 2026, in Asia/Kolkata.
func (h *house) item(t *testing.T, agent *account.Member, clock, number string, kind call.Type, seconds int) ingest.Item {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", "2026-04-15 "+clock, h.Org.Location())
	if err != nil {
		t.Fatal(err)
	}
	line, err := h.Devices.DefaultLine(t.Context(), h.Org, agent.Agent)
	if err != nil {
		t.Fatal(err)
	}
	return ingest.Item{
		Agent: agent.Agent, Line: line.No, Start: at, Number: phone.Parse(number, "IN").Canonical(), Type: kind, Direction: kind.Direction(), Seconds: seconds, Source: call.SourcePhone,
	}
}

func TestPeopleAreManaged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var sales, service Team
		h.send(t, http.MethodPost, "/teams", TeamName{" Sales "}, http.StatusCreated, &sales)
		h.send(t, http.MethodPost, "/teams", TeamName{"Service"}, http.StatusCreated, &service)
		var asha Member
		h.send(t, http.MethodPost, "/agents", NewAgent{Name: "Asha", Teams: []account.TeamID{sales.ID}}, http.StatusCreated, &asha)
		name, teams := "Asha Devi", []account.TeamID{service.ID}
		h.send(t, http.MethodPatch, "/members/"+string(asha.ID), MemberChange{Name: &name, Teams: &teams}, http.StatusOK, &asha)
		if asha.Name != name || len(asha.Teams) != 1 || asha.Teams[0] != service.ID || !asha.Agent {
			t.Errorf("changed to %+v", asha)
		}
		worse, nowhere := "Nobody", []account.TeamID{"tea_none"}
		h.do(t, h.owner, http.MethodPatch, root+"/members/"+string(asha.ID), MemberChange{Name: &worse, Teams: &nowhere}).problem(t, http.StatusNotFound)
		h.get(t, "/members/"+string(asha.ID), &asha)
		if asha.Name != name || len(asha.Teams) != 1 {
			t.Errorf("a refused change left %+v", asha)
		}
		var list Page[Member]
		h.get(t, "/members?limit=1", &list)
		first := list.Items[0].ID
		h.get(t, "/members?limit=1&cursor="+list.Next, &list)
		if list.Items[0].ID == first || list.Next != "" {
			t.Errorf("the second page is %+v", list)
		}
		h.send(t, http.MethodPost, "/members/"+string(asha.ID)+"/deactivate", nil, http.StatusOK, &asha)
		if asha.Active {
			t.Error("still active")
		}
		h.send(t, http.MethodPost, "/members/"+string(asha.ID)+"/reactivate", nil, http.StatusOK, &asha)
		var inv MadeInvitation
		h.send(t, http.MethodPost, "/invitations", NewInvitation{Member: asha.ID, Email: "asha@example.com"}, http.StatusCreated, &inv)
		if inv.Secret == "" || inv.Member != asha.ID {
			t.Errorf("invited: %+v", inv)
		}
		h.send(t, http.MethodDelete, "/invitations/"+inv.ID, nil, http.StatusNoContent, nil)
		h.send(t, http.MethodDelete, "/teams/"+string(sales.ID), nil, http.StatusNoContent, nil)
		p := h.do(t, h.owner, http.MethodPost, root+"/invitations", `{"email":"nonsense","role":"boss"}`).problem(t, http.StatusUnprocessableEntity)
		if len(p.Errors) != 1 || p.Errors[0].Field != "role" || p.Errors[0].In != "body" {
			t.Errorf("errors: %+v", p.Errors)
		}
	})
}

func TestAManagerSeesTheirTeamsAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var sales, service Team
		h.send(t, http.MethodPost, "/teams", TeamName{"Sales"}, http.StatusCreated, &sales)
		h.send(t, http.MethodPost, "/teams", TeamName{"Service"}, http.StatusCreated, &service)
		_, manager := h.member(t, "Mira", account.Manager, sales.ID)
		in, err := h.Accounts.AddAgent(t.Context(), h.Org.ID, account.NewAgent{Name: "In", Teams: []account.TeamID{sales.ID}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := h.Accounts.AddAgent(t.Context(), h.Org.ID, account.NewAgent{Name: "Out", Teams: []account.TeamID{service.ID}})
		if err != nil {
			t.Fatal(err)
		}
		answers := h.Put(t, h.item(t, in, "10:00", "9812345678", call.TypeIncoming, 30), h.item(t, out, "10:00", "9800000077", call.TypeIncoming, 30))
		var members Page[Member]
		h.do(t, manager, http.MethodGet, root+"/members", nil).read(t, http.StatusOK, &members)
		if len(members.Items) != 2 {
			t.Errorf("a manager sees %+v", members.Items)
		}
		var lines Page[Line]
		h.do(t, manager, http.MethodGet, root+"/lines", nil).read(t, http.StatusOK, &lines)
		if len(lines.Items) != 1 || lines.Items[0].Agent.ID != in.ID {
			t.Errorf("lines: %+v", lines.Items)
		}
		h.do(t, manager, http.MethodGet, root+"/calls/"+answers[0].Key.ID(h.Org.ID), nil).read(t, http.StatusOK, nil)
		h.do(t, manager, http.MethodGet, root+"/calls/"+answers[1].Key.ID(h.Org.ID), nil).problem(t, http.StatusNotFound)
		h.do(t, manager, http.MethodGet, root+"/members/"+string(out.ID), nil).problem(t, http.StatusNotFound)
		h.do(t, manager, http.MethodGet, root+"/teams/"+string(service.ID), nil).problem(t, http.StatusNotFound)
		var found Page[Number]
		h.do(t, manager, http.MethodGet, root+"/numbers?q=0077", nil).read(t, http.StatusOK, &found)
		if len(found.Items) != 0 {
			t.Errorf("a manager finds another team's number: %+v", found)
		}
		h.do(t, manager, http.MethodGet, root+"/numbers?q=5678", nil).read(t, http.StatusOK, &found)
		if len(found.Items) != 1 {
			t.Errorf("a manager finds %+v", found)
		}
	})
}

func TestALineMovesAndHistoryStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, ravi := h.Agent(t, "Asha"), h.Agent(t, "Ravi")
		var l Line
		h.send(t, http.MethodPost, "/lines", NewLine{Agent: asha.ID, Number: "098123 00001", Label: "Desk"}, http.StatusCreated, &l)
		if l.Number != "+919812300001" {
			t.Errorf("the line's number is %q", l.Number)
		}
		p := h.do(t, h.owner, http.MethodPost, root+"/lines", NewLine{Agent: ravi.ID, Number: "+91 98123 00001"}).problem(t, http.StatusConflict)
		if !strings.Contains(p.Detail, "Asha") {
			t.Errorf("a second line with the number: %s", p.Detail)
		}
		h.Clock.Advance(time.Minute)
		h.send(t, http.MethodPost, "/lines/"+string(l.ID)+"/move", LineMove{To: ravi.ID}, http.StatusOK, &l)
		if l.Agent.ID != ravi.ID {
			t.Errorf("moved to %+v", l.Agent)
		}
		label := "Field"
		h.send(t, http.MethodPatch, "/lines/"+string(l.ID), LineChange{Label: &label}, http.StatusOK, &l)
		h.send(t, http.MethodPost, "/lines/"+string(l.ID)+"/archive", nil, http.StatusNoContent, nil)
		var list Page[Line]
		h.get(t, "/lines", &list)
		if len(list.Items) != 0 {
			t.Error("an archived line is listed")
		}
		h.get(t, "/lines?archived=true", &list)
		if len(list.Items) != 1 || list.Items[0].Label != "Field" || list.Items[0].ArchivedAt == nil {
			t.Errorf("archived: %+v", list.Items)
		}
	})
}

func TestCallsAreAnnotatedFoundAndDeleted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha := h.Agent(t, "Asha")
		answers := h.Put(t, h.item(t, asha, "10:00", "9812345678", call.TypeIncoming, 30), h.item(t, asha, "10:10", "9812345678", call.TypeMissed, 0),
			h.item(t, asha, "10:20", "9800000077", call.TypeOutgoing, 0))
		id := answers[0].Key.ID(h.Org.ID)
		var c Call
		h.send(t, http.MethodPatch, "/calls/"+id, `{"note":"Wants a quote","tags":["quote"," hot "]}`, http.StatusOK, &c)
		if c.Note != "Wants a quote" || len(c.Tags) != 2 || c.NoteBy == "" {
			t.Errorf("annotated: %+v", c)
		}
		var found Page[Number]
		h.get(t, "/numbers?q=098123%2045678", &found)
		if len(found.Items) != 1 || found.Items[0].Number != "+919812345678" {
			t.Fatalf("found %+v", found)
		}
		var of Page[Call]
		h.get(t, "/numbers/"+string(found.Items[0].ID)+"/calls?limit=1", &of)
		if len(of.Items) != 1 || of.Items[0].Type != "missed" || of.Next == "" {
			t.Errorf("calls of a number: %+v", of)
		}
		h.get(t, "/numbers/"+string(found.Items[0].ID)+"/calls?cursor="+of.Next, &of)
		if len(of.Items) != 1 || of.Items[0].ID != id || of.Next != "" {
			t.Errorf("the second page: %+v", of)
		}
		p := h.do(t, h.owner, http.MethodGet, root+"/numbers?q=12345x", nil)
		p.read(t, http.StatusOK, &found)
		h.do(t, h.owner, http.MethodGet, root+"/numbers?q=abcd", nil).problem(t, http.StatusUnprocessableEntity)
		var gone Deleted
		h.send(t, http.MethodPost, "/calls/delete", CallIDs{[]string{id, "c_nothing"}}, http.StatusOK, &gone)
		if gone.Deleted != 1 || len(gone.Missing) != 1 {
			t.Errorf("deleted %+v", gone)
		}
		h.do(t, h.owner, http.MethodDelete, root+"/calls/"+id, nil).problem(t, http.StatusNotFound)
		h.send(t, http.MethodDelete, "/calls/"+answers[1].Key.ID(h.Org.ID), nil, http.StatusNoContent, nil)
		if n := len(h.Rows(t)); n != 1 {
			t.Errorf("%d calls are left", n)
		}
	})
}

func TestNumbersAreExcludedAndComeBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha := h.Agent(t, "Asha")
		h.Put(t, h.item(t, asha, "10:00", "9812345678", call.TypeIncoming, 30))
		var e Exclusion
		h.send(t, http.MethodPost, "/exclusions", NewExclusion{Number: "98123 45678", Strength: "hidden", Label: "Home"}, http.StatusCreated, &e)
		var list Page[Exclusion]
		h.get(t, "/exclusions", &list)
		if len(list.Items) != 1 || list.Items[0].ID != e.ID || list.Items[0].Number != "+919812345678" {
			t.Fatalf("excluded: %+v", list)
		}
		excluded, err := h.Book.Excluded(t.Context(), h.DB, h.Org.ID)
		if err != nil || len(excluded.Hidden) != 1 {
			t.Errorf("hidden: %+v, %v", excluded, err)
		}
		h.send(t, http.MethodDelete, "/exclusions/"+string(e.ID), nil, http.StatusNoContent, nil)
		h.do(t, h.owner, http.MethodDelete, root+"/exclusions/"+string(e.ID), nil).problem(t, http.StatusNotFound)
	})
}

func TestAChangeOfTheZoneReckonsDaysAnew(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha := h.Agent(t, "Asha")
		h.Put(t, h.item(t, asha, "02:00", "9812345678", call.TypeIncoming, 30)) // 20:30 UTC on the day before
		p := h.do(t, h.owner, http.MethodPatch, root+"/organisation", `{"zone":"Nowhere","work_from":"9 am","workdays":["mon","sum"]}`).problem(t, http.StatusUnprocessableEntity)
		if len(p.Errors) != 2 {
			t.Errorf("errors: %+v", p.Errors)
		}
		var o Organisation
		h.send(t, http.MethodPatch, "/organisation", `{"zone":"Europe/London","workdays":["mon","sat"],"work_from":"08:30","work_to":"24:00"}`, http.StatusOK, &o)
		if o.Zone != "Europe/London" || strings.Join(o.Workdays, " ") != "mon sat" || o.WorkFrom != "08:30" || o.WorkTo != "24:00" || o.Name != "Asha Traders" {
			t.Errorf("the organisation is %+v", o)
		}
		h.api.work.wait()
		if day := h.Rows(t)[0].Day; day != civil.Date(2026, 4, 14) {
			t.Errorf("the call stands on %s", day)
		}
	})
}

func TestPhonesAreToldWhatToCollect(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dev := h.pairedPhone(t, h.Agent(t, "Asha"))
		h.do(t, h.owner, http.MethodPut, root+"/device-settings", `{"track_days":["mon"],"track_from":"18:00","track_to":"09:00","battery":true}`).problem(t, http.StatusUnprocessableEntity)
		h.send(t, http.MethodPut, "/device-settings", `{"collect_from":"2026-04-01","track_days":["mon"],"track_from":"09:00","track_to":"18:00","battery":true}`, http.StatusOK, nil)
		var c CollectorConfig
		h.do(t, dev, http.MethodGet, root+"/device/config", nil).read(t, http.StatusOK, &c)
		if s := c.Settings; s.CollectFrom != "2026-04-01" || len(s.TrackDays) != 1 || s.TrackFrom != "09:00" || !s.Battery {
			t.Errorf("told %+v", s)
		}
		var health DeviceHealth
		h.get(t, "/device-health", &health)
		if health.Paired != 1 {
			t.Errorf("health: %+v", health)
		}
	})
}
