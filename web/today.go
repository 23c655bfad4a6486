package web

import (
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/web/ui"
)

func (s *site) todayRoutes() []route {
	return []route{{"GET /{$}", account.ReadReports, today}}
}

// todayPage is the day at a glance.
type todayPage struct {
	ui.Frame
	Notes  []ui.Note
	Tiles  []ui.Tile
	Whole  string // what the changes are measured by
	Since  string // the day that is shown while today has no calls yet, "" when it is today
	Hours  *ui.Figure
	Missed *ui.Table
	Board  *ui.Table
	More   []ui.Link // to all missed callers, to the leaderboard
	Foot   *foot
	Empty  *ui.Empty
	Second *ui.Action // of an empty organisation, beside its one step
}

// Tiles of the day, in order.
func todayTiles() []stats.MetricID {
	return []stats.MetricID{"calls", "connected", "never_attended_clients", "not_picked_up", "unique_clients", "talk_seconds"}
}

// sparkDays is how many days the lines under the tiles go back.
const sparkDays = 14

func today(v *visit) error {
	s, err := v.sight("/", "today")
	if err != nil {
		return err
	}
	p := &todayPage{Frame: v.frame(v.t("nav.today"))}
	p.Title = v.t("today.title", "Day", v.words.LongDate(s.From))
	rep, err := s.Reporter.Report(s.ctx(), s.Org, s.Query, stats.WithPeople|stats.WithAgents)
	if err != nil {
		return err
	}
	trend, err := s.trend()
	if err != nil {
		return err
	}
	if rep.Calls() == 0 && trend.Calls() == 0 {
		never, err := v.neverCalled()
		if err != nil {
			return err
		}
		if never {
			s.welcome(p)
			return v.render("today", p)
		}
	}
	last, ok := s.lastDay(trend)
	if rep.Calls() == 0 && ok {
		if s, err = s.on(last); err != nil {
			return err
		}
		if rep, err = s.Reporter.Report(s.ctx(), s.Org, s.Query, stats.WithPeople|stats.WithAgents); err != nil {
			return err
		}
		if trend, err = s.trend(); err != nil {
			return err
		}
		p.Since = v.words.LongDate(last)
	}
	if err := s.todayFigures(p, rep, trend); err != nil {
		return err
	}
	if err := s.todayMissed(p, rep); err != nil {
		return err
	}
	p.Hours = s.hourChart(&rep.Hours, v.t("today.hours"))
	p.Board = s.todayBoard(rep)
	f, err := s.foot()
	if err != nil {
		return err
	}
	p.Foot = &f
	if err := s.deviceNote(p); err != nil {
		return err
	}
	return v.render("today", p)
}

// trend is the last days with today.
func (s *sight) trend() (*stats.Report, error) {
	q := s.Query
	q.From = s.To - sparkDays
	return s.Reporter.Report(s.ctx(), s.Org, q, 0)
}

// lastDay is the last day with calls before the day of the page: a working day where there is one.
func (s *sight) lastDay(trend *stats.Report) (civil.Day, bool) {
	var found civil.Day
	ok := false
	for _, d := range slices.Backward(trend.Days) {
		if d.Day >= s.From || d.Calls() == 0 {
			continue
		}
		if s.Org.Workdays.Has(d.Day.Weekday()) {
			return d.Day, true
		}
		if !ok {
			found, ok = d.Day, true
		}
	}
	return found, ok
}

// on is the same sight of another day.
func (s *sight) on(d civil.Day) (*sight, error) {
	other := *s
	var err error
	other.View, err = s.Reports.View(s.ctx(), s.actor, s.narrow(func(a *report.Ask) { onDay(a, d) }))
	return &other, err
}

// neverCalled tells whether the actor sees no call at all, of whatever day.
func (v *visit) neverCalled() (bool, error) {
	agents, err := v.actor.Agents(v.ctx())
	if err != nil {
		return false, err
	}
	page, err := v.Calls.History(v.ctx(), v.org(), call.HistoryQuery{Agents: agents, From: v.today() - maxPast, To: v.today() + 2, Limit: 1})
	return err == nil && len(page.Calls) == 0, err
}

