package npm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"testing"

	"entrepot/server/servertest"
)

// object is a JSON object.
type object = servertest.Object

// pack makes a tarball: every file below package/.
func pack(tb testing.TB, files map[string]string) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	archive := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: "package/" + name, Mode: 0o644, Size: int64(len(files[name]))}
		if err := archive.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if _, err := archive.Write([]byte(files[name])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// release is a version about to be published, with the body npm would send.
type release struct {
	name, version string
	tarball       []byte
	manifest      object
	body          object
}

// newRelease makes a release; more are further members of its package.json.
func newRelease(tb testing.TB, name, version string, more ...object) *release {
	tb.Helper()
	packed := object{"name": name, "version": version, "license": "MIT"}
	for _, m := range more {
		maps.Copy(packed, m)
	}
	r := &release{name: name, version: version}
	r.tarball = pack(tb, map[string]string{"package.json": servertest.Encode(tb, packed), "index.js": "module.exports = 1\n"})
	sha512, sha1 := sha512.Sum512(r.tarball), sha1.Sum(r.tarball)
	r.manifest = object{
		"_id": name + "@" + version,
		"dist": object{
			"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sha512[:]),
			"shasum":    hex.EncodeToString(sha1[:]),
			"tarball":   "http://localhost/elsewhere.tgz",
		},
	}
	maps.Copy(r.manifest, packed)
	r.body = object{
		"_id": name, "name": name,
		"dist-tags": object{"latest": version},
		"versions":  object{version: r.manifest},
		"_attachments": object{name + "-" + version + ".tgz": object{
			"content_type": "application/octet-stream",
			"data":         base64.StdEncoding.EncodeToString(r.tarball),
			"length":       len(r.tarball),
		}},
	}
	return r
}

// attachment is the tarball's member of the body.
func (r *release) attachment() object {
	return r.body["_attachments"].(object)[r.name+"-"+r.version+".tgz"].(object)
}

// registry is a server with the packages of its organization acme.
type registry struct {
	*servertest.Server
	tb testing.TB
}

func newRegistry(tb testing.TB) *registry {
	tb.Helper()
	return &registry{servertest.New(tb), tb}
}

// in is the registry for a subtest.
func (s *registry) in(tb testing.TB) *registry { return &registry{s.Server, tb} }

// root is where the organization's packages are.
const root = "/api/packages/acme/npm"

// publish publishes a version as ann.
func (s *registry) publish(name, version string, more ...object) *release {
	s.tb.Helper()
	r := newRelease(s.tb, name, version, more...)
	s.put(201, r)
	return r
}

// put sends a release as ann and wants the status.
func (s *registry) put(status int, r *release) servertest.Response {
	s.tb.Helper()
	return s.Want(s.tb, status, "ann", "PUT", root+"/"+r.name, servertest.Encode(s.tb, r.body))
}

// get reads a JSON document as nobody.
func (s *registry) get(path string, headers ...string) object {
	s.tb.Helper()
	return servertest.Decode(s.tb, s.Want(s.tb, 200, "", "GET", root+path, "", headers...).Body)
}

// fails wants an error of the status in npm's form.
func (s *registry) fails(status int, login, method, path, body string) string {
	s.tb.Helper()
	res := s.Want(s.tb, status, login, method, root+path, body)
	message, _ := servertest.Decode(s.tb, res.Body)["error"].(string)
	if message == "" {
		s.tb.Fatalf("%s %s: no error member in %q", method, path, res.Body)
	}
	return message
}
