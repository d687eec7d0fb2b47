package server_test

import (
	"strings"
	"testing"

	"entrepot/protocols/rpmtest"
	"entrepot/server/servertest"
)

func init() {
	// Each package has a group of its own: an index is built at most once a
	// second. The routes of the root group are tried with a package in it.
	root := func(owner string) string { return "/api/packages/" + owner + "/rpm" }
	body := func(version string) func(owner, name string) string {
		return func(_, name string) string { return rpmBody(name, version) }
	}
	seeds["rpm"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", root(owner)+"/"+name+"/upload", rpmBody(name, "1.0"))
		s.Want(t, 201, "ann", "PUT", root(owner)+"/upload", rpmBody(name, "1.0"))
		s.Want(t, 200, "ann", "POST", root(owner)+"/"+name+"/package/"+name+"/1.0-1/errata", `[{"id":"A"}]`)
		s.Want(t, 200, "ann", "POST", root(owner)+"/package/"+name+"/1.0-1/errata", `[{"id":"A"}]`)
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	for key, call := range map[string]sample{
		"rpm GET repository.key":  {path: fixed("/repository.key"), status: 200},
		"rpm PUT repository.key":  {path: fixed("/repository.key"), body: text("a key"), status: 400},
		"rpm POST repository.key": {path: fixed("/repository.key"), status: 201},
		"rpm GET repository.json": {path: fixed("/repository.json"), status: 200},
		"rpm GET .repo":           {path: fixed(".repo"), status: 200},
		"rpm GET {file...}":       {path: func(owner, name string) string { return root(owner) + "/" + name + ".repo" }, status: 200},
	} {
		samples[key] = call
	}
	const pack = "package/{name}/{version}/{architecture}"
	for key, call := range map[string]sample{
		"GET " + pack + "/{file}":                     {status: 200},
		"POST " + pack + "/copy":                      {status: 201},
		"GET " + pack:                                 {status: 200},
		"DELETE " + pack:                              {status: 204},
		"GET package/{name}/{version}/errata":         {status: 200},
		"POST package/{name}/{version}/errata":        {body: text(`[{"id":"B"}]`), status: 200},
		"DELETE package/{name}/{version}/errata":      {status: 204},
		"DELETE package/{name}/{version}/errata/{id}": {status: 204},
		"GET repodata/{file}":                         {status: 200},
		"PUT repodata":                                {body: text("{}"), status: 200},
		"DELETE repodata":                             {status: 409},
		"PUT upload":                                  {body: body("2.0"), status: 201},
	} {
		method, pattern, _ := strings.Cut(key, " ")
		at := func(group bool) func(owner, name string) string {
			return func(owner, name string) string {
				path := root(owner)
				if group {
					path += "/" + name
				}
				path += "/" + strings.NewReplacer("{name}", name, "{version}", "1.0-1", "{architecture}", "noarch", "{id}", "A", "repodata/{file}", "repodata/repomd.xml", "{file}", name+"-1.0-1.noarch.rpm").Replace(pattern)
				if strings.HasSuffix(pattern, "/copy") {
					path += "?to=other"
				}
				return path
			}
		}
		samples["rpm "+key] = sample{path: at(false), body: call.body, status: call.status}
		samples["rpm "+method+" {group...}/"+pattern] = sample{path: at(true), body: call.body, status: call.status}
	}
}

// rpmBody is an RPM package that installs nothing.
func rpmBody(name, version string) string {
	return string(rpmtest.Package{Name: name, Version: version, Release: "1", Arch: "noarch", Summary: "a sample"}.Bytes())
}
