// Package device holds the lines whose calls are kept, who held each of them when, the phones that report for them, and
// whether those phones have told everything.
//
// Calls belong to lines and not to phones: a phone can be lost, replaced or paired again without a call being counted
// twice, and a line can change hands without its history being rewritten.
package device

import (
	"context"
	"embed"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/revoke"
	"parley/platform/vault"
)

// Schema holds the package's tables, series "device".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Devices keeps the lines and phones of all organisations.
type Devices struct {
	db       *db.DB
	keys     *vault.Keys
	accounts *account.Accounts
	book     *number.Book
	now      func() time.Time
	collects func(ctx context.Context, org account.OrgID, category string) (bool, error) // nil: everything
	revoked  *revoke.Journal                                                             // nil: nothing is written down
}

// New gives the lines and phones kept in d. now is the clock.
func New(d *db.DB, keys *vault.Keys, accounts *account.Accounts, book *number.Book, now func() time.Time) *Devices {
	return &Devices{db: d, keys: keys, accounts: accounts, book: book, now: now}
}

// OnlyWhat lets phones report no more than the privacy policy has on: collects tells whether data of a category may come
// in. It is called once, at wiring.
func (s *Devices) OnlyWhat(collects func(ctx context.Context, org account.OrgID, category string) (bool, error)) {
	s.collects = collects
}

// SetJournal has it written down when a phone's token ends, so that a backup from before does not bring it back. It is called
// once, at wiring.
func (s *Devices) SetJournal(j *revoke.Journal) { s.revoked = j }

// noteAway writes down that the token of a phone ended.
func (s *Devices) noteAway(org account.OrgID, device string) error {
	return s.revoked.Note(revoke.Entry{At: s.now(), Org: int64(org), What: revoke.Phone, ID: device})
}

// TakeAway unpairs in restored data a phone whose token ended at a time, unless it was paired anew later.
func (s *Devices) TakeAway(ctx context.Context, tx *db.Tx, org account.OrgID, device string, at time.Time) error {
	_, paired, err := db.One(ctx, tx, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) }, `SELECT id FROM devices WHERE org_id = $1 AND id = $2 AND unpaired_ms = 0 AND paired_ms < $3`, org, device, at.UnixMilli())
	if err != nil || !paired {
		return err
	}
	return s.unpair(ctx, tx, org, device)
}

// EndCodes makes every pairing code of restored data useless: which of them were used since it was saved is not known.
func EndCodes(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `DELETE FROM pairing_codes WHERE org_id > 0`)
	return err
}

// mayCollect asks the policy about a category.
func (s *Devices) mayCollect(ctx context.Context, org account.OrgID, category string) (bool, error) {
	if s.collects == nil {
		return true, nil
	}
	return s.collects(ctx, org, category)
}

// Delete removes everything that is kept about an organisation's lines and phones.
func (s *Devices) Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{
		`DELETE FROM digests WHERE org_id = $1`, `DELETE FROM forget_orders WHERE org_id = $1`, `DELETE FROM pairing_codes WHERE org_id = $1`, `DELETE FROM device_settings WHERE org_id = $1`,
		`DELETE FROM device_lines WHERE org_id = $1`, `DELETE FROM devices WHERE org_id = $1`, `DELETE FROM line_holders WHERE org_id = $1`,
		`DELETE FROM line_counters WHERE org_id = $1`, `DELETE FROM lines WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}

// moment reads a stored time; 0 is the zero time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
