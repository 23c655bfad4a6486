package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/report"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// office is a world in which two agents, one of them in the manager's team, had calls this morning.
type office struct {
	*world
	meera, ravi *account.Member // Meera is in the manager's team
	manager     *account.Member
	lines       map[account.AgentNo]call.LineNo
}

func newOffice(t *testing.T, d *db.DB) *office {
	t.Helper()
	o := &office{world: newWorld(t, d, nil), lines: map[account.AgentNo]call.LineNo{}}
	o.meera, o.ravi = o.member(account.Agent, "Meera Iyer"), o.member(account.Agent, "Ravi Rao")
	o.manager = o.member(account.Manager, "Kavita Shah")
	team, err := o.Accounts.CreateTeam(t.Context(), o.Org.ID, "Pune")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*account.Member{o.meera, o.manager} {
		if _, err := o.Accounts.SetTeams(t.Context(), o.Org.ID, m.ID, []account.TeamID{team.ID}); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []*account.Member{o.meera, o.ravi} {
		l, err := o.Devices.AddLine(t.Context(), o.Org, device.NewLine{Agent: m.Agent, Label: m.Name})
		if err != nil {
			t.Fatal(err)
		}
		o.lines[m.Agent] = l.No
	}
	return o
}

// call keeps a call that began some minutes before now.
func (o *office) call(of *account.Member, ago time.Duration, kind call.Type, seconds int, number string) {
	o.t.Helper()
	o.Put(o.t, ingest.Item{Agent: of.Agent, Line: o.lines[of.Agent], Start: o.Now().Add(-ago), Type: kind, Direction: kind.Direction(), Seconds: seconds, Number: number})
}

// Numbers of people outside.
const (
	sharma = "+919812300077"
	gupta  = "+919812300088"
)

func link(t *testing.T, a answer, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindString(a.text)
	if found == "" {
		t.Fatalf("%s has no link like %s", a.path, pattern)
	}
	return found
}

func TestTodaySaysWhoWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		owner := o.owner()
		owner.get("/").want(t, "an empty organisation", 200, "No calls yet", `href="/imports"`, `href="/people"`)
		o.call(o.meera, 2*time.Hour, call.TypeMissed, 0, sharma)
		o.call(o.ravi, 90*time.Minute, call.TypeIncoming, 120, gupta)
		o.call(o.ravi, 30*time.Minute, call.TypeMissed, 0, "+919812300099")
		owner.get("/").want(t, "today", 200, "<strong>2 people</strong> called in vain today", "1 has waited over an hour", "+91 98123 00077", "Meera Iyer", "Ravi Rao", "it was their phone that rang")
		o.as(o.manager).get("/").want(t, "a manager's today", 200, "<strong>1 person</strong>", "+91 98123 00077")
		if got := o.as(o.manager).get("/"); got.has("+91 98123 00099") {
			t.Error("a manager sees a caller of an agent of another team")
		}
		o.Clock.Advance(24 * time.Hour)
		next := owner.get("/").want(t, "the next day before its first call", 200, "No calls yet today", "<strong>2 people</strong>", "+91 98123 00077", "All figures of this day")
		owner.get(link(t, next, `/reports/summary\?[^"]*`)).want(t, "the day it shows", 200, "<strong>3 calls</strong>")
	}, schemas()...)
}

func TestAMissedCallerIsAssignedHandledAndTakenBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.call(o.meera, 2*time.Hour, call.TypeMissed, 0, sharma)
		boss := o.as(o.manager)
		page := boss.get("/missed").want(t, "the list", 200, "<strong>1 person</strong> called in vain", "Ask them", "tel:"+sharma)
		path := link(t, page, `/missed/\w+/assign`)
		boss.post(path, url.Values{"agent": {string(o.meera.ID)}, "back": {"/missed"}}).want(t, "assigning", 200, "your colleague’s list", "asked ")
		hers := o.as(o.meera)
		hers.get("/missed").want(t, "her own list", 200, "For you to call back")
		handle := strings.Replace(path, "/assign", "/handle", 1)
		hers.post(handle, url.Values{"back": {"/missed"}}).want(t, "handling", 200, "Marked as handled", "Undo", "nobody waits")
		hers.get("/missed?state=handled").want(t, "the handled ones", 200, "+91 98123 00077", "Undo")
		hers.post(strings.Replace(path, "/assign", "/reopen", 1), nil).want(t, "taking back", 200, "back on the list", "+91 98123 00077")
		hers.post(handle, nil)
		o.Clock.Advance(time.Hour)
		o.call(o.meera, time.Minute, call.TypeMissed, 0, sharma)
		boss.get("/missed").want(t, "calling in vain again", 200, "<strong>1 person</strong> called in vain", "2 times")
		boss.post(path, url.Values{"agent": {string(o.ravi.ID)}}).want(t, "assigning to another team", 404)
		o.as(o.ravi).post(handle, nil).want(t, "a caller one does not see", 404)
	}, schemas()...)
}

