package db_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// Rows of one person are found by the index on persons, and not by reading the whole organisation: on new tables, on those that an
// older version made, and on every connection.
func TestTheEmbeddedDatabaseFindsRowsByTheirIndex(t *testing.T) {
	first := fstest.MapFS{"0001_leads.sql": {Data: []byte(`CREATE TABLE leads (org_id BIGINT NOT NULL, lead TEXT NOT NULL, contact TEXT NOT NULL, state INTEGER NOT NULL, PRIMARY KEY (org_id, lead)) WITHOUT ROWID;
CREATE INDEX leads_contact ON leads (org_id, contact);
CREATE INDEX leads_state ON leads (org_id, state);
`)}}
	d := dbtest.SQLite(t, dbtest.Schema{Series: "leads", Files: first})
	plan := func(query string) string {
		t.Helper()
		var all []string
		for name, read := range map[string]func(func(*db.Tx) error) error{
			"a reader": func(do func(*db.Tx) error) error { return d.Read(t.Context(), do) }, "the writer": func(do func(*db.Tx) error) error { return d.Tx(t.Context(), do) },
		} {
			if err := read(func(tx *db.Tx) error {
				steps, err := db.Select(t.Context(), tx, func(r db.Scanner) (s string, err error) {
					var n, up, none int
					return s, r.Scan(&n, &up, &none, &s)
				}, `EXPLAIN QUERY PLAN `+query)
				all = append(all, strings.Join(steps, "; "))
				return err
			}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if all[0] != all[1] {
			t.Errorf("a reader and the writer differ: %q", all)
		}
		return all[0]
	}
	find := func(when string) {
		t.Helper()
		for query, index := range map[string]string{
			`SELECT * FROM leads WHERE org_id = 1 AND contact IN ('a', 'b')`:               "leads_contact (org_id=? AND contact=?)",
			`DELETE FROM leads WHERE org_id = 1 AND contact = 'a' AND state = 'b'`:         "leads_contact (org_id=? AND contact=?)",
			`SELECT * FROM leads WHERE org_id = 1 AND contact IN ('a', 'b') AND lead > ''`: "leads_contact (org_id=? AND contact=?",
			`SELECT * FROM leads WHERE org_id = 1`:                                         "PRIMARY KEY (org_id=?)",
		} {
			if got := plan(query); !strings.Contains(got, index) {
				t.Errorf("%s: %s goes by %s", when, query, got)
			}
		}
	}
	find("new tables")
	for _, q := range []string{`DELETE FROM sqlite_stat1`, `INSERT INTO sqlite_stat1 VALUES ('leads', 'leads', '10 1 1')`, `DROP TABLE sqlite_stat1`} {
		if _, err := d.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Migrate(t.Context(), "leads", first); err != nil {
		t.Fatal(err)
	}
	find("tables of an older version")
	second := fstest.MapFS{"0001_leads.sql": first["0001_leads.sql"], "0002_tags.sql": {Data: []byte(`CREATE TABLE tags (org_id BIGINT NOT NULL, tag TEXT NOT NULL, lead TEXT NOT NULL, PRIMARY KEY (org_id, tag, lead)) WITHOUT ROWID;
CREATE INDEX tags_lead ON tags (org_id, lead);
`)}}
	if err := d.Migrate(t.Context(), "leads", second); err != nil {
		t.Fatal(err)
	}
	if got := plan(`SELECT tag FROM tags WHERE org_id = 1 AND lead = 'a'`); !strings.Contains(got, "tags_lead (org_id=? AND lead=?)") {
		t.Errorf("a later table goes by %s", got)
	}
}
