package rubygems

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// FuzzGem reads gems.
func FuzzGem(f *testing.F) {
	good, err := os.ReadFile("testdata/ent_a-1.0.0.gem")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:1000])
	f.Add([]byte("gem"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := inspect(bytes.NewReader(raw)); err == nil {
			wellFormed(t, s)
		}
	})
}

// FuzzGemspec reads gemspecs: whatever is taken makes one line of a list.
func FuzzGemspec(f *testing.F) {
	f.Add([]byte("--- !ruby/object:Gem::Specification\nname: a\nversion: !ruby/object:Gem::Version\n  version: 1.10\nplatform: java\n"))
	f.Add([]byte("name: a\nversion: {version: '1'}\ndependencies:\n- name: b\n  type: :development\n  requirement: &r\n    requirements:\n    - - '>='\n      - {version: 1}\n  version_requirements: *r\n"))
	f.Add([]byte("name: a\nversion: 1\nsummary: !binary |\n  w7w=\ndate: 2026-01-02\nauthors: x\nmetadata: {a: b}\n"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := parseGemspec(raw); err == nil {
			wellFormed(t, s)
		}
	})
}

func wellFormed(t *testing.T, s *gemspec) {
	t.Helper()
	line := infoLine(s, "sum")
	if strings.Count(line, "\n") != 1 || strings.Count(line, "|") != 1 || !strings.HasSuffix(line, "\n") || strings.Contains(line, "\r") {
		t.Fatalf("line %q", line)
	}
	if got := len(lineDependencies([]byte(line))); got != len(s.runtime()) {
		t.Fatalf("%d dependencies in %q", got, line)
	}
	if _, err := packGemspec(s); err != nil {
		t.Fatal(err)
	}
	if len(s.version.sortKey()) > 1100 {
		t.Fatalf("the key of %q has %d characters", s.version, len(s.version.sortKey()))
	}
	liftFacts(s)
}

// FuzzVersion reads versions: they have the same key if and only if they are
// the same.
func FuzzVersion(f *testing.F) {
	f.Add("1.0", "1.0.0")
	f.Add("1.0-rc.1", "1.0.a")
	f.Add("1.a.0.b", "1.a.0.0.1")
	f.Fuzz(func(t *testing.T, a, b string) {
		v, err := parseVersion(a)
		w, err2 := parseVersion(b)
		if err != nil || err2 != nil {
			return
		}
		if (v.identity() == w.identity()) != (v.sortKey() == w.sortKey()) {
			t.Fatalf("%q and %q: %s, %s", a, b, v.sortKey(), w.sortKey())
		}
		if again, err := parseVersion(string(v)); err != nil || again != v {
			t.Fatalf("%q is read again as %q, %v", v, again, err)
		}
	})
}
