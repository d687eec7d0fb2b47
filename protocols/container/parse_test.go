package container

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"entrepot/registry"
)

const (
	someDigest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	someConfig = `"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"` + someDigest + `","size":2}`
	someChild  = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"` + someDigest + `","size":2}`
)

func TestParseManifest(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	for _, tt := range []struct {
		name, body, contentType string
		want                    string // media type, or a part of the refusal
		ok                      bool
	}{
		{"image", `{"schemaVersion":2,` + someConfig + `,"layers":[]}`, v1.MediaTypeImageManifest, v1.MediaTypeImageManifest, true},
		{"type from the field", `{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageManifest + `",` + someConfig + `}`, "", v1.MediaTypeImageManifest, true},
		{"type with parameters", `{"schemaVersion":2,` + someConfig + `}`, v1.MediaTypeImageManifest + "; charset=utf-8", v1.MediaTypeImageManifest, true},
		{"null layers", `{"schemaVersion":2,` + someConfig + `,"layers":null}`, dockerManifest, dockerManifest, true},
		{"index", `{"schemaVersion":2,"manifests":[` + someChild + `]}`, v1.MediaTypeImageIndex, v1.MediaTypeImageIndex, true},
		{"empty index", `{"schemaVersion":2,"manifests":[]}`, dockerList, dockerList, true},
		{"unknown fields", `{"schemaVersion":2,"x":{"y":[1e400,null,true]},` + someConfig + `}`, v1.MediaTypeImageManifest, v1.MediaTypeImageManifest, true},
		{"annotations in any case", `{"schemaVersion":2,"annotations":{"SIZE":"x","Size":"y"},` + someConfig + `}`, v1.MediaTypeImageManifest, v1.MediaTypeImageManifest, true},
		{"deep", `{"schemaVersion":2,"x":` + nested(63) + `,` + someConfig + `}`, v1.MediaTypeImageManifest, v1.MediaTypeImageManifest, true},

		{"no type", `{"schemaVersion":2,` + someConfig + `}`, "", "neither", false},
		{"other type", `{"schemaVersion":2,"mediaType":"` + dockerManifest + `",` + someConfig + `}`, v1.MediaTypeImageManifest, "the Content-Type", false},
		{"unreadable type", `{"schemaVersion":2,` + someConfig + `}`, ";", "cannot be read", false},
		{"unknown type", `{"schemaVersion":2,` + someConfig + `}`, "application/vnd.oci.artifact.manifest.v1+json", "not stored", false},
		{"schema 1", `{"schemaVersion":1,"fsLayers":[]}`, "application/vnd.docker.distribution.manifest.v1+prettyjws", "not stored", false},
		{"schema 1 in disguise", `{"schemaVersion":2,"fsLayers":[],` + someConfig + `}`, v1.MediaTypeImageManifest, "schema 1", false},
		{"schema version", `{"schemaVersion":3,` + someConfig + `}`, v1.MediaTypeImageManifest, "only 2", false},
		{"no schema version", `{` + someConfig + `}`, v1.MediaTypeImageManifest, "only 2", false},
		{"image and index", `{"schemaVersion":2,"manifests":[],` + someConfig + `}`, v1.MediaTypeImageManifest, "of an image and of an index", false},
		{"index and image", `{"schemaVersion":2,"manifests":[],"layers":[]}`, v1.MediaTypeImageIndex, "of an image and of an index", false},
		{"index without manifests", `{"schemaVersion":2}`, v1.MediaTypeImageIndex, "without manifests", false},
		{"image without config", `{"schemaVersion":2,"layers":[]}`, v1.MediaTypeImageManifest, "without config", false},
		{"twice the same key", `{"schemaVersion":2,"layers":[],"layers":[],` + someConfig + `}`, v1.MediaTypeImageManifest, "comes twice", false},
		{"twice the same key below", `{"schemaVersion":2,"x":{"a":1,"b":[{}],"a":2},` + someConfig + `}`, v1.MediaTypeImageManifest, "comes twice", false},
		{"twice the same key, escaped", `{"schemaVersion":2,"x":{"a":1,"\u0061":2},` + someConfig + `}`, v1.MediaTypeImageManifest, "comes twice", false},
		{"key in another case", `{"schemaVersion":2,"Layers":[],` + someConfig + `}`, v1.MediaTypeImageManifest, "wrong case", false},
		{"key in another alphabet", `{"ſchemaVersion":2,` + someConfig + `}`, v1.MediaTypeImageManifest, "wrong case", false},
		{"too deep", `{"schemaVersion":2,"x":` + nested(64) + `,` + someConfig + `}`, v1.MediaTypeImageManifest, "nested deeper", false},
		{"bad UTF-8", `{"schemaVersion":2,"x":"` + "\xff" + `",` + someConfig + `}`, v1.MediaTypeImageManifest, "not UTF-8", false},
		{"two documents", `{"schemaVersion":2,` + someConfig + `}{}`, v1.MediaTypeImageManifest, "", false},
		{"nothing", ``, v1.MediaTypeImageManifest, "", false},
		{"cut off", `{"schemaVersion":2,`, v1.MediaTypeImageManifest, "", false},
		{"a list", `[]`, v1.MediaTypeImageManifest, "", false},
		{"null", `null`, v1.MediaTypeImageManifest, "not an object", false},
		{"bad digest", `{"schemaVersion":2,"config":{"digest":"sha256:x","size":1}}`, v1.MediaTypeImageManifest, "not a digest", false},
		{"upper-case digest", `{"schemaVersion":2,"config":{"digest":"` + strings.ToUpper(someDigest) + `","size":1}}`, v1.MediaTypeImageManifest, "not a digest", false},
		{"digest of another algorithm", `{"schemaVersion":2,"config":{"digest":"sha384:` + strings.Repeat("0", 96) + `","size":1}}`, v1.MediaTypeImageManifest, "not a digest", false},
		{"size below zero", `{"schemaVersion":2,"config":{"digest":"` + someDigest + `","size":-1}}`, v1.MediaTypeImageManifest, "below zero", false},
		{"size of text", `{"schemaVersion":2,"config":{"digest":"` + someDigest + `","size":"1"}}`, v1.MediaTypeImageManifest, "", false},
		{"annotation of a number", `{"schemaVersion":2,"annotations":{"a":1},` + someConfig + `}`, v1.MediaTypeImageManifest, "", false},
		{"bad subject", `{"schemaVersion":2,"subject":{},` + someConfig + `}`, v1.MediaTypeImageManifest, "not a digest", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := parseManifest([]byte(tt.body), tt.contentType)
			switch {
			case tt.ok && (err != nil || m.MediaType != tt.want):
				t.Errorf("manifest %+v, error %v; want type %s", m, err, tt.want)
			case !tt.ok && (registry.CodeOf(err) != manifestInvalid || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %s with %q", err, manifestInvalid, tt.want)
			}
		})
	}
}

