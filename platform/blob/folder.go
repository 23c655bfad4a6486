package blob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"parley/platform/fault"
)

// Folder is a store in a folder of this machine, or of a disk that is mounted on it. Nothing that its names say leads out
// of it.
type Folder struct {
	root *os.Root
}

// OpenFolder opens a folder that must be there: an unmounted disk must not be taken for an empty one.
func OpenFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The folder %s cannot be used. Make it, or mount the disk that it is on, and let it belong to the user who runs Parley.", dir)
	}
	return &Folder{root}, nil
}

// Close lets go of the folder.
func (f *Folder) Close() error { return f.root.Close() }

func (f *Folder) String() string { return f.root.Name() }

// partPrefix begins the names of files that are being written.
const partPrefix = ".part-"

// Put writes beside and moves into place.
func (f *Folder) Put(ctx context.Context, name string, from io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}
	dir, base := path.Split(name)
	if dir != "" {
		if err := f.root.MkdirAll(path.Clean(dir), 0o700); err != nil {
			return f.failed(err)
		}
	}
	part := dir + partPrefix + base
	to, err := f.root.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return f.failed(err)
	}
	if _, err = io.Copy(to, &cancelled{ctx, from}); err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err == nil {
		err = f.replace(part, name)
	}
	if err != nil {
		return errors.Join(f.failed(err), f.root.Remove(part))
	}
	return nil
}

// shredBytes is up to which size a file that is replaced is overwritten: files of keys are small.
const shredBytes = 1 << 20

// replace moves a file into place and overwrites what was there.
func (f *Folder) replace(part, name string) error {
	old, err := f.root.OpenFile(name, os.O_RDWR, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = f.root.Rename(part, name)
	if old == nil {
		return errors.Join(err, f.sync(name))
	}
	if info, serr := old.Stat(); err == nil && serr == nil && info.Size() <= shredBytes {
		_, werr := old.WriteAt(make([]byte, info.Size()), 0)
		err = errors.Join(werr, old.Sync())
	}
	return errors.Join(err, old.Close(), f.sync(name))
}

func (f *Folder) sync(name string) error {
	d, err := f.root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get opens a file.
func (f *Folder) Get(_ context.Context, name string) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	file, err := f.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notThere(name, f.String())
	}
	if err != nil {
		return nil, f.failed(err)
	}
	return file, nil
}

// List walks the folder.
func (f *Folder) List(ctx context.Context, prefix string) ([]Info, error) {
	var out []Info
	err := fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if name != "." && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !strings.HasPrefix(name, prefix) {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		if err == nil {
			out = append(out, Info{name, info.Size(), info.ModTime()})
		}
		return err
	})
	if err != nil {
		return nil, f.failed(err)
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Delete removes a file.
func (f *Folder) Delete(_ context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.failed(err)
	}
	return f.sync(".")
}

func (f *Folder) failed(err error) error {
	if fault.KindOf(err) != fault.Internal || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "The folder %s cannot be worked with (%s). Check its disk, and that it belongs to the user who runs Parley.", f, cause(err))
}

// cause is what the system said, without the path that the sentence has already.
func cause(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// cancelled reads on until its context ends.
type cancelled struct {
	ctx  context.Context
	from io.Reader
}

func (c *cancelled) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.from.Read(b)
}
