package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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

// migrations reads the migrations for a database, in their order. files holds
// a folder "migrations" with one folder a database.
func migrations(files fs.FS, d string) ([]migration, error) {
	dir := "migrations/sqlite"
	if d == dialect.Postgres {
		dir = "migrations/postgres"
	}
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, e := range entries {
		if path.Ext(e.Name()) != ".sql" {
			continue
		}
		body, err := fs.ReadFile(files, path.Join(dir, e.Name()))
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

// migrateUp applies those of the migrations in files that the database lacks,
// each in a transaction of its own. It refuses a database that holds one this
// program does not know, which a newer program has written. Several processes
// may start with the same database at once: each migration is applied by one
// of them.
func migrateUp(ctx context.Context, db *sql.DB, d string, files fs.FS) error {
	all, err := migrations(files, d)
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
	// Before anything is changed: a database that is refused stays as it is.
	if err := checkApplied(applied, all); err != nil {
		return err
	}
	for _, m := range all {
		if _, done := applied[m.name]; done {
			continue
		}
		if err := apply(ctx, conn, d, m); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// checkApplied refuses a database that this program cannot have made.
func checkApplied(applied map[string]string, all []migration) error {
	known := make(map[string]string, len(all))
	for _, m := range all {
		known[m.name] = m.digest
	}
	for _, name := range slices.Sorted(maps.Keys(applied)) {
		switch digest, ok := known[name]; {
		case !ok:
			return fmt.Errorf("the database was migrated by a newer program (%s): run that one, or restore a backup", name)
		case digest != applied[name]:
			return fmt.Errorf("migration %s was applied in another form than this program's", name)
		}
	}
	return nil
}

// appliedMigrations returns the digests of the migrations that the database
// has, by name.
func appliedMigrations(ctx context.Context, db querier) (map[string]string, error) {
	applied := map[string]string{}
	err := eachRow(ctx, db, "SELECT name, digest FROM schema_migrations", func(rows *sql.Rows) error {
		var name, digest string
		err := rows.Scan(&name, &digest)
		applied[name] = digest
		return err
	})
	return applied, err
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
	// On SQLite another process may have been faster; within the transaction
	// nobody is.
	applied, err := appliedMigrations(ctx, tx)
	if err != nil {
		return err
	}
	if _, done := applied[m.name]; done {
		return nil
	}
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
	return eachRow(ctx, tx, "PRAGMA foreign_key_check", func(*sql.Rows) error {
		return errors.New("rows would refer to rows that are gone")
	})
}
