package rights

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"

	"parley/platform/fault"
)

// Package collects what stores export about one person into a ZIP: for each table a JSON and a CSV file in the folder of its
// category, and other files as they are. Memory stays small; only the packed CSV of one table is held.
type Package struct {
	zip   *zip.Writer
	at    time.Time
	files []PackedFile
	names map[string]bool

	part   *Part  // nil: everything
	folder string // above all others; "" = none
}

// PackedFile is one file of a package, as the manifest lists it.
type PackedFile struct {
	Name     string `json:"name"`
	Category string `json:"category"`
	Rows     int64  `json:"rows,omitempty"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"`
}

func newPackage(w io.Writer, at time.Time) *Package {
	return &Package{zip: zip.NewWriter(w), at: at.UTC(), names: map[string]bool{}}
}

// Table writes rows under their column names. each is called once; it calls add for each row, with one value per column:
// text, whole numbers, booleans, time.Time (zero = empty), []string or nil. A table without rows is left out.
//
// Names are file names without folder and ending, such as "calls". JSON keeps every value exactly; in CSV a text that a
// spreadsheet would take for a formula gets a leading apostrophe, unless it is a phone number.
func (p *Package) Table(category, name string, columns []string, each func(add func(values ...any) error) error) error {
	if p.part != nil && !p.part.has(category) {
		return nil
	}
	t := &packedTable{p: p, category: category, name: path.Join(p.folder, "data", category, name), columns: columns}
	if err := each(t.add); err != nil {
		return err
	}
	return t.close()
}

// File packs a file of its own, such as a recording.
func (p *Package) File(category, name string, from io.Reader) error {
	if p.part != nil && (!p.part.has(category) || p.part.dated()) {
		return nil
	}
	f, err := p.create(path.Join(p.folder, "files", category, name), category)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, from); err != nil {
		return err
	}
	p.done(f, 0)
	return nil
}

// packing is a file that is being written.
type packing struct {
	PackedFile
	w   io.Writer
	sum hash.Hash
}

func (f *packing) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	f.sum.Write(b[:n])
	f.Bytes += int64(n)
	return n, err
}

func (p *Package) create(name, category string) (*packing, error) {
	if err := p.take(name); err != nil {
		return nil, err
	}
	w, err := p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.at})
	return &packing{PackedFile: PackedFile{Name: name, Category: category}, w: w, sum: sha256.New()}, err
}

func (p *Package) take(name string) error {
	if p.names[name] {
		return fault.New(fault.Internal, "Two stores write the file %s of a package.", name)
	}
	p.names[name] = true
	return nil
}

func (p *Package) done(f *packing, rows int64) {
	f.Rows, f.SHA256 = rows, hex.EncodeToString(f.sum.Sum(nil))
	p.files = append(p.files, f.PackedFile)
}

// packedTable writes JSON on the way and packs the CSV aside, since a ZIP takes one file at a time.
type packedTable struct {
	p        *Package
	category string
	name     string
	columns  []string
	rows     int64
	json     *packing
	csv      *asideFile
	lines    *csv.Writer
	buf      bytes.Buffer
}

// asideFile is a file packed in memory.
type asideFile struct {
	packed bytes.Buffer
	flate  *flate.Writer
	sum    hash.Hash
	crc    hash.Hash32
	bytes  int64
}

func newAside() (*asideFile, error) {
	a := &asideFile{sum: sha256.New(), crc: crc32.NewIEEE()}
	var err error
	a.flate, err = flate.NewWriter(&a.packed, flate.DefaultCompression)
	return a, err
}

func (a *asideFile) Write(b []byte) (int, error) {
	a.sum.Write(b)
	a.crc.Write(b)
	a.bytes += int64(len(b))
	return a.flate.Write(b)
}

func (t *packedTable) begin() (err error) {
	if t.json, err = t.p.create(t.name+".json", t.category); err != nil {
		return err
	}
	if t.csv, err = newAside(); err != nil {
		return err
	}
	t.lines = csv.NewWriter(t.csv)
	return t.lines.Write(t.columns)
}

func (t *packedTable) add(values ...any) error {
	if len(values) != len(t.columns) {
		return fault.New(fault.Internal, "A row of %s has %d values for %d columns.", t.name, len(values), len(t.columns))
	}
	if t.p.part != nil && !t.p.part.takes(values) {
		return nil
	}
	if t.json == nil {
		if err := t.begin(); err != nil {
			return err
		}
	}
	before := ",\n"
	if t.rows == 0 {
		before = "[\n"
	}
	t.rows++
	t.buf.Reset()
	t.buf.WriteString(before + "{")
	cells := make([]string, len(values))
	for i, v := range values {
		cell, plain, err := cellOf(v)
		if err != nil {
			return fmt.Errorf("%s, column %s: %w", t.name, t.columns[i], err)
		}
		cells[i] = safeCell(cell)
		if err := writeMember(&t.buf, i, t.columns[i], plain); err != nil {
			return err
		}
	}
	t.buf.WriteString("}")
	if _, err := t.json.Write(t.buf.Bytes()); err != nil {
		return err
	}
	return t.lines.Write(cells)
}

func writeMember(b *bytes.Buffer, i int, name string, v any) error {
	if i > 0 {
		b.WriteByte(',')
	}
	key, err := json.Marshal(name)
	if err != nil {
		return err
	}
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	b.Write(key)
	b.WriteByte(':')
	b.Write(value)
	return nil
}

// close ends the JSON file and puts the CSV behind it.
func (t *packedTable) close() error {
	if t.rows == 0 {
		return nil
	}
	if _, err := io.WriteString(t.json, "\n]\n"); err != nil {
		return err
	}
	t.p.done(t.json, t.rows)
	t.lines.Flush()
	if err := t.lines.Error(); err != nil {
		return err
	}
	if err := t.csv.flate.Close(); err != nil {
		return err
	}
	name := t.name + ".csv"
	if err := t.p.take(name); err != nil {
		return err
	}
	w, err := t.p.zip.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: t.p.at, CRC32: t.csv.crc.Sum32(),
		CompressedSize64: uint64(t.csv.packed.Len()), UncompressedSize64: uint64(t.csv.bytes)})
	if err != nil {
		return err
	}
	if _, err := t.csv.packed.WriteTo(w); err != nil {
		return err
	}
	t.p.files = append(t.p.files, PackedFile{Name: name, Category: t.category, Rows: t.rows, Bytes: t.csv.bytes, SHA256: hex.EncodeToString(t.csv.sum.Sum(nil))})
	return nil
}

// cellOf gives a value as a cell of CSV and as JSON takes it.
func cellOf(v any) (string, any, error) {
	switch v := v.(type) {
	case nil:
		return "", nil, nil
	case string:
		return v, v, nil
	case bool:
		return strconv.FormatBool(v), v, nil
	case int:
		return strconv.Itoa(v), v, nil
	case int64:
		return strconv.FormatInt(v, 10), v, nil
	case time.Time:
		if v.IsZero() {
			return "", nil, nil
		}
		text := v.Format(time.RFC3339)
		return text, text, nil
	case []string:
		return strings.Join(v, "; "), v, nil
	default:
		return "", nil, fault.New(fault.Internal, "A value of the type %T cannot be packed.", v)
	}
}

// safeCell keeps a spreadsheet from running what somebody wrote as a formula. Phone numbers begin with a plus sign and
// stay as they are: nothing but digits follows.
func safeCell(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return s
	}
	if len(s) > 1 && !strings.ContainsFunc(s[1:], func(r rune) bool { return !unicode.IsDigit(r) && r != ' ' }) {
		return s
	}
	return "'" + s
}
