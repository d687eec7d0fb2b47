package cran

import (
	"bytes"
	"cmp"
	"strings"
	"testing"

	"entrepot/registry"
)

func wantTold(t *testing.T, err error) {
	t.Helper()
	if code := registry.CodeOf(err); err != nil && code != registry.Invalid && code != registry.TooLarge {
		t.Errorf("what is no good gives %v", err)
	}
}

// FuzzParseDescription holds what an index may never contain: a record that is
// more than one, or that is read as another package.
func FuzzParseDescription(f *testing.F) {
	f.Add([]byte("Package: a.b\nVersion: 1.0-1\nLicense: MIT\nDepends: R (>= 3.5),\n x\n"))
	f.Add([]byte("Package: ab\n \t\nVersion: 1.0\nEncoding: latin1\nTitle: \xe9\x85\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := parseDescription(raw)
		wantTold(t, err)
		if err != nil {
			return
		}
		entry := d.entry(strings.Repeat("0", 32))
		for line := range bytes.Lines(entry) {
			if name, value, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(": ")); !ok || len(value) == 0 || !fieldLine.Match(append(name, ':')) {
				t.Errorf("the record has the line %q", line)
			}
		}
		again, err := parseDescription(entry)
		if err != nil || again.name != d.name || again.version != d.version || !bytes.Equal(again.entry(strings.Repeat("0", 32)), entry) {
			t.Errorf("the record is read as something else: %v", err)
		}
		k := kind{}
		if name, version, err := k.parseFile(k.fileName(d.name, d.version)); err != nil || name != d.name || version != d.version {
			t.Errorf("the file name is read as %s %s, %v", name, version, err)
		}
	})
}

func FuzzReadPackage(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), false)
	f.Add([]byte("PK\x03\x04"), true)
	f.Fuzz(func(t *testing.T, raw []byte, isWindows bool) {
		k := kind{}
		if isWindows {
			k = kind{windows, "4.2"}
		}
		_, _, err := readPackage(bytes.NewReader(raw), int64(len(raw)), k)
		wantTold(t, err)
	})
}

// ordered are versions from the lowest to the highest; those on one line are
// equal to R.
var ordered = [][]string{
	{"0.0"}, {"0.0.1"}, {"0.9", "0-9"}, {"1.0", "01.00", "1-0"}, {"1.0.0"}, {"1.0-1", "1.0.1"}, {"1.2"}, {"1.10"}, {"1.10.0"}, {"2.0"}, {"10.0"},
	{"2026.1.2"}, {"12345678901234567890.1"},
}

func TestSortKeyIsRsOrder(t *testing.T) {
	for i, line := range ordered {
		for _, a := range line {
			if err := checkVersion(a); err != nil {
				t.Errorf("%s: %v", a, err)
			}
			for j, other := range ordered {
				for _, b := range other {
					if got, want := cmp.Compare(sortKey(a), sortKey(b)), cmp.Compare(i, j); got != want {
						t.Errorf("%s and %s compare as %d, want %d", a, b, got, want)
					}
					if (normalize(a) == normalize(b)) != (i == j) {
						t.Errorf("%s and %s are %s and %s", a, b, normalize(a), normalize(b))
					}
				}
			}
		}
	}
}
