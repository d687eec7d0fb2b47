package registry

import (
	"fmt"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
)

// TestListed lists packages in their orders, a page at a time, as who may read
// them all and as who may not.
func TestListed(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	packages := map[string]*ent.Pkg{}
	for _, name := range []string{"c", "a", "b"} {
		published, err := s.Publish(f.as(f.ann), f.publication(name, "1", name))
		if err != nil {
			t.Fatal(err)
		}
		packages[name] = published.Package
	}
	if _, err := s.Publish(f.as(f.ann), f.publication("c", "2", "c2")); err != nil {
		t.Fatal(err)
	}
	if err := f.db.Pkg.UpdateOneID(packages["b"].ID).SetDownloads(7).Exec(access.SystemContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := s.SetVisibility(f.as(f.ann), packages["a"], access.Private); err != nil {
		t.Fatal(err)
	}
	list := func(s *Space, order PackageOrder, offset, limit int) string {
		t.Helper()
		found, total, err := s.Listed(t.Context(), order, offset, limit)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{fmt.Sprint(total)}
		for _, p := range found {
			if p.Edges.Latest == nil {
				t.Errorf("%s comes without its latest version", p.Name)
			}
			names = append(names, p.Name)
		}
		return strings.Join(names, " ")
	}
	for _, c := range []struct {
		got, want string
	}{
		{list(s, ByName, 0, 9), "3 a b c"}, {list(s, ByName, 1, 1), "3 b"}, {list(s, ByName, 0, 0), "3"},
		{list(s, ByCreation, 0, 9), "3 b a c"}, {list(s, ByUpdate, 1, 2), "3 c b"}, {list(s, ByDownloads, 0, 9), "3 b a c"},
		{list(f.enter(f.bob, "acme", "plain", access.Read), ByName, 0, 9), "2 b c"},
	} {
		if c.got != c.want {
			t.Errorf("list = %s, want %s", c.got, c.want)
		}
	}
	for login, want := range map[string]string{"ann": "[a b c]", "bob": "[b c]"} {
		viewer := f.ann
		if login == "bob" {
			viewer = f.bob
		}
		all, err := f.enter(viewer, "acme", "plain", access.Read).All(t.Context())
		var names []string
		for _, p := range all {
			names = append(names, p.Name)
		}
		if err != nil || fmt.Sprint(names) != want {
			t.Errorf("all that %s may read: %v (%v), want %s", login, names, err, want)
		}
	}
}
