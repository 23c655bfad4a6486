package web

import (
	"html/template"
	"slices"
	"strings"

	"parley/account"
	"parley/calls/call"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/web/ui"
)

// pageRows is how many rows a page of a list has.
const pageRows = 50

// peopleReport shows a list of people.
func peopleReport(id report.ID, l stats.List) builder {
	return func(s *sight) (template.HTML, []part, error) {
		q := s.Reports.People(s.View, l)
		q.Limit, q.After = pageRows, s.query("after")
		if sort := stats.Sort(s.query("sort")); sort == stats.SortCalls || sort == stats.SortLast {
			q.Sort = sort
		}
		page, err := s.Reporter.People(s.ctx(), s.Org, q)
		if err != nil {
			return "", nil, err
		}
		t := s.peopleTable(id, l, page, q.Sort)
		if len(page.People) == 0 {
			return s.lead("reports.lead_nobody"), []part{{Table: t}}, nil
		}
		return s.lead("reports."+string(id)+".lead", "Count", page.Total), []part{{Table: t}}, nil
	}
}

func (s *sight) peopleTable(id report.ID, l stats.List, page *stats.People, sort stats.Sort) *ui.Table {
	missed := l == stats.ListNeverAttended
	t := &ui.Table{Title: s.t("reports." + string(id)), Note: s.t("people.count", "Count", page.Total), Exports: s.exports(id)}
	sorted := func(title string, by stats.Sort) ui.Column {
		c := ui.Column{Title: title, SortURL: s.here(s.Ask, "sort", string(by))}
		if by == sort {
			c.Sorted = "descending"
		}
		return c
	}
	calls := sorted(s.t("metric.calls"), stats.SortCalls)
	calls.Numeric = true
	t.Columns = []ui.Column{{Title: s.t("column.number")}, calls, {Title: s.t("metric.connected"), Numeric: true}}
	if missed {
		t.Columns = append(t.Columns, ui.Column{Title: s.t("metric.unattended"), Numeric: true}, ui.Column{Title: s.t("column.first_missed")}, ui.Column{Title: s.t("column.missed_by")})
	} else {
		t.Columns = append(t.Columns, ui.Column{Title: s.t("metric.talk_seconds"), Numeric: true}, ui.Column{Title: s.t("column.first_call")}, ui.Column{Title: s.t("column.with")})
	}
	t.Columns = append(t.Columns, sorted(s.t("column.last_call"), stats.SortLast))
	for i := range page.People {
		p := &page.People[i]
		row := []ui.Cell{s.numberCell(p.Number, string(p.Key), p.Name), {Text: s.words.Number(p.Calls)}, {Text: s.words.Number(p.Connected)}}
		if missed {
			row = append(row, ui.Cell{Text: s.words.Number(p.Unattended)}, ui.Cell{Time: p.FirstMissed}, s.agentLink(p.MissedBy))
		} else {
			row = append(row, ui.Cell{Text: s.words.Duration(int64(p.Talk.Seconds()))}, ui.Cell{Time: p.First}, s.agentsCell(p))
		}
		t.Rows = append(t.Rows, ui.Row{Cells: append(row, ui.Cell{Time: p.Last})})
	}
	t.Pager = s.pager(page.Next)
	t.Empty = &ui.Empty{Icon: "people", Title: s.t("reports.nobody"), Text: s.t("reports.nobody.text")}
	return t
}

// agentsCell names the agent with the most calls, and how many others there are.
func (s *sight) agentsCell(p *stats.Person) ui.Cell {
	if len(p.Agents) == 0 {
		return ui.Cell{}
	}
	c := s.agentLink(p.Agents[0])
	if n := len(p.Agents) - 1; n > 0 {
		c.Sub = s.t("people.others", "Count", n)
	}
	return c
}

