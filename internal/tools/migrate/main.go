// Command migrate writes a new pair of migrations, for SQLite and for
// PostgreSQL, that bring the databases of the last release to the present
// ent/schema. Run it from the module root after `go generate ./...`:
//
//	go tool migrate -name add_teams -postgres postgres://localhost/empty
//
// The PostgreSQL database must be empty; it is used as scratch space.
package main

import (
	"context"
	"database/sql"
	"flag"
	"log"

	atlas "ariga.io/atlas/sql/migrate"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"entrepot/ent/migrate"
)

func main() {
	name := flag.String("name", "", "what the migration does, in snake case")
	postgres := flag.String("postgres", "", "URL of an empty PostgreSQL database")
	flag.Parse()
	if *name == "" || *postgres == "" {
		flag.Usage()
		log.Fatal("migrate: both -name and -postgres are needed")
	}
	for _, t := range []struct{ dialect, driver, url, dir string }{
		{dialect.SQLite, "sqlite", "file:migrate?mode=memory&cache=shared&_pragma=foreign_keys(1)", "registry/database/migrations/sqlite"},
		{dialect.Postgres, "pgx", *postgres, "registry/database/migrations/postgres"},
	} {
		if err := diff(t.dialect, t.driver, t.url, t.dir, *name); err != nil {
			log.Fatalf("migrate: %s: %v", t.dialect, err)
		}
	}
}

func diff(d, driver, url, folder, name string) error {
	db, err := sql.Open(driver, url)
	if err != nil {
		return err
	}
	defer db.Close()
	dir, err := atlas.NewLocalDir(folder)
	if err != nil {
		return err
	}
	m, err := schema.NewMigrate(entsql.OpenDB(d, db),
		schema.WithDir(dir),
		schema.WithMigrationMode(schema.ModeReplay),
		schema.WithDialect(d),
		schema.WithFormatter(atlas.DefaultFormatter),
		schema.WithDropColumn(true),
		schema.WithDropIndex(true),
	)
	if err != nil {
		return err
	}
	return m.NamedDiff(context.Background(), name, migrate.Tables...)
}
