package protocols

import (
	"strings"
	"testing"

	"entrepot/registry"
)

func TestCutChecksum(t *testing.T) {
	for _, tt := range []struct {
		file, of, algorithm string
		ok                  bool
	}{
		{"a.jar.sha1", "a.jar", "sha1", true},
		{"a.jar.asc.md5", "a.jar.asc", "md5", true},
		{"a.tar.gz.sha512", "a.tar.gz", "sha512", true},
		{"a.sha256", "a", "sha256", true},
		{"a.jar", "", "", false},
		{".sha1", "", "", false},
		{"sha1", "", "", false},
		{"a.SHA1", "", "", false},
		{"", "", "", false},
	} {
		of, algorithm, ok := CutChecksum(tt.file)
		if of != tt.of || algorithm != tt.algorithm || ok != tt.ok {
			t.Errorf("CutChecksum(%q) = %q, %q, %v", tt.file, of, algorithm, ok)
		}
	}
}

func TestReadChecksum(t *testing.T) {
	const sum = "a9993e364706816aba3e25717850c26c9cd0d89d"
	for _, tt := range []struct {
		name, body, algorithm, want string
		code                        registry.Code
	}{
		{"bare", sum, "sha1", sum, ""},
		{"as sha1sum writes it", sum + "  a.jar\n", "sha1", sum, ""},
		{"with a tab and upper case", "\n" + strings.ToUpper(sum) + "\ta.jar", "sha1", sum, ""},
		{"wrong algorithm", sum, "md5", "", registry.Invalid},
		{"too short", sum[2:], "sha1", "", registry.Invalid},
		{"not hexadecimal", strings.Repeat("z", 40), "sha1", "", registry.Invalid},
		{"empty", "", "sha1", "", registry.Invalid},
		{"blanks", " \n", "sha1", "", registry.Invalid},
		{"too long", sum + strings.Repeat(" ", maxChecksum), "sha1", "", registry.TooLarge},
	} {
		got, err := ReadChecksum(strings.NewReader(tt.body), tt.algorithm)
		if got != tt.want || registry.CodeOf(err) != tt.code {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}

func FuzzReadChecksum(f *testing.F) {
	f.Add("da39a3ee5e6b4b0d3255bfef95601890afd80709 *-")
	f.Fuzz(func(t *testing.T, body string) {
		for algorithm := range checksums {
			sum, err := ReadChecksum(strings.NewReader(body), algorithm)
			if err == nil && (len(sum) != 2*NewChecksum(algorithm).Size() || strings.Trim(sum, "0123456789abcdef") != "") {
				t.Errorf("%q is no %s", sum, algorithm)
			}
		}
	})
}