// maxPast is how many days back a first call is looked for: 50 years, more than any log holds.
const maxPast civil.Day = 18_000

// welcome is the page of an organisation without calls: what will be here, and the one step that fills it.
func (s *sight) welcome(p *todayPage) {
	p.Lead = s.words.Rich("today.empty_lead")
	p.Empty = &ui.Empty{Icon: "today", Title: s.t("today.empty"), Text: s.t("today.empty.text")}
	if s.actor.Can(account.ImportCalls) {
		p.Empty.Action = &ui.Action{Title: s.t("today.import"), Href: "/imports", Icon: "import", Primary: true}
	}
	if s.actor.Can(account.ManagePeople) {
		p.Second = &ui.Action{Title: s.t("today.add_agents"), Href: "/people", Icon: "agents"}
	}
}

// todayFigures shows the tiles: those whose usual figure up to this time of day is known are compared with that, those
// about people with whole days.
func (s *sight) todayFigures(p *todayPage, rep, trend *stats.Report) error {
	avg, err := s.Reports.SameWeekdays(s.ctx(), s.View)
	if err != nil {
		return err
	}
	base := map[stats.MetricID]stats.Value{}
	whole := byMetric(avg.Values)
	measure := "today.measure"
	switch {
	case len(avg.Days) == 0:
	case p.Since != "":
		base, measure = whole, "today.measure_whole"
	default:
		base = byMetric(avg.SoFar)
	}
	for _, id := range todayTiles() {
		var spark []float64
		if m, _, _ := metric(id, &rep.Figures); m.List == "" {
			spark = sparks(trend.Days, id)
		}
		t := s.tile(id, &rep.Figures, base, spark)
		if t.Change == nil && len(avg.Days) > 0 {
			if w := whole[id]; w.OK {
				m, _, _ := metric(id, &rep.Figures)
				t.Unit = s.t("today.usual", "Value", s.write(m.Unit, roundedUsual(m.Unit, w.Value), true))
			}
		}
		if id == "never_attended_clients" {
			t.Href = at("/missed", s.Ask)
			if rep.NeverAttendedClients > 0 {
				t.Kind = ui.Bad
			}
		}
		p.Tiles = append(p.Tiles, t)
	}
	if len(avg.Days) > 0 {
		p.Whole = s.t(measure, "Count", len(avg.Days), "Weekday", s.words.Weekday(s.From.Weekday()))
	}
	return nil
}

// roundedUsual drops the decimals of an average of calls or people, which would say more than is known.
func roundedUsual(u stats.Unit, x float64) float64 {
	if u == stats.UnitRatio {
		return x
	}
	return float64(int64(x + 0.5))
}

// Of the callers who wait today.
const (
	mostShown   = 8   // are listed
	mostCounted = 500 // are counted by how long they wait
	longWait    = time.Hour
)

