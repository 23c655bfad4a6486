package report_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err error, kind fault.Kind, field, word string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || !strings.Contains(fault.Sentence(err), word) {
		t.Errorf("got %v, want kind %d with %q", err, kind, word)
		return
	}
	if field != "" && !slices.ContainsFunc(fault.Fields(err), func(f fault.FieldError) bool { return f.Field == field }) {
		t.Errorf("the fields of %v are %v, want %q", err, fault.Fields(err), field)
	}
}

// People of the stories.
const (
	meera  = "+919812300101" // missed on Monday, reached by Bina on Tuesday
	irfan  = "+919812300102" // missed twice, never reached
	sunita = "+919812300103" // talked at length, with a name that is a formula
	deepak = "+919812300104" // called three times, never picked up
	odd    = "0800123"       // no number of any country
)

// shop is an organisation with two teams, three agents and a few days of calls. Monday is 13 April 2026; the clock
// shows noon of Wednesday.
type shop struct {
	*calltest.World
	asha, bina, chetan *account.Member // asha and bina are North, chetan is South
	north, south       account.Team
	lines              map[string]*device.Line
}

const monday = "2026-04-13"

func newShop(t *testing.T, d *db.DB) *shop {
	t.Helper()
	w := calltest.New(t, d)
	s := &shop{World: w, asha: w.Agent(t, "Asha"), bina: w.Agent(t, "Bina"), chetan: w.Agent(t, "Chetan"), lines: map[string]*device.Line{}}
	s.north, s.south = s.team(t, "North", s.asha, s.bina), s.team(t, "South", s.chetan)
	for i, m := range []*account.Member{s.asha, s.bina, s.chetan} {
		l, err := w.Devices.AddLine(t.Context(), w.Org, device.NewLine{Agent: m.Agent, Number: "+91981230000" + string(rune('1'+i)), Label: m.Name + "’s SIM"})
		must(t, err)
		s.lines[m.Name] = l
	}
	for _, it := range s.calls() {
		s.Put(t, it) // one by one, so that numbers get their ids in this order
	}
	return s
}

func (s *shop) team(t *testing.T, name string, members ...*account.Member) account.Team {
	t.Helper()
	team, err := s.Accounts.CreateTeam(t.Context(), s.Org.ID, name)
	must(t, err)
	for _, m := range members {
		_, err := s.Accounts.SetTeams(t.Context(), s.Org.ID, m.ID, []account.TeamID{team.ID})
		must(t, err)
	}
	return team
}

// at is an hour and minute of a day after Monday.
func (s *shop) at(day, hour, minute int) time.Time {
	return time.Date(2026, 4, 13+day, hour, minute, 0, 0, s.Org.Location())
}

func (s *shop) item(m *account.Member, at time.Time, with string, kind call.Type, seconds int) ingest.Item {
	return ingest.Item{Agent: m.Agent, Line: s.lines[m.Name].No, Start: at, Number: with, Direction: kind.Direction(), Type: kind, Seconds: seconds}
}

func (s *shop) calls() []ingest.Item {
	named := s.item(s.asha, s.at(0, 10, 0), sunita, call.TypeIncoming, 600)
	named.Name, named.Note, named.Tags = `=HYPERLINK("http://evil.example";"Sunita")`, "+1+1 wants a quote, \"soon\"", []string{"@home", "vip"}
	hidden := s.item(s.bina, s.at(1, 17, 0), "", call.TypeIncoming, 0)
	hidden.Presentation = call.PresentationRestricted
	pbx := s.item(s.chetan, s.at(1, 9, 0), deepak, call.TypeOutgoing, 0)
	pbx.Source = call.SourcePBX
	return []ingest.Item{
		s.item(s.asha, s.at(0, 9, 30), meera, call.TypeMissed, 0),
		named,
		s.item(s.asha, s.at(0, 10, 20), irfan, call.TypeRejected, 0),
		s.item(s.asha, s.at(0, 11, 0), meera, call.TypeOutgoing, 0),
		s.item(s.bina, s.at(0, 18, 45), odd, call.TypeOutgoing, 35),
		s.item(s.bina, s.at(1, 9, 5), meera, call.TypeOutgoing, 125),
		s.item(s.bina, s.at(1, 12, 0), irfan, call.TypeMissed, 0),
		hidden, pbx,
		s.item(s.chetan, s.at(1, 9, 10), deepak, call.TypeOutgoing, 0),
		s.item(s.chetan, s.at(1, 23, 50), deepak, call.TypeOutgoing, 0),
		s.item(s.chetan, s.at(2, 8, 0), sunita, call.TypeIncoming, 61),
	}
}

