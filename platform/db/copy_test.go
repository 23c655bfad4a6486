package db_test

import (
	"slices"
	"strconv"
	"testing"
	"testing/fstest"

	"parley/platform/db"
	"parley/platform/db/dbtest"
)

func TestRowsOfOneOrganisationAreCopied(t *testing.T) {
	schema := dbtest.Schema{Series: "copy", Files: fstest.MapFS{"schema/0001_copy.sql": {Data: []byte(
		`CREATE TABLE things (org_id BIGINT NOT NULL, n BIGINT NOT NULL, word TEXT, raw BLOB, PRIMARY KEY (org_id, n)) WITHOUT ROWID;`)}}}
	dbtest.Each(t, func(t *testing.T, here *db.DB) {
		ctx := t.Context()
		there := dbtest.SQLite(t, schema)
		if _, err := here.Exec(ctx, `INSERT INTO things (org_id, n, word, raw) VALUES (1, 99, 'of before', $1), (2, 1, 'of another', $1)`, []byte{}); err != nil {
			t.Fatal(err)
		}
		for n := range 45 { // more than two statements' worth
			if _, err := there.Exec(ctx, `INSERT INTO things (org_id, n, word, raw) VALUES (1, $1, $2, $3), (2, $4, '', NULL)`, n, "word "+strconv.Itoa(n), []byte{byte(n), 0, 255}, 100+n); err != nil {
				t.Fatal(err)
			}
		}
		if err := here.Tx(ctx, func(tx *db.Tx) error {
			return db.CopyRows(ctx, there, tx, "things", 1, func(column string, v any) (any, error) {
				if column == "word" && v == "word 3" {
					return "changed", nil
				}
				return v, nil
			})
		}); err != nil {
			t.Fatal(err)
		}
		type row struct {
			org, n int64
			word   string
			raw    []byte
		}
		got, err := db.Select(ctx, here, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.org, &x.n, &x.word, &x.raw) },
			`SELECT org_id, n, word, raw FROM things ORDER BY org_id, n`)
		if err != nil || len(got) != 46 {
			t.Fatalf("%d rows (%v)", len(got), err)
		}
		if got[3].word != "changed" || got[4].word != "word 4" || !slices.Equal(got[44].raw, []byte{44, 0, 255}) || got[45].word != "of another" {
			t.Errorf("the rows are %v, %v, %v, %v", got[3], got[4], got[44], got[45])
		}
	}, schema)
}
