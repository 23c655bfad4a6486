package web

import (
	"html/template"
	"math"

	"parley/calls/report"
	"parley/calls/stats"
	"parley/web/chart"
	"parley/web/ui"
)

// part is one piece of a page about calls: what is set of it is shown, in this order.
type part struct {
	Note   *ui.Note
	Text   string
	Ways   []ui.Link // the same by something else
	Tiles  []ui.Tile
	Figure *ui.Figure
	Facts  []ui.Fact
	Table  *ui.Table
	More   *ui.Link
	Pair   []part // two pieces beside each other where there is room
	Even   bool   // both as wide as the other
}

// write writes a figure by its unit.
func (v *visit) write(u stats.Unit, x float64, ok bool) string {
	switch {
	case !ok:
		return "–"
	case u == stats.UnitSeconds:
		return v.words.Duration(int64(math.Round(x)))
	case u == stats.UnitRatio:
		return v.words.Percent(x)
	case x != math.Trunc(x):
		return v.words.Decimal(x, 1)
	default:
		return v.words.Number(int64(x))
	}
}

// metric gives a metric of the registry with its figure.
func metric(id stats.MetricID, f *stats.Figures) (m stats.Metric, x float64, ok bool) {
	m, err := report.How(id)
	if err != nil {
		return m, 0, false
	}
	x, ok = m.Value(f)
	return m, x, ok
}

// tile shows one figure of a view with the rows behind it and its definition. base is the figure it is compared with;
// nil where there is none.
func (s *sight) tile(id stats.MetricID, f *stats.Figures, base map[stats.MetricID]stats.Value, spark []float64) ui.Tile {
	m, x, ok := metric(id, f)
	t := ui.Tile{Title: s.t("metric." + string(id)), Figure: s.write(m.Unit, x, ok), Href: s.rows(id), How: s.t("metric." + string(id) + ".how")}
	if b, known := base[id]; known && b.OK && ok {
		c := s.change(&m, x, b.Value)
		c.Against = s.against()
		t.Change = &c
	}
	if len(spark) > 1 {
		t.Spark = chart.Spark(spark, "")
	}
	return t
}

// fewest is the figure below which a change is told in numbers: "+150%" of two calls says little.
const fewest = 20

// change is a figure against another.
func (v *visit) change(m *stats.Metric, now, then float64) ui.Change {
	d := now - then
	c := ui.Change{Up: d > 0}
	sign := "+"
	if d < 0 {
		sign = "−"
	}
	size := math.Abs(d)
	switch {
	case m.Unit == stats.UnitRatio:
		c.Text = sign + v.t("change.points", "Points", v.words.Decimal(size*100, 0))
		c.Same = size < 0.005
	case m.Unit == stats.UnitSeconds && then < 60 || then == 0:
		c.Text = sign + v.write(m.Unit, math.Round(size), true)
		c.Same = size < 0.5
	case m.Unit != stats.UnitSeconds && then < fewest:
		c.Text = sign + v.write(m.Unit, math.Round(size*10)/10, true)
		c.Same = size < 0.05
	default:
		c.Text = sign + v.words.Decimal(size/then*100, 0) + "%"
		c.Same = size/then < 0.005
	}
	if c.Same {
		return c
	}
	switch m.ID {
	case "calls", "incoming", "outgoing", "blocked", "average_talk_seconds", "median_talk_seconds", "longest_talk_seconds", "working_span_seconds":
		// More or less of them is neither good nor bad.
	default:
		c.Kind = ui.Bad
		if c.Up != m.Down {
			c.Kind = ui.Good
		}
	}
	return c
}

// base is what the view's figures are compared with, by metric; nil where nothing was asked.
func (s *sight) base(parts stats.Part) (map[stats.MetricID]stats.Value, error) {
	if s.Ask.Compare == report.CompareWeekdays {
		avg, err := s.Reports.SameWeekdays(s.ctx(), s.View)
		if err != nil || len(avg.Days) == 0 {
			return nil, err
		}
		return byMetric(avg.Values), nil
	}
	other, err := s.Reports.Compare(s.ctx(), s.View)
	if err != nil || other == nil {
		return nil, err
	}
	rep, err := s.Reporter.Report(s.ctx(), s.Org, other.Query, parts)
	if err != nil {
		return nil, err
	}
	return byMetric(rep.Values()), nil
}

func byMetric(values []stats.Value) map[stats.MetricID]stats.Value {
	out := make(map[stats.MetricID]stats.Value, len(values))
	for _, v := range values {
		out[v.ID] = v
	}
	return out
}

// sparks are the figures of each day, for the line under a tile.
func sparks(days []stats.DayFigures, id stats.MetricID) []float64 {
	out := make([]float64, len(days))
	for i := range days {
		if _, x, ok := metric(id, &days[i].Figures); ok {
			out[i] = x
		}
	}
	return out
}

// Charts.

