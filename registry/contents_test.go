package registry

import (
	"context"
	"fmt"
	"testing"

	"entrepot/access"
	"entrepot/ent"
)

// tagged publishes versions of a package of the type that keeps the tag
// latest.
func (f *fixture) tagged(name string, versions ...string) (*Space, *ent.Pkg) {
	f.t.Helper()
	s := f.enter(f.ann, "acme", "tagged", access.Write)
	var p *ent.Pkg
	for i, v := range versions {
		done, err := s.Publish(f.t.Context(), Publication{
			Name: name, NormalizedName: name, Version: v, NormalizedVersion: v, SortKey: fmt.Sprintf("%04d", i),
			Tags: []string{Latest}, Facts: Facts{Summary: name + " SUMMARY", Keywords: []string{"Key%word"}},
			Files: []File{{Name: v, NormalizedName: v, Lead: true, Fragment: []byte("fragment " + v), Content: f.stored(name + v)}, {
				Name: "more", NormalizedName: "more", Fragment: []byte("no lead"), Content: f.stored("more"),
			}},
		})
		if err != nil {
			f.t.Fatal(err)
		}
		p = done.Package
	}
	return s, p
}

func TestContents(t *testing.T) {
	f := newFixture(t)
	s, stale := f.tagged("a", "1", "2", "3")
	if err := s.SetTag(t.Context(), stale, "old", "1"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetStatus(t.Context(), stale, map[string]Status{"2": {Deprecated: true, Reason: "why"}}); err != nil {
		t.Fatal(err)
	}
	reads, _ := f.db.Statements()
	c, err := s.Contents(t.Context(), stale)
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := f.db.Statements(); after-reads != 5 {
		t.Errorf("%d statements, want 5", after-reads)
	}
	if c.Package.Generation != stale.Generation+2 || c.Latest.Version != "3" {
		t.Errorf("generation %d, latest %s", c.Package.Generation, c.Latest.Version)
	}
	got := ""
	for _, v := range c.Versions {
		got += fmt.Sprintf("%s %q %t %s; ", v.Version, v.Fragment, v.Deprecated, v.StatusReason)
	}
	if want := `1 "fragment 1" false ; 2 "fragment 2" true why; 3 "fragment 3" false ; `; got != want {
		t.Errorf("versions = %s, want %s", got, want)
	}
	got = ""
	for _, tag := range c.Tags {
		got += tag.Name + "=" + tag.Edges.Version.Version + " "
	}
	if got != "latest=3 old=1 " {
		t.Errorf("tags = %s", got)
	}
	states, err := s.VersionStates(t.Context(), stale)
	if err != nil || len(states) != 3 || states[1].StatusReason != "why" || states[0].Fragment != nil {
		t.Errorf("states = %v, %v", states, err)
	}
	if err := s.DeletePackage(t.Context(), stale); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Contents(t.Context(), stale); CodeOf(err) != NotFound {
		t.Errorf("Contents of a package that is gone: %v", err)
	}
}

// TestSnapshot reads before and after a change and sees the same.
func TestSnapshot(t *testing.T) {
	f := newFixture(t)
	_, p := f.tagged("a", "1")
	err := f.db.Snapshot(access.SystemContext(t.Context()), func(ctx context.Context, c *ent.Client) error {
		before, err := c.Pkg.Get(ctx, p.ID)
		if err != nil {
			return err
		}
		f.tagged("a", "2")
		after, err := c.Pkg.Get(ctx, p.ID)
		if err == nil && after.Generation != before.Generation {
			t.Errorf("generation %d became %d", before.Generation, after.Generation)
		}
		if _, err := c.Pkg.Get(access.NewContext(ctx, access.Viewer{Scopes: []access.Scope{}}), p.ID); !ent.IsNotFound(err) {
			t.Errorf("a viewer without any right reads: %v", err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSearch(t *testing.T) {
	f := newFixture(t)
	s, _ := f.tagged("alpha", "1")
	_, hidden := f.tagged("beta", "1")
	if err := s.SetVisibility(t.Context(), hidden, access.Private); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		viewer access.Viewer
		words  []string
		limit  int
		found  int
		total  int
	}{
		{f.ann, nil, 10, 2, 2}, {f.bob, nil, 10, 1, 1}, {access.Viewer{}, nil, 10, 1, 1},
		{f.ann, []string{"ALPHA", "summary"}, 10, 1, 1}, {f.ann, []string{"alpha", "beta"}, 10, 0, 0},
		{f.ann, []string{"key%"}, 10, 2, 2}, {f.ann, []string{"k%y"}, 10, 0, 0}, {f.ann, []string{"k_y"}, 10, 0, 0},
		{f.ann, []string{"\x00"}, 10, 0, 0}, {f.ann, nil, 1, 1, 2}, {f.ann, nil, 0, 0, 2},
	} {
		space := f.enter(tt.viewer, "acme", "tagged", access.Read)
		found, total, err := space.Search(t.Context(), tt.words, 0, tt.limit)
		if err != nil || len(found) != tt.found || total != tt.total {
			t.Errorf("Search(%q, %d) as %q = %d of %d, %v; want %d of %d", tt.words, tt.limit, tt.viewer.Login, len(found), total, err, tt.found, tt.total)
		}
		for _, p := range found {
			if p.Edges.Latest == nil {
				t.Errorf("%s has no latest version", p.Name)
			}
		}
	}
}

func TestDeleteVersionsWithTags(t *testing.T) {
	f := newFixture(t)
	s, p := f.tagged("a", "1", "2", "3")
	for tag, version := range map[string]string{"old": "1", "mid": "2"} {
		if err := s.SetTag(t.Context(), p, tag, version); err != nil {
			t.Fatal(err)
		}
	}
	p, err := s.Package(t.Context(), "a", access.Delete)
	if err != nil {
		t.Fatal(err)
	}
	stale := &TagChanges{IfGeneration: p.Generation - 1}
	if err := s.DeleteVersions(t.Context(), p, []string{"1"}, stale); CodeOf(err) != Conflict {
		t.Errorf("with a stale generation: %v", err)
	}
	if err := s.DeleteVersions(t.Context(), p, []string{"1"}, &TagChanges{Set: map[string]string{"mid": "9"}}); CodeOf(err) != NotFound {
		t.Errorf("with a tag on nothing: %v", err)
	}
	changes := &TagChanges{Set: map[string]string{"new": "2"}, Remove: []string{"mid"}, IfGeneration: p.Generation}
	if err := s.DeleteVersions(t.Context(), p, []string{"1", "3"}, changes); err != nil {
		t.Fatal(err)
	}
	c, err := s.Contents(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, tag := range c.Tags {
		got += tag.Name + "=" + tag.Edges.Version.Version + " "
	}
	if got != "latest=2 new=2 " || len(c.Versions) != 1 {
		t.Errorf("tags = %s, %d versions", got, len(c.Versions))
	}
}
