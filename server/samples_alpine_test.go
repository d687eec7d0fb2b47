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
	// Each package has a branch of its own: an index is built at most once a
	// second.
	root := func(owner string) string { return "/api/packages/" + owner + "/alpine/" }
	in := func(format string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + name + "/main" + fmt.Sprintf(format, name) }
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	seeds["alpine"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", in("%.0s")(owner, name), alpineBody(name, "1.0-r0"))
	}
	const file = "{branch}/{repository}/{architecture}/{file}"
	for key, call := range map[string]sample{
		"alpine GET key":         {path: fixed("key"), status: 200},
		"alpine PUT key":         {path: fixed("key"), body: text("a key"), status: 400},
		"alpine POST key":        {path: fixed("key"), status: 201},
		"alpine GET keys":        {path: fixed("keys"), status: 200},
		"alpine GET keys/{name}": {path: fixed("keys/other.rsa.pub"), status: 404},

		"alpine PUT {branch}/{repository}":                 {path: in("%.0s"), body: func(_, name string) string { return alpineBody(name, "2.0-r0") }, status: 201},
		"alpine GET {branch}/{repository}/repository.json": {path: in("/repository.json%.0s"), status: 200},
		"alpine PUT {branch}/{repository}/repository.json": {path: in("/repository.json%.0s"), body: text(`{"keepVersions":9}`), status: 200},
		"alpine GET " + file:                               {path: in("/x86_64/%s-1.0-r0.apk"), status: 200},
		"alpine DELETE " + file:                            {path: in("/x86_64/%s-1.0-r0.apk"), status: 204},
		"alpine POST " + file + "/copy":                    {path: in("/x86_64/%s-1.0-r0.apk/copy?to=stable/main"), status: 201},
	} {
		samples[key] = call
	}
}

// alpineBody is a package of apk's that installs nothing.
func alpineBody(name, version string) string {
	var b bytes.Buffer
	for _, f := range []struct{ name, body string }{
		{".PKGINFO", fmt.Sprintf("pkgname = %s\npkgver = %s\narch = x86_64\n", name, version)}, {"usr/empty", ""},
	} {
		z := gzip.NewWriter(&b)
		archive := tar.NewWriter(z)
		// Writing into a buffer cannot fail.
		_ = archive.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.body))})
		_, _ = archive.Write([]byte(f.body))
		_ = archive.Flush()
		_ = z.Close()
	}
	return b.String()
}
