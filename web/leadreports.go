package web

import (
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/crm/funnel"
	"parley/web/chart"
	"parley/web/ui"
)

// leadReport shows a report about leads: the answer in a sentence, totals, a chart of its first two figures, and a table of groups.
func leadReport(id report.ID) builder {
	return func(s *sight) (template.HTML, []part, error) {
		ways := funnel.Ways(id)
		by := funnel.By(s.query("by"))
		if !slices.Contains(ways, by) {
			by = ways[0]
		}
		r, err := s.Funnel.Report(s.ctx(), s.View, id, by)
		if err != nil {
			return "", nil, err
		}
		var parts []part
		if len(ways) > 1 {
			parts = append(parts, part{Ways: s.groupings(id, ways, by)})
		}
		for i := range r.Total {
			parts = append(parts, part{Tiles: s.leadTiles(r, &r.Total[i])})
		}
		if len(r.Groups) > 1 {
			parts = append(parts, part{Figure: s.leadChart(r)})
		}
		parts = append(parts, part{Table: s.leadGroups(r)})
		return s.leadSentence(r), parts, nil
	}
}

// leadSentence is the answer of a report about leads.
func (s *sight) leadSentence(r *funnel.Report) template.HTML {
	var f funnel.Figures
	for i := range r.Total {
		x := &r.Total[i].Figures
		f.Made, f.MadeWon, f.Open, f.Overdue, f.Asked, f.InTime, f.Never = f.Made+x.Made, f.MadeWon+x.MadeWon, f.Open+x.Open, f.Overdue+x.Overdue, f.Asked+x.Asked, f.InTime+x.InTime, f.Never+x.Never
		f.Won, f.Due, f.Done, f.Left, f.Missed, f.Recovered = f.Won+x.Won, f.Due+x.Due, f.Done+x.Done, f.Left+x.Left, f.Missed+x.Missed, f.Recovered+x.Recovered
	}
	switch {
	case len(r.Groups) == 0:
		return s.lead("reports.leads.none")
	case r.ID == report.LeadPipeline:
		return s.lead("reports.lead_pipeline.lead", "Count", f.Open, "Overdue", s.words.Number(f.Overdue))
	case r.ID == report.LeadConversion:
		return s.lead("reports.lead_conversion.lead", "Count", f.Made, "Won", s.words.Number(f.MadeWon), "Closed", s.words.Number(f.Won))
	case r.ID == report.LeadResponse:
		return s.lead("reports.lead_response.lead", "Count", f.Asked, "InTime", s.words.Number(f.InTime), "Never", s.words.Number(f.Never))
	case r.ID == report.Discipline:
		return s.lead("reports.follow_up_discipline.lead", "Count", f.Due, "Done", s.words.Number(f.Done), "Left", s.words.Number(f.Left))
	default:
		return s.lead("reports.recovery.lead", "Count", f.Missed, "Recovered", s.words.Number(f.Recovered))
	}
}

// groupings lead to the same report by something else.
func (s *sight) groupings(id report.ID, ways []funnel.By, now funnel.By) []ui.Link {
	var out []ui.Link
	for _, by := range ways {
		q := s.narrow(func(a *report.Ask) { a.By = string(by) })
		out = append(out, ui.Link{Title: s.t("reports.by." + string(by)), Href: at(reportPath(id), q), Current: by == now})
	}
	return out
}

// leadFigure writes a figure about leads.
func (v *visit) leadFigure(m *funnel.Metric, g *funnel.Group) string {
	x, ok := m.Value(&g.Figures)
	if ok && m.Unit == funnel.UnitAmount {
		return nonEmpty(v.money(int64(x), g.Currency), "0")
	}
	if ok && m.Unit == stats.UnitSeconds {
		return v.waited(time.Duration(x) * time.Second)
	}
	return v.write(m.Unit, x, ok)
}

func (s *sight) leadTiles(r *funnel.Report, total *funnel.Group) []ui.Tile {
	const most = 6 // a row on a wide page; the table has all
	var out []ui.Tile
	for i := range r.Metrics[:min(len(r.Metrics), most)] {
		m := &r.Metrics[i]
		out = append(out, ui.Tile{Title: s.t("metric." + string(m.ID)), Figure: s.leadFigure(m, total), How: s.t("metric." + string(m.ID) + ".how"), Href: s.leadRows(m, nil)})
	}
	return out
}

