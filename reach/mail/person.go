package mail

import (
	"context"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/vault"
)

// toHash is by what the mails to an address are found.
func toHash(k *vault.OrgKeys, address string) []byte {
	return k.Suppress("mail to:" + strings.ToLower(strings.TrimSpace(address)))
}

// Past lists the mails to an address that were written before a moment, or in its millisecond with an id below one, newest
// first and at most limit.
func (m *Mailer) Past(ctx context.Context, c db.Conn, org account.OrgID, address string, at time.Time, below string, limit int) ([]Sent, error) {
	k, err := m.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, m.scan(ctx), `SELECT `+columns+` FROM mails WHERE org_id = $1 AND to_hash = $2
		AND (created_ms < $3 OR created_ms = $3 AND id < $4) ORDER BY created_ms DESC, id DESC LIMIT $5`, org, toHash(k, address), at.UnixMilli(), below, limit)
}

// To lists the mails of an organisation that went, or are to go, to an address, newest first. Whom a mail is for is known
// only when it is opened, so all of them are: few, since they are kept for weeks only.
func (m *Mailer) To(ctx context.Context, org account.OrgID, address string) ([]Sent, error) {
	all, err := db.Select(ctx, m.db, m.scan(ctx), `SELECT `+columns+` FROM mails WHERE org_id = $1 ORDER BY created_ms DESC, id DESC`, org)
	if err != nil {
		return nil, err
	}
	var out []Sent
	for _, s := range all {
		if strings.EqualFold(s.To, address) {
			out = append(out, s)
		}
	}
	return out, nil
}

// Remove removes mails by their ids, also ones that wait to leave.
func Remove(ctx context.Context, tx *db.Tx, org account.OrgID, ids []string) (n int64, err error) {
	for _, id := range ids {
		gone, err := tx.Exec(ctx, `DELETE FROM mails WHERE org_id = $1 AND id = $2`, org, id)
		if err != nil {
			return n, err
		}
		n += gone
	}
	return n, nil
}
