//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestDoctorFindsDamage damages stored bytes in ways a broken disk or a helpful
// colleague would. Doctor must say so, with exit code 1, and be content again once the
// damage is undone.
func TestDoctorFindsDamage(t *testing.T) {
	s := StartServer(t, setups[0])
	alice := startOrg(t, s)
	published, err := publishGeneric(t.Context(), s, alice, "acme", "app", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Doctor(t.Context()); err != nil {
		t.Fatalf("before any damage: %v", err)
	}
	path := blobFile(t, s, published[0].SHA256)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1

	for _, damage := range []struct {
		name string
		do   func() error
	}{
		{"missing", func() error { return os.Remove(path) }},
		{"cut short", func() error { return os.WriteFile(path, whole[:len(whole)-1], 0o600) }},
		{"one bit flipped", func() error { return os.WriteFile(path, flipped, 0o600) }},
	} {
		t.Run(damage.name, func(t *testing.T) {
			// What is stored may be read-only; a new file takes its place.
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := damage.do(); err != nil {
				t.Fatal(err)
			}
			out, err := s.Run(t.Context(), "", "doctor")
			if err != nil {
				t.Fatal(err)
			}
			if out.ExitCode != 1 || out.Stdout == "" {
				t.Errorf("exit code %d, printed %q; want 1 and the finding", out.ExitCode, out.Stdout)
			}
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := s.Doctor(t.Context()); err != nil {
				t.Errorf("repaired, but %v", err)
			}
		})
	}
}

// blobFile finds the file below the data directory that holds the bytes.
func blobFile(t *testing.T, s *Server, sum [sha256.Size]byte) string {
	t.Helper()
	found := ""
	err := filepath.WalkDir(filepath.Join(s.DataDir, "blobs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && sha256.Sum256(b) == sum {
			found = path
		}
		return err
	})
	if err != nil || found == "" {
		t.Fatalf("no file with sha256 %x below %s: %v", sum, s.DataDir, err)
	}
	return found
}
