package cargo_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

// object is a JSON object.
type object = servertest.Object

// entry is an entry of an archive.
type entry struct {
	name, body, link string
	kind             byte // tar's type; 0 for a file
}

// pack makes a .crate of the entries, as they are.
func pack(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	archive := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Mode: 0o644}
		if e.kind == 0 {
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.body))
		}
		if err := archive.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if e.kind == 0 {
			if _, err := archive.Write([]byte(e.body)); err != nil {
				tb.Fatal(err)
			}
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

// release is a version about to be published, with the metadata cargo would
// send.
type release struct {
	name, version string
	metadata      object
	crate         []byte
}

// newRelease makes a release; more are further members of its metadata.
func newRelease(tb testing.TB, name, version string, more ...object) *release {
	tb.Helper()
	r := &release{name: name, version: version, metadata: object{
		"name": name, "vers": version, "deps": []any{}, "features": object{}, "authors": []any{},
		"description": nil, "readme": nil, "readme_file": nil, "license": "MIT", "badges": object{}, "links": nil,
	}}
	for _, m := range more {
		maps.Copy(r.metadata, m)
	}
	r.crate = pack(tb, r.entries()...)
	return r
}

// entries are those of the release's archive.
func (r *release) entries(more ...entry) []entry {
	folder := r.name + "-" + r.version
	return append([]entry{
		{name: folder + "/Cargo.toml", body: fmt.Sprintf("[package]\nname = %q\nversion = %q\nedition = \"2021\"\n", r.name, r.version)},
		{name: folder + "/src/lib.rs", body: "pub fn answer() -> u32 { 42 }\n"},
	}, more...)
}

// body is the framed body of a publish.
func (r *release) body(tb testing.TB) string {
	return frame(servertest.Encode(tb, r.metadata), string(r.crate))
}

// frame puts the length in front of each part.
func frame(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(part))))
		b.WriteString(part)
	}
	return b.String()
}

// sum is the checksum of the archive.
func (r *release) sum() string {
	sum := sha256.Sum256(r.crate)
	return hex.EncodeToString(sum[:])
}

// testServer is a server with the crates of its organization acme.
type testServer struct {
	*servertest.Server
	tb testing.TB
}

func newServer(tb testing.TB) *testServer {
	tb.Helper()
	return &testServer{servertest.New(tb), tb}
}

// in is the server for a subtest.
func (s *testServer) in(tb testing.TB) *testServer { return &testServer{s.Server, tb} }

// root is where the organization's crates are, api their web API.
const (
	root = "/api/packages/acme/cargo"
	api  = root + "/api/v1/crates"
)

// publish publishes a version as ann.
func (s *testServer) publish(name, version string, more ...object) *release {
	s.tb.Helper()
	r := newRelease(s.tb, name, version, more...)
	s.put(200, r)
	return r
}

// put sends a release as ann and wants the status.
func (s *testServer) put(status int, r *release) servertest.Response {
	s.tb.Helper()
	return s.Want(s.tb, status, "ann", "PUT", api+"/new", r.body(s.tb))
}

// lines reads the index file of a crate as nobody: its lines in their order.
func (s *testServer) lines(path string) []object {
	s.tb.Helper()
	var all []object
	body := s.Want(s.tb, 200, "", "GET", root+"/"+path, "").Body
	for line := range strings.Lines(body) {
		if !strings.HasSuffix(line, "}\n") {
			s.tb.Fatalf("the line %q has no end", line)
		}
		all = append(all, servertest.Decode(s.tb, line))
	}
	return all
}

// versions lists the versions of lines.
func versions(lines []object) string {
	var all []string
	for _, line := range lines {
		v := line["vers"].(string)
		if line["yanked"] == true {
			v += "!"
		}
		all = append(all, v)
	}
	return strings.Join(all, " ")
}

// get reads a JSON document as nobody.
func (s *testServer) get(path string) object {
	s.tb.Helper()
	return servertest.Decode(s.tb, s.Want(s.tb, 200, "", "GET", path, "").Body)
}

// fails wants an error of the status in cargo's form.
func (s *testServer) fails(status int, login, method, path, body string) string {
	s.tb.Helper()
	res := s.Want(s.tb, status, login, method, path, body)
	list, _ := servertest.Decode(s.tb, res.Body)["errors"].([]any)
	if len(list) != 1 {
		s.tb.Fatalf("%s %s: no list of one error in %q", method, path, res.Body)
	}
	detail, _ := servertest.At(list[0], "detail").(string)
	if detail == "" {
		s.tb.Fatalf("%s %s: no detail in %q", method, path, res.Body)
	}
	return detail
}

// keys are the members of an object, sorted.
func keys(o object) string { return strings.Join(slices.Sorted(maps.Keys(o)), " ") }