// range of the stories: Monday through Wednesday.
func ask() report.Ask { return report.Ask{From: monday, Through: "2026-04-15"} }

func (s *shop) operator() *account.Actor { return s.Accounts.Operator(s.Org) }

func (s *shop) as(t *testing.T, m *account.Member, role account.Role) *account.Actor {
	t.Helper()
	if m.Role != role {
		_, err := s.Accounts.SetRole(t.Context(), s.operator(), m.ID, role)
		must(t, err)
	}
	a, err := s.Accounts.As(t.Context(), s.Org.ID, m.ID)
	must(t, err)
	return a
}

func (s *shop) view(t *testing.T, a report.Ask) *report.View {
	t.Helper()
	v, err := s.Reports.View(t.Context(), s.operator(), a)
	must(t, err)
	return v
}

func (s *shop) sheet(t *testing.T, v *report.View, id report.ID) *report.Sheet {
	t.Helper()
	sheet, err := s.Reports.Sheet(t.Context(), v, id)
	must(t, err)
	return sheet
}

// column collects one column of a sheet.
func column(t *testing.T, s *report.Sheet, key string) []any {
	t.Helper()
	at := slices.IndexFunc(s.Columns, func(c report.Column) bool { return c.Key == key })
	if at < 0 {
		t.Fatalf("%s has no column %q", s.ID, key)
	}
	var out []any
	must(t, s.Each(t.Context(), func(row []report.Value) error {
		if len(row) != len(s.Columns) {
			t.Fatalf("%s has a row of %d cells and %d columns", s.ID, len(row), len(s.Columns))
		}
		out = append(out, row[at])
		return nil
	}))
	return out
}

func sum(t *testing.T, s *report.Sheet, key string) int64 {
	t.Helper()
	var n int64
	for _, v := range column(t, s, key) {
		if v != nil {
			n += v.(int64)
		}
	}
	return n
}

func each(t *testing.T, tell func(t *testing.T, s *shop)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { tell(t, newShop(t, d)) }, calltest.Schemas()...)
}

func TestRowsAddUpToTheSummary(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		for name, a := range map[string]report.Ask{
			"everything": ask(),
			"one team":   {From: monday, Through: "2026-04-15", Team: s.north.ID},
			"filtered":   {From: monday, Through: "2026-04-15", Outcomes: []string{"connected", "not_picked_up"}},
			"a morning":  {From: monday, Through: "2026-04-15", HourFrom: 9, HourTo: 12},
			"one agent":  {From: monday, Through: "2026-04-15", Agent: string(s.chetan.ID)},
			"one line":   {From: monday, Through: "2026-04-15", Line: s.lines["Bina"].ID},
			"one number": {From: monday, Through: "2026-04-15", Number: "98123 00101"},
		} {
			v := s.view(t, a)
			total := s.sheet(t, v, report.Summary).Metrics()
			check := func(id report.ID, key string, metric stats.MetricID) {
				t.Helper()
				if got := sum(t, s.sheet(t, v, id), key); got != total[string(metric)] {
					t.Errorf("%s: %s of %s add up to %d, the summary says %v", name, key, id, got, total[string(metric)])
				}
			}
			for _, id := range []report.ID{report.Leaderboard, report.Days, report.Hours, report.Heatmap, report.WorkingTime} {
				check(id, "calls", "calls")
				check(id, "talk_seconds", "talk_seconds")
			}
			for _, m := range []stats.MetricID{"incoming", "missed", "unattended", "not_picked_up", "working_span_seconds", "active_seconds"} {
				check(report.Leaderboard, string(m), m)
				check(report.Days, string(m), m)
			}
			check(report.WorkingTime, "working_span_seconds", "working_span_seconds")
			check(report.NeverAttended, "unattended", "never_attended_calls")
			count := func(id report.ID, metric stats.MetricID) {
				t.Helper()
				if got := int64(len(column(t, s.sheet(t, v, id), s.sheet(t, v, id).Columns[0].Key))); got != total[string(metric)] {
					t.Errorf("%s: %s has %d rows, the summary says %v", name, id, got, total[string(metric)])
				}
			}
			count(report.Calls, "calls")
			count(report.NotPickedUp, "not_picked_up")
			count(report.Clients, "unique_clients")
			count(report.Reached, "reached_clients")
			count(report.NewClients, "new_clients")
			count(report.Missed, "unattended_clients")
			count(report.NeverAttended, "never_attended_clients")
			count(report.NeverPickedUp, "never_picked_up_clients")
		}
	})
}

