//go:build e2e

package registry

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"entrepot/access"
)

func newPostgresIndexes(t *testing.T) *indexes {
	t.Helper()
	f, _ := newPostgresFixture(t, Options{})
	return indexesOn(t, f)
}

func TestIndexOnTwoReplicasOnPostgres(t *testing.T) { testTwoReplicas(newPostgresIndexes(t)) }

func TestIndexAgainstModelOnPostgres(t *testing.T) { testAgainstModel(newPostgresIndexes(t)) }

// TestIndexBesideWorkOnPostgres publishes, deletes, hides and reads at once,
// from two processes' registries; the indexes must be what the files say in
// the end.
func TestIndexBesideWorkOnPostgres(t *testing.T) {
	x := newPostgresIndexes(t)
	second, err := New(Options{Database: x.db, Store: x.store, Types: []Type{listedType()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	var wg sync.WaitGroup
	for w := range 6 {
		reg := []*Registry{x.Registry, second}[w%2]
		s, err := reg.Enter(x.as(x.ann), "acme", "listed", access.Delete)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			name := fmt.Sprintf("app-%d", w)
			for i := range 12 {
				at := []string{"main/*", "main/amd64", fmt.Sprintf("main/arch%d", i%3), "stable/"}[(i+w)%4]
				done, err := s.Publish(t.Context(), x.release(name, fmt.Sprint(i), at, "text"))
				if err != nil {
					t.Errorf("publish: %v", err)
					return
				}
				switch i % 4 {
				case 1:
					_, err = s.Index(t.Context(), IndexName{"main", "amd64"})
					if isNotFound(err) {
						err = nil
					}
				case 2:
					err = s.SetVisibility(t.Context(), done.Package, []access.Visibility{access.Private, "INHERIT"}[i%8/4])
				case 3:
					err = s.DeleteVersions(t.Context(), done.Package, []string{fmt.Sprint(i - 1)}, nil)
				}
				if err != nil {
					t.Errorf("step %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	x.wantSound()
}
