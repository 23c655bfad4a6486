package vault

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeNew writes a file that must not exist yet, and makes sure it is on disk before it returns.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return syncFolder(path)
}

// rewrite puts data in the place of a file's content, all or nothing, and overwrites what was there before.
func rewrite(path string, data []byte) error {
	const ending = ".new"
	if err := os.Remove(path + ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeNew(path+ending, data, 0o600); err != nil {
		return err
	}
	return replaceFile(path+ending, path)
}

// replaceFile moves a file over another, whose old content is overwritten: a key in it would otherwise stay on the disk.
// On flash and copy-on-write file systems overwriting is not physical.
func replaceFile(from, to string) error {
	old, err := openAnyway(to)
	if err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		if old != nil {
			err = errors.Join(err, old.Close())
		}
		return err
	}
	return errors.Join(syncFolder(to), overwrite(old))
}

// shred overwrites and removes a file, if it is there.
func shred(path string) error {
	f, err := openAnyway(path)
	if err != nil || f == nil {
		return err
	}
	return errors.Join(overwrite(f), os.Remove(path), syncFolder(path))
}

// openAnyway opens a file for writing that may be read-only. It gives nil when there is none.
func openAnyway(path string) (*os.File, error) {
	if err := os.Chmod(path, 0o600); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}

func overwrite(f *os.File) error {
	if f == nil {
		return nil
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.WriteAt(make([]byte, size), 0)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
