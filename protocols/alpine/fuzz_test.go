package alpine

import (
	"archive/tar"
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"entrepot/registry"
)

func FuzzReadPack(f *testing.F) {
	member := func(name, text string) []byte {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
		if err != nil {
			f.Fatal(err)
		}
		w := tar.NewWriter(z)
		if err := writeFile(w, name, []byte(text)); err != nil {
			f.Fatal(err)
		}
		if err := z.Close(); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	control := member(".PKGINFO", "pkgname = a\npkgver = 1-r0\narch = noarch\n")
	f.Add(append(bytes.Clone(control), member("usr/a", "x")...))
	f.Add(append(append(member(".SIGN.RSA.a", "x"), control...), member("usr/a", "x")...))
	f.Add([]byte("ADBd"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := readPack(bytes.NewReader(body))
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("a package that is no good gives %v", err)
			}
			return
		}
		if got, err := parseFile(p.file()); err != nil || got != p.identity {
			t.Errorf("the file of %v is read as %v, %v", p.identity, got, err)
		}
		for i, line := range strings.SplitAfter(strings.TrimSuffix(string(p.block(1)), "\n"), "\n") {
			if len(line) < 3 || line[1] != ':' || i < beforeArch && line[0] != "CPV"[i] {
				t.Errorf("the line %q in a block", line)
			}
		}
	})
}

func FuzzSortKey(f *testing.F) {
	f.Add("1.2.3b_rc4_p5~0af-r6")
	f.Add("1.00")
	f.Fuzz(func(t *testing.T, version string) {
		key := sortKey(version)
		if _, err := hex.DecodeString(key); err != nil || len(key) > maxSortKey {
			t.Errorf("the key of %q is %q, %v", version, key, err)
		}
		if (key == "") != (!wholeVersion.MatchString(version)) {
			t.Errorf("the key of %q is %q", version, key)
		}
	})
}
