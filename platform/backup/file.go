// Package backup copies the data and the key store to another place, day by day, and brings them back.
//
// A backup is two sealed files, one with the data and one with the keys, since keys live apart from what they open. Both
// are sealed under the key of their day (see vault.Epochs), which is destroyed on the 30th day after. Beside the backups
// lie copies of epochs.keys, which the master key opens, and of erased.log and revoked.log, so that whoever restores knows which keys
// must not come back.
package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/seal"
)

// Part is one of the two files of a backup.
type Part string

// The parts. PostgreSQL has its own backups of the data, so there are only the keys.
const (
	Data Part = "data"
	Keys Part = "keys"
)

// Names of files inside the parts, and in the data folder.
const (
	dataFile   = "parley.db"
	keysFile   = "keys.db"
	rootFile   = "root" // the root key, not wrapped: it is sealed with the part
	countsFile = "counts.json"
)

// magic begins every part; a line of JSON follows, and then the sealed archive.
const (
	magic    = "parley backup 2\n"
	magicOld = "parley backup 1\n"
)

// Header is what can be read of a part without a key. It is bound to what is sealed.
type Header struct {
	MadeAt  time.Time `json:"made_at"` // when it was begun: what was erased later is in it
	Part    Part      `json:"part"`
	Version string    `json:"version"` // of the program
	Store   string    `json:"store"`   // names the key store it belongs to
	Epoch   string    `json:"epoch"`   // day whose key seals it
	Master  string    `json:"master"`  // names the master key of that time
}

// day is the epoch of a part.
func (h *Header) day() (civil.Day, error) { return civil.Parse(h.Epoch) }

// Progress is told how far long work has come.
type Progress func(title string, done, total int64)

func (p Progress) tell(title string, done, total int64) {
	if p != nil {
		p(title, done, total)
	}
}

// entry is a file that goes into a part: bytes, or a path.
type entry struct {
	name  string
	bytes []byte
	path  string
}

// write writes one part.
func write(ctx context.Context, to io.Writer, key []byte, h Header, entries []entry, progress Progress) error {
	line, err := json.Marshal(h)
	if err != nil {
		return err
	}
	head := append(append([]byte(magic), line...), '\n')
	buffered := bufio.NewWriterSize(to, 256<<10)
	if _, err := buffered.Write(head); err != nil {
		return err
	}
	sealed, err := seal.NewWriter(buffered, key, head)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(sealed)
	for _, e := range entries {
		if err := add(ctx, archive, e, h.MadeAt, progress); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), sealed.Close(), buffered.Flush())
}

func add(ctx context.Context, archive *tar.Writer, e entry, at time.Time, progress Progress) error {
	var from io.Reader = bytes.NewReader(e.bytes)
	size := int64(len(e.bytes))
	if e.path != "" {
		f, err := os.Open(e.path)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		from, size = f, info.Size()
	}
	if err := archive.WriteHeader(&tar.Header{Name: e.name, Size: size, Mode: 0o600, ModTime: at}); err != nil {
		return err
	}
	_, err := io.Copy(archive, &counted{ctx: ctx, from: from, total: size, title: "Sealing " + e.name, progress: progress})
	return err
}

// counted reads on until its context ends, and tells how far it has come.
type counted struct {
	ctx         context.Context
	from        io.Reader
	done, total int64
	title       string
	progress    Progress
}

func (c *counted) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.from.Read(b)
	c.done += int64(n)
	c.progress.tell(c.title, c.done, c.total)
	return n, err
}

// readHeader reads the beginning of a part. raw is bound to what is sealed.
func readHeader(in *bufio.Reader, name string) (raw []byte, h *Header, err error) {
	not := fault.New(fault.Invalid, "%s is no backup that Parley wrote.", name)
	const maxLine = 4096
	start := make([]byte, len(magic))
	_, err = io.ReadFull(in, start)
	if err == nil && string(start) == magicOld {
		return nil, nil, fault.New(fault.Unsupported, "The backup %s was written by an older Parley, whose backups this version does not read. Restore it with that version, and then start this one on the data.", name)
	}
	if err != nil || string(start) != magic {
		return nil, nil, not
	}
	line, err := in.ReadSlice('\n')
	if err != nil || len(line) > maxLine {
		return nil, nil, not
	}
	h = &Header{}
	if err := json.Unmarshal(line, h); err != nil || h.Part != Data && h.Part != Keys {
		return nil, nil, not
	}
	return append([]byte(magic), line...), h, nil
}

// files are what each part may hold. Others are of a later version, and left out.
func files(p Part) []string {
	if p == Data {
		return []string{dataFile, countsFile}
	}
	return []string{keysFile, rootFile}
}

// unpack opens a part into a folder. wanted checks the header and gives its key.
func unpack(ctx context.Context, from io.Reader, size int64, name, dir string, wanted func(*Header) ([]byte, error), progress Progress) (*Header, error) {
	in := bufio.NewReaderSize(&counted{ctx: ctx, from: from, total: size, title: "Reading " + name, progress: progress}, 256<<10)
	raw, h, err := readHeader(in, name)
	if err != nil {
		return nil, err
	}
	key, err := wanted(h)
	if err != nil {
		return nil, err
	}
	sealed, err := seal.NewReader(in, key, raw)
	if err == nil {
		err = extract(sealed, dir, files(h.Part))
	}
	if errors.Is(err, seal.ErrBroken) || errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fault.Wrap(fault.Invalid, err, "The backup %s is damaged or was cut off. Nothing was changed. Use another copy of it, or an older backup.", name)
	}
	return h, err
}

func extract(sealed io.Reader, dir string, known []string) error {
	archive := tar.NewReader(sealed)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, sealed) // to the marked end
			return err
		}
		if err != nil {
			return err
		}
		for _, name := range known {
			if h.Name == name {
				err = extractFile(filepath.Join(dir, name), archive)
			}
		}
		if err != nil {
			return err
		}
	}
}

func extractFile(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Sync(), f.Close())
}
