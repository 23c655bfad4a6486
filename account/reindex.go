package account

import (
	"context"

	"parley/platform/db"
	"parley/platform/vault"
)

// Reindex makes the indexes of all e-mail addresses anew, with the installation's index key of k, so that sign-in finds
// its people. Passwords of people who are in no organisation, reset links and counts of failed sign-ins are forgotten. It
// runs while nobody else works on the data.
func (a *Accounts) Reindex(ctx context.Context, tx *db.Tx, k *vault.OrgKeys) error {
	fresh := map[string][]byte{} // by old index
	for _, table := range []string{"members", "invitations"} {
		if err := a.reindexTable(ctx, tx, k, table, fresh); err != nil {
			return err
		}
	}
	for _, q := range []string{`DELETE FROM resets`, `DELETE FROM sign_in_attempts`} {
		if _, err := tx.Exec(ctx, q); err != nil {
			return err
		}
	}
	known, err := db.Select(ctx, tx, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT email_key FROM credentials`)
	if err != nil {
		return err
	}
	for _, old := range known {
		query, args := `DELETE FROM credentials WHERE email_key = $1`, []any{old}
		if to, ok := fresh[string(old)]; ok {
			query, args = `UPDATE credentials SET email_key = $2 WHERE email_key = $1`, append(args, to)
		}
		if _, err := tx.Exec(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// reindexTable makes the indexes of one table anew, and notes them by the old ones.
func (a *Accounts) reindexTable(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, table string, fresh map[string][]byte) error {
	type row struct {
		org         OrgID
		id          string
		sealed, key []byte
	}
	rows, err := db.Select(ctx, tx, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.org, &x.id, &x.sealed, &x.key) },
		`SELECT org_id, id, email_sealed, email_key FROM `+table+` WHERE email_key IS NOT NULL`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		of, err := a.keys.Org(ctx, int64(r.org))
		if err != nil {
			return err
		}
		email, err := open(of, "member.email", r.sealed)
		if err != nil {
			return err
		}
		to := k.Index("email", email)
		fresh[string(r.key)] = to
		if _, err := tx.Exec(ctx, `UPDATE `+table+` SET email_key = $3 WHERE org_id = $1 AND id = $2`, r.org, r.id, to); err != nil {
			return err
		}
	}
	return nil
}
