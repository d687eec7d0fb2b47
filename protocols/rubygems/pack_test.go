package rubygems_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

// root is where the gems of acme are.
const root = "/api/packages/acme/rubygems"

// testServer is a server that gems are pushed to.
type testServer struct {
	*servertest.Server
	tb testing.TB
}

func newServer(tb testing.TB, opts ...servertest.Option) *testServer {
	tb.Helper()
	return &testServer{servertest.New(tb, opts...), tb}
}

// in is the server for a subtest.
func (s *testServer) in(tb testing.TB) *testServer { return &testServer{s.Server, tb} }

// gem is a gem to be packed.
type gem struct {
	name, version, platform string
	// more are further lines of its gemspec.
	more string
	// without names a file that is left out, checksums are lines of it in place
	// of the right ones.
	without, checksums string
}

// dependsOn are the lines of a gemspec with a dependency.
func dependsOn(name, operator, version string) string {
	return fmt.Sprintf(`dependencies:
- !ruby/object:Gem::Dependency
  name: %s
  requirement: !ruby/object:Gem::Requirement
    requirements:
    - - %q
      - !ruby/object:Gem::Version
        version: %s
  type: :runtime
`, name, operator, version)
}

// pack makes the file of a gem.
func (g gem) pack(tb testing.TB) string {
	tb.Helper()
	platform := g.platform
	if platform == "" {
		platform = "ruby"
	}
	files := map[string][]byte{
		"metadata.gz": zipped(tb, fmt.Sprintf("--- !ruby/object:Gem::Specification\nname: %s\nversion: !ruby/object:Gem::Version\n  version: %s\nplatform: %s\nsummary: Says hello\n%s",
			g.name, g.version, platform, g.more)),
		"data.tar.gz": zipped(tb, "data of "+g.name+g.version+platform),
	}
	checksums := g.checksums
	if checksums == "" {
		checksums = "---\nSHA256:\n"
		for _, name := range []string{"metadata.gz", "data.tar.gz"} {
			checksums += fmt.Sprintf("  %s: %x\n", name, sha256.Sum256(files[name]))
		}
		checksums += "SHA512:\n"
		for _, name := range []string{"metadata.gz", "data.tar.gz"} {
			checksums += fmt.Sprintf("  %s: %x\n", name, sha512.Sum512(files[name]))
		}
	}
	files["checksums.yaml.gz"] = zipped(tb, checksums)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range []string{"metadata.gz", "data.tar.gz", "checksums.yaml.gz"} {
		if name != g.without {
			entry(tb, w, name, files[name])
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

func entry(tb testing.TB, w *tar.Writer, name string, content []byte) {
	tb.Helper()
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o444, Size: int64(len(content))}); err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		tb.Fatal(err)
	}
}

func zipped(tb testing.TB, text string) []byte {
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

// push publishes a gem and returns its file.
func (s *testServer) push(g gem) string {
	s.tb.Helper()
	file := g.pack(s.tb)
	s.Want(s.tb, 201, "ann", "POST", root+"/api/v1/gems", file, "Content-Type", "application/octet-stream")
	return file
}

// yank removes a file of a gem.
func (s *testServer) yank(status int, name, version, platform string) string {
	s.tb.Helper()
	form := "gem_name=" + name + "&version=" + version
	if platform != "" {
		form += "&platform=" + platform
	}
	return s.Want(s.tb, status, "ann", "DELETE", root+"/api/v1/gems/yank", form, "Content-Type", "application/x-www-form-urlencoded").Body
}

// get reads a document as a reader.
func (s *testServer) get(path string) string {
	s.tb.Helper()
	return s.Want(s.tb, 200, "rea", "GET", root+path, "").Body
}

// changes are the lines of /versions without their digests.
func (s *testServer) changes() string {
	s.tb.Helper()
	_, lines, _ := strings.Cut(s.get("/versions"), "---\n")
	var all []string
	for line := range strings.Lines(lines) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			s.tb.Fatalf("the line %q", line)
		}
		all = append(all, fields[0]+" "+fields[1])
	}
	return strings.Join(all, "; ")
}
