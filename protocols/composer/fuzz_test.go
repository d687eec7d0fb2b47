package composer

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// FuzzVersion reads versions: the normal form is read as itself, in the same
// place of the order.
func FuzzVersion(f *testing.F) {
	for _, text := range []string{"1.0", "v1.2.3-beta.1.2-dev", "dev-a/b", "2010-01-02.5-p1", "1.x-dev", "1.0+b@dev", "a as b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := parseVersion(text)
		if !ok {
			return
		}
		if len(v.sortKey()) > 512 {
			t.Errorf("%q: the key is %d bytes long", text, len(v.sortKey()))
		}
		if back, ok := parseSegment(v.segment()); !ok || back.normal != v.normal || back.sortKey() != v.sortKey() {
			t.Errorf("%q: the segment %q is read as %q", text, v.segment(), back.normal)
		}
	})
}

// FuzzManifest reads composer.json files: what is taken makes an entry that is
// an object with one member of a name.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"name":"a/b","version":"1.0","require":[],"license":["MIT"],"extra":{"x":[1]}}`))
	f.Add([]byte("\xef\xbb\xbf{\"name\":\"a/b\",\"support\":{\"source\":\"x\"},\"authors\":[{\"name\":\"A\"}],\"require\":{\"b\":\"1\",\"a\":\"2\"}}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseManifest(raw)
		if err != nil {
			return
		}
		liftFacts(m, "")
		newMetadata(m)
		v, err := m.version("")
		if err != nil {
			return
		}
		e, err := decodeEntry(newEntry(m, v, entryHead{File: "f"}, time.Now()).encode())
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := json.Unmarshal(append(e.open(), '}'), &object); err != nil || object["name"] != m.name() {
			t.Errorf("%v in %s", err, e.object)
		}
	})
}

// FuzzArchive looks into archives.
func FuzzArchive(f *testing.F) {
	var z, tarball bytes.Buffer
	zw := zip.NewWriter(&z)
	w, err := zw.Create("a/composer.json")
	if err != nil {
		f.Fatal(err)
	}
	w.Write([]byte("{}"))
	zw.Close()
	tw := tar.NewWriter(&tarball)
	tw.WriteHeader(&tar.Header{Name: "composer.json", Size: 2, Mode: 0o644})
	tw.Write([]byte("{}"))
	tw.Close()
	f.Add(z.Bytes())
	f.Add(tarball.Bytes())
	f.Add([]byte("BZh91AY&SY"))
	f.Fuzz(func(t *testing.T, content []byte) {
		a, err := openArchive(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return
		}
		raw, folder, err := a.findManifest()
		if err != nil {
			return
		}
		if len(raw) > maxManifest || strings.Contains(folder, "/") {
			t.Errorf("%d bytes in %q", len(raw), folder)
		}
		if _, err := a.findReadme(folder, ""); err != nil {
			t.Errorf("readme: %v", err)
		}
	})
}
