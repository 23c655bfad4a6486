package sheet

import (
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"parley/platform/fault"
)

// Book is an Excel workbook whose sheets are read row by row. excelize reads the whole file into memory when it is given
// a stream, and xlsxreader takes a truncated sheet for a whole one and holds all shared strings without bound; so the
// three parts that matter are read here: the list of sheets, the styles that make numbers dates, and the rows.
type Book struct {
	u         *Archive
	Sheets    []Sheet
	styles    []numberStyle
	since1904 bool
}

// Sheet is one sheet of a workbook.
type Sheet struct {
	Name     string
	Hidden   bool
	id, path string
}

// maxColumns is the widest row that is read; columns past it are left out.
const maxColumns = 1024

// maxCell is the longest text of a cell; Excel allows 32,767 characters.
const maxCell = 64 << 10

// OpenBook reads a workbook's small parts.
func OpenBook(u *Archive) (*Book, error) {
	b := &Book{u: u}
	if err := b.walk("xl/workbook.xml", b.workbook); err != nil {
		return nil, err
	}
	paths := map[string]string{}
	if err := b.walk("xl/_rels/workbook.xml.rels", func(_ *Markup, name string, attr map[string]string) error {
		if name == "Relationship" && strings.HasSuffix(attr["Type"], "/worksheet") {
			paths[attr["Id"]] = attr["Target"]
		}
		return nil
	}); err != nil {
		return nil, err
	}
	kept := b.Sheets[:0]
	for _, s := range b.Sheets {
		target := paths[s.id]
		if target == "" {
			continue
		}
		if s.path = path.Join("xl", target); strings.HasPrefix(target, "/") {
			s.path = target[1:]
		}
		kept = append(kept, s)
	}
	if b.Sheets = kept; len(kept) == 0 {
		return nil, fault.New(fault.Invalid, "%s has no sheet with cells. Save it again as .xlsx, or as CSV.", FileNamed(u.Name))
	}
	return b, b.readStyles()
}

func (b *Book) workbook(_ *Markup, name string, attr map[string]string) error {
	switch name {
	case "workbookPr":
		b.since1904 = attr["date1904"] == "1" || attr["date1904"] == "true"
	case "sheet":
		if len(b.Sheets) < 1000 {
			b.Sheets = append(b.Sheets, Sheet{Name: attr["name"], id: attr["id"], Hidden: attr["state"] != "" && attr["state"] != "visible"})
		}
	}
	return nil
}

// walk hands every start tag of a part to f.
func (b *Book) walk(part string, f func(*Markup, string, map[string]string) error) error {
	file := b.u.Part(part)
	if file == nil {
		return fault.New(fault.Invalid, "%s is no complete workbook: %s is missing. Save it again as .xlsx, or as CSV.", FileNamed(b.u.Name), part)
	}
	rc, err := b.u.Unpack(file)
	if err != nil {
		return err
	}
	defer rc.Close()
	x := NewMarkup(io.LimitReader(rc, 16<<20))
	for {
		kind, name, err := x.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return Stop(err, part, "part", 1)
		}
		if kind != StartTag {
			continue
		}
		element := string(name)
		attr, err := x.attributeMap()
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "%s is damaged in %s. Save it again as .xlsx, or as CSV.", FileNamed(b.u.Name), part)
		}
		if err := f(x, element, attr); err != nil {
			return err
		}
	}
}

func (x *Markup) attributeMap() (map[string]string, error) {
	tag, err := x.Attributes()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, value := range Attributes(tag) {
		out[string(name)] = Unescape(value)
	}
	return out, nil
}

// numberStyle says what a number means in a cell.
type numberStyle int

const (
	plainNumber numberStyle = iota
	dateNumber
	timeNumber    // a time of day, or a date and time
	elapsedNumber // [h]:mm:ss
)

// readStyles reads which cell styles show numbers as dates and times.
func (b *Book) readStyles() error {
	if b.u.Part("xl/styles.xml") == nil {
		return nil
	}
	custom, within := map[string]numberStyle{}, false
	return b.walk("xl/styles.xml", func(_ *Markup, name string, attr map[string]string) error {
		switch name {
		case "numFmt":
			custom[attr["numFmtId"]] = styleOf(attr["formatCode"])
		case "cellXfs":
			within = true
		case "cellStyles", "dxfs", "cellStyleXfs":
			within = false
		case "xf":
			if within && len(b.styles) < 65_536 {
				style, ok := custom[attr["numFmtId"]]
				if !ok {
					style = builtIn(attr["numFmtId"])
				}
				b.styles = append(b.styles, style)
			}
		}
		return nil
	})
}

// builtIn are the number formats that need no definition (ECMA-376, 18.8.30).
func builtIn(id string) numberStyle {
	n, err := strconv.Atoi(id)
	switch {
	case err != nil:
		return plainNumber
	case n >= 14 && n <= 17, n >= 27 && n <= 31, n == 36, n >= 50 && n <= 54, n == 57, n == 58:
		return dateNumber
	case n >= 18 && n <= 22, n >= 32 && n <= 35, n == 45, n == 47, n == 55, n == 56:
		return timeNumber
	case n == 46:
		return elapsedNumber
	}
	return plainNumber
}

