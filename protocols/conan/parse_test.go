package conan

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"entrepot/protocols"
)

func TestParseConanfile(t *testing.T) {
	for _, tt := range []struct{ name, source, key, want string }{
		{"text", "class A(ConanFile):\n  license = 'MIT'\n", "license", "[MIT]"},
		{"tabs", "class A(ConanFile):\n\tlicense=\"MIT\" # ours\n", "license", "[MIT]"},
		{"tuple", "class A:\n  license = ('MIT',\n    # or\n    'Zlib',)\n", "license", "[MIT Zlib]"},
		{"bare tuple", "class A:\n  license = 'MIT', 'Zlib'\n  url = 'x'\n", "license", "[MIT Zlib]"},
		{"list", "class A:\n  topics = ['a', \"b\"]\n", "topics", "[a b]"},
		{"joined", "class A:\n  description = ('one '\n                 'two')\n", "description", "[one two]"},
		{"three quotes", "class A:\n  description = \"\"\"one\n    'two'\"\"\"\n", "description", "[one\n    'two']"},
		{"escapes", `class A:
  description = 'it\'s \\ a \
b'`, "description", `[it's \ a b]`},
		{"first counts", "class A:\n  license = 'MIT'\n  license = 'GPL'\n", "license", "[MIT]"},
		{"computed", "class A:\n  license = get()\n", "license", "[]"},
		{"formatted", "class A:\n  license = f'{x}'\n", "license", "[]"},
		{"not closed", "class A:\n  license = 'MIT\n", "license", "[]"},
		{"not in a class", "license = 'MIT'\n", "license", "[]"},
		{"something longer", "class A:\n  license_file = 'MIT'\n", "license", "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fmt.Sprint(parseConanfile([]byte(tt.source)).lists[tt.key]); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	r := parseConanfile([]byte("class A:\n  options = {\n    'shared': [True, False], # how\n    \"with, comma\": [')', \"ANY\"],\n  }\n" +
		"  requires = 'zlib/1.3', 'no version'\n  def requirements(self):\n    self.requires(\n      'fmt/10@u/c', force=True)\n    self.requires(f'x/{y}')\n    self.test_requires('gtest/1')\n"))
	if got, want := fmt.Sprint(r.options), "[{shared [True, False]} {with, comma [')', \"ANY\"]}]"; got != want {
		t.Errorf("options %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(r.requirements), "[{requires zlib 1.3 false} {requires fmt 10@u/c false} {test_requires gtest 1 false}]"; got != want {
		t.Errorf("requirements %s, want %s", got, want)
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true}, {"a*c", "abbc", true}, {"a*c", "abcd", false}, {"**b*", "aab", true},
		{"?", "", false}, {"?b", "ab", true}, {"[ab]", "b", true}, {"[!ab]", "b", false}, {"[!ab]", "c", true}, {"[a-c]x", "bx", true}, {"[a-c]", "d", false},
		{"[]]", "]", true}, {"[!]]", "]", false}, {"[", "[", true}, {"[a", "[a", true}, {"[a-]", "-", true}, {"*[0-9]", "v1", true}, {"a.b", "axb", false},
		{"*a*a*a*a*a*a*a*b", strings.Repeat("a", 200), false},
	} {
		if got := match(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q on %q: %v", tt.pattern, tt.text, got)
		}
	}
}

func FuzzConanfile(f *testing.F) {
	for _, seed := range []string{"class A(ConanFile):\n  license = ('MIT', \"Zlib\")\n  options = {'a': [1, {2: ')'}], 'b': \"x\"}\n", "  topics = '''a\\", "  options = {'a':", "\tself.requires('a/1[>2]')\xff\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := parseConanfile(raw)
		facts := r.facts()
		for _, text := range append([]string{facts.Summary, facts.License, facts.Homepage, facts.RepositoryURL}, facts.Keywords...) {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || protocols.CleanText(text) != text {
				t.Errorf("%q cannot be stored", text)
			}
		}
		if _, err := json.Marshal(r.metadata()); err != nil {
			t.Error(err)
		}
	})
}

func FuzzPackageInfo(f *testing.F) {
	for _, seed := range []string{"[settings]\nos=Linux\n[requires]\na/1\n", "[recipe_hash]\n  x\n[env]\na\n[", "\xff[options]\n=\x00", "x=1\n[]\ny"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		fragment := describePackage(raw, int64(len(raw)))
		var info packageInfo
		if err := json.Unmarshal(fragment, &info); err != nil {
			t.Fatal(err)
		}
		if info.Content != protocols.CleanText(string(raw)) {
			t.Errorf("content %q of %q", info.Content, raw)
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add("a*[!b-d]?", "abce")
	f.Add("[", "x")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		match(pattern, text)
		if len(pattern) < 100 && !match("*"+pattern+"*", pattern) && !strings.ContainsAny(pattern, "[?") {
			t.Errorf("%q does not match itself", pattern)
		}
	})
}

func FuzzPath(f *testing.F) {
	f.Add("metadata/a/../b", false)
	f.Add("conan_package.tgz", true)
	f.Fuzz(func(t *testing.T, name string, binary bool) {
		at := place{rrev: "r"}
		if binary {
			at.packageID, at.prev = "p", "v"
		}
		if at.checkPath(name) == nil && (strings.Contains("/"+name+"/", "/../") || strings.Contains(name, "//") || strings.Contains(name, "\\")) {
			t.Errorf("%q is allowed", name)
		}
	})
}
