package npm_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

const abbreviatedType = "application/vnd.npm.install-v1+json"

func TestAbbreviated(t *testing.T) {
	s := newRegistry(t)
	s.publish("short", "1.0.0", object{
		"description": "long", "dependencies": object{"a": "1"}, "scripts": object{"install": "x"}, "bin": "cli.js",
		"peerDependenciesMeta": object{"a": object{"optional": true}}, "os": []any{"linux"}, "x-unknown": 1,
	})
	for _, accept := range []string{abbreviatedType, abbreviatedType + "; q=1.0, application/json; q=0.8, */*"} {
		res := s.Want(t, 200, "", "GET", root+"/short", "", "Accept", accept)
		if got := res.Header.Get("Content-Type"); got != abbreviatedType {
			t.Errorf("Content-Type = %q", got)
		}
		doc := servertest.Decode(t, res.Body)
		if got := slices.Sorted(maps.Keys(doc)); !slices.Equal(got, []string{"dist-tags", "modified", "name", "time", "versions"}) {
			t.Errorf("members = %v", got)
		}
		v := servertest.At(doc, "versions", "1.0.0").(object)
		want := []string{"_hasShrinkwrap", "bin", "dependencies", "dist", "hasInstallScript", "name", "os", "peerDependenciesMeta", "version"}
		if got := slices.Sorted(maps.Keys(v)); !slices.Equal(got, want) {
			t.Errorf("members of the version = %v, want %v", got, want)
		}
		if servertest.At(doc, "time", "1.0.0") == nil || doc["modified"] != servertest.At(doc, "time", "modified") {
			t.Errorf("time = %v, modified = %v", doc["time"], doc["modified"])
		}
	}
	for _, accept := range []string{"", "application/json", "*/*", abbreviatedType + ";q=0, application/json"} {
		res := s.Want(t, 200, "", "GET", root+"/short", "", "Accept", accept)
		if got := res.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Accept %q: Content-Type = %q", accept, got)
		}
	}
}

func TestConditionalPackument(t *testing.T) {
	s := newRegistry(t)
	s.publish("cond", "1.0.0")
	etags := map[string]string{}
	forms := map[string][]string{
		"full": nil, "abbreviated": {"Accept", abbreviatedType},
		"full gzip": {"Accept-Encoding", "gzip"}, "abbreviated gzip": {"Accept", abbreviatedType, "Accept-Encoding", "gzip"},
	}
	for name, headers := range forms {
		res := s.Want(t, 200, "", "GET", root+"/cond", "", headers...)
		etag := res.Header.Get("ETag")
		if other, taken := etags[etag]; taken || !strings.HasPrefix(etag, `"`) {
			t.Errorf("%s: ETag %s, the same as %q", name, etag, other)
		}
		etags[etag] = name
		if got := res.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control = %q", name, got)
		}
		if got := res.Header.Get("Vary"); !strings.Contains(got, "Accept, Accept-Encoding") {
			t.Errorf("%s: Vary = %q", name, got)
		}
		body := res.Body
		if strings.Contains(name, "gzip") {
			z, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			body = string(plain)
		}
		servertest.Decode(t, body)

		head := s.Want(t, 200, "", "HEAD", root+"/cond", "", headers...)
		if head.Header.Get("ETag") != etag || head.ContentLength != int64(len(res.Body)) || head.Body != "" {
			t.Errorf("%s: HEAD has ETag %s, length %d, want %s, %d", name, head.Header.Get("ETag"), head.ContentLength, etag, len(res.Body))
		}
		not := s.Want(t, 304, "", "GET", root+"/cond", "", append(headers, "If-None-Match", etag)...)
		if not.Body != "" || not.Header.Get("ETag") != etag {
			t.Errorf("%s: 304 with %q and ETag %s", name, not.Body, not.Header.Get("ETag"))
		}
	}
	s.publish("cond", "1.0.1")
	for etag, name := range etags {
		s.Want(t, 200, "", "GET", root+"/cond", "", append(forms[name], "If-None-Match", etag)...)
	}
}