// Whatever figure is opened, its report has as many rows as the figure says.
func TestEveryFigureOpensItsRows(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		for _, a := range []report.Ask{ask(), {From: monday, Through: "2026-04-15", Types: []string{"outgoing"}}, {From: monday, Through: "2026-04-15", Outcomes: []string{"missed"}}} {
			v := s.view(t, a)
			total := s.sheet(t, v, report.Summary).Metrics()
			for _, m := range stats.Metrics() {
				rows, id, err := report.RowsAsk(v, m.ID)
				must(t, err)
				opened := s.view(t, rows)
				if m.Unit != stats.UnitCalls && m.Unit != stats.UnitPeople || m.ID == "never_attended_calls" {
					continue
				}
				if got := int64(len(column(t, s.sheet(t, opened, id), "number"))); got != total[string(m.ID)] {
					t.Errorf("with %v, %s opens %d rows of %s with %+v and is %v", a.Query(), m.ID, got, id, rows, total[string(m.ID)])
				}
			}
		}
		_, _, err := report.RowsAsk(s.view(t, ask()), "call")
		refused(t, err, fault.NotFound, "", "The figures are calls, incoming")
	})
}

func TestWhoSeesWhat(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx := t.Context()
		lead := s.Agent(t, "Lead")
		_, err := s.Accounts.SetTeams(ctx, s.Org.ID, lead.ID, []account.TeamID{s.north.ID})
		must(t, err)
		manager := s.as(t, lead, account.Manager)
		own := s.as(t, s.chetan, account.Agent)
		viewer := s.as(t, s.Agent(t, "Guest"), account.Viewer)

		calls := func(actor *account.Actor, a report.Ask) int64 {
			t.Helper()
			v, err := s.Reports.View(ctx, actor, a)
			must(t, err)
			return sum(t, s.sheet(t, v, report.Leaderboard), "calls")
		}
		if got := []int64{calls(s.operator(), ask()), calls(viewer, ask()), calls(manager, ask()), calls(own, ask())}; !slices.Equal(got, []int64{12, 12, 8, 4}) {
			t.Errorf("operator, viewer, manager and agent see %v calls", got)
		}
		in := func(change func(a *report.Ask)) report.Ask { a := ask(); change(&a); return a }
		byTeam := func(id account.TeamID) report.Ask { return in(func(a *report.Ask) { a.Team = id }) }
		byAgent := func(id account.MemberID) report.Ask { return in(func(a *report.Ask) { a.Agent = string(id) }) }
		byLine := func(id device.LineID) report.Ask { return in(func(a *report.Ask) { a.Line = id }) }

		if got := calls(manager, byAgent(s.bina.ID)); got != 4 {
			t.Errorf("the manager sees %d calls of Bina", got)
		}
		other := s.NewOrg(t, "Other Traders")
		stranger, err := s.Accounts.AddAgent(ctx, other.ID, account.NewAgent{Name: "Stranger"})
		must(t, err)
		theirs, err := s.Accounts.CreateTeam(ctx, other.ID, "Theirs")
		must(t, err)
		for name, c := range map[string]struct {
			actor *account.Actor
			ask   report.Ask
		}{
			"a manager, another team":      {manager, byTeam(s.south.ID)},
			"a manager, another's agent":   {manager, byAgent(s.chetan.ID)},
			"a manager, another's line":    {manager, byLine(s.lines["Chetan"].ID)},
			"an agent, another agent":      {own, byAgent(s.asha.ID)},
			"an agent, another team":       {own, byTeam(s.north.ID)},
			"a foreign agent":              {s.operator(), byAgent(stranger.ID)},
			"a foreign team":               {s.operator(), byTeam(theirs.ID)},
			"a line that does not exist":   {s.operator(), byLine("lin_0")},
			"a number of somebody foreign": {s.operator(), in(func(a *report.Ask) { a.Number = "zzzzzzzzzzzzzzzzzzz0" })},
		} {
			if _, err := s.Reports.View(ctx, c.actor, c.ask); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, unseen := s.Reports.View(ctx, manager, byAgent(s.chetan.ID))
		_, missing := s.Reports.View(ctx, manager, byAgent(stranger.ID))
		if got, want := fault.Sentence(unseen), strings.ReplaceAll(fault.Sentence(missing), string(stranger.ID), string(s.chetan.ID)); got != want {
			t.Errorf("what may not be seen is told apart from what is not there: %q, %q", got, want)
		}
		_, err = s.Reports.View(ctx, viewer, ask(), account.ExportCalls)
		refused(t, err, fault.Denied, "", "role does not allow")
		_, err = s.Reports.View(ctx, manager, ask(), account.ExportCalls)
		must(t, err)
		refused(t, func() error {
			_, err := s.Reports.View(ctx, s.operator(), in(func(a *report.Ask) { a.Team, a.Agent = s.south.ID, string(s.asha.ID) }))
			return err
		}(), fault.Invalid, "agent", "not in the team South")
	})
}

