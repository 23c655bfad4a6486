package db

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	"github.com/ncruces/go-sqlite3"

	"parley/platform/fault"
)

// PostgreSQL's codes for errors we act on.
const (
	pgUnique        = "23505"
	pgDiskFull      = "53100"
	pgSerialization = "40001"
	pgDeadlock      = "40P01"
	pgCharacter     = "22021" // a NUL in text, or text that is no UTF-8
)

// OpenPostgres opens a PostgreSQL database, or one that speaks its protocol, by connection string.
func OpenPostgres(ctx context.Context, dsn string) (*DB, error) {
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(20)
	pool.SetMaxIdleConns(8)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fault.Wrap(fault.Unavailable, err,
			"The PostgreSQL database does not answer. Check the address, the user and the password in PARLEY_DATABASE, and that the server runs."), pool.Close())
	}
	return &DB{engine: Postgres, pool: pool}, nil
}

// IsUnique tells whether err is a violated unique key.
func IsUnique(err error) bool {
	if p, ok := errors.AsType[*pgconn.PgError](err); ok {
		return p.Code == pgUnique
	}
	return errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY)
}

// IsFull tells whether err means that the disk is full. The encrypting file system reports that as a failed write and
// loses the cause, so any failed write of the SQLite file counts.
func IsFull(err error) bool {
	if p, ok := errors.AsType[*pgconn.PgError](err); ok {
		return p.Code == pgDiskFull
	}
	return errors.Is(err, sqlite3.FULL) || errors.Is(err, sqlite3.IOERR_WRITE)
}

// isCharacter tells whether a text held what PostgreSQL cannot store.
func isCharacter(err error) bool {
	p, ok := errors.AsType[*pgconn.PgError](err)
	return ok && p.Code == pgCharacter
}

func isRetryable(err error) bool {
	p, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (p.Code == pgSerialization || p.Code == pgDeadlock)
}
