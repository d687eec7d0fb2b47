package pub

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// FuzzPubspec reads the text of a pubspec.yaml.
func FuzzPubspec(f *testing.F) {
	f.Add([]byte("name: a\nversion: 1.0.0\nx: [1, 0o7, 1.5, .nan, ~, yes, 2026-01-02]\n"))
	f.Add([]byte("name: a\nversion: 1.0.0\ndependencies: {b: {git: {url: x}}, c: , d: any}\nx: \"\\0\\u2028\"\n"))
	f.Add([]byte("a: &x [*x, *x]\n? {b: c}\n: d\n"))
	f.Add([]byte("\xff\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := parsePubspec(raw)
		if err != nil {
			return
		}
		fragment, err := render(p, "")
		if err != nil {
			t.Fatal(err)
		}
		var shown struct {
			Version string         `json:"version"`
			Pubspec map[string]any `json:"pubspec"`
		}
		if err := json.Unmarshal(append(fragment, '}'), &shown); err != nil {
			t.Fatalf("%v in %q", err, fragment)
		}
		if shown.Pubspec["name"] != p.name || shown.Pubspec["version"] != shown.Version {
			t.Fatalf("shown: %+v", shown)
		}
		liftFacts(archive{pubspec: p})
		if _, err := json.Marshal(newMetadata(archive{pubspec: p}, 0)); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzArchive reads archives.
func FuzzArchive(f *testing.F) {
	var good bytes.Buffer
	z := gzip.NewWriter(&good)
	entries := tar.NewWriter(z)
	for _, file := range [][2]string{{"pubspec.yaml", "name: a\nversion: 1.0.0\n"}, {"README.md", "# Hello"}} {
		if err := entries.WriteHeader(&tar.Header{Name: file[0], Mode: 0o644, Size: int64(len(file[1]))}); err != nil {
			f.Fatal(err)
		}
		if _, err := entries.Write([]byte(file[1])); err != nil {
			f.Fatal(err)
		}
	}
	if err := entries.Close(); err != nil {
		f.Fatal(err)
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add(good.Bytes()[:good.Len()-4])
	f.Add([]byte("test"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := inspect(bytes.NewReader(raw))
		if err == nil && (a.pubspec == nil || !validName(a.pubspec.name)) {
			t.Fatalf("taken: %+v", a)
		}
	})
}

// FuzzVersion reads versions, each of which has a sort key of its own.
func FuzzVersion(f *testing.F) {
	f.Add("1.0.0", "1.0.0+1")
	f.Add("1.0.0-a.1", "1.0.0-a")
	f.Add("1.0.0-01", "01.0.0")
	f.Fuzz(func(t *testing.T, a, b string) {
		v, ok := parseVersion(a)
		w, ok2 := parseVersion(b)
		if !ok || !ok2 {
			return
		}
		if len(v.sortKey()) > 450 {
			t.Fatalf("the key of %q has %d characters", a, len(v.sortKey()))
		}
		if (v.sortKey() == w.sortKey()) != (a == b) {
			t.Fatalf("%q and %q have the keys %s and %s", a, b, v.sortKey(), w.sortKey())
		}
	})
}

func TestVersions(t *testing.T) {
	// From the lowest to the highest.
	ordered := strings.Fields(`0.0.0-0 0.0.0 0.0.1-a 0.0.1 1.0.0-0 1.0.0-2 1.0.0-10 1.0.0-A 1.0.0-a 1.0.0-a+1 1.0.0-a.1 1.0.0-a.b 1.0.0-aa
		1.0.0 1.0.0+0 1.0.0+2 1.0.0+2.1 1.0.0+10 1.0.0+a 1.0.0+a.b 1.0.0+b 1.0.1 1.2.0 1.10.0 2.0.0 10.0.0`)
	var keys []string
	for _, text := range ordered {
		v, ok := parseVersion(text)
		if !ok {
			t.Fatalf("%s is no version", text)
		}
		keys = append(keys, v.sortKey())
	}
	if !slices.IsSorted(keys) {
		for i := 1; i < len(keys); i++ {
			if keys[i-1] >= keys[i] {
				t.Errorf("%s is not below %s", ordered[i-1], ordered[i])
			}
		}
	}
	for _, text := range []string{
		"", "1", "1.0", "1.0.0.0", "v1.0.0", "1.0.0-", "1.0.0+", "1.0.0-a..b", "1.0.0+a+b", "01.0.0", "1.0.0-01", "1.0.0+01", " 1.0.0", "1.0.0\n",
		"1.0.0-ä", "1234567890123456789.0.0", "1.0.0-" + strings.Repeat("a", 59),
	} {
		if _, ok := parseVersion(text); ok {
			t.Errorf("%q is a version", text)
		}
	}
}
