package logfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"parley/platform/fault"
)

// Limits of a zip. Real call logs shrink 10 to 60 fold; a Takeout of a busy line holds some ten thousand pages.
const (
	maxEntries = 150_000
	maxEntry   = 8 << 30
	maxTotal   = 16 << 30
	maxRatio   = 200
	ratioFrom  = 1 << 20 // bytes unpacked before the ratio counts
)

// member is one file of calls: the uploaded one, or one within a zip.
type member struct {
	name string // "" for the uploaded file itself
	open func() (io.ReadCloser, error)
}

// container is what kind of thing was uploaded.
type container int

const (
	plain container = iota
	archive
	workbook
	takeout
)

// upload is a file as it came, and the files of calls in it.
type upload struct {
	kind     container
	name     string
	zip      *zip.Reader
	files    []member
	unpacked int64
}

// openUpload looks at the first bytes of a file, and into it when it is a zip.
func openUpload(f io.ReaderAt, size int64, name string) (*upload, error) {
	u := &upload{name: name}
	if size <= 0 {
		return nil, fault.New(fault.Invalid, "%s is empty. Export it again and check that the copy is complete.", fileNamed(name))
	}
	head := make([]byte, min(size, 16))
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, fault.Wrap(fault.Internal, err, "%s cannot be read.", fileNamed(name))
	}
	if err := foreign(head, name); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(head, []byte("PK\x03\x04")) && !bytes.HasPrefix(head, []byte("PK\x05\x06")) {
		u.files = []member{{open: func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(f, 0, size)), nil }}}
		return u, nil
	}
	if err := countEntries(f, size); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s is a damaged zip. Download or export it again.", fileNamed(name))
	}
	u.zip = z
	return u, u.sort()
}

// foreign recognises files that people drop by mistake and says what to do with them.
func foreign(head []byte, name string) error {
	for _, f := range [...]struct{ magic, advice string }{
		{"\xd0\xcf\x11\xe0", "is an old Excel file (.xls) or a workbook with a password. Save it as .xlsx without a password, or as CSV."},
		{"SQLite format 3", "is a database. Export the calls from it as CSV and import that."},
		{"%PDF", "is a PDF. Export the calls as CSV, XLSX or XML instead."},
		{"\x1f\x8b", "is compressed with gzip. Unpack it first, or pack it as a zip."},
		{"Rar!", "is a RAR archive. Unpack it first, or pack it as a zip."},
		{"7z\xbc\xaf", "is a 7-Zip archive. Unpack it first, or pack it as a zip."},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return fault.New(fault.Unsupported, "%s %s", fileNamed(name), f.advice)
		}
	}
	return nil
}

// countEntries reads the end record of a zip, so that a directory of millions is refused before it is loaded.
func countEntries(f io.ReaderAt, size int64) error {
	const record, comment = 22, 1<<16 - 1
	tail := make([]byte, min(size, record+comment))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return fault.Wrap(fault.Internal, err, "The zip cannot be read.")
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || at+record > len(tail) {
		return fault.New(fault.Invalid, "The zip is cut off: its end is missing. Download or export it again.")
	}
	entries, bytesOfDirectory := int64(binary.LittleEndian.Uint16(tail[at+10:])), int64(binary.LittleEndian.Uint32(tail[at+12:]))
	if loc := at - 20; loc >= 0 && bytes.HasPrefix(tail[loc:], []byte("PK\x06\x07")) {
		big := make([]byte, 56)
		if _, err := f.ReadAt(big, int64(binary.LittleEndian.Uint64(tail[loc+8:]))); err == nil && bytes.HasPrefix(big, []byte("PK\x06\x06")) {
			entries, bytesOfDirectory = int64(binary.LittleEndian.Uint64(big[32:])), int64(binary.LittleEndian.Uint64(big[40:]))
		}
	}
	if entries < 0 || entries > maxEntries || bytesOfDirectory > maxEntries*300 {
		return fault.New(fault.TooLarge, "The zip holds more than %d files. Pack only the files with calls.", maxEntries)
	}
	return nil
}

