package generic_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"

	"entrepot/access"
	"entrepot/ent/schema"
	"entrepot/registry"
	"entrepot/server"
	"entrepot/server/servertest"
)

const root = "/api/packages/acme/generic"

func sum(s string) string {
	d := sha256.Sum256([]byte(s))
	return hex.EncodeToString(d[:])
}

func TestUploadAndDownload(t *testing.T) {
	s := servertest.New(t)
	file := root + "/app/1.0.0/app.tar.gz"
	res := s.Want(t, 201, "wim", "PUT", file, "hello")
	if res.Body != "" || res.Header.Get("Location") != s.URL+file || res.Header.Get("ETag") != `"`+sum("hello")+`"` {
		t.Errorf("PUT answered %q, %v", res.Body, res.Header)
	}
	res = s.Want(t, 200, "", "GET", file, "")
	raw, _ := hex.DecodeString(sum("hello"))
	for name, want := range map[string]string{
		"Content-Length":          "5",
		"Content-Type":            "application/octet-stream",
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": "sandbox; default-src 'none'",
		"Content-Disposition":     `attachment; filename="app.tar.gz"`,
		"ETag":                    `"` + sum("hello") + `"`,
		"Accept-Ranges":           "bytes",
		"Repr-Digest":             "sha-256=:" + base64.StdEncoding.EncodeToString(raw) + ":",
		"X-Checksum-Sha256":       sum("hello"),
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if res.Body != "hello" || res.Header.Get("Last-Modified") == "" {
		t.Errorf("GET answered %q, Last-Modified %q", res.Body, res.Header.Get("Last-Modified"))
	}
	head := s.Want(t, 200, "", "HEAD", file, "")
	for name := range res.Header {
		if name != "Date" && name != "X-Request-Id" && head.Header.Get(name) != res.Header.Get(name) {
			t.Errorf("HEAD has %s = %q, GET %q", name, head.Header.Get(name), res.Header.Get(name))
		}
	}
}

func TestRangesAndConditions(t *testing.T) {
	s := servertest.New(t)
	file := root + "/app/1/f.bin"
	s.Want(t, 201, "wim", "PUT", file, "0123456789")
	s.Want(t, 201, "wim", "PUT", root+"/app/1/empty", "")
	etag := `"` + sum("0123456789") + `"`
	for _, tt := range []struct {
		name, path, header, value string
		status                    int
		body                      string
	}{
		{"first bytes", file, "Range", "bytes=0-3", 206, "0123"},
		{"last bytes", file, "Range", "bytes=-2", 206, "89"},
		{"resume", file, "Range", "bytes=8-", 206, "89"},
		{"beyond the end", file, "Range", "bytes=10-", 416, ""},
		{"of an empty file", root + "/app/1/empty", "Range", "bytes=0-", 200, ""},
		{"unchanged", file, "If-None-Match", etag, 304, ""},
		{"changed", file, "If-None-Match", `"x"`, 200, "0123456789"},
		{"precondition", file, "If-Match", `"x"`, 412, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := s.Want(t, tt.status, "", "GET", tt.path, "", tt.header, tt.value)
			if tt.body != "" && res.Body != tt.body {
				t.Errorf("body = %q, want %q", res.Body, tt.body)
			}
		})
	}
	if got := s.Do(t, "", "GET", file, "", "Range", "bytes=10-").Header.Get("Content-Range"); got != "bytes */10" {
		t.Errorf("Content-Range = %q", got)
	}
}

func TestNames(t *testing.T) {
	s := servertest.New(t)
	for _, tt := range []struct {
		path   string
		status int
	}{
		{"/app/1.0.3-te%20st/f", 201},
		{"/app/1/gr%C3%BC%C3%9Fe%20%231%25.txt", 201},
		{"/a/1/f", 201},
		{"/-/1/f", 400},
		{"/a%20b/1/f", 400},
		{"/gr%C3%BCn/1/f", 400},
		{"/app/%20x/f", 400},
		{"/app/1%5C2/f", 400},
		{"/app/1%2F2/f", 400},
		{"/app/1/f%2Fg", 400},
		{"/app/1/%22f%22", 400},
		{"/app/1/a%3Cb", 400},
		{"/app/1/f%00", 400},
		{"/app/1/" + strings.Repeat("x", 256), 400},
		{"/app/1/f/g", 404},
	} {
		t.Run(tt.path, func(t *testing.T) { s.Want(t, tt.status, "wim", "PUT", root+tt.path, "x") })
	}
	res := s.Want(t, 200, "", "GET", root+"/app/1/gr%C3%BC%C3%9Fe%20%231%25.txt", "")
	want := `attachment; filename="gr__e #1_.txt"; filename*=UTF-8''gr%C3%BC%C3%9Fe%20#1%25.txt`
	if got := res.Header.Get("Content-Disposition"); got != want {
		t.Errorf("Content-Disposition = %q, want %q", got, want)
	}
}

