package server_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	// Each package has a distribution of its own: an index is built at most
	// once a second.
	root := func(owner string) string { return "/api/packages/" + owner + "/debian/" }
	pool := func(suffix string) func(owner, name string) string {
		return func(owner, name string) string {
			return root(owner) + "pool/" + name + "/main/" + fmt.Sprintf(suffix, name)
		}
	}
	dists := func(suffix string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + "dists/" + name + suffix }
	}
	seeds["debian"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", pool("upload%.0s")(owner, name), debBody(name, "1.0"))
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	nothing := sha256.Sum256(nil)
	none := hex.EncodeToString(nothing[:])
	for key, call := range map[string]sample{
		"debian GET repository.key":  {path: fixed("repository.key"), status: 200},
		"debian GET repository.gpg":  {path: fixed("repository.gpg"), status: 200},
		"debian PUT repository.key":  {path: fixed("repository.key"), body: text("a key"), status: 400},
		"debian POST repository.key": {path: fixed("repository.key"), status: 201},
		"debian GET repository.json": {path: fixed("repository.json"), status: 200},

		"debian GET dists/{distribution}/{file}":                                          {path: dists("/InRelease"), status: 200},
		"debian GET dists/{distribution}/{component}/{folder}/{file}":                     {path: dists("/main/binary-amd64/Packages.gz"), status: 200},
		"debian GET dists/{distribution}/by-hash/{algorithm}/{hash}":                      {path: dists("/by-hash/SHA256/" + none), status: 404},
		"debian GET dists/{distribution}/{component}/{folder}/by-hash/{algorithm}/{hash}": {path: dists("/main/binary-amd64/by-hash/SHA256/" + none), status: 404},
		"debian PUT dists/{distribution}":                                                 {path: dists("-new"), body: text("{}"), status: 201},
		"debian DELETE dists/{distribution}":                                              {path: dists(""), status: 409},

		"debian PUT pool/{distribution}/{component}/upload":                                {path: pool("upload%.0s"), body: func(_, name string) string { return debBody(name, "2.0") }, status: 201},
		"debian GET pool/{distribution}/{component}/{file}":                                {path: pool("%s_1.0_amd64.deb"), status: 200},
		"debian DELETE pool/{distribution}/{component}/{name}/{version}/{architecture}":    {path: pool("%s/1.0/amd64"), status: 204},
		"debian POST pool/{distribution}/{component}/{name}/{version}/{architecture}/copy": {path: pool("%s/1.0/amd64/copy?to=stable/main"), status: 201},

		"debian GET {file}": {path: func(owner, name string) string { return root(owner) + name + ".sources" }, status: 200},
	} {
		samples[key] = call
	}
}

// debBody is a Debian package that installs nothing.
func debBody(name, version string) string {
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: Ann <ann@example.com>\nDescription: a sample\n", name, version)
	var members [2]bytes.Buffer
	archive := tar.NewWriter(&members[0])
	// Writing into a buffer cannot fail.
	_ = archive.WriteHeader(&tar.Header{Name: "./control", Mode: 0o644, Size: int64(len(control))})
	_, _ = archive.Write([]byte(control))
	_ = archive.Close()
	_ = tar.NewWriter(&members[1]).Close()
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, m := range []struct{ name, body string }{
		{"debian-binary", "2.0\n"}, {"control.tar", members[0].String()}, {"data.tar", members[1].String()},
	} {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", m.name, 0, 0, 0, "100644", len(m.body), m.body)
		if len(m.body)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
