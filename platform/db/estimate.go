package db

import (
	"context"
	"strconv"
	"strings"
)

// What SQLite's planner is told of every index that begins with the organisation. Left to itself it takes such a column for one
// that few rows share, and then reads a whole organisation to find the rows of one person. Real statistics would be no better:
// they are gathered when there is little, and what is right for little is wrong for a million. PostgreSQL keeps its own.
const (
	rowsOfAll    = 1_000_000 // of a table
	rowsOfOrg    = 300_000   // fewer than all: an index that leaves nothing out would not be looked at
	rowsOfSome   = 10        // that share the second column, such as a person; one less for each further column
	fewestShared = 2
)

// isCoarse names the columns of which an organisation has a handful of values: they narrow a search down, and not by much.
func isCoarse(column string) bool {
	switch column {
	case "pipeline", "state", "stage", "field":
		return true
	}
	return false
}

// index is one that begins with the organisation.
type index struct {
	table, name string
	entry       string // its name in the statistics: the table's where the index is the table itself
	unique      bool
}

// estimate writes down what the planner is to expect of indexes of which nothing is said yet, in the transaction that makes
// them, so that every connection learns of both at once.
func estimate(ctx context.Context, tx *Tx) error {
	var there bool
	if err := tx.Row(ctx, `SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'sqlite_stat1'`).Scan(&there); err != nil {
		return err
	}
	if !there {
		for _, q := range []string{`ANALYZE schema_versions`, `DELETE FROM sqlite_stat1`} { // nothing else can make that table
			if _, err := tx.Exec(ctx, q); err != nil {
				return err
			}
		}
	}
	fresh, err := Select(ctx, tx, func(r Scanner) (x index, err error) { return x, r.Scan(&x.table, &x.name, &x.entry, &x.unique) },
		`SELECT tbl, name, entry, uniq FROM (
			SELECT m.name AS tbl, i.name AS name, i."unique" AS uniq, CASE WHEN i.origin = 'pk' AND m.sql LIKE '%WITHOUT ROWID%' THEN m.name ELSE i.name END AS entry
			FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.type = 'table') AS x
		WHERE NOT EXISTS (SELECT 1 FROM sqlite_stat1 s WHERE s.tbl = x.tbl AND s.idx = x.entry)`)
	if err != nil || len(fresh) == 0 {
		return err
	}
	for _, x := range fresh {
		columns, err := Select(ctx, tx, func(r Scanner) (c string, err error) { return c, r.Scan(&c) }, `SELECT coalesce(name, '') FROM pragma_index_info($1) ORDER BY seqno`, x.name)
		if err != nil {
			return err
		}
		if columns[0] != "org_id" {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ($1, $2, $3)`, x.table, x.entry, expected(columns, x.unique)); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `ANALYZE sqlite_schema`) // reads what was written
	return err
}

// expected is what the statistics say of an index: how many rows there are, and how many of them share the first column, the first
// two, and so on.
func expected(columns []string, unique bool) string {
	if unique && len(columns) == 1 {
		return strconv.Itoa(rowsOfAll) + " 1"
	}
	share := rowsOfOrg
	out := []string{strconv.Itoa(rowsOfAll), strconv.Itoa(share)}
	for i, c := range columns[1:] {
		switch {
		case unique && i == len(columns)-2:
			share = 1
		case isCoarse(c):
			share = max(share/4, fewestShared)
		default:
			share = max(min(share, rowsOfSome-i), fewestShared)
		}
		out = append(out, strconv.Itoa(share))
	}
	return strings.Join(out, " ")
}
