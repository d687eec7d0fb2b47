package golang

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// FuzzInspect looks into uploads: no input makes it panic, and what is taken
// has a path and a version that the go command takes too.
func FuzzInspect(f *testing.F) {
	var good bytes.Buffer
	z := zip.NewWriter(&good)
	for name, body := range map[string]string{"go.mod": "module example.com/m\n", "m.go": "package m\n", "LICENSE": "MIT"} {
		w, err := z.Create("example.com/m@v1.0.0/" + name)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := w.Write([]byte(body)); err != nil {
			f.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add(good.Bytes()[:good.Len()-9])
	f.Add([]byte("PK\x05\x06"))
	path := filepath.Join(f.TempDir(), "m.zip")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		in, err := inspect(file, int64(len(raw)))
		if err != nil {
			return
		}
		if err := module.Check(in.Path, in.Version.Version); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(in.zipSum, "h1:") || !strings.HasPrefix(in.modSum, "h1:") {
			t.Fatalf("sums %q, %q", in.zipSum, in.modSum)
		}
		newMetadata(in)
	})
}

// FuzzIdentify reads names of entries.
func FuzzIdentify(f *testing.F) {
	f.Add("example.com/m@v1.0.0/go.mod")
	f.Add("example.com/m/v2@v2.0.0-20250102030405-0123456789ab/a@b/c")
	f.Add("@/")
	f.Fuzz(func(t *testing.T, entry string) {
		m, err := identify(entry)
		if err != nil {
			return
		}
		if !strings.HasPrefix(entry, m.Path+"@"+m.Version+"/") || module.Check(m.Path, m.Version) != nil {
			t.Fatalf("%q gives %v", entry, m)
		}
		if _, err := sortKey(m.Version); err != nil && semver.IsValid(m.Version) {
			t.Logf("%s has no sort key: %v", m.Version, err) // numbers beyond 64 bits
		}
	})
}
