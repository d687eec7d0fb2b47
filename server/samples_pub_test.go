package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/pub" }
	headers := []string{"Content-Type", "multipart/form-data; boundary=" + pubBoundary}
	const newVersion = "/api/packages/versions/new"
	seeds["pub"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		res := s.Want(t, 204, "ann", "POST", root(owner)+newVersion+"/upload", pubBody(name, "1.0.0"), headers...)
		s.Want(t, 200, "ann", "GET", res.Header.Get("Location"), "")
	}
	below := func(path string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + strings.ReplaceAll(path, "NAME", name) }
	}
	upload := func(_, name string) string { return pubBody(name, "2.0.0") }
	for key, call := range map[string]sample{
		"pub GET api/packages/versions/new":                   {path: below(newVersion), status: 200},
		"pub POST api/packages/versions/new/upload":           {path: below(newVersion + "/upload"), headers: headers, body: upload, status: 204},
		"pub GET api/packages/versions/new/finalize/{upload}": {path: below(newVersion + "/finalize/unknown"), status: 404},
		"pub GET api/packages/{package}/versions/{version}":   {path: below("/api/packages/NAME/versions/1.0.0"), status: 200},
		"pub GET api/packages/{package}/files/{file}":         {path: below("/api/packages/NAME/files/1.0.0.tar.gz"), status: 200},
		"pub GET packages/{package}/versions/{file}":          {path: below("/packages/NAME/versions/1.0.0.tar.gz"), status: 200},
		"pub GET api/packages/{package}/{version}":            {path: below("/api/packages/NAME/1.0.0"), status: 200},
		"pub GET api/packages/{package}":                      {path: below("/api/packages/NAME"), status: 200},
	} {
		samples[key] = call
	}
}

const pubBoundary = "a-boundary"

// pubBody is the form of an upload of a package.
func pubBody(name, version string) string {
	pubspec := fmt.Sprintf("name: %s\nversion: %s\n", name, version)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	archive := tar.NewWriter(z)
	// Writing into a buffer cannot fail.
	_ = archive.WriteHeader(&tar.Header{Name: "pubspec.yaml", Mode: 0o644, Size: int64(len(pubspec))})
	_, _ = archive.Write([]byte(pubspec))
	_ = archive.Close()
	_ = z.Close()
	return fmt.Sprintf("--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"package.tar.gz\"\r\n\r\n%s\r\n--%[1]s--\r\n", pubBoundary, packed.String())
}
