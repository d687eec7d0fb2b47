//go:build e2e

package registry

import (
	"testing"

	"entrepot/access"
	"entrepot/registry/database/databasetest"
)

func TestCatalogOnPostgres(t *testing.T) { testCatalog(t, databasetest.Postgres(t)) }

func TestHeldOnPostgres(t *testing.T) { testHeld(t, databasetest.Postgres(t)) }

func TestUploadOnPostgres(t *testing.T) {
	f, _ := newPostgresFixture(t, Options{})
	s := f.enter(f.ann, "acme", "plain", access.Write)
	u := f.begin(s)
	for _, part := range []string{"hel", "lo"} {
		f.append(s, f.resume(s, u), part)
	}
	done, err := s.FinishUpload(t.Context(), f.resume(s, u), chunk("!"), 0, publicationOf("app"))
	if err != nil {
		t.Fatal(err)
	}
	if b := done.Files[0].Edges.Blob; b.Sha256 != sha256Of("hello!") || f.objects() != 1 {
		t.Errorf("sha256 %s, %d objects", b.Sha256, f.objects())
	}
}

func TestUnneededFilesGoOnPostgres(t *testing.T) {
	f, _ := newPostgresFixture(t, Options{})
	l := &layered{f, f.enter(f.ann, "acme", "layered", access.Delete)}
	l.layer("a", "a")
	l.layer("b", "b")
	l.version("1", "a")
	if done := l.dayLater(); done.Files != 1 || l.has("a", "b") != "a" {
		t.Errorf("removed %d, left %q; want b to go", done.Files, l.has("a", "b"))
	}
}
