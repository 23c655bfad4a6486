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

func (s *site) agentRoutes() []route {
	return []route{{"GET /agents/{member}", account.ReadOwn, agentPage}}
}

// agentPage shows an agent's figures: the same to their managers and to themself.
func agentPage(v *visit) error {
	id := v.r.PathValue("member")
	q := v.r.URL.Query()
	q.Set("agent", id)
	v.r.URL.RawQuery = q.Encode()
	s, err := v.sight("/agents/"+id, "last_7_days")
	if err != nil {
		return err
	}
	if s.Ask.Agent != id {
		return fault.New(fault.NotFound, "There is no agent %s in this organisation.", id)
	}
	m, err := v.Accounts.Member(v.ctx(), v.org().ID, account.MemberID(id))
	if err != nil {
		return err
	}
	s.Ask.Agent = "" // whose page it is stands in its path
	p := &reportPage{Frame: s.head(m.Name)}
	s.comparing(p.Range)
	s.Ask.Agent = id
	if m.ID != v.actor.Member.ID {
		p.Crumbs = []ui.Link{{Title: v.t("nav.leaderboard"), Href: "/leaderboard"}}
	}
	if p.Lead, p.Parts, err = agentReport(s, m); err != nil {
		return err
	}
	f, err := s.foot()
	if err != nil {
		return err
	}
	p.Foot = &f
	return v.render("report", p)
}

// agentFigures are the tiles of an agent's page.
func agentFigures() []stats.MetricID {
	return []stats.MetricID{"calls", "connected", "unattended", "not_picked_up", "unique_clients", "talk_seconds", "active_seconds", "answer_rate"}
}

func agentReport(s *sight, m *account.Member) (template.HTML, []part, error) {
	rep, err := s.Reporter.Report(s.ctx(), s.Org, s.Query, stats.WithPeople|stats.WithSpans)
	if err != nil {
		return "", nil, err
	}
	base, err := s.base(stats.WithPeople)
	if err != nil {
		return "", nil, err
	}
	var parts []part
	if m.ID == s.actor.Member.ID {
		parts = append(parts, part{Note: &ui.Note{Kind: ui.Info, Title: s.t("agent.own"), Text: s.t("agent.own.text")}})
	}
	var tiles []ui.Tile
	for _, id := range agentFigures() {
		tiles = append(tiles, s.tile(id, &rep.Figures, base, nil))
	}
	parts = append(parts, part{Tiles: tiles})
	if s.To-s.From > 1 {
		parts = append(parts, part{Even: true, Pair: []part{{Figure: s.dayChart(rep.Days, s.t("chart.days"), "connected", "unattended")}, {Figure: s.hourChart(&rep.Hours, s.t("reports.hours"))}}})
	} else {
		parts = append(parts, part{Figure: s.hourChart(&rep.Hours, s.t("reports.hours"))})
	}
	waiting, err := s.agentMissed()
	if err != nil {
		return "", nil, err
	}
	spans := s.spanTable(rep.Spans)
	spans.Title = s.t("reports.working_time")
	spans.Columns = slices.Delete(spans.Columns, 1, 2) // the agent is that of the page
	for i := range spans.Rows {
		spans.Rows[i].Cells = slices.Delete(spans.Rows[i].Cells, 1, 2)
	}
	parts = append(parts, part{Table: waiting, More: &ui.Link{Title: s.t("agent.all_missed"), Href: at("/missed", s.narrow(func(*report.Ask) {}))}}, part{Table: spans},
		part{More: &ui.Link{Title: s.t("agent.all_calls"), Href: at("/calls", s.narrow(func(*report.Ask) {}))}})
	if rep.Calls() == 0 {
		return s.lead("reports.lead_none"), parts, nil
	}
	return s.lead("agent.lead", "Count", rep.Calls(), "Connected", rep.Connected(), "Talk", s.hoursMinutes(rep.Talk())), parts, nil
}

// agentMissed are the callers who wait for this agent's phone, the longest first.
func (s *sight) agentMissed() (*ui.Table, error) {
	kept, err := s.settled()
	if err != nil {
		return nil, err
	}
	q := s.Reports.People(s.View, stats.ListMissed)
	q.States, q.Limit, q.Settled = []stats.Recovery{stats.Open, stats.Attempted}, 8, handledAt(kept)
	page, err := s.Reporter.People(s.ctx(), s.Org, q)
	if err != nil {
		return nil, err
	}
	t, err := s.missedTable(missedTabs()[0], page, kept)
	if err != nil {
		return nil, err
	}
	t.Title, t.Pager, t.Exports = s.t("agent.waiting"), nil, nil
	return t, nil
}