// todayMissed lists who waits longest, and says so above all else.
func (s *sight) todayMissed(p *todayPage, rep *stats.Report) error {
	kept, err := s.settled()
	if err != nil {
		return err
	}
	q := s.Reports.People(s.View, stats.ListMissed)
	q.States, q.Limit, q.Settled = []stats.Recovery{stats.Open, stats.Attempted}, mostCounted, handledAt(kept)
	page, err := s.Reporter.People(s.ctx(), s.Org, q)
	if err != nil {
		return err
	}
	long := 0
	for i := range page.People {
		if page.People[i].Waiting > longWait {
			long++
		}
	}
	switch {
	case p.Since != "":
		p.Lead = s.words.Rich("today.lead_before", "Count", page.Total, "Day", p.Since)
		p.More = append(p.More, ui.Link{Title: s.t("today.summary"), Href: at("/reports/summary", s.Ask)})
	case rep.Calls() == 0:
		p.Lead = s.words.Rich("today.lead_quiet")
		p.More = append(p.More, ui.Link{Title: s.t("today.calls"), Href: "/calls"})
	case page.Total == 0:
		p.Lead = s.words.Rich("today.lead_none", "Connected", rep.Connected())
	case long == 0:
		p.Lead = s.words.Rich("today.lead_fresh", "Count", page.Total)
	default:
		p.Lead = s.words.Rich("today.lead", "Count", page.Total, "Long", s.t("today.long", "Count", long))
	}
	page.People = page.People[:min(mostShown, len(page.People))]
	if p.Missed, err = s.missedTable(missedTabs()[0], page, kept); err != nil {
		return err
	}
	p.Missed.Title, p.Missed.Exports, p.Missed.Pager = s.t("today.missed"), nil, nil
	p.Missed.Empty = &ui.Empty{Icon: "check", Title: s.t("today.missed_none"), Text: s.t("today.missed_none.text")}
	if page.Total > mostShown {
		p.More = append(p.More, ui.Link{Title: s.t("today.missed_all", "Count", page.Total), Href: at("/missed", s.Ask)})
	}
	return nil
}

// todayBoard is the leaderboard of the day in few columns.
func (s *sight) todayBoard(rep *stats.Report) *ui.Table {
	t := &ui.Table{Title: s.t("today.board"), Columns: []ui.Column{{Title: s.t("role.agent")}, {Title: s.t("metric.calls"), Numeric: true}, {Title: s.t("metric.connected"), Numeric: true}, {Title: s.t("metric.unattended"), Numeric: true}, {Title: s.t("metric.talk_seconds"), Numeric: true}}}
	t.Empty = &ui.Empty{Icon: "leaderboard", Title: s.t("today.board_none")}
	most := int64(1)
	for i := range rep.Agents {
		most = max(most, rep.Agents[i].Calls())
	}
	for i := range rep.Agents[:min(mostShown, len(rep.Agents))] {
		a := &rep.Agents[i]
		cells := s.boardCells(a, []stats.MetricID{"calls", "connected", "unattended", "talk_seconds"})
		cells[1].Meter, cells[1].Share = true, float64(a.Calls())/float64(most)
		t.Rows = append(t.Rows, ui.Row{Cells: cells})
	}
	return t
}

// boardCells are an agent's name and figures, each with its rows behind it.
func (s *sight) boardCells(a *stats.AgentFigures, ids []stats.MetricID) []ui.Cell {
	row := []ui.Cell{s.agentLink(a.Agent)}
	row[0].Strong = true
	for _, id := range ids {
		m, x, ok := metric(id, &a.Figures)
		c := ui.Cell{Text: s.write(m.Unit, x, ok)}
		if ok && x > 0 && s.Agents[a.Agent] != nil {
			w := *s.View
			w.Ask = s.narrow(func(ask *report.Ask) { ask.Agent, ask.Team = s.memberOf(a.Agent), "" })
			c.Href = rowsOf(&w, id)
		}
		row = append(row, c)
	}
	return row
}

// deviceNote names the phones that have been silent through working hours.
func (s *sight) deviceNote(p *todayPage) error {
	if !s.actor.Can(account.ReadDevices) {
		return nil
	}
	all, err := s.Devices.Devices(s.ctx(), s.Org, s.Query.Agents)
	if err != nil {
		return err
	}
	var silent []device.View
	for _, d := range all {
		if d.Silent {
			silent = append(silent, d)
		}
	}
	if len(silent) == 0 {
		return nil
	}
	n := ui.Note{Kind: ui.Warn, Title: s.t("today.silent", "Count", len(silent)), Action: &ui.Action{Title: s.t("complete.devices"), Href: "/devices"}}
	for i, d := range silent[:min(len(silent), mostNamed)] {
		if i > 0 {
			n.Text += "; "
		}
		n.Text += s.t("complete.of", "Device", d.Name, "Agent", names(s.Agents).of(d.Agent)) + " (" + s.worked(d.SilentFor) + ")"
	}
	p.Notes = append(p.Notes, n)
	return nil
}
