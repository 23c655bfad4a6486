// Package duck asks DuckDB, in this process and on one thread.
package duck

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"parley/bench/contract"
	"parley/bench/measure"
	"parley/bench/seed"
)

// Engine is a DuckDB file and one connection to it.
type Engine struct {
	path      string
	connector *duckdb.Connector
	db        *sql.DB
	conn      *sql.Conn
	version   string
}

// Open makes a database file in dir.
func Open(ctx context.Context, dir string) (*Engine, error) {
	e := &Engine{path: filepath.Join(dir, "calls.duckdb")}
	var err error
	if e.connector, err = duckdb.NewConnector(e.path+"?threads=1", nil); err != nil {
		return nil, err
	}
	e.db = sql.OpenDB(e.connector)
	if e.conn, err = e.db.Conn(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if err := e.conn.QueryRowContext(ctx, `SELECT version()`).Scan(&e.version); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Name names the engine.
func (e *Engine) Name() string { return "DuckDB" }

// Version names the version and the settings that matter.
func (e *Engine) Version() string { return e.version + ", threads=1, sorted by time, no primary key" }

// Load appends the stream, drops repeats and stores the calls in order of time, which DuckDB's zone maps live on. There
// is no key: loading the same calls again would keep them twice.
func (e *Engine) Load(ctx context.Context, s *seed.Stream) error {
	const columns = `day INTEGER, agent INTEGER, start BIGINT, num INTEGER, type TINYINT, line TINYINT, seconds INTEGER`
	if _, err := e.conn.ExecContext(ctx, `CREATE TABLE arrived (`+columns+`)`); err != nil {
		return err
	}
	if err := e.conn.Raw(func(c any) error { return appendAll(c.(driver.Conn), s) }); err != nil {
		return err
	}
	for _, step := range []string{
		`CREATE TABLE calls AS SELECT DISTINCT day, agent, start, num, type, line, seconds FROM arrived ORDER BY start, agent`,
		`DROP TABLE arrived`,
		`CHECKPOINT`,
	} {
		if _, err := e.conn.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return nil
}

func appendAll(c driver.Conn, s *seed.Stream) error {
	a, err := duckdb.NewAppenderFromConn(c, "", "arrived")
	if err != nil {
		return err
	}
	for _, r := range s.Calls {
		if err := a.AppendRow(r.Day(), int32(r.Agent), r.Millis(), int32(r.Number), int8(r.Type), int8(r.Line), int32(r.Seconds)); err != nil {
			return errors.Join(err, a.Close())
		}
	}
	return a.Close()
}

// Run asks one question.
func (e *Engine) Run(ctx context.Context, q contract.Query) (contract.Result, error) {
	if q.Kind == contract.AtOnce {
		return q.OneByOne(func(q contract.Query) (contract.Result, error) { return e.Run(ctx, q) })
	}
	text, err := q.SQL(contract.Dialect{Divide: "//"})
	if err != nil {
		return nil, err
	}
	rows, err := e.conn.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out contract.Result
	n := len(q.Kind.Columns())
	for rows.Next() {
		row := make([]int64, n)
		cells := make([]any, n)
		for i := range row {
			cells[i] = &row[i]
		}
		if err := rows.Scan(cells...); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// CPU is this process's: nothing else runs in it while DuckDB answers.
func (e *Engine) CPU() (time.Duration, error) { return measure.Own() }

// Bytes is the database file. Space that loading freed is still in it; DuckDB reuses it and never gives it back, so
// only the blocks in use count.
func (e *Engine) Bytes(ctx context.Context) (int64, error) {
	var used, size int64
	err := e.conn.QueryRowContext(ctx, `SELECT used_blocks, block_size FROM pragma_database_size()`).Scan(&used, &size)
	return used * size, err
}

// Close closes the database and removes its file.
func (e *Engine) Close() error {
	var err error
	if e.conn != nil {
		err = e.conn.Close()
	}
	if e.db != nil {
		err = errors.Join(err, e.db.Close())
	}
	return errors.Join(err, os.RemoveAll(e.path))
}
