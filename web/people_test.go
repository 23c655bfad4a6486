package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

func TestAnAgentIsAddedInvitedAndJoins(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		team, err := w.Accounts.CreateTeam(t.Context(), w.Org.ID, "Pune")
		if err != nil {
			t.Fatal(err)
		}
		owner := w.owner()
		owner.get("/people/add").want(t, "the form", 200, "Pune", `name="number"`)
		done := owner.post("/people/add", url.Values{"name": {"Asha"}, "number": {"98123 00001"}, "email": {"asha@example.com"}, "teams": {string(team.ID)}}).
			want(t, "adding", 200, "Copy the link", "asha@example.com")
		if len(w.mails) != 1 || !strings.Contains(w.mails[0].Subject, "Asha Traders") {
			t.Fatalf("%d mails were kept, want the invitation", len(w.mails))
		}
		link := regexp.MustCompile(`/invitation/pli_\w+`).FindString(done.text)
		if link == "" || !strings.Contains(w.mails[0].Text, link) {
			t.Fatalf("the page's link %q is not that of the mail", link)
		}
		owner.get("/people").want(t, "the table", 200, "Asha", "+91 98123 00001", "Pune", "No phone")
		owner.get("/people/invitations").want(t, "the invitations", 200, "asha@example.com", "Open until")

		asha := w.stranger()
		asha.get(link).want(t, "the invitation", 200, "Join Asha Traders", "18 or older")
		asha.post(link, url.Values{"name": {"Asha Patel"}, "password": {"neun lila elefanten"}}).want(t, "without consent", 422, `href="#f-accept_terms"`)
		asha.post(link, url.Values{"name": {"Asha Patel"}, "password": {"neun lila elefanten"}, "accept_terms": {"1"}, "adult": {"1"}}).want(t, "accepting", 200, "You have joined")
		w.stranger().get(link).want(t, "a used invitation", 410)
		asha.get("/people").want(t, "people for an agent", 403)
	}, schemas()...)
}

func TestANumberThatIsTakenAddsNobody(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	owner := w.owner()
	owner.post("/people/add", url.Values{"name": {"Asha"}, "number": {"9812300001"}}).want(t, "adding", 200, "Asha is an agent now")
	owner.post("/people/add", url.Values{"name": {"Ravi"}, "number": {"+919812300001"}}).want(t, "a taken number", 422, `href="#f-number"`, `value="Ravi"`)
	owner.post("/people/add", url.Values{"name": {""}, "number": {"x"}}).want(t, "no number", 422, `href="#f-number"`)
	agents, err := w.Accounts.Agents(t.Context(), w.Org.ID)
	if err != nil || len(agents) != 1 {
		t.Errorf("there are %d agents (%v), want just Asha", len(agents), err)
	}
}

func TestAMemberIsChangedDeactivatedAndLetInAgain(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	owner, meera := w.owner(), w.member(account.Viewer, "Meera")
	path := "/people/" + string(meera.ID)
	owner.post(path, url.Values{"name": {"Meera K"}, "role": {"manager"}}).want(t, "changing", 200, "Saved", "Meera K")
	owner.post(path, url.Values{"name": {""}, "role": {"manager"}}).want(t, "no name", 422, `href="#f-name"`)
	owner.post(path+"/agent", nil).want(t, "becoming an agent", 200, "is an agent now", "No line")
	hers := w.as(meera)
	owner.post(path+"/deactivate", nil).want(t, "deactivating", 200, "is deactivated", "Reactivate")
	if got := hers.get("/people"); !strings.HasPrefix(got.path, "/sign-in") {
		t.Error("a deactivated member is still signed in")
	}
	owner.post(path+"/reactivate", nil).want(t, "reactivating", 200, "can sign in again")
	first, err := w.Accounts.Owner(t.Context(), w.Org.ID)
	if err != nil {
		t.Fatal(err)
	}
	owner.post("/people/"+string(first.ID), url.Values{"name": {"Owner"}, "role": {"viewer"}}).want(t, "the last owner", 409, "last owner")
}

func TestWhoMayChangeWhom(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	admin := w.as(w.member(account.Admin, "Adil"))
	first, err := w.Accounts.Owner(t.Context(), w.Org.ID)
	if err != nil {
		t.Fatal(err)
	}
	path := "/people/" + string(first.ID)
	if admin.get(path).has(`value="owner"`) || admin.get("/people/invite").has(`value="owner"`) {
		t.Error("an admin is offered to name owners")
	}
	admin.post(path+"/deactivate", nil).want(t, "an admin deactivating the owner", 403)
	admin.post("/people/invite", url.Values{"email": {"new@example.com"}, "role": {"owner"}}).want(t, "an admin inviting an owner", 403)
	viewer := w.as(w.member(account.Viewer, "Vera"))
	viewer.get("/people").want(t, "people for a viewer", 200)
	if viewer.get(path).has("<form class=\"form\"") {
		t.Error("a viewer is offered to change people")
	}
	viewer.post(path, url.Values{"name": {"X"}, "role": {"owner"}}).want(t, "a viewer changing people", 403)
}

