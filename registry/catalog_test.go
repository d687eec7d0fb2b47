package registry

import (
	"slices"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/storage"
)

func TestCatalog(t *testing.T) { testCatalog(t, "sqlite:"+t.TempDir()+"/test.db") }

// testCatalog lists names whose byte order no locale has.
func testCatalog(t *testing.T, databaseURL string) {
	f := newFixtureOn(t, databaseURL, Options{})
	names := []string{"a-b/c", "a.b/c", "a/b", "a/b-c", "a/b/c", "a0/c"}
	for _, name := range names {
		owner, pkg, _ := strings.Cut(name, "/")
		if _, err := f.Enter(f.as(f.ann), owner, "plain", access.Write); err != nil {
			if _, err := f.CreateOrganization(f.as(f.ann), owner, access.Public, "ann"); err != nil {
				t.Fatal(err)
			}
		}
		p := f.publication(pkg, "1.0", name)
		if _, err := f.enter(f.ann, owner, "plain", access.Write).Publish(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	all, err := f.Catalog(f.as(f.bob), "plain", "", 100)
	if err != nil || !slices.Equal(all, names) {
		t.Errorf("catalog %v, error %v; want %v", all, err, names)
	}
	var paged []string
	for last := ""; ; last = paged[len(paged)-1] {
		page, err := f.Catalog(f.as(f.bob), "plain", last, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
	}
	if !slices.Equal(paged, names) {
		t.Errorf("page by page %v", paged)
	}
	if some, err := f.Catalog(f.as(f.bob), "plain", "a.c", 1); err != nil || !slices.Equal(some, []string{"a/b"}) {
		t.Errorf("after a name that is not there: %v, %v", some, err)
	}
	private := access.Private
	if _, err := f.UpdateOwner(f.as(f.ann), "a", OwnerChange{Visibility: &private}); err != nil {
		t.Fatal(err)
	}
	if some, err := f.Catalog(f.as(f.bob), "plain", "", 100); err != nil || !slices.Equal(some, []string{"a-b/c", "a.b/c", "a0/c"}) {
		t.Errorf("a stranger sees %v, %v", some, err)
	}
}

func TestHeld(t *testing.T) { testHeld(t, "sqlite:"+t.TempDir()+"/test.db") }

func testHeld(t *testing.T, databaseURL string) {
	f := newFixtureOn(t, databaseURL, Options{})
	l := &layered{f, f.enter(f.ann, "acme", "layered", access.Write)}
	sums := storage.Sums{SHA256: sha256Of("content")}
	held := func(v access.Viewer) Code {
		_, err := f.Held(f.as(v), "layered", sums)
		return CodeOf(err)
	}
	if got := held(f.ann); got != NotFound {
		t.Errorf("before it is there: %q", got)
	}
	l.layer("a", "content")
	check := func(when string, ann, bob Code) {
		t.Helper()
		if gotAnn, gotBob := held(f.ann), held(f.bob); gotAnn != ann || gotBob != bob {
			t.Errorf("%s: owner %q, stranger %q", when, gotAnn, gotBob)
		}
	}
	check("before the first version", "", "")
	l.version("1", "a")
	check("in a public owner", "", "")
	private := access.Private
	if _, err := f.UpdateOwner(f.as(f.ann), "acme", OwnerChange{Visibility: &private}); err != nil {
		t.Fatal(err)
	}
	check("in a private owner", "", NotFound)
	if _, err := f.Held(f.as(f.ann), "plain", sums); CodeOf(err) != NotFound {
		t.Errorf("as another type: %v", err)
	}
}
