package swift_test

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"entrepot/server/servertest"
)

// root is the path of the type's root for the organization acme.
const root = "/api/packages/acme/swift"

// entry is an entry of an archive: a file, unless mode says otherwise.
type entry struct {
	name, body string
	mode       fs.FileMode
}

// zipOf is an archive.
func zipOf(tb testing.TB, entries ...entry) string {
	tb.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(0o644 | e.mode)
		w, err := archive.CreateHeader(h)
		check(tb, err)
		_, err = io.WriteString(w, e.body)
		check(tb, err)
	}
	check(tb, archive.Close())
	return out.String()
}

// manifestText is a manifest of a package.
const manifestText = "// swift-tools-version:5.7\nimport PackageDescription\n"

// sources is the archive of a small package; content tells archives apart.
func sources(tb testing.TB, content string, more ...entry) string {
	tb.Helper()
	return zipOf(tb, append([]entry{
		{name: "LinkedList/Package.swift", body: manifestText},
		{name: "LinkedList/Sources/LinkedList/List.swift", body: "// " + content},
	}, more...)...)
}

// part is a part of a form. Those that SwiftPM sends have no file name.
type part struct{ name, body, headers string }

const boundary = "a-boundary"

// form is the body of a publish.
func form(parts ...part) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n%s\r\n%s\r\n", boundary, p.name, p.headers, p.body)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.String()
}

// formHeaders are the headers that SwiftPM sends with a form.
func formHeaders(more ...string) []string {
	return append([]string{
		"Content-Type", `multipart/form-data;boundary="` + boundary + `"`, "Accept", "application/vnd.swift.registry.v1+json",
		"Expect", "100-continue", "Prefer", "respond-async",
	}, more...)
}

func archivePart(archive string) part {
	return part{"source-archive", archive, "Content-Type: application/zip\r\nContent-Transfer-Encoding: binary\r\n"}
}

func metadataPart(metadata string) part {
	return part{"metadata", metadata, "Content-Type: application/json\r\nContent-Transfer-Encoding: quoted-printable\r\n"}
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func sum(content string) string {
	s := sha256.Sum256([]byte(content))
	return hex.EncodeToString(s[:])
}

// sign signs content as a publisher of that name.
func sign(tb testing.TB, name, content string) string {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(tb, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(tb, err)
	certificate, err := x509.ParseCertificate(der)
	check(tb, err)
	signed, err := pkcs7.NewSignedData([]byte(content))
	check(tb, err)
	signed.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	check(tb, signed.AddSigner(certificate, key, pkcs7.SignerInfoConfig{}))
	signed.Detach()
	cms, err := signed.Finish()
	check(tb, err)
	return string(cms)
}

// testServer is a server with the packages of its organization acme.
type testServer struct {
	*servertest.Server
	tb testing.TB
}

func newServer(tb testing.TB, opts ...servertest.Option) *testServer {
	tb.Helper()
	return &testServer{servertest.New(tb, opts...), tb}
}

// in is the server for a subtest.
func (s *testServer) in(tb testing.TB) *testServer { return &testServer{s.Server, tb} }

// release publishes an archive as ann: path is scope/name/version.
func (s *testServer) release(path, archive string, more ...part) {
	s.tb.Helper()
	res := s.Want(s.tb, 201, "ann", "PUT", root+"/"+path, form(append(more, archivePart(archive))...), formHeaders()...)
	if res.Header.Get("Content-Version") != "1" || !strings.EqualFold(res.Header.Get("Location"), s.URL+root+"/"+path) {
		s.tb.Fatalf("headers = %v", res.Header)
	}
}

// get reads a JSON document as nobody.
func (s *testServer) get(path string) servertest.Object {
	s.tb.Helper()
	res := s.Want(s.tb, 200, "", "GET", root+"/"+path, "", "Accept", "application/vnd.swift.registry.v1+json")
	if res.Header.Get("Content-Type") != "application/json" || res.Header.Get("Content-Version") != "1" {
		s.tb.Fatalf("%s: headers = %v", path, res.Header)
	}
	return servertest.Decode(s.tb, res.Body)
}

// fails wants a problem of the status, and returns its detail.
func (s *testServer) fails(status int, login, method, path, body string, headers ...string) string {
	s.tb.Helper()
	res := s.Want(s.tb, status, login, method, root+"/"+path, body, headers...)
	h := res.Header
	if h.Get("Content-Type") != "application/problem+json" || h.Get("Content-Version") != "1" || h.Get("Content-Language") != "en" {
		s.tb.Fatalf("%s %s: headers = %v", method, path, h)
	}
	if method == "HEAD" {
		return ""
	}
	p := servertest.Decode(s.tb, res.Body)
	detail, _ := p["detail"].(string)
	if p["status"] != float64(status) || p["title"] == "" || detail == "" {
		s.tb.Fatalf("%s %s: %s", method, path, res.Body)
	}
	return detail
}
