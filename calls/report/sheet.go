package report

import (
	"context"
	"strings"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/calls/roll"
	"parley/calls/stats"
	"parley/platform/civil"
)

// Kind says how a column's values are to be read.
type Kind string

// The kinds.
const (
	Text    Kind = "text"    // string
	Phone   Kind = "phone"   // string: a canonical number
	Words   Kind = "words"   // []string
	Count   Kind = "count"   // int64: calls, people, days, hours of the day
	Seconds Kind = "seconds" // int64, or float64 for averages and medians
	Ratio   Kind = "ratio"   // float64 from 0 to 1
	Mixed   Kind = "mixed"   // int64 or float64, as another column says
	Date    Kind = "date"    // civil.Day
	Moment  Kind = "moment"  // time.Time in the organisation's zone
)

// Value is one cell: string, []string, int64, float64, civil.Day, time.Time, or nil where there is nothing to show.
type Value any

// Column is one column of a sheet. Key is its name in JSON: a metric's id where it shows a metric.
type Column struct {
	Key   string
	Title string
	Kind  Kind
}

// Sheet is a report in rows.
type Sheet struct {
	ID           ID
	Title        string
	View         *View
	Columns      []Column
	Rules        roll.Rules // what counted as connected and as active time
	Completeness device.Completeness
	MadeAt       time.Time

	each   func(ctx context.Context, visit func([]Value) error) error
	values []stats.Value // of the summary, which JSON writes as an object
	// compared are the figures that a summary is compared with; nil where it is with none.
	compared *comparison
}

// Sheet makes a report. Small ones are computed here; lists of calls and people are read while Each walks them, so that
// a list of any length takes the same memory.
func (r *Reports) Sheet(ctx context.Context, v *View, id ID) (*Sheet, error) {
	k, err := kindOf(id)
	if err != nil {
		return nil, err
	}
	if err := v.Actor.Require(k.needs); err != nil {
		return nil, err
	}
	s := &Sheet{ID: id, Title: k.title, View: v, Rules: roll.Of(v.Org), MadeAt: r.now().In(v.Org.Location())}
	if s.Completeness, err = r.devices.Complete(ctx, v.Org, v.Query.Agents, v.From, v.To); err != nil {
		return nil, err
	}
	return s, k.build(r, ctx, v, s)
}

// Each visits the rows in order. A row has one value per column, is only valid during the visit, and may be followed by
// an error of the visit itself, which ends the walk.
func (s *Sheet) Each(ctx context.Context, visit func(row []Value) error) error {
	return s.each(ctx, visit)
}

// rows makes the sheet one of n computed rows.
func (s *Sheet) rows(n int, fill func(i int, row []Value)) {
	s.each = func(_ context.Context, visit func([]Value) error) error {
		row := make([]Value, len(s.Columns))
		for i := range n {
			clear(row)
			fill(i, row)
			if err := visit(row); err != nil {
				return err
			}
		}
		return nil
	}
}

// Fact is one thing that a sheet says about itself.
type Fact struct {
	Key, Title, Text string
}

// About is what every written form of a sheet says besides its rows: what it is about, by which rules it was computed,
// and whether everything has arrived that it counts.
func (s *Sheet) About() []Fact {
	v := s.View
	return []Fact{
		{"report", "Report", s.Title},
		{"organisation", "Organisation", v.Org.Name},
		{"scope", "Scope", v.Scope.Title},
		{"range", "Range", rangeText(v.From, v.To)},
		{"zone", "Time zone", v.Org.Zone},
		{"filter", "Filter", filterText(v.Ask)},
		{"rules", "Rules", rulesText(s.Rules)},
		{"complete", "Completeness", s.completeText()},
		{"made", "Made", s.MadeAt.Format("2006-01-02 15:04")},
	}
}

func rangeText(from, to civil.Day) string {
	if to == from+1 {
		return from.String()
	}
	return from.String() + " through " + (to - 1).String()
}

// filterText writes the filters of an Ask as they stand in a query.
func filterText(a Ask) string {
	a = a.WithoutRange()
	a.Team, a.Agent, a.Line = "", "", ""
	var parts []string
	q := a.Query()
	for _, name := range []string{"type", "outcome", "source", "number", "tag", "min_seconds", "max_seconds", "hour_from", "hour_to", "excluded"} {
		if q.Has(name) {
			parts = append(parts, name+": "+strings.Join(q[name], ", "))
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, "; ")
}

func rulesText(r roll.Rules) string {
	return "A call counts as connected from " + plural(int64(max(r.ConnectedFrom, 1)), "second") + " of talk on; pauses of up to " +
		plural(int64(r.GapMinutes), "minute") + " count as active time."
}

func (s *Sheet) completeText() string {
	if s.Completeness.Complete {
		return "Complete: every phone has told all it knows about the range."
	}
	parts := make([]string, len(s.Completeness.Waiting))
	for i, w := range s.Completeness.Waiting {
		parts[i] = s.waiting(w)
	}
	return "Waiting for " + strings.Join(parts, "; ") + "."
}

func (s *Sheet) waiting(w device.WaitingDevice) string {
	text := w.Name
	if name := s.View.AgentName(w.Agent); name != "" {
		text += " of " + name
	}
	return text + " (complete up to " + w.Since.In(s.View.Org.Location()).Format("2006-01-02 15:04") + ")"
}

// agentColumns name an agent: the id that an Ask takes, and the name.
func agentColumns() []Column {
	return []Column{{"agent", "Agent id", Text}, {"agent_name", "Agent", Text}}
}

func (v *View) agent(row []Value, no account.AgentNo) {
	row[0], row[1] = v.agentID(no), v.AgentName(no)
}
