package app

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/seal"
	"parley/platform/vault"
)

type restoreCmd struct {
	File  string `arg:"" help:"Backup to restore."`
	Force bool   `help:"Put it in the place of data that is there. That data is kept in a folder beside."`
}

func (c *restoreCmd) plain(ctx context.Context, r *Run) (err error) {
	dir := r.Config.Data
	if _, err := os.Stat(r.path(c.File)); err != nil {
		return fault.Wrap(fault.NotFound, err, "The backup %s cannot be opened (%s). Check its name and who may read it.", r.path(c.File), plainReason(err))
	}
	if exists(dir) && !c.Force {
		return fault.New(fault.Conflict, "There is data in %s already. Choose another folder with --data, or repeat with --force; the data that is there is then kept in a folder beside it.", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "The data folder %s cannot be made. Choose another with --data.", dir)
	}
	held, err := takeLock(dir)
	if errors.Is(err, errHeld) {
		return fault.New(fault.Conflict, "\"parley restore\" cannot run while another process (%s) has the data in %s. Stop the server first.", holder(dir), dir)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.release()) }()
	if err := stageBackup(ctx, r, r.path(c.File)); err != nil {
		return errors.Join(err, os.RemoveAll(filepath.Join(dir, stageDir)))
	}
	kept, err := finishRestore(dir)
	if err != nil {
		return err
	}
	if kept != "" {
		if err := r.printf("The data that was there is kept in %s. Remove that folder when you need it no more.\n", kept); err != nil {
			return err
		}
	}
	return r.printf("The backup was checked and restored to %s.\n", dir)
}

const (
	stageDir  = "restoring" // in the data folder, so that files are moved and not copied
	readyFile = "ready"     // in stageDir: everything was checked; names the folder for the old data
)

// stageBackup unpacks and checks a backup beside the data.
func stageBackup(ctx context.Context, r *Run, path string) error {
	stage := filepath.Join(r.Config.Data, stageDir)
	if err := os.RemoveAll(stage); err != nil { // of an attempt that was broken off
		return err
	}
	if err := os.Mkdir(stage, 0o700); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The backup %s cannot be opened. Check the path and who may read it.", path)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 256<<10)
	raw, head, err := readHeader(in, path)
	if err != nil {
		return err
	}
	key, err := backupKey(ctx, r.Config, stage, head)
	if err != nil {
		return err
	}
	if err := unpack(ctx, r, in, f, stage, key, raw); err != nil {
		if errors.Is(err, seal.ErrBroken) || errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = fault.Wrap(fault.Invalid, err, "The backup %s is damaged or was cut off. Nothing was changed. Use another copy of it.", path)
		}
		return err
	}
	if err := checkStaged(ctx, r.Config, stage, head.KeysOnly); err != nil {
		return err
	}
	kept := "before-restore-" + time.Now().UTC().Format("20060102T150405Z")
	return writeSynced(filepath.Join(stage, readyFile), []byte(kept))
}

