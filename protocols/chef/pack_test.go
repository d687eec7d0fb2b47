package chef_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/registry"
	"entrepot/server/servertest"
)

// root is the path of the type's root for the organization acme, api that of
// its API.
const (
	root = "/api/packages/acme/chef"
	api  = root + "/api/v1"
)

// entry is an entry of an archive: a file, unless kind says otherwise.
type entry struct {
	name, body string
	kind       byte
}

// packed is an archive.
func packed(tb testing.TB, entries ...entry) string {
	tb.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	archive := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.body)), Typeflag: e.kind}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		check(tb, archive.WriteHeader(h))
		_, err := archive.Write([]byte(e.body))
		check(tb, err)
	}
	check(tb, archive.Close())
	check(tb, z.Close())
	return out.String()
}

// cookbook is the archive of a small cookbook; more are fields of its metadata.
func cookbook(tb testing.TB, name, version string, more ...string) string {
	tb.Helper()
	fields := append([]string{fmt.Sprintf(`"name":%q,"version":%q`, name, version)}, more...)
	return packed(tb, entry{name: name + "/metadata.json", body: "{" + strings.Join(fields, ",") + "}"}, entry{name: name + "/README.md", body: "# " + name})
}

const boundary = "a-boundary"

type part struct{ name, body string }

// form is the body of a share.
func form(parts ...part) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", boundary, p.name, p.body)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.String()
}

var formHeaders = []string{"Content-Type", "multipart/form-data; boundary=" + boundary}

// sent is the form that knife sends.
func sent(archive string) string {
	return form(part{"cookbook", `{"category":"Utilities"}`}, part{`tarball"; filename="cookbook.tgz`, archive})
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// testServer is a server with the cookbooks of its organization acme.
type testServer struct {
	*servertest.Server
	tb testing.TB
}

func newServer(tb testing.TB, opts ...servertest.Option) *testServer {
	tb.Helper()
	return &testServer{servertest.New(tb, opts...), tb}
}

func (s *testServer) in(tb testing.TB) *testServer { return &testServer{s.Server, tb} }

// share publishes a cookbook as ann.
func (s *testServer) share(name, version string, more ...string) {
	s.tb.Helper()
	s.Want(s.tb, 201, "ann", "POST", api+"/cookbooks", sent(cookbook(s.tb, name, version, more...)), formHeaders...)
}

// get reads a document below the root as the user.
func (s *testServer) get(login, path string) servertest.Object {
	s.tb.Helper()
	res := s.Want(s.tb, 200, login, "GET", root+path, "")
	if res.Header.Get("Content-Type") != "application/json" {
		s.tb.Fatalf("%s: headers = %v", path, res.Header)
	}
	return servertest.Decode(s.tb, strings.ReplaceAll(res.Body, s.URL, ""))
}

// fails wants an error of the status, and returns its message.
func (s *testServer) fails(status int, login, method, path, body string, headers ...string) string {
	s.tb.Helper()
	res := s.Want(s.tb, status, login, method, root+path, body, headers...)
	var told struct {
		Messages []string `json:"error_messages"`
		Code     string   `json:"error_code"`
	}
	err := json.Unmarshal([]byte(res.Body), &told)
	want := map[int]string{400: "INVALID_DATA", 401: "AUTHENTICATION_FAILED", 403: "UNAUTHORIZED", 404: "NOT_FOUND", 405: "NOT_ALLOWED", 409: "ALREADY_EXISTS", 413: "QUOTA_EXCEEDED"}[status]
	if err != nil || len(told.Messages) != 1 || told.Code != want || res.Header.Get("Content-Type") != "application/json" {
		s.tb.Fatalf("%s %s: %s (%v)", method, path, res.Body, err)
	}
	return told.Messages[0]
}

// key gives ann's account a key of that name.
func (s *testServer) key(login, name string) *rsa.PrivateKey {
	s.tb.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	check(s.tb, err)
	s.Want(s.tb, 201, login, "PUT", root+"/keys/"+name, publicPEM(s.tb, &private.PublicKey))
	return private
}

func publicPEM(tb testing.TB, key any) string {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	check(tb, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// signing is how a request is signed.
type signing struct {
	version, user, method, path, content string
	at                                   time.Time
	key                                  *rsa.PrivateKey
}

// headers are those of the signature.
func (s signing) headers(tb testing.TB) []string {
	tb.Helper()
	short := func(text string) string {
		sum := sha1.Sum([]byte(text))
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	at := s.at.UTC().Format("2006-01-02T15:04:05Z")
	var hash, algorithm string
	var raw []byte
	var err error
	if s.version == "1.3" {
		sum := sha256.Sum256([]byte(s.content))
		hash, algorithm = base64.StdEncoding.EncodeToString(sum[:]), "sha256"
		text := sha256.Sum256([]byte(strings.Join([]string{"Method:" + s.method, "Path:" + s.path, "X-Ops-Content-Hash:" + hash, "X-Ops-Sign:version=1.3",
			"X-Ops-Timestamp:" + at, "X-Ops-UserId:" + s.user, "X-Ops-Server-API-Version:1"}, "\n")))
		raw, err = rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, text[:])
	} else {
		user := s.user
		if s.version == "1.1" {
			user = short(user)
		}
		hash, algorithm = short(s.content), "sha1"
		raw, err = rsa.SignPKCS1v15(nil, s.key, 0, []byte(strings.Join([]string{"Method:" + s.method, "Hashed Path:" + short(s.path), "X-Ops-Content-Hash:" + hash,
			"X-Ops-Timestamp:" + at, "X-Ops-UserId:" + user}, "\n")))
	}
	check(tb, err)
	all := []string{"X-Ops-Sign", "algorithm=" + algorithm + ";version=" + s.version + ";", "X-Ops-Userid", s.user, "X-Ops-Timestamp", at,
		"X-Ops-Content-Hash", hash, "X-Ops-Server-API-Version", "1"}
	text := base64.StdEncoding.EncodeToString(raw)
	for n := 1; text != ""; n++ {
		cut := min(60, len(text))
		all = append(all, fmt.Sprint("X-Ops-Authorization-", n), text[:cut])
		text = text[cut:]
	}
	return all
}

// with are headers with some changed; "" takes one away.
func with(headers []string, changes ...string) []string {
	all := map[string]string{}
	for _, list := range [][]string{headers, changes} {
		for i := 0; i < len(list); i += 2 {
			all[http.CanonicalHeaderKey(list[i])] = list[i+1]
		}
	}
	var result []string
	for name, value := range all {
		if value != "" {
			result = append(result, name, value)
		}
	}
	return result
}

// yank takes a version of acme's out of what is offered.
func (s *testServer) yank(name, version string) {
	s.tb.Helper()
	ctx := access.SystemContext(s.tb.Context())
	space, err := s.Registry().Enter(ctx, "acme", "chef", access.Write)
	check(s.tb, err)
	p, err := space.Package(ctx, name, access.Write)
	check(s.tb, err)
	check(s.tb, space.SetStatus(ctx, p, map[string]registry.Status{version: {Yanked: true, Reason: "it burns"}}))
}