func TestAManagerSeesTheirTeamsOnly(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	ctx, asha, ravi, meera := t.Context(), w.Agent(t, "Asha"), w.Agent(t, "Ravi"), w.member(account.Manager, "Meera")
	owner := w.owner()
	owner.post("/teams", url.Values{"name": {"Pune"}}).want(t, "making a team", 200, "The team Pune is made")
	owner.post("/teams", url.Values{"name": {"pune"}}).want(t, "the same name", 409, "already")
	teams, err := w.Accounts.Teams(ctx, w.Org.ID)
	if err != nil {
		t.Fatal(err)
	}
	path := "/teams/" + string(teams[0].ID)
	owner.post(path, url.Values{"name": {"Pune West"}, "members": {string(asha.ID), string(meera.ID)}}).want(t, "putting people in", 200, "Pune West", "Asha", "Meera")
	hers := w.as(meera)
	got := hers.get("/people").want(t, "people for a manager", 200, ">Asha<")
	if got.has(">Ravi<") {
		t.Error("a manager sees an agent of no team of hers")
	}
	hers.get("/people/"+string(ravi.ID)).want(t, "that agent's page", 404)
	hers.get(path).want(t, "a team's page for a manager", 403)
	owner.post(path+"/delete", nil).want(t, "deleting the team", 200, "The team is deleted")
	if hers.get("/people").has(">Asha<") {
		t.Error("a deleted team still shows its agents")
	}
}

func TestALineIsAddedMovedAndArchived(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ctx, asha, ravi, owner := t.Context(), w.Agent(t, "Asha"), w.Agent(t, "Ravi"), w.owner()
		owner.post("/people/"+string(asha.ID)+"/lines/add", url.Values{"number": {"9812300001"}, "label": {"Office"}, "sim_slot": {"2"}}).want(t, "adding", 200, "The line is added", "SIM 2", "Office")
		l := w.line(asha)
		w.Put(t, ingest.Item{Agent: asha.Agent, Line: l.No, Start: w.Now().Add(-time.Hour), Number: "+919999900001", Type: 1, Direction: 1, Seconds: 30})
		path := "/lines/" + string(l.ID)
		owner.post(path, url.Values{"number": {"+91 98123 00002"}, "label": {"Home"}}).want(t, "changing", 200, "The line is saved", "Home")
		owner.post(path+"/move", url.Values{"to": {string(ravi.ID)}, "at": {"2026-04-15"}}).want(t, "moving before the newest call", 422, `href="#f-at"`)
		owner.post(path+"/move", url.Values{"to": {string(ravi.ID)}}).want(t, "moving", 200, "The line has moved", "Ravi")
		if got := w.line(ravi); got.ID != l.ID || got.Number != "+919812300002" {
			t.Errorf("Ravi holds %+v, want the moved line", got)
		}
		owner.post(path+"/archive", nil).want(t, "archiving", 200, "The line is archived")
		owner.get(path).want(t, "an archived line", 200, "takes no more calls")
		if lines, err := w.Devices.LinesOf(ctx, w.Org, nil); err != nil || len(lines) != 0 {
			t.Errorf("%d lines are in use (%v), want none", len(lines), err)
		}
	}, schemas()...)
}

// line gives the one line that an agent holds.
func (w *world) line(m *account.Member) *device.Line {
	w.t.Helper()
	lines, err := w.Devices.LinesOf(w.t.Context(), w.Org, []account.AgentNo{m.Agent})
	if err != nil || len(lines) != 1 {
		w.t.Fatalf("%s holds %d lines (%v), want one", m.Name, len(lines), err)
	}
	return lines[0]
}

func TestPeopleOfAnotherOrganisationAreNotThere(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	other := w.NewOrg(t, "Other")
	stranger := w.memberOf(other, account.Manager, "Zoe")
	team, err := w.Accounts.CreateTeam(t.Context(), other.ID, "Theirs")
	if err != nil {
		t.Fatal(err)
	}
	agent, err := w.Accounts.AddAgent(t.Context(), other.ID, account.NewAgent{Name: "Zed"})
	if err != nil {
		t.Fatal(err)
	}
	line, err := w.Devices.AddLine(t.Context(), other, device.NewLine{Agent: agent.Agent})
	if err != nil {
		t.Fatal(err)
	}
	owner := w.owner()
	for _, path := range []string{"/people/" + string(stranger.ID), "/people/" + string(agent.ID) + "/lines/add", "/lines/" + string(line.ID), "/teams/" + string(team.ID)} {
		owner.get(path).want(t, "another organisation's", 404)
		owner.post(path, url.Values{"name": {"X"}, "role": {"viewer"}}).want(t, "changing another organisation's", 404)
	}
	for _, path := range []string{"/people/" + string(stranger.ID) + "/deactivate", "/people/" + string(stranger.ID) + "/agent", "/lines/" + string(line.ID) + "/archive", "/teams/" + string(team.ID) + "/delete", "/people/invitations/inv_x/withdraw"} {
		owner.post(path, nil).want(t, "another organisation's", 404)
	}
}