func TestNamesIgnoreCase(t *testing.T) {
	s := servertest.New(t)
	s.Want(t, 201, "wim", "PUT", root+"/App/1.0-RC/README", "x")
	s.Want(t, 409, "wim", "PUT", root+"/app/1.0-rc/readme", "x")
	// Composed and decomposed characters are the same name.
	s.Want(t, 201, "wim", "PUT", root+"/app/1.0-rc/%C3%BC", "x")
	s.Want(t, 409, "wim", "PUT", root+"/app/1.0-rc/u%CC%88", "x")
	res := s.Want(t, 200, "", "GET", root+"/APP/1.0-Rc", "")
	if !strings.Contains(res.Body, `"name":"App"`) || !strings.Contains(res.Body, `"version":"1.0-RC"`) {
		t.Errorf("the first spelling is not kept: %s", res.Body)
	}
}

func TestConflicts(t *testing.T) {
	s := servertest.New(t)
	file := root + "/app/1/f"
	s.Want(t, 201, "wim", "PUT", file, "a")
	if res := s.Want(t, 409, "wim", "PUT", file, "a"); res.Body != "file already exists\n" {
		t.Errorf("body = %q", res.Body)
	}
	s.Want(t, 412, "wim", "PUT", file, "a", "If-None-Match", "*")
	res := s.Want(t, 409, "wim", "PUT", file, "a", "Accept", "application/json")
	if res.Body != `{"code":"CONFLICT","message":"file already exists"}`+"\n" {
		t.Errorf("JSON body = %q", res.Body)
	}
	rules := []schema.OverwriteRule{{Pattern: "app*", Mode: "identical"}, {Pattern: "*", Mode: "always"}}
	ctx := access.SystemContext(t.Context())
	if _, err := s.Registry().UpdateOwner(ctx, "acme", registry.OwnerChange{GenericOverwrite: &rules}); err != nil {
		t.Fatal(err)
	}
	s.Want(t, 201, "wim", "PUT", file, "a")
	s.Want(t, 409, "wim", "PUT", file, "b")
	other := root + "/other/1/f"
	s.Want(t, 201, "wim", "PUT", other, "a")
	s.Want(t, 201, "wim", "PUT", other, "b")
	s.Want(t, 412, "wim", "PUT", other, "c", "If-Match", `"`+sum("a")+`"`)
	s.Want(t, 201, "wim", "PUT", other, "c", "If-Match", `"`+sum("b")+`"`)
	if res := s.Want(t, 200, "", "GET", other, ""); res.Body != "c" {
		t.Errorf("body = %q", res.Body)
	}
}

func TestConcurrentFirstFiles(t *testing.T) {
	s := servertest.New(t)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if res := s.Do(t, "wim", "PUT", fmt.Sprintf("%s/app/1/f%d", root, i), "same"); res.StatusCode != 201 {
				t.Errorf("file %d: %d %s", i, res.StatusCode, res.Body)
			}
		})
	}
	wg.Wait()
	for i := range 16 {
		if res := s.Do(t, "", "GET", fmt.Sprintf("%s/app/1/f%d", root, i), ""); res.Body != "same" {
			t.Errorf("file %d: %q", i, res.Body)
		}
	}
}

