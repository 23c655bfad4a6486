package web

import (
	"html/template"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/web/chart"
	"parley/web/ui"
)

func hoursReport(s *sight) (template.HTML, []part, error) {
	rep, err := s.Reporter.Report(s.ctx(), s.Org, s.Query, 0)
	if err != nil {
		return "", nil, err
	}
	fig := s.hourChart(&rep.Hours, s.t("reports.hours"))
	t := fig.Table
	fig.Table = nil
	t.Title, t.Exports = s.t("reports.hours"), s.exports(report.Hours)
	parts := []part{{Figure: fig}, {Table: t}}
	best, calls := 0, int64(0)
	for h := range rep.Hours {
		if rep.Hours[h].Calls > calls {
			best, calls = h, rep.Hours[h].Calls
		}
	}
	if calls == 0 {
		return s.lead("reports.lead_none"), parts, nil
	}
	return s.lead("reports.hours.lead", "Hour", s.words.Hour(best), "Share", s.words.Percent(float64(calls)/float64(rep.Calls()))), parts, nil
}

func daysReport(s *sight) (template.HTML, []part, error) {
	rep, err := s.Reporter.Report(s.ctx(), s.Org, s.Query, 0)
	if err != nil {
		return "", nil, err
	}
	parts := []part{{Figure: s.dayChart(rep.Days, s.t("chart.days"), "connected", "unattended")}, {Figure: s.dayChart(rep.Days, s.t("metric.talk_seconds"), "talk_seconds", "")}, {Table: s.dayTable(rep.Days)}}
	best := slices.MaxFunc(rep.Days, func(a, b stats.DayFigures) int { return int(a.Calls() - b.Calls()) })
	if best.Calls() == 0 {
		return s.lead("reports.lead_none"), parts, nil
	}
	return s.lead("reports.days.lead", "Day", s.words.Day(best.Day), "Count", best.Calls()), parts, nil
}

// dayTable has a row per day, the newest first.
func (s *sight) dayTable(days []stats.DayFigures) *ui.Table {
	ids := []stats.MetricID{"calls", "incoming", "outgoing", "connected", "unattended", "not_picked_up", "talk_seconds", "answer_rate"}
	t := &ui.Table{Title: s.t("reports.days"), Exports: s.exports(report.Days), Columns: []ui.Column{{Title: s.t("column.day")}}}
	for _, id := range ids {
		t.Columns = append(t.Columns, ui.Column{Title: s.t("metric." + string(id)), Numeric: true, Help: s.t("metric." + string(id) + ".how")})
	}
	for _, d := range slices.Backward(days) {
		row := ui.Row{Cells: []ui.Cell{{Text: s.words.Day(d.Day), Href: at("/reports/summary", s.narrow(func(a *report.Ask) { onDay(a, d.Day) }))}}}
		for _, id := range ids {
			m, x, ok := metric(id, &d.Figures)
			c := ui.Cell{Text: s.write(m.Unit, x, ok)}
			if ok && x > 0 {
				c.Href = s.rowsOn(d.Day, id)
			}
			row.Cells = append(row.Cells, c)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// rowsOn is the address of the rows behind a figure of one day.
func (s *sight) rowsOn(d civil.Day, id stats.MetricID) string {
	w := *s.View
	onDay(&w.Ask, d)
	return rowsOf(&w, id)
}

// weekdaysFromMonday are the days of a week as reports list them.
func weekdaysFromMonday() []time.Weekday {
	return []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
}

func heatmapReport(s *sight) (template.HTML, []part, error) {
	rep, err := s.Reporter.Report(s.ctx(), s.Org, s.Query, 0)
	if err != nil {
		return "", nil, err
	}
	t := &ui.Table{Title: s.t("heatmap.busiest"), Exports: s.exports(report.Heatmap), Columns: []ui.Column{{Title: s.t("column.weekday_hour")}, {Title: s.t("metric.calls"), Numeric: true}, {Title: s.t("metric.connected"), Numeric: true}, {Title: s.t("metric.unattended"), Numeric: true}, {Title: s.t("heatmap.unattended_share"), Numeric: true}}}
	type slot struct {
		day  time.Weekday
		hour int
	}
	var slots []slot
	for _, w := range weekdaysFromMonday() {
		for h := range 24 {
			if rep.Heat[w][h].Calls > 0 {
				slots = append(slots, slot{w, h})
			}
		}
	}
	slices.SortStableFunc(slots, func(a, b slot) int { return int(rep.Heat[b.day][b.hour].Calls - rep.Heat[a.day][a.hour].Calls) })
	for _, x := range slots[:min(len(slots), 10)] {
		h := &rep.Heat[x.day][x.hour]
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: s.weekdayHour(x.day, x.hour)}, {Text: s.words.Number(h.Calls)}, {Text: s.words.Number(h.Connected)}, {Text: s.words.Number(h.Unattended)}, {Text: s.words.Percent(float64(h.Unattended) / float64(h.Calls))}}})
	}
	all := s.heat(rep, func(h *stats.HourSum) float64 { return float64(h.Calls) }, func(*report.Ask) {})
	missed := s.heat(rep, func(h *stats.HourSum) float64 { return float64(h.Unattended) }, func(a *report.Ask) {
		if len(a.Types) == 0 && len(a.Outcomes) == 0 {
			for _, o := range call.Unattended() {
				a.Outcomes = append(a.Outcomes, o.String())
			}
		}
	})
	parts := []part{{Figure: &ui.Figure{Title: s.t("metric.calls"), Chart: all, Note: s.t("heatmap.note")}}, {Figure: &ui.Figure{Title: s.t("metric.unattended"), Chart: missed}}, {Table: t}}
	if len(slots) == 0 {
		return s.lead("reports.lead_none"), parts, nil
	}
	return s.lead("reports.heatmap.lead", "Slot", s.weekdayHour(slots[0].day, slots[0].hour)), parts, nil
}

