package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	seeds["generic"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", genericPath(owner, name)+"/1.0.0/f.txt", "seed")
	}
	at := func(suffix string) func(owner, name string) string {
		return func(owner, name string) string { return genericPath(owner, name) + suffix }
	}
	for key, call := range map[string]sample{
		"generic GET {name}":                     {path: at(""), status: 200},
		"generic DELETE {name}":                  {path: at(""), status: 204},
		"generic GET {name}/{version}":           {path: at("/1.0.0"), status: 200},
		"generic DELETE {name}/{version}":        {path: at("/1.0.0"), status: 204},
		"generic GET {name}/{version}/{file}":    {path: at("/1.0.0/f.txt"), status: 200},
		"generic PUT {name}/{version}/{file}":    {path: at("/1.0.0/new.txt"), body: text("new"), status: 201},
		"generic DELETE {name}/{version}/{file}": {path: at("/1.0.0/f.txt"), status: 204},
	} {
		samples[key] = call
	}
}

func init() {
	seeds["npm"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", npmPath(owner, name), npmDocument(owner, name, "1.0.0"))
	}
	at := func(suffix string) func(owner, name string) string {
		return func(owner, name string) string { return npmPath(owner, name) + suffix }
	}
	under := func(path string) func(owner, name string) string {
		return func(owner, name string) string {
			return npmPath(owner, "-") + strings.ReplaceAll(path, "{package}", name)
		}
	}
	version := func(v string) func(owner, name string) string {
		return func(owner, name string) string { return npmDocument(owner, name, v) }
	}
	const (
		tag    = "-/package/{package...}/dist-tags/{tag}"
		file   = "{package...}/-/{file}"
		nested = "{package...}/-/{folder}/{file}"
	)
	tarball := func(owner, name string) string { return npmPath(owner, name) + "/-/" + name + "-1.0.0.tgz" }
	inFolder := func(owner, name string) string { return npmPath(owner, name) + "/-/1.0.0/" + name + "-1.0.0.tgz" }
	anyRevision := func(path func(owner, name string) string) func(owner, name string) string {
		return func(owner, name string) string { return path(owner, name) + "/-rev/undefined" }
	}
	for key, call := range map[string]sample{
		"npm GET -/v1/search":                      {path: under("/v1/search?text=x"), status: 200},
		"npm GET -/package/{package...}/dist-tags": {path: under("/package/{package}/dist-tags"), status: 200},
		"npm PUT " + tag:                           {path: under("/package/{package}/dist-tags/beta"), body: text(`"1.0.0"`), status: 200},
		"npm POST " + tag:                          {path: under("/package/{package}/dist-tags/beta"), body: text(`"1.0.0"`), status: 200},
		"npm DELETE " + tag:                        {path: under("/package/{package}/dist-tags/beta"), status: 200},
		"npm GET -/{rest...}":                      {path: under("/npm/v1/keys"), status: 404},
		"npm PUT -/{rest...}":                      {path: under("/npm/v1/tokens"), status: 404},
		"npm POST -/{rest...}":                     {path: under("/npm/v1/security/advisories/bulk"), status: 404},
		"npm DELETE -/{rest...}":                   {path: under("/npm/v1/tokens"), status: 404},
		"npm DELETE " + file + "/-rev/{rev}":       {path: anyRevision(tarball), status: 200},
		"npm DELETE " + nested + "/-rev/{rev}":     {path: anyRevision(inFolder), status: 200},
		"npm GET " + file:                          {path: tarball, status: 200},
		"npm GET " + nested:                        {path: inFolder, status: 200},
		"npm PUT {package...}/-rev/{rev}":          {path: at("/-rev/undefined"), body: text(`{"maintainers":[]}`), status: 200},
		"npm DELETE {package...}/-rev/{rev}":       {path: at("/-rev/undefined"), status: 200},
		"npm GET {package...}":                     {path: at(""), status: 200},
		"npm PUT {package...}":                     {path: at(""), body: version("2.0.0"), status: 201},
		"npm GET -/ping":                           {path: under("/ping")},
		"npm GET -/whoami":                         {path: under("/whoami")},
		"npm PUT -/user/{user}":                    {path: under("/user/org.couchdb.user:ann"), body: text(`{"name":"ann","password":"` + servertest.Password + `"}`)},
		"npm DELETE -/user/token/{token}":          {path: under("/user/token/ent-nothing")},
		"npm POST -/v1/login":                      {path: under("/v1/login")},
	} {
		samples[key] = call
	}
	everybody := func(status int) map[string]int {
		answers := map[string]int{}
		for _, login := range people {
			answers[login] = status
		}
		return answers
	}
	signedIn := everybody(200)
	signedIn[""] = 401
	open["npm GET -/ping"] = everybody(200)
	open["npm GET -/whoami"] = signedIn
	open["npm PUT -/user/{user}"] = everybody(201)
	open["npm DELETE -/user/token/{token}"] = everybody(404)
	open["npm DELETE -/user/token/{token}"][""] = 401
	open["npm POST -/v1/login"] = everybody(404)
}

func npmPath(owner, name string) string { return "/api/packages/" + owner + "/npm/" + name }

// npmDocument is a publish document with a tarball that holds nothing but its
// manifest.
func npmDocument(_, name, version string) string {
	manifest := fmt.Sprintf(`{"name":%q,"version":%q}`, name, version)
	var tarball bytes.Buffer
	z := gzip.NewWriter(&tarball)
	w := tar.NewWriter(z)
	_ = w.WriteHeader(&tar.Header{Name: "package/package.json", Mode: 0o644, Size: int64(len(manifest))})
	_, _ = w.Write([]byte(manifest))
	_ = w.Close()
	_ = z.Close()
	return fmt.Sprintf(`{"_id":%q,"name":%q,"dist-tags":{"latest":%q},"versions":{%q:%s},"_attachments":{"%s-%s.tgz":{"data":%q}}}`,
		name, name, version, version, manifest, name, version, base64.StdEncoding.EncodeToString(tarball.Bytes()))
}

func genericPath(owner, name string) string { return "/api/packages/" + owner + "/generic/" + name }

// text is a body that does not depend on the package.
func text(body string) func(owner, name string) string {
	return func(string, string) string { return body }
}
