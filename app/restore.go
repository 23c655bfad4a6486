package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"parley/platform/audit"
	"parley/platform/backup"
	"parley/platform/fault"
	"parley/platform/revoke"
	"parley/platform/vault"
)

type restoreCmd struct {
	From  string `arg:"" optional:"" help:"Folder or bucket with backups, or one backup in it; the place of backup.target when none is named. Of a folder, the newest is taken."`
	Only  string `enum:"all,data,keys" default:"all" placeholder:"data|keys" help:"Restore only the data, under the keys that are here, or only the keys."`
	Force bool   `help:"Put it in the place of data that is there. That data is kept in a folder beside for 30 days."`
}

// source is where a backup lies, and its name; "" for the newest.
func (c *restoreCmd) source(r *Run) (where, name string, err error) {
	where = r.place(c.From)
	if where == "" {
		where = r.Config.Backup.Where
	}
	if where == "" {
		return "", "", fault.New(fault.Invalid, "Say which backup to restore: a folder or bucket with backups, or one backup in it.")
	}
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(filepath.ToSlash(where)), ".data"), ".keys")
	if backup.IsSet(base) {
		return where[:strings.LastIndex(filepath.ToSlash(where), "/")], base, nil
	}
	return where, "", nil
}

func (c *restoreCmd) plain(ctx context.Context, r *Run) (err error) {
	dir := r.Config.Data
	where, name, err := c.source(r)
	if err != nil {
		return err
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
	said, late, err := c.stage(ctx, r, where, name)
	if err != nil {
		return errors.Join(err, os.RemoveAll(filepath.Join(dir, stageDir)))
	}
	kept, err := finishRestore(dir)
	if err != nil {
		return err
	}
	if kept != "" {
		said += "The data that was there is kept in " + kept + " for 30 days. Remove that folder when you need it no more.\n"
	}
	if late != nil {
		if err := logLate(ctx, r, *late); err != nil {
			said += "This could not be entered in the audit log: " + fault.Sentence(err) + "\n"
		}
	}
	return r.printf("%s", said)
}

// logLate enters a restore of keys alone in the log, whose database was not at hand before they were in place.
func logLate(ctx context.Context, r *Run, e audit.Entry) error {
	p, err := Open(ctx, r.Config, nil, r.Config.logger(r.Err))
	if err != nil {
		return err
	}
	return errors.Join(p.logEverywhere(ctx, e), p.Close())
}

const (
	stageDir  = "restoring" // in the data folder, so that files are moved and not copied
	readyFile = "ready"     // in stageDir: everything was checked; names the folder for the old data
)

// stage unpacks a backup beside the data, takes over what happened since it was made, and checks it. It gives what is to
// be said of it, and what is to be logged once it is in place.
func (c *restoreCmd) stage(ctx context.Context, r *Run, where, name string) (said string, late *audit.Entry, err error) {
	dir := r.Config.Data
	stage := filepath.Join(dir, stageDir)
	if err := os.RemoveAll(stage); err != nil { // of an attempt that was broken off
		return "", nil, err
	}
	if err := os.Mkdir(stage, 0o700); err != nil {
		return "", nil, err
	}
	restored := &Parley{Config: r.Config, Log: r.Config.logger(r.Err), Now: time.Now}
	if err := restored.masterForRestore(); err != nil {
		return "", nil, err
	}
	epochs, err := os.ReadFile(filepath.Join(dir, vault.EpochsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, err
	}
	now := time.Now()
	from, err := backup.OpenSource(ctx, where, name, restored.backupConfig().Access, restored.master, epochs, now)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	parts, err := c.parts(r.Config, from.Set())
	if err != nil {
		return "", nil, err
	}
	show, done := r.progress()
	head, err := from.Fetch(ctx, stage, parts, restored.master, show)
	done()
	if err != nil {
		return "", nil, err
	}
	erased, notes, err := c.settle(ctx, r, restored, from, head, stage)
	if err != nil {
		return "", nil, err
	}
	said = "The backup " + from.Set().Name + " was checked and restored to " + dir + ".\n"
	if erased {
		said += "What was erased since it was made was erased in it too.\n"
	}
	for _, n := range notes {
		said += n + "\n"
	}
	if !fileThere(filepath.Join(stage, dataFile)) {
		e := restoredEntry(from.Set().Name, head)
		late = &e
	}
	return said, late, writeSynced(filepath.Join(stage, readyFile), []byte(backup.KeptName(now)))
}

// parts are what is restored of a backup.
func (c *restoreCmd) parts(config *Config, s *backup.Set) ([]backup.Part, error) {
	switch {
	case c.Only == "keys" || c.Only == "all" && config.Database != "":
		return []backup.Part{backup.Keys}, nil
	case !s.Has(backup.Data):
		return nil, fault.New(fault.Invalid, "The backup %s holds the keys alone, for a database that has its own backups. Set database, or say --only keys.", s.Name)
	case c.Only == "data":
		return []backup.Part{backup.Data}, nil
	default:
		return []backup.Part{backup.Data, backup.Keys}, nil
	}
}

// masterForRestore opens the master key that is there; a new one would open nothing.
func (p *Parley) masterForRestore() (err error) {
	path := filepath.Join(p.Config.Data, masterFile)
	if _, err := os.Stat(path); p.Config.MasterKey == "" && errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Unavailable, "A backup opens only with the master key it was made under. Put that master.key into %s, or set PARLEY_MASTER_KEY, and restore again. "+
			"If that key is lost, the backup is lost with it: nobody can open it, and neither can we.", p.Config.Data)
	}
	p.master, err = p.openMaster()
	return err
}

