//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// large is the size in bytes of what is worth a redirect.
const large = 3 << 20

// TestRedirect names an address of the bucket for clients, which alone
// switches redirects on: large files then come from the bucket itself, under
// links that keep what our own answer would have said of the file, and
// everything else still comes from us.
func TestRedirect(t *testing.T) {
	front := startBucketFront(t)
	s := StartServer(t, setups[1], "ENTREPOT_STORAGE_PUBLIC_ENDPOINT="+front.URL)
	ctx, alice := t.Context(), startOrg(t, s)
	body := randomBytes(large)
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
	if seen := front.requests(); len(seen) != 0 {
		t.Errorf("the server itself uses the clients' address of the bucket: %d requests", len(seen))
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
			if err != nil || link.Host != front.Host {
				t.Fatalf("Location %q, want one on %s", response.Header.Get("Location"), front.Host)
			}
			if response.Header.Get("Cache-Control") != "no-store" || len(response.Body) != 0 {
				t.Errorf("the redirect has a body of %d bytes and the headers %v", len(response.Body), response.Header)
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
			// It is good for this object and these headers alone.
			query := link.Query()
			query.Set("response-content-type", "text/html")
			if _, err := s.Want(ctx, http.StatusForbidden, Call{Method: "GET", URL: front.URL + link.EscapedPath() + "?" + query.Encode()}); err != nil {
				t.Error(err)
			}
			// A download that broke off goes on from the bucket.
			rest, err := s.Want(ctx, c.status, Call{Method: "GET", URL: c.path, As: alice, Header: map[string]string{"Range": "bytes=100-"}})
			if err != nil {
				t.Fatal(err)
			}
			direct, err = s.Want(ctx, http.StatusPartialContent, Call{Method: "GET", URL: rest.Header.Get("Location"), Header: map[string]string{"Range": "bytes=100-"}})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(direct.Body, body[100:]) {
				t.Error("the bucket gives another rest")
			}
			// The link is for GET alone, so HEAD must be answered here.
			front.requests()
			head, err := s.Want(ctx, http.StatusOK, Call{Method: "HEAD", URL: c.path, As: alice})
			if err != nil {
				t.Fatal(err)
			}
			if got := head.Header.Get("Content-Length"); got != strconv.Itoa(large) {
				t.Errorf("HEAD says Content-Length %q", got)
			}
			// Who has the file is told so, and gets no link.
			if _, err := s.Want(ctx, http.StatusNotModified, Call{Method: "GET", URL: c.path, As: alice, Header: map[string]string{"If-None-Match": head.Header.Get("ETag")}}); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("small files are not worth the detour", func(t *testing.T) {
		if _, err := s.Want(ctx, http.StatusOK, Call{Method: "GET", URL: small}); err != nil {
			t.Error(err)
		}
	})
}

// TestRedirectClients: the programs people use follow the links, for a private
// owner too, and tell the bucket nothing that they told us.
func TestRedirectClients(t *testing.T) {
	front := startBucketFront(t)
	s := StartServer(t, setups[1], "ENTREPOT_STORAGE_PUBLIC_ENDPOINT="+front.URL)
	ctx, alice := t.Context(), startOrg(t, s)
	if err := s.CreateOrg(ctx, "vault", alice.Name, "private"); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	// run runs a client, which must succeed, in a folder below home.
	run := func(t *testing.T, dir, name string, args ...string) string {
		t.Helper()
		client := exec.CommandContext(ctx, name, args...)
		client.Dir = filepath.Join(home, dir)
		client.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "REGISTRY_AUTH_FILE=" + filepath.Join(home, "auth.json")}
		var stderr bytes.Buffer
		client.Stderr = &stderr
		out, err := client.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s%s", name, args[0], err, out, &stderr)
		}
		return string(out)
	}

	t.Run("curl", func(t *testing.T) {
		body := randomBytes(large)
		path := genericPath("vault", "app", "1.0.0", "app.bin")
		if _, err := s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: path, As: alice, Body: reader(body)}); err != nil {
			t.Fatal(err)
		}
		got := run(t, ".", "curl", "-sSfL", "-u", alice.Name+":"+alice.Token, s.URL+path)
		if sha256.Sum256([]byte(got)) != sha256.Sum256(body) {
			t.Error("curl got other bytes")
		}
		front.wantClean(t, alice)
	})

	t.Run("npm", func(t *testing.T) {
		files := map[string]string{
			".npmrc":                "@vault:registry=" + s.URL + npmPath("vault", "") + "\n//" + s.Host + npmPath("vault", "") + ":_authToken=" + alice.Token + "\nfund=false\naudit=false\n",
			"package/package.json":  `{"name":"@vault/heavy","version":"1.0.0","license":"MIT"}`,
			"package/data.txt":      string(randomBytes(large)),
			"consumer/package.json": `{"name":"consumer","version":"1.0.0","private":true}`,
		}
		for name, content := range files {
			path := filepath.Join(home, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		run(t, "package", "npm", "publish")
		// With a cache of its own: npm keeps what it published.
		run(t, "consumer", "npm", "install", "--cache", filepath.Join(home, "fresh"), "@vault/heavy")
		installed, err := os.ReadFile(filepath.Join(home, "consumer/node_modules/@vault/heavy/data.txt"))
		if err != nil || string(installed) != files["package/data.txt"] {
			t.Errorf("npm installed %d bytes of it, %v", len(installed), err)
		}
		front.wantClean(t, alice)
	})

	writeHeavyImage(t, filepath.Join(home, "image"), "1.0")
	image := s.Host + "/vault/app:1.0"
	run(t, ".", "skopeo", "copy", "--quiet", "--dest-tls-verify=false", "--dest-creds", alice.Name+":"+alice.Token, "oci:image:1.0", "docker://"+image)
	if seen := front.requests(); len(seen) != 0 {
		t.Errorf("a push fetched %d objects from the bucket", len(seen))
	}

	t.Run("skopeo", func(t *testing.T) {
		run(t, ".", "skopeo", "copy", "--quiet", "--src-tls-verify=false", "--src-creds", alice.Name+":"+alice.Token, "docker://"+image, "oci:skopeo:1.0")
		run(t, ".", "diff", "-r", "image/blobs", "skopeo/blobs")
		front.wantClean(t, alice)
	})
	t.Run("crane", func(t *testing.T) {
		run(t, ".", "crane", "auth", "login", s.Host, "-u", alice.Name, "-p", alice.Token)
		run(t, ".", "crane", "pull", "--format=oci", image, "crane")
		run(t, ".", "diff", "-r", "image/blobs", "crane/blobs")
		front.wantClean(t, alice)
	})
	t.Run("manifests keep their type", func(t *testing.T) {
		manifest, err := s.Want(ctx, http.StatusOK, Call{Method: "GET", URL: "/v2/vault/app/manifests/1.0", As: alice, Header: map[string]string{"Accept": string(types.OCIManifestSchema1)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := manifest.Header.Get("Content-Type"); got != string(types.OCIManifestSchema1) {
			t.Errorf("Content-Type %q", got)
		}
		if seen := front.requests(); len(seen) != 0 {
			t.Errorf("%d requests to the bucket", len(seen))
		}
	})
}

// writeHeavyImage writes an image of one platform with a large layer into an
// OCI layout, under that tag.
func writeHeavyImage(t *testing.T, dir, tag string) {
	t.Helper()
	layer, err := randomLayer("data", large)
	if err != nil {
		t.Fatal(err)
	}
	image, err := platformImage(v1.Platform{OS: "linux", Architecture: "amd64"}, layer)
	if err != nil {
		t.Fatal(err)
	}
	path, err := layout.Write(dir, mutate.IndexMediaType(empty.Index, types.OCIImageIndex))
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(image, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag})); err != nil {
		t.Fatal(err)
	}
}

// TestRedirectSettings: what the settings leave out is sent by the server.
func TestRedirectSettings(t *testing.T) {
	s := StartServer(t, setups[1], "ENTREPOT_STORAGE_REDIRECT=on", "ENTREPOT_STORAGE_REDIRECT_TYPES=container=off",
		"ENTREPOT_STORAGE_REDIRECT_PRIVATE=false", "ENTREPOT_STORAGE_REDIRECT_DENY_AGENTS=OldClient, Older",
		"ENTREPOT_STORAGE_REDIRECT_EXCLUDE_NETWORKS=10.0.0.0/8")
	ctx, alice := t.Context(), startOrg(t, s)
	if err := s.CreateOrg(ctx, "vault", alice.Name, "private"); err != nil {
		t.Fatal(err)
	}
	body := randomBytes(large)
	public, private := genericPath("acme", "app", "1.0.0", "app.bin"), genericPath("vault", "app", "1.0.0", "app.bin")
	for _, path := range []string{public, private} {
		if _, err := s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: path, As: alice, Body: reader(body)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := pushBlob(ctx, s, alice, "/v2/acme/app", body); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		status     int
		header     map[string]string
	}{
		{"public", public, http.StatusFound, nil},
		{"private", private, http.StatusOK, nil},
		{"type that is off", "/v2/acme/app/blobs/" + digestOf(body), http.StatusOK, nil},
		{"denied client", public, http.StatusOK, map[string]string{"User-Agent": "older/2"}},
		{"excluded network", public, http.StatusOK, map[string]string{"X-Forwarded-For": "10.2.3.4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			response, err := s.Want(ctx, c.status, Call{Method: "GET", URL: c.path, As: alice, Header: c.header})
			if err != nil {
				t.Fatal(err)
			}
			if c.status == http.StatusOK && !bytes.Equal(response.Body, body) {
				t.Errorf("%d other bytes", len(response.Body))
			}
			// Without an address for clients, links go where the server goes itself.
			if link := response.Header.Get("Location"); c.status == http.StatusFound && !strings.HasPrefix(link, "http://"+s.bucketHost(t)+"/") {
				t.Errorf("Location %q", link)
			}
		})
	}
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
