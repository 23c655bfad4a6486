package web

import (
	"html/template"
	"slices"

	"parley/account"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/platform/fault"
	"parley/web/ui"
)

func (s *site) leaderboardRoutes() []route {
	return []route{{"GET /leaderboard", account.ReadReports, leaderboard}}
}

// boardMetrics are the columns of the leaderboard.
func boardMetrics() []stats.MetricID {
	return []stats.MetricID{"calls", "outgoing", "connected", "unattended", "not_picked_up", "talk_seconds", "unique_clients", "reached_clients", "never_attended_clients", "answer_rate", "connection_rate", "active_seconds"}
}

func leaderboard(v *visit) error {
	s, err := v.sight("/leaderboard", "last_7_days")
	if err != nil {
		return err
	}
	s.own("sort", "order")
	p := &reportPage{Frame: s.head(v.t("nav.leaderboard"))}
	s.comparing(p.Range)
	return s.fill(p, leaderboardReport)
}

// order is what the leaderboard is sorted by.
func (s *sight) order() (id stats.MetricID, rising bool, err error) {
	id = stats.MetricID(s.query("sort"))
	if id == "" {
		id = "connected"
	}
	if !slices.Contains(boardMetrics(), id) {
		return "", false, fault.New(fault.NotFound, "The leaderboard has no column %q. Click on the head of a column to sort by it.", string(id))
	}
	return id, s.query("order") == "ascending", nil
}

func leaderboardReport(s *sight) (template.HTML, []part, error) {
	by, rising, err := s.order()
	if err != nil {
		return "", nil, err
	}
	rep, err := s.Reporter.Report(s.ctx(), s.Org, s.Query, stats.WithAgents|stats.WithPeople)
	if err != nil {
		return "", nil, err
	}
	before, err := s.boardBefore()
	if err != nil {
		return "", nil, err
	}
	value := func(f *stats.Figures) float64 {
		_, x, ok := metric(by, f)
		if !ok {
			return -1
		}
		return x
	}
	agents := slices.Clone(rep.Agents)
	slices.SortStableFunc(agents, func(a, b stats.AgentFigures) int {
		x, y := value(&a.Figures), value(&b.Figures)
		if rising {
			x, y = y, x
		}
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		default:
			return 0
		}
	})
	t := s.board(agents, rep, by, rising, before)
	parts := []part{{Table: t}}
	if len(agents) == 0 {
		return s.lead("reports.lead_none"), parts, nil
	}
	m, x, ok := metric(by, &agents[0].Figures)
	key := "leaderboard.lead"
	if rising {
		key = "leaderboard.lead_least"
	}
	return s.lead(key, "Agent", s.AgentName(agents[0].Agent), "Metric", s.t("metric."+string(by)), "Value", s.write(m.Unit, x, ok)), parts, nil
}

// boardBefore are the agents' figures in the range that is compared with, nil where nothing is.
func (s *sight) boardBefore() (map[account.AgentNo]*stats.Figures, error) {
	other, err := s.Reports.Compare(s.ctx(), s.View)
	if err != nil || other == nil {
		return nil, err
	}
	rep, err := s.Reporter.Report(s.ctx(), s.Org, other.Query, stats.WithAgents|stats.WithPeople)
	if err != nil {
		return nil, err
	}
	out := make(map[account.AgentNo]*stats.Figures, len(rep.Agents))
	for i := range rep.Agents {
		out[rep.Agents[i].Agent] = &rep.Agents[i].Figures
	}
	return out, nil
}

// board is the table: a column per metric, bars in the column it is sorted by, and totals.
func (s *sight) board(agents []stats.AgentFigures, rep *stats.Report, by stats.MetricID, rising bool, before map[account.AgentNo]*stats.Figures) *ui.Table {
	t := &ui.Table{Title: s.t("nav.leaderboard"), Exports: s.exports(report.Leaderboard), Matrix: true, Columns: []ui.Column{{Title: s.t("role.agent")}}}
	t.Empty = &ui.Empty{Icon: "leaderboard", Title: s.t("calls.none"), Text: s.t("calls.none.text")}
	for _, id := range boardMetrics() {
		c := ui.Column{Title: s.t("metric." + string(id)), Numeric: true, Help: s.t("metric." + string(id) + ".how"), SortURL: s.here(s.Ask, "sort", string(id), "order", "")}
		if id == by {
			c.Sorted = "descending"
			if rising {
				c.Sorted = "ascending"
			} else {
				c.SortURL = s.here(s.Ask, "sort", string(id), "order", "ascending")
			}
		}
		t.Columns = append(t.Columns, c)
	}
	most := 0.0
	for i := range agents {
		if _, x, ok := metric(by, &agents[i].Figures); ok {
			most = max(most, x)
		}
	}
	for i := range agents {
		t.Rows = append(t.Rows, ui.Row{Cells: s.boardRow(&agents[i], by, most, before)})
	}
	if len(agents) > 1 {
		total := []ui.Cell{{Text: s.t("table.total")}}
		for _, id := range boardMetrics() {
			m, x, ok := metric(id, &rep.Figures)
			total = append(total, ui.Cell{Text: s.write(m.Unit, x, ok), Href: s.rows(id)})
		}
		t.Total = total
	}
	return t
}

func (s *sight) boardRow(a *stats.AgentFigures, by stats.MetricID, most float64, before map[account.AgentNo]*stats.Figures) []ui.Cell {
	row := s.boardCells(a, boardMetrics())
	for i, id := range boardMetrics() {
		c := &row[i+1]
		m, x, ok := metric(id, &a.Figures)
		if id == by && most > 0 {
			c.Meter, c.Share = true, x/most
		}
		if then := before[a.Agent]; then != nil {
			if _, b, known := metric(id, then); known && ok {
				if ch := s.change(&m, x, b); !ch.Same {
					c.Sub = ch.Text
				}
			}
		}
	}
	return row
}