// styleOf reads a format code such as dd/mm/yyyy hh:mm, leaving out what is quoted or in brackets.
func styleOf(code string) numberStyle {
	code = strings.ToLower(code)
	for _, e := range [...]string{"[h]", "[hh]", "[m]", "[mm]", "[s]", "[ss]"} {
		if strings.Contains(code, e) {
			return elapsedNumber
		}
	}
	date, clockParts, skip := false, false, byte(0)
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case skip != 0:
			if c == skip {
				skip = 0
			}
		case c == '"':
			skip = '"'
		case c == '[':
			skip = ']'
		case c == '\\', c == '_', c == '*':
			i++
		case c == 'y' || c == 'd':
			date = true
		case c == 'h' || c == 's':
			clockParts = true
		case c == 'm':
			date = date || !strings.ContainsAny(code, "hs")
		case c == 'g' && strings.HasPrefix(code[i:], "general"):
			return plainNumber
		}
	}
	switch {
	case clockParts:
		return timeNumber
	case date:
		return dateNumber
	}
	return plainNumber
}

// number writes a numeric cell as text: dates year-first, times as h:mm:ss, whole numbers with all their digits.
func (b *Book) number(raw string, style int) string {
	v, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return raw
	}
	kind := plainNumber
	if style >= 0 && style < len(b.styles) {
		kind = b.styles[style]
	}
	const maxDay = 2_958_465 // 9999-12-31
	switch {
	case kind == plainNumber || v < 0 || v > maxDay:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatInt(int64(v), 10)
		}
		return raw
	case kind == elapsedNumber || kind == timeNumber && v < 1000:
		s := int64(v*86_400 + 0.5)
		return strconv.FormatInt(s/3600, 10) + ":" + twoDigits(s/60%60) + ":" + twoDigits(s%60)
	case kind == dateNumber && v == math.Trunc(v):
		return excelTime(v, b.since1904, time.UTC).Format(time.DateOnly)
	default:
		return excelTime(v, b.since1904, time.UTC).Format(time.DateTime)
	}
}

