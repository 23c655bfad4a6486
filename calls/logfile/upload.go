package logfile

import (
	"archive/zip"
	"io"
	"path"
	"slices"
	"strings"

	"parley/platform/fault"
	"parley/platform/sheet"
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
	kind  container
	name  string
	zip   *sheet.Archive
	files []member
}

// openUpload looks at the first bytes of a file, and into it when it is a zip.
func openUpload(f io.ReaderAt, size int64, name string) (*upload, error) {
	u := &upload{name: name}
	if size <= 0 {
		return nil, fault.New(fault.Invalid, "%s is empty. Export it again and check that the copy is complete.", sheet.FileNamed(name))
	}
	head := make([]byte, min(size, 16))
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, fault.Wrap(fault.Internal, err, "%s cannot be read.", sheet.FileNamed(name))
	}
	if err := sheet.Foreign(head, name, "calls"); err != nil {
		return nil, err
	}
	if !sheet.IsZip(head) {
		u.files = []member{{open: func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(f, 0, size)), nil }}}
		return u, nil
	}
	z, err := sheet.OpenArchive(f, size, name)
	if err != nil {
		return nil, err
	}
	u.zip = z
	return u, u.sort()
}

// sort finds out what a zip is and which of its files hold calls.
func (u *upload) sort() error {
	var texts, pages []*zip.File
	for _, f := range u.zip.Files {
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
			return fault.New(fault.Invalid, "The zip holds another zip, %q. Unpack that one and import it by itself.", sheet.Cut(f.Name))
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
		u.files = append(u.files, member{name: f.Name, open: func() (io.ReadCloser, error) { return u.zip.Unpack(f) }})
	}
	return nil
}

func (u *upload) someNames() string {
	var names []string
	for _, f := range u.zip.Files {
		if len(names) == 5 {
			names = append(names, "…")
			break
		}
		names = append(names, sheet.Cut(f.Name))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
