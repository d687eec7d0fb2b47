//go:build e2e

package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver named sqlite
)

// settle stops the server, collects until nothing is left to collect and
// compares the rows with the objects.
func settle(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		if _, err := s.command(t.Context(), "", "gc", "--data", s.DataDir); err != nil {
			t.Fatal(err)
		}
		rows, err := s.blobRows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		objects, err := s.listObjects()
		if err != nil {
			t.Fatal(err)
		}
		difference := compareObjects(rows, objects)
		if len(difference) == 0 {
			var bytes int64
			for _, size := range rows {
				bytes += size
			}
			t.Logf("the database and the store agree on %d objects, %d bytes", len(rows), bytes)
			return
		}
		if time.Now().After(deadline) {
			slices.Sort(difference)
			t.Fatalf("the database and the store disagree:\n%s", strings.Join(difference, "\n"))
		}
		time.Sleep(500 * time.Millisecond) // the grace has to pass
	}
}

// compareObjects lists what only one side has or what differs in size.
func compareObjects(rows, objects map[string]int64) []string {
	var difference []string
	for key, size := range rows {
		if got, ok := objects[key]; size > 0 && (!ok || got != size) {
			difference = append(difference, fmt.Sprintf("%s: %d bytes in the database, %d in the store (there: %v)", key, size, got, ok))
		}
	}
	for key, size := range objects {
		if _, ok := rows[key]; !ok {
			difference = append(difference, fmt.Sprintf("%s: %d bytes in the store, unknown to the database", key, size))
		}
	}
	return difference
}

// listObjects lists the store's objects by key with their sizes. Both stores
// are directories here.
func (s *Server) listObjects() (map[string]int64, error) {
	objects := map[string]int64{}
	err := filepath.WalkDir(s.objects, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		key, err := filepath.Rel(s.objects, path)
		objects[filepath.ToSlash(key)] = info.Size()
		return err
	})
	return objects, err
}

// blobRows lists what the database says is in the store, by key with its size.
func (s *Server) blobRows(ctx context.Context) (rows map[string]int64, err error) {
	driver, source := "sqlite", "file:"+filepath.Join(s.DataDir, "entrepot.db")+"?mode=ro"
	if s.database != "" {
		driver, source = "pgx", s.database
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	list, err := db.QueryContext(ctx, "SELECT storage_key, size FROM package_blobs")
	if err != nil {
		return nil, err
	}
	defer list.Close()
	rows = map[string]int64{}
	for list.Next() {
		var key string
		var size int64
		if err := list.Scan(&key, &size); err != nil {
			return nil, err
		}
		rows[key] = size
	}
	return rows, list.Err()
}
