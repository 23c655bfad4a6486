// Package dbtest runs a story on every engine: SQLite in a temporary folder and, where PARLEY_TEST_POSTGRES holds a
// connection string, PostgreSQL in a schema of its own.
package dbtest

import (
	"bytes"
	"context"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/platform/db"
	"parley/platform/id"
)

// Schema is a series of schema files that a story needs.
type Schema struct {
	Series string
	Files  fs.FS
}

// Each runs story on every engine with the given schemas in place.
func Each(t *testing.T, story func(t *testing.T, d *db.DB), schemas ...Schema) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { story(t, SQLite(t, schemas...)) })
	if dsn := os.Getenv("PARLEY_TEST_POSTGRES"); dsn != "" {
		t.Run("postgres", func(t *testing.T) { story(t, Postgres(t, dsn, schemas...)) })
	}
}

// SQLite opens a fresh SQLite database that is closed when the test ends.
func SQLite(t testing.TB, schemas ...Schema) *db.DB {
	t.Helper()
	d, err := db.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "test.db"), bytes.Repeat([]byte{7}, db.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	migrate(t, d, schemas)
	return d
}

// Postgres opens a schema of its own in the database at dsn, dropped when the test ends.
func Postgres(t testing.TB, dsn string, schemas ...Schema) *db.DB {
	t.Helper()
	root, err := db.OpenPostgres(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ToLower(id.New("test"))
	if _, err := root.Exec(t.Context(), `CREATE SCHEMA `+name); err != nil {
		t.Fatal(err)
	}
	d, err := db.OpenPostgres(t.Context(), withSearchPath(t, dsn, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if _, err := root.Exec(context.Background(), `DROP SCHEMA `+name+` CASCADE`); err != nil {
			t.Error(err)
		}
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	migrate(t, d, schemas)
	return d
}

func withSearchPath(t testing.TB, dsn, schema string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

func migrate(t testing.TB, d *db.DB, schemas []Schema) {
	t.Helper()
	for _, s := range schemas {
		if err := d.Migrate(t.Context(), s.Series, s.Files); err != nil {
			t.Fatal(err)
		}
	}
}