func readHeader(in *bufio.Reader, path string) (raw []byte, head *backupHeader, err error) {
	not := fault.New(fault.Invalid, "The file %s is no backup that \"parley backup\" wrote.", path)
	const maxLine = 4096
	magic := make([]byte, len(backupMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != backupMagic {
		return nil, nil, not
	}
	line, err := in.ReadSlice('\n')
	if err != nil || len(line) > maxLine {
		return nil, nil, not
	}
	head = &backupHeader{}
	if err := json.Unmarshal(line, head); err != nil {
		return nil, nil, not
	}
	return append([]byte(backupMagic), line...), head, nil
}

// backupKey finds the key that sealed a backup: the root key is in it, under the master key, which is not.
func backupKey(ctx context.Context, c *Config, stage string, head *backupHeader) ([]byte, error) {
	path := filepath.Join(c.Data, masterFile)
	if _, err := os.Stat(path); c.MasterKey == "" && errors.Is(err, fs.ErrNotExist) { // a new one would not fit
		return nil, fault.New(fault.Unavailable, "The backup opens only with the master key %s. Put that master.key into %s, or set PARLEY_MASTER_KEY, and restore again.", head.MasterKey, c.Data)
	}
	master, err := openMaster(c)
	if err != nil {
		return nil, err
	}
	if master.KeyID() != head.MasterKey {
		return nil, fault.New(fault.Unavailable, "The backup was made with the master key %s; the one given here is %s. Put the master.key that belongs to the backup into %s, or set PARLEY_MASTER_KEY, and restore again.", head.MasterKey, master.KeyID(), c.Data)
	}
	if err := writeSynced(filepath.Join(stage, rootFile), head.Root); err != nil {
		return nil, err
	}
	keys, err := vault.Open(ctx, stage, master) // with an empty store, which the backup's replaces
	if err != nil {
		return nil, err
	}
	return keys.BackupKey(), errors.Join(keys.Close(), removeDatabase(filepath.Join(stage, keysFile)))
}

// databaseParts are the endings of the files that an SQLite database consists of.
func databaseParts() [3]string { return [3]string{"", "-wal", "-shm"} }

func removeDatabase(path string) error {
	var errs []error
	for _, part := range databaseParts() {
		if err := os.Remove(path + part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func unpack(ctx context.Context, r *Run, in io.Reader, f *os.File, stage string, key, head []byte) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	b := newBar(r, "Restoring")
	defer b.done()
	sealed, err := seal.NewReader(&counted{ctx: ctx, from: in, total: info.Size(), show: b.show}, key, head)
	if err != nil {
		return err
	}
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
		if h.Name != keysFile && h.Name != dataFile {
			continue // of a later version
		}
		if err := unpackFile(filepath.Join(stage, h.Name), archive); err != nil {
			return err
		}
	}
}

func unpackFile(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Sync(), f.Close())
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// checkStaged opens what was unpacked as a start would, and checks every page of it.
func checkStaged(ctx context.Context, c *Config, stage string, keysOnly bool) (err error) {
	master, err := openMaster(c)
	if err != nil {
		return err
	}
	staged := &Parley{Config: c, Now: time.Now}
	if staged.Keys, err = vault.Open(ctx, stage, master); err != nil {
		return readable(err, filepath.Join(stage, keysFile))
	}
	defer func() { err = errors.Join(err, staged.Close()) }()
	if keysOnly {
		return nil
	}
	path := filepath.Join(stage, dataFile)
	if staged.DB, err = db.OpenSQLite(ctx, path, staged.Keys.DatabaseKey()); err != nil {
		return readable(err, path)
	}
	if err := staged.migrate(ctx); err != nil {
		return readable(err, path)
	}
	if err := staged.checkKeyStore(ctx); err != nil {
		return err
	}
	return staged.DB.Check(ctx)
}

// finishRestore moves checked files into place, and the old ones into a folder of their own, whose path it gives. It does
// nothing when no restore is under way, and may be repeated when it was broken off.
func finishRestore(dir string) (kept string, err error) {
	stage := filepath.Join(dir, stageDir)
	name, err := os.ReadFile(filepath.Join(stage, readyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	before := filepath.Join(dir, filepath.Base(strings.TrimSpace(string(name))))
	for _, file := range []string{dataFile, keysFile, rootFile} {
		if _, err := os.Stat(filepath.Join(stage, file)); errors.Is(err, fs.ErrNotExist) {
			continue // moved already, or not in the backup
		}
		for _, part := range databaseParts() {
			if err := moveAside(filepath.Join(dir, file+part), before); err != nil {
				return "", err
			}
		}
		if err := os.Rename(filepath.Join(stage, file), filepath.Join(dir, file)); err != nil {
			return "", err
		}
	}
	if _, err := os.Stat(before); err == nil {
		kept = before
	}
	return kept, os.RemoveAll(stage)
}

func moveAside(path, into string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.MkdirAll(into, 0o700); err != nil {
		return err
	}
	return os.Rename(path, filepath.Join(into, filepath.Base(path)))
}
