package db

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	_ "github.com/ncruces/go-sqlite3/vfs/xts" // the encrypting file system

	"parley/platform/fault"
)

// KeyBytes is the only length of key that makes the file system use AES-256.
const KeyBytes = 64

// Page caches in KiB. The writer's holds the hot part of the number index; readers mostly walk ranges once.
const (
	writerCache = 64 << 10
	readerCache = 12 << 10
)

// maxStatements bounds the prepared statements a session keeps.
const maxStatements = 256

// OpenSQLite opens or makes the database file at path, encrypted as a whole with AES-256-XTS under a key of 64 bytes.
func OpenSQLite(ctx context.Context, path string, key []byte) (*DB, error) {
	if len(key) != KeyBytes {
		return nil, fault.New(fault.Internal, "The database key has %d bytes; it must have %d.", len(key), KeyBytes)
	}
	for _, file := range []string{path, path + "-shm"} { // no readable moment before SQLite makes the files itself
		if err := makePrivate(file); err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "The database file %s cannot be opened. Check that the folder exists and belongs to the user who runs Parley.", file)
		}
	}
	d := &DB{engine: SQLite, path: path}
	var err error
	if d.master, err = openPool(path, key, writerCache, 1); err != nil {
		return nil, err
	}
	if d.writer, err = newSession(ctx, d.master); err != nil {
		return nil, errors.Join(wrongKey(err, path), d.master.Close())
	}
	n := max(2, min(runtime.GOMAXPROCS(0), 4))
	if d.pool, err = openPool(path, key, readerCache, 2*n); err != nil {
		return nil, err
	}
	d.readers = make(chan *session, n)
	for range n {
		s, err := newSession(ctx, d.pool)
		if err != nil {
			return nil, err
		}
		d.readers <- s
	}
	return d, nil
}

// makePrivate makes a file that is its owner's alone, whatever the process's umask, or makes it so.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// address is path as SQLite is given it. modeof gives the write-ahead log the mode of the database file.
func address(path, more string) string {
	query := url.Values{"vfs": {"xts"}, "modeof": {path}}.Encode() + more
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query}).String()
}

func openPool(path string, key []byte, cacheKiB, conns int) (*sql.DB, error) {
	setup := func(c *sqlite3.Conn) error {
		// The key comes first and by statement: in the address other code could read it.
		return c.Exec(`PRAGMA hexkey='` + hex.EncodeToString(key) + `';
			PRAGMA busy_timeout=30000;
			PRAGMA journal_mode=WAL;
			PRAGMA synchronous=FULL;
			PRAGMA secure_delete=ON;
			PRAGMA temp_store=MEMORY;
			PRAGMA wal_autocheckpoint=4000;
			PRAGMA journal_size_limit=67108864;
			PRAGMA cache_size=-` + fmt.Sprint(cacheKiB))
	}
	pool, err := driver.Open(address(path, ""), setup)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool, nil
}

// wrongKey explains the error that a file gives when its key does not fit.
func wrongKey(err error, path string) error {
	if !errors.Is(err, sqlite3.NOTADB) && !errors.Is(err, sqlite3.CORRUPT) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "The database %s cannot be read: either the master key is not the one it was made with, or the file is damaged. "+
		"Start with the master key that belongs to this data, or restore a backup with \"parley restore\".", path)
}

// session is one connection that keeps its prepared statements.
type session struct {
	conn  *sql.Conn
	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

func newSession(ctx context.Context, pool *sql.DB) (*session, error) {
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{conn: c, stmts: map[string]*sql.Stmt{}}
	var n int
	if err := s.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&n); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

func (s *session) transact(ctx context.Context, begin string, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	steady := context.WithoutCancel(ctx)
	if _, err := s.conn.ExecContext(steady, begin); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // fn panicked or failed
			_, _ = s.conn.ExecContext(steady, "ROLLBACK") // the first error is the one to tell; a failed rollback means none was open
		}
	}()
	if err := fn(&Tx{run: s, engine: SQLite}); err != nil {
		return err
	}
	if _, err := s.conn.ExecContext(steady, "COMMIT"); err != nil {
		return err
	}
	done = true
	return nil
}

func (s *session) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.stmts[query]; ok {
		return st, nil
	}
	if len(s.stmts) >= maxStatements {
		for q, st := range s.stmts {
			delete(s.stmts, q)
			if err := st.Close(); err != nil {
				return nil, err
			}
		}
	}
	st, err := s.conn.PrepareContext(ctx, numbered(query))
	if err == nil {
		s.stmts[query] = st
	}
	return st, err
}

func (s *session) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (s *session) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

func (s *session) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return s.conn.QueryRowContext(ctx, numbered(query), args...) // gives the same error inside the row
	}
	return st.QueryRowContext(ctx, args...)
}

func (s *session) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, st := range s.stmts {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, s.conn.Close())...)
}

// numbered turns $1 into ?1. SQLite takes $1 as a name and numbers names in order of appearance, which differs from
// PostgreSQL as soon as $2 stands before $1. Text in quotes is left alone.
func numbered(query string) string {
	if !strings.Contains(query, "$") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query))
	quoted := false
	for i := range len(query) {
		c := query[i]
		if c == '\'' {
			quoted = !quoted
		}
		if c == '$' && !quoted && i+1 < len(query) && query[i+1] >= '0' && query[i+1] <= '9' {
			c = '?'
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Checkpoint moves the write-ahead log into the database file and empties it, so that nothing that was deleted stays
// readable in either. A reader that holds an old snapshot for longer than the engine waits gives an Unavailable fault. It
// does nothing on PostgreSQL.
func (d *DB) Checkpoint(ctx context.Context) error {
	if d.engine != SQLite {
		return nil
	}
	d.write.Lock()
	defer d.write.Unlock()
	var busy, frames, moved int
	if err := d.writer.conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved); err != nil {
		return explain(err)
	}
	if busy != 0 {
		return fault.New(fault.Unavailable, "The write-ahead log of %s could not be emptied, since somebody reads an older state of the data. Try again in a minute.", d.path)
	}
	return nil
}

// Check runs the engine's own consistency check over the whole file.
func (d *DB) Check(ctx context.Context) error {
	if d.engine != SQLite {
		return nil
	}
	var said string
	if err := d.Row(ctx, `PRAGMA integrity_check(1)`).Scan(&said); err != nil {
		return wrongKey(err, d.path)
	}
	if said != "ok" {
		return fault.New(fault.Unavailable, "The database %s is damaged (%s). Restore a backup with \"parley restore\".", d.path, said)
	}
	return nil
}

// CopyTo writes a consistent copy of the SQLite database to path while it is in use. The copy is encrypted under the
// same key.
func (d *DB) CopyTo(ctx context.Context, path string, key []byte) error {
	if d.engine != SQLite {
		return fault.New(fault.Unsupported, "A PostgreSQL database is backed up with its own tools, for example pg_dump.")
	}
	if err := makePrivate(path); err != nil {
		return err
	}
	to := address(path, "&hexkey="+hex.EncodeToString(key))
	src, err := d.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer src.Close()
	return src.Raw(func(c any) error { return c.(driver.Conn).Raw().Backup("main", to) })
}
