package swift

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"entrepot/registry"
)

// FuzzArchive looks into anything: it must not fail but by refusing.
func FuzzArchive(f *testing.F) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, body := range map[string]string{"a/Package.swift": "// swift-tools-version:5.7", "a/Package@swift-5.9.swift": "x"} {
		file, err := w.Create(name)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := io.WriteString(file, body); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, archive []byte) {
		manifests, err := inspect(bytes.NewReader(archive), int64(len(archive)))
		if err != nil {
			if registry.CodeOf(err) == "" {
				t.Errorf("error = %v, which blames the server", err)
			}
			return
		}
		if len(manifests) == 0 || manifests[0].Swift != "" {
			t.Errorf("manifests = %v", manifests)
		}
		for _, m := range manifests {
			if !utf8.ValidString(m.Content) || !swiftPattern.MatchString(m.Tools) {
				t.Errorf("manifest = %+v", m)
			}
		}
	})
}

// FuzzMetadata reads anything as metadata: what is taken, the client can read.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"author":{"name":"Ann","organization":{"name":"Acme"}},"repositoryURLs":["git@example.com:a/b"],"originalPublicationTime":"2024-01-02T03:04:05.6Z"}`))
	f.Add([]byte(`{"codeRepository":"https://example.com/a","author":{"givenName":"Ann"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, facts, err := parseMetadata(raw)
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Error(err)
			}
			return
		}
		if m.Author != nil && m.Author.Name == "" || len(facts.Summary) > maxLine {
			t.Errorf("metadata = %+v", m)
		}
		if m.OriginalPublicationTime != "" {
			if _, err := time.Parse(timeFormat, m.OriginalPublicationTime); err != nil {
				t.Error(err)
			}
		}
		if _, err := json.Marshal(m); err != nil {
			t.Error(err)
		}
	})
}

// FuzzSignature reads anything as a signature.
func FuzzSignature(f *testing.F) {
	f.Add([]byte("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"))
	f.Fuzz(func(t *testing.T, signature []byte) {
		if signer, err := signerOf("signature", signature); err == nil && signer == "" {
			t.Error("a signature of nobody")
		}
	})
}

// FuzzRepository makes keys of anything; a key is the key of itself as a URL.
func FuzzRepository(f *testing.F) {
	f.Add("https://ann@example.com:443/a/b.git/")
	f.Add("git@example.com:a/b.git")
	f.Fuzz(func(t *testing.T, raw string) {
		if key := repositoryKey(raw); key != "" && (strings.ContainsAny(key, " \n\x00") || strings.HasSuffix(key, "/")) {
			t.Errorf("%q gives %q", raw, key)
		}
	})
}

// TestToolsVersion reads what manifests say in their first line.
func TestToolsVersion(t *testing.T) {
	for content, want := range map[string]string{
		"// swift-tools-version:5.9\n": "5.9", "//swift-tools-version: 5": "5", "// Swift-Tools-Version : 5.10.1;x": "5.10.1",
		"\ufeff\n\n // swift-tools-version:5.9": "5.9", "import PackageDescription\n// swift-tools-version:5.9": oldestTools, "": oldestTools,
		"/* swift-tools-version:5.9 */": oldestTools,
	} {
		m, err := newManifest(manifestName, []byte(content))
		if err != nil || m.Tools != want || m.Content != content {
			t.Errorf("%q: %s (%v), want %s", content, m.Tools, err, want)
		}
	}
	if m, err := newManifest("Package@swift-6.swift", nil); err != nil || m.Tools != "6.0" || m.fileName() != "Package@swift-6.swift" {
		t.Errorf("an alternate is %+v (%v): the client wants two numbers", m, err)
	}
	if m, err := newManifest("Package@swift-5.9.swift", []byte("// swift-tools-version:5.3")); err != nil || m.Tools != "5.9" || m.fileName() != "Package@swift-5.9.swift" {
		t.Errorf("an alternate is %+v (%v): it is known by its name", m, err)
	}
}
