package protocols

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"entrepot/registry"
)

func TestOpenZipIsBounded(t *testing.T) {
	pack := func(names ...string) *bytes.Reader {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for _, name := range names {
			w, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, "content"); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return bytes.NewReader(out.Bytes())
	}
	archive := pack("a", "b")
	z, err := OpenZip(archive, archive.Size())
	if err != nil || len(z.File) != 2 {
		t.Fatalf("%v", err)
	}
	if content, err := z.ReadFile(z.File[1], 7); err != nil || string(content) != "content" {
		t.Errorf("b holds %q, %v", content, err)
	}
	if _, err := z.ReadFile(z.File[1], 6); registry.CodeOf(err) != registry.TooLarge {
		t.Errorf("a file beyond the limit: %v", err)
	}
	for limit, code := range map[int64]registry.Code{7: "", 6: registry.TooLarge} {
		r, err := z.OpenFile(z.File[1], limit)
		if err != nil {
			t.Fatal(err)
		}
		if content, err := io.ReadAll(r); registry.CodeOf(err) != code || code == "" && string(content) != "content" {
			t.Errorf("b within %d bytes: %q, %v", limit, content, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	// An archive that lies about a file's length gets no further.
	z.File[0].UncompressedSize64 = 1
	if content, err := z.ReadFile(z.File[0], 6); err == nil {
		t.Errorf("a file that is longer than it says holds %q", content)
	}
	var names []string
	for range maxZipDirectory/60_000 + 1 {
		names = append(names, strings.Repeat("n", 60_000))
	}
	long := pack(names...)
	if _, err := OpenZip(long, long.Size()); registry.CodeOf(err) != registry.TooLarge {
		t.Errorf("a list of %d MB: %v", long.Size()>>20, err)
	}
	if _, err := OpenZip(strings.NewReader("hello"), 5); registry.CodeOf(err) != registry.Invalid {
		t.Errorf("no archive: %v", err)
	}
}
