package vagrant_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/server"
	"entrepot/server/servertest"
)

// TestDocument publishes versions out of order and reads the document.
func TestDocument(t *testing.T) {
	s := newServer(t)
	info := entry{"info.json", `{"description":"Debian, small\nand plain"}`}
	for _, path := range []string{"1.10.0/dummy", "1.9.0/dummy", "1.9.0.rc1/dummy", "2.0.0/dummy/arm64", "2.0.0/dummy/amd64", "2.0.0/dummy/i386", "3/zoo/arm64", "3/zoo/riscv64", "3/abc", "3/abc/arm64"} {
		s.release("Deb/"+path, strings.Split(path, "/")[1], info)
	}
	res := s.Want(t, 200, "", "GET", root+"/deb", "", "Accept", "application/json")
	d := servertest.Decode(t, res.Body)
	want := "3: abc/arm64 abc/unknown* zoo/riscv64 zoo/arm64*, 2.0.0: dummy/arm64 dummy/i386 dummy/amd64*, 1.10.0: dummy, 1.9.0: dummy, 1.9.0.rc1: dummy"
	if got := outline(d); got != want {
		t.Errorf("document = %s\nwant %s", got, want)
	}
	if d["name"] != "Deb" || d["description"] != "Debian, small\nand plain" || d["short_description"] != "Debian, small" {
		t.Errorf("document = %s", res.Body)
	}
	urls := boxURLs(d)
	for i, path := range []string{"3/abc/arm64.box", "3/abc.box", "3/zoo/riscv64.box", "3/zoo/arm64.box", "2.0.0/dummy/arm64.box"} {
		if want := s.URL + root + "/Deb/" + path; urls[i] != want {
			t.Errorf("url = %s, want %s", urls[i], want)
		}
		s.Want(t, 200, "", "GET", urls[i], "")
	}
	first := list(servertest.At(list(d["versions"])[2], "providers"))[0].(servertest.Object)
	if servertest.At(list(d["versions"])[2], "status") != "active" || first["architecture"] != nil || first["default_architecture"] != nil {
		t.Errorf("a version without architectures says so: %v", first)
	}
	if res.Header.Get("Cache-Control") != "no-cache" || res.Header.Get("ETag") == "" {
		t.Errorf("headers = %v", res.Header)
	}

	// HEAD tells the same but for the body; the client decides by its type.
	head := s.Want(t, 200, "", "HEAD", root+"/deb", "")
	for _, name := range []string{"Content-Type", "ETag", "Content-Length"} {
		if head.Header.Get(name) != res.Header.Get(name) || head.Header.Get(name) == "" {
			t.Errorf("%s = %q, of GET %q", name, head.Header.Get(name), res.Header.Get(name))
		}
	}
	etag := res.Header.Get("ETag")
	s.Want(t, 304, "", "GET", root+"/deb", "", "If-None-Match", etag)
	s.release("Deb/4/dummy", "dummy")
	s.Want(t, 200, "", "GET", root+"/deb", "", "If-None-Match", etag)
	s.fails(404, "", "GET", root+"/other", "")
	s.fails(404, "", "HEAD", root+"/other", "")
	s.fails(405, "ann", "POST", root+"/deb", "")
	s.fails(405, "ann", "GET", root+"/deb/3", "")
}

// TestDownload reads a file whole and in parts, as the client does when it goes
// on with one.
func TestDownload(t *testing.T) {
	s := newServer(t)
	box := s.release("deb/1.0.0/dummy", "dummy")
	path := root + "/deb/1.0.0/dummy.box"
	res := s.Want(t, 200, "", "GET", path, "")
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "Content-Disposition": `attachment; filename="deb-1.0.0-dummy.box"`,
		"Accept-Ranges": "bytes", "Content-Length": fmt.Sprint(len(box)),
	} {
		if res.Header.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, res.Header.Get(name), want)
		}
	}
	if res.Body != box || res.Header.Get("ETag") == "" {
		t.Error("other bytes, or no entity tag")
	}
	if part := s.Want(t, 206, "", "GET", path, "", "Range", "bytes=100-"); part.Body != box[100:] {
		t.Error("the rest is another")
	}
	s.Want(t, 416, "", "GET", path, "", "Range", fmt.Sprintf("bytes=%d-", len(box)))
	if head := s.Want(t, 200, "", "HEAD", path, ""); head.ContentLength != int64(len(box)) {
		t.Errorf("HEAD: %d bytes", head.ContentLength)
	}
	s.Want(t, 304, "", "GET", path, "", "If-None-Match", res.Header.Get("ETag"))
	for _, other := range []string{"deb/1.0.1/dummy.box", "deb/1.0.0/other.box", "deb/1.0.0/dummy/arm64.box", "deb/v1/dummy.box", "deb/1.0.0/dummy", "no/1.0.0/dummy.box", "a%20b/1.0.0/dummy.box"} {
		s.fails(404, "", "GET", root+"/"+other, "")
		s.fails(404, "", "HEAD", root+"/"+other, "")
	}
}