// A token with the scope of reports alone reads figures and no numbers.
func TestNumbersTakeThePermissionToReadCalls(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		actor := *s.operator()
		actor.Token = &account.Token{Scopes: []account.Permission{account.ReadReports}}
		v, err := s.Reports.View(t.Context(), &actor, ask())
		must(t, err)
		for _, id := range report.IDs() {
			if !id.OfCalls() {
				continue
			}
			sheet, err := s.Reports.Sheet(t.Context(), v, id)
			if id.Needs() == account.ReadCalls {
				refused(t, err, fault.Denied, "", "read_calls")
				continue
			}
			must(t, err)
			var b strings.Builder
			must(t, sheet.WriteJSON(t.Context(), &b))
			if strings.Contains(b.String(), "98123001") {
				t.Errorf("%s tells a number to a token that may not read calls", id)
			}
		}
		actor.Token.Scopes = nil
		_, err = s.Reports.View(t.Context(), &actor, ask())
		refused(t, err, fault.Denied, "", "read_reports")
	})
}

func TestNumbersAreFoundByKeyWholeOrLastDigits(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		key, err := s.Book.Key(t.Context(), s.Org.ID, deepak)
		must(t, err)
		for text, want := range map[string]int{
			deepak: 3, "098123 00104": 3, "0104": 3, string(key): 3, "00101": 3, odd: 1, "+919812399999": 0, "7777": 0,
		} {
			a := ask()
			a.Number = text
			if got := len(column(t, s.sheet(t, s.view(t, a), report.Calls), "id")); got != want {
				t.Errorf("%q finds %d calls, want %d", text, got, want)
			}
		}
		a := ask()
		a.Number = "104"
		_, err = s.Reports.View(t.Context(), s.operator(), a)
		refused(t, err, fault.Invalid, "number", "at least the last 4 digits")
	})
}

