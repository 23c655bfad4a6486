package report

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"parley/platform/civil"
	"parley/platform/sheet"
)

// CSVOptions say for whom a CSV is written.
type CSVOptions struct {
	BOM   bool // a byte order mark, without which Excel takes the file for Latin-1
	Keys  bool // the columns' keys as header in place of their titles
	About bool // after an empty row, what the sheet says about itself
}

// WriteCSV writes the sheet as RFC 4180 says: commas, CRLF, quotes where needed, as many fields in every row. Numbers
// are plain (seconds, 0.714), days and times are written 2026-03-02 and 2026-03-02 17:05:09 in the organisation's zone,
// tags with "; " between.
//
// No cell becomes a formula where the file is opened in a spreadsheet:
//
//   - A text that begins like a formula (=, +, -, @, their full-width forms, a tab, a line break, also after blanks) gets
//     an apostrophe in front.
//   - A phone number is written as the URI tel:+919812300001 (RFC 3966). A spreadsheet takes +919812300001 for the number
//     919812300001 and shows 9.2E+11, and drops the zeros of 0800…; it keeps the URI as it is, and so do programs, which
//     can read it as a number again without guessing what was put in front.
func (s *Sheet) WriteCSV(ctx context.Context, w io.Writer, o CSVOptions) error {
	if o.BOM {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return err
		}
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	header := s.headings()
	if o.Keys {
		for i, c := range s.Columns {
			header[i] = c.Key
		}
	}
	if err := out.Write(header); err != nil {
		return err
	}
	record := make([]string, len(s.Columns))
	if err := s.Each(ctx, func(row []Value) error {
		for i, v := range row {
			record[i] = csvCell(v, s.Columns[i].Kind)
		}
		return out.Write(record)
	}); err != nil {
		return err
	}
	if o.About {
		if err := s.csvAbout(out); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (s *Sheet) csvAbout(out *csv.Writer) error {
	record := make([]string, max(2, len(s.Columns)))
	if err := out.Write(record); err != nil {
		return err
	}
	for _, f := range s.About() {
		record[0], record[1] = sheet.SafeText(f.Title, false), sheet.SafeText(f.Text, false)
		if err := out.Write(record); err != nil {
			return err
		}
	}
	return nil
}

func csvCell(v Value, k Kind) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return sheet.SafeText(x, k == Phone)
	case []string:
		return sheet.SafeText(strings.Join(x, "; "), k == Phone)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case civil.Day:
		return x.String()
	case time.Time:
		return x.Format("2006-01-02 15:04:05")
	default:
		return ""
	}
}
