package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/server"
	"entrepot/server/servertest"
	"entrepot/storage/storagetest"
)

// onS3 keeps the bytes in an S3 server of the test's own.
func onS3(t *testing.T, change func(*server.StorageConfig)) servertest.Option {
	remote := storagetest.S3(t)
	return func(c *server.Config) {
		c.Storage.Remote, c.Storage.Redirect = remote, "on"
		change(&c.Storage)
	}
}

// large is a body that is worth a redirect.
var large = strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB

const toolPath = "/api/packages/acme/generic/tool/1.0/tool.bin"

func TestRedirect(t *testing.T) {
	s := servertest.New(t, onS3(t, func(c *server.StorageConfig) {
		c.RedirectDenyAgents = []string{"OldClient"}
		c.RedirectExcludeNetworks = []string{"10.0.0.0/8", "2001:db8::1"}
	}))
	s.Want(t, http.StatusCreated, "wim", "PUT", toolPath, large)
	small := strings.Replace(toolPath, "tool.bin", "small.bin", 1)
	s.Want(t, http.StatusCreated, "wim", "PUT", small, large[:1<<20-1])
	head := s.Want(t, http.StatusOK, "", "HEAD", toolPath, "")

	for _, test := range []struct {
		name    string
		path    string
		status  int
		headers []string
	}{
		{"whole", toolPath, http.StatusFound, nil},
		{"the end of a large file", toolPath, http.StatusFound, []string{"Range", "bytes=1024-"}},
		{"other tag", toolPath, http.StatusFound, []string{"If-None-Match", `"other"`}},
		{"older copy", toolPath, http.StatusFound, []string{"If-Modified-Since", "Mon, 02 Jan 2006 15:04:05 GMT"}},
		{"from elsewhere", toolPath, http.StatusFound, []string{"X-Forwarded-For", "192.0.2.1, 10.0.0.1"}},

		{"small file", small, http.StatusOK, nil},
		{"small part", toolPath, http.StatusPartialContent, []string{"Range", "bytes=0-1023"}},
		{"part of the copy that the client began", toolPath, http.StatusPartialContent, []string{"Range", "bytes=1024-", "If-Range", head.Header.Get("ETag")}},
		{"no such part", toolPath, http.StatusRequestedRangeNotSatisfiable, []string{"Range", "bytes=4000000-"}},
		{"same tag", toolPath, http.StatusNotModified, []string{"If-None-Match", head.Header.Get("ETag")}},
		{"same date", toolPath, http.StatusNotModified, []string{"If-Modified-Since", head.Header.Get("Last-Modified")}},
		{"wanted tag", toolPath, http.StatusOK, []string{"If-Match", head.Header.Get("ETag")}},
		{"unwanted tag", toolPath, http.StatusPreconditionFailed, []string{"If-Match", `"other"`}},
		{"denied agent", toolPath, http.StatusOK, []string{"User-Agent", "oldclient/1.2"}},
		{"excluded network", toolPath, http.StatusOK, []string{"X-Forwarded-For", "10.1.2.3"}},
		{"excluded address", toolPath, http.StatusOK, []string{"X-Forwarded-For", "2001:db8::1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			res := s.Want(t, test.status, "", "GET", test.path, "", test.headers...)
			if test.status != http.StatusFound {
				if location := res.Header.Get("Location"); location != "" {
					t.Errorf("Location %q", location)
				}
				return
			}
			if res.Body != "" || res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("ETag") != "" {
				t.Errorf("%d bytes of body, headers %v", len(res.Body), res.Header)
			}
			direct := s.Do(t, "", "GET", res.Header.Get("Location"), "")
			if direct.StatusCode != http.StatusOK || direct.Body != large {
				t.Errorf("the store answers %s and %d bytes", direct.Status, len(direct.Body))
			}
			if got, want := direct.Header.Get("Content-Disposition"), head.Header.Get("Content-Disposition"); got != want {
				t.Errorf("Content-Disposition %q, want %q", got, want)
			}
		})
	}
	t.Run("a broken-off download counts once", func(t *testing.T) {
		ctx := access.SystemContext(t.Context())
		count := func() int64 {
			if err := s.Registry().FlushDownloads(ctx); err != nil {
				t.Fatal(err)
			}
			return s.Registry().Client().PackageFile.Query().AllX(ctx)[0].Downloads
		}
		before := count()
		s.Want(t, http.StatusFound, "", "GET", toolPath, "")
		s.Want(t, http.StatusFound, "", "GET", toolPath, "", "Range", "bytes=1000000-")
		if got := count() - before; got != 1 {
			t.Errorf("counted %d times", got)
		}
	})
}

// TestRedirectSettings: which settings send whom where.
func TestRedirectSettings(t *testing.T) {
	for _, test := range []struct {
		name            string
		change          func(*server.Config)
		public, private int // the answers for a file that everybody may read, and for another
	}{
		{"on", func(*server.Config) {}, 302, 302},
		{"off", func(c *server.Config) {
			c.Storage.Redirect = "off"
			c.Storage.PublicEndpoint = "https://files.example.com"
		}, 200, 200},
		{"auto", func(c *server.Config) { c.Storage.Redirect = "auto" }, 200, 200},
		{"auto with an endpoint", func(c *server.Config) {
			c.Storage.Redirect = "auto"
			c.Storage.PublicEndpoint = "https://files.example.com"
		}, 302, 302},
		{"not this type", func(c *server.Config) { c.Storage.RedirectTypes = []string{"generic=off"} }, 200, 200},
		{"this type alone", func(c *server.Config) {
			c.Storage.Redirect = "off"
			c.Storage.RedirectTypes = []string{" generic = on "}
		}, 302, 302},
		{"another type alone", func(c *server.Config) { c.Storage.Redirect = "off"; c.Storage.RedirectTypes = []string{"container=on"} }, 200, 200},
		{"public files alone", func(c *server.Config) { c.Storage.RedirectPrivate = false }, 302, 200},
		{"larger files alone", func(c *server.Config) { c.Storage.RedirectMinSize = 3 << 20 }, 200, 200},
		{"TLS here and none there", func(c *server.Config) { c.URL = "https://packages.example.com" }, 200, 200},
		{"TLS here and there", func(c *server.Config) {
			c.URL, c.Storage.PublicEndpoint = "https://packages.example.com", "https://files.example.com"
		}, 302, 302},
	} {
		t.Run(test.name, func(t *testing.T) {
			var endpoint string
			s := servertest.New(t, onS3(t, func(*server.StorageConfig) {}), func(c *server.Config) { test.change(c); endpoint = c.Storage.PublicEndpoint })
			s.Organization(t, "inner", access.Private)
			for owner, want := range map[string]int{"acme": test.public, "inner": test.private} {
				path := strings.Replace(toolPath, "acme", owner, 1)
				s.Want(t, http.StatusCreated, "wim", "PUT", path, large)
				res := s.Want(t, want, "rea", "GET", path, "")
				if want != http.StatusFound {
					continue
				}
				link, err := url.Parse(res.Header.Get("Location"))
				if err != nil || endpoint != "" && link.Scheme+"://"+link.Host != endpoint {
					t.Errorf("Location %q, %v", link, err)
				}
				if got := link.Query().Get("X-Amz-Expires"); got != "300" {
					t.Errorf("the link works for %s seconds", got)
				}
			}
			s.Want(t, http.StatusUnauthorized, "", "GET", strings.Replace(toolPath, "acme", "inner", 1), "")
		})
	}
}
