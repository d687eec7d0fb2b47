package pypi

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"entrepot/registry"
)

const info = "Metadata-Version: 2.1\nName: a\nVersion: 1\n"

// zipOf and tarOf pack pairs of name and content; a name that ends in a slash
// is a folder's.
func zipOf(tb testing.TB, pairs ...string) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(pairs); i += 2 {
		w, err := z.Create(pairs[i])
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, pairs[i+1]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func tarOf(tb testing.TB, pairs ...string) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	archive := tar.NewWriter(z)
	for i := 0; i < len(pairs); i += 2 {
		h := &tar.Header{Name: pairs[i], Mode: 0o644, Size: int64(len(pairs[i+1])), Typeflag: tar.TypeReg}
		if strings.HasSuffix(pairs[i], "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(archive, pairs[i+1]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), z.Close()); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func TestReadMetadata(t *testing.T) {
	const whl, tgz, zipped = "a-1-py3-none-any.whl", "a-1.tar.gz", "a-1.zip"
	big := strings.Repeat("x", maxMetadata+1)
	good := tarOf(t, "a-1/", "", "a-1/PKG-INFO", info, "a-1/src/PKG-INFO", "other")
	for _, tt := range []struct {
		name, file string
		content    []byte
		want       string // of the error; "" for the metadata
	}{
		{"a wheel", whl, zipOf(t, "a/__init__.py", "", "a-1.dist-info/METADATA", info, "a-1.dist-info/WHEEL", "Wheel-Version: 1.0"), ""},
		{"a wheel with its folder spelled otherwise", whl, zipOf(t, "A-1.0.dist-info/WHEEL", "", "A-1.0.dist-info/METADATA", info), ""},
		{"a source distribution", tgz, good, ""},
		{"one packed from within", tgz, tarOf(t, "./", "", "./a-1/PKG-INFO", info), ""},
		{"a zipped one", zipped, zipOf(t, "a-1/", "", "a-1/PKG-INFO", info), ""},

		{"no zip", whl, []byte("hello world, this is not a zip archive"), "not a zip archive"},
		{"empty", whl, nil, "not a zip archive"},
		{"no METADATA", whl, zipOf(t, "a-1.dist-info/WHEEL", ""), "no .dist-info/METADATA"},
		{"no WHEEL", whl, zipOf(t, "a-1.dist-info/METADATA", info), "no WHEEL"},
		{"WHEEL elsewhere", whl, zipOf(t, "a-1.dist-info/METADATA", info, "b-1.dist-info/WHEEL", ""), "no WHEEL"},
		{"two METADATA", whl, zipOf(t, "a-1.dist-info/METADATA", info, "b-1.dist-info/METADATA", info), "several METADATA"},
		{"the same twice", whl, zipOf(t, "a-1.dist-info/METADATA", info, "a-1.dist-info/METADATA", info), "several METADATA"},
		{"another project's folder", whl, zipOf(t, "b-1.dist-info/METADATA", info, "b-1.dist-info/WHEEL", ""), "another project"},
		{"METADATA too long", whl, zipOf(t, "a-1.dist-info/METADATA", big, "a-1.dist-info/WHEEL", ""), "larger than"},
		{"a METADATA that is deeper", whl, zipOf(t, "x/a-1.dist-info/METADATA", info, "a-1.dist-info/WHEEL", ""), "no .dist-info/METADATA"},
		{"no gzip", tgz, []byte("hello"), "not gzip"},
		{"a tar cut off", tgz, good[:len(good)-30], "distribution is no good"},
		{"no PKG-INFO", tgz, tarOf(t, "a-1/setup.py", ""), "no PKG-INFO"},
		{"two top folders", tgz, tarOf(t, "a-1/PKG-INFO", info, "b/x", ""), "one folder"},
		{"a file at the top", tgz, tarOf(t, "PKG-INFO", info), "one folder"},
		{"two PKG-INFO", tgz, tarOf(t, "a-1/PKG-INFO", info, "a-1/./PKG-INFO", info), "several PKG-INFO"},
		{"PKG-INFO too long", tgz, tarOf(t, "a-1/PKG-INFO", big), "at most"},
		{"a zip without PKG-INFO", zipped, zipOf(t, "a-1/x", ""), "no PKG-INFO"},
		{"a zip of two folders", zipped, zipOf(t, "a-1/PKG-INFO", info, "b/x", ""), "one folder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw, err := readMetadata(bytes.NewReader(tt.content), int64(len(tt.content)), tt.file)
			if tt.want == "" {
				if err != nil || string(raw) != info {
					t.Fatalf("got %q, %v", raw, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || registry.CodeOf(err) != registry.Invalid {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestFailingContent keeps errors of the store apart from bad archives.
func TestFailingContent(t *testing.T) {
	for _, file := range []string{"a-1-py3-none-any.whl", "a-1.tar.gz"} {
		_, err := readMetadata(failing{}, 100, file)
		if !errors.Is(err, errStore) {
			t.Errorf("%s: error %v", file, err)
		}
	}
}

var errStore = errors.New("the store is gone")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errStore }

func (failing) Seek(int64, int) (int64, error) { return 0, nil }

func FuzzReadMetadata(f *testing.F) {
	f.Add(zipOf(f, "a-1.dist-info/METADATA", info, "a-1.dist-info/WHEEL", ""), true)
	f.Add(zipOf(f, "a-1/PKG-INFO", info), true)
	f.Add(tarOf(f, "a-1/PKG-INFO", info), false)
	f.Fuzz(func(t *testing.T, content []byte, zipped bool) {
		files := []string{"a-1.tar.gz"}
		if zipped {
			files = []string{"a-1-py3-none-any.whl", "a-1.zip"}
		}
		for _, file := range files {
			raw, err := readMetadata(bytes.NewReader(content), int64(len(content)), file)
			if err == nil && len(raw) > maxMetadata {
				t.Errorf("%d bytes of metadata", len(raw))
			}
			if err != nil && registry.CodeOf(err) != registry.Invalid {
				t.Errorf("%s: %v", file, err)
			}
		}
	})
}