// settle takes over, into what was unpacked, what happened since the backup was made, and checks all of it. It tells whether
// somebody was erased since, and what else there is to say.
func (c *restoreCmd) settle(ctx context.Context, r *Run, restored *Parley, from *backup.Source, head *backup.Header, stage string) (erased bool, notes []string, err error) {
	live, err := openLive(ctx, r, restored, from.Store())
	if err != nil {
		return false, nil, err
	}
	if live != nil {
		defer func() { err = errors.Join(err, live.Close()) }()
	}
	list, err := erasures(ctx, from, r.Config.Data, live)
	if err != nil {
		return false, nil, err
	}
	defer func() {
		if c.Only == "data" {
			restored.Keys = nil // are the live data's
		}
		err = errors.Join(err, restored.Close())
	}()
	revoked, err := revocations(ctx, from, r.Config.Data)
	if err == nil {
		err = writeSynced(filepath.Join(stage, revoke.FileName), revoke.Write(revoked))
	}
	if err != nil {
		return false, nil, err
	}
	replay := &Replay{Erased: since(list, head.MadeAt), Revoked: revoke.Since(revoked, head.MadeAt), Live: live, Restored: restored}
	if c.Only == "data" {
		if live == nil {
			return false, nil, fault.New(fault.Conflict, "The data alone cannot be restored: the keys it belongs to are not in %s. Restore both.", r.Config.Data)
		}
		restored.Keys = live.Keys
	} else {
		if err := writeSynced(filepath.Join(stage, vault.EpochsFile), from.EpochsRaw); err != nil {
			return false, nil, err
		}
		if restored.Keys, err = vault.Open(ctx, stage, restored.master); err != nil {
			return false, nil, readable(err, filepath.Join(stage, keysFile))
		}
	}
	data := fileThere(filepath.Join(stage, dataFile))
	if data {
		if err := restored.openStaged(ctx, stage); err != nil {
			return false, nil, err
		}
		if err := replay.run(ctx); err != nil {
			return false, nil, err
		}
	}
	if c.Only != "data" { // after the rows, whose numbers it closes: their tombstones are made of them
		if _, err := restored.Keys.Replay(ctx, list, head.MadeAt); err != nil {
			return false, nil, err
		}
	}
	if data {
		err = restored.settled(ctx, from.Set().Name, head)
	}
	return len(replay.Erased) > 0, replay.Notes, err
}

// settled brings restored data to its end: indexes of the present keys, an entry in the audit logs, everything in the main
// file.
func (p *Parley) settled(ctx context.Context, name string, head *backup.Header) error {
	if err := p.settleIndexes(ctx); err != nil {
		return err
	}
	if _, err := p.Accounts.Orgs(ctx); err != nil { // opens a sealed value of each
		return err
	}
	if err := p.logEverywhere(ctx, restoredEntry(name, head)); err != nil {
		return err
	}
	return p.DB.Checkpoint(ctx)
}

func restoredEntry(name string, head *backup.Header) audit.Entry {
	return audit.Entry{Actor: audit.Operator, Action: audit.BackupRestored, Object: "backup/" + name, Details: map[string]string{"made": head.MadeAt.UTC().Format(time.RFC3339)}}
}

func fileThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// erasures are all that is known of destroyed keys: beside the backup, and in the data that is there.
func erasures(ctx context.Context, from *backup.Source, dir string, live *Parley) ([]vault.Erasure, error) {
	list, err := from.Erased(ctx)
	if err != nil {
		return nil, err
	}
	var raw []byte
	if live != nil {
		raw, err = live.Keys.ErasedFile()
	} else if store, serr := storeOf(dir); serr == nil && store == from.Store() { // its keys are damaged, its journal may not be
		raw, err = os.ReadFile(filepath.Join(dir, vault.ErasedFile))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	more, err := vault.ReadErasures(raw)
	return append(list, more...), err
}

// revocations are all that is known of access that was taken away: beside the backup, and in the folder that is there when it
// belongs to the same installation.
func revocations(ctx context.Context, from *backup.Source, dir string) ([]revoke.Entry, error) {
	list, err := from.Revoked(ctx)
	if err != nil {
		return nil, err
	}
	if store, err := storeOf(dir); err != nil || store != from.Store() {
		return list, nil //nolint:nilerr // nothing of ours is there
	}
	raw, err := revoke.InFolder(dir).File()
	if err != nil {
		return nil, err
	}
	more, err := revoke.Read(raw)
	return revoke.Join(list, more), err
}

// storeOf names the key store that a folder's epochs belong to.
func storeOf(dir string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, vault.EpochsFile))
	if err != nil {
		return "", err
	}
	return vault.EpochsStore(raw)
}

func since(list []vault.Erasure, at time.Time) (out []vault.Erasure) {
	for _, e := range list {
		if !e.At.Before(at.Truncate(time.Millisecond)) {
			out = append(out, e)
		}
	}
	return out
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// databaseParts are the endings of the files that an SQLite database consists of.
func databaseParts() [3]string { return [3]string{"", "-wal", "-shm"} }

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
	for _, file := range []string{dataFile, keysFile, rootFile, vault.EpochsFile, vault.ErasedFile, revoke.FileName} {
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