// pager leads on by key. The way back is the browser's: a key knows what comes after it and not what came before.
func (s *sight) pager(next string) *ui.Pager {
	after := s.query("after")
	if next == "" && after == "" {
		return nil
	}
	p := &ui.Pager{}
	if next != "" {
		p.Older = s.here(s.Ask, "after", next)
	}
	if after != "" {
		p.First = s.here(s.Ask)
	}
	return p
}

func notPickedUpReport(s *sight) (template.HTML, []part, error) {
	rep, err := s.Reporter.Report(s.ctx(), s.Org, s.Query, 0)
	if err != nil {
		return "", nil, err
	}
	f := s.Query.Filter
	if len(f.Outcomes) == 0 || slices.Contains(f.Outcomes, call.OutcomeNotPickedUp) {
		f.Outcomes = []call.Outcome{call.OutcomeNotPickedUp}
	} else {
		f.Types = []call.Type{call.TypeMissed} // the filter leaves none of them
		f.Outcomes = []call.Outcome{call.OutcomeNotPickedUp}
	}
	t, err := s.callTable(f, report.NotPickedUp)
	if err != nil {
		return "", nil, err
	}
	parts := []part{{Figure: s.dayChart(rep.Days, s.t("metric.not_picked_up"), "not_picked_up", "")}, {Table: t}}
	_, rate, ok := metric("connection_rate", &rep.Figures)
	if !ok {
		return s.lead("reports.lead_none"), parts, nil
	}
	return s.lead("reports.not_picked_up.lead", "Count", rep.NotPickedUp(), "Rate", s.words.Percent(rate)), parts, nil
}

func analysisReport(s *sight) (template.HTML, []part, error) {
	a, err := s.Reporter.Analysis(s.ctx(), s.Org, s.Query)
	if err != nil {
		return "", nil, err
	}
	if a.Calls() == 0 {
		return s.lead("reports.lead_none"), nil, nil
	}
	tiles := []ui.Tile{}
	for _, id := range []stats.MetricID{"average_talk_seconds", "median_talk_seconds", "longest_talk_seconds", "connection_rate", "answer_rate"} {
		tiles = append(tiles, s.tile(id, &a.Figures, nil, nil))
	}
	if a.Longest != nil {
		tiles[2].Href = "/calls/" + a.Longest.ID
	}
	averages := &ui.Table{Title: s.t("analysis.averages"), Exports: s.exports(report.Analysis), Columns: []ui.Column{{Title: s.t("column.figure")}, {Title: s.t("column.value"), Numeric: true}}}
	add := func(key string, u stats.Unit, sum, n int64) {
		x, ok := 0.0, n > 0
		if ok {
			x = float64(sum) / float64(n)
		}
		averages.Rows = append(averages.Rows, ui.Row{Cells: []ui.Cell{{Text: s.t("analysis." + key)}, {Text: s.write(u, x, ok)}}})
	}
	add("calls_per_day", stats.UnitCalls, a.Calls(), a.Days)
	add("calls_per_agent_day", stats.UnitCalls, a.Calls(), a.AgentDays)
	add("talk_per_day", stats.UnitSeconds, a.Talk(), a.Days)
	add("talk_per_agent_day", stats.UnitSeconds, a.Talk(), a.AgentDays)
	add("talk_per_in", stats.UnitSeconds, a.TalkIn, a.ConnectedIn)
	add("talk_per_out", stats.UnitSeconds, a.TalkOut, a.ConnectedOut)
	add("median_in", stats.UnitSeconds, int64(a.MedianIn*2), 2*min(a.ConnectedIn, 1))
	add("median_out", stats.UnitSeconds, int64(a.MedianOut*2), 2*min(a.ConnectedOut, 1))
	parts := []part{{Tiles: tiles}, {Table: averages},
		{Even: true, Pair: []part{{Table: s.topTable("analysis.diallers", "metric.outgoing", stats.UnitCalls, a.Diallers)}, {Table: s.topTable("analysis.answerers", "metric.connected_in", stats.UnitCalls, a.Answers)}}},
		{Even: true, Pair: []part{{Table: s.topTable("analysis.talkers", "metric.talk_seconds", stats.UnitSeconds, a.Talkers)}, {Table: s.topPeople("analysis.callers", a.Callers)}}}}
	return s.lead("reports.analysis.lead", "Average", s.write(stats.UnitSeconds, float64(a.Talk())/float64(max(a.Connected(), 1)), a.Connected() > 0), "Longest", s.words.Duration(max(a.LongestIn, a.LongestOut))), parts, nil
}

