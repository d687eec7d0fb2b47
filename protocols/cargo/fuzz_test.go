package cargo

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
)

// FuzzUpload reads metadata: whatever is taken can be rendered, and cargo can
// read the line.
func FuzzUpload(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","vers":"1.0.0"}`,
		`{"name":"a","vers":"1.0.0-rc.1+b","deps":[{"name":"b","version_req":">=1, <2","explicit_name_in_toml":"c","kind":null,"artifact":["bin"]}],"features":{"x":["dep:c","b?/y"]}}`,
		`{"name":"nul","vers":"1"}`, `{"name":null,"features":{"":null}}`, `[]`, "{",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		u, err := parseUpload(raw)
		if err != nil {
			return
		}
		fragment, err := render(u, "00", func(string) bool { return false })
		if err != nil {
			t.Fatalf("render: %v", err)
		}
		line, err := appendLine(nil, fragment, true, time.Unix(0, 0))
		if err != nil || bytes.Count(line, []byte("\n")) != 1 || !json.Valid(line) {
			t.Fatalf("line %q, %v", line, err)
		}
		head, _, err := decodeLine(fragment)
		if err != nil || head.Name != u.Name || head.Vers != u.Vers || len(head.Deps) != len(u.Deps) {
			t.Fatalf("%+v comes back as %+v, %v", u, head, err)
		}
		if indexPath(u.Name) != strings.ToLower(indexPath(u.Name)) {
			t.Fatalf("path %q", indexPath(u.Name))
		}
	})
}

// FuzzInspect looks into archives: no input makes it panic or read on without
// end, and what is taken has the manifest it must have.
func FuzzInspect(f *testing.F) {
	want := wanted{name: "a", version: "1.0.0", readme: "README.md"}
	var good bytes.Buffer
	z := gzip.NewWriter(&good)
	archive := tar.NewWriter(z)
	for name, body := range map[string]string{"a-1.0.0/Cargo.toml": "[package]\nname = \"a\"\nversion = \"1.0.0\"\n", "a-1.0.0/README.md": "# Hello"} {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(body))}); err != nil {
			f.Fatal(err)
		}
		if _, err := io.WriteString(archive, body); err != nil {
			f.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		f.Fatal(err)
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add(good.Bytes()[:good.Len()-4])
	f.Add([]byte("test"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := want.inspect(bytes.NewReader(raw))
		if err == nil && (a.manifest == nil || a.manifest.Package.Name != "a" || a.manifest.Package.Version != "1.0.0") {
			t.Fatalf("taken: %+v", a)
		}
	})
}

// FuzzManifest reads the text of Cargo.toml.
func FuzzManifest(f *testing.F) {
	f.Add([]byte("[package]\nname = \"a\"\nversion = \"1.0.0\"\nrust-version = 1.2\nedition.workspace = true\n"))
	f.Add([]byte("package = {name = [[[[[]]]]]}"))
	f.Add([]byte("\xff\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseManifest(raw)
		if err != nil {
			return
		}
		if rust := m.rust(); rust != "" && !rustVersion.MatchString(rust) {
			t.Fatalf("rust-version %q", rust)
		}
	})
}

// FuzzFrames cuts bodies into their parts.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00{}\x00\x00\x00\x00"))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		body := frames{bytes.NewReader(raw)}
		metadata, err := body.metadata()
		if err != nil {
			return
		}
		if !bytes.HasPrefix(raw[4:], metadata) {
			t.Fatalf("metadata %q of %q", metadata, raw)
		}
		size, err := body.length("crate")
		if err == nil && size == 0 && body.end() == nil && len(raw) != 8+len(metadata) {
			t.Fatalf("%q ends early", raw)
		}
	})
}
