package registry

import (
	"fmt"
	"testing"

	"github.com/Masterminds/semver/v3"

	"entrepot/access"
)

// TestNeighbours asks for what stands beside versions, some of them
// prereleases, and beside none.
func TestNeighbours(t *testing.T) {
	f := newFixture(t)
	ctx := f.as(f.ann)
	s := f.enter(f.ann, "acme", "pinned", access.Write)
	var published *Published
	for _, version := range []string{"2.0.0", "1.0.0", "1.1.0-beta.1", "1.1.0", "0.9.0-rc.1"} {
		p := f.publication("App", version, version)
		v := semver.MustParse(version)
		p.SortKey, p.Prerelease = SemVerKey(v), v.Prerelease() != ""
		var err error
		if published, err = s.Publish(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	for version, want := range map[string]string{
		"0.9.0-rc.1": " 1.0.0", "1.0.0": "0.9.0-rc.1 1.1.0-beta.1", "1.1.0-beta.1": "1.0.0 1.1.0",
		"1.1.0": "1.1.0-beta.1 2.0.0", "2.0.0": "1.1.0 ", "9.0.0": "2.0.0 ", "0.1.0": " 0.9.0-rc.1",
	} {
		before, after, err := s.Neighbours(ctx, published.Package, SemVerKey(semver.MustParse(version)))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(before, " ", after); got != want {
			t.Errorf("beside %s stand %q, want %q", version, got, want)
		}
	}
}

// TestRemoved lists what has been deleted of a package, until it comes back or
// the package goes.
func TestRemoved(t *testing.T) {
	f := newFixture(t)
	ctx := f.as(f.ann)
	s := f.enter(f.ann, "acme", "pinned", access.Write)
	publish := func(version string) *Published {
		t.Helper()
		published, err := s.Publish(ctx, f.publication("App", version, version))
		if err != nil {
			t.Fatal(err)
		}
		return published
	}
	remove := func(p *Published, versions ...string) {
		t.Helper()
		if err := s.DeleteVersions(ctx, p.Package, versions, nil); err != nil {
			t.Fatal(err)
		}
	}
	removed := func(p *Published) string {
		t.Helper()
		list, err := s.Removed(ctx, p.Package)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(list)
	}
	publish("1.0.0")
	p := publish("2.0.0")
	if got := removed(p); got != "[]" {
		t.Errorf("removed = %s", got)
	}
	remove(p, "1.0.0")
	if got := removed(p); got != "[1.0.0]" {
		t.Errorf("removed = %s", got)
	}
	publish("1.0.0")
	if got := removed(p); got != "[]" {
		t.Errorf("what came back is listed: %s", got)
	}
	remove(p, "1.0.0", "2.0.0")
	p = publish("2.0.0")
	if got := removed(p); got != "[]" {
		t.Errorf("what went with another package is listed: %s", got)
	}
}

// TestPackageProperties publishes versions that say something of the package.
func TestPackageProperties(t *testing.T) {
	f := newFixture(t)
	ctx := f.as(f.ann)
	s := f.enter(f.ann, "acme", "pinned", access.Write)
	for i, properties := range [][]Property{{{"url", "a"}, {"url", "b"}, {"url", "a"}}, nil, {{"url", "c"}}} {
		p := f.publication("App", fmt.Sprint(i, ".0.0"), fmt.Sprint(i))
		p.PackageProperties = properties
		if _, err := s.Publish(ctx, p); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"a": 1, "b": 1, "c": 0}
		if i == 2 {
			want = map[string]int{"a": 0, "b": 0, "c": 1}
		}
		for value, n := range want {
			found, err := s.PackagesWith(ctx, Property{"url", value})
			if err != nil || len(found) != n {
				t.Errorf("after %d: %d packages with %q, want %d (%v)", i, len(found), value, n, err)
			}
		}
	}
}
