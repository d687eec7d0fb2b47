package database

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
)

// Statement is a SELECT of one row written by hand, with ? for its arguments,
// for the few look-ups that begin every request: building one with ent takes
// longer than running it. No visibility filter is in it; whoever reads with it
// asks access.Decide.
type Statement struct {
	sqlite, postgres string
}

// NewStatement makes a statement of a query that both databases understand.
func NewStatement(query string) Statement {
	var numbered strings.Builder
	n := 0
	for _, c := range query {
		if c != '?' {
			numbered.WriteRune(c)
			continue
		}
		n++
		numbered.WriteString("$" + strconv.Itoa(n))
	}
	return Statement{sqlite: query, postgres: numbered.String()}
}

// In gives the statement's text in the dialect.
func (s Statement) In(name string) string {
	if name == dialect.Postgres {
		return s.postgres
	}
	return s.sqlite
}

// Row reads the row of a statement into dest, as Scan of database/sql does, and tells
// whether there is one.
func (db *DB) Row(ctx context.Context, s Statement, args []any, dest ...any) (bool, error) {
	db.stats.reads.Add(1)
	if db.Dialect == dialect.SQLite {
		// Over before it could be cancelled; watching for that costs more.
		ctx = context.WithoutCancel(ctx)
	}
	rows, err := db.rows.QueryContext(ctx, s.In(db.Dialect), args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	if err := rows.Scan(dest...); err != nil {
		return false, err
	}
	return true, errors.Join(rows.Close(), rows.Err())
}