func TestARowIsAnsweredToScript(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t, schemas()...))
	o.call(o.meera, 2*time.Hour, call.TypeMissed, 0, sharma)
	owner := o.owner()
	path := link(t, owner.get("/missed"), `/missed/\w+/handle`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.server.URL+path, strings.NewReader("back=%2Fmissed"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("HX-Request", "true")
	got := owner.do(r, nil).want(t, "handling by script", 200, `<tr id="n-`, "Undo", `name="back" value="/missed"`)
	if got.has("<html") {
		t.Error("script gets a whole page")
	}
}

func TestACallIsAnnotatedAndDeleted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.call(o.meera, time.Hour, call.TypeIncoming, 95, sharma)
		owner := o.owner()
		path := link(t, owner.get("/calls").want(t, "the list", 200, "1:35", "Connected"), `/calls/cal_\w+`)
		owner.get(path).want(t, "the call", 200, "Call from +91 98123 00077", "1 min 35 s", "Meera Iyer", "Call back")
		owner.post(path+"/note", url.Values{"note": {"Wants the price list"}}).want(t, "a note", 200, "Wants the price list")
		owner.get("/search?q=price+wan").want(t, "a search for words of the note", 200, "Notes of calls", "Wants the price list", "Call from +91 98123 00077", path)
		o.as(o.meera).get("/search?q=price").want(t, "a search by whose call it is", 200, path)
		if found := o.as(o.ravi).get("/search?q=price").want(t, "a colleague's search", 200); found.has(path) {
			t.Error("the search shows a call out of sight")
		}
		owner.post(path+"/tags", url.Values{"tags": {"quote, urgent"}}).want(t, "tags", 200, "quote, urgent")
		owner.get("/calls?tag=urgent").want(t, "the filter by tag", 200, "Wants the price list", "tag urgent")
		owner.get("/calls?number=0077").want(t, "the last digits", 200, "1:35")
		owner.get("/calls?min_seconds=96").want(t, "longer calls", 200, "No calls here")
		owner.get("/calls?min_seconds=x").want(t, "a wrong bound", 422, "is not a whole number", "1:35")
		o.as(o.ravi).get(path).want(t, "a colleague's call", 404)
		o.as(o.meera).post(path+"/delete", nil).want(t, "deleting as an agent", 403)
		o.as(o.member(account.Viewer, "Vik Das")).post(path+"/note", url.Values{"note": {"x"}}).want(t, "a viewer's note", 403)
		owner.post(path+"/delete", nil).want(t, "deleting", 200, "The call is deleted", "No calls here")
		owner.get(path).want(t, "a deleted call", 404)
		owner.get("/search?q=price+list").want(t, "a search for the note of a deleted call", 200, "Nothing found")
	}, schemas()...)
}

func TestANumberTellsItsStoryToWhoMaySeeIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.call(o.meera, 3*time.Hour, call.TypeMissed, 0, sharma)
		o.call(o.ravi, 2*time.Hour, call.TypeOutgoing, 60, sharma)
		o.call(o.ravi, time.Hour, call.TypeOutgoing, 0, gupta)
		owner := o.owner()
		path := link(t, owner.get("/search?q=00077").want(t, "the search", 200, "+91 98123 00077"), `/numbers/\w+`)
		owner.get(path).want(t, "the number", 200, "Recovered by us", "recovered after 1 h", "Meera Iyer", "Ravi Rao", "2 calls")
		o.as(o.manager).get(path).want(t, "a manager's part of it", 200, "1 call", "Open")
		o.as(o.manager).get("/search?q=00088").want(t, "a number of others", 200, "Nothing found")
		others := link(t, owner.get("/search?q=00088"), `/numbers/\w+`)
		for number, name := range map[string]string{sharma: "Sharma Plumber", gupta: "Gupta Plumber"} {
			n, _, err := o.Book.Find(t.Context(), o.DB, o.Org.ID, number)
			if err == nil {
				err = o.DB.Tx(t.Context(), func(tx *db.Tx) error { return o.Book.Rename(t.Context(), tx, o.Org.ID, n, name, 1) })
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		owner.get("/search?q=plumb").want(t, "names that phones logged", 200, "Sharma Plumber", "Gupta Plumber", path)
		if found := o.as(o.manager).get("/search?q=plumb").want(t, "a manager's search for a name", 200, "Sharma Plumber"); found.has("Gupta") {
			t.Error("the search tells of a number of others")
		}
		o.as(o.manager).get(others).want(t, "a number of others by its address", 404)
		o.as(o.manager).post(path+"/exclude", nil).want(t, "excluding as a manager", 403)
		owner.post(path+"/exclude", nil).want(t, "excluding", 200, "The number is hidden", "This number is excluded")
		owner.get("/calls").want(t, "the calls", 200, "98123 00088")
		if got := owner.get("/calls"); got.has("98123 00077") {
			t.Error("a hidden number is still listed")
		}
		owner.get("/calls?excluded=1").want(t, "with hidden numbers", 200, "98123 00077")
	}, schemas()...)
}

