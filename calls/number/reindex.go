package number

import (
	"cmp"
	"context"
	"slices"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// reindexChunk is how many numbers are opened at once while every index is made anew.
const reindexChunk = 5000

// Archived opens the canonical forms of numbers that are in the archive. What it does not give is not found there any more.
type Archived func(ctx context.Context, tx *db.Tx, org account.OrgID, ids []ID) (map[ID]string, error)

// Reindex makes every index of an organisation's numbers anew, with the index key of k: of the book, of names, of the archive and
// of the numbers that are kept out. Their public names change with it. It runs while nobody else works on the data.
func (b *Book) Reindex(ctx context.Context, tx *db.Tx, org account.OrgID, k *vault.OrgKeys, archived Archived) error {
	b.cache.clear()
	if err := b.reindexBook(ctx, tx, org, k); err != nil {
		return err
	}
	if err := b.reindexNames(ctx, tx, org, k); err != nil {
		return err
	}
	if err := b.reindexArchive(ctx, tx, org, k, archived); err != nil {
		return err
	}
	return b.reindexExcluded(ctx, tx, org, k)
}

// indexed is a number and its new index.
type indexed struct {
	idx index
	num ID
}

func (b *Book) reindexBook(ctx context.Context, tx *db.Tx, org account.OrgID, k *vault.OrgKeys) error {
	if _, err := tx.Exec(ctx, `DELETE FROM number_index WHERE org_id = $1`, org); err != nil {
		return err
	}
	return eachSealed(ctx, tx, org, "numbers", func(n ID, sealed []byte) ([]byte, error) { return k.OpenOnce(ctx, int64(n), field, sealed) }, func(texts map[ID]string) error {
		fresh := make([]indexed, 0, len(texts))
		for n, text := range texts {
			fresh = append(fresh, indexed{indexOf(k, text), n})
		}
		return writeIndexes(ctx, tx, org, fresh, `INSERT INTO number_index (org_id, idx, num) VALUES `)
	})
}

// eachSealed opens what a table has sealed of each number, some at a time. What was erased is left out: it is not to be found.
func eachSealed(ctx context.Context, tx *db.Tx, org account.OrgID, table string, open func(n ID, sealed []byte) ([]byte, error), put func(texts map[ID]string) error) error {
	type row struct {
		num    ID
		sealed []byte
	}
	for after := Withheld; ; {
		rows, err := db.Select(ctx, tx, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.num, &x.sealed) },
			`SELECT num, sealed FROM `+table+` WHERE org_id = $1 AND num > $2 ORDER BY num LIMIT $3`, org, after, reindexChunk)
		if err != nil || len(rows) == 0 {
			return err
		}
		texts := make(map[ID]string, len(rows))
		for _, r := range rows {
			after = r.num
			plain, err := open(r.num, r.sealed)
			if fault.KindOf(err) == fault.Gone {
				continue
			}
			if err != nil {
				return err
			}
			texts[r.num] = string(plain)
		}
		if err := put(texts); err != nil {
			return err
		}
	}
}

func (b *Book) reindexArchive(ctx context.Context, tx *db.Tx, org account.OrgID, k *vault.OrgKeys, archived Archived) error {
	ids, err := db.Select(ctx, tx, scanID, `SELECT num FROM archived_numbers WHERE org_id = $1 ORDER BY num`, org)
	if err != nil || len(ids) == 0 {
		return err
	}
	texts, err := archived(ctx, tx, org, ids)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM archived_numbers WHERE org_id = $1`, org); err != nil {
		return err
	}
	var fresh []indexed
	for _, n := range ids {
		if text, ok := texts[n]; ok {
			fresh = append(fresh, indexed{indexOf(k, text), n})
		}
	}
	return writeIndexes(ctx, tx, org, fresh, `INSERT INTO archived_numbers (org_id, idx, num) VALUES `)
}

func writeIndexes(ctx context.Context, tx *db.Tx, org account.OrgID, fresh []indexed, insert string) error {
	slices.SortFunc(fresh, func(a, b indexed) int { return slices.Compare(a.idx[:], b.idx[:]) }) // neighbours share pages
	for part := range slices.Chunk(fresh, chunk) {
		args := make([]any, 0, 3*len(part))
		for _, f := range part {
			args = append(args, org, f.idx[:], f.num)
		}
		if _, err := tx.Exec(ctx, insert+db.Values(len(part), 3), args...); err != nil {
			return err
		}
	}
	return nil
}

func (b *Book) reindexExcluded(ctx context.Context, tx *db.Tx, org account.OrgID, k *vault.OrgKeys) error {
	type row struct {
		sealed         []byte
		strength, at   int64
		label, addedBy string
	}
	rows, err := db.Select(ctx, tx, func(r db.Scanner) (x row, err error) {
		return x, r.Scan(&x.strength, &x.sealed, &x.label, &x.addedBy, &x.at)
	}, `SELECT strength, sealed, label, added_by, added_at FROM excluded_numbers WHERE org_id = $1`, org)
	if err != nil || len(rows) == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM excluded_numbers WHERE org_id = $1`, org); err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.at, b.at) })
	for _, r := range rows {
		if len(r.sealed) == 0 {
			continue // of somebody whose data was erased: nobody knows the number any more
		}
		text, err := k.Open("excluded_numbers", r.sealed)
		if err != nil {
			return err
		}
		i := indexOf(k, string(text))
		if _, err := tx.Exec(ctx, `INSERT INTO excluded_numbers (org_id, idx, strength, sealed, label, added_by, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			org, i[:], r.strength, r.sealed, r.label, r.addedBy, r.at); err != nil {
			return err
		}
	}
	return nil
}
