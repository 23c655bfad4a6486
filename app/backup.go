package app

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/seal"
)

type backupCmd struct {
	asJSON
	File     string `arg:"" help:"File to write. It must not exist yet."`
	KeysOnly bool   `help:"Only the key store, for a database that has its own backups."`
}

// backupMagic begins every backup; a line of JSON follows, and then the sealed archive.
const backupMagic = "parley backup 1\n"

// backupHeader is what can be read of a backup without a key.
type backupHeader struct {
	MadeAt    time.Time `json:"made_at"`
	Version   string    `json:"version"`
	MasterKey string    `json:"master_key"` // names the key that opens it
	Root      []byte    `json:"root"`       // the root key, wrapped under that
	KeysOnly  bool      `json:"keys_only"`
}

func (c *backupCmd) onData(ctx context.Context, r *Run) error {
	if r.p.DB.Engine() != db.SQLite && !c.KeysOnly {
		return fault.New(fault.Unsupported, "The calls are in PostgreSQL, which has its own backups: use pg_dump or your provider's. Then back up the keys, without which that copy cannot be read, with \"parley backup --keys-only FILE\".")
	}
	path := r.path(c.File)
	if _, err := os.Lstat(path); err == nil {
		return fault.New(fault.Conflict, "The file %s exists. Choose another name; backups do not replace each other.", path)
	}
	size, err := writeBackup(ctx, r, path, c.KeysOnly)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(r, struct {
			File     string `json:"file"`
			Bytes    int64  `json:"bytes"`
			KeysOnly bool   `json:"keys_only"`
		}{path, size, c.KeysOnly})
	}
	return r.printf("The backup %s has %d KB.\nIt opens only with the master key, which is not in it: keep %s (or PARLEY_MASTER_KEY) in another place.\n",
		path, (size+1023)/1024, filepath.Join(r.Config.Data, masterFile))
}

// writeBackup copies the databases as they are at one moment and seals the copies into one file.
func writeBackup(ctx context.Context, r *Run, path string, keysOnly bool) (size int64, err error) {
	stage, err := os.MkdirTemp(filepath.Dir(path), ".parley-backup-")
	if err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "The backup cannot be written to %s. Check that the folder exists and may be written to.", filepath.Dir(path))
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	names := []string{keysFile}
	if !keysOnly {
		// The data first: every key that it needs was durable before, so it is in the later copy of the keys.
		if err := r.p.DB.CopyTo(ctx, filepath.Join(stage, dataFile), r.p.Keys.DatabaseKey()); err != nil {
			return 0, err
		}
		names = append(names, dataFile)
	}
	if err := r.p.Keys.CopyTo(ctx, filepath.Join(stage, keysFile)); err != nil {
		return 0, err
	}
	part := filepath.Join(stage, "backup")
	if err := sealFiles(ctx, r, part, stage, names, keysOnly); err != nil {
		return 0, err
	}
	info, err := os.Stat(part)
	if err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(part, path)
}

func sealFiles(ctx context.Context, r *Run, to, stage string, names []string, keysOnly bool) error {
	head, err := r.p.backupHeader(keysOnly)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = func() error {
		buffered := bufio.NewWriterSize(f, 256<<10)
		if _, err := buffered.Write(head); err != nil {
			return err
		}
		sealed, err := seal.NewWriter(buffered, r.p.Keys.BackupKey(), head)
		if err != nil {
			return err
		}
		archive := tar.NewWriter(sealed)
		for _, name := range names {
			if err := addFile(ctx, r, archive, filepath.Join(stage, name)); err != nil {
				return err
			}
		}
		return errors.Join(archive.Close(), sealed.Close(), buffered.Flush(), f.Sync())
	}()
	return errors.Join(err, f.Close())
}

// backupHeader is the readable beginning of a backup.
func (p *Parley) backupHeader(keysOnly bool) ([]byte, error) {
	master, err := openMaster(p.Config)
	if err != nil {
		return nil, err
	}
	root, err := os.ReadFile(filepath.Join(p.Config.Data, rootFile))
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(backupHeader{MadeAt: p.Now().UTC(), Version: version(), MasterKey: master.KeyID(), Root: root, KeysOnly: keysOnly})
	return append(append([]byte(backupMagic), line...), '\n'), err
}

func addFile(ctx context.Context, r *Run, archive *tar.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Name: filepath.Base(path), Size: info.Size(), Mode: 0o600, ModTime: info.ModTime()}); err != nil {
		return err
	}
	b := newBar(r, "Sealing "+filepath.Base(path))
	defer b.done()
	_, err = io.Copy(archive, &counted{ctx: ctx, from: f, total: info.Size(), show: b.show})
	return err
}

// counted reads on until its context ends, and tells how far it has come.
type counted struct {
	ctx         context.Context
	from        io.Reader
	done, total int64
	show        func(done, total int64)
}

func (c *counted) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.from.Read(b)
	c.done += int64(n)
	c.show(c.done, c.total)
	return n, err
}
