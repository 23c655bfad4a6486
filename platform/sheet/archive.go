package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"parley/platform/fault"
)

// Limits of a zip. Real exports shrink 10 to 60 fold; a Takeout of a busy line holds some ten thousand pages.
const (
	maxEntries = 150_000
	maxEntry   = 8 << 30
	maxTotal   = 16 << 30
	maxRatio   = 200
	ratioFrom  = 1 << 20 // bytes unpacked before the ratio counts
)

// Archive is a zip that may attack whoever unpacks it.
type Archive struct {
	Name     string // of the file, for sentences
	Files    []*zip.File
	unpacked int64
}

// IsZip tells a zip by the first bytes of a file.
func IsZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// Foreign recognises files that people drop by mistake and says what to do with them. what are the records that the file
// should hold: "calls".
func Foreign(head []byte, name, what string) error {
	for _, f := range [...]struct{ magic, advice string }{
		{"\xd0\xcf\x11\xe0", "is an old Excel file (.xls) or a workbook with a password. Save it as .xlsx without a password, or as CSV."},
		{"SQLite format 3", "is a database. Export the " + what + " from it as CSV and import that."},
		{"%PDF", "is a PDF. Export the " + what + " as CSV, XLSX or XML instead."},
		{"\x1f\x8b", "is compressed with gzip. Unpack it first, or pack it as a zip."},
		{"Rar!", "is a RAR archive. Unpack it first, or pack it as a zip."},
		{"7z\xbc\xaf", "is a 7-Zip archive. Unpack it first, or pack it as a zip."},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return fault.New(fault.Unsupported, "%s %s", FileNamed(name), f.advice)
		}
	}
	return nil
}

// OpenArchive reads the directory of a zip.
func OpenArchive(f io.ReaderAt, size int64, name string) (*Archive, error) {
	if err := countEntries(f, size); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s is a damaged zip. Download or export it again.", FileNamed(name))
	}
	return &Archive{Name: name, Files: z.File}, nil
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
		return fault.New(fault.TooLarge, "The zip holds more than %d files. Pack only those that are to be imported.", maxEntries)
	}
	return nil
}

// IsWorkbook tells whether the zip is an Excel workbook.
func (a *Archive) IsWorkbook() bool { return a.Part("xl/workbook.xml") != nil }

// Part finds a file of the zip by its path, in any case.
func (a *Archive) Part(name string) *zip.File {
	for _, f := range a.Files {
		if strings.EqualFold(strings.TrimPrefix(f.Name, "/"), strings.TrimPrefix(name, "/")) {
			return f
		}
	}
	return nil
}

// Unpack opens a file of the zip under the limits.
func (a *Archive) Unpack(f *zip.File) (io.ReadCloser, error) {
	if f.Flags&1 != 0 {
		return nil, fault.New(fault.Invalid, "%q in the zip is encrypted. Unpack it with its password and import the file itself.", Cut(f.Name))
	}
	if f.UncompressedSize64 > maxEntry {
		return nil, tooBig(f.Name)
	}
	rc, err := f.Open()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%q in the zip cannot be unpacked. Unpack the zip yourself and import the file.", Cut(f.Name))
	}
	return &unpacking{ReadCloser: rc, file: f, total: &a.unpacked}, nil
}

func tooBig(name string) error {
	return fault.New(fault.TooLarge, "%q in the zip unpacks to far more than such a file holds. If it is a real one, unpack it and import the file itself.", Cut(name))
}

// unpacking counts what comes out of a compressed file and stops a bomb.
type unpacking struct {
	io.ReadCloser
	file  *zip.File
	n     int64
	total *int64
}

// Read reads as io.Reader does.
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
		return n, fault.Wrap(fault.Invalid, err, "%q in the zip is damaged. Download or export it again.", Cut(r.file.Name))
	}
	return n, err
}
