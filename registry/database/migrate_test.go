package database

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	atlas "ariga.io/atlas/sql/migrate"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent/migrate"
	"entrepot/ent/owner"
	"entrepot/ent/user"
)

// openTest opens the database at that URL until the test ends.
func openTest(t *testing.T, url string) *DB {
	t.Helper()
	db, err := Open(t.Context(), url, Options{Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func sqliteURL(t *testing.T) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "missing", "folder", "test.db")
}

// later returns this program's migrations and one more, which a later program
// might have.
func later(t *testing.T, name, sqlite, postgres string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(migrationFiles, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(migrationFiles, path)
		files[path] = &fstest.MapFile{Data: body}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files["migrations/sqlite/"+name+".sql"] = &fstest.MapFile{Data: []byte(sqlite)}
	files["migrations/postgres/"+name+".sql"] = &fstest.MapFile{Data: []byte(postgres)}
	return files
}

// appliedTo lists the migrations of a database with the time of each.
func appliedTo(t *testing.T, db *DB) map[string]string {
	t.Helper()
	applied := map[string]string{}
	err := eachRow(t.Context(), db.writer, "SELECT name, applied_at FROM schema_migrations", func(rows *sql.Rows) error {
		var name, at string
		err := rows.Scan(&name, &at)
		applied[name] = at
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

// fill writes an owner with its user, a row and another that refers to it.
func fill(t *testing.T, db *DB, name string) {
	t.Helper()
	ctx := access.SystemContext(t.Context())
	o := db.Owner.Create().SetName(name).SetNormalizedName(name).SetKind(owner.KindUser).SaveX(ctx)
	db.User.Create().SetOwnerID(o.ID).SetLogin(name).SetNormalizedLogin(name).
		SetEmail(name + "@example.com").SetNormalizedEmail(name + "@example.com").SetPasswordHash("-").ExecX(ctx)
}

func wantUser(t *testing.T, db *DB, name string) {
	t.Helper()
	u, err := db.User.Query().Where(user.NormalizedLogin(name)).WithNamespace().Only(access.SystemContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if u.Edges.Namespace == nil || u.Edges.Namespace.Name != name {
		t.Errorf("user %s has the namespace %v", name, u.Edges.Namespace)
	}
}

func TestFreshSQLite(t *testing.T) { testFresh(t, sqliteURL(t)) }

// testFresh opens a database that is not there yet, and then again.
func testFresh(t *testing.T, url string) {
	db := openTest(t, url)
	fill(t, db, "ann")
	first := appliedTo(t, db)
	if len(first) == 0 {
		t.Fatal("no migration was applied")
	}
	// With an old time on them, a second application would show.
	if _, err := db.writer.ExecContext(t.Context(), "UPDATE schema_migrations SET applied_at = 'long ago'"); err != nil {
		t.Fatal(err)
	}
	again := openTest(t, url)
	wantUser(t, again, "ann")
	for name, at := range appliedTo(t, again) {
		if at != "long ago" {
			t.Errorf("migration %s was applied again", name)
		}
		delete(first, name)
	}
	if len(first) > 0 {
		t.Errorf("forgotten: %v", first)
	}
}

func TestNoDriftSQLite(t *testing.T) { testNoDrift(t, openTest(t, sqliteURL(t))) }

// testNoDrift compares what the migrations have made with ent/schema: ent must
// see nothing left to change.
func testNoDrift(t *testing.T, db *DB) {
	var changes bytes.Buffer
	if err := migrate.NewSchema(entsql.OpenDB(db.Dialect, db.writer)).WriteTo(t.Context(), &changes); err != nil {
		t.Fatal(err)
	}
	for statement := range strings.Lines(changes.String()) {
		statement = strings.TrimSpace(statement)
		switch {
		case statement == "" || strings.HasPrefix(statement, "--"):
		case statement == "BEGIN;" || statement == "COMMIT;": // around the plan, also an empty one
		case db.Dialect == dialect.Postgres && samePartialIndex(t, db, statement):
		default:
			t.Errorf("the migrations lack: %s", statement)
		}
	}
}

var (
	dropIndex    = regexp.MustCompile(`^DROP INDEX "(\w+)";$`)
	partialIndex = regexp.MustCompile(`^(CREATE (?:UNIQUE )?INDEX) "(\w+)"( ON .* WHERE .*);$`)
)

// samePartialIndex tells whether a statement would make a partial index anew
// as it is. PostgreSQL hands the condition of an index back in other words, and
// ent, which compares the words, would replace it each time.
func samePartialIndex(t *testing.T, db *DB, statement string) bool {
	t.Helper()
	definition := func(index string) (def string) {
		t.Helper()
		if err := db.writer.QueryRowContext(t.Context(), "SELECT pg_get_indexdef($1::regclass)", index).Scan(&def); err != nil {
			t.Fatal(err)
		}
		return strings.Replace(def, index, "", 1)
	}
	if m := dropIndex.FindStringSubmatch(statement); m != nil {
		return strings.Contains(definition(m[1]), " WHERE ")
	}
	m := partialIndex.FindStringSubmatch(statement)
	if m == nil {
		return false
	}
	if _, err := db.writer.ExecContext(t.Context(), m[1]+` "anew"`+m[3]); err != nil {
		t.Fatal(err)
	}
	anew := definition("anew")
	if _, err := db.writer.ExecContext(t.Context(), "DROP INDEX anew"); err != nil {
		t.Fatal(err)
	}
	return anew == definition(m[2])
}

func TestUpgradeSQLite(t *testing.T) { testUpgrade(t, openTest(t, sqliteURL(t))) }

// rebuildOwners is how a column gets into a table of SQLite that has children:
// the table is made anew and the old one dropped.
func rebuildOwners(t *testing.T, db *DB) string {
	if db.Dialect != dialect.SQLite {
		return ""
	}
	var table string
	if err := db.writer.QueryRowContext(t.Context(), "SELECT sql FROM sqlite_master WHERE name = 'owners'").Scan(&table); err != nil {
		t.Fatal(err)
	}
	table = strings.Replace(table, "`owners` (", "`new_owners` (`motto` text NOT NULL DEFAULT ('none'), ", 1)
	return table + ";\nINSERT INTO new_owners SELECT 'none', * FROM owners;\nDROP TABLE owners;\nALTER TABLE new_owners RENAME TO owners;\n"
}

// testUpgrade brings a database with rows in it to a later schema.
func testUpgrade(t *testing.T, db *DB) {
	fill(t, db, "ann")
	files := later(t, "99990101000000_motto", rebuildOwners(t, db),
		`ALTER TABLE owners ADD COLUMN motto text NOT NULL DEFAULT 'none'; CREATE INDEX owner_motto ON owners (motto);`)
	for range 2 {
		if err := migrateUp(t.Context(), db.writer, db.Dialect, files); err != nil {
			t.Fatal(err)
		}
	}
	wantUser(t, db, "ann")
	var motto string
	if err := db.writer.QueryRowContext(t.Context(), "SELECT motto FROM owners").Scan(&motto); err != nil || motto != "none" {
		t.Errorf("motto %q, %v", motto, err)
	}
	// Foreign keys are watched over again.
	if _, err := db.writer.ExecContext(t.Context(), "DELETE FROM owners"); err == nil {
		t.Error("an owner was deleted from under its user")
	}
}

func TestRefusesNewerSQLite(t *testing.T) { testRefusesNewer(t, sqliteURL(t)) }

// testRefusesNewer opens a database that a newer program has migrated.
func testRefusesNewer(t *testing.T, url string) {
	db := openTest(t, url)
	files := later(t, "99990101000000_new", "CREATE TABLE new (id integer)", "CREATE TABLE new (id integer)")
	if err := migrateUp(t.Context(), db.writer, db.Dialect, files); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), url, Options{})
	if err == nil || !strings.Contains(err.Error(), "newer program (99990101000000_new)") {
		t.Errorf("error %v, want one that names the unknown migration", err)
	}
}

func TestRefusesOtherFormSQLite(t *testing.T) { testRefusesOtherForm(t, sqliteURL(t)) }

// testRefusesOtherForm opens a database whose migration has been edited since
// it was applied, and must leave it as it is.
func testRefusesOtherForm(t *testing.T, url string) {
	db := openTest(t, url)
	if _, err := db.writer.ExecContext(t.Context(), "UPDATE schema_migrations SET digest = 'other'"); err != nil {
		t.Fatal(err)
	}
	files := later(t, "99990101000000_new", "CREATE TABLE new (id integer)", "CREATE TABLE new (id integer)")
	err := migrateUp(t.Context(), db.writer, db.Dialect, files)
	if err == nil || !strings.Contains(err.Error(), "in another form") {
		t.Errorf("error %v", err)
	}
	if n := len(appliedTo(t, db)); n != len(mustMigrations(t, db)) {
		t.Errorf("%d migrations are applied", n)
	}
}

func mustMigrations(t *testing.T, db *DB) []migration {
	t.Helper()
	all, err := migrations(migrationFiles, db.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFailedMigrationSQLite(t *testing.T) { testFailedMigration(t, openTest(t, sqliteURL(t))) }

// testFailedMigration runs one that breaks off: nothing of it may stay.
func testFailedMigration(t *testing.T, db *DB) {
	fill(t, db, "ann")
	before := len(appliedTo(t, db))
	const broken = "CREATE TABLE half (id integer); INSERT INTO no_such_table VALUES (1);"
	if err := migrateUp(t.Context(), db.writer, db.Dialect, later(t, "99990101000000_broken", broken, broken)); err == nil {
		t.Fatal("no error")
	}
	if _, err := db.writer.ExecContext(t.Context(), "SELECT * FROM half"); err == nil {
		t.Error("half of the migration stayed")
	}
	if n := len(appliedTo(t, db)); n != before {
		t.Errorf("%d migrations are applied, want %d", n, before)
	}
	wantUser(t, db, "ann")
}

// TestMigrationMayNotOrphan drops a table's rows from under those that refer
// to them, as only SQLite would let it.
func TestMigrationMayNotOrphan(t *testing.T) {
	db := openTest(t, sqliteURL(t))
	fill(t, db, "ann")
	err := migrateUp(t.Context(), db.writer, db.Dialect, later(t, "99990101000000_orphan", "DELETE FROM owners", ""))
	if err == nil || !strings.Contains(err.Error(), "rows would refer to rows that are gone") {
		t.Errorf("error %v", err)
	}
	wantUser(t, db, "ann")
}

// TestPathsOfAnyKind opens databases under names that mean something in a URL.
func TestPathsOfAnyKind(t *testing.T) {
	for _, name := range []string{"plain.db", "with space.db", "100%.db", "a%20b.db", "what?.db", "c#.db", "a&b=c.db", "ü.db"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			fill(t, openTest(t, "sqlite:"+path), "ann")
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
			wantUser(t, openTest(t, "sqlite:"+path), "ann")
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, url := range []string{"", "data/x.db", "mysql://root:hunter2@localhost/x", "postgres://ann:hunter2@127.0.0.1:1/x?connect_timeout=1"} {
		db, err := Open(t.Context(), url, Options{})
		if err == nil {
			db.Close()
			t.Errorf("%q was opened", url)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error tells the password: %v", url, err)
		}
	}
}

// TestStartTogetherSQLite starts processes on the same missing database.
func TestStartTogetherSQLite(t *testing.T) { testStartTogether(t, sqliteURL(t)) }

// startVariable hands the database's URL to the processes that are this test
// binary itself.
const startVariable = "ENTREPOT_TEST_START"

func testStartTogether(t *testing.T, url string) {
	const processes = 4
	started := make([]*exec.Cmd, processes)
	outputs := make([]bytes.Buffer, processes)
	for i := range started {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStartHelper$", "-test.v")
		cmd.Env = append(os.Environ(), startVariable+"="+url, fmt.Sprintf("ENTREPOT_TEST_NAME=user-%d", i))
		cmd.Stdout, cmd.Stderr = &outputs[i], &outputs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started[i] = cmd
	}
	for i, cmd := range started {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v\n%s", i, err, &outputs[i])
		}
	}
	db := openTest(t, url)
	for i := range started {
		wantUser(t, db, fmt.Sprintf("user-%d", i))
	}
}

// TestStartHelper is one of the processes of testStartTogether.
func TestStartHelper(t *testing.T) {
	url := os.Getenv(startVariable)
	if url == "" {
		return
	}
	fill(t, openTest(t, url), os.Getenv("ENTREPOT_TEST_NAME"))
}

// TestMigrationSums holds the files against atlas.sum: one that was released
// is not edited, and none is forgotten there.
func TestMigrationSums(t *testing.T) {
	for d, folder := range map[string]string{dialect.SQLite: "sqlite", dialect.Postgres: "postgres"} {
		dir, err := atlas.NewLocalDir(filepath.Join("migrations", folder))
		if err != nil {
			t.Fatal(err)
		}
		if err := atlas.Validate(dir); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
		files, err := dir.Files()
		if err != nil {
			t.Fatal(err)
		}
		if all, err := migrations(migrationFiles, d); err != nil || len(all) == 0 || len(all) != len(files) {
			t.Errorf("%s: %d migrations for %d files, %v", folder, len(all), len(files), err)
		}
	}
}

// TestCheckFindsDamage lets SQLite look for rows that refer to nothing.
func TestCheckFindsDamage(t *testing.T) {
	db := openTest(t, sqliteURL(t))
	fill(t, db, "ann")
	if problems, err := db.Check(t.Context()); err != nil || len(problems) > 0 {
		t.Fatalf("problems %q, %v", problems, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, statement := range []string{"PRAGMA foreign_keys = off", "DELETE FROM owners", "PRAGMA foreign_keys = on"} {
		if _, err := db.writer.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	problems, err := db.Check(ctx)
	if err != nil || len(problems) != 1 || !strings.Contains(problems[0], "users refers to a row of owners") {
		t.Errorf("problems %q, %v", problems, err)
	}
}
