package npm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"entrepot/ent"
	"entrepot/registry"
)

func TestLiftFacts(t *testing.T) {
	for name, tt := range map[string]struct {
		manifest string
		want     registry.Facts
	}{
		"as npm writes it": {`{"description":"A  tool\n","license":"MIT","homepage":"https://example.com/","author":{"name":"Ann","email":"a@example.com"},
			"contributors":[{"name":"Bob"},"Cy <c@example.com> (http://c.example.com)",7,{"name":"Ann"}],"keywords":["a","b","a",1],
			"repository":{"type":"git","url":"git+ssh://git@example.com/acme/tool.git#main"},
			"dependencies":{"a":"^1","o":"2"},"optionalDependencies":{"o":"2"},"peerDependencies":{"p":"*","q":"1"},
			"peerDependenciesMeta":{"p":{"optional":true}},"devDependencies":{"d":"file:../d","odd":{}}}`,
			registry.Facts{
				Summary: "A tool", License: "MIT", Homepage: "https://example.com/", RepositoryURL: "https://example.com/acme/tool",
				Authors: []string{"Ann", "Bob", "Cy"}, Keywords: []string{"a", "b"}, Dependencies: []registry.Dependency{
					{Group: "dependencies", Name: "a", Requirement: "^1"}, {Group: "optionalDependencies", Name: "o", Requirement: "2", Optional: true},
					{Group: "peerDependencies", Name: "p", Requirement: "*", Optional: true}, {Group: "peerDependencies", Name: "q", Requirement: "1"},
					{Group: "devDependencies", Name: "d", Requirement: "file:../d"},
				},
			}},
		"old and short": {`{"license":{"type":"ISC"},"author":"Ann <a@example.com>","keywords":"a, b c","repository":"acme/tool"}`,
			registry.Facts{License: "ISC", Authors: []string{"Ann"}, Keywords: []string{"a", "b", "c"}, RepositoryURL: "https://github.com/acme/tool"}},
		"older still": {`{"licenses":[{"type":"MIT"},{"type":"BSD"}],"repository":"gitlab:acme/tool"}`,
			registry.Facts{License: "MIT OR BSD", RepositoryURL: "https://gitlab.com/acme/tool"}},
		"by ssh": {`{"repository":"git@example.com:acme/tool.git"}`, registry.Facts{RepositoryURL: "https://example.com/acme/tool"}},
		"odd all over": {`{"description":1,"license":[],"homepage":"javascript:alert(1)","author":7,"contributors":"x","keywords":{},"repository":["x"],
			"dependencies":[],"peerDependencies":"x","bugs":[]}`, registry.Facts{}},
		"not to be stored": {`{"description":"a\u0000b"}`, registry.Facts{Summary: "a\ufffdb"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := parseManifest(json.RawMessage(tt.manifest))
			if err != nil {
				t.Fatal(err)
			}
			if got := liftFacts(m); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("facts = %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestFacts(t *testing.T) {
	m, err := parseManifest(json.RawMessage(`{"name":"@acme/tool","type":"module","bin":{"x":"x.js","y":"y.js"},"engines":{"npm":">=9","node":">=20"},
		"os":["linux"],"cpu":"x64","bugs":{"url":"https://example.com/bugs"},"types":"index.d.ts"}`))
	if err != nil {
		t.Fatal(err)
	}
	md, err := json.Marshal(newMetadata(m, &body{tarball: &tarball{facts: archive{files: 3, unpackedSize: 1536}}, provenance: &attachment{}}, true))
	if err != nil {
		t.Fatal(err)
	}
	all, err := facts(&ent.PackageVersion{Metadata: md})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, fact := range all {
		got = append(got, fact.Name+": "+fact.Value)
	}
	want := []string{
		"engines: node >=20, npm >=9", "os: linux", "cpu: x64", "commands: x, y", "module: ECMAScript", "types: included",
		"install-script: runs when installed", "provenance: attestation attached", "bugs: https://example.com/bugs", "unpacked: 1.5 KiB in 3 files",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("facts = %q\nwant %q", got, want)
	}
	if none, err := facts(&ent.PackageVersion{}); err != nil || len(none) != 0 {
		t.Errorf("facts of a version without metadata = %v, %v", none, err)
	}
}

func TestInstructions(t *testing.T) {
	in := registry.InstructionsInput{
		BaseURL: "http://host:8080", Owner: "Acme", Package: &ent.Pkg{Name: "@acme/tool"}, Version: &ent.PackageVersion{Version: "1.0.0"},
	}
	text := func(in registry.InstructionsInput) string {
		var b strings.Builder
		for _, i := range instructions(in) {
			for _, s := range i.Steps {
				fmt.Fprintf(&b, "%s, %s: %s%s", i.Client, i.Title, s.Path+" ", s.Body)
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
		"npm, Set up: .npmrc @acme:registry=http://host:8080/api/packages/Acme/npm/\n",
		"npm, Install:  npm install @acme/tool@1.0.0\n", "pnpm, Install:  pnpm add @acme/tool@1.0.0\n", "bun, Install:  bun add @acme/tool@1.0.0\n",
		"//host:8080/api/packages/Acme/npm/:_authToken=TOKEN\n", "yarn, Set up: .yarnrc.yml npmScopes:\n  acme:\n    npmRegistryServer: \"http://host:8080/api/packages/Acme/npm/\"\n",
		"unsafeHttpWhitelist: [\"host\"]\n", "yarn, Publish:  yarn npm publish\n",
	} {
		if !strings.Contains(public, want) {
			t.Errorf("%q is not in\n%s", want, public)
		}
	}
	in.Private = true
	if private := text(in); !strings.Contains(private, "npm, Set up: .npmrc @acme:registry=http://host:8080/api/packages/Acme/npm/\n//host:8080/api/packages/Acme/npm/:_authToken=TOKEN\n") ||
		!strings.Contains(private, "always-auth=true") {
		t.Errorf("private instructions:\n%s", private)
	}
	in.Package = &ent.Pkg{Name: "bare"}
	if bare := text(in); !strings.Contains(bare, "npm, Set up: .npmrc registry=http://host:8080/") || !strings.Contains(bare, ".yarnrc.yml npmRegistryServer:") {
		t.Errorf("instructions without a scope:\n%s", bare)
	}
	in.Package, in.Version = nil, nil
	if none := text(in); strings.Contains(none, "Install") || !strings.Contains(none, "@acme:registry=") {
		t.Errorf("instructions without a package:\n%s", none)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "a.b_c-d": true, "-a": true, "@s/a": true, "@s.x/a": true, "0": true, strings.Repeat("n", 214): true,
		"": false, "A": false, ".a": false, "_a": false, "@s": false, "@s/": false, "@/a": false, "s/a": false, "@s/a/b": false, "-": false, "@s/-": false,
		"node_modules": false, "favicon.ico": false, "a b": false, "ä": false, "@S/a": false, "@_s/a": false, "a~": false, strings.Repeat("n", 215): false,
	} {
		if got := validName(name); got != want {
			t.Errorf("validName(%q) = %t", name, got)
		}
	}
	for path, want := range map[string][2]string{
		"a": {"a", ""}, "a/b": {"a", "b"}, "a/b/c": {"a", "b/c"}, "@s/a": {"@s/a", ""}, "@s/a/1": {"@s/a", "1"}, "@s": {"@s", ""}, "": {"", ""},
	} {
		name, rest := cutName(path)
		if name != want[0] || rest != want[1] {
			t.Errorf("cutName(%q) = %q, %q", path, name, rest)
		}
	}
}

func TestDecodeFragment(t *testing.T) {
	f := fragment{full: []byte("full"), abbreviated: []byte("short"), tail: []byte("tail")}
	encoded := f.encode()
	got, err := decodeFragment(encoded)
	if err != nil || string(got.full) != "full" || string(got.abbreviated) != "short" || string(got.tail) != "tail" {
		t.Errorf("decodeFragment = %q, %v", got, err)
	}
	for n := range len(encoded) - len(f.tail) {
		if _, err := decodeFragment(encoded[:n]); err == nil {
			t.Errorf("the first %d bytes decode", n)
		}
	}
	if _, err := decodeFragment(append([]byte{fragmentVersion + 1}, encoded[1:]...)); err == nil {
		t.Error("another version decodes")
	}
}