// TestSpellings reads a scoped package in all four spellings of its path.
func TestSpellings(t *testing.T) {
	s := newRegistry(t)
	s.publish("@acme/tool", "1.0.0")
	for _, p := range []string{"@acme/tool", "@acme%2ftool", "@acme%2Ftool", "%40acme%2Ftool", "%40acme/tool"} {
		for path, want := range map[string]int{
			p: 200, p + "?write=true": 200, p + "/1.0.0": 200, p + "/latest": 200, p + "/1.0.0+build": 200, p + "/2.0.0": 404, p + "/next": 404,
			p + "/1.0.0/x": 404, p + "%2f1.0.0": 404, p + "/-/tool-1.0.0.tgz": 200, p + "/-/@acme/tool-1.0.0.tgz": 200,
			p + "/-/@acme%2ftool-1.0.0.tgz": 200, p + "/-/1.0.0/tool-1.0.0.tgz": 200, p + "/-/1.0.0/TOOL-1.0.0.tgz": 200,
			p + "/-/tool-1.0.1.tgz": 404, p + "/-/Tool-1.0.0.tgz": 404, p + "/-/@other/tool-1.0.0.tgz": 404, p + "/-/tool.tgz": 404,
			p + "/-/1.0.1/tool-1.0.0.tgz": 404, p + "/-/tool-1.0.0.sigstore": 404,
		} {
			s.Want(t, want, "", "GET", root+"/"+path, "")
		}
		s.Want(t, 200, "", "GET", root+"/-/package/"+p+"/dist-tags", "")
	}
	for _, path := range []string{"/tool", "/acme/tool", "/@acme", "/@acme/", "/-", "/-/npm/v1/keys", "/@acme/TOOL", "/tool%2f1.0.0"} {
		s.fails(404, "", "GET", path, "")
	}
}

// TestURLAsConfigured checks that the tarball's URL begins as the client
// spelled the registry's.
func TestURLAsConfigured(t *testing.T) {
	s := newRegistry(t)
	s.publish("spelled", "1.0.0")
	for _, owner := range []string{"acme", "ACME"} {
		res := s.Want(t, 200, "", "GET", "/api/packages/"+owner+"/npm/spelled", "")
		want := s.URL + "/api/packages/" + owner + "/npm/spelled/-/spelled-1.0.0.tgz"
		if got := servertest.At(servertest.Decode(t, res.Body), "versions", "1.0.0", "dist", "tarball"); got != want {
			t.Errorf("tarball = %v, want %v", got, want)
		}
	}
}

func TestTarballHeaders(t *testing.T) {
	s := newRegistry(t)
	r := s.publish("ball", "1.0.0")
	path := root + "/ball/-/ball-1.0.0.tgz"
	res := s.Want(t, 200, "", "GET", path, "", "Accept-Encoding", "gzip")
	if res.Header.Get("Content-Type") != "application/octet-stream" || res.Header.Get("Content-Encoding") != "" ||
		!strings.HasSuffix(res.Header.Get("Cache-Control"), "no-cache") {
		t.Errorf("headers = %v", res.Header)
	}
	s.Want(t, 304, "", "GET", path, "", "If-None-Match", res.Header.Get("ETag"))
	if part := s.Want(t, 206, "", "GET", path, "", "Range", "bytes=0-9"); part.Body != string(r.tarball[:10]) {
		t.Errorf("range = %q", part.Body)
	}
	if head := s.Want(t, 200, "", "HEAD", path, ""); head.ContentLength != int64(len(r.tarball)) {
		t.Errorf("HEAD: length %d, want %d", head.ContentLength, len(r.tarball))
	}
}

// TestStatements bounds what a request asks of the database, whatever the
// number of versions, and that reading writes nothing.
func TestStatements(t *testing.T) {
	s := newRegistry(t)
	count := func(status int, method, path, body string, headers ...string) (reads, writes int64) {
		t.Helper()
		r0, w0 := s.Registry().Database().Statements()
		s.Want(t, status, "ann", method, root+path, body, headers...)
		r1, w1 := s.Registry().Database().Statements()
		return r1 - r0, w1 - w0
	}
	var publishes [2][2]int64
	for round, n := range []int{3, 40} {
		for i := range n {
			body := servertest.Encode(t, newRelease(t, "many", fmt.Sprintf("%d.0.%d", round+1, i)).body)
			publishes[round][0], publishes[round][1] = count(201, "PUT", "/many", body)
		}
		etag := s.Want(t, 200, "ann", "GET", root+"/many", "").Header.Get("ETag")
		for _, tt := range []struct {
			name, path string
			headers    []string
			status     int
			most       int64
		}{
			{"packument, warm", "/many", nil, 200, 4},
			{"packument, 304", "/many", []string{"If-None-Match", etag}, 304, 4},
			{"packument, cold", "/many", []string{"Accept", abbreviatedType}, 200, 10},
			{"one version", "/many/latest", nil, 200, 8},
			{"tarball", "/many/-/many-1.0.1.tgz", nil, 200, 6},
			{"dist-tags", "/-/package/many/dist-tags", nil, 200, 6},
			{"search", "/-/v1/search?text=many", nil, 200, 8},
		} {
			reads, writes := count(tt.status, "GET", tt.path, "", tt.headers...)
			t.Logf("%d versions: %s: %d statements", n, tt.name, reads)
			if reads > tt.most || writes != 0 {
				t.Errorf("%d versions: %s: %d reads, %d writes; want at most %d and 0", n, tt.name, reads, writes, tt.most)
			}
		}
	}
	t.Logf("publish: %d reads, %d writes", publishes[1][0], publishes[1][1])
	if publishes[0] != publishes[1] {
		t.Errorf("a publish takes %v statements after 3 versions, %v after 43", publishes[0], publishes[1])
	}
}
