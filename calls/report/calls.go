package report

import (
	"context"

	"parley/calls/call"
	"parley/calls/device"
)

// pageRows is how many calls are read at a time.
const pageRows = 500

func (r *Reports) callRows(ctx context.Context, v *View, s *Sheet) error {
	return r.callSheet(ctx, v, s, v.Query.Filter)
}

func (r *Reports) notPickedUp(ctx context.Context, v *View, s *Sheet) error {
	f := v.Query.Filter.With(call.Filter{Outcomes: []call.Outcome{call.OutcomeNotPickedUp}})
	return r.callSheet(ctx, v, s, f)
}

func callColumns() []Column {
	return append([]Column{{"id", "Id", Text}, {"start", "Start", Moment}}, append(agentColumns(),
		Column{"line", "Line id", Text}, Column{"line_name", "Line", Text}, Column{"direction", "Direction", Text}, Column{"type", "Type", Text},
		Column{"outcome", "Outcome", Text}, Column{"number", "Number", Phone}, Column{"number_key", "Number key", Text},
		Column{"presentation", "Presentation", Text}, Column{"name", "Name", Text}, Column{"seconds", "Duration", Seconds},
		Column{"source", "Source", Text}, Column{"note", "Note", Text}, Column{"tags", "Tags", Words})...)
}

// callSheet lists calls page by page.
func (r *Reports) callSheet(ctx context.Context, v *View, s *Sheet, f call.Filter) error {
	all, err := r.devices.Lines(ctx, v.Org)
	if err != nil {
		return err
	}
	lines := make(map[call.LineNo]*device.Line, len(all))
	for _, l := range all {
		lines[l.No] = l
	}
	s.Columns = callColumns()
	s.each = func(ctx context.Context, visit func([]Value) error) error {
		row := make([]Value, len(s.Columns))
		return r.eachCall(ctx, v, f, func(c *call.Call) error {
			clear(row)
			v.call(row, c, lines[c.Row.Line])
			return visit(row)
		})
	}
	return nil
}

// eachCall walks the call history of a view, newest first, in pages.
func (r *Reports) eachCall(ctx context.Context, v *View, f call.Filter, visit func(*call.Call) error) error {
	q := call.HistoryQuery{Agents: v.Query.Agents, From: v.From, To: v.To, Filter: f, Limit: pageRows}
	for {
		page, err := r.reporter.History(ctx, v.Org, q)
		if err != nil {
			return err
		}
		for i := range page.Calls {
			if err := visit(&page.Calls[i]); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

func (v *View) call(row []Value, c *call.Call, l *device.Line) {
	row[0], row[1] = c.ID, c.Row.At().In(v.Org.Location())
	v.agent(row[2:], c.Row.Agent)
	if l != nil {
		row[4], row[5] = string(l.ID), lineTitle(l.Label, l.Number, v.Org.Country)
	}
	row[6], row[7], row[8] = c.Row.Direction.String(), c.Row.Type.String(), c.Outcome.String()
	row[9], row[10], row[11], row[12] = some(c.Number), some(string(c.NumberKey)), c.Presentation.String(), some(c.Name)
	row[13], row[14], row[15] = int64(c.Row.Seconds), c.Row.Source.String(), some(c.Note)
	if len(c.Tags) > 0 {
		row[16] = c.Tags
	}
}

// some is a text, or nothing where it is empty.
func some(text string) Value {
	if text == "" {
		return nil
	}
	return text
}
