package database

import (
	"context"
	"database/sql"
	"sync"
)

// maxStatements bounds the statements kept prepared. The hot paths have a few
// dozen; lists with ever other filters would fill any cache, and are simply
// not kept once it is full.
const maxStatements = 512

// preparedDB is a pool that keeps its statements prepared: on SQLite parsing
// a query costs as much as running it.
type preparedDB struct {
	*sql.DB
	mu         sync.RWMutex
	statements map[string]*sql.Stmt
}

func newPreparedDB(db *sql.DB) *preparedDB {
	return &preparedDB{DB: db, statements: map[string]*sql.Stmt{}}
}

// QueryContext runs the query through its prepared statement.
func (p *preparedDB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := p.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return p.DB.QueryContext(ctx, query, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

// statement returns the prepared form of a query, or nil when the cache is
// full of others.
func (p *preparedDB) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.RLock()
	stmt, full := p.statements[query], len(p.statements) >= maxStatements
	p.mu.RUnlock()
	if stmt != nil || full {
		return stmt, nil
	}
	stmt, err := p.DB.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.statements[query]; first != nil {
		stmt.Close()
		return first, nil
	}
	p.statements[query] = stmt
	return stmt, nil
}
