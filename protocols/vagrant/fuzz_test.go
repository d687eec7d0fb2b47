package vagrant

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"entrepot/registry"
)

// seedBox is a plain archive with the files that are looked for.
func seedBox(tb testing.TB) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, body := range map[string]string{"metadata.json": `{"provider":"dummy"}`, "info.json": `{"author":"Ann"}`, "Vagrantfile": "x"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(body))}); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, body); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// FuzzScan looks into anything: it must not fail but by refusing, and keep
// nothing that is too long.
func FuzzScan(f *testing.F) {
	f.Add(seedBox(f))
	for _, p := range packings {
		f.Add([]byte(p.magic + "rest"))
	}
	f.Add([]byte(zipMagic))
	f.Fuzz(func(t *testing.T, box []byte) {
		c, zipped, err := scan(bytes.NewReader(box))
		if zipped {
			c, err = scanZip(bytes.NewReader(box), int64(len(box)))
		}
		if err != nil && registry.CodeOf(err) == "" {
			t.Errorf("error = %v, which blames the server", err)
		}
		if len(c.metadata) > maxJSON || len(c.info) > maxJSON {
			t.Errorf("%d and %d bytes are kept", len(c.metadata), len(c.info))
		}
	})
}

// FuzzInfo reads anything as what people write into a box.
func FuzzInfo(f *testing.F) {
	f.Add([]byte(`{"description":["a"],"url":"https://example.com","authors":["Ann",7]}`))
	f.Add([]byte("\ufeff{}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		facts := readInfo(raw)
		if len(facts.Summary) > maxLine || strings.Contains(facts.Summary, "\n") || strings.ContainsRune(facts.Readme, 0) || len(facts.Authors) > maxAuthors {
			t.Errorf("facts = %+v", facts)
		}
		if err := checkMetadata(raw, coordinates{provider: "dummy"}); err != nil && registry.CodeOf(err) != registry.Invalid {
			t.Error(err)
		}
	})
}

// FuzzVersion compares versions with themselves, shortened and lengthened.
func FuzzVersion(f *testing.F) {
	f.Add("1.0.0-rc.1")
	f.Add("0.a.0.1")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseVersion(text)
		if err != nil {
			return
		}
		if zero, err := parseVersion(text + ".0"); err == nil && (zero.canonical != v.canonical || zero.sortKey() != v.sortKey()) {
			t.Errorf("%q is %q, and %q is %q", text, v.canonical, zero.text, zero.canonical)
		}
		if more, err := parseVersion(text + ".a"); err == nil && more.sortKey() >= v.sortKey() {
			t.Errorf("%q is not less than %q", more.text, text)
		}
		if more, err := parseVersion(text + ".1"); err == nil && more.sortKey() <= v.sortKey() {
			t.Errorf("%q is not more than %q", more.text, text)
		}
	})
}

// TestScanReadsOnlyWhatItMust breaks the source off behind the files that are
// looked for, and before.
func TestScanReadsOnlyWhatItMust(t *testing.T) {
	broken := errors.New("broken")
	box := seedBox(t)
	if c, _, err := scan(io.MultiReader(bytes.NewReader(box), iotest.ErrReader(broken))); err != nil || !c.complete() {
		t.Errorf("all there is to know is known: %v, %+v", err, c)
	}
	s := newScanner(io.MultiReader(bytes.NewReader(box[:600]), iotest.ErrReader(broken)))
	if _, err := io.Copy(io.Discard, s); !errors.Is(err, broken) {
		t.Errorf("error = %v, want the body's", err)
	}
	s.close()
	// Nobody reads the body to its end.
	s = newScanner(bytes.NewReader(box))
	s.close()
	if s.err == nil {
		t.Error("a box of which nothing was read is complete")
	}
}
