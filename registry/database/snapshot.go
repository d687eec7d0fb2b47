package database

import (
	"context"
	"database/sql"
	"fmt"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"entrepot/ent"
)

// Snapshot runs f, which reads through the client it is given, on the
// database as it is at one instant: no change that is committed meanwhile is
// seen in part. It waits for no writer and lets none wait.
func (db *DB) Snapshot(ctx context.Context, f func(context.Context, *ent.Client) error) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if db.Dialect == dialect.Postgres {
		// SQLite knows nothing less.
		opts.Isolation = sql.LevelRepeatableRead
	}
	tx, err := db.reader.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	// Nothing was written, so there is nothing to commit.
	defer tx.Rollback()
	reads := entsql.NewDriver(db.Dialect, entsql.Conn{ExecQuerier: tx})
	client := ent.NewClient(ent.Driver(&splitDriver{writer: reads, reader: reads, stats: db.stats}))
	filterByViewer(client)
	return f(ctx, client)
}
