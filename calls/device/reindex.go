package device

import (
	"context"
	"crypto/rand"

	"parley/account"
	"parley/calls/call"
	"parley/platform/db"
	"parley/platform/vault"
)

// Reindex makes the indexes of an organisation's lines anew, with the index key of k. Phones are kept, but the one thing
// they were recognised by when they paired again is known by its index only: such a phone is then listed once more. It runs
// while nobody else works on the data.
func (s *Devices) Reindex(ctx context.Context, tx *db.Tx, org account.OrgID, k *vault.OrgKeys) error {
	type row struct {
		no     call.LineNo
		sealed []byte
	}
	lines, err := db.Select(ctx, tx, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.no, &x.sealed) },
		`SELECT no, number_sealed FROM lines WHERE org_id = $1 AND number_key IS NOT NULL`, org)
	if err != nil {
		return err
	}
	for _, l := range lines {
		text, err := k.Open(numberField, l.sealed)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE lines SET number_key = $3 WHERE org_id = $1 AND no = $2`, org, l.no, k.Index(numberField, string(text))); err != nil {
			return err
		}
	}
	phones, err := db.Select(ctx, tx, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) }, `SELECT id FROM devices WHERE org_id = $1`, org)
	if err != nil {
		return err
	}
	for _, id := range phones {
		unknown := make([]byte, 16)
		_, _ = rand.Read(unknown) // never fails, see crypto/rand
		if _, err := tx.Exec(ctx, `UPDATE devices SET install_key = $3 WHERE org_id = $1 AND id = $2`, org, id, unknown); err != nil {
			return err
		}
	}
	return nil
}

// ReindexInstallation forgets what is kept for minutes under the installation's index key: codes that pair phones, and
// counts of wrong ones.
func (s *Devices) ReindexInstallation(ctx context.Context, tx *db.Tx) error {
	for _, q := range []string{`DELETE FROM pairing_codes`, `DELETE FROM pairing_attempts`} {
		if _, err := tx.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
