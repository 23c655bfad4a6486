package app

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/web/assets"
)

type doctorCmd struct {
	asJSON
	Rebuild bool   `help:"Build the roll-ups of all organisations anew from the calls."`
	Org     string `help:"Only this organisation, with --rebuild."`
}

func (c *doctorCmd) founds() bool { return true }

// finding is what one check found.
type finding struct {
	Check    string `json:"check"`
	State    string `json:"state"` // ok, warning, failed
	Sentence string `json:"sentence"`
}

func ok(check, format string, a ...any) finding {
	return finding{check, "ok", fmt.Sprintf(format, a...)}
}

func warning(check, format string, a ...any) finding {
	return finding{check, "warning", fmt.Sprintf(format, a...)}
}

func failed(check string, err error) finding { return finding{check, "failed", fault.Sentence(err)} }

func (c *doctorCmd) onData(ctx context.Context, r *Run) error {
	if c.Rebuild {
		return c.rebuild(ctx, r)
	}
	var found []finding
	for _, check := range []func(context.Context, *Run) finding{
		checkData, checkKeys, checkMaster, checkSpace, checkClock, checkMail, checkBackups, checkRegions, checkDrill, checkAssets, checkDatabase, checkDataMap, checkRequests, checkRetention, checkIncidents, checkProofs, checkAttested,
	} {
		found = append(found, check(ctx, r))
	}
	lines := r.Config.Lines()
	all := struct {
		Version  string    `json:"version"`
		Settings []Line    `json:"settings"`
		Checks   []finding `json:"checks"`
	}{version(), lines, found}
	if err := c.write(r, all, func(t *table) {
		t.row("SETTING", "VALUE", "FROM")
		for _, l := range lines {
			t.row(l.Name, l.Value, l.From)
		}
		t.row(" ")
		t.row("CHECK", "STATE", "")
		for _, f := range found {
			t.row(f.Check, f.State, f.Sentence)
		}
	}); err != nil {
		return err
	}
	bad := 0
	for _, f := range found {
		if f.State == "failed" {
			bad++
		}
	}
	if bad > 0 {
		return fault.New(fault.Unavailable, "%d of %d checks failed. The lines above say what to do.", bad, len(found))
	}
	return nil
}

func checkData(_ context.Context, r *Run) finding {
	info, err := os.Stat(r.Config.Data)
	if err != nil {
		return failed("data folder", fault.Wrap(fault.Unavailable, err, "The data folder %s cannot be looked at.", r.Config.Data))
	}
	if info.Mode().Perm()&0o077 != 0 {
		return warning("data folder", "%s can be read by other users of this machine. Run: chmod 700 %s", r.Config.Data, r.Config.Data)
	}
	return ok("data folder", "%s is this user's alone", r.Config.Data)
}

func checkKeys(ctx context.Context, r *Run) finding {
	orgs, err := r.p.Accounts.Orgs(ctx) // opens a sealed value of each
	if err != nil {
		return failed("keys", err)
	}
	return ok("keys", "the keys of %d organisations open what they sealed", len(orgs))
}

func checkMaster(_ context.Context, r *Run) finding {
	const name = "master key"
	if vault.IsTransit(r.Config.MasterKey) {
		return ok(name, "is in a Vault (%s), which answers", r.p.Keys.MasterID())
	}
	if r.Config.MasterKey != "" {
		return ok(name, "comes from %s; keep a copy in another place", r.Config.said["master_key"].from)
	}
	path := filepath.Join(r.Config.Data, masterFile)
	info, err := os.Stat(path)
	if err != nil {
		return failed(name, fault.Wrap(fault.Unavailable, err, "The master key %s cannot be looked at.", path))
	}
	if info.Mode().Perm()&0o077 != 0 {
		return warning(name, "%s can be read by other users of this machine. Run: chmod 400 %s", path, path)
	}
	return warning(name, "lies beside the data it opens (%s). Keep a copy in another place, or move it there and set PARLEY_MASTER_KEY_FILE.", path)
}

// Less free space than this is worth a warning.
const littleSpace = 1 << 30

func checkSpace(_ context.Context, r *Run) finding {
	const name = "disk space"
	var s syscall.Statfs_t
	if err := syscall.Statfs(r.Config.Data, &s); err != nil {
		return failed(name, fault.Wrap(fault.Unavailable, err, "The free space of %s cannot be told.", r.Config.Data))
	}
	free := s.Bavail * uint64(s.Bsize)
	if free < littleSpace {
		return warning(name, "only %d MB are free for the data. Make room: when the disk is full, calls are refused.", free>>20)
	}
	return ok(name, "%d GB are free for the data", free>>30)
}

// earliestClock is when this was written: a clock before it was never set.
func earliestClock() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// maxOff is how far the clock may be off.
const maxOff = time.Minute

func checkClock(ctx context.Context, r *Run) finding {
	const name = "clock"
	now := time.Now()
	if now.Before(earliestClock()) {
		return failed(name, fault.New(fault.Unavailable, "This machine's clock says %s. Set it, or calls will be refused.", now.Format(time.RFC3339)))
	}
	if r.p.DB.Engine() == db.Postgres {
		var theirs time.Time
		if err := r.p.DB.Row(ctx, `SELECT clock_timestamp()`).Scan(&theirs); err == nil && theirs.Sub(now).Abs() > maxOff {
			return warning(name, "this machine and the database differ by %s. Let both follow a time server.", theirs.Sub(now).Round(time.Second))
		}
	}
	return ok(name, "%s", now.Format(time.RFC3339))
}

func checkMail(ctx context.Context, r *Run) finding {
	const name = "mail"
	if !r.p.Mail.Configured() {
		return warning(name, "no mail server is configured, so mails stay in the local outbox, which the server prints. Set mail.host and mail.from.")
	}
	server := r.p.mailServer()
	if err := server.Reach(ctx); err != nil {
		return failed(name, err)
	}
	waiting, lost, err := r.p.Mail.Counts(ctx)
	if err != nil {
		return failed(name, err)
	}
	if lost > 0 {
		return warning(name, "%s takes mail; %d wait and %d were given up in the last 30 days", r.Config.Mail.Address(), waiting, lost)
	}
	return ok(name, "%s lets us in; %d mails wait", r.Config.Mail.Address(), waiting)
}

func checkAssets(context.Context, *Run) finding {
	if _, err := fs.Stat(assets.Built(), "manifest.json"); err != nil {
		return warning("styles and scripts", "this program was built without them, so pages look plain. Build it with \"make\".")
	}
	return ok("styles and scripts", "are built in")
}

func checkDatabase(ctx context.Context, r *Run) finding {
	const name = "database"
	if err := r.p.DB.Check(ctx); err != nil {
		return failed(name, readable(err, r.p.DB.Path()))
	}
	if r.p.DB.Engine() == db.Postgres {
		return ok(name, "PostgreSQL answers")
	}
	return ok(name, "every page of %s was read and is whole", r.p.DB.Path())
}
