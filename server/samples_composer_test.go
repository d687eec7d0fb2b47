package server_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/composer" }
	seeds["composer"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", root(owner), composerArchive(name, "1.0.0"))
	}
	at := func(path string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + fmt.Sprintf(path, name) }
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	publish := func(_, name string) string { return composerArchive(name, "2.0.0") }
	for key, call := range map[string]sample{
		"composer PUT ":                       {path: fixed(""), body: publish, status: 201},
		"composer POST ":                      {path: fixed("/"), body: publish, status: 201},
		"composer GET packages.json":          {path: fixed("/packages.json"), status: 200},
		"composer GET list.json":              {path: fixed("/list.json"), status: 200},
		"composer GET search.json":            {path: fixed("/search.json?q=x"), status: 200},
		"composer GET p2/{vendor}/{document}": {path: at("/p2/a/%s.json"), status: 200},
		"composer GET files/{name}/{version}/{file}": {
			path: func(owner, name string) string {
				return root(owner) + "/files/a%2F" + name + "/1.0.0/a-" + name + ".1.0.0.zip"
			}, status: 200,
		},
		"composer GET files/{vendor}/{project}/{version}/{file}": {
			path: func(owner, name string) string {
				return root(owner) + "/files/a/" + name + "/1.0.0/a-" + name + ".1.0.0.zip"
			}, status: 200,
		},
		"composer DELETE packages/{vendor}/{project}/{version}": {path: at("/packages/a/%s/1.0.0"), status: 204},
	} {
		samples[key] = call
	}
}

// composerArchive is a package of the vendor a.
func composerArchive(name, version string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	// Writing into a buffer cannot fail.
	f, _ := z.Create("composer.json")
	fmt.Fprintf(f, `{"name":"a/%s","version":%q}`, name, version)
	_ = z.Close()
	return b.String()
}
