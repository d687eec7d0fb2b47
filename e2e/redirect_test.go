//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// TestRedirect switches redirects on: large files then come from the bucket
// itself, under links that keep what our own answer would have said of the
// file, and everything else still comes from us.
func TestRedirect(t *testing.T) {
	s := StartServer(t, setups[1], "ENTREPOT_STORAGE_REDIRECT=on")
	ctx, alice := t.Context(), startOrg(t, s)
	bucket := s.bucketHost(t)
	body := randomBytes(8 << 20)
	if err := pushBlob(ctx, s, alice, "/v2/acme/app", body); err != nil {
		t.Fatal(err)
	}
	generic := genericPath("acme", "app", "1.0.0", "größe 1.bin")
	if _, err := s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: generic, As: alice, Body: reader(body)}); err != nil {
		t.Fatal(err)
	}
	small := genericPath("acme", "app", "1.0.0", "small.bin")
	if _, err := s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: small, As: alice, Body: reader(body[:100])}); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		name, path  string
		status      int
		disposition string
	}{
		{"generic", generic, http.StatusFound, `attachment; filename="gr__e 1.bin"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.bin`},
		{"container", "/v2/acme/app/blobs/" + digestOf(body), http.StatusTemporaryRedirect, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			response, err := s.Want(ctx, c.status, Call{Method: "GET", URL: c.path, As: alice})
			if err != nil {
				t.Fatal(err)
			}
			link, err := url.Parse(response.Header.Get("Location"))
			if err != nil || link.Host != bucket {
				t.Fatalf("Location %q, want one on %s", response.Header.Get("Location"), bucket)
			}
			// The link alone is enough, for anybody, until it expires.
			direct, err := s.Want(ctx, http.StatusOK, Call{Method: "GET", URL: link.String()})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(direct.Body, body) {
				t.Error("the bucket gives other bytes")
			}
			if got := direct.Header.Get("Content-Type"); got != "application/octet-stream" {
				t.Errorf("Content-Type from the bucket: %q", got)
			}
			if got := direct.Header.Get("Content-Disposition"); got != c.disposition {
				t.Errorf("Content-Disposition from the bucket: %q, want %q", got, c.disposition)
			}
			// The link is for GET alone, so HEAD must be answered here.
			head, err := s.Want(ctx, http.StatusOK, Call{Method: "HEAD", URL: c.path, As: alice})
			if err != nil {
				t.Fatal(err)
			}
			if head.Header.Get("Content-Length") != "8388608" {
				t.Errorf("HEAD says Content-Length %q", head.Header.Get("Content-Length"))
			}
		})
	}

	t.Run("curl follows", func(t *testing.T) {
		sum := sha256.New()
		get := exec.CommandContext(ctx, "curl", "-sSfL", "-u", alice.Name+":"+alice.Token, s.URL+generic)
		get.Stdout = sum
		if err := get.Run(); err != nil {
			t.Fatal(err)
		}
		if want := sha256.Sum256(body); !bytes.Equal(sum.Sum(nil), want[:]) {
			t.Error("curl got other bytes")
		}
	})
	t.Run("small files are not worth the detour", func(t *testing.T) {
		if _, err := s.Want(ctx, http.StatusOK, Call{Method: "GET", URL: small}); err != nil {
			t.Error(err)
		}
	})
}

// bucketHost is the host and port of the S3 server behind the server.
func (s *Server) bucketHost(t *testing.T) string {
	t.Helper()
	s3, err := sharedS3.get("s3")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(s.env, " "), s3.address) {
		t.Fatalf("this server keeps its bytes elsewhere than on %s", s3.address)
	}
	return s3.address
}
