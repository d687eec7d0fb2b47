package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
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
	signedIn := everybody(200)
	signedIn[""] = 401
	open["npm GET -/ping"] = everybody(200)
	open["npm GET -/whoami"] = signedIn
	open["npm PUT -/user/{user}"] = everybody(201)
	open["npm DELETE -/user/token/{token}"] = everybody(404)
	open["npm DELETE -/user/token/{token}"][""] = 401
	open["npm POST -/v1/login"] = everybody(404)
}

// The blobs of a seeded image: its configuration, and one that no manifest
// names.
const (
	imageConfig = "{}"
	spareBlob   = "spare"
)

func init() {
	seeds["container"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		for _, blob := range []string{imageConfig, spareBlob} {
			s.Want(t, 201, "ann", "POST", imagePath(owner, name)+"/blobs/uploads/?digest="+digest(blob), blob)
		}
		s.Want(t, 201, "ann", "PUT", imagePath(owner, name)+"/manifests/v1", imageManifest(owner, name), "Content-Type", imageManifestType)
	}
	at := func(suffix string) func(owner, name string) string {
		return func(owner, name string) string { return imagePath(owner, name) + suffix }
	}
	below := func(path string) func(owner, name string) string {
		return func(string, string) string { return "/v2/" + path }
	}
	const session = "/blobs/uploads/00000000-0000-0000-0000-000000000000"
	for key, call := range map[string]sample{
		"container GET ":                                      {path: below("")},
		"container GET token":                                 {path: below("token?service=x")},
		"container POST token":                                {path: below("token")},
		"container GET _catalog":                              {path: below("_catalog")},
		"container POST {image...}/blobs/uploads":             {path: at("/blobs/uploads/"), status: 202},
		"container GET {image...}/blobs/uploads/{session}":    {path: at(session), status: 404},
		"container PATCH {image...}/blobs/uploads/{session}":  {path: at(session), body: text("x"), status: 404},
		"container PUT {image...}/blobs/uploads/{session}":    {path: at(session + "?digest=" + digest("x")), status: 404},
		"container DELETE {image...}/blobs/uploads/{session}": {path: at(session), status: 404},
		"container GET {image...}/blobs/{digest}":             {path: at("/blobs/" + digest(imageConfig)), status: 200},
		"container DELETE {image...}/blobs/{digest}":          {path: at("/blobs/" + digest(spareBlob)), status: 202},
		"container GET {image...}/manifests/{reference}":      {path: at("/manifests/v1"), status: 200},
		"container PUT {image...}/manifests/{reference}":      {path: at("/manifests/v2"), body: imageManifest, headers: []string{"Content-Type", imageManifestType}, status: 201},
		"container DELETE {image...}/manifests/{reference}":   {path: at("/manifests/v1"), status: 202},
		"container GET {image...}/tags/list":                  {path: at("/tags/list"), status: 200},
		"container GET {image...}/referrers/{digest}":         {path: at("/referrers/" + digest("nothing")), status: 200},
	} {
		samples[key] = call
	}
	ping := everybody(200)
	ping[""] = 401
	open["container GET "] = ping
	open["container GET token"] = everybody(200)
	open["container POST token"] = everybody(400)
	catalog := everybody(200)
	catalog[""] = 401
	open["container GET _catalog"] = catalog
}

const imageManifestType = "application/vnd.oci.image.manifest.v1+json"

func imagePath(owner, name string) string { return "/v2/" + owner + "/" + name }

func imageManifest(string, string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":%d},"layers":[]}`,
		imageManifestType, digest(imageConfig), len(imageConfig))
}

func digest(content string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content))) }

// everybody gets the same answer.
func everybody(status int) map[string]int {
	answers := map[string]int{}
	for _, login := range people {
		answers[login] = status
	}
	return answers
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