// leadRows is the address of the leads behind a figure of a group; "" where its rows are no leads, or the table cannot show them. nil is
// all groups.
func (s *sight) leadRows(m *funnel.Metric, narrow url.Values) string {
	if m.Rows == nil || s.Ask.Team != "" || !s.actor.Can(account.ReadLeads) {
		return ""
	}
	f := m.Rows(s.From.Start(s.Org.Location()), s.To.Start(s.Org.Location()))
	q := url.Values{}
	if len(f.States) == 1 {
		q.Set("state", f.States[0].String())
	}
	for name, t := range map[string]time.Time{"made": f.MadeFrom, "closed": f.ClosedFrom} {
		if !t.IsZero() {
			q.Set(name+"_from", s.From.String())
			q.Set(name+"_through", (s.To - 1).String())
		}
	}
	if f.AttemptsMax != nil {
		q.Set("tried", "never")
	}
	if s.Ask.Agent != "" {
		q.Set("owner", s.Ask.Agent)
	}
	maps.Copy(q, narrow)
	return "/leads/table?" + q.Encode()
}

// leadGroup narrows the table of leads to a group.
func leadGroup(r *funnel.Report, g *funnel.Group) url.Values {
	switch r.By {
	case funnel.ByStage:
		pipeline, stage, _ := strings.Cut(g.Key, "/")
		return url.Values{"pipeline": {pipeline}, "stage": {stage}}
	case funnel.ByOwner:
		if g.Key == "" {
			return url.Values{"owner": {"none"}}
		}
		return url.Values{"owner": {g.Key}}
	default:
		if g.Key == "" {
			return nil
		}
		return url.Values{string(r.By): {g.Key}}
	}
}

// groupTitle is what a group is called; one without a name has a word.
func (s *sight) groupTitle(r *funnel.Report, g *funnel.Group) string {
	if g.Key == "" {
		return s.t("reports.by." + string(r.By) + ".none")
	}
	return g.Title
}

// leadChart shows the first figure of each group.
func (s *sight) leadChart(r *funnel.Report) *ui.Figure {
	const most = 20
	m := &r.Metrics[0]
	title := s.t("metric." + string(m.ID))
	var points []chart.Point
	for i := range r.Groups[:min(len(r.Groups), most)] {
		g := &r.Groups[i]
		x, _ := m.Value(&g.Figures)
		points = append(points, chart.Point{Label: s.groupTitle(r, g), Value: x})
	}
	return &ui.Figure{Title: title, Chart: chart.Bars(points, chart.Options{Title: title, First: title, Format: s.shortNumber, None: s.t("chart.none")})}
}

func (s *sight) leadGroups(r *funnel.Report) *ui.Table {
	t := &ui.Table{Title: s.t("reports." + string(r.ID)), Exports: s.exports(r.ID), Columns: []ui.Column{{Title: s.t("reports.by." + string(r.By))}}}
	for _, m := range r.Metrics {
		t.Columns = append(t.Columns, ui.Column{Title: s.t("metric." + string(m.ID)), Numeric: true, Help: s.t("metric." + string(m.ID) + ".how")})
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		row := ui.Row{Cells: []ui.Cell{{Text: s.groupTitle(r, g), Strong: true, Muted: g.Key == ""}}}
		for j := range r.Metrics {
			m := &r.Metrics[j]
			c := ui.Cell{Text: s.leadFigure(m, g)}
			narrow := leadGroup(r, g)
			if x, ok := m.Value(&g.Figures); ok && x > 0 && (narrow != nil || g.Key != "") {
				c.Href = s.leadRows(m, narrow)
			}
			row.Cells = append(row.Cells, c)
		}
		t.Rows = append(t.Rows, row)
	}
	t.Empty = &ui.Empty{Icon: "reports", Title: s.t("reports.leads.empty"), Text: s.t("reports.leads.empty.text")}
	return t
}
