package number

import (
	"bytes"
	"context"
	"slices"

	"parley/account"
	"parley/platform/db"
	"parley/platform/vault"
	"parley/platform/words"
)

// Bounds of a search for names.
const (
	wordLabel       = "number name word"
	maxNameWords    = 12   // of one name
	manyNames       = 3000 // where more names have a word, it does not matter how many
	mostNames       = 400  // that are opened in one search
	fewNamesAtATime = 24
)

// Rename keeps the contact name that a phone logged with a number, and what it is found by, unless a later one is kept already. at
// is in Unix milliseconds.
func (b *Book) Rename(ctx context.Context, tx *db.Tx, org account.OrgID, n ID, name string, at int64) error {
	if n == Withheld || name == "" {
		return nil
	}
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	type named struct {
		sealed []byte
		at     int64
	}
	had, there, err := db.One(ctx, tx, func(r db.Scanner) (x named, err error) { return x, r.Scan(&x.sealed, &x.at) }, `SELECT sealed, at FROM number_names WHERE org_id = $1 AND num = $2`, org, n)
	if err != nil || there && had.at > at {
		return err
	}
	if there {
		plain, err := k.OpenSubject(ctx, int64(n), "name", had.sealed)
		if err != nil {
			return err
		}
		if string(plain) == name {
			_, err := tx.Exec(ctx, `UPDATE number_names SET at = $3 WHERE org_id = $1 AND num = $2`, org, n, at)
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM number_name_words WHERE org_id = $1 AND num = $2`, org, n); err != nil {
			return err
		}
	}
	sealed, err := k.SealSubject(ctx, int64(n), "name", []byte(name))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO number_names (org_id, num, sealed, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id, num) DO UPDATE SET sealed = excluded.sealed, at = excluded.at`, org, n, sealed, at); err != nil {
		return err
	}
	return putNames(ctx, tx, k, org, map[ID]string{n: name})
}

// Unname forgets the names that phones logged with a number.
func (b *Book) Unname(ctx context.Context, tx *db.Tx, org account.OrgID, n ID) (names int64, err error) {
	if names, err = tx.Exec(ctx, `DELETE FROM number_names WHERE org_id = $1 AND num = $2`, org, n); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM number_name_words WHERE org_id = $1 AND num = $2`, org, n)
	return names, err
}

// putNames keeps what names are found by.
func putNames(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, names map[ID]string) error {
	type row struct {
		idx []byte
		num ID
	}
	var rows []row
	for n, name := range names {
		all := words.OfNote(name)
		for _, w := range all[:min(len(all), maxNameWords)] {
			rows = append(rows, row{words.Index(k, wordLabel, w), n})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.idx, b.idx) }) // neighbours share pages
	for part := range slices.Chunk(rows, chunk) {
		args := make([]any, 0, 3*len(part))
		for _, r := range part {
			args = append(args, org, r.idx, r.num)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO number_name_words (org_id, idx, num) VALUES `+db.Values(len(part), 3)+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	return nil
}

// Named gives, bit by bit until each wants no more, the numbers with which phones logged a name that has every word of a text, or
// words that begin so. Of words that very many names have, not every name is looked at. Restricted numbers are left out.
func (b *Book) Named(ctx context.Context, c db.Conn, org account.OrgID, text string, each func(found []ID) (more bool, err error)) error {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	query := words.OfQuery(text)
	if len(query) == 0 {
		return nil
	}
	rarest, n, err := words.Rarest(ctx, c, k, "number_name_words", wordLabel, int64(org), query, manyNames)
	if err != nil || n == 0 {
		return err
	}
	first, last := words.Around(words.Beginning(k, wordLabel, query[rarest]))
	found, err := db.Select(ctx, c, scanID, `SELECT num FROM number_name_words WHERE org_id = $1 AND idx >= $2 AND idx <= $3 LIMIT $4`, org, first, last, manyNames)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b ID) int { return int(b - a) }) // who was met last comes first
	found = slices.Compact(found)
	for part := range slices.Chunk(found[:min(len(found), mostNames)], fewNamesAtATime) {
		names, err := b.Names(ctx, c, org, part)
		if err != nil {
			return err
		}
		have := slices.DeleteFunc(slices.Clone(part), func(n ID) bool { return !words.HasAll(words.OfNote(names[n]), query) })
		if len(have) == 0 {
			continue
		}
		if more, err := each(have); err != nil || !more {
			return err
		}
	}
	return nil
}

// reindexNames makes what names are found by anew.
func (b *Book) reindexNames(ctx context.Context, tx *db.Tx, org account.OrgID, k *vault.OrgKeys) error {
	if _, err := tx.Exec(ctx, `DELETE FROM number_name_words WHERE org_id = $1`, org); err != nil {
		return err
	}
	return eachSealed(ctx, tx, org, "number_names", func(n ID, sealed []byte) ([]byte, error) { return k.OpenSubject(ctx, int64(n), "name", sealed) },
		func(names map[ID]string) error { return putNames(ctx, tx, k, org, names) })
}
