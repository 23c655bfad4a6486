package intake

import (
	"bytes"
	"io"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"parley/crm/vcard"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// The formats.
const (
	formatCSV   = "csv"
	formatXLSX  = "xlsx"
	formatVCard = "vcard"
)

// sampleRows is how many rows a guess looks at.
const sampleRows = 200

// file is an upload that is read: a text table, a workbook or cards.
type file struct {
	name   string
	format string
	f      io.ReaderAt
	size   int64
	done   *atomic.Int64                 // bytes read so far
	open   func() (io.ReadCloser, error) // of a text
	book   *sheet.Book
	comma  byte
}

// counted counts what is read of an upload.
type counted struct {
	io.ReaderAt
	n *atomic.Int64
}

// ReadAt reads as io.ReaderAt does.
func (c counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.n.Add(int64(n))
	return n, err
}

// openFile looks at the first bytes of an upload, and into it when it is a zip.
func openFile(f io.ReaderAt, size int64, name string) (*file, error) {
	if size <= 0 {
		return nil, fault.New(fault.Invalid, "%s is empty. Export it again and check that the copy is complete.", sheet.FileNamed(name))
	}
	x := &file{name: name, size: size, done: &atomic.Int64{}}
	x.f = counted{f, x.done}
	head := make([]byte, min(size, 16))
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, fault.Wrap(fault.Internal, err, "%s cannot be read.", sheet.FileNamed(name))
	}
	if err := sheet.Foreign(head, name, "contacts"); err != nil {
		return nil, err
	}
	if !sheet.IsZip(head) {
		x.open = func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(x.f, 0, size)), nil }
		return x, x.text()
	}
	a, err := sheet.OpenArchive(x.f, size, name)
	if err != nil {
		return nil, err
	}
	if a.IsWorkbook() {
		x.format = formatXLSX
		x.book, err = sheet.OpenBook(a)
		return x, err
	}
	return x, x.packed(a)
}

// packed takes the one list out of a zip.
func (x *file) packed(a *sheet.Archive) error {
	var lists []string
	for _, f := range a.Files {
		base := strings.ToLower(path.Base(f.Name))
		if !slices.Contains([]string{".csv", ".tsv", ".txt", ".vcf"}, path.Ext(base)) || strings.HasPrefix(base, ".") || strings.HasPrefix(f.Name, "__MACOSX/") {
			continue
		}
		lists = append(lists, sheet.Cut(f.Name))
		x.open = func() (io.ReadCloser, error) { return a.Unpack(f) }
	}
	if len(lists) != 1 {
		return fault.New(fault.Invalid, "%s holds %d lists of contacts (CSV or vCard), and one is brought in at a time. Unpack it, and import the lists one after the other.", sheet.FileNamed(x.name), len(lists))
	}
	return x.text()
}

// text tells cards from tables, and finds the delimiter of these.
func (x *file) text() error {
	src, err := x.open()
	if err != nil {
		return err
	}
	defer src.Close()
	head := make([]byte, 64<<10)
	n, err := io.ReadFull(sheet.NewText(src), head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return sheet.Stop(err, x.name, "row", 1)
	}
	head = head[:n]
	odd := 0
	for _, c := range head {
		if c < 9 || c > 13 && c < 32 && c != 27 {
			odd++
		}
	}
	switch {
	case len(bytes.TrimSpace(head)) == 0:
		return fault.New(fault.Invalid, "%s holds nothing but blanks. Export it again.", sheet.FileNamed(x.name))
	case vcard.Is(head):
		x.format = formatVCard
	case odd*20 > len(head):
		return fault.New(fault.Unsupported, "%s is no list that is known here: it is not text. Export the contacts as CSV, XLSX or vCard.", sheet.FileNamed(x.name))
	default:
		x.format = formatCSV
		if i := bytes.LastIndexByte(head, '\n'); i > 0 && n == cap(head) {
			head = head[:i+1]
		}
		x.comma = sheet.DelimiterOf(head)
	}
	return nil
}

// table is an opened table with the rows at its head.
type table struct {
	*file
	sheet  sheet.Sheet
	sample [][]string // nil for rows that are refused
	header int        // which of them is the header; -1 for none
}

