// Package expire describes rows that come to their end by age, so that the package that owns them says once how they are
// found, counted and removed, and whoever carries out the rules does it the same way everywhere.
package expire

import (
	"context"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
)

// Row is the smallest thing that ends as a whole: one row, or all rows of a day where they are nobody's.
type Row struct {
	Key   string
	Who   string // the person it is about, as "kind/id"; "" where no person can be told
	At    time.Time
	Rows  int64
	Bytes int64
}

// Table is a kind of rows that end by age. The three queries get the organisation as $1, Due and Remove the moment before
// which rows are old as $2 (Unix ms), Remove the key of one row as $3.
type Table struct {
	Name     string // "sessions": unique
	Category string // key of the policy
	Part     string // of the category, where it is not the whole
	From     string // what the age counts from, a word of the policy or one of ours
	Days     int    // how long they are kept; 0 = the policy says
	Routine  bool   // nobody is told before

	Count  string
	Due    string // gives key, person, Unix ms, rows, bytes
	Remove string
	// Do removes one row where that takes more than a statement. Remove is not used then.
	Do func(ctx context.Context, tx *db.Tx, org int64, before time.Time, row Row) (rows int64, err error)
}

// Old lists what has come to its end before a moment.
func (t *Table) Old(ctx context.Context, c db.Conn, org int64, before time.Time) ([]Row, error) {
	return db.Select(ctx, c, func(r db.Scanner) (x Row, err error) {
		var ms int64
		err = r.Scan(&x.Key, &x.Who, &ms, &x.Rows, &x.Bytes)
		x.At = time.UnixMilli(ms)
		return x, err
	}, t.Due, org, before.UnixMilli())
}

// All tells how many rows there are, old or not.
func (t *Table) All(ctx context.Context, c db.Conn, org int64) (n int64, err error) {
	return n, c.Row(ctx, t.Count, org).Scan(&n)
}

// Clear removes exactly these rows, in one transaction, once gate has let it. A row that changed since it was listed stops
// all of it with a Conflict.
func (t *Table) Clear(ctx context.Context, d *db.DB, org int64, before time.Time, rows []Row, gate func(context.Context, db.Conn) error) (removed int64, err error) {
	err = d.Tx(ctx, func(tx *db.Tx) error {
		removed = 0
		if err := gate(ctx, tx); err != nil {
			return err
		}
		for _, row := range rows {
			n, err := t.remove(ctx, tx, org, before, row)
			if err != nil {
				return err
			}
			if n != row.Rows {
				return fault.New(fault.Conflict, "Rows of %s came or went meanwhile, so none was removed.", t.Name)
			}
			removed += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

func (t *Table) remove(ctx context.Context, tx *db.Tx, org int64, before time.Time, row Row) (int64, error) {
	if t.Do != nil {
		return t.Do(ctx, tx, org, before, row)
	}
	return tx.Exec(ctx, t.Remove, org, before.UnixMilli(), row.Key)
}

// Files are rows with parts in other tables, that end together after they were closed. closed is the moment as a column or
// expression (0 while it is open), who the person as "kind/id", key the column of the parts that holds the row's id.
func Files(t Table, table, closed, who, key string, parts ...string) Table {
	old := ` FROM ` + table + ` WHERE org_id = $1 AND ` + closed + ` > 0 AND ` + closed + ` < $2`
	t.Count = `SELECT count(*) FROM ` + table + ` WHERE org_id = $1`
	t.Due = `SELECT id, ` + who + `, ` + closed + `, 1, 0` + old
	t.Do = func(ctx context.Context, tx *db.Tx, org int64, before time.Time, row Row) (int64, error) {
		n, err := tx.Exec(ctx, `DELETE`+old+` AND id = $3`, org, before.UnixMilli(), row.Key)
		for _, part := range parts {
			if err == nil && n > 0 {
				_, err = tx.Exec(ctx, `DELETE FROM `+part+` WHERE org_id = $1 AND `+key+` = $2`, org, row.Key)
			}
		}
		return n, err
	}
	return t
}
