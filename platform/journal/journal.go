// Package journal keeps small files of lines that only grow: a line is on disk before what it tells of is done, so that
// nothing is done that nobody would know of after a crash, or after an older copy of the data was put back.
package journal

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Stamp is how times stand in journals, in UTC.
const Stamp = "2006-01-02T15:04:05.000Z"

// File is one journal. There need not be a file yet.
type File struct {
	path string
	mu   sync.Mutex
}

// At gives the journal at a path.
func At(path string) *File { return &File{path: path} }

// Path is where the file is.
func (f *File) Path() string { return f.path }

// Add writes whole lines at the end, and returns once they are on disk.
func (f *File) Add(lines []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	to, err := os.OpenFile(f.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	end, err := wholeLines(to)
	if err == nil {
		_, err = to.WriteAt(lines, end)
	}
	return errors.Join(err, to.Sync(), to.Close())
}

// wholeLines is where the last whole line ends. What a crash left behind it is overwritten, and read by nobody meanwhile.
func wholeLines(f *os.File) (int64, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return 0, err
	}
	const longestLine = 4096
	tail := make([]byte, min(size, longestLine))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return 0, err
	}
	end := size - int64(len(tail)) + int64(bytes.LastIndexByte(tail, '\n')) + 1
	return end, f.Truncate(end)
}

// Read gives what is written, nil when there is no file. The last line may have been cut off, see Whole.
func (f *File) Read() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read()
}

func (f *File) read() ([]byte, error) {
	raw, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

// Change puts something else in the place of what is written, all or nothing. When change gives back what it got, nothing
// is written.
func (f *File) Change(change func(raw []byte) ([]byte, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	was, err := f.read()
	if err != nil {
		return err
	}
	is, err := change(was)
	if err != nil || bytes.Equal(was, is) {
		return err
	}
	const ending = ".new"
	to, err := os.OpenFile(f.path+ending, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = to.Write(is)
	if err := errors.Join(err, to.Sync(), to.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.path+ending, f.path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Whole is what was written less a last line that was cut off: what it told of was not done.
func Whole(raw []byte) []byte { return raw[:bytes.LastIndexByte(raw, '\n')+1] }