// TestDelete deletes files, versions and boxes.
func TestDelete(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"1.0.0/dummy", "1.0.0/dummy/arm64", "1.1.0/dummy", "1.2.0/dummy/arm64", "1.3.0/dummy"} {
		s.release("deb/"+path, "dummy")
	}
	for _, step := range []struct{ path, left string }{
		{"deb/1.0.0/dummy.box", "1.3.0: dummy, 1.2.0: dummy/arm64*, 1.1.0: dummy, 1.0.0: dummy/arm64*"},
		{"deb/1.0.0/dummy/arm64.box", "1.3.0: dummy, 1.2.0: dummy/arm64*, 1.1.0: dummy"},
		{"deb/1.2.0", "1.3.0: dummy, 1.1.0: dummy"},
	} {
		s.fails(403, "rea", "DELETE", root+"/"+step.path, "")
		s.fails(401, "", "DELETE", root+"/"+step.path, "")
		s.Want(t, 204, "ann", "DELETE", root+"/"+step.path, "")
		s.fails(404, "ann", "DELETE", root+"/"+step.path, "")
		if got := outline(s.metadata("", root+"/deb")); got != step.left {
			t.Errorf("left = %s, want %s", got, step.left)
		}
	}
	for _, path := range []string{"deb/9", "deb/v1", "deb/1.1.0/dummy/arm64.box", "no", "no/1", "no/1/dummy.box"} {
		s.fails(404, "ann", "DELETE", root+"/"+path, "")
	}
	s.fails(404, "", "GET", root+"/deb/1.0.0/dummy.box", "")
	s.Want(t, 204, "ann", "DELETE", root+"/deb", "")
	s.fails(404, "", "GET", root+"/deb", "")
	// The number is free again.
	s.release("deb/1.0.0/dummy", "dummy")
}

// client are the headers of a request of the client's.
var client = []string{"Accept", "application/json", "User-Agent", "Vagrant/2.3.4 (+https://www.vagrantup.com; ruby3.1.2)"}

