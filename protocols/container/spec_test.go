package container_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/server/servertest"
)

// The tests of the spec files hold the MUSTs of the distribution specification,
// and what clients rely on beyond them, request by request.

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
