package generic

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzParse(f *testing.F) {
	f.Add("app", "1.0.0", "app.tar.gz")
	f.Add("-", "..", "ü\u0308")
	f.Add("a b", "1/2", "\xff")
	f.Fuzz(func(t *testing.T, name, version, file string) {
		c, err := parse(map[string]string{"name": name, "version": version, "file": file})
		if err != nil {
			return
		}
		for _, part := range []string{c.name, c.version, c.file, c.nameKey, c.versionKey, c.fileKey} {
			if part == "" || part == "." || part == ".." || !utf8.ValidString(part) || strings.ContainsAny(part, "/\x00\r\n") {
				t.Errorf("accepted %q of %q, %q, %q", part, name, version, file)
			}
		}
		if again := fold(c.fileKey); again != c.fileKey {
			t.Errorf("folding %q again gives %q", c.fileKey, again)
		}
	})
}

func FuzzParseDigests(f *testing.F) {
	f.Add("sha-256=:AAAA:", "md5=AAAA", "00ff")
	f.Add("sha-512=::;x", ",,=", "")
	f.Fuzz(func(t *testing.T, repr, digest, checksum string) {
		h := http.Header{}
		h.Set("Repr-Digest", repr)
		h.Set("Digest", digest)
		h.Set("X-Checksum-Sha256", checksum)
		a, err := parseDigests(h)
		if err != nil {
			return
		}
		for value, length := range map[string]int{a.sha256: 64, a.sha512: 128, a.sha1: 40, a.md5: 32} {
			if value != "" && len(value) != length {
				t.Errorf("accepted the digest %q", value)
			}
		}
	})
}
