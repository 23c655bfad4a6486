package report

import (
	"context"
	"math"

	"parley/calls/stats"
	"parley/platform/civil"
)

// kindOfUnit says how a metric's column is read.
func kindOfUnit(u stats.Unit) Kind {
	switch u {
	case stats.UnitSeconds:
		return Seconds
	case stats.UnitRatio:
		return Ratio
	default:
		return Count
	}
}

func metricColumns(metrics []stats.Metric) []Column {
	out := make([]Column, len(metrics))
	for i, m := range metrics {
		out[i] = Column{string(m.ID), m.Title, kindOfUnit(m.Unit)}
	}
	return out
}

// figure is a metric's value as a cell: whole numbers as such.
func figure(v stats.Value) Value {
	if !v.OK {
		return nil
	}
	if n := math.Trunc(v.Value); n == v.Value && math.Abs(n) < 1<<53 {
		return int64(n)
	}
	return v.Value
}

// figures fills a row with metrics.
func figures(row []Value, f *stats.Figures, metrics []stats.Metric) {
	for i, m := range metrics {
		x, ok := m.Value(f)
		row[i] = figure(stats.Value{ID: m.ID, Value: x, OK: ok})
		if whole, isWhole := row[i].(int64); isWhole && m.Unit == stats.UnitRatio {
			row[i] = float64(whole)
		}
	}
}

func (r *Reports) summary(ctx context.Context, v *View, s *Sheet) error {
	rep, err := r.reporter.Report(ctx, v.Org, v.Query, stats.WithPeople)
	if err != nil {
		return err
	}
	s.Columns = []Column{{"metric", "Id", Text}, {"title", "Figure", Text}, {"value", "Value", Mixed}, {"unit", "Unit", Text}, {"shown", "Shown", Text}}
	s.Rules, s.values = rep.Rules, rep.Values()
	if s.compared, err = r.compared(ctx, v); err != nil {
		return err
	}
	if s.compared != nil {
		s.Columns = append(s.Columns, Column{"compared", "Compared", Mixed}, Column{"compared_shown", "Compared, shown", Text})
	}
	metrics := stats.Metrics()
	s.rows(len(metrics), func(i int, row []Value) {
		m, x := &metrics[i], figure(s.values[i])
		row[0], row[1], row[2], row[3], row[4] = string(m.ID), m.Title, x, string(m.Unit), shown(x, kindOfUnit(m.Unit))
		if s.compared != nil {
			x := figure(s.compared.values[i])
			row[5], row[6] = x, shown(x, kindOfUnit(m.Unit))
		}
	})
	return nil
}

func (r *Reports) leaderboard(ctx context.Context, v *View, s *Sheet) error {
	rep, err := r.reporter.Report(ctx, v.Org, v.Query, stats.WithPeople|stats.WithAgents)
	if err != nil {
		return err
	}
	metrics := agentMetrics()
	s.Columns = append(agentColumns(), metricColumns(metrics)...)
	s.rows(len(rep.Agents), func(i int, row []Value) {
		v.agent(row, rep.Agents[i].Agent)
		figures(row[2:], &rep.Agents[i].Figures, metrics)
	})
	return nil
}

// agentMetrics are those that are known of each agent: the median is only computed for the whole scope.
func agentMetrics() []stats.Metric {
	return pick(func(m *stats.Metric) bool { return m.ID != "median_talk_seconds" })
}

func pick(keep func(m *stats.Metric) bool) []stats.Metric {
	var out []stats.Metric
	for _, m := range stats.Metrics() {
		if keep(&m) {
			out = append(out, m)
		}
	}
	return out
}

func (r *Reports) days(ctx context.Context, v *View, s *Sheet) error {
	rep, err := r.reporter.Report(ctx, v.Org, v.Query, 0)
	if err != nil {
		return err
	}
	metrics := pick(func(m *stats.Metric) bool { return m.List == "" && m.ID != "median_talk_seconds" })
	s.Columns = append([]Column{{"day", "Day", Date}, {"weekday", "Weekday", Text}}, metricColumns(metrics)...)
	s.Columns = append(s.Columns, Column{"team_first", "First call of the team", Moment}, Column{"team_last", "End of the team’s last call", Moment},
		Column{"team_span_seconds", "Working span of the team", Seconds})
	s.rows(len(rep.Days), func(i int, row []Value) {
		d := &rep.Days[i]
		row[0], row[1] = d.Day, d.Day.Weekday().String()
		figures(row[2:], &d.Figures, metrics)
		team := row[2+len(metrics):]
		team[0], team[1], team[2] = v.moment(d.First), v.moment(d.Last), seconds(d.TeamSpan())
	})
	return nil
}

func hourColumns() []Column {
	return []Column{{"hour", "Hour", Count}, {"calls", "Calls", Count}, {"connected", "Connected", Count}, {"unattended", "Unattended", Count},
		{"talk_seconds", "Talk time", Seconds}}
}

func hourSum(row []Value, hour int, h *stats.HourSum) {
	row[0], row[1], row[2], row[3], row[4] = int64(hour), h.Calls, h.Connected, h.Unattended, h.Talk
}

func (r *Reports) hours(ctx context.Context, v *View, s *Sheet) error {
	rep, err := r.reporter.Report(ctx, v.Org, v.Query, 0)
	if err != nil {
		return err
	}
	s.Columns = hourColumns()
	s.rows(len(rep.Hours), func(i int, row []Value) { hourSum(row, i, &rep.Hours[i]) })
	return nil
}

// heatmap has a row per weekday, Monday first, and hour.
func (r *Reports) heatmap(ctx context.Context, v *View, s *Sheet) error {
	rep, err := r.reporter.Report(ctx, v.Org, v.Query, 0)
	if err != nil {
		return err
	}
	s.Columns = append([]Column{{"weekday", "Weekday", Text}}, hourColumns()...)
	first := monday(v.From)
	s.rows(7*24, func(i int, row []Value) {
		day, hour := (first + civil.Day(i/24)).Weekday(), i%24
		row[0] = day.String()
		hourSum(row[1:], hour, &rep.Heat[day][hour])
	})
	return nil
}

func (r *Reports) workingTime(ctx context.Context, v *View, s *Sheet) error {
	rep, err := r.reporter.Report(ctx, v.Org, v.Query, stats.WithSpans)
	if err != nil {
		return err
	}
	s.Columns = append(agentColumns(), Column{"day", "Day", Date}, Column{"first", "First call", Moment}, Column{"last", "End of the last call", Moment},
		Column{"working_span_seconds", "Working span", Seconds}, Column{"active_seconds", "Active time", Seconds},
		Column{"calls", "Calls", Count}, Column{"talk_seconds", "Talk time", Seconds})
	zone := v.Org.Location()
	s.rows(len(rep.Spans), func(i int, row []Value) {
		x := &rep.Spans[i]
		v.agent(row, x.Agent)
		row[2], row[3], row[4] = x.Day, x.First.In(zone), x.Last.In(zone)
		row[5], row[6] = int64(x.Span.Seconds()), int64(x.Active.Seconds())
		row[7], row[8] = x.Calls, int64(x.Talk.Seconds())
	})
	return nil
}
