// Package db opens the two engines Parley runs on, embedded SQLite in an encrypted file and PostgreSQL, and gives both
// one face: a writer, snapshots for readers, and SQL in $1 form.
//
// It is the only importer of either driver.
package db

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"parley/platform/fault"
)

// Engine names a database engine.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Conn runs statements: a *DB runs each by itself, a *Tx all in one transaction. Placeholders are $1, $2, … on both
// engines.
type Conn interface {
	// Exec runs a statement and tells how many rows it changed.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	Rows(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	Row(ctx context.Context, query string, args ...any) *sql.Row
	Engine() Engine
}

// Scanner is one row to be scanned.
type Scanner interface{ Scan(dest ...any) error }

// DB is an open database.
type DB struct {
	engine Engine
	path   string // of the SQLite file
	pool   *sql.DB

	// SQLite only: one writer connection, and reader connections that keep their prepared statements.
	write   sync.Mutex
	writer  *session
	readers chan *session
	master  *sql.DB // the pool the writer was taken from
	// estimated says that the planner knows what to expect of the tables that were there when the program began.
	estimated bool
}

// Engine tells which engine d is.
func (d *DB) Engine() Engine { return d.engine }

// Path is the SQLite file, or "" on PostgreSQL.
func (d *DB) Path() string { return d.path }

// Tx runs fn in one read-write transaction, committed when fn returns nil. On SQLite there is one writer at a time; on
// PostgreSQL fn may run again when the engine asks for a retry, so it must not have effects of its own.
func (d *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	if d.engine == SQLite {
		d.write.Lock()
		defer d.write.Unlock()
		return explain(d.writer.transact(ctx, "BEGIN IMMEDIATE", fn))
	}
	var err error
	for range 10 {
		if err = d.attempt(ctx, nil, fn); !isRetryable(err) {
			break
		}
	}
	return explain(err)
}

// Read runs fn on one snapshot of the data.
func (d *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	if d.engine == SQLite {
		select {
		case s := <-d.readers:
			defer func() { d.readers <- s }()
			return explain(s.transact(ctx, "BEGIN", fn))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return explain(d.attempt(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, fn))
}

func (d *DB) attempt(ctx context.Context, o *sql.TxOptions, fn func(tx *Tx) error) error {
	t, err := d.pool.BeginTx(ctx, o)
	if err != nil {
		return err
	}
	if err := fn(&Tx{run: t, engine: d.engine}); err != nil {
		return errors.Join(err, ignoreDone(t.Rollback()))
	}
	return t.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// Exec runs one statement in a transaction of its own.
func (d *DB) Exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = d.Tx(ctx, func(tx *Tx) error {
		n, err = tx.Exec(ctx, query, args...)
		return err
	})
	return n, err
}

// Rows runs a query on a connection of the reader pool.
func (d *DB) Rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.pool.QueryContext(ctx, d.dialect(query), args...)
}

// Row runs a query of one row on a connection of the reader pool.
func (d *DB) Row(ctx context.Context, query string, args ...any) *sql.Row {
	return d.pool.QueryRowContext(ctx, d.dialect(query), args...)
}

func (d *DB) dialect(query string) string {
	if d.engine == SQLite {
		return numbered(query)
	}
	return query
}

// Close ends all connections.
func (d *DB) Close() error {
	var errs []error
	if d.engine == SQLite {
		d.write.Lock()
		defer d.write.Unlock()
		for range cap(d.readers) {
			errs = append(errs, (<-d.readers).close())
		}
		errs = append(errs, d.pool.Close(), d.writer.close(), d.master.Close())
		return errors.Join(errs...)
	}
	return d.pool.Close()
}

// runner is what a transaction runs on: *sql.Tx or a session.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Tx is a running transaction.
type Tx struct {
	run    runner
	engine Engine
}

// Engine tells which engine the transaction runs on.
func (t *Tx) Engine() Engine { return t.engine }

// Exec runs a statement and tells how many rows it changed.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := t.run.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Rows runs a query.
func (t *Tx) Rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.run.QueryContext(ctx, query, args...)
}

// Row runs a query of one row.
func (t *Tx) Row(ctx context.Context, query string, args ...any) *sql.Row {
	return t.run.QueryRowContext(ctx, query, args...)
}

// Select collects what scan makes of each row.
func Select[T any](ctx context.Context, c Conn, scan func(row Scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := c.Rows(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, explain(rows.Err())
}

// One is Select for a query of at most one row; ok tells whether there was one.
func One[T any](ctx context.Context, c Conn, scan func(row Scanner) (T, error), query string, args ...any) (v T, ok bool, err error) {
	all, err := Select(ctx, c, scan, query, args...)
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}

// In writes a list of n placeholders that starts at $first: In(3, 2) is "($3,$4)".
func In(first, n int) string {
	var b strings.Builder
	b.WriteByte('(')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(first + i))
	}
	b.WriteByte(')')
	return b.String()
}

// Values writes placeholders for a multi-row insert: Values(2, 2) is "($1,$2),($3,$4)".
func Values(rows, cols int) string {
	parts := make([]string, rows)
	for i := range parts {
		parts[i] = In(i*cols+1, cols)
	}
	return strings.Join(parts, ",")
}

// explain turns engine errors that an operator can mend into sentences.
func explain(err error) error {
	if errors.Is(err, sqlite3.IOERR_WRITE) {
		return fault.Wrap(fault.Unavailable, err, "The disk that holds the data is full or failing, so nothing was saved. Free some space and try again.")
	}
	if IsFull(err) {
		return fault.Wrap(fault.Unavailable, err, "The disk that holds the data is full, so nothing was saved. Free some space and try again.")
	}
	if isCharacter(err) {
		return fault.Wrap(fault.Invalid, err, "A text holds a character that cannot be stored (a NUL, or broken UTF-8). Remove it and try again.")
	}
	return err
}
