package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/vault"
	"parley/trust/prove"
	"parley/trust/retain"
)

// later is a copy of the installation at another time: what retention does there harms nobody.
type later struct {
	p   *Parley
	org *account.Org
	at  time.Time
}

// openLater copies data and keys into a folder and opens the copy with a clock of its own.
func (p *Parley) openLater(ctx context.Context, org *account.Org, dir string) (l *later, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := p.DB.CopyTo(ctx, filepath.Join(dir, dataFile), p.Keys.DatabaseKey()); err != nil {
		return nil, err
	}
	if err := p.Keys.CopyTo(ctx, filepath.Join(dir, keysFile)); err != nil {
		return nil, err
	}
	if err := vault.WriteRoot(ctx, dir, p.master, p.Keys.Root()); err != nil {
		return nil, err
	}
	c := *p.Config
	c.Data, c.Mail.Host, c.Backup.Where = dir, "", "" // nothing is sent or stored elsewhere from there
	l = &later{at: p.Now()}
	l.p = &Parley{Config: &c, Log: p.Log, Now: func() time.Time { return l.at }, master: p.master}
	if l.p.Keys, err = vault.Open(ctx, dir, p.master); err != nil {
		return nil, errors.Join(err, l.p.Close())
	}
	if err := l.p.openData(ctx); err != nil {
		return nil, errors.Join(err, l.p.Close())
	}
	l.org, err = l.p.Accounts.Org(ctx, org.ID)
	if err != nil {
		return nil, errors.Join(err, l.p.Close())
	}
	return l, nil
}

// proveRetention lets a copy grow old until everything in it is due, and follows what goes.
func (p *Parley) proveRetention(ctx context.Context, org *account.Org, dir string) (facts []string, err error) {
	if p.DB.Engine() != db.SQLite {
		return []string{"The calls are in PostgreSQL, of which no copy is made here; the tests of this version run the rules on both engines."}, nil
	}
	l, err := p.openLater(ctx, org, filepath.Join(dir, "later"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.p.Close()) }()
	var f prove.Failures
	contacts, err := l.contacts(ctx)
	if err != nil {
		return nil, err
	}
	l.at = l.at.AddDate(0, 0, 1+366) // whoever called today has been silent for longer than the policy allows
	removed, err := l.sweep(ctx, &f)
	if err != nil {
		return nil, err
	}
	left, err := l.contacts(ctx)
	if err != nil {
		return nil, err
	}
	if left > 0 {
		f.Add(prove.Fail("P71 P72", "A year and a day after the last call, %d of %d people are still in the number book.", left, contacts))
	}
	again, err := l.sweep(ctx, &f)
	if err != nil {
		return nil, err
	}
	if again > 0 {
		f.Add(prove.Fail("P76", "A second run at the same time removed %d rows more.", again))
	}
	if left > 0 || again > 0 {
		return nil, f.Err()
	}
	facts = append(facts, fmt.Sprintf("On a copy 367 days later, %d rows went, and with them all %d people without a call since; a second run removed nothing.", removed, contacts))
	l.at = l.at.AddDate(0, 0, 91+3)
	if _, err := l.sweep(ctx, &f); err != nil {
		return nil, err
	}
	if n, err := l.archived(ctx); err != nil {
		return nil, err
	} else if n > 0 {
		f.Add(prove.Fail("P73", "91 days after they went to the archive, %d people are still there.", n))
	}
	return append(facts, "After 91 days more the archive was empty."), f.Err()
}

// contacts counts the people of the number book.
func (l *later) contacts(ctx context.Context) (n int, err error) {
	err = l.p.DB.Row(ctx, `SELECT count(*) FROM numbers WHERE org_id = $1`, l.org.ID).Scan(&n)
	return n, err
}

func (l *later) archived(ctx context.Context) (int, error) {
	all, err := l.p.Retain.Archive(ctx, l.p.Accounts.Operator(l.org))
	return len(all), err
}

// sweep does what the daily run does, over the days of notice, and confirms what waits for a person. It tells how many
// rows went.
func (l *later) sweep(ctx context.Context, f *prove.Failures) (rows int64, err error) {
	const days = 4 // more than the notice
	for range days {
		out, err := l.p.Retain.Run(ctx, l.org.ID)
		known := false // that a plan failed is a finding; whatever else goes wrong ends the step
		for _, p := range out.Applied {
			rows += p.Removed
			if p.State == retain.Failed {
				known = true
				f.Add(prove.Fail("P76", "The plan for %s removed something else than it showed: %s", p.Category, strings.TrimSpace(p.Why)))
			}
		}
		if err != nil && !known {
			return rows, err
		}
		status, err := l.p.Retain.Status(ctx, l.org.ID)
		if err != nil {
			return rows, err
		}
		for _, p := range status.Waiting {
			if p.Wide && p.ConfirmedAt.IsZero() {
				if _, err := l.p.Retain.Confirm(ctx, l.p.Accounts.Operator(l.org), p.ID, fmt.Sprintf("%x", p.Digest)); err != nil {
					return rows, err
				}
			}
		}
		l.at = l.at.AddDate(0, 0, 1)
	}
	return rows, nil
}
