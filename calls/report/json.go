package report

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"time"

	"parley/calls/device"
	"parley/calls/stats"
	"parley/platform/civil"
)

// Head is what every report in JSON begins with.
type Head struct {
	Report        ID       `json:"report"`
	From          string   `json:"from"` // first day
	To            string   `json:"to"`   // the day after the last
	Zone          string   `json:"zone"`
	Scope         Scope    `json:"scope"`
	Filter        Ask      `json:"filter"`
	ConnectedFrom int      `json:"connected_from_seconds"`
	GapMinutes    int      `json:"gap_minutes"`
	Complete      Complete `json:"complete"`
}

// Complete says whether everything has arrived that a report counts.
type Complete struct {
	Complete bool      `json:"complete"`
	Waiting  []Waiting `json:"waiting"`
}

// Waiting is a phone that has not told everything.
type Waiting struct {
	Device      string   `json:"device"`
	Name        string   `json:"name"`
	Agent       string   `json:"agent"`
	AgentName   string   `json:"agent_name"`
	Since       string   `json:"since"` // RFC 3339: it has told everything up to then
	Calls       int      `json:"calls"` // that it says are left
	MissingDays []string `json:"missing_days"`
}

// Head is what the sheet says about itself, for JSON.
func (s *Sheet) Head() Head {
	v := s.View
	return Head{
		Report: s.ID, From: v.From.String(), To: v.To.String(), Zone: v.Org.Zone, Scope: v.Scope, Filter: v.Ask.WithoutRange(),
		ConnectedFrom: max(s.Rules.ConnectedFrom, 1), GapMinutes: s.Rules.GapMinutes, Complete: v.complete(s.Completeness),
	}
}

func (v *View) complete(c device.Completeness) Complete {
	out := Complete{Complete: c.Complete, Waiting: []Waiting{}}
	for _, w := range c.Waiting {
		days := make([]string, len(w.MissingDays))
		for i, d := range w.MissingDays {
			days[i] = d.String()
		}
		out.Waiting = append(out.Waiting, Waiting{Device: w.DeviceID, Name: w.Name, Agent: v.agentID(w.Agent), AgentName: v.AgentName(w.Agent),
			Since: w.Since.In(v.Org.Location()).Format(time.RFC3339), Calls: w.Waiting, MissingDays: days})
	}
	return out
}

// Metrics are the figures of a summary by metric id; nil where nothing was counted.
func (s *Sheet) Metrics() map[string]any {
	out := make(map[string]any, len(s.values))
	for _, v := range s.values {
		out[string(v.ID)] = figure(v)
	}
	return out
}

// WriteJSON writes the sheet as one object: the fields of Head, and then for the summary "metrics", an object by metric
// id, and, where it is compared, "compared" with another range's; for every other report "rows", a list of objects by column key. Seconds are numbers, times RFC 3339 with the
// organisation's offset, days 2026-03-02, and null stands where there is nothing. Rows are written as they are read.
func (s *Sheet) WriteJSON(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	head, err := json.Marshal(s.Head())
	if err != nil {
		return err
	}
	_, _ = out.Write(head[:len(head)-1]) // the object goes on; a bufio.Writer keeps its error for Flush
	if s.ID == Summary {
		err = s.jsonMetrics(out)
	} else {
		err = s.jsonRows(ctx, out)
	}
	if err != nil {
		return err
	}
	_, _ = out.WriteString("}\n")
	return out.Flush()
}

func (s *Sheet) jsonMetrics(out *bufio.Writer) error {
	if err := jsonValues(out, s.values); err != nil || s.compared == nil {
		return err
	}
	c := s.compared
	_, _ = out.WriteString(",\"compared\":{")
	if err := jsonPair(out, "with", c.with); err != nil {
		return err
	}
	for _, end := range []struct {
		key string
		day civil.Day
	}{{"from", c.from}, {"to", c.to}} {
		_ = out.WriteByte(',')
		if err := jsonPair(out, end.key, end.day); err != nil {
			return err
		}
	}
	if err := jsonValues(out, c.values); err != nil {
		return err
	}
	return out.WriteByte('}')
}

// jsonValues keeps the registry's order, which a map would lose.
func jsonValues(out *bufio.Writer, values []stats.Value) error {
	_, _ = out.WriteString(",\"metrics\":{")
	for i, v := range values {
		if i > 0 {
			_ = out.WriteByte(',')
		}
		if err := jsonPair(out, string(v.ID), figure(v)); err != nil {
			return err
		}
	}
	return out.WriteByte('}')
}

func (s *Sheet) jsonRows(ctx context.Context, out *bufio.Writer) error {
	_, _ = out.WriteString(",\"rows\":[")
	n := 0
	if err := s.Each(ctx, func(row []Value) error {
		if n++; n > 1 {
			_ = out.WriteByte(',')
		}
		_, _ = out.WriteString("\n{")
		for i, v := range row {
			if i > 0 {
				_ = out.WriteByte(',')
			}
			if err := jsonPair(out, s.Columns[i].Key, v); err != nil {
				return err
			}
		}
		return out.WriteByte('}')
	}); err != nil {
		return err
	}
	_, err := out.WriteString("]")
	return err
}

func jsonPair(out *bufio.Writer, key string, v Value) error {
	switch x := v.(type) {
	case civil.Day:
		v = x.String()
	case time.Time:
		v = x.Format(time.RFC3339)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_ = out.WriteByte('"')
	_, _ = out.WriteString(key)
	_, _ = out.WriteString("\":")
	_, err = out.Write(b)
	return err
}
