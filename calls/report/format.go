package report

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/phone"
)

// Format is a form in which a sheet is written.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
	JSON Format = "json"
	TXT  Format = "txt"
)

// Formats lists the formats.
func Formats() []Format { return []Format{CSV, XLSX, JSON, TXT} }

// ParseFormat reads a format's word, in any case.
func ParseFormat(word string) (Format, error) {
	f := Format(strings.ToLower(strings.TrimSpace(word)))
	if slices.Contains(Formats(), f) {
		return f, nil
	}
	return "", fault.Field("format", "There is no format %q. Choose from %s.", word, list(Formats()))
}

// ContentType is the format's media type.
func (f Format) ContentType() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case JSON:
		return "application/json"
	default:
		return "text/plain; charset=utf-8"
	}
}

// Write writes the sheet in a format, with what people who open a CSV in a spreadsheet need.
func (s *Sheet) Write(ctx context.Context, w io.Writer, f Format) error {
	switch f {
	case CSV:
		return s.WriteCSV(ctx, w, CSVOptions{BOM: true, About: true})
	case XLSX:
		return s.WriteXLSX(ctx, w)
	case JSON:
		return s.WriteJSON(ctx, w)
	default:
		return s.WriteText(ctx, w)
	}
}

// FileName is what a file with the sheet is called: ASCII, without the name of anybody.
func (s *Sheet) FileName(f Format) string {
	days := s.View.From.String()
	if last := s.View.To - 1; last != s.View.From {
		days += "_" + last.String()
	}
	return "parley-" + strings.ReplaceAll(string(s.ID), "_", "-") + "_" + days + "." + string(f)
}

// shown writes a cell for a reader: 1:02:03, 71.4 %, "–" where there is nothing.
func shown(v Value, k Kind) string {
	switch x := v.(type) {
	case nil:
		return "–"
	case string:
		return x
	case []string:
		return strings.Join(x, ", ")
	case civil.Day:
		return x.String()
	case time.Time:
		return x.Format("2006-01-02 15:04:05")
	case int64:
		return figureText(float64(x), k)
	case float64:
		return figureText(x, k)
	default:
		return fmt.Sprint(x)
	}
}

func figureText(x float64, k Kind) string {
	switch k {
	case Seconds:
		return clock(x)
	case Ratio:
		return strconv.FormatFloat(100*x, 'f', 1, 64) + " %"
	default:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
}

// clock writes seconds as hours, minutes and seconds.
func clock(seconds float64) string {
	n := int64(math.Round(seconds))
	return fmt.Sprintf("%d:%02d:%02d", n/3600, n/60%60, n%60)
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatInt(n, 10) + " " + noun + "s"
}

// headings are the columns' titles with what a bare number does not say.
func (s *Sheet) headings() []string {
	out := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		out[i] = c.Title
		switch c.Kind {
		case Seconds:
			out[i] += " (s)"
		case Moment:
			out[i] += " (" + s.View.Org.Zone + ")"
		}
	}
	return out
}

// display writes a number as people read it, in text for a terminal.
func (s *Sheet) display(v Value, k Kind) string {
	if text, ok := v.(string); ok && k == Phone {
		return phone.Display(text, s.View.Org.Country)
	}
	return shown(v, k)
}