// TestShortNames asks for boxes at the root of the host.
func TestShortNames(t *testing.T) {
	s := newServer(t)
	s.release("Deb/1.0.0/dummy", "dummy")
	for path, name := range map[string]string{
		"/acme/Deb": "acme/Deb", "/ACME/deb": "ACME/deb", "/api/v2/vagrant/acme/Deb": "acme/Deb", "/api/v2/vagrant/acme/deb": "acme/deb",
	} {
		d := s.metadata("", path, client...)
		if d["name"] != name || boxURLs(d)[0] != s.URL+root+"/Deb/1.0.0/dummy.box" {
			t.Errorf("%s: %v", path, d)
		}
		if head := s.Want(t, 200, "", "HEAD", path, "", client...); head.Header.Get("Content-Type") != "application/json" {
			t.Errorf("HEAD %s: %v", path, head.Header)
		}
	}
	s.metadata("", "/api/v2/vagrant/acme/Deb")
	for path, status := range map[string]int{
		"/acme/other": 404, "/nobody/deb": 401, "/api/v2/vagrant/acme/other": 404, "/api/v2/vagrant/acme": 404,
		"/api/v2/vagrant/acme/deb/1.0.0": 404, "/api/v2/vagrant/": 404, "/acme/authenticate": 404,
	} {
		s.fails(status, "", "GET", path, "", client...)
	}
	for _, method := range []string{"PUT", "POST", "DELETE"} {
		s.fails(405, "ann", method, "/api/v2/vagrant/acme/Deb", "", client...)
	}

	// People see pages at the same paths.
	for _, headers := range [][]string{
		{"Accept", "text/html"}, {"Accept", "application/json"}, {"User-Agent", "Vagrant/2.3.4"},
		{"Accept", "text/html, application/json", "User-Agent", "Vagrant/2.3.4"},
	} {
		if res := s.Do(t, "", "GET", "/acme/Deb", "", headers...); strings.Contains(res.Body, "checksum_type") {
			t.Errorf("%v get the document", headers)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{root + "/authenticate", "/authenticate", "/api/v1/authenticate", "/api/v2/authenticate"} {
		for _, c := range []struct {
			status  int
			headers []string
		}{
			{200, []string{"Authorization", "Bearer " + s.Tokens["out"]}}, {401, nil},
			{401, []string{"Authorization", "Bearer ent-nothing"}},
		} {
			res := s.Want(t, c.status, "", "GET", path, "", c.headers...)
			if strings.Contains(res.Body, "ent-") {
				t.Errorf("the answer echoes the secret: %s", res.Body)
			}
			if c.status == 401 && !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("challenge = %q", res.Header.Get("WWW-Authenticate"))
			}
			s.Want(t, c.status, "", "HEAD", path, "", c.headers...)
		}
		s.Want(t, 200, "", "GET", path+"?access_token="+s.Tokens["out"], "")
	}
}

// TestPrivate reads a private box with and without credentials, and its files
// by the links of the document.
func TestPrivate(t *testing.T) {
	s := newServer(t)
	s.Organization(t, "vault", access.Private)
	const vault = "/api/packages/vault/vagrant"
	box := boxOf(t, "dummy", "secret")
	s.Want(t, 201, "ann", "PUT", vault+"/deb/1.0.0/dummy.box", box)
	s.Want(t, 201, "ann", "PUT", vault+"/deb/1.0.0/dummy/arm64.box", boxOf(t, "dummy", "arm"))
	for _, path := range []string{vault + "/deb", vault + "/none", vault + "/deb/1.0.0/dummy.box", "/vault/deb", "/api/v2/vagrant/vault/deb"} {
		s.fails(401, "", "GET", path, "", client...)
		s.fails(401, "", "HEAD", path, "", client...)
		s.fails(404, "out", "GET", path, "", client...)
	}
	for _, path := range []string{vault + "/deb", "/vault/deb", "/api/v2/vagrant/vault/deb"} {
		res := s.Want(t, 200, "rea", "GET", path, "", client...)
		if res.Header.Get("Cache-Control") != "private, no-store" || res.Header.Get("ETag") != "" {
			t.Errorf("headers = %v", res.Header)
		}
		head := s.Want(t, 200, "rea", "HEAD", path, "", client...)
		if head.Header.Get("Content-Type") != "application/json" || head.Header.Get("Cache-Control") != "private, no-store" {
			t.Errorf("headers of HEAD = %v", head.Header)
		}
		links := boxURLs(servertest.Decode(t, res.Body))
		if len(links) != 2 {
			t.Fatalf("links = %v", links)
		}
		links[0], links[1] = links[1], links[0] // the default comes last
		got := s.Want(t, 200, "", "GET", links[0], "")
		if got.Body != box || strings.Contains(got.Header.Get("Cache-Control"), "public") {
			t.Errorf("by a link: %d bytes, %v", len(got.Body), got.Header)
		}
		s.Want(t, 206, "", "GET", links[1], "", "Range", "bytes=10-")
		s.Want(t, 200, "", "HEAD", links[1], "")
		// With credentials too, which count.
		s.Want(t, 200, "rea", "GET", links[0], "")
		s.fails(404, "out", "GET", links[0], "")
		// A link reads one path, and does nothing else.
		other, err := url.Parse(links[0])
		check(t, err)
		for _, path := range []string{vault + "/deb", vault + "/deb/1.0.0/dummy/arm64.box", vault + "/authenticate"} {
			s.fails(401, "", "GET", path+"?"+other.RawQuery, "")
		}
		s.fails(401, "", "DELETE", links[0], "")
		s.fails(401, "", "PUT", strings.Replace(links[0], "1.0.0", "2.0.0", 1), box)
		query := other.Query()
		for name, value := range map[string]string{"exp": "9999999999", "sig": "AAAA"} {
			forged := url.Values{"exp": query["exp"], "sig": query["sig"]}
			forged.Set(name, value)
			s.fails(401, "", "GET", other.Path+"?"+forged.Encode(), "")
		}
	}
	// The account's token stands for it in the URL when the client is told so.
	s.Want(t, 200, "", "GET", vault+"/deb?access_token="+s.Tokens["rea"], "")
	s.Want(t, 200, "", "GET", vault+"/deb/1.0.0/dummy.box?access_token="+s.Tokens["rea"], "")
	s.fails(401, "", "GET", vault+"/deb?access_token=ent-nothing", "")
	s.fails(404, "", "GET", vault+"/deb?access_token="+s.Tokens["out"], "")
	s.fails(401, "", "PUT", vault+"/deb/2.0.0/dummy.box?access_token="+s.Tokens["ann"], box)
	s.fails(401, "", "DELETE", vault+"/deb?access_token="+s.Tokens["ann"], "")
	// A public box needs no links, whoever asks.
	s.release("open/1.0.0/dummy", "dummy")
	if u := boxURLs(s.metadata("rea", root+"/open"))[0]; strings.Contains(u, "?") {
		t.Errorf("url = %s", u)
	}
}

// TestLinksEnd revokes what a link came from.
func TestLinksEnd(t *testing.T) {
	s := newServer(t)
	s.Organization(t, "vault", access.Private)
	s.Want(t, 201, "ann", "PUT", "/api/packages/vault/vagrant/deb/1.0.0/dummy.box", boxOf(t, "dummy", "secret"))
	token := s.Token(t, "rea", access.ReadPackage)
	byToken := boxURLs(s.metadata("", "/api/packages/vault/vagrant/deb", "Authorization", "Bearer "+token))[0]
	basic, err := http.NewRequest("GET", s.URL, nil)
	check(t, err)
	basic.SetBasicAuth("rea", servertest.Password)
	byPassword := boxURLs(s.metadata("", "/api/packages/vault/vagrant/deb", "Authorization", basic.Header.Get("Authorization")))[0]
	for _, link := range []string{byToken, byPassword} {
		s.Want(t, 200, "", "GET", link, "")
	}
	rea, err := s.Auth().Identify(basic)
	check(t, err)
	ctx := access.NewContext(t.Context(), rea)
	check(t, s.Auth().RevokeSecret(ctx, token))
	s.fails(401, "", "GET", byToken, "")
	s.Want(t, 200, "", "GET", byPassword, "")
	check(t, s.Auth().SetPassword(ctx, servertest.Password, "another "+servertest.Password))
	s.fails(401, "", "GET", byPassword, "")
}

// TestSignInRequired lets nobody in without an account, but by links.
func TestSignInRequired(t *testing.T) {
	s := newServer(t, func(c *server.Config) { c.Auth.AnonymousRead = false })
	s.release("deb/1.0.0/dummy", "dummy")
	s.fails(401, "", "GET", root+"/deb", "")
	s.fails(401, "", "GET", "/acme/deb", "", client...)
	link := boxURLs(s.metadata("rea", root+"/deb"))[0]
	s.Want(t, 200, "", "GET", link, "")
	s.fails(401, "", "GET", root+"/deb/1.0.0/dummy.box", "")
}

// TestStatements counts the statements of requests to a box with two versions
// and with many.
func TestStatements(t *testing.T) {
	s := newServer(t)
	s.release("few/1.0.0/dummy", "dummy")
	s.grow("many", 300)
	for _, request := range []struct {
		name, login, method, path, body string
		status                          int
		reads                           int64
	}{
		{"document", "", "GET", "", "", 200, 6}, {"document with a token", "rea", "GET", "", "", 200, 8},
		{"HEAD", "", "HEAD", "", "", 200, 2}, {"file", "", "GET", "/1.0.0/dummy.box", "", 200, 3},
	} {
		for _, name := range []string{"few", "many"} {
			reads, writes := s.Registry().Database().Statements()
			s.Want(t, request.status, request.login, request.method, root+"/"+name+request.path, request.body)
			r, w := s.Registry().Database().Statements()
			if w != writes || r-reads > request.reads {
				t.Errorf("%s of %s: %d reads and %d writes, want at most %d and 0", request.name, name, r-reads, w-writes, request.reads)
			}
		}
	}
	counts := map[string][2]int64{}
	for _, name := range []string{"few", "many"} {
		reads, writes := s.Registry().Database().Statements()
		s.release(name+"/9.0.0/dummy", "dummy")
		r, w := s.Registry().Database().Statements()
		counts[name] = [2]int64{r - reads, w - writes}
	}
	if counts["few"] != counts["many"] {
		t.Errorf("statements of a publish: %v", counts)
	}
}
