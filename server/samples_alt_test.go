package server_test

import (
	"testing"

	"entrepot/protocols/rpmtest"
	"entrepot/server/servertest"
)

func init() {
	// Each package has a group of its own: an index is built at most once a
	// second. The group without a name is uploaded to alone.
	root := func(owner string) string { return "/api/packages/" + owner + "/alt" }
	source := func(name string) string {
		return string(rpmtest.Package{Name: name, Version: "1.0", Release: "1", Arch: "x86_64", Tags: map[int]any{1044: nil}}.Bytes())
	}
	seeds["alt"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", root(owner)+"/"+name+"/upload", rpmBody(name, "1.0"))
		s.Want(t, 201, "ann", "PUT", root(owner)+"/"+name+"/upload", source(name))
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	in := func(path string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + "/" + name + path }
	}
	file := func(folder, ending string) func(owner, name string) string {
		return func(owner, name string) string {
			return root(owner) + "/" + name + ".repo/" + folder + "/" + name + "-1.0-1." + ending
		}
	}
	body := func(_, name string) string { return rpmBody(name, "2.0") }
	for key, call := range map[string]sample{
		"alt GET repository.key":  {path: fixed("/repository.key"), status: 200},
		"alt PUT repository.key":  {path: fixed("/repository.key"), body: text("a key"), status: 400},
		"alt POST repository.key": {path: fixed("/repository.key"), status: 201},
		"alt GET repository.json": {path: fixed("/repository.json"), status: 200},
		"alt GET vendors.list":    {path: fixed("/vendors.list"), status: 200},

		"alt PUT upload":            {path: fixed("/upload"), body: body, status: 201},
		"alt PUT {group...}/upload": {path: in("/upload"), body: body, status: 201},

		"alt GET {repo...}/{architecture}/base/{file}":             {path: in(".repo/noarch/base/release"), status: 200},
		"alt GET {repo...}/{architecture}/RPMS.classic/{file}":     {path: file("noarch/RPMS.classic", "noarch.rpm"), status: 200},
		"alt GET {repo...}/{architecture}/SRPMS.classic/{file}":    {path: file("src/SRPMS.classic", "src.rpm"), status: 200},
		"alt DELETE {repo...}/{architecture}/RPMS.classic/{file}":  {path: file("noarch/RPMS.classic", "noarch.rpm"), status: 204},
		"alt DELETE {repo...}/{architecture}/SRPMS.classic/{file}": {path: file("src/SRPMS.classic", "src.rpm"), status: 204},

		"alt GET {repo...}":    {path: in(".repo"), status: 200},
		"alt DELETE {repo...}": {path: in(".repo"), status: 409},
	} {
		samples[key] = call
	}
}