func (v *visit) weekdayHour(w time.Weekday, hour int) string {
	return v.t("heatmap.slot", "Weekday", v.words.Weekday(w), "Hour", v.words.Hour(hour))
}

func workingTimeReport(s *sight) (template.HTML, []part, error) {
	rep, err := s.Reporter.Report(s.ctx(), s.Org, s.Query, stats.WithSpans|stats.WithAgents)
	if err != nil {
		return "", nil, err
	}
	var parts []part
	if s.To-s.From > 1 {
		parts = append(parts, part{Table: s.workingTotals(rep)}, part{Figure: s.dayChart(rep.Days, s.t("metric.active_seconds"), "active_seconds", "")})
	}
	t := s.spanTable(rep.Spans)
	t.Title, t.Exports = s.t("working.by_day"), s.exports(report.WorkingTime)
	parts = append(parts, part{Table: t})
	if rep.AgentDays == 0 {
		return s.lead("reports.lead_none"), parts, nil
	}
	return s.lead("reports.working_time.lead", "Count", rep.AgentDays, "Span", s.words.Duration(rep.Span/rep.AgentDays/60*60), "Active", s.words.Duration(rep.Active/rep.AgentDays/60*60)), parts, nil
}

// workingTotals adds up the days of each agent, and those of all.
func (s *sight) workingTotals(rep *stats.Report) *ui.Table {
	t := &ui.Table{Title: s.t("working.by_agent"), Columns: []ui.Column{{Title: s.t("role.agent")}, {Title: s.t("column.days"), Numeric: true}, {Title: s.t("metric.working_span_seconds"), Numeric: true, Help: s.t("metric.working_span_seconds.how")}, {Title: s.t("metric.active_seconds"), Numeric: true, Help: s.t("metric.active_seconds.how")}, {Title: s.t("working.active_share"), Numeric: true}, {Title: s.t("metric.talk_seconds"), Numeric: true}}}
	line := func(name ui.Cell, f *stats.Figures) []ui.Cell {
		share := ui.Cell{Text: "–"}
		if f.Span > 0 {
			x := float64(f.Active) / float64(f.Span)
			share = ui.Cell{Text: s.words.Percent(x), Meter: true, Share: x}
		}
		return []ui.Cell{name, {Text: s.words.Number(f.AgentDays)}, {Text: s.hoursMinutes(f.Span)}, {Text: s.hoursMinutes(f.Active)}, share, {Text: s.hoursMinutes(f.Talk())}}
	}
	for i := range rep.Agents {
		t.Rows = append(t.Rows, ui.Row{Cells: line(s.agentLink(rep.Agents[i].Agent), &rep.Agents[i].Figures)})
	}
	if len(rep.Agents) > 1 {
		t.Total = line(ui.Cell{Text: s.t("table.total")}, &rep.Figures)
	}
	return t
}

