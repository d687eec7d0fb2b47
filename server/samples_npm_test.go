package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/npm" }
	seeds["npm"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", root(owner)+"/"+name, npmBody(name, "1.0.0"))
	}
	below := func(suffix string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + "/" + name + suffix }
	}
	api := func(before, after string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + before + name + after }
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	file := func(before, after string) func(owner, name string) string {
		return func(owner, name string) string {
			return root(owner) + "/" + name + "/-/" + before + name + "-1.0.0.tgz" + after
		}
	}
	publish := func(_, name string) string { return npmBody(name, "2.0.0") }
	for key, call := range map[string]sample{
		"npm GET -/ping":                     {path: fixed("/-/ping")},
		"npm GET -/whoami":                   {path: fixed("/-/whoami")},
		"npm PUT -/user/{user}":              {path: fixed("/-/user/org.couchdb.user:ann"), body: text(`{"name":"ann","password":"` + servertest.Password + `"}`)},
		"npm DELETE -/user/token/{token}":    {path: fixed("/-/user/token/ent-none")},
		"npm POST -/v1/login":                {path: fixed("/-/v1/login")},
		"npm GET -/v1/search":                {path: fixed("/-/v1/search?text="), status: 200},
		"npm GET -/{rest...}":                {path: fixed("/-/npm/v1/keys"), status: 404},
		"npm PUT -/{rest...}":                {path: fixed("/-/stage/x"), status: 404},
		"npm POST -/{rest...}":               {path: fixed("/-/npm/v1/security/advisories/bulk"), status: 404},
		"npm DELETE -/{rest...}":             {path: fixed("/-/npm/v1/tokens/token/x"), status: 404},
		"npm GET {package...}":               {path: below(""), status: 200},
		"npm PUT {package...}":               {path: below(""), body: publish, status: 201},
		"npm PUT {package...}/-rev/{rev}":    {path: below("/-rev/undefined"), body: text(`{"versions":{"1.0.0":{}}}`), status: 200},
		"npm DELETE {package...}/-rev/{rev}": {path: below("/-rev/undefined"), status: 200},

		"npm GET -/package/{package...}/dist-tags":          {path: api("/-/package/", "/dist-tags"), status: 200},
		"npm PUT -/package/{package...}/dist-tags/{tag}":    {path: api("/-/package/", "/dist-tags/next"), body: text(`"1.0.0"`), status: 200},
		"npm POST -/package/{package...}/dist-tags/{tag}":   {path: api("/-/package/", "/dist-tags/next"), body: text(`"1.0.0"`), status: 200},
		"npm DELETE -/package/{package...}/dist-tags/{tag}": {path: api("/-/package/", "/dist-tags/next"), status: 200},

		"npm GET {package...}/-/{file}":                        {path: file("", ""), status: 200},
		"npm GET {package...}/-/{folder}/{file}":               {path: file("1.0.0/", ""), status: 200},
		"npm DELETE {package...}/-/{file}/-rev/{rev}":          {path: file("", "/-rev/x"), status: 200},
		"npm DELETE {package...}/-/{folder}/{file}/-rev/{rev}": {path: file("1.0.0/", "/-rev/x"), status: 200},
	} {
		samples[key] = call
	}
	everybody := func(anonymous, signedIn int) map[string]int {
		answers := map[string]int{"": anonymous}
		for _, login := range servertest.Logins {
			answers[login] = signedIn
		}
		return answers
	}
	open["npm GET -/ping"] = everybody(200, 200)
	open["npm GET -/whoami"] = everybody(401, 200)
	open["npm PUT -/user/{user}"] = everybody(201, 201)
	open["npm DELETE -/user/token/{token}"] = everybody(401, 404)
	open["npm POST -/v1/login"] = everybody(404, 404)
}

// npmBody is the body of an `npm publish`.
func npmBody(name, version string) string {
	manifest := fmt.Sprintf(`{"name":%q,"version":%q}`, name, version)
	var tarball bytes.Buffer
	z := gzip.NewWriter(&tarball)
	archive := tar.NewWriter(z)
	// Writing into a buffer cannot fail.
	_ = archive.WriteHeader(&tar.Header{Name: "package/package.json", Mode: 0o644, Size: int64(len(manifest))})
	_, _ = archive.Write([]byte(manifest))
	_ = archive.Close()
	_ = z.Close()
	return fmt.Sprintf(`{"_id":%[1]q,"name":%[1]q,"dist-tags":{"latest":%[2]q},"versions":{%[2]q:%[3]s},"_attachments":{"%[1]s-%[2]s.tgz":{"data":%[4]q}}}`,
		name, version, manifest, base64.StdEncoding.EncodeToString(tarball.Bytes()))
}
