package logfile

import (
	"bytes"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/platform/fault"
	"parley/platform/sheet"
)

// Guess is what a look at the head of a file tells.
type Guess struct {
	Format    Format
	Title     string     // the format as people know it
	Columns   []string   // of a table: its headers, or "1", "2", … where it has none
	Sample    [][]string // of a table: the first rows of data
	Mapping   Mapping    // of a table: as its headers and cells suggest
	Zoned     bool       // the times carry their zone, so none need be stated
	NeedsOurs bool       // the file names caller and callee: somebody must say which numbers are ours
	Missing   []Field    // of a table: what the user has to map before it can be read; FieldDateOrder asks for the order of day and month
	Sheets    []string   // of a workbook
}

// Detect says what a file is and how it might be read. It looks at the head only.
func Detect(f io.ReaderAt, size int64, name string) (*Guess, error) {
	u, err := openUpload(f, size, name)
	if err != nil {
		return nil, err
	}
	d, err := detect(u, Options{})
	if err != nil {
		return nil, err
	}
	return &d.guess, nil
}

// Open begins to read a file. It refuses, with a sentence, what it does not know, a table that lacks a column, and dates
// whose order nothing tells.
func Open(f io.ReaderAt, size int64, name string, o Options) (Reader, error) {
	u, err := openUpload(f, size, name)
	if err != nil {
		return nil, err
	}
	d, err := detect(u, o)
	if err != nil {
		return nil, err
	}
	r, err := d.open(o)
	if err != nil {
		return nil, err
	}
	return &lasting{Reader: r}, nil
}

// detection is a guess with what it takes to act on it.
type detection struct {
	u      *upload
	guess  Guess
	layout layout // of a telephone system
	header bool   // a first row with headers stands before its calls
	comma  byte
	book   *sheet.Book
	sheet  sheet.Sheet
	sample *sample
}

// detect finds the format of a file, unless the options say it.
func detect(u *upload, o Options) (*detection, error) {
	d := &detection{u: u}
	mapped := o.Mapping != nil && len(o.Mapping.Columns) > 0
	want := o.Format
	if want == "" && mapped {
		want = Table
	}
	if u.kind == workbook {
		if want != "" && want != Table {
			return nil, notPBX(u.name, want)
		}
		return d, d.workbook(o)
	}
	switch want {
	case SMSBackup, Takeout, Termux, SMSIE:
		d.guess = Guess{Format: want, Zoned: want != Termux}
	case "":
		if err := d.byContent(o); err != nil {
			return nil, err
		}
	default:
		if err := d.text(u.files[0], o, want); err != nil {
			return nil, err
		}
	}
	d.guess.Title = d.guess.Format.Title()
	return d, nil
}

