package pg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/bench/contract"
	"parley/bench/measure"
	"parley/bench/seed"
)

// Engine is a connection to PostgreSQL and the backend process behind it.
type Engine struct {
	server  *server // nil when the server is not ours
	conn    *pgx.Conn
	pid     int
	schema  string
	version string
}

// Open starts a server below dir, or connects to the one at PARLEY_BENCH_POSTGRES, where it works in a schema of its
// own. The backend is bound to core unless that is negative.
func Open(ctx context.Context, dir string, core int) (*Engine, error) {
	e := &Engine{schema: fmt.Sprintf("parley_bench_%d", os.Getpid())}
	dsn := os.Getenv("PARLEY_BENCH_POSTGRES")
	if dsn == "" {
		var err error
		if e.server, err = startServer(ctx, dir); err != nil {
			return nil, err
		}
		dsn = e.server.dsn()
	}
	if err := e.connect(ctx, dsn, core); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Engine) connect(ctx context.Context, dsn string, core int) (err error) {
	if e.conn, err = pgx.Connect(ctx, dsn); err != nil {
		return err
	}
	if err := e.conn.QueryRow(ctx, `SELECT pg_backend_pid(), current_setting('server_version')`).Scan(&e.pid, &e.version); err != nil {
		return err
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", e.pid))
	if err != nil || !strings.HasPrefix(string(name), "postgres") {
		return errors.New("the PostgreSQL server does not run on this machine, so its processor time cannot be measured; unset PARLEY_BENCH_POSTGRES or point it to a local server")
	}
	if core >= 0 && e.server == nil { // our own server has inherited the core
		if err := measure.Pin(e.pid, core); err != nil {
			return fmt.Errorf("binding PostgreSQL's process %d to core %d: %w", e.pid, core, err)
		}
	}
	for _, set := range []string{"SET max_parallel_workers_per_gather = 0", "SET jit = off", "CREATE SCHEMA " + e.schema, "SET search_path = " + e.schema} {
		if _, err := e.conn.Exec(ctx, set); err != nil {
			return err
		}
	}
	return nil
}

// Name names the engine.
func (e *Engine) Name() string { return "PostgreSQL" }

// Version names the version and the settings that matter.
func (e *Engine) Version() string {
	v, _, _ := strings.Cut(e.version, " ")
	if e.server == nil {
		return v + ", the server at PARLEY_BENCH_POSTGRES, no parallel workers, jit off"
	}
	return v + ", " + strings.Join(settings(), " ")
}

// Load copies the stream in, drops repeats and stores the calls in order of time; then come the indexes, one for each
// way to a call (by time covering all reports, by agent covering all reports, by number), and VACUUM ANALYZE.
func (e *Engine) Load(ctx context.Context, s *seed.Stream) error {
	const columns = `day INTEGER NOT NULL, agent INTEGER NOT NULL, start BIGINT NOT NULL, num INTEGER NOT NULL, type SMALLINT NOT NULL, line SMALLINT NOT NULL, seconds INTEGER NOT NULL`
	if _, err := e.conn.Exec(ctx, `CREATE UNLOGGED TABLE arrived (`+columns+`)`); err != nil {
		return err
	}
	i := 0
	row := make([]any, 7)
	_, err := e.conn.CopyFrom(ctx, pgx.Identifier{"arrived"}, []string{"day", "agent", "start", "num", "type", "line", "seconds"},
		pgx.CopyFromFunc(func() ([]any, error) {
			if i == len(s.Calls) {
				return nil, nil
			}
			c := s.Calls[i]
			i++
			row[0], row[1], row[2], row[3], row[4], row[5], row[6] = c.Day(), int32(c.Agent), c.Millis(), int32(c.Number), int16(c.Type), int16(c.Line), int32(c.Seconds)
			return row, nil
		}))
	if err != nil {
		return err
	}
	for _, step := range []string{
		`CREATE TABLE calls (` + columns + `)`,
		`INSERT INTO calls SELECT DISTINCT day, agent, start, num, type, line, seconds FROM arrived ORDER BY day, start, agent`,
		`DROP TABLE arrived`,
		`CREATE UNIQUE INDEX calls_agent ON calls (agent, day, start, num, line) INCLUDE (type, seconds)`,
		`CREATE INDEX calls_time ON calls (day, start, agent) INCLUDE (num, type, seconds)`,
		`CREATE INDEX calls_number ON calls (num, day)`,
		`VACUUM (ANALYZE) calls`,
		`CHECKPOINT`,
	} {
		if _, err := e.conn.Exec(ctx, step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return nil
}

// Run asks one question.
func (e *Engine) Run(ctx context.Context, q contract.Query) (contract.Result, error) {
	if q.Kind == contract.AtOnce {
		return q.OneByOne(func(q contract.Query) (contract.Result, error) { return e.Run(ctx, q) })
	}
	text, err := q.SQL(contract.Dialect{Divide: "/"})
	if err != nil {
		return nil, err
	}
	rows, err := e.conn.Query(ctx, text)
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

// CPU is the backend's processor time; the client's is not counted.
func (e *Engine) CPU() (time.Duration, error) { return measure.Of(e.pid) }

// Bytes is the table with its indexes.
func (e *Engine) Bytes(ctx context.Context) (n int64, err error) {
	return n, e.conn.QueryRow(ctx, `SELECT pg_total_relation_size('calls')`).Scan(&n)
}

// Close ends the server, or removes the schema from one that is not ours.
func (e *Engine) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // also after the run was cut short
	defer cancel()
	var err error
	if e.conn != nil {
		if e.server == nil {
			_, err = e.conn.Exec(ctx, `DROP SCHEMA IF EXISTS `+e.schema+` CASCADE`)
		}
		err = errors.Join(err, e.conn.Close(ctx))
	}
	if e.server != nil {
		err = errors.Join(err, e.server.stop())
	}
	return err
}