// sort finds out what a zip is and which of its files hold calls.
func (u *upload) sort() error {
	var texts, pages []*zip.File
	for _, f := range u.zip.File {
		base := strings.ToLower(path.Base(f.Name))
		if strings.HasSuffix(f.Name, "/") || strings.HasPrefix(base, ".") || strings.HasPrefix(f.Name, "__MACOSX/") {
			continue
		}
		if strings.EqualFold(strings.TrimPrefix(f.Name, "/"), "xl/workbook.xml") {
			u.kind = workbook
			return nil
		}
		switch path.Ext(base) {
		case ".zip":
			return fault.New(fault.Invalid, "The zip holds another zip, %q. Unpack that one and import it by itself.", cut(f.Name))
		case ".html", ".htm":
			pages = append(pages, f)
		case ".xml", ".csv", ".tsv", ".txt", ".json", ".ndjson", ".jsonl":
			texts = append(texts, f)
		}
	}
	// A whole Takeout brings other services' pages and files along; only Voice counts there.
	if voice := slices.DeleteFunc(slices.Clone(pages), func(f *zip.File) bool { return !voicePage(f.Name) }); len(voice) > 0 {
		u.kind = takeout
		return u.take(voice)
	}
	u.kind = archive
	return u.take(callsOnly(texts))
}

// callsOnly narrows a backup's files to those about calls where their names tell: SMS Backup & Restore and SMS Import /
// Export put messages and contacts beside them.
func callsOnly(files []*zip.File) []*zip.File {
	named := slices.DeleteFunc(slices.Clone(files), func(f *zip.File) bool {
		return !strings.Contains(strings.ToLower(path.Base(f.Name)), "call")
	})
	if len(named) > 0 {
		return named
	}
	return files
}

func (u *upload) take(files []*zip.File) error {
	if len(files) == 0 {
		return fault.New(fault.Invalid, "The zip holds no call log: no XML, CSV, JSON or HTML file. Its files are: %s.", u.someNames())
	}
	for _, f := range files {
		u.files = append(u.files, member{name: f.Name, open: func() (io.ReadCloser, error) { return u.unpack(f) }})
	}
	return nil
}

func (u *upload) someNames() string {
	var names []string
	for _, f := range u.zip.File {
		if len(names) == 5 {
			names = append(names, "…")
			break
		}
		names = append(names, cut(f.Name))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// part finds a file of the zip by its path, in any case.
func (u *upload) part(name string) *zip.File {
	for _, f := range u.zip.File {
		if strings.EqualFold(strings.TrimPrefix(f.Name, "/"), strings.TrimPrefix(name, "/")) {
			return f
		}
	}
	return nil
}

// unpack opens a file of the zip under the limits.
func (u *upload) unpack(f *zip.File) (io.ReadCloser, error) {
	if f.Flags&1 != 0 {
		return nil, fault.New(fault.Invalid, "%q in the zip is encrypted. Unpack it with its password and import the file itself.", cut(f.Name))
	}
	if f.UncompressedSize64 > maxEntry {
		return nil, tooBig(f.Name)
	}
	rc, err := f.Open()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%q in the zip cannot be unpacked. Unpack the zip yourself and import the file.", cut(f.Name))
	}
	return &unpacking{ReadCloser: rc, file: f, total: &u.unpacked}, nil
}

func tooBig(name string) error {
	return fault.New(fault.TooLarge, "%q in the zip unpacks to far more than a call log holds. If it is a real log, unpack it and import the file itself.", cut(name))
}

// unpacking counts what comes out of a compressed file and stops a bomb.
type unpacking struct {
	io.ReadCloser
	file  *zip.File
	n     int64
	total *int64
}

func (r *unpacking) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.n += int64(n)
	*r.total += int64(n)
	if r.n > maxEntry || *r.total > maxTotal || r.n > ratioFrom && r.n/maxRatio > int64(r.file.CompressedSize64) {
		return 0, tooBig(r.file.Name)
	}
	if err != nil && err != io.EOF {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return n, err
		}
		return n, fault.Wrap(fault.Invalid, err, "%q in the zip is damaged. Download or export it again.", cut(r.file.Name))
	}
	return n, err
}
