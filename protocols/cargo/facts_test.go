package cargo

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"entrepot/ent"
	"entrepot/registry"
)

func TestIndexPath(t *testing.T) {
	for name, want := range map[string]string{
		"a": "1/a", "AB": "2/ab", "abc": "3/a/abc", "abcd": "ab/cd/abcd", "My_Lib": "my/_l/my_lib",
	} {
		if got := indexPath(name); got != want {
			t.Errorf("indexPath(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestRequirement(t *testing.T) {
	for _, good := range []string{
		"*", "1", "1.2", "1.2.3", "^1.2", "~1", "=1.2.3-rc.1", ">= 1, < 2", ">=0.1.0,<0.3.0", "1.*", "1.2.*", "1.*.*", "1.X", "=0.0.1+b", " 1 ",
	} {
		if !validRequirement(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{
		"", " ", "v1", "1.2.3.4", "==1", ">1,", ",", "1 2", "latest", "1.*.3", "^*", "1-rc", strings.Repeat("1,", 40) + "1",
	} {
		if validRequirement(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestFeatureNames(t *testing.T) {
	for value, want := range map[string]bool{
		"a": true, "0a": true, "a-b": true, "a+b.c_d": true, "größe": true, "dep:a": true, "a/b": true, "a?/b": true,
		"": false, "-a": false, "a b": false, "a/": false, "/b": false, "dep:": false, "dep:a/b": false, "a??/b": false, "a\n": false,
	} {
		if got := validFeatureValue(value); got != want {
			t.Errorf("validFeatureValue(%q) = %v", value, got)
		}
	}
}

func TestLiftFacts(t *testing.T) {
	u, err := parseUpload([]byte(`{"name":"a","vers":"1.0.0","description":" Two\n lines ","authors":["Ann <ann@example.com>","Bob","Bob"],
		"homepage":"ftp://x","repository":"https://example.com/r.git","documentation":"https://example.com/d","keywords":["k","k",""],"readme":"# R",
		"license":"MIT","deps":[{"name":"t","version_req":"2","kind":"dev"},{"name":"n","version_req":" ^1 ","optional":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := registry.Facts{
		Summary: "Two lines", Readme: "# R", License: "MIT", RepositoryURL: "https://example.com/r",
		Authors: []string{"Ann", "Bob"}, Keywords: []string{"k"},
		Dependencies: []registry.Dependency{
			{Group: "dependencies", Name: "n", Requirement: "^1", Optional: true}, {Group: "dev-dependencies", Name: "t", Requirement: "2"},
		},
	}
	if got := liftFacts(u); !reflect.DeepEqual(got, want) {
		t.Errorf("facts = %+v\nwant %+v", got, want)
	}
}

func TestFacts(t *testing.T) {
	md, err := json.Marshal(metadata{
		Documentation: "https://example.com/d", Categories: []string{"c", "d"}, LicenseFile: "LICENSE", Links: "z", RustVersion: "1.70", Edition: "2021",
		Features: map[string][]string{"b": {"a", "dep:x"}, "a": {}}, FileCount: 2, UnpackedSize: 1536,
	})
	if err != nil {
		t.Fatal(err)
	}
	all, err := facts(&ent.PackageVersion{Metadata: md})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, fact := range all {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s: %s %v", fact.Name, fact.Value, fact.Rows)))
	}
	want := []string{
		"rust-version: 1.70 []", "edition: 2021 []", "documentation: https://example.com/d []", "categories: c, d []", "license-file: LICENSE []",
		"links: z []", "unpacked: 1.5 KiB in 2 files []", "features:  [[a ] [b a, dep:x]]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("facts = %q\nwant %q", got, want)
	}
	if none, err := facts(&ent.PackageVersion{}); err != nil || len(none) != 0 {
		t.Errorf("facts of a version without metadata = %v, %v", none, err)
	}
}

func TestInstructions(t *testing.T) {
	in := registry.InstructionsInput{
		BaseURL: "http://host:8080", Owner: "Acme.Inc", Package: &ent.Pkg{Name: "My_Lib"}, Version: &ent.PackageVersion{Version: "1.0.0+x"},
	}
	text := func(in registry.InstructionsInput) string {
		var b strings.Builder
		for _, i := range instructions(in) {
			for _, s := range i.Steps {
				fmt.Fprintf(&b, "%s: %s %s", i.Title, s.Path, s.Body)
				if (s.SecretPlaceholder != "") != strings.Contains(s.Body, placeholder) {
					t.Errorf("the step %q has the placeholder %q", s.Body, s.SecretPlaceholder)
				}
				b.WriteString("\n")
			}
		}
		return b.String()
	}
	public := text(in)
	for _, want := range []string{
		"Set up: ~/.cargo/config.toml [registries.acme-inc]\nindex = \"sparse+http://host:8080/api/packages/Acme.Inc/cargo/\"\n\n",
		"Install:  cargo add My_Lib@1.0.0 --registry acme-inc\n", "My_Lib = { version = \"1.0.0\", registry = \"acme-inc\" }",
		"Publish: ~/.cargo/credentials.toml [registries.acme-inc]\ntoken = \"TOKEN\"\n", "Publish:  cargo publish --registry acme-inc\n",
	} {
		if !strings.Contains(public, want) {
			t.Errorf("%q is not in\n%s", want, public)
		}
	}
	in.Private, in.Package, in.Version = true, nil, nil
	private := text(in)
	for _, want := range []string{"Set up: ~/.cargo/credentials.toml", "credential-provider = [\"cargo:token\"]"} {
		if !strings.Contains(private, want) {
			t.Errorf("%q is not in\n%s", want, private)
		}
	}
	if strings.Contains(private, "Install") {
		t.Error("without a package there is an Install")
	}
	if got := registryAlias("1a"); got != "registry-1a" {
		t.Errorf("alias of 1a: %s", got)
	}
}
