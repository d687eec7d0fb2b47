package vagrant_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/dsnet/compress/bzip2"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"entrepot/server/servertest"
)

// root is the path of the type's root for the organization acme.
const root = "/api/packages/acme/vagrant"

// entry is a file of a box.
type entry struct{ name, body string }

// tarOf is a plain tar archive.
func tarOf(tb testing.TB, entries ...entry) string {
	tb.Helper()
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, e := range entries {
		check(tb, archive.WriteHeader(&tar.Header{Name: e.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(e.body))}))
		_, err := io.WriteString(archive, e.body)
		check(tb, err)
	}
	check(tb, archive.Close())
	return out.String()
}

// packers pack a tar archive in every way the client can unpack.
var packers = map[string]func(io.Writer) (io.WriteCloser, error){
	"gzip":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
	"xz":    func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
	"zstd":  func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
	"bzip2": func(w io.Writer) (io.WriteCloser, error) { return bzip2.NewWriter(w, nil) },
	"plain": func(w io.Writer) (io.WriteCloser, error) { return open{w}, nil },
}

type open struct{ io.Writer }

func (open) Close() error { return nil }

// packed is a box, packed in one of the ways.
func packed(tb testing.TB, packing string, entries ...entry) string {
	tb.Helper()
	var out bytes.Buffer
	w, err := packers[packing](&out)
	check(tb, err)
	_, err = io.WriteString(w, tarOf(tb, entries...))
	check(tb, err)
	check(tb, w.Close())
	return out.String()
}

// zipOf is a box as a zip archive.
func zipOf(tb testing.TB, entries ...entry) string {
	tb.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := archive.Create(e.name)
		check(tb, err)
		_, err = io.WriteString(w, e.body)
		check(tb, err)
	}
	check(tb, archive.Close())
	return out.String()
}

// boxOf is a small box for the provider; content tells boxes apart.
func boxOf(tb testing.TB, provider, content string, more ...entry) string {
	tb.Helper()
	return packed(tb, "gzip", append([]entry{
		{"metadata.json", fmt.Sprintf(`{"provider":%q}`, provider)},
		{"Vagrantfile", "Vagrant.configure(\"2\") {}\n"},
		{"disk.img", content},
	}, more...)...)
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// testServer is a server with the boxes of its organization acme.
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

// release publishes a small box as ann and returns it. path is below the root,
// without the suffix.
func (s *testServer) release(path, provider string, more ...entry) string {
	s.tb.Helper()
	box := boxOf(s.tb, provider, path, more...)
	res := s.Want(s.tb, 201, "ann", "PUT", root+"/"+path+".box", box)
	if want := s.URL + root + "/" + path + ".box"; res.Header.Get("Location") != want {
		s.tb.Fatalf("Location = %q, want %q", res.Header.Get("Location"), want)
	}
	return box
}

// fails wants an error of the status in the form the client reads.
func (s *testServer) fails(status int, login, method, path, body string, headers ...string) (message string) {
	s.tb.Helper()
	res := s.Want(s.tb, status, login, method, path, body, headers...)
	if got := res.Header.Get("Content-Type"); got != "application/json" {
		s.tb.Fatalf("%s %s: Content-Type = %q", method, path, got)
	}
	if method == http.MethodHead {
		return ""
	}
	errors, _ := servertest.Decode(s.tb, res.Body)["errors"].([]any)
	if len(errors) != 1 || errors[0] == "" {
		s.tb.Fatalf("%s %s: %s", method, path, res.Body)
	}
	return fmt.Sprint(errors[0])
}

// metadata reads a box's document as the user.
func (s *testServer) metadata(login, path string, headers ...string) servertest.Object {
	s.tb.Helper()
	res := s.Want(s.tb, 200, login, "GET", path, "", headers...)
	if got := res.Header.Get("Content-Type"); got != "application/json" {
		s.tb.Fatalf("Content-Type = %q", got)
	}
	return servertest.Decode(s.tb, res.Body)
}

// outline is a document in short: each version with its providers, their
// architectures, and * for the default.
func outline(document servertest.Object) string {
	var all []string
	for _, v := range list(document["versions"]) {
		text := fmt.Sprint(servertest.At(v, "version"), ":")
		for _, p := range list(servertest.At(v, "providers")) {
			text += " " + fmt.Sprint(servertest.At(p, "name"))
			if a := servertest.At(p, "architecture"); a != nil {
				text += "/" + fmt.Sprint(a)
			}
			if servertest.At(p, "default_architecture") == true {
				text += "*"
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// boxURLs are the URLs of a document's files, in order.
func boxURLs(document servertest.Object) []string {
	var all []string
	for _, v := range list(document["versions"]) {
		for _, p := range list(servertest.At(v, "providers")) {
			all = append(all, fmt.Sprint(servertest.At(p, "url")))
		}
	}
	return all
}

// gzipOf packs anything.
func gzipOf(tb testing.TB, content string) string {
	tb.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := io.WriteString(z, content)
	check(tb, err)
	check(tb, z.Close())
	return out.String()
}
