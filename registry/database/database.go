// Package database opens the database, SQLite or PostgreSQL, brings its
// schema up to date, and hands out the ent client through which everything
// else is read and written.
//
// Its central idea: one client for both databases, on which every read is
// filtered by the viewer in the context (visibility.go). On SQLite all writes
// queue on one connection while reads run beside them (sqlite.go); nobody
// above this package needs to know.
package database

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver named pgx

	"entrepot/ent"
)

// DB is an open database.
type DB struct {
	// Client reads and writes it.
	*ent.Client
	// Dialect is dialect.SQLite or dialect.Postgres.
	Dialect string

	writer *sql.DB
	reader *sql.DB
	rows   entsql.ExecQuerier // for reads
	stats  *counter
}

// Options tunes Open.
type Options struct {
	// Fast trades the last commits before a power loss for speed on SQLite
	// (synchronous=NORMAL). The database stays consistent either way.
	Fast bool
}

// Open opens the database named by rawURL, "sqlite:PATH" or "postgres://...",
// and applies the migrations it lacks. A path's missing folder is made.
func Open(ctx context.Context, rawURL string, opts Options) (*DB, error) {
	db, err := connect(ctx, rawURL, opts)
	if err != nil {
		return nil, err
	}
	if err := migrateUp(ctx, db.writer, db.Dialect, migrationFiles); err != nil {
		db.Close()
		return nil, fmt.Errorf("migrate the database: %w", err)
	}
	return db, nil
}

func connect(ctx context.Context, rawURL string, opts Options) (*DB, error) {
	scheme, rest, ok := strings.Cut(rawURL, ":")
	if !ok {
		return nil, fmt.Errorf("database URL %q: want sqlite:PATH or postgres://", redact(rawURL))
	}
	db := &DB{stats: &counter{}}
	var err error
	switch scheme {
	case "sqlite":
		if dir := filepath.Dir(rest); dir != "." && !strings.HasPrefix(rest, ":memory:") {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return nil, fmt.Errorf("make the database's folder: %w", err)
			}
		}
		db.Dialect = dialect.SQLite
		db.writer, db.reader, err = openSQLite(rest, opts)
	case "postgres", "postgresql":
		db.Dialect = dialect.Postgres
		db.writer, err = sql.Open("pgx", rawURL)
		if err == nil {
			db.writer.SetMaxOpenConns(32)
			db.writer.SetMaxIdleConns(8)
			db.writer.SetConnMaxIdleTime(5 * time.Minute)
			db.reader = db.writer
		}
	default:
		return nil, fmt.Errorf("database URL %q: want sqlite:PATH or postgres://", redact(rawURL))
	}
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := db.Ping(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	db.rows = db.readQuerier()
	drv := &splitDriver{
		writer: entsql.OpenDB(db.Dialect, db.writer),
		reader: entsql.NewDriver(db.Dialect, entsql.Conn{ExecQuerier: db.rows}),
		stats:  db.stats,
	}
	db.Client = ent.NewClient(ent.Driver(drv))
	filterByViewer(db.Client)
	return db, nil
}

// readQuerier reads through prepared statements. pgx prepares by itself; an
// SQLite database in memory has one connection for everything, which must not
// wait for itself to prepare.
func (db *DB) readQuerier() entsql.ExecQuerier {
	if db.Dialect == dialect.SQLite && db.reader != db.writer {
		return newPreparedDB(db.reader)
	}
	return db.reader
}

// Ping tells whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.reader.PingContext(ctx) }

// Close closes all connections.
//
// SQLite is never asked to gather statistics (ANALYZE, PRAGMA optimize). What
// it learns while a table is small stays true to it when the table has grown:
// it would go on reading all of it. Without statistics it takes every table
// for a large one, and the index that fits.
func (db *DB) Close() error {
	err := db.writer.Close()
	if db.reader != nil && db.reader != db.writer {
		if rerr := db.reader.Close(); err == nil {
			err = rerr
		}
	}
	return err
}

// redact removes the password from a database URL for error messages.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(unreadable)"
	}
	return u.Redacted()
}
