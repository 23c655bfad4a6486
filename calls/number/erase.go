package number

import (
	"context"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/db"
	"parley/platform/flaw"
	"parley/platform/vault"
)

// Remove takes numbers out of the book: the numbers themselves, their index, names and restrictions. A number that is kept
// out stays so by its index alone. Their keys are the caller's to destroy. Until the returned function has run after the
// commit, nobody but the transaction's owner may resolve numbers.
func (b *Book) Remove(ctx context.Context, tx *db.Tx, org account.OrgID, ids []ID) (committed func(), err error) {
	gone, err := b.indexesOf(ctx, tx, org, ids)
	if err != nil {
		return nil, err
	}
	for _, i := range gone {
		if _, err := tx.Exec(ctx, `UPDATE excluded_numbers SET sealed = $3, label = '' WHERE org_id = $1 AND idx = $2`, org, i[:], []byte{}); err != nil {
			return nil, err
		}
	}
	return b.remove(ctx, tx, org, ids, gone)
}

func (b *Book) remove(ctx context.Context, tx *db.Tx, org account.OrgID, ids []ID, gone []index) (committed func(), err error) {
	for _, i := range gone {
		for _, q := range []string{`DELETE FROM number_index WHERE org_id = $1 AND idx = $2`, `DELETE FROM archived_numbers WHERE org_id = $1 AND idx = $2`} {
			if _, err := tx.Exec(ctx, q, org, i[:]); err != nil {
				return nil, err
			}
		}
	}
	for _, n := range ids {
		for _, q := range []string{`DELETE FROM numbers WHERE org_id = $1 AND num = $2`, `DELETE FROM number_names WHERE org_id = $1 AND num = $2`, `DELETE FROM number_name_words WHERE org_id = $1 AND num = $2`,
			`DELETE FROM restricted_numbers WHERE org_id = $1 AND num = $2`, `DELETE FROM archived_numbers WHERE org_id = $1 AND num = $2`} {
			if flaw.On(flaw.KeptName) && strings.Contains(q, "number_name") {
				continue
			}
			if _, err := tx.Exec(ctx, q, org, n); err != nil {
				return nil, err
			}
		}
	}
	b.cache.drop(org, gone)
	return func() { b.cache.drop(org, gone) }, nil // what the same transaction had learned before is forgotten, too
}

// indexesOf are the index entries of those of the numbers that are in the book. Of one whose key is destroyed already, as in
// a restored backup, the entry is looked for by its id.
func (b *Book) indexesOf(ctx context.Context, c db.Conn, org account.OrgID, ids []ID) ([]index, error) {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	texts, err := b.Texts(ctx, c, org, ids)
	if err != nil {
		return nil, err
	}
	var out []index
	closed := []any{org}
	for _, n := range ids {
		if text, ok := texts[n]; ok {
			out = append(out, indexOf(k, text))
		} else {
			closed = append(closed, n)
		}
	}
	for part := range slices.Chunk(closed[1:], chunk) {
		more, err := db.Select(ctx, c, func(r db.Scanner) (i index, err error) {
			var raw []byte
			err = r.Scan(&raw)
			copy(i[:], raw)
			return i, err
		}, `SELECT idx FROM number_index WHERE org_id = $1 AND num IN `+db.In(2, len(part)), append(closed[:1:1], part...)...)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// Shelve moves numbers out of the book into the list of archived ones, from which a call brings them back. What they and
// their names were is the caller's to keep. Those that are kept out stay so.
func (b *Book) Shelve(ctx context.Context, tx *db.Tx, org account.OrgID, ids []ID) (committed func(), err error) {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	texts, err := b.Texts(ctx, tx, org, ids)
	if err != nil {
		return nil, err
	}
	gone := make([]index, 0, len(texts))
	for _, text := range texts {
		gone = append(gone, indexOf(k, text))
	}
	if committed, err = b.remove(ctx, tx, org, ids, gone); err != nil {
		return nil, err
	}
	for n, text := range texts {
		i := indexOf(k, text)
		if _, err := tx.Exec(ctx, `INSERT INTO archived_numbers (org_id, idx, num) VALUES ($1, $2, $3)`, org, i[:], n); err != nil {
			return nil, err
		}
	}
	return committed, nil
}

// Unshelve puts an archived number back into the book, under its id.
func (b *Book) Unshelve(ctx context.Context, tx *db.Tx, org account.OrgID, canonical string) error {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	_, err = b.unarchive(ctx, tx, k, org, map[index]string{indexOf(k, canonical): canonical})
	return err
}

// Reserve lets ids below one be given to nobody any more: they were given out in data that a restored backup does not know.
func (b *Book) Reserve(ctx context.Context, tx *db.Tx, org account.OrgID, below ID) error {
	if below <= Withheld {
		return nil // none was given out
	}
	_, err := tx.Exec(ctx, `INSERT INTO number_counters (org_id, next) VALUES ($1, $2)
		ON CONFLICT (org_id) DO UPDATE SET next = excluded.next WHERE number_counters.next < excluded.next`, org, below)
	return err
}

// FindArchived gives the id of a canonical number that is in the archive.
func (b *Book) FindArchived(ctx context.Context, c db.Conn, org account.OrgID, canonical string) (ID, bool, error) {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return 0, false, err
	}
	i := indexOf(k, canonical)
	return db.One(ctx, c, scanID, `SELECT num FROM archived_numbers WHERE org_id = $1 AND idx = $2`, org, i[:])
}

// unarchive puts those of the numbers that are in the archive back into the book, under the ids that they had.
func (b *Book) unarchive(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, want map[index]string) (map[index]ID, error) {
	if len(want) == 0 {
		return nil, nil
	}
	back, err := look(ctx, tx, org, want, `SELECT idx, num FROM archived_numbers WHERE org_id = $1 AND idx IN `)
	if err != nil {
		return nil, err
	}
	for i, n := range back {
		sealed, err := k.SealOnce(ctx, int64(n), field, []byte(want[i]))
		if err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO numbers (org_id, num, sealed, made_ms) VALUES ($1, $2, $3, $4)`, org, n, sealed, b.now().UnixMilli()); err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO number_index (org_id, idx, num) VALUES ($1, $2, $3)`, org, i[:], n); err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM archived_numbers WHERE org_id = $1 AND idx = $2`, org, i[:]); err != nil {
			return nil, err
		}
	}
	return back, nil
}

// sorted are ids in ascending order, each once.
func sorted(ids []ID) []ID {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
