package db_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

func notes() dbtest.Schema {
	return dbtest.Schema{Series: "notes", Files: fstest.MapFS{
		"0001_notes.sql": {Data: []byte("-- a comment; with a semicolon\nCREATE TABLE notes (org_id BIGINT NOT NULL, id BIGINT NOT NULL, text TEXT NOT NULL, blob BLOB,\n PRIMARY KEY (org_id, id)) WITHOUT ROWID;\nCREATE INDEX notes_text ON notes (org_id, text);\n")},
	}}
}

func TestPlaceholdersMeanTheSameOnBothEngines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var got string
		if err := d.Row(t.Context(), `SELECT $2 || $1`, "b", "a").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != "ab" {
			t.Errorf("got %q, want ab", got)
		}
	})
}

func TestATransactionIsAllOrNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		boom := errors.New("boom")
		err := d.Tx(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO notes (org_id, id, text) VALUES ($1, $2, $3)`, 1, 1, "lost"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v, want boom", err)
		}
		if _, err := d.Exec(ctx, `INSERT INTO notes (org_id, id, text) VALUES ($1, $2, $3)`, 1, 1, "kept"); err != nil {
			t.Fatal(err)
		}
		_, err = d.Exec(ctx, `INSERT INTO notes (org_id, id, text) VALUES ($1, $2, $3)`, 1, 1, "twice")
		if !db.IsUnique(err) {
			t.Errorf("a second row with the same key gave %v, want a unique violation", err)
		}
		texts, err := db.Select(ctx, d, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) }, `SELECT text FROM notes WHERE org_id = $1`, 1)
		if err != nil || len(texts) != 1 || texts[0] != "kept" {
			t.Errorf("got %v, %v; want just the kept row", texts, err)
		}
	}, notes())
}

func TestAReaderSeesOneSnapshot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		count := func(c db.Conn) (n int) {
			if err := c.Row(ctx, `SELECT count(*) FROM notes`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		err := d.Read(ctx, func(tx *db.Tx) error {
			if count(tx) != 0 {
				t.Error("not empty at first")
			}
			if _, err := d.Exec(ctx, `INSERT INTO notes (org_id, id, text) VALUES (1, 1, 'x')`); err != nil {
				return err
			}
			if count(tx) != 0 {
				t.Error("a write showed inside a running snapshot")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if count(d) != 1 {
			t.Error("the write was lost")
		}
	}, notes())
}

func TestANewerSchemaIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if _, err := d.Exec(t.Context(), `UPDATE schema_versions SET version = 99 WHERE series = 'notes'`); err != nil {
			t.Fatal(err)
		}
		err := d.Migrate(t.Context(), "notes", notes().Files)
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), "newer") {
			t.Errorf("got %v, want a refusal that names the newer program", err)
		}
	}, notes())
}

func TestTheFileIsUnreadableWithoutItsKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	key := bytes.Repeat([]byte{1}, db.KeyBytes)
	d, err := db.OpenSQLite(t.Context(), path, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Migrate(t.Context(), "notes", notes().Files); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Exec(t.Context(), `INSERT INTO notes (org_id, id, text) VALUES (1, 1, 'canary-0123456789')`); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{path, path + "-wal"} {
		raw, err := os.ReadFile(f)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("canary-0123456789")) || bytes.Contains(raw, []byte("SQLite format 3")) {
			t.Errorf("%s can be read without the key", f)
		}
	}
	if _, err := db.OpenSQLite(t.Context(), path, bytes.Repeat([]byte{2}, db.KeyBytes)); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "master key") {
		t.Errorf("another key gave %v, want a refusal that speaks of the master key", err)
	}
	if _, err := db.OpenSQLite(t.Context(), path, key[:32]); err == nil {
		t.Error("a key of 32 bytes, which would mean AES-128, was taken")
	}
}

func TestACopyOpensUnderTheSameKey(t *testing.T) {
	d := dbtest.SQLite(t, notes())
	ctx := t.Context()
	if _, err := d.Exec(ctx, `INSERT INTO notes (org_id, id, text) VALUES (1, 1, 'x')`); err != nil {
		t.Fatal(err)
	}
	key := bytes.Repeat([]byte{7}, db.KeyBytes)
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := d.CopyTo(ctx, path, key); err != nil {
		t.Fatal(err)
	}
	c, err := db.OpenSQLite(ctx, path, key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var n int
	if err := c.Row(ctx, `SELECT count(*) FROM notes`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows in the copy, %v; want 1", n, err)
	}
	if err := c.Check(ctx); err != nil {
		t.Error(err)
	}
}

func TestADamagedFileIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	key := bytes.Repeat([]byte{1}, db.KeyBytes)
	if err := os.WriteFile(path, bytes.Repeat([]byte("damaged "), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := db.OpenSQLite(t.Context(), path, key); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestNoFileOfADatabaseCanBeReadByOthers(t *testing.T) {
	before := syscall.Umask(0)
	defer syscall.Umask(before)
	dir := t.TempDir()
	key := bytes.Repeat([]byte{7}, db.KeyBytes)
	d, err := db.OpenSQLite(t.Context(), filepath.Join(dir, "a.db"), key)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context(), "notes", notes().Files); err != nil {
		t.Fatal(err)
	}
	if err := d.CopyTo(t.Context(), filepath.Join(dir, "copy.db"), key); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 4 {
		t.Fatalf("there are %d files (%v), want the database, its log, its shared memory and the copy", len(files), err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", f.Name(), info.Mode().Perm())
		}
	}
}