func TestEveryRefusalNamesItsField(t *testing.T) {
	d := dbtest.SQLite(t, calltest.Schemas()...)
	s := newShop(t, d)
	for _, c := range []struct {
		ask         report.Ask
		field, word string
	}{
		{report.Ask{From: "13.4.2026"}, "from", "2026-03-02"},
		{report.Ask{From: monday, To: monday}, "to", "no day from 2026-04-13 on"},
		{report.Ask{From: monday, Through: "2026-04-12"}, "through", "before its first day"},
		{report.Ask{From: monday, To: "2026-04-15", Through: "2026-04-15"}, "through", "once"},
		{report.Ask{To: monday}, "from", "no beginning"},
		{report.Ask{From: "2027-01-01"}, "from", "not come yet"},
		{report.Ask{From: "1900-01-01", To: "2026-01-01"}, "from", "at most 20000"},
		{report.Ask{Preset: "fortnight"}, "preset", "today, yesterday, last_7_days"},
		{report.Ask{Preset: "today", From: monday}, "preset", "not both"},
		{report.Ask{Types: []string{"dialed"}}, "type", "incoming, outgoing, missed"},
		{report.Ask{Outcomes: []string{"lost"}}, "outcome", "connected, missed, short"},
		{report.Ask{Sources: []string{"fax"}}, "source", "phone, browser, assistant, pbx and messenger"},
		{report.Ask{Compare: "budget"}, "compare", "previous, year and weekdays"},
		{report.Ask{Preset: "last_7_days", Compare: "weekdays"}, "compare", "7 days"},
		{report.Ask{MinSeconds: 9, MaxSeconds: 3}, "max_seconds", "Swap"},
		{report.Ask{HourFrom: 9, HourTo: 9}, "hour_from", "must differ"},
		{report.Ask{HourFrom: 25}, "hour_from", "0 to 24"},
	} {
		_, err := s.Reports.View(t.Context(), s.operator(), c.ask)
		refused(t, err, fault.Invalid, c.field, c.word)
	}
	_, err := s.Reports.Sheet(t.Context(), s.view(t, ask()), "profit")
	refused(t, err, fault.NotFound, "", "summary, leaderboard")
	_, err = report.ParseFormat("pdf")
	refused(t, err, fault.Invalid, "format", "csv, xlsx, json and txt")
}

func TestRanges(t *testing.T) {
	d := dbtest.SQLite(t, calltest.Schemas()...)
	s := newShop(t, d)
	for _, c := range []struct{ preset, from, to, prevFrom, prevTo string }{
		{"today", "2026-04-15", "2026-04-16", "2026-04-14", "2026-04-15"},
		{"yesterday", "2026-04-14", "2026-04-15", "2026-04-13", "2026-04-14"},
		{"last_7_days", "2026-04-09", "2026-04-16", "2026-04-02", "2026-04-09"},
		{"last_30_days", "2026-03-17", "2026-04-16", "2026-02-15", "2026-03-17"},
		{"", "2026-03-17", "2026-04-16", "2026-02-15", "2026-03-17"},
		{"this_week", "2026-04-13", "2026-04-16", "2026-04-06", "2026-04-09"},
		{"last_week", "2026-04-06", "2026-04-13", "2026-03-30", "2026-04-06"},
		{"this_month", "2026-04-01", "2026-04-16", "2026-03-01", "2026-03-16"},
		{"last_month", "2026-03-01", "2026-04-01", "2026-02-01", "2026-03-01"},
	} {
		v := s.view(t, report.Ask{Preset: c.preset, Compare: "previous", Team: s.north.ID})
		before, err := s.Reports.Compare(t.Context(), v)
		must(t, err)
		if got := [4]string{v.From.String(), v.To.String(), before.From.String(), before.To.String()}; got != [4]string{c.from, c.to, c.prevFrom, c.prevTo} {
			t.Errorf("%s is %v", c.preset, got)
		}
		again := s.view(t, before.Ask)
		if again.From != before.From || again.To != before.To || again.Scope != before.Scope {
			t.Errorf("%s: the comparison's own Ask opens %s to %s of %s", c.preset, again.From, again.To, again.ScopeTitle)
		}
	}
	v := s.view(t, report.Ask{From: "2024-02-29", Through: "2024-02-29", Compare: "year"})
	before, err := s.Reports.Compare(t.Context(), v)
	must(t, err)
	if before.From.String() != "2023-02-28" || before.To.String() != "2023-03-01" {
		t.Errorf("a year before the leap day is %s to %s", before.From, before.To)
	}
}

