package app

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"time"

	"parley/platform/audit"
	"parley/platform/backup"
	"parley/platform/blob"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// daysOpen is for how long a backup can be opened.
const daysOpen = vault.EpochDays

// How often the server looks whether a backup is due, and how often it says that they are late.
const (
	backupEvery = time.Minute
	alarmEvery  = time.Hour
)

// setBackup reads a place for backups.
func setBackup(c *Config, v string) (err error) {
	if v != "" && !blob.IsBucket(v) {
		v, err = filepath.Abs(v)
	}
	c.Backup.Where = v
	return err
}

// backups makes the service that makes backups.
func (p *Parley) backups() *backup.Service {
	s := &backup.Service{Config: p.backupConfig(), Dir: p.Config.Data, Version: version(), DB: p.DB, Keys: p.Keys, Master: p.master, Now: p.Now, Revoked: p.Revoked}
	s.Trial, s.Permit, s.Did = p.trial, p.permitBackup, p.logBackups
	p.Keys.Destroyed = p.logDestroyed
	return s
}

// backupConfig is the configuration of backups with the way to their bucket.
func (p *Parley) backupConfig() backup.Config {
	b := p.Config.Backup
	if blob.IsBucket(b.Where) {
		b.Transport = p.wayOut().Transport(0, bucketKey)
	}
	return b
}

// trial opens what was restored into a folder as a start would, and reads all of it.
func (p *Parley) trial(ctx context.Context, dir string) (err error) {
	staged := &Parley{Config: p.Config, Log: p.Log, Now: p.Now, master: p.master}
	defer func() { err = errors.Join(err, staged.Close()) }()
	if staged.Keys, err = vault.Open(ctx, dir, p.master); err != nil {
		return readable(err, filepath.Join(dir, keysFile))
	}
	if p.DB.Engine() != db.SQLite {
		return nil
	}
	if err := staged.openStaged(ctx, dir); err != nil {
		return err
	}
	_, err = staged.Accounts.Orgs(ctx) // opens a sealed value of each
	return err
}

// openStaged opens restored data with the keys of p, and checks every page and the keys of every organisation.
func (p *Parley) openStaged(ctx context.Context, dir string) (err error) {
	path := filepath.Join(dir, dataFile)
	if p.DB, err = db.OpenSQLite(ctx, path, p.Keys.DatabaseKey()); err != nil {
		return readable(err, path)
	}
	for _, step := range []func(context.Context) error{p.migrate, p.checkKeyStore, p.DB.Check} {
		if err := step(ctx); err != nil {
			return readable(err, path)
		}
	}
	return p.assemble()
}

// backUp makes backups, tries them, destroys keys that are due, and raises the alarm when backups are late.
func (s *server) backUp(ctx context.Context) {
	var said time.Time
	s.every(ctx, backupEvery, "backup", func(ctx context.Context) error {
		s.p.Backups.Tick(ctx, func(what string, err error) {
			switch {
			case ctx.Err() != nil:
			case err != nil:
				s.p.Log.Error("duty failed", "duty", what, "err", fault.Sentence(err))
			default:
				s.p.Log.Info("done", "duty", what)
			}
		})
		status, err := s.p.Backups.Status()
		if err != nil || !status.Configured || status.Fresh && len(status.Overdue) == 0 || s.p.Now().Sub(said) < alarmEvery {
			return err
		}
		said = s.p.Now()
		s.p.Log.Error("backups need attention", "what", status.Sentence, "overdue", len(status.Overdue))
		return nil
	})
}

// logBackups enters in the audit logs what was done about backups.
func (p *Parley) logBackups(ctx context.Context, d backup.Deed) error {
	e := audit.Entry{Actor: audit.System, Action: audit.BackupMade, Object: "backup/" + d.Set, Details: map[string]string{"place": d.Where}}
	switch {
	case d.What == backup.Tried:
		e.Action = audit.BackupTried
	case d.What == backup.Destroyed:
		e.Action, e.Details = audit.KeyDestroyed, map[string]string{"backup_days": strconv.Itoa(d.Keys)}
	}
	if d.Set == "" {
		e.Object = "backup"
	}
	if d.Err != nil {
		e.Result = "failed"
	}
	return p.logEverywhere(ctx, e)
}

// logEverywhere enters in the logs of the installation and of every organisation what is about all data.
func (p *Parley) logEverywhere(ctx context.Context, e audit.Entry) error {
	e.Purpose = "security"
	orgs, err := p.Accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	if err := p.Audit.Record(ctx, 0, e); err != nil {
		return err
	}
	for _, o := range orgs {
		if err := p.Audit.Record(ctx, int64(o.ID), e); err != nil {
			return err
		}
	}
	return nil
}

// logDestroyed enters in the audit log that keys were destroyed: those of persons in their organisation's, and those of an
// organisation, whose log went with it, in the installation's.
func (p *Parley) logDestroyed(ctx context.Context, org, subjects int64) error {
	e := audit.Entry{Actor: audit.System, Action: audit.KeyDestroyed, Object: "keys", Purpose: "rights", Details: map[string]string{"persons": strconv.FormatInt(subjects, 10)}}
	if subjects == vault.Everybody {
		e.Details = map[string]string{"organisation": strconv.FormatInt(org, 10)}
		org = 0
	}
	return p.Audit.Record(ctx, org, e)
}

func checkBackups(_ context.Context, r *Run) finding {
	const name = "backups"
	s, err := r.p.Backups.Status()
	switch {
	case err != nil:
		return failed(name, err)
	case len(s.Overdue) > 0:
		return warning(name, "%s", s.Overdue[0])
	case !s.Configured || s.Target() == nil:
		return warning(name, "%s", s.Sentence)
	case !s.Fresh:
		return failed(name, fault.New(fault.Unavailable, "%s", s.Sentence))
	default:
		return ok(name, "%s", s.Sentence)
	}
}

func checkDrill(_ context.Context, r *Run) finding {
	const name = "restore drill"
	s, err := r.p.Backups.Status()
	if err != nil {
		return failed(name, err)
	}
	t := s.Target()
	switch {
	case t == nil || t.Drill == nil:
		return warning(name, "no backup was restored for trial yet. Run: parley drill")
	case !t.Drill.OK:
		return failed(name, fault.New(fault.Unavailable, "%s", t.Drill.Sentence))
	default:
		return ok(name, "%s: %s", t.Drill.At.UTC().Format(time.RFC3339), t.Drill.Sentence)
	}
}

// masterName is how a sentence calls the master key.
func (c *Config) masterName() string {
	if c.MasterKey == "" {
		return filepath.Join(c.Data, masterFile)
	}
	return cmp.Or(c.said["master_key"].from, "the master key")
}
