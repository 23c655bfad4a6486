package report

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"parley/platform/civil"
	"parley/platform/sheet"
)

// WriteXLSX writes the sheet as an Office Open XML workbook: rows with typed cells and a frozen header, then a worksheet
// on what the sheet says about itself. Texts and phone numbers are text cells, so nothing becomes a formula; days and
// times are dates in the organisation's zone; each duration stands twice, as seconds to calculate with and as [h]:mm:ss
// to read. It is written as it is read: no row is kept in memory, nor, unsealed, in a temporary file.
func (s *Sheet) WriteXLSX(ctx context.Context, w io.Writer) error {
	return s.writeXLSX(ctx, w, sheet.MaxRows)
}

func (s *Sheet) writeXLSX(ctx context.Context, w io.Writer, maxRows int) error {
	b := sheet.NewWorkbook(w)
	begin := func() {
		name := s.Title
		if n := b.Sheets(); n > 0 {
			name += " " + strconv.Itoa(n+1)
		}
		b.Begin(name, s.xlsxWidths())
		s.xlsxHeader(b)
	}
	begin()
	if err := s.Each(ctx, func(row []Value) error {
		if b.Rows() == maxRows {
			b.End()
			begin()
		}
		b.Row()
		for i, v := range row {
			s.xlsxCell(b, v, s.Columns[i].Kind)
		}
		return b.Err()
	}); err != nil {
		return err
	}
	b.End()
	b.Begin("About", []int{20, 100})
	for _, f := range s.About() {
		b.Row()
		b.Text(f.Title, sheet.StyleHead)
		b.Text(f.Text, sheet.StyleText)
	}
	b.End()
	return b.Close()
}

// xlsxHeader writes the titles; a duration has two columns.
func (s *Sheet) xlsxHeader(b *sheet.Workbook) {
	b.Row()
	for i, title := range s.headings() {
		b.Text(title, sheet.StyleHead)
		if s.Columns[i].Kind == Seconds {
			b.Text(s.Columns[i].Title, sheet.StyleHead)
		}
	}
}

func (s *Sheet) xlsxWidths() []int {
	var out []int
	for i, title := range s.headings() {
		out = append(out, max(widthOf(s.Columns[i].Kind), min(len(title)+2, 40)))
		if s.Columns[i].Kind == Seconds {
			out = append(out, max(10, min(len(s.Columns[i].Title)+2, 40)))
		}
	}
	return out
}

func widthOf(k Kind) int {
	switch k {
	case Text, Phone, Words, Moment:
		return 20
	case Date:
		return 12
	default:
		return 8
	}
}

func (s *Sheet) xlsxCell(b *sheet.Workbook, v Value, k Kind) {
	switch x := v.(type) {
	case string:
		b.Text(x, sheet.StyleText)
	case []string:
		b.Text(strings.Join(x, "; "), sheet.StyleText)
	case int64:
		xlsxFigure(b, float64(x), k)
		return
	case float64:
		xlsxFigure(b, x, k)
		return
	case civil.Day:
		b.Number(float64(x)+unixEpoch, sheet.StyleDate)
	case time.Time:
		_, offset := x.Zone()
		b.Number(float64(x.Unix()+int64(offset))/86400+unixEpoch, sheet.StyleMoment)
	default:
		b.Skip()
	}
	if k == Seconds {
		b.Skip()
	}
}

// unixEpoch is 1970-01-01 in the days that spreadsheets count from 1899-12-30.
const unixEpoch = 25569

func xlsxFigure(b *sheet.Workbook, x float64, k Kind) {
	switch k {
	case Seconds:
		b.Number(x, sheet.StyleNone)
		b.Number(x/86400, sheet.StyleClock)
	case Ratio:
		b.Number(x, sheet.StyleRatio)
	default:
		b.Number(x, sheet.StyleNone)
	}
}
