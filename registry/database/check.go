package database

import (
	"context"
	"database/sql"
	"fmt"

	"entgo.io/ent/dialect"
)

// Check lets SQLite read its whole file for damage and for rows that refer to
// rows that are gone, and returns what it complains of. PostgreSQL watches
// over both by itself, and offers no such check to its clients.
func (db *DB) Check(ctx context.Context) ([]string, error) {
	if db.Dialect != dialect.SQLite {
		return nil, nil
	}
	var problems []string
	err := eachRow(ctx, db.reader, "PRAGMA integrity_check", func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		if err == nil && text != "ok" {
			problems = append(problems, text)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("check integrity: %w", err)
	}
	err = eachRow(ctx, db.reader, "PRAGMA foreign_key_check", func(rows *sql.Rows) error {
		var table, parent string
		var row, key sql.NullInt64
		err := rows.Scan(&table, &row, &parent, &key)
		problems = append(problems, fmt.Sprintf("row %d of %s refers to a row of %s that is gone", row.Int64, table, parent))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("check references: %w", err)
	}
	return problems, nil
}

func eachRow(ctx context.Context, db querier, query string, f func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// querier is a pool, a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}
