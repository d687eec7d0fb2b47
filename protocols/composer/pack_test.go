package composer_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

type object = servertest.Object

const root = "/api/packages/acme/composer"

// testServer is a server with what the tests ask of it.
type testServer struct {
	*servertest.Server
	tb testing.TB
}

func newServer(tb testing.TB) *testServer {
	tb.Helper()
	return &testServer{servertest.New(tb), tb}
}

// in is the server for a part of the test.
func (s *testServer) in(tb testing.TB) *testServer { return &testServer{s.Server, tb} }

// put uploads an archive and wants the status.
func (s *testServer) put(status int, query, archive string) servertest.Response {
	s.tb.Helper()
	return s.Want(s.tb, status, "ann", http.MethodPut, root+query, archive)
}

// publish publishes a version with more members in its composer.json.
func (s *testServer) publish(name, version string, members ...object) {
	s.tb.Helper()
	s.put(201, "", zipped(s.tb, "composer.json", manifest(s.tb, name, version, members...)))
}

// versions are the entries of a package's document.
func (s *testServer) versions(document string) []object {
	s.tb.Helper()
	res := s.Want(s.tb, 200, "", "GET", root+"/p2/"+document+".json", "")
	name, _, _ := strings.Cut(document, "~")
	list, ok := servertest.At(servertest.Decode(s.tb, res.Body), "packages", name).([]any)
	if !ok {
		s.tb.Fatalf("no list of %s in %s", name, res.Body)
	}
	entries := make([]object, len(list))
	for i, e := range list {
		entries[i] = e.(object)
	}
	return entries
}

// spelled are the versions of entries.
func spelled(entries []object) string {
	var all []string
	for _, e := range entries {
		all = append(all, e["version"].(string))
	}
	return strings.Join(all, " ")
}

// manifest is a composer.json.
func manifest(tb testing.TB, name, version string, members ...object) string {
	tb.Helper()
	m := object{"name": name}
	if version != "" {
		m["version"] = version
	}
	for _, more := range members {
		for key, value := range more {
			m[key] = value
		}
	}
	return servertest.Encode(tb, m)
}

// zipped is a zip archive of files, each a path and its content.
func zipped(tb testing.TB, files ...string) string {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			tb.Fatal(err)
		}
		w.Write([]byte(files[i+1]))
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// tarred is a tar archive of files.
func tarred(tb testing.TB, files ...string) string {
	tb.Helper()
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		if err := t.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1])), Typeflag: tar.TypeReg}); err != nil {
			tb.Fatal(err)
		}
		t.Write([]byte(files[i+1]))
	}
	if err := t.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// gzipped is the text packed.
func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}
