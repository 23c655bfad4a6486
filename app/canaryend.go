package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"parley/calls/call"
	"parley/calls/ingest"
	"parley/platform/backup"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/consent"
	"parley/trust/datamap"
	"parley/trust/rights"
)

// backedUp makes a backup in which the canary still is.
func (c *canary) backedUp(ctx context.Context) error {
	where := filepath.Join(c.dir, "backup")
	if err := os.Mkdir(where, 0o700); err != nil {
		return err
	}
	c.made = c.p.Now()
	_, err := c.p.Backups.Run(ctx, where, false, func(string, int64, int64) {})
	return err
}

// erased carries out the canary's request to be erased.
func (c *canary) erased(ctx context.Context) error {
	began := time.Now()
	q, err := c.request(ctx, rights.Erasure)
	if err != nil { // what else holds is still to be seen
		c.broke("P92", "The erasure did not come to its end: %s", fault.Sentence(err))
		return nil
	}
	took := time.Since(began)
	if q.State != rights.Done && q.State != rights.Waiting {
		c.broke("P92", "The erasure ended as %s.", q.State)
	}
	receipts, err := c.p.Rights.Receipts(ctx, c.org.ID, q.ID)
	if err != nil {
		return err
	}
	if len(receipts) == 0 {
		c.broke("P92", "The erasure left no receipt.")
	}
	key, err := c.p.Audit.Key(ctx, int64(c.org.ID))
	if err != nil {
		return err
	}
	for _, r := range receipts {
		if _, err := rights.VerifyReceipt(r, key); err != nil {
			c.broke("P92", "The receipt of the erasure does not verify: %s", fault.Sentence(err))
		}
	}
	c.tell("The person was erased in %d ms; the signed receipt verifies.", took.Milliseconds())
	return nil
}

// gone looks for the canary after the erasure.
func (c *canary) gone(ctx context.Context) error {
	if _, ok, err := c.p.Book.Find(ctx, c.p.DB, c.org.ID, c.number); err != nil {
		return err
	} else if ok {
		c.broke("P92", "An erased number is still found.")
	}
	keys, err := c.p.Keys.Org(ctx, int64(c.org.ID))
	if err != nil {
		return err
	}
	if _, err := keys.SealSubject(ctx, c.ref.Num(), "proof", []byte("x")); fault.KindOf(err) != fault.Gone {
		c.broke("P92", "The key of an erased person still works.")
	}
	if err := c.cardGone(ctx); err != nil {
		return err
	}
	left, err := c.rowsOf(ctx)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		c.broke("P6 P92", "Rows about an erased person are left in %v.", left)
	}
	if calls, err := c.calls(ctx); err != nil {
		c.broke("P6 P92", "What an erasure left of calls cannot be shown: %s", fault.Sentence(err))
	} else if calls != c.before {
		c.broke("P6", "%d calls were kept before the erasure, and %d after it; the employee's count must not change.", c.before, calls)
	}
	return c.unreadable(ctx)
}

// rowsOf names the tables that still have rows of the canary, by their number, the key of their contact or its id.
func (c *canary) rowsOf(ctx context.Context) (left []string, err error) {
	m, err := dataMap()
	if err != nil {
		return nil, err
	}
	named := map[datamap.Kind]any{datamap.Number: c.ref.Num(), datamap.Contact: c.card.Subject, datamap.ContactID: c.card.ID}
	for _, table := range m.Tables() {
		seen := map[datamap.Link]bool{}
		for _, col := range m.Columns(table) {
			for _, link := range col.Subjects {
				if named[link.Kind] == nil || seen[link] {
					continue
				}
				seen[link] = true
				var n int64
				if err := c.p.DB.Row(ctx, `SELECT count(*) FROM `+table+` WHERE org_id = $1 AND `+link.Column+` = $2`, c.org.ID, named[link.Kind]).Scan(&n); err != nil {
					return nil, err
				}
				if n > 0 && !slices.Contains(left, table) {
					left = append(left, table)
				}
			}
		}
	}
	return left, nil
}

// notBack checks that the next sync does not bring the canary back, and that their "stop" outlived them.
func (c *canary) notBack(ctx context.Context) error {
	answer, err := c.synced(ctx, "proof-9", c.number, c.name, call.TypeIncoming, 30, 30*time.Minute)
	if err != nil {
		return err
	}
	if answer.State != ingest.Erased {
		c.broke("P87", "A call with an erased person was answered %q by the next sync; it must be refused as erased.", answer.State)
	}
	if _, ok, err := c.p.Book.Find(ctx, c.p.DB, c.org.ID, c.number); err != nil {
		return err
	} else if ok {
		c.broke("P87", "The next sync brought an erased person back.")
	}
	if err := c.cardNotBack(ctx); err != nil {
		return err
	}
	all, err := c.p.Consents.Suppressions(ctx, c.p.DB, c.org.ID, consent.Who{Number: c.number})
	if err != nil {
		return err
	}
	if len(all) == 0 {
		c.broke("P112", "The erasure took the person's \"stop\" along.")
	}
	c.tell("The next sync of the same phone was refused as erased; the \"stop\" is still known, as a keyed hash.")
	return nil
}

// notInBackup restores the keys of the backup that was made before the erasure, as a restore does, and tries the canary's
// key.
func (c *canary) notInBackup(ctx context.Context) (err error) {
	where, dir := filepath.Join(c.dir, "backup"), filepath.Join(c.dir, "restored")
	defer func() { err = errors.Join(err, c.p.Backups.Forget(where)) }()
	from, err := backup.OpenSource(ctx, where, "", backup.Access{}, c.p.master, c.p.Keys.Epochs().File(), c.p.Now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if _, err := from.Fetch(ctx, dir, []backup.Part{backup.Keys}, c.p.master, func(string, int64, int64) {}); err != nil {
		return err
	}
	keys, err := vault.Open(ctx, dir, c.p.master)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keys.Close()) }()
	erasures, err := from.Erased(ctx)
	if err != nil {
		return err
	}
	destroyed := func(key int64) bool {
		return slices.ContainsFunc(erasures, func(e vault.Erasure) bool { return e.Org == int64(c.org.ID) && e.Subject == key })
	}
	if !destroyed(c.ref.Num()) || !destroyed(c.card.Subject) {
		c.broke("P77", "The journal beside the backup does not name the erasure, so a restore would bring the person back.")
	}
	if _, err := keys.Replay(ctx, erasures, c.made); err != nil {
		return err
	}
	org, err := keys.Org(ctx, int64(c.org.ID))
	if err != nil {
		return err
	}
	_, opens := org.SealSubject(ctx, c.ref.Num(), "proof", []byte("x"))
	_, opensCard := org.SealSubject(ctx, c.card.Subject, "proof", []byte("x"))
	if fault.KindOf(opens) != fault.Gone || fault.KindOf(opensCard) != fault.Gone {
		c.broke("P77", "A backup of before the erasure still opens the person's number once it is restored.")
	}
	if c.p.DB.Engine() == db.SQLite {
		c.tell("A backup that was made before the erasure was restored: the person stayed unreadable in it.")
	} else {
		c.tell("The key store of a backup that was made before the erasure was restored: the person stayed unreadable in it.")
	}
	return nil
}