// shortNumber writes an axis.
func (v *visit) shortNumber(f float64) string { return v.words.Short(f) }

// hourChart shows calls by the local hour, those that came through and those that nobody attended.
func (s *sight) hourChart(hours *[24]stats.HourSum, title string) *ui.Figure {
	first, last := 24, -1
	for h := range hours {
		if hours[h].Calls > 0 {
			first, last = min(first, h), max(last, h)
		}
	}
	first, last = min(first, s.Org.WorkFrom/60), max(last, (s.Org.WorkTo-1)/60)
	fig := &ui.Figure{Title: title, Series: []ui.Series{{Title: s.t("metric.connected")}, {Title: s.t("metric.unattended"), Class: "c"}}}
	table := ui.Table{Columns: []ui.Column{{Title: s.t("column.hour")}, {Title: s.t("metric.calls"), Numeric: true}, {Title: s.t("metric.connected"), Numeric: true}, {Title: s.t("metric.unattended"), Numeric: true}, {Title: s.t("metric.talk_seconds"), Numeric: true}}}
	var points []chart.Point
	for h := first; h <= last; h++ {
		x := &hours[h]
		href := ""
		if x.Calls > 0 {
			href = at("/calls", s.narrow(func(a *report.Ask) { a.HourFrom, a.HourTo = h, h+1 }))
		}
		points = append(points, chart.Point{Label: s.words.Hour(h), Value: float64(x.Connected), Second: float64(x.Unattended), Href: href})
		table.Rows = append(table.Rows, ui.Row{Cells: []ui.Cell{{Text: s.words.Hour(h), Href: href}, {Text: s.words.Number(x.Calls)}, {Text: s.words.Number(x.Connected)}, {Text: s.words.Number(x.Unattended)}, {Text: s.words.Duration(x.Talk)}}})
	}
	fig.Table = &table
	fig.Chart = chart.Bars(points, chart.Options{Title: title, First: s.t("metric.connected"), Second: s.t("metric.unattended"), Stacked: true, Alarm: true, Format: s.shortNumber, None: s.t("chart.none")})
	return fig
}

// dayChart shows a metric of calls day by day; without a second one, second is "".
func (s *sight) dayChart(days []stats.DayFigures, title string, first, second stats.MetricID) *ui.Figure {
	m, _, _ := metric(first, &stats.Figures{})
	o := chart.Options{Title: title, First: s.t("metric." + string(first)), None: s.t("chart.none"), Stacked: true, Alarm: true}
	o.Format = s.shortNumber
	if m.Unit == stats.UnitSeconds {
		o.Seconds, o.Format = true, func(f float64) string { return s.words.Duration(int64(f)) }
	}
	fig := &ui.Figure{Title: title}
	if second != "" {
		o.Second = s.t("metric." + string(second))
		fig.Series = []ui.Series{{Title: o.First}, {Title: o.Second, Class: "c"}}
	}
	var points []chart.Point
	for i := range days {
		d := &days[i]
		p := chart.Point{Label: s.words.DayMonth(d.Day)}
		_, p.Value, _ = metric(first, &d.Figures)
		if second != "" {
			_, p.Second, _ = metric(second, &d.Figures)
		}
		if d.Calls() > 0 {
			p.Href = at("/calls", s.narrow(func(a *report.Ask) { onDay(a, d.Day) }))
		}
		points = append(points, p)
	}
	if len(points) > mostBars {
		for i := range points {
			points[i].Href = "" // too thin to be hit
		}
		fig.Chart = chart.Line(points, o)
	} else {
		fig.Chart = chart.Bars(points, o)
	}
	return fig
}

// mostBars is how many bars a chart has room for on a wide page; beyond it becomes a line.
const mostBars = 62

// heat draws weekdays, Monday first, against hours.
func (s *sight) heat(r *stats.Report, pick func(h *stats.HourSum) float64, change func(a *report.Ask)) template.HTML {
	h := chart.Heat{}
	weekdays := weekdaysFromMonday()
	for hour := range 24 {
		h.Cols = append(h.Cols, s.words.Hour(hour))
	}
	for _, w := range weekdays {
		h.Rows = append(h.Rows, s.words.WeekdayShort(w))
		row := make([]float64, 24)
		for hour := range row {
			row[hour] = pick(&r.Heat[w][hour])
		}
		h.Values = append(h.Values, row)
	}
	h.Tip = func(row, col int) string {
		return s.t("heatmap.tip", "Weekday", s.words.Weekday(weekdays[row]), "Hour", s.words.Hour(col), "Count", int64(h.Values[row][col]))
	}
	h.Href = func(_, col int) string {
		return at("/calls", s.narrow(func(a *report.Ask) {
			a.HourFrom, a.HourTo = col, col+1
			change(a)
		}))
	}
	return chart.Heatmap(h, chart.Options{Title: s.t("reports.heatmap"), Format: s.shortNumber, None: s.t("chart.none")})
}