func (s *sight) topTable(title, column string, u stats.Unit, top []stats.Top) *ui.Table {
	t := &ui.Table{Title: s.t(title), Columns: []ui.Column{{Title: s.t("role.agent")}, {Title: s.t(column), Numeric: true}}, Empty: &ui.Empty{Icon: "empty", Title: s.t("chart.none")}}
	for _, x := range top {
		value := ui.Cell{Text: s.write(u, float64(x.Value), true), Meter: true, Share: float64(x.Value) / float64(top[0].Value)}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{s.agentLink(x.Agent), value}})
	}
	return t
}

func (s *sight) topPeople(title string, people []stats.Person) *ui.Table {
	t := &ui.Table{Title: s.t(title), Columns: []ui.Column{{Title: s.t("column.number")}, {Title: s.t("metric.calls"), Numeric: true}, {Title: s.t("metric.talk_seconds"), Numeric: true}}, Empty: &ui.Empty{Icon: "empty", Title: s.t("chart.none")}}
	for i := range people {
		p := &people[i]
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{s.numberCell(p.Number, string(p.Key), p.Name), {Text: s.words.Number(p.Calls)}, {Text: s.words.Duration(int64(p.Talk.Seconds()))}}})
	}
	return t
}

// callTable is a page of calls that a filter leaves.
func (s *sight) callTable(f call.Filter, id report.ID) (*ui.Table, error) {
	page, err := s.Reporter.History(s.ctx(), s.Org, call.HistoryQuery{Agents: s.Query.Agents, From: s.From, To: s.To, Filter: f, After: s.query("after"), Limit: pageRows})
	if err != nil {
		return nil, err
	}
	t := s.calls(page.Calls, s.AgentName)
	t.Title, t.Exports, t.Pager = s.t("reports."+string(id)), s.exports(id), s.pager(page.Next)
	t.Empty = &ui.Empty{Icon: "call", Title: s.t("calls.none"), Text: s.t("calls.none.text")}
	return t, nil
}

// calls is a table of calls, newest first.
func (v *visit) calls(calls []call.Call, agent func(account.AgentNo) string) *ui.Table {
	t := &ui.Table{Columns: []ui.Column{{Title: v.t("column.number")}, {Title: v.t("column.when")}, {Title: v.t("column.outcome")}, {Title: v.t("column.duration"), Numeric: true}, {Title: v.t("role.agent")}, {Title: v.t("column.note")}}}
	for i := range calls {
		c := &calls[i]
		note := ui.Cell{Text: cutText(c.Note, 60)}
		for _, tag := range c.Tags {
			note.Tags = append(note.Tags, ui.Tag{Text: tag, Icon: "tag"})
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{
			v.callerCell(c),
			{Text: v.words.Moment(c.Row.At(), v.Now()), Href: "/calls/" + c.ID},
			{Tag: v.outcomeTag(c.Outcome, c.Row.Direction)},
			{Text: v.words.Clock(int64(c.Row.Seconds))},
			{Text: agent(c.Row.Agent)},
			note,
		}})
	}
	return t
}

// cutText shortens a text to about most characters, at a word.
func cutText(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	short := string(runes[:most])
	if i := strings.LastIndexByte(short, ' '); i > most/2 {
		short = short[:i]
	}
	return short + "…"
}
