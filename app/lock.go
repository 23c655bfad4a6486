package app

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"parley/platform/fault"
)

// lock is the hold of one process on a data folder. The system lets go of it when the process ends, however it ends.
type lock struct{ file *os.File }

// errHeld says that another process has the folder.
var errHeld = errors.New("another process holds the data folder")

// takeLock takes the folder, or gives errHeld.
func takeLock(dir string) (*lock, error) {
	path := filepath.Join(dir, "parley.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The data folder %s cannot be written to. Check that it belongs to the user who runs Parley.", dir)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errHeld
		}
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &lock{f}, nil
}

// holder is the number of the process that has the folder, as text; "?" when it has not written it yet.
func holder(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "parley.lock"))
	if pid := strings.TrimSpace(string(text)); err == nil && pid != "" {
		return pid
	}
	return "?"
}

// release lets go of the folder.
func (l *lock) release() error { return l.file.Close() }