func TestADayIsComparedWithTheSameWeekdays(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		// Wednesdays: two calls a week ago, one at 10:00 and one at 23:00; four two weeks ago; the weeks before are silent.
		for i, at := range []time.Time{s.at(-5, 10, 0), s.at(-5, 23, 0), s.at(-12, 10, 0), s.at(-12, 10, 5), s.at(-12, 11, 45), s.at(-12, 12, 30)} {
			s.Put(t, s.item(s.asha, at, meera, call.TypeOutgoing, 30*i))
		}
		avg, err := s.Reports.SameWeekdays(t.Context(), s.view(t, report.Ask{Preset: "today"}))
		must(t, err)
		if len(avg.Days) != 2 || avg.Days[0].String() != "2026-04-08" {
			t.Errorf("averaged days: %v", avg.Days)
		}
		value := func(values []stats.Value, id stats.MetricID) float64 {
			i := slices.IndexFunc(values, func(v stats.Value) bool { return v.ID == id })
			return values[i].Value
		}
		if calls, rate := value(avg.Values, "calls"), value(avg.Values, "connection_rate"); calls != 3 || rate != 5.0/6 {
			t.Errorf("%v calls and a connection rate of %v on a usual Wednesday", calls, rate)
		}
		// At noon: one call a week ago, three two weeks ago.
		if got := value(avg.SoFar, "calls"); got != 2 {
			t.Errorf("%v calls by noon", got)
		}
		s.Clock.Set(s.at(2, 12, 30)) // the call at 12:30 counts by half
		avg, err = s.Reports.SameWeekdays(t.Context(), s.view(t, report.Ask{Preset: "today"}))
		must(t, err)
		if got := value(avg.SoFar, "calls"); got != 2.25 {
			t.Errorf("%v calls by half past twelve", got)
		}
		avg, err = s.Reports.SameWeekdays(t.Context(), s.view(t, report.Ask{From: "2025-01-01", Through: "2025-01-01"}))
		must(t, err)
		if len(avg.Days) != 0 || avg.SoFar != nil || avg.Values[0].OK {
			t.Errorf("before the first call: %+v", avg)
		}
	})
}

func TestASummaryShowsWhatItIsComparedWith(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		for _, at := range []time.Time{s.at(-12, 10, 0), s.at(-6, 9, 0), s.at(-5, 9, 0), s.at(-5, 10, 0)} { // a week before, the day before, the day
			s.Put(t, s.item(s.asha, at, meera, call.TypeOutgoing, 60))
		}
		for with, want := range map[string]string{"previous": "2026-04-07", "weekdays": "2026-04-01"} {
			sheet := s.sheet(t, s.view(t, report.Ask{From: "2026-04-08", Through: "2026-04-08", Compare: with}), report.Summary)
			var out strings.Builder
			must(t, sheet.Write(t.Context(), &out, report.JSON))
			var got struct {
				Metrics  map[string]any
				Compared struct {
					With, From string
					Metrics    map[string]any
				}
			}
			must(t, json.Unmarshal([]byte(out.String()), &got))
			if got.Metrics["calls"] != 2.0 || got.Compared.With != with || got.Compared.From != want || got.Compared.Metrics["calls"] != 1.0 {
				t.Errorf("compared with %s: %+v", with, got.Compared)
			}
			if n := column(t, sheet, "compared")[0]; n != int64(1) {
				t.Errorf("compared with %s, the row of calls says %v (%T)", with, n, n)
			}
		}
	})
}

