package registry

import (
	"slices"
	"testing"

	"entrepot/access"
)

func TestState(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	s.Type.States = []string{"archived"}
	done, err := s.Publish(t.Context(), f.publication("app", "1", "content"))
	if err != nil {
		t.Fatal(err)
	}
	p := done.Package
	for _, want := range []PackageState{{"archived", "moved"}, {"archived", ""}, {}} {
		if err := s.SetState(t.Context(), p, want); err != nil {
			t.Fatal(err)
		}
		got, err := f.State(t.Context(), p)
		if err != nil || got != want {
			t.Errorf("state is %+v, %v; want %+v", got, err, want)
		}
		contents, err := s.Contents(t.Context(), p)
		if err != nil || contents.State != want || contents.Package.Generation <= p.Generation {
			t.Errorf("contents: state %+v of generation %d, %v; want %+v after %d", contents.State, contents.Package.Generation, err, want, p.Generation)
		}
	}
	for _, bad := range []PackageState{{"lost", ""}, {"archived", "\x00"}} {
		if err := s.SetState(t.Context(), p, bad); CodeOf(err) != Invalid {
			t.Errorf("SetState(%+v) = %v, want Invalid", bad, err)
		}
	}
	s.Role = access.Reader
	if err := s.SetState(t.Context(), p, PackageState{}); CodeOf(err) != Forbidden {
		t.Errorf("SetState as a reader = %v, want Forbidden", err)
	}
}

// TestAddedFileDescribes adds files to a version that take over what is said
// of it.
func TestAddedFileDescribes(t *testing.T) { testAddedFileDescribes(t, newFixture(t)) }

func testAddedFileDescribes(t *testing.T, f *fixture) {
	t.Helper()
	s := f.enter(f.ann, "acme", "plain", access.Write)
	first := f.publication("app", "1", "one")
	first.Facts.Summary, first.Metadata = "old", map[string]string{"key": "old"}
	if _, err := s.Publish(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	for _, metadata := range []any{map[string]string{"key": "new"}, nil} {
		name := "with.txt"
		if metadata == nil {
			name = "without.txt"
		}
		added := f.publication("app", "1", name)
		added.Name, added.Files[0].Name, added.Files[0].NormalizedName = "App", name, name
		added.Facts.Summary, added.Metadata = "new", metadata
		added.Policy, added.Redescribe, added.Respell = CreateOrAdd, true, true
		done, err := s.Publish(t.Context(), added)
		if err != nil {
			t.Fatal(err)
		}
		if done.NewVersion || done.Version.Summary != "new" || done.Package.Name != "App" || done.Package.Summary != "new" || (done.Version.Metadata == nil) != (metadata == nil) {
			t.Errorf("with metadata %v: version %v of %v", metadata, done.Version, done.Package)
		}
	}
}

func TestNames(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	for _, name := range []string{"b", "c", "a"} {
		if _, err := s.Publish(t.Context(), f.publication(name, "1", name)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := s.Package(t.Context(), "b", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetVisibility(t.Context(), p, access.Private); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		viewer access.Viewer
		want   []string
	}{{f.ann, []string{"a", "b", "c"}}, {f.bob, []string{"a", "c"}}, {access.Viewer{}, []string{"a", "c"}}} {
		s, err := f.Enter(f.as(tt.viewer), "acme", "plain", access.Read)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Names(t.Context()); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("as %q: %q, %v; want %q", tt.viewer.Login, got, err, tt.want)
		}
	}
}

// TestYankedIsNotLatest prefers what is not yanked, a prerelease even, to what
// is.
func TestYankedIsNotLatest(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	for _, version := range []string{"1.0.0", "2.0.0", "3.0.0-rc1"} {
		if _, err := s.Publish(t.Context(), f.publication("app", version, version)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ yank, want string }{
		{"", "2.0.0"}, {"2.0.0", "1.0.0"}, {"1.0.0", "3.0.0-rc1"}, {"3.0.0-rc1", "2.0.0"},
	} {
		p, err := s.AnyPackage(t.Context(), "app")
		if err == nil && tt.yank != "" {
			err = s.SetStatus(t.Context(), p, map[string]Status{tt.yank: {Yanked: true}})
		}
		if err != nil {
			t.Fatal(err)
		}
		if p, err = s.AnyPackage(t.Context(), "app"); err != nil {
			t.Fatal(err)
		}
		if v, err := s.Latest(t.Context(), p); err != nil || v.Version != tt.want {
			t.Errorf("after the yank of %q: latest is %v, %v; want %s", tt.yank, v, err, tt.want)
		}
	}
}
