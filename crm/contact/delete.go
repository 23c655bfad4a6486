package contact

import (
	"context"
	"maps"
	"slices"

	"parley/account"
	"parley/platform/db"
	"parley/trust/hold"
	"parley/trust/subject"
)

// Of gives the contacts that are a person: the one of the key, or all that have the number, with those merged into them.
// Members are no contacts.
func (s *Contacts) Of(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]ID, error) {
	var ids []ID
	var err error
	switch {
	case who.Num() > 0:
		ids, err = db.Select(ctx, c, scanID, `SELECT contact FROM contact_numbers WHERE org_id = $1 AND num = $2`, org, who.Num())
	case who.Con() > 0:
		ids, err = db.Select(ctx, c, scanID, `SELECT contact FROM contacts WHERE org_id = $1 AND subject = $2`, org, who.Con())
	}
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return s.Family(ctx, c, org, ids...)
}

// Delete deletes contacts for good, with their leads and everything that was merged into them, unless a hold keeps somebody.
// Their calls stay. Call the returned function once the transaction has committed: it destroys their keys.
func (s *Contacts) Delete(ctx context.Context, tx *db.Tx, org account.OrgID, ids ...ID) (committed func(context.Context) error, err error) {
	family, err := s.Family(ctx, tx, org, ids...)
	if err != nil {
		return nil, err
	}
	found, err := s.load(ctx, tx, org, family)
	if err != nil {
		return nil, err
	}
	for _, x := range ids {
		if found[x] == nil {
			return nil, errNone(x)
		}
	}
	var all []*Contact
	for _, one := range found {
		all = append(all, one)
	}
	if err := s.ask(ctx, tx, org, hold.ContactDelete, Category, all); err != nil {
		return nil, err
	}
	return s.remove(ctx, tx, org, family)
}

// remove removes the rows of contacts, and tells whoever keeps rows about them.
func (s *Contacts) remove(ctx context.Context, tx *db.Tx, org account.OrgID, ids []ID) (committed func(context.Context) error, err error) {
	for _, g := range s.gone {
		if err := g(ctx, tx, org, ids); err != nil {
			return nil, err
		}
	}
	keys, err := s.keysOf(ctx, tx, org, ids)
	if err != nil {
		return nil, err
	}
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	subjects := slices.Sorted(maps.Values(keys))
	if err := dropIndex(ctx, tx, org, subjects...); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(ids, 4*chunk) {
		args := []any{org}
		for _, x := range part {
			args = append(args, x)
		}
		in := db.In(2, len(part))
		for _, q := range []string{
			`DELETE FROM contact_numbers WHERE org_id = $1 AND contact IN ` + in,
			`DELETE FROM contact_events WHERE org_id = $1 AND contact IN ` + in,
			`DELETE FROM contact_notes WHERE org_id = $1 AND contact IN ` + in,
			`DELETE FROM contact_note_words WHERE org_id = $1 AND contact IN ` + in,
			`DELETE FROM contact_distinct WHERE org_id = $1 AND one IN ` + in,
			`DELETE FROM contact_distinct WHERE org_id = $1 AND other IN ` + in,
			`DELETE FROM contacts WHERE org_id = $1 AND contact IN ` + in,
		} {
			if _, err := tx.Exec(ctx, q, args...); err != nil {
				return nil, err
			}
		}
	}
	return func(ctx context.Context) error { return k.DestroySubject(ctx, subjects...) }, nil
}

// Brought gives the contacts that an import made and the rev that each has now.
func (s *Contacts) Brought(ctx context.Context, c db.Conn, org account.OrgID, imported string) (map[ID]int64, error) {
	out := map[ID]int64{}
	rows, err := c.Rows(ctx, `SELECT contact, rev FROM contacts WHERE org_id = $1 AND import = $2 AND import <> ''`, org, imported)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var x ID
		var rev int64
		if err := rows.Scan(&x, &rev); err != nil {
			return nil, err
		}
		out[x] = rev
	}
	return out, rows.Err()
}

// Delete removes the contacts of an organisation inside a running transaction; its keys go with it.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, table := range []string{"contacts", "contact_numbers", "contact_index", "contact_events", "contact_notes", "contact_note_words", "contact_tags", "contact_distinct", "archived_contacts"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1`, org); err != nil {
			return err
		}
	}
	return nil
}
