package container_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/server"
	"entrepot/server/servertest"
)

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
