package helm

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	sigsyaml "sigs.k8s.io/yaml"

	"entrepot/registry"
)

func wantTold(t *testing.T, err error) {
	t.Helper()
	if code := registry.CodeOf(err); err != nil && code != registry.Invalid && code != registry.TooLarge {
		t.Errorf("what is no good gives %v", err)
	}
}

// FuzzParseChart holds what an index may never contain: an entry that helm
// cannot read, or reads as another chart, or one on two lines.
func FuzzParseChart(f *testing.F) {
	f.Add([]byte("apiVersion: v2\nname: app\nversion: 1.0.0\nannotations: {a: \"\\u0085\\u0001\"}\n"))
	f.Add([]byte("a: &a [*a]\nname: x\nversion: 1\n"))
	f.Add([]byte("name: null\nversion: 1e3\ndependencies: [{name: a, import-values: [a, {child: b}]}]\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseChart(raw, nil)
		wantTold(t, err)
		if err != nil {
			return
		}
		line, err := entry(c, strings.Repeat("0", 64))
		wantTold(t, err)
		if err != nil {
			return
		}
		if bytes.Contains(line, []byte("\n")) || bytes.Count(line, []byte{rootMark}) != 1 || bytes.IndexByte(line, pathMark) >= 0 {
			t.Fatalf("the entry is %q", line)
		}
		line = bytes.ReplaceAll(line, []byte{rootMark}, []byte("http://example.com"))
		var fromJSON, fromYAML chart
		if err := json.Unmarshal(line, &fromJSON); err != nil {
			t.Fatalf("%q is no JSON: %v", line, err)
		}
		if err := sigsyaml.Unmarshal(append([]byte("- "), line...), &[]*chart{&fromYAML}); err != nil {
			t.Fatalf("%q is no YAML: %v", line, err)
		}
		if fromYAML.Name != c.Name || fromYAML.Version != c.Version || fromYAML.Description != fromJSON.Description {
			t.Errorf("%q is read as %+v", line, fromYAML)
		}
	})
}

func FuzzReadArchive(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := readArchive(bytes.NewReader(raw))
		wantTold(t, err)
		if err == nil && a.chart == nil {
			t.Error("a chart without a Chart.yaml")
		}
	})
}

func FuzzParseProvenance(f *testing.F) {
	f.Add([]byte("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: a\nversion: 1\n\n...\nfiles:\n  a-1.tgz: sha256:0\n-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, err := parseProvenance(raw)
		wantTold(t, err)
	})
}

func FuzzTables(f *testing.F) {
	f.Add([]byte("# -- how many\na: {b: [1, 2]}\n"), []byte(`{"properties":{"a":{"type":["string","null"]}},"required":["a"]}`))
	f.Fuzz(func(t *testing.T, values, schema []byte) {
		for _, rows := range [][][]string{tableOfValues(values), tableOfSchema(schema), images(string(values)), changes(string(values))} {
			if len(rows) > maxRows {
				t.Errorf("%d rows", len(rows))
			}
			for _, r := range rows {
				for _, cell := range r {
					if len(cell) > maxValue || strings.ContainsRune(cell, 0) {
						t.Errorf("a cell is %q", cell)
					}
				}
			}
		}
	})
}
