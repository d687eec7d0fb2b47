package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"
)

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrationFiles embed.FS

// migration is one file: its name orders it, its digest tells whether it is
// still the one that was applied.
type migration struct {
	name, digest, statements string
}

func migrations(d string) ([]migration, error) {
	dir := "migrations/sqlite"
	if d == dialect.Postgres {
		dir = "migrations/postgres"
	}
	entries, err := fs.ReadDir(migrationFiles, dir)
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, e := range entries {
		if path.Ext(e.Name()) != ".sql" {
			continue
		}
		body, err := fs.ReadFile(migrationFiles, path.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		all = append(all, migration{strings.TrimSuffix(e.Name(), ".sql"), hex.EncodeToString(sum[:]), string(body)})
	}
	slices.SortFunc(all, func(a, b migration) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// advisoryLock is the number under which replicas that start together queue
// for the right to migrate a PostgreSQL database.
const advisoryLock = 0x656e747265706f74 // "entrepot"

// migrateUp applies the migrations the database lacks, each in a transaction
// of its own. It refuses a database that holds one this program does not
// know, which a newer program has written.
func migrateUp(ctx context.Context, db *sql.DB, d string) error {
	all, err := migrations(d)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if d == dialect.Postgres {
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(advisoryLock)); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(advisoryLock))
	}
	const table = `CREATE TABLE IF NOT EXISTS schema_migrations (name varchar(255) PRIMARY KEY, digest varchar(64) NOT NULL, applied_at varchar(40) NOT NULL)`
	if _, err := conn.ExecContext(ctx, table); err != nil {
		return err
	}
	applied, err := appliedMigrations(ctx, conn)
	if err != nil {
		return err
	}
	for _, m := range all {
		digest, done := applied[m.name]
		delete(applied, m.name)
		switch {
		case done && digest != m.digest:
			return fmt.Errorf("migration %s was applied in another form than this program's", m.name)
		case !done:
			if err := apply(ctx, conn, d, m); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
		}
	}
	for name := range applied {
		return fmt.Errorf("the database was migrated by a newer program (%s): run that one, or restore a backup", name)
	}
	return nil
}

func appliedMigrations(ctx context.Context, conn *sql.Conn) (map[string]string, error) {
	rows, err := conn.QueryContext(ctx, "SELECT name, digest FROM schema_migrations")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	applied := map[string]string{}
	for rows.Next() {
		var name, digest string
		if err := rows.Scan(&name, &digest); err != nil {
			return nil, err
		}
		applied[name] = digest
	}
	return applied, rows.Err()
}

// apply runs one migration. SQLite rebuilds a table by dropping the old one;
// with foreign keys on, that would take the rows that refer to it along, and
// the switch does nothing inside a transaction, so it is thrown outside.
func apply(ctx context.Context, conn *sql.Conn, d string, m migration) (err error) {
	if d == dialect.SQLite {
		if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = off"); err != nil {
			return err
		}
		defer func() {
			if _, perr := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = on"); err == nil {
				err = perr
			}
		}()
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, m.statements); err != nil {
		return err
	}
	if d == dialect.SQLite {
		if err := checkForeignKeys(ctx, tx); err != nil {
			return err
		}
	}
	insert := "INSERT INTO schema_migrations (name, digest, applied_at) VALUES (?, ?, ?)"
	if d == dialect.Postgres {
		insert = "INSERT INTO schema_migrations (name, digest, applied_at) VALUES ($1, $2, $3)"
	}
	if _, err := tx.ExecContext(ctx, insert, m.name, m.digest, time.Now().UTC().Format(time.RFC3339)); err != nil {
		return err
	}
	return tx.Commit()
}

func checkForeignKeys(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		return fmt.Errorf("rows would refer to rows that are gone")
	}
	return rows.Err()
}
