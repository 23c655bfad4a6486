package app

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"parley/platform/backup"
	"parley/platform/blob"
	"parley/platform/db"
	"parley/platform/fault"
)

type backupCmd struct {
	Run    backupRunCmd    `cmd:"" default:"withargs" help:"Make a backup now, also while the server runs."`
	List   backupListCmd   `cmd:"" help:"List the backups in a place."`
	Status backupStatusCmd `cmd:"" help:"Tell how fresh backups are; exits with 1 when they are not."`
	Sync   backupSyncCmd   `cmd:"" help:"Destroy keys of backups that are due, in every place that has some."`
	Forget backupForgetCmd `cmd:"" help:"Strike a place off the list of those that have backups."`
}

type backupRunCmd struct {
	asJSON
	Place    string `arg:"" optional:"" help:"Folder or bucket (s3://HOST/BUCKET/FOLDER) to write to; the one of backup.target when none is named."`
	KeysOnly bool   `help:"Only the key store, for a database that has its own backups."`
}

// place is where a command means: a bucket's address, or a folder's whole path; "" for the configured one.
func (r *Run) place(name string) string {
	if name == "" || blob.IsBucket(name) {
		return name
	}
	return filepath.Clean(r.path(name))
}

// progress shows how far long work has come.
func (r *Run) progress() (show backup.Progress, done func()) {
	b := newBar(r, "")
	return func(title string, done, total int64) {
		b.title = title
		b.show(done, total)
	}, func() { b.done() }
}

func (c *backupRunCmd) onData(ctx context.Context, r *Run) error {
	if r.p.DB.Engine() != db.SQLite && !c.KeysOnly {
		return fault.New(fault.Unsupported, "The calls are in PostgreSQL, which has its own backups: use pg_dump or your provider's. Then back up the keys, without which that copy cannot be read, with \"parley backup --keys-only PLACE\".")
	}
	show, done := r.progress()
	result, err := r.p.Backups.Run(ctx, r.place(c.Place), c.KeysOnly, show)
	done()
	if err != nil {
		return err
	}
	where := r.place(c.Place)
	if where == "" {
		where = r.Config.Backup.Where
	}
	if c.JSON {
		return writeJSON(r, struct {
			*backup.Result
			Place string `json:"place"`
		}{result, where})
	}
	return r.printf("The backup %s is in %s and has %d KB. It can be opened for %d days.\nIt opens only with the master key, which is not in it: keep %s in another place.\n",
		result.Set, where, (result.Bytes+1023)/1024, daysOpen, r.Config.masterName())
}

type backupListCmd struct {
	asJSON
	Place string `arg:"" optional:"" help:"Folder or bucket; the one of backup.target when none is named."`
}

// shownSet is a backup as "parley backup list" shows it.
type shownSet struct {
	Name       string        `json:"name"`
	MadeAt     time.Time     `json:"made_at"`
	Parts      []backup.Part `json:"parts"`
	Bytes      int64         `json:"bytes"`
	OpensUntil string        `json:"opens_until"`
}

func (c *backupListCmd) onData(ctx context.Context, r *Run) error {
	sets, err := r.p.Backups.List(ctx, r.place(c.Place))
	if err != nil {
		return err
	}
	out := make([]shownSet, len(sets))
	for i, s := range sets {
		out[i] = shownSet{s.Name, s.MadeAt, s.Parts, s.Bytes, s.OpensUntil().String()}
	}
	return c.write(r, out, func(t *table) {
		t.row("NAME", "PARTS", "KB", "OPENS UNTIL")
		for _, s := range out {
			t.row(s.Name, partNames(s.Parts), (s.Bytes+1023)/1024, s.OpensUntil)
		}
	})
}

func partNames(parts []backup.Part) string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = string(p)
	}
	return strings.Join(names, ", ")
}

type backupStatusCmd struct{ asJSON }

func (c *backupStatusCmd) onData(_ context.Context, r *Run) error {
	s, err := r.p.Backups.Status()
	if err != nil {
		return err
	}
	if err := c.write(r, s, func(t *table) {
		t.row("PLACE", "LAST GOOD", "LAST DRILL", "")
		for _, at := range s.Targets {
			t.row(at.Where, goodText(at), drillText(at), lastText(at))
		}
		for _, sentence := range s.Overdue {
			t.row(sentence)
		}
	}); err != nil {
		return err
	}
	if !s.Fresh || len(s.Overdue) > 0 {
		return fault.New(fault.Unavailable, "%s", s.Sentence)
	}
	return nil
}

func goodText(t *backup.Target) string {
	if t.Good == nil {
		return "never"
	}
	return t.Good.At.UTC().Format(time.RFC3339)
}

func drillText(t *backup.Target) string {
	switch {
	case t.Drill == nil:
		return "never"
	case t.Drill.OK:
		return "went well " + t.Drill.At.UTC().Format(time.RFC3339)
	default:
		return "failed " + t.Drill.At.UTC().Format(time.RFC3339)
	}
}

func lastText(t *backup.Target) string {
	if t.Last == nil {
		return ""
	}
	return t.Last.Sentence
}

type backupSyncCmd struct{}

func (c *backupSyncCmd) onData(ctx context.Context, r *Run) error {
	if err := r.p.Backups.Sync(ctx); err != nil {
		return err
	}
	return r.printf("Keys of backups older than %d days are destroyed here and in every place that can be reached.\n", daysOpen)
}

type backupForgetCmd struct {
	Place string `arg:"" help:"Folder or bucket, as \"parley backup status\" shows it."`
}

func (c *backupForgetCmd) onData(_ context.Context, r *Run) error {
	where := r.place(c.Place)
	if err := r.p.Backups.Forget(where); err != nil {
		return err
	}
	return r.printf("%s is forgotten. Destroy the file epochs.keys there, or its backups can be opened with the master key for ever.\n", where)
}
