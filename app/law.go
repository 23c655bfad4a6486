package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/law"
)

type lawCmd struct {
	asJSON
	Places []string `arg:"" optional:"" name:"place" help:"Countries or states, such as IN or US-CA; several for a call between them, none for a place that nobody knows."`
	At     string   `placeholder:"2026-12-31T18:00:00Z" help:"When; now where it is not said."`
	Kept   string   `placeholder:"CATEGORY" default:"call.meta" help:"Category of the policy to show the floors of."`
}

// lawLine is one thing that the law tables say.
type lawLine struct {
	Topic   string   `json:"topic"`
	Place   string   `json:"place"`
	Says    string   `json:"says"`
	Guessed bool     `json:"strictest"` // the law of the place is not known, so the strictest of all counts
	Rows    []lawRow `json:"rows"`
}

// lawRow is a row that something comes from.
type lawRow struct {
	Jurisdiction string         `json:"jurisdiction"`
	Value        string         `json:"value"`
	Conditions   string         `json:"conditions"`
	Sources      []string       `json:"sources"`
	Confidence   law.Confidence `json:"confidence"`
	CheckedOn    string         `json:"checked_on"`
	NotBefore    string         `json:"not_before,omitempty"`
}

func (c *lawCmd) plain(_ context.Context, r *Run) error {
	tables, err := law.Load()
	if err != nil {
		return err
	}
	at := time.Now()
	if c.At != "" {
		if at, err = time.Parse(time.RFC3339, c.At); err != nil {
			return fault.New(fault.Invalid, "--at is %q. Write it like 2026-12-31T18:00:00Z.", c.At)
		}
	}
	places := make([]law.Place, max(len(c.Places), 1))
	for i, text := range c.Places {
		if places[i], err = law.ParsePlace(text); err != nil {
			return err
		}
	}
	all := struct {
		Advice string    `json:"advice"`
		Lines  []lawLine `json:"lines"`
	}{law.Advice, lawLines(tables, at, places, c.Kept)}
	return c.write(r, all, func(t *table) {
		t.row("TOPIC", "PLACE", "WHAT COUNTS", "SURE", "FROM")
		for _, l := range all.Lines {
			var from []string
			for _, row := range l.Rows {
				from = append(from, fmt.Sprintf("%s: %s (%s, %s, checked on %s)", row.Jurisdiction, row.Value, strings.Join(row.Sources, "; "), row.Confidence, row.CheckedOn))
			}
			sure := "by its law"
			if l.Guessed {
				sure = "strictest of all"
			}
			t.row(l.Topic, l.Place, l.Says, sure, strings.Join(from, " | "))
		}
		t.row(" ")
		t.row(law.Advice)
	})
}

// lawLines asks every table about the places.
func lawLines(tables *law.Tables, at time.Time, places []law.Place, kept string) []lawLine {
	day := civil.DayOf(at, time.UTC)
	view := func(rows ...law.Row) []lawRow { return lawRows(tables, rows) }
	var names []string
	for _, p := range places {
		names = append(names, placeName(p))
	}
	together := strings.Join(names, " and ")
	rule := tables.Recording(day, places...)
	says := map[law.Consent]string{law.One: "one party may record", law.All: "every party must consent"}[rule.Consent]
	if rule.Notice {
		says += "; everybody is told before the first word"
	}
	out := []lawLine{{"recording", together, says, rule.Guessed, view(rule.Rows...)}}
	for i, p := range places {
		h := tables.Hours(p, at, law.Promotion)
		out = append(out, lawLine{"sales call", names[i], hourSays(h), h.Guessed, view(h.Rows...)})
		k := tables.RequestClocks(day, p)
		out = append(out, lawLine{"request of a person", names[i], clocksSay(k), k.Guessed, view(k.Rows...)})
		for _, f := range tables.RetentionFloors(p, kept) {
			out = append(out, lawLine{"keep " + kept, names[i], "at least " + f.Min.String(), false, view(f.Row)})
		}
		if s, row := tables.ErasureNotice(p); s.Set() {
			out = append(out, lawLine{"notice before an erasure", names[i], s.String(), false, view(row)})
		}
	}
	for _, b := range tables.BreachClocks(day, places...) {
		line := lawLine{"breach", b.Place, fmt.Sprintf("%s (%s): %s", b.Name, b.Whom, b.Within), b.Guessed, nil}
		if !b.Guessed {
			line.Rows = view(b.Row)
		}
		out = append(out, line)
	}
	for i, p := range places {
		for _, f := range tables.Facts(p, "") {
			if !strings.HasPrefix(string(f.Topic), "recording") {
				out = append(out, lawLine{string(f.Topic), names[i], f.Value, f.Confidence == law.Unverified, view(f)})
			}
		}
	}
	return out
}

func placeName(p law.Place) string {
	if p.Country == "" {
		return "unknown"
	}
	return p.String()
}

func lawRows(tables *law.Tables, rows []law.Row) []lawRow {
	out := []lawRow{}
	for _, row := range rows {
		one := lawRow{row.Jurisdiction, row.Value, row.Conditions, tables.Sources(row), row.Confidence, row.CheckedOn.String(), ""}
		if row.NotBefore > 0 {
			one.NotBefore = row.NotBefore.String()
		}
		out = append(out, one)
	}
	return out
}

func hourSays(h law.Hour) string {
	says := "allowed now"
	if !h.Allowed {
		says = h.Why
		if !h.Next.IsZero() {
			says += " Next at " + h.Next.Format(time.RFC3339) + "."
		}
	}
	if h.Consent {
		says += "; only with prior consent"
	}
	for _, c := range h.Caps {
		says += "; " + c.String()
	}
	return says
}

func clocksSay(k law.Clocks) string {
	var says strings.Builder
	says.WriteString("answered in " + k.Answer.String())
	for _, one := range []struct {
		what string
		span law.Span
	}{{"more time, if told", k.Extension}, {"receipt confirmed in", k.Confirm}, {"complaint acknowledged in", k.Complaint}, {"complaint answered in", k.Grievance}, {"opt-out in", k.OptOut}} {
		if one.span.Set() {
			says.WriteString("; " + one.what + " " + one.span.String())
		}
	}
	return says.String()
}