func TestAnnouncedDigests(t *testing.T) {
	s := servertest.New(t)
	raw, _ := hex.DecodeString(sum("hello"))
	good := base64.StdEncoding.EncodeToString(raw)
	for i, tt := range []struct {
		header, value string
		status        int
	}{
		{"Repr-Digest", "sha-256=:" + good + ":", 201},
		{"Content-Digest", "unknown=:AA==:, sha-256=:" + good + ":", 201},
		{"Digest", "SHA-256=" + good, 201},
		{"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==", 201},
		{"X-Checksum-Sha256", strings.ToUpper(sum("hello")), 201},
		{"X-Checksum-Sha1", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", 201},
		{"X-Checksum-Sha256", sum("other"), 422},
		{"X-Checksum-Md5", "xyz", 400},
		{"Repr-Digest", "sha-256=" + good, 400},
		{"Repr-Digest", "sha-256=:AAAA:", 400},
	} {
		t.Run(fmt.Sprint(i, tt.header), func(t *testing.T) {
			path := fmt.Sprintf("%s/app/%d/f", root, i)
			s.Want(t, tt.status, "wim", "PUT", path, "hello", tt.header, tt.value)
			if tt.status != 201 {
				s.Want(t, 404, "", "GET", path, "")
			}
		})
	}
}

func TestForms(t *testing.T) {
	s := servertest.New(t)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("note", "not this")
	part, _ := form.CreateFormFile("file", "whatever.bin")
	part.Write([]byte("from a form"))
	form.Close()
	s.Want(t, 201, "wim", "PUT", root+"/app/1/f", body.String(), "Content-Type", form.FormDataContentType())
	if res := s.Want(t, 200, "", "GET", root+"/app/1/f", ""); res.Body != "from a form" {
		t.Errorf("body = %q", res.Body)
	}
	body.Reset()
	form = multipart.NewWriter(&body)
	form.WriteField("note", "no file here")
	form.Close()
	s.Want(t, 400, "wim", "PUT", root+"/app/1/g", body.String(), "Content-Type", form.FormDataContentType())
	s.Want(t, 201, "wim", "PUT", root+"/app/1/h", "a=b", "Content-Type", "application/x-www-form-urlencoded")
	if res := s.Want(t, 200, "", "GET", root+"/app/1/h", ""); res.Body != "a=b" {
		t.Errorf("body = %q", res.Body)
	}
}

func TestLists(t *testing.T) {
	s := servertest.New(t)
	for _, v := range []string{"1.9.0", "1.10.0", "2.0.0-beta.1"} {
		s.Want(t, 201, "wim", "PUT", root+"/app/"+v+"/f%20%23.txt", "content of "+v)
	}
	res := s.Want(t, 200, "", "GET", root+"/app", "")
	var list struct {
		Name, Owner, Latest string
		Versions            []struct {
			Version string
			Files   int
			Size    int64
			URL     string
		}
	}
	if err := json.Unmarshal([]byte(res.Body), &list); err != nil {
		t.Fatal(err)
	}
	if list.Name != "app" || list.Owner != "acme" || list.Latest != "1.10.0" || len(list.Versions) != 3 {
		t.Errorf("list = %+v", list)
	}
	if v := list.Versions[0]; v.Version != "2.0.0-beta.1" || v.Files != 1 || v.Size != 23 {
		t.Errorf("newest = %+v", v)
	}
	s.Want(t, 304, "", "GET", root+"/app", "", "If-None-Match", res.Header.Get("ETag"))

	var files struct {
		Creator string
		Files   []struct{ Name, SHA256, URL string }
	}
	res = s.Want(t, 200, "", "GET", list.Versions[0].URL, "")
	if err := json.Unmarshal([]byte(res.Body), &files); err != nil {
		t.Fatal(err)
	}
	if files.Creator != "wim" || len(files.Files) != 1 || files.Files[0].SHA256 != sum("content of 2.0.0-beta.1") {
		t.Errorf("files = %+v", files)
	}
	if res := s.Want(t, 200, "", "GET", files.Files[0].URL, ""); res.Body != "content of 2.0.0-beta.1" {
		t.Errorf("the listed URL answers %q", res.Body)
	}

	res = s.Want(t, 200, "", "GET", root+"/app?limit=2", "")
	next, ok := strings.CutPrefix(res.Header.Get("Link"), "<")
	next, _, _ = strings.Cut(next, ">")
	if !ok {
		t.Fatal("no link to the next page")
	}
	if res := s.Want(t, 200, "", "GET", next, ""); strings.Count(res.Body, `"version"`) != 1 || res.Header.Get("Link") != "" {
		t.Errorf("second page: %s, Link %q", res.Body, res.Header.Get("Link"))
	}
	s.Want(t, 400, "", "GET", root+"/app?page=0", "")
	s.Want(t, 404, "", "GET", root+"/none", "")
}

func TestLatestAndChecksumFiles(t *testing.T) {
	s := servertest.New(t)
	s.Want(t, 201, "wim", "PUT", root+"/app/1.9.0/f", "old")
	s.Want(t, 201, "wim", "PUT", root+"/app/1.10.0/f", "new")
	res := s.Want(t, 302, "", "GET", root+"/app/latest/f", "")
	if got := res.Header.Get("Location"); got != s.URL+root+"/app/1.10.0/f" || res.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("Location = %q, Cache-Control %q", got, res.Header.Get("Cache-Control"))
	}
	if res := s.Want(t, 200, "", "GET", root+"/app/1.10.0/f.sha256", ""); res.Body != sum("new")+"  f\n" {
		t.Errorf("checksum file = %q", res.Body)
	}
	s.Want(t, 404, "", "GET", root+"/app/1.10.0/f.sha1", "")
	s.Want(t, 201, "wim", "PUT", root+"/app/latest/f", "stored")
	if res := s.Want(t, 200, "", "GET", root+"/app/latest/f", ""); res.Body != "stored" {
		t.Errorf("a stored version named latest answers %q", res.Body)
	}
}