// hoursMinutes writes a long time without its seconds.
func (v *visit) hoursMinutes(seconds int64) string { return v.words.Duration(seconds / 60 * 60) }

// mostSpans is how many agent-days a page lists; the file has them all.
const mostSpans = 400

// spanTable lists agents' working days, the newest day first, each as a bar over the hours of the day.
func (s *sight) spanTable(spans []stats.Span) *ui.Table {
	t := &ui.Table{Columns: []ui.Column{{Title: s.t("column.day")}, {Title: s.t("role.agent")}, {Title: s.t("working.first"), Numeric: true}, {Title: s.t("working.last"), Numeric: true}, {Title: s.t("working.bar")}, {Title: s.t("metric.working_span_seconds"), Numeric: true}, {Title: s.t("metric.active_seconds"), Numeric: true}, {Title: s.t("metric.calls"), Numeric: true}, {Title: s.t("metric.talk_seconds"), Numeric: true}}}
	t.Empty = &ui.Empty{Icon: "clock", Title: s.t("calls.none"), Text: s.t("calls.none.text")}
	shown := slices.Clone(spans)
	slices.SortStableFunc(shown, func(a, b stats.Span) int {
		if a.Day != b.Day {
			return int(b.Day - a.Day)
		}
		return a.First.Compare(b.First)
	})
	if len(shown) > mostSpans {
		shown = shown[:mostSpans]
		t.Note = s.t("working.cut", "Count", mostSpans)
	}
	for i := range shown {
		x := &shown[i]
		calls := at("/calls", s.narrow(func(a *report.Ask) {
			onDay(a, x.Day)
			a.Agent = s.memberOf(x.Agent)
		}))
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: s.words.Day(x.Day)}, s.agentLink(x.Agent), {Text: s.words.Time(x.First)}, {Text: s.words.Time(x.Last)}, {Chart: s.spanBar(x)},
			{Text: s.hoursMinutes(int64(x.Span.Seconds()))}, {Text: s.hoursMinutes(int64(x.Active.Seconds()))}, {Text: s.words.Number(x.Calls), Href: calls}, {Text: s.hoursMinutes(int64(x.Talk.Seconds()))}}})
	}
	return t
}

// memberOf is the id that an Ask names an agent by.
func (s *sight) memberOf(no account.AgentNo) string {
	if m := s.Agents[no]; m != nil {
		return string(m.ID)
	}
	return ""
}

// spanBar draws a working day over the 24 hours, with the organisation's working hours behind it.
func (s *sight) spanBar(x *stats.Span) template.HTML {
	start := x.Day.Start(s.Org.Location())
	day := float64(24 * time.Hour)
	return chart.Span(chart.Stretch{
		From: float64(x.First.Sub(start)) / day, To: float64(x.Last.Sub(start)) / day,
		BackFrom: float64(s.Org.WorkFrom) / (24 * 60), BackTo: float64(s.Org.WorkTo) / (24 * 60),
	}, s.words.Time(x.First)+" – "+s.words.Time(x.Last))
}