// table opens the wished sheet, else the first visible one with rows.
func (x *file) table(m *Mapping, a *adviser) (*table, error) {
	if m != nil && m.Delimiter != "" {
		if !strings.Contains(",;\t|", m.Delimiter) || len(m.Delimiter) != 1 {
			return nil, fault.Field("delimiter", "%q cannot stand between columns. Use a comma, a semicolon, a tab or a bar.", m.Delimiter)
		}
		x.comma = m.Delimiter[0]
	}
	t := &table{file: x}
	if x.book == nil {
		return t, t.look(m, a)
	}
	var names []string
	var candidates []sheet.Sheet
	for _, s := range x.book.Sheets {
		names = append(names, sheet.Cut(s.Name))
		if m != nil && m.Sheet == s.Name || (m == nil || m.Sheet == "") && !s.Hidden {
			candidates = append(candidates, s)
		}
	}
	for _, s := range candidates[:min(len(candidates), 20)] {
		t.sheet = s
		if err := t.look(m, a); err != nil || len(t.data()) > 0 {
			return t, err
		}
	}
	if len(candidates) == 0 {
		return nil, fault.Field("sheet", "%s has no such sheet. Its sheets are: %s.", sheet.FileNamed(x.name), strings.Join(names, ", "))
	}
	return t, nil
}

// rows begins to read the table.
func (t *table) rows() (sheet.Rows, error) {
	if t.book == nil {
		src, err := t.open()
		if err != nil {
			return nil, err
		}
		return sheet.NewCSV(src, t.comma), nil
	}
	merged, err := t.book.Merged(t.sheet)
	if err != nil {
		return nil, err
	}
	rows, err := t.book.Open(t.sheet)
	if err != nil {
		return nil, err
	}
	return sheet.Filled(rows, merged), nil
}

// look reads the first rows and finds the header.
func (t *table) look(m *Mapping, a *adviser) error {
	rows, err := t.rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	t.sample = nil
	for len(t.sample) < sampleRows {
		cells, row, err := rows.Next()
		if err == io.EOF {
			break
		}
		if _, bad := err.(*sheet.RowError); bad {
			t.sample = append(t.sample, nil) // told when the row is read
			continue
		}
		if err != nil {
			return sheet.Stop(err, t.name, "row", row)
		}
		t.sample = append(t.sample, slices.Clone(cells))
	}
	switch {
	case m != nil && m.NoHeader:
		t.header = -1
	case m != nil && len(m.Columns) > 0:
		t.header = t.headerOf(m)
	default:
		t.header = a.findHeader(t.sample)
	}
	return nil
}

// headerOf takes the row, among the first twenty, that has all mapped headers.
func (t *table) headerOf(m *Mapping) int {
	for i, row := range t.sample[:min(len(t.sample), 20)] {
		heads := headsOf(row, nil)
		if !slices.ContainsFunc(m.Columns, func(c Column) bool {
			return !slices.ContainsFunc(heads, c.is)
		}) {
			return i
		}
	}
	return 0
}

// data are the rows of the sample after the header.
func (t *table) data() [][]string {
	return slices.DeleteFunc(slices.Clone(t.sample[min(t.header+1, len(t.sample)):]), sheet.Blank)
}

// heads are the columns.
func (t *table) heads() []Head {
	data := t.data()
	if t.header >= 0 && t.header < len(t.sample) {
		width := len(t.sample[t.header])
		for _, r := range data { // columns without a header, such as beside merged ones
			width = max(width, len(r))
		}
		header := slices.Clone(t.sample[t.header])
		for t.book != nil && len(header) < width {
			header = append(header, "")
		}
		return headsOf(header, data)
	}
	most := 0
	for _, r := range data {
		most = max(most, len(r))
	}
	return headsOf(sheet.Numbered(most), data)
}

// order finds the order of day and month that the dates of columns prove: in the sample, and where that leaves it open, in
// more rows.
func (t *table) order(columns []int) (order sheet.DateOrder, settled bool, err error) {
	var e sheet.Evidence
	see := func(row []string) {
		for _, i := range columns {
			if i < len(row) {
				e.See(row[i])
			}
		}
	}
	for _, row := range t.data() {
		see(row)
	}
	if e.Open() && len(t.sample) == sampleRows {
		rows, err := t.rows()
		if err != nil {
			return "", false, err
		}
		defer rows.Close()
		const most = 50_000
		for range most {
			cells, row, err := rows.Next()
			if err == io.EOF || !e.Open() {
				break
			}
			if _, bad := err.(*sheet.RowError); bad {
				continue
			}
			if err != nil {
				return "", false, sheet.Stop(err, t.name, "row", row)
			}
			see(cells)
		}
	}
	order, settled = e.Order()
	return order, settled, nil
}
