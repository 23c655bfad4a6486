package report

import (
	"context"

	"parley/calls/stats"
)

// line is one row of the analysis: a figure of the whole scope, or somebody who leads in something.
type line struct {
	section, title string
	agent          stats.Top
	person         *stats.Person
	call           string // id of the call that the line is about
	value          float64
	ok             bool
	unit           stats.Unit
}

func (r *Reports) analysis(ctx context.Context, v *View, s *Sheet) error {
	a, err := r.reporter.Analysis(ctx, v.Org, v.Query)
	if err != nil {
		return err
	}
	s.Columns = []Column{{"section", "Section", Text}, {"title", "Figure", Text}, {"rank", "Rank", Count}, {"agent", "Agent id", Text}, {"agent_name", "Agent", Text},
		{"number", "Number", Phone}, {"number_key", "Number key", Text}, {"name", "Name", Text}, {"call", "Call id", Text},
		{"value", "Value", Mixed}, {"unit", "Unit", Text}, {"shown", "Shown", Text}}
	lines := analysisLines(a)
	rank, section := int64(0), ""
	s.rows(len(lines), func(i int, row []Value) {
		l := &lines[i]
		if rank++; l.section != section {
			rank, section = 1, l.section
		}
		v.analysisRow(row, l, rank)
	})
	return nil
}

func (v *View) analysisRow(row []Value, l *line, rank int64) {
	row[0], row[1] = l.section, l.title
	if l.agent.Agent != 0 {
		row[3], row[4] = some(v.agentID(l.agent.Agent)), some(v.AgentName(l.agent.Agent))
	}
	if l.agent.Agent != 0 || l.person != nil {
		row[2] = rank
	}
	// Whoever may read reports but not calls sees no number here.
	if l.person != nil && v.Actor.Can(Calls.Needs()) {
		row[5], row[6], row[7] = some(l.person.Number), some(string(l.person.Key)), some(l.person.Name)
	}
	row[8] = some(l.call)
	value := figure(stats.Value{Value: l.value, OK: l.ok})
	row[9], row[10], row[11] = value, string(l.unit), shown(value, kindOfUnit(l.unit))
}

func analysisLines(a *stats.Analysis) []line {
	f := &a.Figures
	per := func(sum, n int64) (float64, bool) {
		if n == 0 {
			return 0, false
		}
		return float64(sum) / float64(n), true
	}
	var out []line
	add := func(section, title string, unit stats.Unit, value float64, ok bool) {
		out = append(out, line{section: section, title: title, unit: unit, value: value, ok: ok})
	}
	ratio := func(section, title string, unit stats.Unit, sum, n int64) {
		value, ok := per(sum, n)
		add(section, title, unit, value, ok)
	}
	ratio("averages", "Calls per day with calls", stats.UnitCalls, f.Calls(), a.Days)
	ratio("averages", "Calls per agent and day", stats.UnitCalls, f.Calls(), f.AgentDays)
	ratio("averages", "Talk per day with calls", stats.UnitSeconds, f.Talk(), a.Days)
	ratio("averages", "Talk per agent and day", stats.UnitSeconds, f.Talk(), f.AgentDays)
	ratio("averages", "Talk per connected call", stats.UnitSeconds, f.Talk(), f.Connected())
	ratio("averages", "Talk per connected incoming call", stats.UnitSeconds, f.TalkIn, f.ConnectedIn)
	ratio("averages", "Talk per connected outgoing call", stats.UnitSeconds, f.TalkOut, f.ConnectedOut)
	add("medians", "Connected calls", stats.UnitSeconds, f.MedianTalk, f.Connected() > 0)
	add("medians", "Connected incoming calls", stats.UnitSeconds, f.MedianIn, f.ConnectedIn > 0)
	add("medians", "Connected outgoing calls", stats.UnitSeconds, f.MedianOut, f.ConnectedOut > 0)
	add("longest", "Longest incoming call", stats.UnitSeconds, float64(f.LongestIn), f.ConnectedIn > 0)
	add("longest", "Longest outgoing call", stats.UnitSeconds, float64(f.LongestOut), f.ConnectedOut > 0)
	if c := a.Longest; c != nil {
		out = append(out, line{section: "longest_call", title: "Longest call", agent: stats.Top{Agent: c.Row.Agent}, call: c.ID, value: float64(c.Row.Seconds),
			ok: true, unit: stats.UnitSeconds, person: &stats.Person{Number: c.Number, Key: c.NumberKey, Name: c.Name}})
	}
	return append(out, leaders(a)...)
}

// leaders are the agents and people at the top of something.
func leaders(a *stats.Analysis) []line {
	var out []line
	agents := func(section, title string, unit stats.Unit, top []stats.Top) {
		for _, t := range top {
			out = append(out, line{section: section, title: title, agent: t, value: float64(t.Value), ok: true, unit: unit})
		}
	}
	agents("top_diallers", "Most calls dialled", stats.UnitCalls, a.Diallers)
	agents("top_answerers", "Most calls answered", stats.UnitCalls, a.Answers)
	agents("top_talkers", "Most talk", stats.UnitSeconds, a.Talkers)
	for i := range a.Callers {
		out = append(out, line{section: "top_people", title: "Most calls with", person: &a.Callers[i], value: float64(a.Callers[i].Calls), ok: true, unit: stats.UnitCalls})
	}
	return out
}