// byContent tries the files of an upload until one is recognised. All files of a zip that end alike count as its format.
func (d *detection) byContent(o Options) error {
	if d.u.kind == takeout {
		d.guess = Guess{Format: Takeout, Zoned: true}
		return nil
	}
	var first error
	for _, m := range d.u.files[:min(len(d.u.files), 20)] {
		err := d.one(m, o)
		if err == nil {
			ext := path.Ext(m.name)
			d.u.files = slices.DeleteFunc(d.u.files, func(o member) bool { return !strings.EqualFold(path.Ext(o.name), ext) })
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// one recognises a single file.
func (d *detection) one(m member, o Options) error {
	head, err := headOf(m)
	if err != nil {
		return err
	}
	trimmed := bytes.TrimLeft(head, " \t\r\n\x00")
	name := shown(m, d.u.name)
	switch {
	case len(trimmed) == 0:
		return fault.New(fault.Invalid, "%s holds nothing but blanks. Export it again.", sheet.FileNamed(name))
	case trimmed[0] == '<':
		return d.angle(trimmed, name)
	case trimmed[0] == '{' || trimmed[0] == '[' && jsonList(trimmed[1:]):
		return d.json(trimmed, name)
	case notText(head):
		return fault.New(fault.Unsupported, "%s is no call log that is known here: it is not text. Export the calls as CSV, XLSX, XML or JSON.", sheet.FileNamed(name))
	}
	return d.text(m, o, "")
}

// headOf reads the first part of a file as text.
func headOf(m member) ([]byte, error) {
	f, err := m.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 64<<10)
	n, err := io.ReadFull(sheet.NewText(f), head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, sheet.Stop(err, m.name, "row", 1)
	}
	return head[:n], nil
}

// notText says that a text has control characters that texts do not have.
func notText(head []byte) bool {
	odd := 0
	for _, c := range head {
		if c < 9 || c > 13 && c < 32 && c != 27 {
			odd++
		}
	}
	return odd*20 > len(head)
}

func (d *detection) angle(head []byte, name string) error {
	lower := bytes.ToLower(head)
	has := func(s string) bool { return bytes.Contains(lower, []byte(s)) }
	switch {
	case has("<call") || has("<smses") || has("<allsms"):
		d.guess = Guess{Format: SMSBackup, Zoned: true}
	case has("<html") || has("<!doctype html"):
		d.guess = Guess{Format: Takeout, Zoned: true}
	default:
		return fault.New(fault.Unsupported, "%s is XML without calls. The file of SMS Backup & Restore that is meant is named calls-….xml and holds <call …/> entries.", sheet.FileNamed(name))
	}
	return nil
}

func jsonList(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && (rest[0] == '{' || rest[0] == ']')
}

func (d *detection) json(head []byte, name string) error {
	has := func(s string) bool { return bytes.Contains(head, []byte(`"`+s+`"`)) }
	switch {
	case has("phone_number") && has("type"):
		d.guess = Guess{Format: Termux}
	case has("number") && has("date") || jsonList(head[1:]) && len(bytes.TrimSpace(head)) < 8:
		d.guess = Guess{Format: SMSIE, Zoned: true}
	default:
		return fault.New(fault.Unsupported, "%s is JSON, but holds no calls that are known here. Known are the lists of termux-call-log and the calls of SMS Import / Export; or export the calls as CSV.", sheet.FileNamed(name))
	}
	return nil
}

// text looks at a file of rows: a telephone system's, or any table.
func (d *detection) text(m member, o Options, want Format) error {
	head, err := headOf(m)
	if err != nil {
		return err
	}
	d.comma = sheet.DelimiterOf(wholeLines(head))
	if o.Mapping != nil && o.Mapping.Delimiter != 0 {
		if o.Mapping.Delimiter >= utf8.RuneSelf || o.Mapping.Delimiter == '"' || o.Mapping.Delimiter < ' ' && o.Mapping.Delimiter != '\t' {
			return fault.Field("delimiter", "%q cannot stand between columns. Use a comma, a semicolon, a tab or a bar.", o.Mapping.Delimiter)
		}
		d.comma = byte(o.Mapping.Delimiter)
	}
	f, err := m.open()
	if err != nil {
		return err
	}
	s, err := take(sheet.NewCSV(f, d.comma), shown(m, d.u.name))
	if err != nil {
		return err
	}
	d.sample = s
	if want != Table && d.telephone() {
		return nil
	}
	if want != "" && want != Table {
		return notPBX(d.u.name, want)
	}
	return d.table(o, func() (sheet.Rows, error) {
		f, err := m.open()
		if err != nil {
			return nil, err
		}
		return sheet.NewCSV(f, d.comma), nil
	})
}

// wholeLines cuts a head after its last whole line, if it has one.
func wholeLines(head []byte) []byte {
	if i := bytes.LastIndexByte(head, '\n'); i > 0 && len(head) == cap(head) {
		return head[:i+1]
	}
	return head
}

// sampleRows is how many rows a guess looks at.
const sampleRows = 200

// take reads the first rows of a table and closes it.
func take(r sheet.Rows, name string) (*sample, error) {
	defer r.Close()
	s := &sample{header: -1}
	for len(s.rows) < sampleRows {
		cells, row, err := r.Next()
		if err == io.EOF {
			break
		}
		if _, bad := err.(*RowError); bad {
			s.rows = append(s.rows, nil) // told when the row is read
			continue
		}
		if err != nil {
			return nil, sheet.Stop(err, name, "row", row)
		}
		s.rows = append(s.rows, slices.Clone(cells))
	}
	return s, nil
}

// telephone recognises the layouts of telephone systems, with and without header.
func (d *detection) telephone() bool {
	if len(d.sample.rows) == 0 {
		return false
	}
	if l, ok := layoutOfHeader(d.sample.rows[0]); ok {
		d.layout, d.header = l, true
		d.guess = Guess{Format: l.format, NeedsOurs: true}
		return true
	}
	counts, filled := map[layout]int{}, 0
	for _, row := range d.sample.rows {
		if sheet.Blank(row) {
			continue
		}
		filled++
		if l, ok := layoutOf(row); ok {
			counts[l]++
		}
	}
	for l, n := range counts {
		if n*2 > filled {
			d.layout = l
			d.guess = Guess{Format: l.format, NeedsOurs: true}
			return true
		}
	}
	return false
}

// workbook looks at the sheets of a workbook and takes the wished one, else the first with a number and a time.
func (d *detection) workbook(o Options) error {
	b, err := sheet.OpenBook(d.u.zip)
	if err != nil {
		return err
	}
	d.book = b
	var names []string
	var candidates []sheet.Sheet
	for _, s := range b.Sheets {
		names = append(names, s.Name)
		wish := ""
		if o.Mapping != nil {
			wish = o.Mapping.Sheet
		}
		if wish == s.Name || wish == "" && !s.Hidden {
			candidates = append(candidates, s)
		}
	}
	if len(candidates) == 0 {
		return fault.Field("sheet", "%s has no such sheet. Its sheets are: %s.", sheet.FileNamed(d.u.name), headerList(names))
	}
	var best *detection
	for _, s := range candidates[:min(len(candidates), 20)] {
		try := &detection{u: d.u, book: b, sheet: s}
		if err := try.readSheet(o); err != nil {
			return err
		}
		if best == nil || len(best.sample.rows) < 2 || len(try.guess.Missing) < len(best.guess.Missing) && len(try.sample.rows) > 1 {
			best = try
		}
	}
	*d = *best
	d.guess.Sheets, d.guess.Mapping.Sheet, d.guess.Title = names, d.sheet.Name, "Excel"
	return nil
}

func (d *detection) readSheet(o Options) error {
	open := func() (sheet.Rows, error) { return d.book.Open(d.sheet) }
	r, err := open()
	if err != nil {
		return err
	}
	if d.sample, err = take(r, d.u.name); err != nil {
		return err
	}
	return d.table(o, open)
}
