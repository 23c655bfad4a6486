package report

import (
	"context"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"parley/platform/civil"
)

// Styles of cells: positions in the workbook's list, see xlsxStyles.
const (
	styleNone = iota
	styleHead
	styleText // a text stays one when somebody edits the cell
	styleDate
	styleMoment
	styleClock
	styleRatio
)

// maxXLSXRows is how many rows a worksheet holds, the header among them; longer sheets go on in a next one.
const maxXLSXRows = 1_048_576

// WriteXLSX writes the sheet as an Office Open XML workbook: rows with typed cells and a frozen header, then a worksheet
// on what the sheet says about itself. Texts and phone numbers are text cells, so nothing becomes a formula; days and
// times are dates in the organisation's zone; each duration stands twice, as seconds to calculate with and as [h]:mm:ss
// to read. It is written as it is read: no row is kept in memory, nor, unsealed, in a temporary file.
func (s *Sheet) WriteXLSX(ctx context.Context, w io.Writer) error {
	return s.writeXLSX(ctx, w, maxXLSXRows)
}

func (s *Sheet) writeXLSX(ctx context.Context, w io.Writer, maxRows int) error {
	b := newWorkbook(w)
	begin := func() {
		name := s.Title
		if n := len(b.sheets); n > 0 {
			name += " " + strconv.Itoa(n+1)
		}
		b.begin(name, s.xlsxWidths())
		s.xlsxHeader(b)
	}
	begin()
	if err := s.Each(ctx, func(row []Value) error {
		if b.rows == maxRows {
			b.end()
			begin()
		}
		b.row()
		for i, v := range row {
			s.xlsxCell(b, v, s.Columns[i].Kind)
		}
		return b.err
	}); err != nil {
		return err
	}
	b.end()
	b.begin("About", []int{20, 100})
	for _, f := range s.About() {
		b.row()
		b.text(f.Title, styleHead)
		b.text(f.Text, styleText)
	}
	b.end()
	return b.close()
}

// xlsxHeader writes the titles; a duration has two columns.
func (s *Sheet) xlsxHeader(b *workbook) {
	b.row()
	for i, title := range s.headings() {
		b.text(title, styleHead)
		if s.Columns[i].Kind == Seconds {
			b.text(s.Columns[i].Title, styleHead)
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

func (s *Sheet) xlsxCell(b *workbook, v Value, k Kind) {
	switch x := v.(type) {
	case string:
		b.text(x, styleText)
	case []string:
		b.text(strings.Join(x, "; "), styleText)
	case int64:
		b.figure(float64(x), k)
		return
	case float64:
		b.figure(x, k)
		return
	case civil.Day:
		b.number(float64(x)+unixEpoch, styleDate)
	case time.Time:
		_, offset := x.Zone()
		b.number(float64(x.Unix()+int64(offset))/86400+unixEpoch, styleMoment)
	default:
		b.skip()
	}
	if k == Seconds {
		b.skip()
	}
}

// unixEpoch is 1970-01-01 in the days that spreadsheets count from 1899-12-30.
const unixEpoch = 25569

func (b *workbook) figure(x float64, k Kind) {
	switch k {
	case Seconds:
		b.number(x, styleNone)
		b.number(x/86400, styleClock)
	case Ratio:
		b.number(x, styleRatio)
	default:
		b.number(x, styleNone)
	}
}

// maxXLSXText is how many characters (UTF-16 units) a cell holds.
const maxXLSXText = 32_767

// xmlText writes text as the content of an element: what XML cannot hold is left out, what it reserves is escaped, and
// what the format reads as an escape (_x0041_) is kept from being one.
func xmlText(out *strings.Builder, text string) {
	units := 0
	for i, r := range text {
		if units++; r > math.MaxUint16 {
			units++
		}
		if units > maxXLSXText {
			return
		}
		switch {
		case r == '&':
			out.WriteString("&amp;")
		case r == '<':
			out.WriteString("&lt;")
		case r == '>':
			out.WriteString("&gt;")
		case r == '\r':
			out.WriteString("&#13;")
		case r == '_' && strings.HasPrefix(text[i:], "_x") && len(text) >= i+7 && text[i+6] == '_':
			out.WriteString("_x005F_")
		case r == '\t' || r == '\n' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r < 0xfffe || r >= 0x10000:
			out.WriteRune(r)
		}
	}
}
