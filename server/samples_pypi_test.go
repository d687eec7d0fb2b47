package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/pypi" }
	headers := []string{"Content-Type", "multipart/form-data; boundary=" + pypiBoundary}
	seeds["pypi"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "POST", root(owner)+"/", pypiBody(name, "1.0"), headers...)
	}
	below := func(path string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + strings.ReplaceAll(path, "NAME", name) }
	}
	publish := func(_, name string) string { return pypiBody(name, "2.0") }
	const file = "/files/NAME/1.0/NAME-1.0.tar.gz"
	for key, call := range map[string]sample{
		"pypi POST ":                                {path: below("/"), headers: headers, body: publish, status: 201},
		"pypi POST legacy":                          {path: below("/legacy/"), headers: headers, body: publish, status: 201},
		"pypi GET simple":                           {path: below("/simple/"), status: 200},
		"pypi GET simple/{name}":                    {path: below("/simple/NAME/"), status: 200},
		"pypi GET files/{name}/{version}/{file}":    {path: below(file), status: 200},
		"pypi DELETE files/{name}/{version}/{file}": {path: below(file), status: 204},
	} {
		samples[key] = call
	}
}

const pypiBoundary = "a-boundary"

// pypiBody is the form of an upload of a source distribution.
func pypiBody(name, version string) string {
	folder := name + "-" + version
	info := fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	archive := tar.NewWriter(z)
	// Writing into a buffer cannot fail.
	_ = archive.WriteHeader(&tar.Header{Name: folder + "/PKG-INFO", Mode: 0o644, Size: int64(len(info))})
	_, _ = archive.Write([]byte(info))
	_ = archive.Close()
	_ = z.Close()
	var body strings.Builder
	for _, field := range [][2]string{
		{"name", name}, {"version", version}, {"filetype", "sdist"}, {"sha256_digest", fmt.Sprintf("%x", sha256.Sum256(packed.Bytes()))},
	} {
		fmt.Fprintf(&body, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", pypiBoundary, field[0], field[1])
	}
	fmt.Fprintf(&body, "--%s\r\nContent-Disposition: form-data; name=\"content\"; filename=%q\r\n\r\n%s\r\n--%[1]s--\r\n",
		pypiBoundary, folder+".tar.gz", packed.String())
	return body.String()
}
