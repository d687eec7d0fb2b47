package pub_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry"
	"entrepot/server/servertest"
)

// entry is one entry of an archive: a file, unless kind says otherwise.
type entry struct {
	name, body, link string
	kind             byte
}

// pack makes an archive.
func pack(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	archive := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: 0o644, Size: int64(len(e.body))}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := archive.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if _, err := archive.Write([]byte(e.body)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// packageOf is the archive of a small package; more is added to its pubspec.
func packageOf(tb testing.TB, name, version, more string) []byte {
	tb.Helper()
	return pack(tb,
		entry{name: "pubspec.yaml", body: fmt.Sprintf("name: %s\nversion: %s\n%s", name, version, more)},
		entry{name: "lib", kind: tar.TypeDir},
		entry{name: "lib/" + name + ".dart", body: "int answer() => 42;\n"},
	)
}

// form is an upload's body and its type.
func form(tb testing.TB, fields ...[2]string) (body, contentType string) {
	tb.Helper()
	var out bytes.Buffer
	m := multipart.NewWriter(&out)
	for _, f := range fields {
		create := m.CreateFormField
		if f[0] == "file" {
			create = func(name string) (io.Writer, error) { return m.CreateFormFile(name, "package.tar.gz") }
		}
		w, err := create(f[0])
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String(), m.FormDataContentType()
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// testServer is a server with the packages of its organization acme.
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

// root is the hosted URL's path, mediaType the type of all JSON.
const (
	root      = "/api/packages/acme/pub"
	api       = root + "/api/packages/"
	mediaType = "application/vnd.pub.v2+json; charset=utf-8"
)

// bearer are the headers of a user who signs in as the client does.
func (s *testServer) bearer(login string, more ...string) []string {
	return append([]string{"Authorization", "Bearer " + s.Tokens[login]}, more...)
}

// upload sends an archive as the user, and returns where to finalize it.
func (s *testServer) upload(login string, archive []byte) string {
	s.tb.Helper()
	begun := servertest.Decode(s.tb, s.Want(s.tb, 200, "", "GET", api+"versions/new", "", s.bearer(login)...).Body)
	url, _ := begun["url"].(string)
	if want := s.URL + api + "versions/new/upload"; url != want || servertest.Encode(s.tb, begun["fields"]) != "{}" {
		s.tb.Fatalf("begin = %v, want the url %s and no fields", begun, want)
	}
	body, contentType := form(s.tb, [2]string{"other", "ignored"}, [2]string{"file", string(archive)})
	res := s.Want(s.tb, 204, "", "POST", url, body, s.bearer(login, "Content-Type", contentType)...)
	location := res.Header.Get("Location")
	if !strings.HasPrefix(location, s.URL+api+"versions/new/finalize/") {
		s.tb.Fatalf("Location = %q, which is not below the hosted URL", location)
	}
	return location
}

// publish publishes an archive as ann.
func (s *testServer) publish(archive []byte) {
	s.tb.Helper()
	res := s.Want(s.tb, 200, "", "GET", s.upload("ann", archive), "", s.bearer("ann")...)
	message, _ := servertest.At(servertest.Decode(s.tb, res.Body), "success", "message").(string)
	if message == "" || res.Header.Get("Content-Type") != mediaType {
		s.tb.Fatalf("finalize = %s, %v", res.Body, res.Header)
	}
}

// release publishes a small package and returns its archive.
func (s *testServer) release(name, version string, more ...string) []byte {
	s.tb.Helper()
	archive := packageOf(s.tb, name, version, strings.Join(more, "\n"))
	s.publish(archive)
	return archive
}

// listing reads a package's listing as nobody.
func (s *testServer) listing(name string) servertest.Object {
	s.tb.Helper()
	res := s.Want(s.tb, 200, "", "GET", api+name, "", "Accept", "application/vnd.pub.v2+json")
	if got := res.Header.Get("Content-Type"); got != mediaType {
		s.tb.Fatalf("Content-Type = %q", got)
	}
	return servertest.Decode(s.tb, res.Body)
}

// versions are a listing's versions in its order, the retracted marked, and
// the latest behind.
func versions(listing servertest.Object) string {
	var all []string
	list, _ := listing["versions"].([]any)
	for _, v := range list {
		text := fmt.Sprint(servertest.At(v, "version"))
		if servertest.At(v, "retracted") == true {
			text += "!"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ") + " > " + fmt.Sprint(servertest.At(listing["latest"], "version"))
}

// fails wants an error of the status in the form the client reads.
func (s *testServer) fails(status int, code, method, path, body string, headers ...string) (message string) {
	s.tb.Helper()
	res := s.Want(s.tb, status, "", method, path, body, headers...)
	e := servertest.At(servertest.Decode(s.tb, res.Body), "error")
	message, _ = servertest.At(e, "message").(string)
	if servertest.At(e, "code") != code || message == "" || res.Header.Get("Content-Type") != mediaType {
		s.tb.Fatalf("%s %s: %s as %s; want the code %s", method, path, res.Body, res.Header.Get("Content-Type"), code)
	}
	return message
}

// space is the organization's packages as the user may see them.
func (s *testServer) space(login string) *registry.Space {
	s.tb.Helper()
	req, err := http.NewRequest("GET", s.URL, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Tokens[login])
	viewer, err := s.Auth().Identify(req)
	if err != nil {
		s.tb.Fatal(err)
	}
	space, err := s.Registry().Enter(access.NewContext(context.Background(), viewer), "acme", "pub", access.Read)
	if err != nil {
		s.tb.Fatal(err)
	}
	return space
}

// change does something to a package as ann.
func (s *testServer) change(name string, f func(*registry.Space, *ent.Pkg) error) {
	s.tb.Helper()
	space := s.space("ann")
	p, err := space.Package(s.tb.Context(), name, access.Write)
	if err == nil {
		err = f(space, p)
	}
	if err != nil {
		s.tb.Fatal(err)
	}
}

// retract retracts a version, or takes that back.
func (s *testServer) retract(name, version string, retracted bool) {
	s.tb.Helper()
	s.change(name, func(space *registry.Space, p *ent.Pkg) error {
		return space.SetStatus(s.tb.Context(), p, map[string]registry.Status{version: {Yanked: retracted, Reason: "it leaks"}})
	})
}
