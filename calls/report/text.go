package report

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textBatch is how many rows share their widths, so that a long list is written as it is read.
const textBatch = 500

// maxWidth is how wide a text column may be in a terminal.
const maxWidth = 48

// WriteText writes the sheet for a terminal: of wide reports the columns that matter most, aligned, numbers to the right, durations as 1:02:03, and below it
// what the sheet says about itself. Characters that steer a terminal are left out.
func (s *Sheet) WriteText(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	columns := s.textColumns()
	var batch [][]string
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = s.Columns[c].Title
	}
	batch = append(batch, head)
	if err := s.Each(ctx, func(row []Value) error {
		line := make([]string, len(columns))
		for i, c := range columns {
			line[i] = printable(s.display(row[c], s.Columns[c].Kind))
		}
		if batch = append(batch, line); len(batch) >= textBatch {
			s.flushText(out, columns, batch)
			batch = batch[:0]
		}
		return nil
	}); err != nil {
		return err
	}
	s.flushText(out, columns, batch)
	_ = out.WriteByte('\n') // a bufio.Writer keeps its error for Flush
	for _, f := range s.About() {
		_, _ = out.WriteString(f.Title + ": " + printable(f.Text) + "\n")
	}
	return out.Flush()
}

// textColumns are the columns that fit a terminal; ids, which are for programs, are never among them.
func (s *Sheet) textColumns() []int {
	keys := terse(s.ID)
	var out []int
	for i, c := range s.Columns {
		switch c.Key {
		case "id", "metric", "agent", "line", "number_key", "call", "value", "unit":
		default:
			if keys == nil || slices.Contains(keys, c.Key) {
				out = append(out, i)
			}
		}
	}
	return out
}

// terse are the columns of a wide report that matter most; nil means all.
func terse(id ID) []string {
	switch id {
	case Leaderboard, Days:
		return []string{"agent_name", "day", "weekday", "calls", "incoming", "outgoing", "missed", "connected", "not_picked_up", "talk_seconds",
			"unique_clients", "never_attended_clients", "active_seconds", "connection_rate", "answer_rate"}
	case NeverAttended, Missed:
		return []string{"number", "name", "unattended", "last_missed", "missed_agent_name", "recovery", "attempts", "waiting_seconds",
			"suggested_agent_name", "callback", "assigned_agent_name"}
	case NeverPickedUp, Clients, Reached, NewClients:
		return []string{"number", "name", "calls", "incoming", "outgoing", "connected", "talk_seconds", "last", "last_agent_name"}
	case Calls, NotPickedUp:
		return []string{"start", "agent_name", "type", "outcome", "number", "name", "seconds", "note", "tags"}
	default:
		return nil
	}
}

func (s *Sheet) flushText(out *bufio.Writer, columns []int, batch [][]string) {
	widths := make([]int, len(columns))
	for _, line := range batch {
		for i, text := range line {
			widths[i] = max(widths[i], min(maxWidth, utf8.RuneCountInString(text)))
		}
	}
	var b strings.Builder
	for _, line := range batch {
		b.Reset()
		for i, text := range line {
			if i > 0 {
				b.WriteString("  ")
			}
			pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(text)))
			if s.toTheRight(columns[i]) {
				b.WriteString(pad + text)
			} else {
				b.WriteString(text + pad)
			}
		}
		_, _ = out.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
}

func (s *Sheet) toTheRight(column int) bool {
	switch s.Columns[column].Kind {
	case Count, Seconds, Ratio, Mixed:
		return true
	default:
		return s.Columns[column].Key == "shown"
	}
}

// printable drops what would steer a terminal or break a row, and cuts very long texts.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d' && r != '\u200c':
			return -1
		default:
			return r
		}
	}, text)
	if runes := []rune(text); len(runes) > 4*maxWidth {
		return string(runes[:4*maxWidth]) + "…"
	}
	return text
}
