package registry

import (
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
)

func TestSelect(t *testing.T) { testSelect(t, "sqlite:"+t.TempDir()+"/test.db") }

// testSelect asks for packages and versions by all that a Selection can say.
func testSelect(t *testing.T, databaseURL string) {
	f := newFixtureOn(t, databaseURL, Options{})
	s := f.enter(f.ann, "acme", "worded", access.Write)
	for i, v := range []struct {
		name, version, words string
		marks                []Property
	}{
		{"Json", "1.0", "parses TEXT", []Property{{"kind", "tool"}}},
		{"Json", "2.0", "reads text", nil},
		{"Json", "3.0-a", "", []Property{{"new", "yes"}}},
		{"Json.More", "1.0", "100%", nil},
		{"A.Json", "1.0-a", "text", []Property{{"kind", "tool"}, {"new", "yes"}}},
		{"Hidden", "1.0", "text", nil},
		{"Gone", "1.0", "text", nil},
	} {
		p := f.publication(v.name, v.version, v.name+v.version)
		p.Metadata, p.Properties, p.Files[0].Fragment = v.words, v.marks, []byte{byte('0' + i)}
		done, err := s.Publish(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		switch v.name {
		case "Hidden":
			err = s.SetVisibility(t.Context(), done.Package, access.Private)
		case "Gone":
			err = s.SetStatus(t.Context(), done.Package, map[string]Status{"1.0": {Yanked: true}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// What others have is never found.
	if _, err := f.enter(f.ann, "acme", "plain", access.Write).Publish(t.Context(), f.publication("Json", "9.0", "another type")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.enter(f.ann, "ann", "worded", access.Write).Publish(t.Context(), f.publication("Json", "9.0", "another owner")); err != nil {
		t.Fatal(err)
	}
	bobs := f.enter(f.bob, "acme", "worded", access.Read)

	for _, c := range []struct {
		name               string
		selection          Selection
		packages, versions string
	}{
		{"all", Selection{}, "A.Json Gone Json Json.More", "A.Json@1.0-a Gone@1.0 Json@1.0 Json@2.0 Json@3.0-a Json.More@1.0"},
		{"a word of the latest version", Selection{Words: []string{"TEXT", "reads"}}, "Json", "Json@1.0 Json@2.0 Json@3.0-a"},
		{"a word of an older one", Selection{Words: []string{"parses"}}, "", ""},
		{"a word that is a pattern", Selection{Words: []string{"%"}}, "Json.More", "Json.More@1.0"},
		{"a word that cannot be stored", Selection{Words: []string{"\x00"}}, "", ""},
		{"in the name", Selection{InName: "n.m"}, "Json.More", "Json.More@1.0"},
		{"a name that cannot be stored", Selection{Names: []string{"json", "\xff"}}, "", ""},
		{"names", Selection{Names: []string{"json", "none"}}, "Json", "Json@1.0 Json@2.0 Json@3.0-a"},
		{"no names", Selection{Names: []string{}}, "", ""},
		{"the nearest first", Selection{First: "json", InName: "json"}, "Json Json.More A.Json", "A.Json@1.0-a Json@1.0 Json@2.0 Json@3.0-a Json.More@1.0"},
		{"stable", Selection{Stable: true}, "Gone Json Json.More", "Gone@1.0 Json@1.0 Json@2.0 Json.More@1.0"},
		{"listed", Selection{Listed: true}, "A.Json Json Json.More", "A.Json@1.0-a Json@1.0 Json@2.0 Json@3.0-a Json.More@1.0"},
		{"with", Selection{With: Property{"kind", "tool"}}, "A.Json Json", "A.Json@1.0-a Json@1.0"},
		{"with another value", Selection{With: Property{"kind", "other"}}, "", ""},
		{"without", Selection{Without: "new"}, "Gone Json Json.More", "Gone@1.0 Json@1.0 Json@2.0 Json.More@1.0"},
		// One version must meet all that is asked for.
		{"with and stable", Selection{With: Property{"kind", "tool"}, Stable: true}, "Json", "Json@1.0"},
		{"with and without", Selection{With: Property{"new", "yes"}, Without: "kind"}, "Json", "Json@3.0-a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, total, err := bobs.SelectPackages(t.Context(), c.selection, 0, 100)
			if got := packageNames(found); err != nil || got != c.packages || total != len(found) {
				t.Errorf("packages %s, %d in all, %v; want %s", got, total, err, c.packages)
			}
			rows, err := bobs.SelectVersions(t.Context(), c.selection, false)
			if got := rowNames(rows); err != nil || got != c.versions {
				t.Errorf("versions %s, %v; want %s", got, err, c.versions)
			}
		})
	}

	for _, page := range []struct {
		offset, limit int
		want          string
	}{{0, 2, "A.Json Gone"}, {2, 2, "Json Json.More"}, {3, 9, "Json.More"}, {4, 1, ""}, {0, 0, ""}} {
		found, total, err := bobs.SelectPackages(t.Context(), Selection{}, page.offset, page.limit)
		if got := packageNames(found); err != nil || got != page.want || total != 4 {
			t.Errorf("%d from %d: %s of %d, %v; want %s", page.limit, page.offset, got, total, err, page.want)
		}
	}
	// Who may see more finds more.
	if found, _, err := s.SelectPackages(t.Context(), Selection{InName: "hidden"}, 0, 1); err != nil || packageNames(found) != "Hidden" {
		t.Errorf("the owner finds %s, %v", packageNames(found), err)
	}

	rows, err := bobs.SelectVersions(t.Context(), Selection{Names: []string{"json"}}, true)
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for _, v := range rows {
		ids = append(ids, v.ID)
	}
	if got := string(rows[0].Metadata); got != `"parses TEXT"` || rows[2].Prerelease != true || rows[0].CreatedAt.IsZero() {
		t.Errorf("metadata %s in %+v", got, rows)
	}
	fragments, err := bobs.Fragments(t.Context(), ids)
	if err != nil || len(fragments) != 3 || string(fragments[ids[1]]) != "1" {
		t.Errorf("fragments %v, %v", fragments, err)
	}
	described, err := bobs.Described(t.Context(), ids)
	if err != nil || len(described) != 3 {
		t.Fatalf("described %v, %v", described, err)
	}
	if v := described[ids[1]]; v.Version != "2.0" || v.Edges.Package.Name != "Json" || v.Edges.Files[0].Edges.Blob.Sha256 != sha256Of("Json2.0") {
		t.Errorf("described %v", v)
	}
}

func packageNames(packages []*ent.Pkg) string {
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

func rowNames(rows []VersionRow) string {
	var names []string
	for _, v := range rows {
		names = append(names, v.Name+"@"+v.Version)
	}
	return strings.Join(names, " ")
}

func TestNamedFileWith(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	mark := Property{"plain.id", "one"}
	for _, name := range []string{"first", "second", "hidden"} {
		p := f.publication(name, "1.0", name)
		p.Files = append(p.Files, File{Name: "A.pdb", NormalizedName: "a.pdb", CompositeKey: "one", Content: f.stored("symbols"), Properties: []Property{mark}})
		done, err := s.Publish(t.Context(), p)
		if err == nil && name == "hidden" {
			err = s.SetVisibility(t.Context(), done.Package, access.Private)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for p, want := range map[Property]string{mark: "1.0", {mark.Name, "two"}: "", {"plain.other", mark.Value}: ""} {
		second, err := s.AnyPackage(t.Context(), "second")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Holdings(second).VersionWithFile(t.Context(), p); got != want || err != nil {
			t.Errorf("the version with a file of %v is %q, %v", p, got, err)
		}
	}
	bobs := f.enter(f.bob, "acme", "plain", access.Read)
	found, err := bobs.NamedFileWith(t.Context(), "a.pdb", mark)
	if err != nil || found.Name != "A.pdb" || found.Edges.Blob.Sha256 != sha256Of("symbols") || found.Edges.Version.Version != "1.0" {
		t.Fatalf("found %v, %v", found, err)
	}
	anonymous := f.enter(access.Viewer{}, "acme", "plain", access.Read)
	for _, c := range []struct {
		name  string
		space *Space
		file  string
		mark  Property
		want  Code
	}{
		{"another value", bobs, "a.pdb", Property{mark.Name, "two"}, NotFound},
		{"another property", bobs, "a.pdb", Property{"plain.other", mark.Value}, NotFound},
		{"another name", bobs, "b.pdb", mark, NotFound},
		{"a pattern", bobs, "%.pdb", mark, NotFound},
		{"a name that cannot be stored", bobs, "\x00", mark, NotFound},
		{"another type", f.enter(f.ann, "acme", "tagged", access.Read), "a.pdb", mark, NotFound},
		{"another owner", f.enter(f.ann, "ann", "plain", access.Read), "a.pdb", mark, NotFound},
		// There might be one among what is hidden: signing in may help.
		{"nobody, where something is hidden", anonymous, "b.pdb", mark, Unauthenticated},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.space.NamedFileWith(t.Context(), c.file, c.mark)
			wantCode(t, err, c.want)
		})
	}
}
