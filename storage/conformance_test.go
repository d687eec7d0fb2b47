package storage_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/rclone/rclone/fs/config/obscure"

	"entrepot/storage"
	"entrepot/storage/storagetest"
)

// open opens a remote for the length of a test.
func open(t testing.TB, remote string) storage.Store {
	t.Helper()
	s, err := storage.Open(t.Context(), remote, storage.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	for name, remote := range map[string]func(t *testing.T) string{
		"local":  func(t *testing.T) string { return t.TempDir() },
		"memory": func(*testing.T) string { return ":memory:" },
		"s3":     func(t *testing.T) string { return storagetest.S3(t) },
		"crypt over local": func(t *testing.T) string {
			return ":crypt,remote=" + t.TempDir() + ",password=" + obscure.MustObscure("swordfish") + ":"
		},
		"union of two directories": func(t *testing.T) string {
			return fmt.Sprintf(`:union,upstreams="%s %s",create_policy=mfs:`, t.TempDir(), t.TempDir())
		},
		"chunker over s3": func(t *testing.T) string {
			return ":chunker,chunk_size=5Mi,remote='" + storagetest.S3(t) + "':"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, remote(t)) })
		})
	}
}
