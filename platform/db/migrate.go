package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"

	"parley/platform/fault"
)

// Schema says what the one table holds that every database has: which schema files were applied.
//
//go:embed schema/data.tsv
var Schema embed.FS

// Migrate brings one series of schema files to its newest version, each file in a transaction of its own. Files are
// named 0001_what.sql; where the engines differ, 0001_what.sqlite.sql and 0001_what.postgres.sql stand as a pair. DDL is
// written for SQLite; BLOB becomes BYTEA and WITHOUT ROWID is dropped for PostgreSQL.
//
// A database whose series is newer than the files is refused: an older program must not write to it.
func (d *DB) Migrate(ctx context.Context, series string, files fs.FS) error {
	if _, err := d.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_versions (series TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)`); err != nil {
		return err
	}
	steps, err := d.steps(files)
	if err != nil {
		return err
	}
	have, err := d.schemaVersion(ctx, series)
	if err != nil {
		return err
	}
	if have > len(steps) {
		return fault.New(fault.Unavailable, "The data was written by a newer Parley (its %q tables have version %d, this program knows %d). "+
			"Start that newer version, or restore a backup made before the upgrade.", series, have, len(steps))
	}
	for v := have + 1; v <= len(steps); v++ {
		if err := d.apply(ctx, series, v, files, steps[v-1]); err != nil {
			return fmt.Errorf("schema %s: %s: %w", series, steps[v-1], err)
		}
	}
	if have < len(steps) || d.engine != SQLite || d.estimated {
		return nil
	}
	d.estimated = true // one time is enough for the tables of an older version
	return d.Tx(ctx, func(tx *Tx) error { return estimate(ctx, tx) })
}

func (d *DB) schemaVersion(ctx context.Context, series string) (int, error) {
	v, _, err := One(ctx, d, func(r Scanner) (v int, err error) { return v, r.Scan(&v) },
		`SELECT version FROM schema_versions WHERE series = $1`, series)
	return v, err
}

// steps lists the files for this engine; the n-th has version n+1.
func (d *DB) steps(files fs.FS) ([]string, error) {
	all, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		if all, err = fs.Glob(files, "*/*.sql"); err != nil {
			return nil, err
		}
	}
	var mine []string
	for _, f := range all {
		base := strings.TrimSuffix(path.Base(f), ".sql")
		if e := path.Ext(base); e == "" || e == "."+string(d.engine) {
			mine = append(mine, f)
		}
	}
	sort.Strings(mine)
	for i, f := range mine {
		if n, err := strconv.Atoi(strings.SplitN(path.Base(f), "_", 2)[0]); err != nil || n != i+1 {
			return nil, fmt.Errorf("schema file %s should have number %d", f, i+1)
		}
	}
	return mine, nil
}

func (d *DB) apply(ctx context.Context, series string, version int, files fs.FS, name string) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	return d.Tx(ctx, func(tx *Tx) error {
		for _, statement := range statements(string(text)) {
			if d.engine == Postgres {
				statement = strings.NewReplacer(" BLOB", " BYTEA", "WITHOUT ROWID", "").Replace(statement)
			}
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		if d.engine == SQLite {
			if err := estimate(ctx, tx); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO schema_versions (series, version) VALUES ($1, $2)
			ON CONFLICT (series) DO UPDATE SET version = excluded.version`, series, version)
		return err
	})
}

// statements splits a schema file at the semicolons that end its lines, after dropping comments.
func statements(text string) []string {
	var clean strings.Builder
	for line := range strings.Lines(text) {
		if i := strings.Index(line, "--"); i >= 0 {
			line = line[:i] + "\n"
		}
		clean.WriteString(line)
	}
	var out []string
	for s := range strings.SplitSeq(clean.String(), ";\n") {
		if s = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), ";")); s != "" {
			out = append(out, s)
		}
	}
	return out
}
