package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"entrepot/registry"
)

// archiveOf packs entries; a body of "" makes a directory of a name that ends
// with a slash.
func archiveOf(tb testing.TB, entries ...string) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for i := 0; i < len(entries); i += 2 {
		h := &tar.Header{Name: entries[i], Mode: 0o644, Size: int64(len(entries[i+1])), Typeflag: tar.TypeReg}
		switch {
		case strings.HasSuffix(h.Name, "/"):
			h.Typeflag = tar.TypeDir
		case strings.HasSuffix(h.Name, "@"):
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, entries[i+1], 0
			h.Name = strings.TrimSuffix(h.Name, "@")
		}
		if err := w.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(entries[i+1])); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func TestInspect(t *testing.T) {
	good := archiveOf(t, "package/", "", "package/package.json", `{"a":1}`, "package/lib/package.json", `{}`,
		"package/README", "plain", "package/readme.markdown", "# Marked", "package/npm-shrinkwrap.json", "{}", "package/x", "12345")
	a, err := inspect(iotest.OneByteReader(bytes.NewReader(good)))
	if err != nil {
		t.Fatal(err)
	}
	want := archive{manifest: []byte(`{"a":1}`), files: 6, unpackedSize: 7 + 2 + 5 + 8 + 2 + 5, shrinkwrap: true, readme: "# Marked", readmeFile: "readme.markdown"}
	if string(a.manifest) != string(want.manifest) || a.files != want.files || a.unpackedSize != want.unpackedSize ||
		a.shrinkwrap != want.shrinkwrap || a.readme != want.readme || a.readmeFile != want.readmeFile {
		t.Errorf("inspect = %+v, want %+v", a, want)
	}

	broken := errors.New("the network")
	for name, tt := range map[string]struct {
		r    io.Reader
		want registry.Code // "" for an error of another kind, "ok" for none
	}{
		"in another folder":     {bytes.NewReader(archiveOf(t, "./a/package.json", `{}`)), "ok"},
		"bytes behind":          {io.MultiReader(bytes.NewReader(good), strings.NewReader("and something more")), "ok"},
		"empty":                 {strings.NewReader(""), registry.Invalid},
		"not gzip":              {strings.NewReader("hello, hello, hello"), registry.Invalid},
		"cut off":               {bytes.NewReader(good[:len(good)-20]), registry.Invalid},
		"a wrong checksum":      {bytes.NewReader(append(good[:len(good)-8:len(good)-8], make([]byte, 8)...)), registry.Invalid},
		"two package.json":      {bytes.NewReader(archiveOf(t, "a/package.json", `{}`, "b/package.json", `{}`)), registry.Invalid},
		"package.json on top":   {bytes.NewReader(archiveOf(t, "package.json", `{}`)), registry.Invalid},
		"a link":                {bytes.NewReader(archiveOf(t, "package/package.json@", `/etc/passwd`)), registry.Invalid},
		"package.json too long": {bytes.NewReader(archiveOf(t, "a/package.json", `"`+strings.Repeat("x", maxKept)+`"`)), registry.TooLarge},
		"not tar":               {bytes.NewReader(gzipped(t, strings.Repeat("x", 2048))), registry.Invalid},
		"the stream breaks":     {io.MultiReader(bytes.NewReader(good[:50]), iotest.ErrReader(broken)), ""},
	} {
		_, err := inspect(tt.r)
		switch {
		case tt.want == "ok" && err != nil, tt.want != "ok" && tt.want != "" && registry.CodeOf(err) != tt.want:
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		case tt.want == "" && !errors.Is(err, broken):
			t.Errorf("%s: %v, want the stream's error", name, err)
		}
	}
}

func gzipped(tb testing.TB, text string) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// TestInspectBomb unpacks more than anybody can install.
func TestInspectBomb(t *testing.T) {
	var head bytes.Buffer
	w := tar.NewWriter(&head)
	if err := w.WriteHeader(&tar.Header{Name: "package/zeros", Size: maxUnpacked + 1, Mode: 0o644, Format: tar.FormatGNU}); err != nil {
		t.Fatal(err)
	}
	if _, err := inspect(bytes.NewReader(gzipped(t, head.String()))); registry.CodeOf(err) != registry.TooLarge {
		t.Errorf("inspect = %v, want %s", err, registry.TooLarge)
	}
}

// FuzzInspect reads anything as a tarball.
func FuzzInspect(f *testing.F) {
	f.Add(archiveOf(f, "package/package.json", `{"name":"a"}`, "package/README.md", "# A"))
	f.Add(archiveOf(f, "package/", "", "package/package.json@", "x"))
	f.Add(gzipped(f, "x"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := inspect(bytes.NewReader(raw))
		if err != nil {
			if registry.CodeOf(err) == "" {
				t.Fatalf("an internal error: %v", err)
			}
			return
		}
		if a.manifest == nil || strings.ContainsRune(a.readme, 0) {
			t.Fatalf("inspect = %+v", a)
		}
	})
}