func TestDelete(t *testing.T) {
	s := servertest.New(t)
	for _, path := range []string{"/app/1/a", "/app/1/b", "/app/2/a", "/app/3/a"} {
		s.Want(t, 201, "wim", "PUT", root+path, path)
	}
	s.Want(t, 204, "wim", "DELETE", root+"/app/1/a", "")
	s.Want(t, 404, "wim", "DELETE", root+"/app/1/a", "")
	s.Want(t, 200, "", "GET", root+"/app/1", "")
	s.Want(t, 204, "wim", "DELETE", root+"/app/1/b", "")
	s.Want(t, 404, "", "GET", root+"/app/1", "")
	s.Want(t, 204, "wim", "DELETE", root+"/app/2", "")
	s.Want(t, 204, "wim", "DELETE", root+"/app", "")
	s.Want(t, 404, "", "GET", root+"/app", "")
	s.Want(t, 201, "wim", "PUT", root+"/app/1/a", "again")
}

func TestRights(t *testing.T) {
	s := servertest.New(t)
	file := root + "/app/1/f"
	s.Want(t, 401, "", "PUT", file, "x")
	s.Want(t, 403, "rea", "PUT", file, "x")
	s.Want(t, 403, "out", "PUT", file, "x")
	s.Want(t, 201, "wim", "PUT", file, "x")
	s.Want(t, 403, "rea", "DELETE", file, "")
	s.SetVisibility(t, "acme", access.Private)
	res := s.Want(t, 401, "", "GET", file, "")
	if got := res.Header.Values("WWW-Authenticate"); len(got) != 1 || !strings.HasPrefix(got[0], "Basic realm=") {
		t.Errorf("challenges = %q", got)
	}
	unknown := s.Want(t, 401, "", "GET", "/api/packages/nobody/generic/app/1/f", "")
	if unknown.Body != res.Body {
		t.Errorf("a private owner answers %q, an unknown one %q", res.Body, unknown.Body)
	}
	s.Want(t, 404, "out", "GET", file, "")
	s.Want(t, 200, "rea", "GET", file, "")
	s.SetVisibility(t, "acme", access.Public)
	s.Want(t, 401, "", "GET", file, "", "Authorization", "Bearer ent-wrong")
	s.Want(t, 405, "wim", "POST", file, "")
	readOnly := s.Token(t, "wim", access.ReadPackage)
	s.Want(t, 403, "", "DELETE", file, "", "Authorization", "Bearer "+readOnly)
}

func TestSizeLimit(t *testing.T) {
	s := servertest.New(t, func(c *server.Config) { c.Limits.FileSize = 10 })
	s.Want(t, 413, "wim", "PUT", root+"/app/1/f", strings.Repeat("x", 11))
	s.Want(t, 201, "wim", "PUT", root+"/app/1/f", strings.Repeat("x", 10))
	req, _ := http.NewRequest("PUT", s.URL+root+"/app/1/chunked", struct{ *strings.Reader }{strings.NewReader(strings.Repeat("x", 11))})
	req.ContentLength = -1
	req.SetBasicAuth("wim", s.Tokens["wim"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 413 {
		t.Errorf("a chunked body over the limit: %d", res.StatusCode)
	}
}

func TestReadsWriteNothing(t *testing.T) {
	s := servertest.New(t)
	file := root + "/app/1/f"
	s.Want(t, 201, "wim", "PUT", file, "x")
	for _, request := range []struct {
		name, login, method, path string
		most                      int64
	}{
		{"GET", "", "GET", file, 4}, {"GET with a token", "rea", "GET", file, 6}, {"HEAD", "", "HEAD", file, 4},
		{"versions", "", "GET", root + "/app", 7}, {"files", "", "GET", root + "/app/1", 7},
	} {
		t.Run(request.name, func(t *testing.T) {
			reads, writes := s.Registry().Database().Statements()
			s.Want(t, 200, request.login, request.method, request.path, "")
			r, w := s.Registry().Database().Statements()
			if w != writes || r-reads > request.most {
				t.Errorf("%d reads and %d writes, want at most %d and 0", r-reads, w-writes, request.most)
			}
		})
	}
}
