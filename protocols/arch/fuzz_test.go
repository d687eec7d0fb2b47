package arch

import (
	"archive/tar"
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
)

func FuzzReadPack(f *testing.F) {
	seed := func(level int, name, text string) {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, level)
		if err != nil {
			f.Fatal(err)
		}
		w := tar.NewWriter(z)
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			f.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		if err := z.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	seed(gzip.NoCompression, protocols.PkginfoFile, "pkgname = a\npkgver = 1-1\narch = any\n")
	seed(gzip.BestSpeed, "usr/a", "x")
	f.Add([]byte("\x50\x2a\x4d\x18\x00\x00\x00\x00\x28\xb5\x2f\xfd"))
	f.Add([]byte("\xfd7zXZ\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := readPack(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("a package that is no good gives %v", err)
			}
			return
		}
		if got, err := parseFile(p.file(p.compression)); err != nil || got != p.identity {
			t.Errorf("the file of %v is read as %v, %v", p.identity, got, err)
		}
		for name := range strings.Lines(string(p.files)) {
			if name[0] == '.' || name[0] == '/' || name[len(name)-1] != '\n' {
				t.Errorf("the name %q in a list of files", name)
			}
		}
	})
}

func FuzzParseInfo(f *testing.F) {
	f.Add("pkgname = a\npkgver = 1-1\narch = any\ndepend = b>=1\ndepend = c\n# no\n\nxdata = pkgtype=pkg\n")
	f.Add("pkgname=%a%\n=\npkgver")
	f.Fuzz(func(t *testing.T, text string) {
		p, _, err := parseInfo([]byte(text))
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("a description that is no good gives %v", err)
			}
			return
		}
		for key, values := range p {
			for _, v := range values {
				if v == "" || strings.ContainsAny(v, "\n\x00") || v[0] == '%' && v[len(v)-1] == '%' {
					t.Errorf("%s has the value %q", key, v)
				}
			}
		}
	})
}

func FuzzSortKey(f *testing.F) {
	f.Add("1:1.0rc1-1", "1.0-1")
	f.Add("1..a-1", "1.-1")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, v := range []string{a, b} {
			if _, err := hex.DecodeString(sortKey(v)); err != nil || len(sortKey(v)) > maxSortKey {
				t.Errorf("the key of %q is %q, %v", v, sortKey(v), err)
			}
		}
	})
}

func FuzzReadSignature(f *testing.F) {
	f.Add([]byte("-----BEGIN PGP SIGNATURE-----\n\niHUE\n=abcd\n-----END PGP SIGNATURE-----\n"))
	f.Add([]byte{0x88, 0x75, 4, 0, 22, 10})
	f.Fuzz(func(t *testing.T, raw []byte) {
		signature, err := readSignature(raw)
		if err != nil && registry.CodeOf(err) != registry.Invalid {
			t.Errorf("a signature that is no good gives %v", err)
		}
		if err == nil && len(signature) == 0 {
			t.Error("an empty signature is taken")
		}
	})
}
