// Package databasetest gives tests PostgreSQL databases of their own.
package databasetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named pgx
)

// Postgres makes an empty database on the server that ENTREPOT_TEST_POSTGRES
// names, and returns its URL. The database is dropped when the test ends. A
// test that needs one carries the build tag e2e, and fails without a server.
func Postgres(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv("ENTREPOT_TEST_POSTGRES")
	u, err := url.Parse(server)
	if err != nil || server == "" {
		tb.Fatalf("ENTREPOT_TEST_POSTGRES must be the URL of a PostgreSQL server on which databases can be created, like postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable (%v)", err)
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		tb.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	if _, err := admin.ExecContext(tb.Context(), "CREATE DATABASE "+name); err != nil {
		admin.Close()
		tb.Fatalf("make a database: %v", err)
	}
	tb.Cleanup(func() {
		defer admin.Close()
		// FORCE ends connections that a failed test has left open.
		if _, err := admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop the database: %v", err)
		}
	})
	u.Path = "/" + name
	return u.String()
}