func TestReportsSayForWhomTheyWait(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx := t.Context()
		code, _, err := s.Devices.PairingCode(ctx, s.Org, s.bina.Agent)
		must(t, err)
		_, _, err = s.Devices.Pair(ctx, code, device.PairRequest{Name: "Bina’s phone", InstallID: "an-installation-id-0001"})
		must(t, err)
		v := s.view(t, ask())
		sheet := s.sheet(t, v, report.Days)
		if sheet.Completeness.Complete || len(sheet.Head().Complete.Waiting) != 1 || sheet.Head().Complete.Waiting[0].AgentName != "Bina" {
			t.Errorf("completeness is %+v", sheet.Head().Complete)
		}
		var b strings.Builder
		must(t, sheet.WriteText(ctx, &b))
		if !strings.Contains(b.String(), "Waiting for Bina’s phone of Bina (complete up to 2026-04-15 12:00).") {
			t.Errorf("the text says\n%s", b.String())
		}
		south := s.view(t, report.Ask{From: monday, Through: "2026-04-15", Team: s.south.ID})
		if !s.sheet(t, south, report.Days).Completeness.Complete {
			t.Error("a team waits for the phone of another")
		}
	})
}

// A visit that ends early ends the walk.
func TestAWalkEndsWithItsVisit(t *testing.T) {
	d := dbtest.SQLite(t, calltest.Schemas()...)
	s := newShop(t, d)
	v := s.view(t, ask())
	for _, id := range report.IDs() {
		if !id.OfCalls() {
			continue
		}
		n := 0
		err := s.sheet(t, v, id).Each(t.Context(), func([]report.Value) error { n++; return context.Canceled })
		if err != context.Canceled || n != 1 {
			t.Errorf("%s: %d visits, %v", id, n, err)
		}
	}
}

func TestATaskEndsWhenItsCallerIsReached(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx, own := t.Context(), s.as(t, s.bina, account.Agent)
		for _, n := range []string{meera, irfan, sunita} { // Sunita was connected earlier that day
			key, err := s.Book.Key(ctx, s.Org.ID, n)
			must(t, err)
			must(t, s.Callbacks.Assign(ctx, s.operator(), key, s.bina.Agent))
		}
		tasks := func() []string {
			t.Helper()
			all, err := s.Reports.Tasks(ctx, own)
			must(t, err)
			var out []string
			for _, task := range all {
				out = append(out, task.Text)
			}
			return out
		}
		if got := tasks(); !slices.Equal(got, []string{meera, sunita, irfan}) {
			t.Errorf("assigned, the tasks are %v", got)
		}
		s.Clock.Advance(time.Hour)
		s.Put(t, s.item(s.chetan, s.Now().Add(-30*time.Minute), irfan, call.TypeIncoming, 40), s.item(s.bina, s.Now().Add(-20*time.Minute), meera, call.TypeOutgoing, 0))
		if got := tasks(); !slices.Equal(got, []string{meera, sunita}) {
			t.Errorf("one was reached by a colleague and one not picked up; the tasks are %v", got)
		}
	})
}

func TestAMissedCallerWhoWasHandledIsSettled(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		key, err := s.Book.Key(t.Context(), s.Org.ID, irfan)
		must(t, err)
		must(t, s.Callbacks.Handle(t.Context(), s.operator(), key, "Came by."))
		for _, id := range []report.ID{report.Missed, report.NeverAttended} {
			sheet := s.sheet(t, s.view(t, ask()), id)
			at := slices.Index(column(t, sheet, "number"), any(irfan))
			if at < 0 {
				t.Fatalf("%s lost a caller who was handled", id)
			}
			if state, mark, note := column(t, sheet, "recovery")[at], column(t, sheet, "callback")[at], column(t, sheet, "callback_note")[at]; state != "settled" || mark != "handled" || note != "Came by." {
				t.Errorf("%s: handled, the caller is %v, %v, %v", id, state, mark, note)
			}
		}
		s.Put(t, s.item(s.asha, s.at(2, 13, 0), irfan, call.TypeMissed, 0))
		sheet := s.sheet(t, s.view(t, ask()), report.Missed)
		at := slices.Index(column(t, sheet, "number"), any(irfan))
		if state, mark := column(t, sheet, "recovery")[at], column(t, sheet, "callback")[at]; state != "open" || mark != "open" {
			t.Errorf("missed again, the caller is %v, %v", state, mark)
		}
	})
}
