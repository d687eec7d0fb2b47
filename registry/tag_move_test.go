package registry

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
)

// history is what is recorded of a tag, or of all, as "tag: from > to by actor",
// the first move first.
func (f *fixture) history(p *ent.Pkg, name string) []string {
	f.t.Helper()
	moves, err := f.TagMoves(f.t.Context(), p.ID, name, 0, 100)
	if err != nil {
		f.t.Fatal(err)
	}
	if n, err := f.CountTagMoves(f.t.Context(), p.ID, name); err != nil || n != len(moves) {
		f.t.Errorf("CountTagMoves = %d, %v; there are %d", n, err, len(moves))
	}
	who := map[int64]string{f.ann.UserID: "ann", f.bob.UserID: "bob", 0: "nobody"}
	var lines []string
	for _, m := range moves {
		if m.At.IsZero() {
			f.t.Errorf("move %d has no time", m.ID)
		}
		lines = append(lines, fmt.Sprintf("%s: %s > %s by %s", m.Tag, m.From, m.To, who[m.ActorID]))
	}
	slices.Reverse(lines)
	return lines
}

// Whatever makes a tag move, one line tells from where to where.
func TestTagMoves(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Delete)
	publish := func(version string, edit func(*Publication)) *ent.Pkg {
		t.Helper()
		pub := f.publication("app", version, "content of "+version)
		pub.Policy, pub.Overwrite = CreateOrAdd, OverwriteIdentical
		if edit != nil {
			edit(&pub)
		}
		done, err := s.Publish(t.Context(), pub)
		if err != nil {
			t.Fatal(err)
		}
		return done.Package
	}
	tags := func(names ...string) func(*Publication) { return func(p *Publication) { p.Tags = names } }
	var p *ent.Pkg
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"a publish makes tags", func() error { p = publish("1.0", tags("stable", "edge")); return nil },
			[]string{"stable:  > 1.0 by ann", "edge:  > 1.0 by ann"}},
		{"a publish without tags", func() error { publish("2.0", nil); return nil }, nil},
		{"a publish moves one, of a version that was there", func() error { publish("2.0", tags("edge")); return nil },
			[]string{"edge: 1.0 > 2.0 by ann"}},
		{"the same again moves nothing", func() error { publish("2.0", tags("edge")); return nil }, nil},
		{"a name that comes twice", func() error { publish("3.0", tags("twice", "twice")); return nil },
			[]string{"twice:  > 3.0 by ann"}},
		{"tags of other versions", func() error {
			publish("4.0", func(p *Publication) { p.MoveTags = map[string]string{"stable": "2.0", "edge": "2.0"} })
			return nil
		}, []string{"stable: 1.0 > 2.0 by ann"}},
		{"SetTag", func() error { return s.SetTag(t.Context(), p, "edge", "3.0") }, []string{"edge: 2.0 > 3.0 by ann"}},
		{"SetTag to where it is", func() error { return s.SetTag(t.Context(), p, "edge", "3.0") }, nil},
		{"RemoveTag", func() error { _, err := s.RemoveTag(t.Context(), p, "twice"); return err }, []string{"twice: 3.0 >  by ann"}},
		{"RemoveTag of one that is gone", func() error { _, err := s.RemoveTag(t.Context(), p, "twice"); return err }, nil},
		{"a deletion that moves and removes", func() error {
			return s.DeleteVersions(t.Context(), p, []string{"3.0"}, &TagChanges{Set: map[string]string{"edge": "4.0"}, Remove: []string{"stable"}})
		}, []string{"edge: 3.0 > 4.0 by ann", "stable: 2.0 >  by ann"}},
		{"a deletion takes tags along", func() error { return s.DeleteVersions(t.Context(), p, []string{"4.0"}, nil) },
			[]string{"edge: 4.0 >  by ann"}},
		{"a failed change records nothing", func() error {
			pub := f.publication("app", "5.0", "five")
			pub.MoveTags = map[string]string{"edge": "1.0", "other": "missing"}
			if _, err := s.Publish(t.Context(), pub); CodeOf(err) != NotFound {
				t.Errorf("error %v, want NotFound", err)
			}
			return nil
		}, nil},
	} {
		before := 0
		if p != nil {
			before = len(f.history(p, ""))
		}
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := f.history(p, "")[before:]; !slices.Equal(got, step.want) {
			t.Errorf("%s: recorded %q, want %q", step.name, got, step.want)
		}
	}
	want := []string{"stable:  > 1.0 by ann", "stable: 1.0 > 2.0 by ann", "stable: 2.0 >  by ann"}
	if got := f.history(p, "stable"); !slices.Equal(got, want) {
		t.Errorf("history of stable: %q, want %q", got, want)
	}
	if got := f.history(p, "STABLE"); got != nil {
		t.Errorf("tags are told apart by case; got %q", got)
	}
}

// The tag that a type keeps moves on by itself when its version goes.
func TestKeptTagIsRecorded(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "tagged", access.Delete)
	var p *ent.Pkg
	for _, version := range []string{"1.0", "2.0"} {
		pub := f.publication("app", version, version)
		pub.Tags = []string{Latest}
		done, err := s.Publish(t.Context(), pub)
		if err != nil {
			t.Fatal(err)
		}
		p = done.Package
	}
	if err := s.DeleteVersions(t.Context(), p, []string{"2.0"}, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{"latest:  > 1.0 by ann", "latest: 1.0 > 2.0 by ann", "latest: 2.0 >  by ann", "latest:  > 1.0 by ann"}
	if got := f.history(p, Latest); !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

// Pages of a long history follow each other without gap or repetition.
func TestTagMovesPages(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	var p *ent.Pkg
	for _, version := range []string{"1.0", "2.0"} {
		done, err := s.Publish(t.Context(), f.publication("app", version, version))
		if err != nil {
			t.Fatal(err)
		}
		p = done.Package
	}
	for i := range 7 {
		if err := s.SetTag(t.Context(), p, "edge", []string{"1.0", "2.0"}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for before := int64(0); ; {
		page, err := f.TagMoves(t.Context(), p.ID, "edge", before, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			got, before = append(got, m.To), m.ID
		}
		if len(page) < 3 {
			break
		}
	}
	if want := "1.0 2.0 1.0 2.0 1.0 2.0 1.0"; strings.Join(got, " ") != want {
		t.Errorf("pages give %v, want %s", got, want)
	}
}

// The tags of a publish cost one statement beside those that write them: it
// looks them up. Their lines go out with that of the publish.
func TestTagStatements(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	publish := func(version string, tags ...string) int64 {
		t.Helper()
		pub := f.publication("app", version, "the same bytes")
		pub.Tags = tags
		read, written := f.db.Statements()
		if _, err := s.Publish(t.Context(), pub); err != nil {
			t.Fatal(err)
		}
		r, w := f.db.Statements()
		return r - read + w - written
	}
	publish("0.1", "a")
	plain := publish("0.2")
	for n, tags := range [][]string{{"a"}, {"new"}, {"a", "b", "c"}} {
		if got, want := publish(fmt.Sprint("1.", n), tags...)-plain, int64(1+len(tags)); got != want {
			t.Errorf("the tags %v cost %d statements, want %d", tags, got, want)
		}
	}
}
