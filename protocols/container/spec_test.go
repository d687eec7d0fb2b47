package container_test

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/registry"
	"entrepot/server"
	"entrepot/server/servertest"
)

// The tests of this file say the specification's MUSTs, and what the sheet of
// the clients' habits adds to them, request by request.

const (
	root       = "/v2/acme/app"
	ociImage   = "application/vnd.oci.image.manifest.v1+json"
	ociIndex   = "application/vnd.oci.image.index.v1+json"
	dockerType = "application/vnd.docker.distribution.manifest.v2+json"
	zeroes     = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
)

func digest(s string) string {
	d := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(d[:])
}

func digest512(s string) string {
	d := sha512.Sum512([]byte(s))
	return "sha512:" + hex.EncodeToString(d[:])
}

// blob pushes a blob as wim and returns its digest.
func blob(t *testing.T, s *servertest.Server, repo, content string) string {
	t.Helper()
	s.Want(t, 201, "wim", "POST", repo+"/blobs/uploads/?digest="+digest(content), content)
	return digest(content)
}

// descriptorOf describes content.
func descriptorOf(mediaType, content string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, digest(content), len(content))
}

const emptyConfig = "{}"

// image is a manifest with an empty configuration and the layers.
func image(extra string, layers ...string) string {
	list := make([]string, len(layers))
	for i, l := range layers {
		list[i] = descriptorOf("application/vnd.oci.image.layer.v1.tar", l)
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]%s}`,
		ociImage, descriptorOf("application/vnd.oci.empty.v1+json", emptyConfig), strings.Join(list, ","), extra)
}

// push stores an image of the layers under the reference, and its blobs.
func push(t *testing.T, s *servertest.Server, repo, ref, extra string, layers ...string) string {
	t.Helper()
	for _, b := range append(layers, emptyConfig) {
		blob(t, s, repo, b)
	}
	m := image(extra, layers...)
	if ref == "" {
		ref = digest(m)
	}
	s.Want(t, 201, "wim", "PUT", repo+"/manifests/"+ref, m, "Content-Type", ociImage)
	return digest(m)
}

// code is the one error's code.
func code(t *testing.T, res servertest.Response) string {
	t.Helper()
	var body struct {
		Errors []struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(res.Body), &body); err != nil || len(body.Errors) != 1 || body.Errors[0].Message == "" {
		t.Fatalf("status %d: not one error: %s", res.StatusCode, res.Body)
	}
	if res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("Content-Type of an error = %q", res.Header.Get("Content-Type"))
	}
	return body.Errors[0].Code
}

// refuse fails the test unless the answer is an error with the code.
func refuse(t *testing.T, res servertest.Response, status int, want string) {
	t.Helper()
	if res.StatusCode != status {
		t.Fatalf("status %d, want %d; body %.300s", res.StatusCode, status, res.Body)
	}
	if got := code(t, res); got != want {
		t.Errorf("code %s, want %s; body %.300s", got, want, res.Body)
	}
}

func TestPingAsksEverybody(t *testing.T) {
	s := servertest.New(t)
	for _, path := range []string{"/v2", "/v2/"} {
		res := s.Want(t, 401, "", "GET", path, "")
		want := fmt.Sprintf(`Bearer realm="%s/v2/token",service="%s"`, s.URL, host(s))
		if got := res.Header.Values("WWW-Authenticate"); len(got) != 1 || got[0] != want {
			t.Errorf("%s challenges with %q, want %q", path, got, want)
		}
		if code(t, res) != "UNAUTHORIZED" {
			t.Error(res.Body)
		}
		res = s.Want(t, 200, "rea", "GET", path, "")
		if res.Body != "{}" || res.Header.Get("Docker-Distribution-Api-Version") != "registry/2.0" {
			t.Errorf("%s answered %q, %v", path, res.Body, res.Header)
		}
	}
}

func TestChallenges(t *testing.T) {
	s := servertest.New(t)
	s.Organization(t, "vault", access.Private)
	push(t, s, root, "1", "")
	for _, tt := range []struct{ method, path, scope string }{
		{"GET", "/v2/vault/app/manifests/1", "repository:vault/app:pull"},
		{"HEAD", "/v2/Vault/app/blobs/" + zeroes, "repository:vault/app:pull"},
		{"GET", "/v2/vault/a/b/c/tags/list", "repository:vault/a/b/c:pull"},
		{"PUT", root + "/manifests/2", "repository:acme/app:pull,push"},
		{"POST", root + "/blobs/uploads/", "repository:acme/app:pull,push"},
		{"PATCH", root + "/blobs/uploads/x", "repository:acme/app:pull,push"},
		{"DELETE", root + "/blobs/uploads/x", "repository:acme/app:pull,push"},
		{"DELETE", root + "/manifests/1", "repository:acme/app:delete"},
		{"GET", "/v2/_catalog", "registry:catalog:*"},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			res := s.Want(t, 401, "", tt.method, tt.path, "")
			want := fmt.Sprintf(`Bearer realm="%s/v2/token",service="%s",scope="%s"`, s.URL, host(s), tt.scope)
			if got := res.Header.Values("WWW-Authenticate"); len(got) != 1 || got[0] != want {
				t.Errorf("challenges %q, want %q", got, want)
			}
		})
	}
	res := s.Want(t, 401, "", "GET", root+"/manifests/1", "", "Authorization", "Bearer nonsense")
	if got := res.Header.Get("WWW-Authenticate"); !strings.HasSuffix(got, `,scope="repository:acme/app:pull",error="invalid_token"`) {
		t.Errorf("a bad token is challenged with %q", got)
	}
}

func TestNames(t *testing.T) {
	s := servertest.New(t)
	push(t, s, root, "1", "")
	for _, tt := range []struct {
		path   string
		status int
		code   string
	}{
		{"/v2/acme/a__b/blobs/uploads/", 202, ""},
		{"/v2/acme/a--b/blobs/uploads/", 202, ""},
		{"/v2/acme/blobs/uploads/blobs/uploads", 202, ""},
		{"/v2/acme/manifests/tags/list/blobs/uploads/", 202, ""},
		{"/v2/ACME/app/blobs/uploads/", 202, ""},
		{"/v2/acme/App/blobs/uploads/", 400, "NAME_INVALID"},
		{"/v2/acme/a..b/blobs/uploads/", 400, "NAME_INVALID"},
		{"/v2/acme/-a/blobs/uploads/", 400, "NAME_INVALID"},
		{"/v2/acme/a//b/blobs/uploads/", 400, "NAME_INVALID"},
		{"/v2/acme/" + strings.Repeat("x", 256) + "/blobs/uploads/", 400, "NAME_INVALID"},
		{"/v2/acme/blobs/uploads/", 404, "NAME_UNKNOWN"},
		{"/v2/nobody/app/blobs/uploads/", 404, "NAME_UNKNOWN"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			res := s.Want(t, tt.status, "wim", "POST", tt.path, "")
			if tt.code != "" {
				refuse(t, res, tt.status, tt.code)
			}
		})
	}
	for _, path := range []string{"/v2/acme", "/v2/app/manifests/1", "/v2/app/tags/list", "/v2/app/blobs/" + zeroes, "/v2/app/blobs/uploads/x", "/v2/token/x"} {
		res := s.Want(t, 404, "wim", "GET", path, "")
		refuse(t, res, 404, "NAME_UNKNOWN")
		if path != "/v2/acme" && !strings.Contains(res.Body, "owner/image") {
			t.Errorf("%s gives no hint: %s", path, res.Body)
		}
	}
	// What other types' clients use is not for images.
	s.Want(t, 404, "wim", "GET", "/api/packages/acme/container/app/manifests/1", "")
}

func TestMethods(t *testing.T) {
	s := servertest.New(t)
	push(t, s, root, "1", "")
	res := s.Do(t, "wim", "POST", root+"/tags/list", "")
	refuse(t, res, 405, "UNSUPPORTED")
	if got := strings.Join(res.Header.Values("Allow"), " "); got != "GET HEAD" {
		t.Errorf("Allow = %q", got)
	}
	refuse(t, s.Do(t, "wim", "PATCH", root+"/blobs/"+zeroes, ""), 405, "UNSUPPORTED")
}

func TestBlob(t *testing.T) {
	s := servertest.New(t)
	d := blob(t, s, root, "0123456789")
	empty := blob(t, s, root, "")
	push(t, s, root, "1", "")
	path := root + "/blobs/" + d
	for _, method := range []string{"GET", "HEAD"} {
		res := s.Want(t, 200, "", method, path, "")
		for name, want := range map[string]string{
			"Content-Type": "application/octet-stream", "Content-Length": "10", "Docker-Content-Digest": d, "ETag": `"` + d + `"`,
			"Accept-Ranges": "bytes", "Cache-Control": "public, max-age=31536000, immutable", "Content-Disposition": "",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s %s = %q, want %q", method, name, got, want)
			}
		}
		if got := s.Want(t, 200, "", method, root+"/blobs/"+empty, "").Header.Get("Content-Length"); got != "0" {
			t.Errorf("%s of nothing: Content-Length = %q", method, got)
		}
	}
	if got := s.Want(t, 200, "rea", "GET", path, ""); got.Body != "0123456789" || got.Header.Get("Cache-Control") != "private, max-age=31536000, immutable" {
		t.Errorf("body %q, %v", got.Body, got.Header)
	}
	for _, tt := range []struct {
		name, header, value string
		status              int
		body, contentRange  string
	}{
		{"part", "Range", "bytes=2-4", 206, "234", "bytes 2-4/10"},
		{"end", "Range", "bytes=-3", 206, "789", "bytes 7-9/10"},
		{"beyond", "Range", "bytes=10-20", 416, "", "bytes */10"},
		{"reversed", "Range", "bytes=4-2", 416, "", ""},
		{"unchanged", "If-None-Match", `"` + d + `"`, 304, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := s.Want(t, tt.status, "", "GET", path, "", tt.header, tt.value)
			if tt.body != "" && res.Body != tt.body || res.Header.Get("Content-Range") != tt.contentRange {
				t.Errorf("body %q, Content-Range %q", res.Body, res.Header.Get("Content-Range"))
			}
		})
	}
	refuse(t, s.Do(t, "rea", "GET", root+"/blobs/"+zeroes, ""), 404, "BLOB_UNKNOWN")
	for _, bad := range []string{"sha256:zz", "sha256:" + strings.ToUpper(d[7:]), "md5:d41d8cd98f00b204e9800998ecf8427e", "sha384:00", "x:y"} {
		refuse(t, s.Do(t, "rea", "GET", root+"/blobs/"+bad, ""), 400, "DIGEST_INVALID")
	}
	// The colon may come escaped.
	s.Want(t, 200, "", "GET", root+"/blobs/"+strings.Replace(d, ":", "%3A", 1), "")
	// Another repository does not have it.
	push(t, s, "/v2/acme/other", "1", "")
	refuse(t, s.Do(t, "rea", "GET", "/v2/acme/other/blobs/"+d, ""), 404, "BLOB_UNKNOWN")
}

// begin opens a session and returns its location.
func begin(t *testing.T, s *servertest.Server) string {
	t.Helper()
	res := s.Want(t, 202, "wim", "POST", root+"/blobs/uploads/", "")
	if res.Header.Get("Range") != "0-0" || res.Header.Get("Docker-Upload-UUID") == "" || res.Header.Get("Content-Length") != "0" {
		t.Errorf("a session begins with %v", res.Header)
	}
	location := res.Header.Get("Location")
	if !regexp.MustCompile(`^/v2/acme/app/blobs/uploads/[A-Z2-7]{26}$`).MatchString(location) {
		t.Errorf("Location = %q", location)
	}
	return location
}

func TestUploadStyles(t *testing.T) {
	s := servertest.New(t)
	const content = "0123456789"
	d := digest(content)
	check := func(t *testing.T, res servertest.Response, d, content string) {
		t.Helper()
		if res.Header.Get("Location") != root+"/blobs/"+d || res.Header.Get("Docker-Content-Digest") != d {
			t.Errorf("created with %v", res.Header)
		}
		if got := s.Want(t, 200, "wim", "GET", root+"/blobs/"+d, ""); got.Body != content {
			t.Errorf("stored %q", got.Body)
		}
		s.Want(t, 202, "wim", "DELETE", root+"/blobs/"+d, "")
	}
	t.Run("one POST", func(t *testing.T) {
		check(t, s.Want(t, 201, "wim", "POST", root+"/blobs/uploads/?digest="+d, content), d, content)
	})
	t.Run("POST and PUT", func(t *testing.T) {
		check(t, s.Want(t, 201, "wim", "PUT", begin(t, s)+"?digest="+d, content), d, content)
	})
	t.Run("POST, PATCH and PUT", func(t *testing.T) {
		location := begin(t, s)
		res := s.Want(t, 202, "wim", "PATCH", location, content)
		if res.Header.Get("Range") != "0-9" {
			t.Errorf("Range = %q, want 0-9", res.Header.Get("Range"))
		}
		check(t, s.Want(t, 201, "wim", "PUT", res.Header.Get("Location")+"?digest="+d, ""), d, content)
	})
	t.Run("chunks", func(t *testing.T) {
		location := begin(t, s)
		for i, header := range []string{"0-2", "bytes 3-5", "bytes 6-8/10"} {
			res := s.Want(t, 202, "wim", "PATCH", location, content[3*i:3*i+3], "Content-Range", header)
			if want := fmt.Sprintf("0-%d", 3*i+2); res.Header.Get("Range") != want {
				t.Errorf("Range = %q, want %q", res.Header.Get("Range"), want)
			}
			status := s.Want(t, 204, "wim", "GET", location+"?digest="+d, "")
			if status.Header.Get("Range") != res.Header.Get("Range") || status.Header.Get("Location") == "" || status.Header.Get("Docker-Upload-UUID") == "" {
				t.Errorf("status %v", status.Header)
			}
		}
		check(t, s.Want(t, 201, "wim", "PUT", location+"?digest="+d, content[9:], "Content-Range", "9-9"), d, content)
	})
	t.Run("chunks, only the first with a range", func(t *testing.T) {
		location := begin(t, s)
		s.Want(t, 202, "wim", "PATCH", location, content[:4], "Content-Range", "0-3")
		s.Want(t, 202, "wim", "PATCH", location, content[4:])
		check(t, s.Want(t, 201, "wim", "PUT", location+"?digest="+d, ""), d, content)
	})
	t.Run("nothing", func(t *testing.T) {
		check(t, s.Want(t, 201, "wim", "PUT", begin(t, s)+"?digest="+digest(""), ""), digest(""), "")
	})
	t.Run("SHA-512", func(t *testing.T) {
		res := s.Want(t, 202, "wim", "POST", root+"/blobs/uploads/?digest-algorithm=sha512", "")
		location := res.Header.Get("Location")
		s.Want(t, 202, "wim", "PATCH", location, content[:5])
		check(t, s.Want(t, 201, "wim", "PUT", location+"?digest="+digest512(content), content[5:]), digest512(content), content)
		check(t, s.Want(t, 201, "wim", "POST", root+"/blobs/uploads/?digest="+digest512("x"), "x"), digest512("x"), "x")
	})
}

func TestUploadRefusals(t *testing.T) {
	s := servertest.New(t)
	d := digest("hello")
	t.Run("out of order", func(t *testing.T) {
		location := begin(t, s)
		s.Want(t, 202, "wim", "PATCH", location, "hel", "Content-Range", "0-2")
		for _, header := range []string{"0-2", "5-7"} {
			res := s.Do(t, "wim", "PATCH", location, "xyz", "Content-Range", header)
			refuse(t, res, 416, "BLOB_UPLOAD_INVALID")
			if res.Header.Get("Range") != "0-2" || res.Header.Get("Location") != location {
				t.Errorf("%v", res.Header)
			}
		}
		refuse(t, s.Do(t, "wim", "PUT", location+"?digest="+d, "lo", "Content-Range", "5-6"), 416, "BLOB_UPLOAD_INVALID")
		s.Want(t, 201, "wim", "PUT", location+"?digest="+d, "lo")
	})
	t.Run("wrong length", func(t *testing.T) {
		location := begin(t, s)
		refuse(t, s.Do(t, "wim", "PATCH", location, "hello", "Content-Range", "0-9"), 400, "SIZE_INVALID")
		refuse(t, s.Do(t, "wim", "PATCH", location, "hello", "Content-Range", "nonsense"), 400, "BLOB_UPLOAD_INVALID")
		s.Want(t, 201, "wim", "PUT", location+"?digest="+d, "hello")
	})
	t.Run("wrong digest", func(t *testing.T) {
		location := begin(t, s)
		refuse(t, s.Do(t, "wim", "PUT", location, "hello"), 400, "DIGEST_INVALID")
		refuse(t, s.Do(t, "wim", "PUT", location+"?digest=sha256:x", "hello"), 400, "DIGEST_INVALID")
		refuse(t, s.Do(t, "wim", "PUT", location+"?digest="+zeroes, "hello"), 400, "DIGEST_INVALID")
		refuse(t, s.Do(t, "wim", "GET", location, ""), 404, "BLOB_UPLOAD_UNKNOWN")
		refuse(t, s.Do(t, "wim", "POST", root+"/blobs/uploads/?digest="+zeroes, "hello"), 400, "DIGEST_INVALID")
		refuse(t, s.Do(t, "wim", "POST", root+"/blobs/uploads/?digest-algorithm=md5", ""), 400, "DIGEST_INVALID")
	})
	t.Run("cancelled", func(t *testing.T) {
		location := begin(t, s)
		s.Want(t, 202, "wim", "PATCH", location, "hello")
		s.Want(t, 204, "wim", "DELETE", location, "")
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			refuse(t, s.Do(t, "wim", method, location, ""), 404, "BLOB_UPLOAD_UNKNOWN")
		}
	})
	t.Run("another's", func(t *testing.T) {
		location := begin(t, s)
		refuse(t, s.Do(t, "ann", "PATCH", location, "x"), 404, "BLOB_UPLOAD_UNKNOWN")
		refuse(t, s.Do(t, "rea", "PATCH", location, "x"), 403, "DENIED")
		elsewhere := strings.Replace(location, "acme/app", "acme/other", 1)
		refuse(t, s.Do(t, "wim", "PATCH", elsewhere, "x"), 404, "BLOB_UPLOAD_UNKNOWN")
		// Not the token's: it may be renewed meanwhile.
		token := s.Token(t, "wim", access.ReadPackage, access.WritePackage)
		s.Want(t, 202, "", "PATCH", location, "x", "Authorization", "Bearer "+token)
	})
	// None of this is a repository yet.
	refuse(t, s.Do(t, "wim", "GET", "/v2/acme/app2/tags/list", ""), 404, "NAME_UNKNOWN")
	if got := s.Want(t, 200, "wim", "GET", "/v2/_catalog", "").Body; got != "{\"repositories\":[]}\n" {
		t.Errorf("catalog %s", got)
	}
}

func TestSizeLimit(t *testing.T) {
	s := servertest.New(t, func(c *server.Config) { c.Limits.FileSize = 100 })
	big := strings.Repeat("x", 200)
	refuse(t, s.Do(t, "wim", "POST", root+"/blobs/uploads/?digest="+digest(big), big), 413, "DENIED")
	location := begin(t, s)
	s.Want(t, 202, "wim", "PATCH", location, big[:60])
	refuse(t, s.Do(t, "wim", "PATCH", location, big[:60]), 413, "DENIED")
	refuse(t, s.Do(t, "wim", "GET", location, ""), 404, "BLOB_UPLOAD_UNKNOWN")
}

func TestMount(t *testing.T) {
	s := servertest.New(t)
	s.Organization(t, "vault", access.Private)
	push(t, s, root, "1", "", "public layer")
	push(t, s, "/v2/vault/secret", "1", "", "secret layer")
	blob(t, s, "/v2/acme/new", "early")
	blob(t, s, "/v2/vault/new", "early secret")
	uploads := "/v2/wim/app/blobs/uploads/"
	open, secret := digest("public layer"), digest("secret layer")
	for _, tt := range []struct {
		name, login, to, query string
		status                 int
	}{
		{"from where it is", "wim", uploads, "mount=" + open + "&from=acme/app", 201},
		{"from anywhere", "wim", "/v2/wim/b/blobs/uploads/", "mount=" + open, 201},
		{"from where it is not", "wim", "/v2/wim/c/blobs/uploads/", "mount=" + open + "&from=acme/other", 201},
		{"before its first manifest", "wim", "/v2/wim/e/blobs/uploads/", "mount=" + digest("early"), 201},
		{"of a stranger before its first manifest", "out", "/v2/out/app/blobs/uploads/", "mount=" + digest("early secret"), 202},
		{"already here", "wim", uploads, "mount=" + open, 201},
		{"of a member", "wim", "/v2/vault/copy/blobs/uploads/", "mount=" + secret + "&from=vault/secret", 201},
		{"of a stranger", "out", "/v2/out/app/blobs/uploads/", "mount=" + secret + "&from=vault/secret", 202},
		{"of a stranger from anywhere", "out", "/v2/out/app/blobs/uploads/", "mount=" + secret, 202},
		{"unknown", "wim", uploads, "mount=" + zeroes, 202},
		{"no digest", "wim", uploads, "mount=x", 400},
		{"strange source", "wim", uploads, "mount=" + zeroes + "&from=..%2F..", 202},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := s.Want(t, tt.status, tt.login, "POST", tt.to+"?"+tt.query, "")
			if tt.status == 201 && !strings.HasPrefix(res.Header.Get("Location"), strings.TrimSuffix(tt.to, "uploads/")+"sha256:") {
				t.Errorf("Location = %q", res.Header.Get("Location"))
			}
			if tt.status == 202 && res.Header.Get("Docker-Upload-UUID") == "" {
				t.Error("no session")
			}
		})
	}
	if got := s.Want(t, 200, "wim", "GET", "/v2/vault/copy/blobs/"+secret, "").Body; got != "secret layer" {
		t.Errorf("mounted %q", got)
	}
	// A token that is not for the source reads no more of it than anybody.
	for _, tt := range []struct {
		scopes, blob string
		status       int
	}{
		{"repository:wim/d:pull,push", secret, 202},
		{"repository:wim/d:pull,push", open, 201},
		{"repository:wim/d:pull,push repository:vault/secret:pull", secret, 201},
	} {
		token := bearer(t, s, "wim", tt.scopes)
		s.Want(t, tt.status, "", "POST", "/v2/wim/d/blobs/uploads/?mount="+tt.blob+"&from=vault/secret", "", "Authorization", token)
	}
}

// bearer fetches a registry token as a header's value.
func bearer(t *testing.T, s *servertest.Server, login, scopes string) string {
	t.Helper()
	res := s.Want(t, 200, login, "GET", "/v2/token?service=x&scope="+strings.ReplaceAll(scopes, " ", "+"), "")
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(res.Body), &answer); err != nil || answer.Token == "" {
		t.Fatalf("%s: %v", res.Body, err)
	}
	return "Bearer " + answer.Token
}

func TestManifest(t *testing.T) {
	s := servertest.New(t)
	blob(t, s, root, emptyConfig)
	blob(t, s, root, "layer")
	m := " " + image(`,"unknown":{"a":[1,2.50]}`, "layer") + "\n\n"
	d := digest(m)
	res := s.Want(t, 201, "wim", "PUT", root+"/manifests/v1", m, "Content-Type", ociImage+"; charset=utf-8")
	if res.Header.Get("Location") != root+"/manifests/"+d || res.Header.Get("Docker-Content-Digest") != d {
		t.Errorf("created with %v", res.Header)
	}
	for _, ref := range []string{"v1", d} {
		for _, method := range []string{"GET", "HEAD"} {
			res := s.Want(t, 200, "", method, root+"/manifests/"+ref, "", "Accept", "text/html")
			for name, want := range map[string]string{
				"Content-Type": ociImage, "Content-Length": fmt.Sprint(len(m)), "Docker-Content-Digest": d, "ETag": `"` + d + `"`,
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s %s %s = %q, want %q", method, ref, name, got, want)
				}
			}
			if method == "GET" && res.Body != m {
				t.Errorf("the bytes changed: %q", res.Body)
			}
		}
		s.Want(t, 304, "", "GET", root+"/manifests/"+ref, "", "If-None-Match", `"`+d+`"`)
	}
	// A tag may go back to an older manifest: dates say nothing.
	if got := s.Want(t, 200, "", "GET", root+"/manifests/v1", "").Header; got.Get("Last-Modified") != "" || strings.Contains(got.Get("Cache-Control"), "immutable") {
		t.Errorf("tag served with %v", got)
	}
	refuse(t, s.Do(t, "rea", "GET", root+"/manifests/v2", ""), 404, "MANIFEST_UNKNOWN")
	refuse(t, s.Do(t, "rea", "GET", root+"/manifests/"+zeroes, ""), 404, "MANIFEST_UNKNOWN")
	refuse(t, s.Do(t, "rea", "GET", "/v2/acme/none/manifests/v1", ""), 404, "NAME_UNKNOWN")
	refuse(t, s.Do(t, "rea", "GET", root+"/manifests/sha256:x", ""), 400, "DIGEST_INVALID")
	if res := s.Want(t, 404, "rea", "HEAD", root+"/manifests/v2", ""); res.Body != "" {
		t.Errorf("HEAD has a body: %q", res.Body)
	}
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/"+zeroes, m, "Content-Type", ociImage), 400, "DIGEST_INVALID")
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/.bad", m, "Content-Type", ociImage), 400, "MANIFEST_INVALID")
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/big", strings.Repeat(" ", 10<<20)+m, "Content-Type", ociImage), 413, "SIZE_INVALID")
	// SHA-512 stays the name under which it was pushed.
	res = s.Want(t, 201, "wim", "PUT", root+"/manifests/"+digest512(m), m, "Content-Type", ociImage)
	if res.Header.Get("Docker-Content-Digest") != digest512(m) {
		t.Errorf("%v", res.Header)
	}
	if got := s.Want(t, 200, "", "GET", root+"/manifests/"+digest512(m), ""); got.Body != m || got.Header.Get("Docker-Content-Digest") != digest512(m) {
		t.Errorf("%v", got.Header)
	}
}

func TestManifestParts(t *testing.T) {
	s := servertest.New(t)
	blob(t, s, root, emptyConfig)
	put := func(ref, m, typ string) servertest.Response {
		t.Helper()
		return s.Do(t, "wim", "PUT", root+"/manifests/"+ref, m, "Content-Type", typ)
	}
	res := put("1", image("", "absent", "gone"), ociImage)
	refuse(t, res, 404, "MANIFEST_BLOB_UNKNOWN")
	if !strings.Contains(res.Body, digest("absent")) || !strings.Contains(res.Body, digest("gone")) {
		t.Errorf("the detail does not name the blobs: %s", res.Body)
	}
	wrong := strings.Replace(image("", emptyConfig), `"size":2`, `"size":3`, 1)
	refuse(t, put("1", wrong, ociImage), 400, "SIZE_INVALID")
	foreign := strings.Replace(image("", "elsewhere"), `"layers":[{`, `"layers":[{"urls":["https://example.com/l"],`, 1)
	if res := put("foreign", foreign, ociImage); res.StatusCode != 201 {
		t.Errorf("a layer with urls is refused: %s", res.Body)
	}
	index := func(children ...string) string {
		list := make([]string, len(children))
		for i, c := range children {
			list[i] = descriptorOf(ociImage, c)
		}
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, ociIndex, strings.Join(list, ","))
	}
	child := image(`,"annotations":{"a":"b"}`)
	refuse(t, put("i", index(child), ociIndex), 404, "MANIFEST_BLOB_UNKNOWN")
	for _, tt := range []struct{ name, manifest string }{
		{"empty", index()},
		{"of a blob", index(emptyConfig)},
		{"of an index", index(index())},
	} {
		if res := put("i", tt.manifest, ociIndex); res.StatusCode != 201 {
			t.Errorf("index %s: %d %s", tt.name, res.StatusCode, res.Body)
		}
	}
	// The owner may allow what is not all there.
	sparse := true
	if _, err := s.Registry().UpdateOwner(access.SystemContext(context.Background()), "acme", registry.OwnerChange{ContainerSparseIndex: &sparse}); err != nil {
		t.Fatal(err)
	}
	if res := put("sparse", index(child), ociIndex); res.StatusCode != 201 {
		t.Errorf("sparse index: %s", res.Body)
	}
}

func TestTags(t *testing.T) {
	s := servertest.New(t)
	one := push(t, s, root, "latest", "", "one")
	two := push(t, s, root, "latest", "", "two")
	if one == two {
		t.Fatal("the images are the same")
	}
	if got := s.Want(t, 200, "", "HEAD", root+"/manifests/latest", "").Header.Get("Docker-Content-Digest"); got != two {
		t.Errorf("latest = %s, want %s", got, two)
	}
	// The old one stays for who pinned it.
	s.Want(t, 200, "", "GET", root+"/manifests/"+one, "")
	// Tags are told apart by case.
	push(t, s, root, "v1", "", "one")
	push(t, s, root, "V1", "", "two")
	push(t, s, root, "10", "", "one")
	push(t, s, root, "9", "", "one")
	for _, tt := range []struct{ query, body, link string }{
		{"", `{"name":"acme/app","tags":["10","9","V1","latest","v1"]}`, ""},
		{"?n=2", `{"name":"acme/app","tags":["10","9"]}`, `</v2/acme/app/tags/list?last=9&n=2>; rel="next"`},
		{"?n=2&last=9", `{"name":"acme/app","tags":["V1","latest"]}`, `</v2/acme/app/tags/list?last=latest&n=2>; rel="next"`},
		{"?n=2&last=latest", `{"name":"acme/app","tags":["v1"]}`, ""},
		{"?n=5", `{"name":"acme/app","tags":["10","9","V1","latest","v1"]}`, ""},
		{"?last=W", `{"name":"acme/app","tags":["latest","v1"]}`, ""},
		{"?n=0", `{"name":"acme/app","tags":[]}`, ""},
		{"?last=zzz", `{"name":"acme/app","tags":[]}`, ""},
	} {
		res := s.Want(t, 200, "", "GET", root+"/tags/list"+tt.query, "")
		if strings.TrimSpace(res.Body) != tt.body || res.Header.Get("Link") != tt.link {
			t.Errorf("tags%s: %s Link %q", tt.query, res.Body, res.Header.Get("Link"))
		}
	}
	for _, n := range []string{"-1", "x", "1.5", ""} {
		refuse(t, s.Do(t, "", "GET", root+"/tags/list?n="+n, ""), 400, "PAGINATION_NUMBER_INVALID")
	}
	refuse(t, s.Do(t, "rea", "GET", "/v2/acme/none/tags/list", ""), 404, "NAME_UNKNOWN")
	// A tag goes alone, a digest with all its tags.
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/V1", "")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/manifests/V1", ""), 404, "MANIFEST_UNKNOWN")
	s.Want(t, 200, "", "GET", root+"/manifests/"+two, "")
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/"+one, "")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/manifests/"+one, ""), 404, "MANIFEST_UNKNOWN")
	if got := s.Want(t, 200, "", "GET", root+"/tags/list", "").Body; strings.TrimSpace(got) != `{"name":"acme/app","tags":["latest"]}` {
		t.Errorf("tags %s", got)
	}
	// With the last manifest the repository goes.
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/"+two, "")
	refuse(t, s.Do(t, "wim", "GET", root+"/tags/list", ""), 404, "NAME_UNKNOWN")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/blobs/"+digest("one"), ""), 404, "NAME_UNKNOWN")
}

func TestTagParameters(t *testing.T) {
	s := servertest.New(t)
	blob(t, s, root, emptyConfig)
	m := image("")
	res := s.Want(t, 201, "wim", "PUT", root+"/manifests/"+digest(m)+"?tag=b&tag=a&tag=b", m, "Content-Type", ociImage)
	if got := strings.Join(res.Header.Values("OCI-Tag"), " "); got != "a b" {
		t.Errorf("OCI-Tag = %q", got)
	}
	if got := s.Want(t, 200, "", "GET", root+"/tags/list", "").Body; !strings.Contains(got, `["a","b"]`) {
		t.Errorf("tags %s", got)
	}
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/x?tag=a", m, "Content-Type", ociImage), 400, "MANIFEST_INVALID")
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/"+digest(m)+"?tag=.a", m, "Content-Type", ociImage), 400, "MANIFEST_INVALID")
	many := "?"
	for i := range 101 {
		many += fmt.Sprintf("tag=t%d&", i)
	}
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/"+digest(m)+many, m, "Content-Type", ociImage), 414, "MANIFEST_INVALID")
}

func TestConditionalTagMove(t *testing.T) {
	s := servertest.New(t)
	one := push(t, s, root, "v1", "", "one")
	two := push(t, s, root, "v2", "", "two")
	m := image("", "two")
	put := func(tag, header, value string) int {
		return s.Do(t, "wim", "PUT", root+"/manifests/"+tag, m, "Content-Type", ociImage, header, value).StatusCode
	}
	for _, tt := range []struct {
		tag, header, value string
		want               int
	}{
		{"v1", "If-None-Match", "*", 412},
		{"v1", "If-Match", `"` + two + `"`, 412},
		{"new", "If-Match", "*", 412},
		{"v1", "If-Match", `"` + one + `"`, 201},
		{"new", "If-None-Match", "*", 201},
	} {
		if got := put(tt.tag, tt.header, tt.value); got != tt.want {
			t.Errorf("%s with %s: %s answered %d, want %d", tt.tag, tt.header, tt.value, got, tt.want)
		}
	}
}

func TestImmutableTags(t *testing.T) {
	s := servertest.New(t)
	patterns := []string{"app:v*", "*/x:*"}
	if _, err := s.Registry().UpdateOwner(access.SystemContext(context.Background()), "acme", registry.OwnerChange{ContainerImmutableTags: &patterns}); err != nil {
		t.Fatal(err)
	}
	one := push(t, s, root, "v1", "", "one")
	push(t, s, root, "v1", "", "one") // the same is no move
	push(t, s, root, "free", "", "one")
	push(t, s, root, "free", "", "two")
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/v1", image("", "two"), "Content-Type", ociImage), 403, "DENIED")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/manifests/v1", ""), 403, "DENIED")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/manifests/"+one, ""), 403, "DENIED")
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/free", "")
}

func TestReferrers(t *testing.T) {
	s := servertest.New(t)
	subject := digest("not here yet")
	path := root + "/referrers/" + subject
	none := `{"schemaVersion":2,"mediaType":"` + ociIndex + `","manifests":[]}`
	// Nothing is there, not even the repository.
	if res := s.Want(t, 200, "", "GET", path, ""); res.Body != none || res.Header.Get("Content-Type") != ociIndex {
		t.Errorf("%s, %v", res.Body, res.Header)
	}
	refers := fmt.Sprintf(`,"subject":{"mediaType":%q,"digest":%q,"size":1}`, ociImage, subject)
	m := image(refers + `,"artifactType":"application/x.sbom","annotations":{"k":"v"}`)
	blob(t, s, root, emptyConfig)
	res := s.Want(t, 201, "wim", "PUT", root+"/manifests/"+digest(m), m, "Content-Type", ociImage)
	if got := res.Header.Get("OCI-Subject"); got != subject {
		t.Errorf("OCI-Subject = %q", got)
	}
	plain := image(refers)
	s.Want(t, 201, "wim", "PUT", root+"/manifests/sha256-x", plain, "Content-Type", ociImage)
	list := func(query string) (string, http.Header) {
		res := s.Want(t, 200, "", "GET", path+query, "")
		var index struct {
			Manifests []struct{ Digest, ArtifactType string }
		}
		if err := json.Unmarshal([]byte(res.Body), &index); err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, m := range index.Manifests {
			found = append(found, m.Digest+" "+m.ArtifactType)
		}
		return strings.Join(found, "\n"), res.Header
	}
	sbom := digest(m) + " application/x.sbom"
	if got, _ := list(""); got != sbom+"\n"+digest(plain)+" application/vnd.oci.empty.v1+json" {
		t.Errorf("referrers:\n%s", got)
	}
	if got, h := list("?artifactType=application/x.sbom"); got != sbom || h.Get("OCI-Filters-Applied") != "artifactType" {
		t.Errorf("filtered: %s, %v", got, h)
	}
	refuse(t, s.Do(t, "", "GET", root+"/referrers/x", ""), 400, "DIGEST_INVALID")
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/"+digest(m), "")
	if got, _ := list("?artifactType=application/x.sbom"); got != "" {
		t.Errorf("after deletion: %s", got)
	}
	s.SetVisibility(t, "acme", access.Private)
	refuse(t, s.Do(t, "out", "GET", path, ""), 404, "NAME_UNKNOWN")
}

func TestDeletionKeepsWhatIsNeeded(t *testing.T) {
	s := servertest.New(t)
	push(t, s, root, "1", "", "layer")
	loose := blob(t, s, root, "loose")
	for _, needed := range []string{"layer", emptyConfig} {
		refuse(t, s.Do(t, "wim", "DELETE", root+"/blobs/"+digest(needed), ""), 405, "DENIED")
	}
	s.Want(t, 202, "wim", "DELETE", root+"/blobs/"+loose, "")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/blobs/"+loose, ""), 404, "BLOB_UNKNOWN")
	refuse(t, s.Do(t, "rea", "DELETE", root+"/blobs/"+digest("layer"), ""), 403, "DENIED")
	refuse(t, s.Do(t, "rea", "DELETE", root+"/manifests/1", ""), 403, "DENIED")
}

func TestPackageVisibility(t *testing.T) {
	s := servertest.New(t)
	push(t, s, root, "1", "", "layer")
	space, err := s.Registry().Enter(access.SystemContext(context.Background()), "acme", "container", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	p, err := space.AnyPackage(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	if err := space.SetVisibility(t.Context(), p, access.Private); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/manifests/1", "/blobs/" + digest("layer"), "/tags/list"} {
		refuse(t, s.Do(t, "", "GET", root+path, ""), 401, "UNAUTHORIZED")
		refuse(t, s.Do(t, "out", "GET", root+path, ""), 404, "NAME_UNKNOWN")
		s.Want(t, 200, "rea", "GET", root+path, "")
	}
	if got := s.Want(t, 200, "out", "GET", "/v2/_catalog", "").Body; strings.Contains(got, "app") {
		t.Errorf("the catalog tells: %s", got)
	}
	s.Want(t, 202, "out", "POST", "/v2/out/x/blobs/uploads/?mount="+digest("layer")+"&from=acme/app", "")
}