func twoDigits(n int64) string {
	if n < 10 {
		return "0" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}

// SheetRows reads the rows of one sheet.
type SheetRows struct {
	b      *Book
	src    io.Closer
	x      *Markup
	shared *sharedStrings
	row    int
	cells  []string
}

// Open begins a sheet. Shared strings are read as far as the rows need them.
func (b *Book) Open(s Sheet) (*SheetRows, error) {
	f := b.u.Part(s.path)
	if f == nil {
		return nil, fault.New(fault.Invalid, "%s is no complete workbook: the sheet %q is missing. Save it again as .xlsx, or as CSV.", FileNamed(b.u.Name), Cut(s.Name))
	}
	src, err := b.u.Unpack(f)
	if err != nil {
		return nil, err
	}
	return &SheetRows{b: b, src: src, x: NewMarkup(src), shared: &sharedStrings{b: b}}, nil
}

// Close closes the sheet.
func (s *SheetRows) Close() error {
	err := s.shared.close()
	if closing := s.src.Close(); err == nil {
		err = closing
	}
	return err
}

// Next gives the next row.
func (s *SheetRows) Next() ([]string, int, error) {
	for {
		kind, name, err := s.x.Next()
		if err != nil {
			return nil, s.row + 1, err
		}
		if kind != StartTag || string(name) != "row" {
			continue
		}
		tag, err := s.x.Attributes()
		if err != nil {
			return nil, s.row + 1, s.damaged(err)
		}
		s.row++
		for name, value := range Attributes(tag) {
			if string(name) == "r" {
				if n, ok := ShortNumber(string(value)); ok && n >= s.row {
					s.row = n
				}
			}
		}
		return s.readRow()
	}
}

func (s *SheetRows) damaged(err error) error {
	if _, ok := err.(ErrText); ok {
		return fault.Wrap(fault.Invalid, err, "%s is damaged after row %d. Save it again as .xlsx, or as CSV.", FileNamed(s.b.u.Name), s.row)
	}
	return err
}

// readRow reads the cells up to the row's end.
func (s *SheetRows) readRow() ([]string, int, error) {
	s.cells = s.cells[:0]
	column := 0
	for {
		kind, name, err := s.x.Next()
		if err != nil {
			return nil, s.row, err
		}
		switch element := string(name); {
		case kind == EndTag && element == "row":
			return s.cells, s.row, nil
		case kind == StartTag && element == "c":
			if column, err = s.cell(column); err != nil {
				return nil, s.row, err
			}
		}
	}
}

// cell reads one cell and returns the column after it.
func (s *SheetRows) cell(column int) (int, error) {
	tag, err := s.x.Attributes()
	if err != nil {
		return 0, s.damaged(err)
	}
	kind, style := "", -1
	for name, value := range Attributes(tag) {
		switch string(name) {
		case "r":
			if n := columnOf(value); n >= 0 {
				column = n
			}
		case "t":
			kind = string(value)
		case "s":
			style, _ = strconv.Atoi(string(value))
		}
	}
	text, err := s.value(kind, style)
	if err != nil {
		return 0, err
	}
	if text != "" && column < maxColumns {
		for len(s.cells) <= column {
			s.cells = append(s.cells, "")
		}
		s.cells[column] = text
	}
	return column + 1, nil
}

// columnOf is the column of a reference such as "AB12", from 0, or -1.
func columnOf(ref []byte) int {
	n := 0
	for i, c := range ref {
		if c < 'A' || c > 'Z' || i > 3 {
			break
		}
		n = n*26 + int(c-'A') + 1
	}
	return n - 1
}

// value reads up to the end of a cell.
func (s *SheetRows) value(kind string, style int) (string, error) {
	var raw string
	for {
		tag, name, err := s.x.Next()
		if err != nil {
			return "", err
		}
		element := string(name)
		if tag == EndTag && element == "c" {
			return s.meaning(raw, kind, style)
		}
		if tag != StartTag || element != "v" && element != "t" {
			continue
		}
		text, err := s.x.Text(maxCell)
		if err != nil {
			return "", err
		}
		raw += text
		if len(raw) > maxCell {
			raw = raw[:maxCell]
		}
	}
}

// meaning turns a cell's raw value into text by the cell's type.
func (s *SheetRows) meaning(raw, kind string, style int) (string, error) {
	switch kind {
	case "s":
		n, ok := ShortNumber(raw)
		if !ok {
			return "", fault.New(fault.Invalid, "%s is damaged in row %d: a cell refers to no text. Save it again as .xlsx, or as CSV.", FileNamed(s.b.u.Name), s.row)
		}
		return s.shared.at(n)
	case "", "n":
		return s.b.number(strings.TrimSpace(raw), style), nil
	case "e":
		return "", nil // #N/A and the like
	default:
		return raw, nil
	}
}

// Limits of the texts that a workbook's cells share. They have to be held, since any row may refer to any of them.
const (
	sharedBlock = 1 << 20
	maxShared   = 64 << 20
)

// sharedStrings are the texts of a workbook, read from the part as far as they are asked for. Excel numbers them in the
// order of their first use, so a look at the first rows reads only the first texts.
type sharedStrings struct {
	b      *Book
	src    io.Closer
	x      *Markup
	blocks [][]byte
	starts []uint32
	sizes  []uint16
	end    error
}

func (s *sharedStrings) close() error {
	if s.src == nil {
		return nil
	}
	return s.src.Close()
}

// at is the n-th text.
func (s *sharedStrings) at(n int) (string, error) {
	for n >= len(s.starts) && s.end == nil {
		s.end = s.more()
	}
	if n >= len(s.starts) {
		if s.end != io.EOF {
			return "", Stop(s.end, "xl/sharedStrings.xml", "text", len(s.starts)+1)
		}
		return "", fault.New(fault.Invalid, "%s is damaged: a cell refers to a text that is not there. Save it again as .xlsx, or as CSV.", FileNamed(s.b.u.Name))
	}
	at := s.starts[n]
	from := at % sharedBlock
	return string(s.blocks[at/sharedBlock][from : from+uint32(s.sizes[n])]), nil
}

// more reads one text: an <si> whose <t> parts are put together, phonetic readings (<rPh>) left out.
func (s *sharedStrings) more() error {
	if s.x == nil {
		f := s.b.u.Part("xl/sharedStrings.xml")
		if f == nil {
			return io.EOF
		}
		rc, err := s.b.u.Unpack(f)
		if err != nil {
			return err
		}
		s.src, s.x = rc, NewMarkup(rc)
	}
	var text string
	within, phonetic := false, false
	for {
		kind, name, err := s.x.Next()
		if err != nil {
			return err
		}
		switch element := string(name); {
		case kind == StartTag && element == "si":
			within = true
		case kind == EndTag && element == "si" && within:
			return s.keep(text)
		case element == "rPh":
			phonetic = kind == StartTag
		case kind == StartTag && element == "t" && within && !phonetic:
			part, err := s.x.Text(maxCell)
			if err != nil {
				return err
			}
			text += part
			text = text[:min(len(text), math.MaxUint16)]
		}
	}
}

func (s *sharedStrings) keep(text string) error {
	last := len(s.blocks) - 1
	if last < 0 || len(s.blocks[last])+len(text) > sharedBlock {
		if (last+2)*sharedBlock > maxShared {
			return fault.New(fault.TooLarge, "%s holds more than %d MB of different texts, more than is kept in memory. Save the sheet as CSV and import that.", FileNamed(s.b.u.Name), maxShared>>20)
		}
		s.blocks = append(s.blocks, make([]byte, 0, sharedBlock))
		last++
	}
	if len(s.starts) > 5_000_000 {
		return fault.New(fault.TooLarge, "%s holds more than 5 million different texts. Save the sheet as CSV and import that.", FileNamed(s.b.u.Name))
	}
	s.starts = append(s.starts, uint32(last*sharedBlock+len(s.blocks[last])))
	s.sizes = append(s.sizes, uint16(len(text)))
	s.blocks[last] = append(s.blocks[last], text...)
	return nil
}
