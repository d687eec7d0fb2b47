package npm

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"entrepot/registry"
)

// seeds are JSON texts, and near misses.
var seeds = []string{
	`{}`, `[]`, ` {"a" : [1, -2.5e+3, true, false, null, "x"] , "b":{"c":{}}} `, `"\u00e4\ud83d\ude00\ud83d\"\\\/\b\f\n\r\t"`, `"\ud83dx"`,
	`{"a":1,}`, `{"a"}`, `[1 2]`, `"\x"`, `"\u12g4"`, "\"\x01\"", `tru`, `01`, `-`, `1.`, `"`, `{`, `{"a":1}}`, "\"\xff\"", `"\ud83d\u0041"`, ``,
}

// FuzzScanner holds the scanner against encoding/json: what one takes the
// other takes, with the same result.
func FuzzScanner(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		valid := json.Valid(text) && utf8.Valid(text)
		for name, r := range map[string]io.Reader{
			"at once": bytes.NewReader(text), "byte by byte": iotest.OneByteReader(bytes.NewReader(text)),
		} {
			s := newScanner(r)
			raw, err := s.raw()
			if err == nil {
				err = s.end()
			}
			if err != nil && registry.CodeOf(err) == "" {
				t.Fatalf("%s: an internal error: %v", name, err)
			}
			if (err == nil) != valid {
				if depth(text) > maxDepth || longLiteral(text) {
					continue
				}
				t.Fatalf("%s: %q: error %v, but valid is %t", name, text, err, valid)
			}
			if err != nil {
				continue
			}
			var want bytes.Buffer
			if err := json.Compact(&want, text); err != nil || !bytes.Equal(raw, want.Bytes()) {
				t.Fatalf("%s: %q became %q, want %q", name, text, raw, want.Bytes())
			}
			if err := newScanner(bytes.NewReader(text)).skip(); err != nil {
				t.Fatalf("skip %q: %v", text, err)
			}
			var plain string
			if json.Unmarshal(text, &plain) != nil || !strings.HasPrefix(string(raw), `"`) {
				continue
			}
			if got, err := newScanner(bytes.NewReader(text)).text(len(text)); err != nil || got != plain {
				t.Fatalf("%s: text %q is %q, %v; want %q", name, text, got, err, plain)
			}
		}
	})
}

// depth bounds how deep a text nests from above.
func depth(text []byte) int { return bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{")) }

func longLiteral(text []byte) bool { return len(text) > maxLiteral }

func TestScannerBounds(t *testing.T) {
	nested := strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2)
	long := `"` + strings.Repeat("x", maxKept) + `"`
	for name, tt := range map[string]struct {
		read func(*scanner) error
		text string
		want registry.Code
	}{
		"deep":              {(*scanner).skip, nested, registry.Invalid},
		"long, kept":        {func(s *scanner) error { _, err := s.raw(); return err }, long, registry.TooLarge},
		"long, passed over": {(*scanner).skip, long, ""},
		"a long number":     {(*scanner).skip, strings.Repeat("1", maxLiteral+1), registry.Invalid},
		"a long text":       {func(s *scanner) error { _, err := s.text(3); return err }, `"four"`, registry.Invalid},
		"a broken stream":   {(*scanner).skip, `{"a":`, registry.Invalid},
	} {
		if err := tt.read(newScanner(strings.NewReader(tt.text))); registry.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// TestScannedBound passes over more than a body may have.
func TestScannedBound(t *testing.T) {
	endless := io.MultiReader(strings.NewReader(`["`), io.LimitReader(repeat('x'), maxScanned+1<<20), strings.NewReader(`"]`))
	if err := newScanner(endless).skip(); registry.CodeOf(err) != registry.TooLarge {
		t.Errorf("skip = %v, want %s", err, registry.TooLarge)
	}
}

// repeat is an endless stream of one byte.
type repeat byte

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

// FuzzBody reads anything as the body of a PUT: it must end with a body or
// with an error for the client.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"_id":"a","name":"a","readme":1,"dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"a","deprecated":"x"}}}`,
		`{"versions":{"1.0.0":{"deprecated":false},"1.0.1":{"deprecated":"x","a":{"deprecated":"y"}}},"maintainers":[]}`,
		`{"_attachments":{"a.tgz":{"data":"AAAA","length":3}},"versions":null,"dist-tags":null}`, `{"_id":1}`, `{"versions":{"a":[]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := readScanned(newScanner(bytes.NewReader(text)), passOver)
		if err != nil {
			if registry.CodeOf(err) == "" {
				t.Fatalf("an internal error: %v", err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("taken though it is no JSON: %q", text)
		}
		if (b.manifest != nil) != (len(b.versions) == 1) {
			t.Fatalf("%d versions, but the manifest is %v", len(b.versions), b.manifest)
		}
		if b.manifest == nil {
			return
		}
		checkRendered(t, b.manifest)
	})
}

// checkRendered renders a manifest and reads both forms back.
func checkRendered(t *testing.T, m manifest) {
	t.Helper()
	liftFacts(m)
	f, err := decodeFragment(render(m, published{name: "@a/b", version: "1.0.0", tarball: "b-1.0.0.tgz"}).encode())
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []form{full, abbreviated} {
		text := f.appendTo(nil, form, inJSON("http://host/<&>/"), `"why"`)
		back, err := parseManifest(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := back.object("dist").text("tarball"); got != "http://host/<&>/b-1.0.0.tgz" {
			t.Fatalf("tarball = %q in %q", got, text)
		}
		if back.text("deprecated") != `"why"` {
			t.Fatalf("deprecated = %q", back.get("deprecated"))
		}
	}
	back, _ := parseManifest(f.appendTo(nil, full, "", ""))
	for _, member := range back {
		switch member.key {
		case "_id", "_npmUser", "_hasShrinkwrap", "hasInstallScript", "dist", "bin", "repository", "license", "bundleDependencies":
			continue
		}
		if !bytes.Equal(member.value, m.get(member.key)) {
			t.Fatalf("%s = %s, was %s", member.key, member.value, m.get(member.key))
		}
	}
}
