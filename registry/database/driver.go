package database

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// splitDriver sends reads to one pool and writes, and every transaction, to
// the other. ent's INSERT ... RETURNING arrives as a query, so statements are
// told apart by their first word.
//
// A write through the plain client while the same goroutine holds a
// transaction waits for itself on SQLite: inside a transaction use only the
// transaction's client.
type splitDriver struct {
	writer, reader *entsql.Driver
	stats          *counter
}

func (d *splitDriver) Exec(ctx context.Context, query string, args, v any) error {
	d.stats.writes.Add(1)
	return d.writer.Exec(ctx, query, args, v)
}

func (d *splitDriver) Query(ctx context.Context, query string, args, v any) error {
	if strings.HasPrefix(query, "SELECT") || strings.HasPrefix(query, "WITH") {
		d.stats.reads.Add(1)
		return d.reader.Query(ctx, query, args, v)
	}
	d.stats.writes.Add(1)
	return d.writer.Query(ctx, query, args, v)
}

func (d *splitDriver) Tx(ctx context.Context) (dialect.Tx, error) {
	tx, err := d.writer.Tx(ctx)
	if err != nil {
		return nil, err
	}
	return &countedTx{tx, d.stats}, nil
}

func (d *splitDriver) Dialect() string { return d.writer.Dialect() }

// Close does nothing: the pools belong to DB.
func (d *splitDriver) Close() error { return nil }

type countedTx struct {
	dialect.Tx
	stats *counter
}

func (t *countedTx) Exec(ctx context.Context, query string, args, v any) error {
	t.stats.writes.Add(1)
	return t.Tx.Exec(ctx, query, args, v)
}

func (t *countedTx) Query(ctx context.Context, query string, args, v any) error {
	if strings.HasPrefix(query, "SELECT") || strings.HasPrefix(query, "WITH") {
		t.stats.reads.Add(1)
	} else {
		t.stats.writes.Add(1)
	}
	return t.Tx.Query(ctx, query, args, v)
}

// ExecContext runs a statement that ent cannot write.
func (t *countedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	t.stats.writes.Add(1)
	return t.Tx.(*entsql.Tx).ExecContext(ctx, query, args...)
}

type counter struct{ reads, writes atomic.Int64 }

// Statements counts the SQL statements run so far. Tests hold it against
// what a request may cost, /metrics shows it.
func (db *DB) Statements() (reads, writes int64) {
	return db.stats.reads.Load(), db.stats.writes.Load()
}