func TestEveryReportHasAPageAndFiles(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.call(o.meera, 3*time.Hour, call.TypeMissed, 0, sharma)
		o.call(o.ravi, 2*time.Hour, call.TypeOutgoing, 60, gupta)
		owner := o.owner()
		index := owner.get("/reports").want(t, "the index", 200)
		for _, id := range report.IDs() {
			path := "/reports/" + string(id)
			owner.get(path+"?preset=today").want(t, string(id), 200, "A call counts as connected from")
			owner.get(path+"?from=2020-01-01&through=2020-01-02").want(t, string(id)+" without calls", 200)
			if !index.has(path) && !index.has(`"/`+string(id)+`"`) {
				t.Errorf("the index lacks %s", id)
			}
			for _, f := range []string{"csv", "xlsx", "json"} {
				got := owner.get(path+"."+f+"?preset=today").want(t, string(id)+"."+f, 200)
				if !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
					t.Errorf("%s.%s is no download", id, f)
				}
				o.as(o.meera).get(path+"."+f).want(t, string(id)+"."+f+" for an agent", 403)
			}
		}
		owner.get("/reports/nonsense").want(t, "no report", 404)
	}, schemas()...)
}

func TestFiguresOfScopesAndRanges(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t, schemas()...))
	o.call(o.meera, time.Hour, call.TypeIncoming, 61, sharma)
	o.call(o.ravi, 2*time.Hour, call.TypeOutgoing, 60, gupta)
	o.call(o.ravi, 26*time.Hour, call.TypeOutgoing, 0, gupta)
	owner := o.owner()
	for _, c := range []struct {
		path   string
		status int
		parts  []string
	}{
		{"/reports/summary?preset=today", 200, []string{"<strong>2 calls</strong>"}},
		{"/reports/summary?preset=today&agent=" + string(o.meera.ID), 200, []string{"Meera Iyer, today", "<strong>1 call</strong>"}},
		{"/reports/summary?preset=today&compare=previous", 200, []string{"the days before"}},
		{"/reports/summary?preset=today&compare=weekdays", 200, nil},
		{"/reports/summary?from=2026-04-10&through=2026-04-09", 422, []string{"before its first day"}},
		{"/reports/summary?agent=mem_nobody", 404, nil},
		{"/leaderboard?sort=talk_seconds", 200, []string{"<strong>Meera Iyer</strong> leads", "Total"}},
		{"/leaderboard?sort=talk_seconds&order=ascending", 200, []string{"<strong>Ravi Rao</strong> has the least"}},
		{"/leaderboard?sort=shoe_size", 404, nil},
		{"/agents/" + string(o.meera.ID), 200, []string{"Meera Iyer", "<strong>1 call</strong>", "1:00"[:0]}},
		{"/agents/mem_nobody", 404, nil},
		{"/reports/working_time?preset=today", 200, []string{`class="chart span"`, "11:00 am"}},
		{"/definitions", 200, []string{"never_attended_clients"}},
		{"/search?q=meera", 200, []string{"/agents/" + string(o.meera.ID)}},
		{"/search?q=talk", 200, []string{"/definitions#talk_seconds"}},
	} {
		owner.get(c.path).want(t, c.path, c.status, c.parts...)
	}
	hers := o.as(o.meera)
	hers.get("/agents/"+string(o.meera.ID)).want(t, "one's own page", 200, "Your employer sees exactly these figures")
	hers.get("/agents/"+string(o.ravi.ID)).want(t, "a colleague's page", 404)
	hers.get("/search?q=ravi").want(t, "a colleague", 200, "Nothing found")
}

// TestAnotherOrganisationsIDsAreNotThere tries every page that takes an id with one of another organisation.
func TestAnotherOrganisationsIDsAreNotThere(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t, schemas()...))
	o.call(o.meera, time.Hour, call.TypeMissed, 0, sharma)
	owner := o.owner()
	call := link(t, owner.get("/calls"), `/calls/cal_\w+`)
	number := link(t, owner.get("/calls"), `/numbers/\w+`)
	key := strings.TrimPrefix(number, "/numbers/")
	other := o.as(o.memberOf(o.NewOrg(t, "Other"), account.Admin, "Omar"))
	for _, path := range []string{call, number, "/agents/" + string(o.meera.ID), "/calls?agent=" + string(o.meera.ID)} {
		other.get(path).want(t, "another organisation's", 404)
	}
	for _, path := range []string{call + "/note", call + "/tags", call + "/delete", number + "/exclude", "/missed/" + key + "/assign", "/missed/" + key + "/handle", "/missed/" + key + "/reopen"} {
		other.post(path, nil).want(t, "another organisation's", 404)
	}
	if !owner.get(call).has("Missed") {
		t.Error("the call is gone")
	}
}