// FuzzParseManifest feeds the parser anything. What it accepts must be a
// document that a strict reader sees the same in.
func FuzzParseManifest(f *testing.F) {
	for _, seed := range []string{
		`{"schemaVersion":2,` + someConfig + `,"layers":[` + someChild + `]}`,
		`{"schemaVersion":2,"manifests":[` + someChild + `],"subject":` + someChild + `,"annotations":{"a":"b"}}`,
		`{"schemaVersion":2,"manifests":[],"Manifests":[]}`, `{`, `[]`, `null`, "\xff", `{"a":{"a":[{"a":1,"a":2}]}}`,
	} {
		f.Add([]byte(seed), v1.MediaTypeImageManifest)
		f.Add([]byte(seed), v1.MediaTypeImageIndex)
		f.Add([]byte(seed), "")
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		m, err := parseManifest(body, contentType)
		if err != nil {
			if registry.CodeOf(err) != manifestInvalid {
				t.Fatalf("error %v", err)
			}
			return
		}
		var fields map[string]any
		if err := json.Unmarshal(body, &fields); err != nil {
			t.Fatalf("accepted what is not JSON: %v", err)
		}
		if _, lists := fields["manifests"]; lists != m.isIndex() {
			t.Errorf("%q is taken for %s", body, m.MediaType)
		}
		for _, d := range m.references() {
			if _, err := digest.Parse(d.Digest); err != nil {
				t.Errorf("accepted the digest %q", d.Digest)
			}
		}
		// What is derived from a manifest must never fail.
		m.kind()
		properties(m)
		referrer(m, someDigest, int64(len(body)))
	})
}

func TestParseContentRange(t *testing.T) {
	for _, tt := range []struct {
		text          string
		first, length int64
		ok            bool
	}{
		{"0-0", 0, 1, true},
		{"0-9", 0, 10, true},
		{"bytes 10-19", 10, 10, true},
		{"bytes=10-19", 10, 10, true},
		{"bytes 10-19/100", 10, 10, true},
		{"10-19/*", 10, 10, true},
		{"9-0", 0, 0, false},
		{"-9", 0, 0, false},
		{"9-", 0, 0, false},
		{"", 0, 0, false},
		{"a-b", 0, 0, false},
		{"0-9223372036854775807", 0, 0, false},
		{"0-99999999999999999999", 0, 0, false},
		{"items 0-9", 0, 0, false},
		{" 0-9", 0, 0, false},
	} {
		first, length, ok := parseContentRange(tt.text)
		if first != tt.first || length != tt.length || ok != tt.ok {
			t.Errorf("parseContentRange(%q) = %d, %d, %v; want %d, %d, %v", tt.text, first, length, ok, tt.first, tt.length, tt.ok)
		}
	}
}

// FuzzParseContentRange holds what is accepted against what it says.
func FuzzParseContentRange(f *testing.F) {
	for _, seed := range []string{"0-9", "bytes 1-2/3", "9-0", "0-9223372036854775807", "-", "bytes */10"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, length, ok := parseContentRange(text)
		if !ok {
			return
		}
		if first < 0 || length <= 0 || first+length-1 < first {
			t.Fatalf("%q gives %d and %d", text, first, length)
		}
		again, n, ok := parseContentRange(fmt.Sprintf("%d-%d", first, first+length-1))
		if !ok || again != first || n != length {
			t.Errorf("%q does not read back: %d, %d", text, again, n)
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, seed := range []string{"app", "a/b", "a__b", "a--b", "A", "", "a//b", "sha256:" + strings.Repeat("0", 64), "v1.0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkName("localhost", "acme", text) == nil && (strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789._-/") != "" || text == "" || len(text) > maxReference) {
			t.Errorf("the name %q passes", text)
		}
		if d, err := parseDigest(text); err == nil && d.Validate() != nil {
			t.Errorf("the digest %q passes", text)
		}
		if checkTag(text) == nil && isDigest(text) {
			t.Errorf("%q is a tag and a digest", text)
		}
	})
}
