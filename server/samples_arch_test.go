package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	// Each package has a group of its own: an index is built at most once a
	// second.
	root := func(owner string) string { return "/api/packages/" + owner + "/arch" }
	in := func(format string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + "/" + name + fmt.Sprintf(format, name) }
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	bare := func(format string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + fmt.Sprintf(format, name) }
	}
	seeds["arch"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", root(owner)+"/"+name, archBody(name, "1.0-1"))
		s.Want(t, 201, "ann", "PUT", root(owner), archBody(name, "1.0-1"))
	}
	for key, call := range map[string]sample{
		"arch GET repository.key":  {path: fixed("/repository.key"), status: 200},
		"arch PUT repository.key":  {path: fixed("/repository.key"), body: text("a key"), status: 400},
		"arch POST repository.key": {path: fixed("/repository.key"), status: 201},
		"arch GET repository.json": {path: fixed("/repository.json"), status: 200},

		"arch PUT ":           {path: fixed(""), body: func(_, name string) string { return archBody(name, "2.0-1") }, status: 201},
		"arch PUT {group...}": {path: in("%.0s"), body: func(_, name string) string { return archBody(name, "2.0-1") }, status: 201},

		"arch GET {architecture}/{file}":                         {path: bare("/x86_64/%s-1.0-1-x86_64.pkg.tar.gz"), status: 200},
		"arch GET {group...}/{architecture}/{file}":              {path: in("/x86_64/%s.db"), status: 200},
		"arch DELETE {name}/{version}/{architecture}":            {path: bare("/%s/1.0-1/x86_64"), status: 204},
		"arch DELETE {group...}/{name}/{version}/{architecture}": {path: in("/%s/1.0-1/x86_64"), status: 204},
		"arch DELETE {path...}":                                  {path: in("%.0s"), status: 400},
	} {
		samples[key] = call
	}
}

// archBody is a package of pacman's that installs nothing.
func archBody(name, version string) string {
	info := fmt.Sprintf("pkgname = %s\npkgver = %s\narch = x86_64\n", name, version)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	archive := tar.NewWriter(z)
	// Writing into a buffer cannot fail.
	_ = archive.WriteHeader(&tar.Header{Name: ".PKGINFO", Mode: 0o644, Size: int64(len(info))})
	_, _ = archive.Write([]byte(info))
	_ = archive.Close()
	_ = z.Close()
	return b.String()
}
