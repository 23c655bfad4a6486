package db

import (
	"context"
	"strings"
)

// copyChunk is how many rows one statement of CopyRows writes.
const copyChunk = 20

// CopyRows puts the rows that another database has of an organisation in a table in the place of those here. Both have the
// same tables. change, which may be nil, gives the value that a column gets.
func CopyRows(ctx context.Context, from Conn, to *Tx, table string, org int64, change func(column string, value any) (any, error)) error {
	if _, err := to.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1`, org); err != nil {
		return err
	}
	rows, err := from.Rows(ctx, `SELECT * FROM `+table+` WHERE org_id = $1`, org)
	if err != nil {
		return explain(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	insert := `INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `) VALUES `
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var args []any
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := to.Exec(ctx, insert+Values(len(args)/len(columns), len(columns)), args...)
		args = args[:0]
		return err
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			if change != nil {
				if v, err = change(columns[i], v); err != nil {
					return err
				}
			}
			args = append(args, v)
		}
		if len(args) == copyChunk*len(columns) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return explain(err)
	}
	return flush()
}
