package rubygems_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent/pkg"
)

// agree checks that the last digest of a gem in /versions is that of its list.
func (s *testServer) agree(name string) {
	s.tb.Helper()
	last := ""
	for line := range strings.Lines(s.get("/versions")) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name {
			last = fields[2]
		}
	}
	if want := fmt.Sprintf("%x", md5.Sum([]byte(s.get("/info/"+name)))); last != want {
		s.tb.Errorf("/versions has the digest %s of %s, its list has %s", last, name, want)
	}
}

// TestTextHeaders holds the headers of the lists against what clients check.
func TestTextHeaders(t *testing.T) {
	s := newServer(t)
	s.push(gem{name: "a", version: "1.0"})
	for _, path := range []string{"/versions", "/info/a", "/names"} {
		t.Run(path, func(t *testing.T) {
			res := s.Want(t, 200, "", "GET", root+path, "", "Accept-Encoding", "gzip")
			sum := sha256.Sum256([]byte(res.Body))
			etag := fmt.Sprintf(`"%x"`, md5.Sum([]byte(res.Body)))
			digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
			for name, want := range map[string]string{
				"Content-Type": "text/plain; charset=utf-8", "Etag": etag, "Repr-Digest": digest, "Accept-Ranges": "bytes",
				"Cache-Control": "no-cache", "Content-Encoding": "", "Content-Length": strconv.Itoa(len(res.Body)),
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			modified := res.Header.Get("Last-Modified")
			if _, err := http.ParseTime(modified); err != nil {
				t.Errorf("Last-Modified %q", modified)
			}
			head := s.Want(t, 200, "", "HEAD", root+path, "")
			if head.Header.Get("Etag") != etag || head.ContentLength != int64(len(res.Body)) || head.Body != "" {
				t.Errorf("HEAD: %v", head.Header)
			}
			s.Want(t, 304, "", "GET", root+path, "", "If-None-Match", etag, "Range", fmt.Sprintf("bytes=%d-", len(res.Body)-1))
			s.Want(t, 304, "", "GET", root+path, "", "If-Modified-Since", modified)
			part := s.Want(t, 206, "", "GET", root+path, "", "If-None-Match", `"x"`, "Range", fmt.Sprintf("bytes=%d-", len(res.Body)-1))
			if part.Body != "\n" || part.Header.Get("Repr-Digest") != digest || part.Header.Get("Etag") != etag {
				t.Errorf("206: %q, %v", part.Body, part.Header)
			}
			s.Want(t, 416, "", "GET", root+path, "", "Range", fmt.Sprintf("bytes=%d-", len(res.Body)))
		})
	}
	s.Want(t, 200, "", "HEAD", root+"/", "")
	s.Want(t, 200, "", "GET", root, "")
	s.Want(t, 405, "", "POST", root+"/versions", "")
}

// TestVersionsGrow follows /versions through changes: each adds to the end.
func TestVersionsGrow(t *testing.T) {
	s := newServer(t)
	before := s.get("/versions")
	if !strings.HasPrefix(before, "created_at: 20") || !strings.HasSuffix(before, "Z\n---\n") {
		t.Fatalf("an empty one: %q", before)
	}
	dates := map[string]bool{}
	for _, step := range []struct {
		change func()
		line   string
	}{
		{func() { s.push(gem{name: "b", version: "1.0"}) }, "b 1.0"},
		{func() { s.push(gem{name: "a", version: "1.0.rc1"}) }, "a 1.0.rc1"},
		{func() { s.push(gem{name: "b", version: "1.0", platform: "java"}) }, "b 1.0-java"},
		{func() { s.push(gem{name: "b", version: "1.1"}) }, "b 1.1"},
		{func() { s.yank(200, "b", "1.0", "") }, "b -1.0"},
		{func() { s.yank(200, "b", "1.0", "java") }, "b -1.0-java"},
		{func() { s.yank(200, "b", "1.1", "ruby") }, "b -1.1"},
		{func() { s.push(gem{name: "b", version: "1.0"}) }, "b 1.0"},
	} {
		step.change()
		res := s.Want(t, 200, "rea", "GET", root+"/versions", "")
		added, ok := strings.CutPrefix(res.Body, before)
		if !ok || !strings.HasPrefix(added, step.line+" ") || strings.Count(added, "\n") != 1 {
			t.Fatalf("after %q came %q", before, res.Body)
		}
		if date := res.Header.Get("Last-Modified"); dates[date] {
			t.Errorf("%s has a date that was there before", step.line)
		} else {
			dates[date] = true
		}
		s.agree("b")
		before = res.Body
	}
}

// TestAllYanked leaves the gem in the indexes, with nothing to install.
func TestAllYanked(t *testing.T) {
	s := newServer(t)
	s.push(gem{name: "a", version: "1.0"})
	s.push(gem{name: "a", version: "2.0"})
	s.yank(200, "a", "1.0", "")
	s.yank(200, "a", "2.0", "")
	if got := s.get("/info/a"); got != "---\n" {
		t.Errorf("list %q", got)
	}
	s.agree("a")
	if got := s.get("/names"); got != "---\n" {
		t.Errorf("names %q", got)
	}
	if n := s.Registry().Client().Pkg.Query().CountX(access.NewContext(t.Context(), access.Viewer{})); n != 0 {
		t.Errorf("%d packages show", n)
	}
	s.Want(t, 404, "", "GET", root+"/gems/a-1.0.gem", "")
	if got := s.yank(404, "a", "1.0", ""); !strings.Contains(got, "could not be found") {
		t.Errorf("%q", got)
	}
	s.push(gem{name: "a", version: "1.0"})
	s.agree("a")
	if got := s.changes(); got != "a 1.0; a 2.0; a -1.0; a -2.0; a 1.0" {
		t.Errorf("changes %s", got)
	}
}

// TestDeletedElsewhere deletes versions by other ways than a yank.
func TestDeletedElsewhere(t *testing.T) {
	s := newServer(t)
	for i := range 7 {
		s.push(gem{name: "a", version: fmt.Sprintf("1.%d", i)})
	}
	ctx := access.SystemContext(t.Context())
	space, err := s.Registry().Enter(ctx, "acme", "rubygems", access.Delete)
	if err != nil {
		t.Fatal(err)
	}
	p, err := space.Package(ctx, "a", access.Delete)
	if err != nil {
		t.Fatal(err)
	}
	if err := space.DeleteVersions(ctx, p, []string{"1.3"}, nil); err != nil {
		t.Fatal(err)
	}
	s.agree("a")
	if err := space.DeletePackage(ctx, p); err != nil {
		t.Fatal(err)
	}
	s.agree("a")
	if got := s.changes(); !strings.HasSuffix(got, "a 1.6; a -1.3; a -1.0,-1.1,-1.2,-1.4,-1.5; a -1.6") {
		t.Errorf("changes %s", got)
	}
	if got := s.get("/info/a"); got != "---\n" {
		t.Errorf("list %q", got)
	}
}

func TestYank(t *testing.T) {
	s := newServer(t)
	s.push(gem{name: "a", version: "1.0", platform: "java"})
	s.push(gem{name: "a", version: "1.0", platform: "x86_64-linux"})
	s.push(gem{name: "a", version: "2.0"})
	if got := s.yank(404, "a", "1.0", ""); !strings.Contains(got, "java, x86_64-linux") {
		t.Errorf("%q", got)
	}
	const url = root + "/api/v1/gems/yank"
	s.Want(t, 400, "ann", "DELETE", url, "gem_name=a")
	s.Want(t, 400, "ann", "DELETE", url, "gem_name=a&version=x")
	s.Want(t, 400, "ann", "DELETE", url, "gem_name=a&version=%zz")
	s.Want(t, 404, "ann", "DELETE", url, "gem_name=b&version=1.0")
	s.Want(t, 404, "ann", "DELETE", url, "gem_name=a&version=3.0")
	s.Want(t, 413, "ann", "DELETE", url, "gem_name="+strings.Repeat("a", 64<<10))
	s.Want(t, 401, "", "DELETE", url, "gem_name=a&version=2.0")
	s.Want(t, 403, "rea", "DELETE", url, "gem_name=a&version=2.0")
	token := s.Token(t, "ann", access.ReadPackage, access.WritePackage)
	s.Want(t, 403, "", "DELETE", url, "gem_name=a&version=2.0", "Authorization", token)
	if got := s.yank(200, "a", "1.0", "java"); got != "Successfully deleted gem: a (1.0-java)\n" {
		t.Errorf("%q", got)
	}
	s.Want(t, 200, "ann", "DELETE", url+"?gem_name=a&version=1.0&platform=x86_64-linux", "")
	s.Want(t, 200, "ann", "DELETE", url, "--x\r\nContent-Disposition: form-data; name=\"gem_name\"\r\n\r\na\r\n--x\r\nContent-Disposition: form-data; name=\"version\"\r\n\r\n2.0\r\n--x--\r\n",
		"Content-Type", "multipart/form-data; boundary=x")
	if got := s.get("/info/a"); got != "---\n" {
		t.Errorf("list %q", got)
	}
}

func TestDependencies(t *testing.T) {
	s := newServer(t)
	s.push(gem{name: "a", version: "1.0", more: dependsOn("b", "~>", "2.0")})
	s.push(gem{name: "a", version: "1.0", platform: "java"})
	s.push(gem{name: "b", version: "2.0"})
	const url = root + "/api/v1/dependencies"
	if got := s.Want(t, 200, "", "GET", url, ""); got.Body != "" {
		t.Errorf("without names: %q", got.Body)
	}
	if got := s.get("/api/v1/dependencies.json?gems=b,a,c,a,A"); got != `[{"name":"a","number":"1.0","platform":"ruby","dependencies":[["b","~\u003e 2.0"]]},{"name":"a","number":"1.0","platform":"java","dependencies":[]},{"name":"b","number":"2.0","platform":"ruby","dependencies":[]}]`+"\n" {
		t.Errorf("JSON: %s", got)
	}
	want := "\x04\b[\x06{\t:\tnameI\"\x06b\x06:\x06ET:\vnumberI\"\b2.0\x06;\x06T:\rplatformI\"\truby\x06;\x06T:\x11dependencies[\x00"
	if got := s.get("/api/v1/dependencies?gems=b"); got != want {
		t.Errorf("Marshal: %q\nwant     %q", got, want)
	}
	var many []string
	for i := range 201 {
		many = append(many, fmt.Sprintf("gem%d", i))
	}
	s.Want(t, 422, "", "GET", url+"?gems="+strings.Join(many, ","), "")
	s.Want(t, 200, "", "GET", url+".json?gems="+strings.Join(many[:200], ","), "")
}

// TestSpecs reads the old indexes; the e2e scripts load them with Ruby.
func TestSpecs(t *testing.T) {
	s := newServer(t)
	s.push(gem{name: "a", version: "1.0"})
	for _, path := range []string{"/specs.4.8.gz", "/latest_specs.4.8.gz", "/prerelease_specs.4.8.gz"} {
		res := s.Want(t, 200, "", "GET", root+path, "")
		if !strings.HasPrefix(res.Body, "\x1f\x8b") || res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %v", path, res.Header)
		}
		date := res.Header.Get("Last-Modified")
		s.Want(t, 304, "", "GET", root+path, "", "If-Modified-Since", date)
		if again := s.get(path); again != res.Body {
			t.Errorf("%s has changed by itself", path)
		}
	}
	// Who has it of the second in which the next change comes learns of that.
	date := s.Want(t, 200, "", "GET", root+"/specs.4.8.gz", "").Header.Get("Last-Modified")
	s.push(gem{name: "a", version: "1.1"})
	s.Want(t, 200, "", "GET", root+"/specs.4.8.gz", "", "If-Modified-Since", date)
	for _, path := range []string{"/quick/Marshal.4.8/a-1.0.gemspec.rz"} {
		res := s.Want(t, 200, "", "GET", root+path, "")
		if !strings.HasPrefix(res.Body, "\x78") {
			t.Errorf("%s: %q", path, res.Body[:2])
		}
		s.Want(t, 304, "", "GET", root+path, "", "If-None-Match", res.Header.Get("Etag"))
	}
}

func TestSignIn(t *testing.T) {
	s := newServer(t)
	const url = root + "/api/v1/api_key"
	s.Want(t, 401, "", "POST", url, "push_rubygem=true")
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	token := s.Want(t, 200, "ann", "POST", url, "name=laptop&push_rubygem=true", form...).Body
	s.Want(t, 201, "", "POST", root+"/api/v1/gems", gem{name: "a", version: "1"}.pack(t), "Authorization", token)
	s.Want(t, 403, "", "DELETE", root+"/api/v1/gems/yank", "gem_name=a&version=1", "Authorization", token)
	old := s.Want(t, 200, "ann", "GET", url, "").Body
	s.Want(t, 200, "", "DELETE", root+"/api/v1/gems/yank", "gem_name=a&version=1", "Authorization", "Bearer "+old)
	reader := s.Token(t, "ann", access.ReadPackage)
	narrow := s.Want(t, 200, "", "POST", url, "push_rubygem=true", append(form, "Authorization", "Bearer "+reader)...).Body
	s.Want(t, 403, "", "POST", root+"/api/v1/gems", "", "Authorization", narrow)
}

// TestHiddenPackages keeps packages out of the indexes of those who may not
// read them.
func TestHiddenPackages(t *testing.T) {
	s := newServer(t)
	s.push(gem{name: "open", version: "1"})
	s.push(gem{name: "secret", version: "1"})
	all := s.get("/versions")
	if got := s.Want(t, 200, "", "GET", root+"/versions", "").Body; got != all {
		t.Errorf("%q differs from %q", got, all)
	}
	ctx := access.SystemContext(t.Context())
	space, err := s.Registry().Enter(ctx, "acme", "rubygems", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	p, err := space.Package(ctx, "secret", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	if err := space.SetVisibility(ctx, p, access.Visibility(pkg.VisibilityPrivate)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/versions", "/names", "/api/v1/dependencies.json?gems=open,secret"} {
		for login, want := range map[string]bool{"": false, "out": false, "rea": true, "ann": true, "root": true} {
			body := s.Want(t, 200, login, "GET", root+path, "").Body
			if strings.Contains(body, "secret") != want || !strings.Contains(body, "open") {
				t.Errorf("%s as %q: %q", path, login, body)
			}
		}
	}
	s.push(gem{name: "secret", version: "2"})
	s.push(gem{name: "open", version: "2"})
	if got := s.Want(t, 200, "", "GET", root+"/versions", "").Body; strings.Contains(got, "secret") || !strings.Contains(got, "open 2") {
		t.Errorf("after more changes: %q", got)
	}
	s.yank(200, "secret", "1", "")
	s.yank(200, "secret", "2", "")
	s.Want(t, 401, "", "GET", root+"/info/secret", "")
	s.Want(t, 404, "out", "GET", root+"/info/secret", "")
	if got := s.get("/info/secret"); got != "---\n" {
		t.Errorf("list %q", got)
	}
	s.agree("secret")
}

// TestPrivateOwner asks for credentials on every path.
func TestPrivateOwner(t *testing.T) {
	s := newServer(t)
	s.push(gem{name: "a", version: "1"})
	s.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{"/", "/versions", "/info/a", "/names", "/specs.4.8.gz", "/quick/Marshal.4.8/a-1.gemspec.rz", "/gems/a-1.gem", "/api/v1/dependencies?gems=a"} {
		for _, method := range []string{"GET", "HEAD"} {
			res := s.Want(t, 401, "", method, root+path, "")
			if !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic realm=") {
				t.Errorf("%s %s: %v", method, path, res.Header)
			}
			s.Want(t, 200, "rea", method, root+path, "")
			s.Want(t, 404, "out", method, root+path, "")
		}
	}
}

// TestStatements bounds what a request asks of the database, whatever the
// number of versions, and that reading writes nothing.
func TestStatements(t *testing.T) {
	s := newServer(t)
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
			body := gem{name: "many", version: fmt.Sprintf("%d.%d", round+1, i)}.pack(t)
			publishes[round][0], publishes[round][1] = count(201, "POST", "/api/v1/gems", body)
		}
		etag := func(path string) string { return s.Want(t, 200, "ann", "GET", root+path, "").Header.Get("Etag") }
		for _, tt := range []struct {
			name, path string
			headers    []string
			status     int
			most       int64
		}{
			{"list, cold", "/info/many", nil, 200, 8},
			{"list, warm", "/info/many", nil, 200, 4},
			{"list, 304", "/info/many", []string{"If-None-Match", etag("/info/many")}, 304, 4},
			{"journal", "/versions", nil, 200, 8},
			{"journal, 304", "/versions", []string{"If-None-Match", etag("/versions")}, 304, 4},
			{"names", "/names", nil, 200, 4},
			{"specs", "/specs.4.8.gz", nil, 200, 4},
			{"gemspec", "/quick/Marshal.4.8/many-1.1.gemspec.rz", nil, 200, 6},
			{"gem", "/gems/many-1.1.gem", nil, 200, 6},
			{"dependencies", "/api/v1/dependencies?gems=many,a,b", nil, 200, 6},
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

// TestFacts reads what is known of a version of several files.
func TestFacts(t *testing.T) {
	s := newServer(t)
	s.push(gem{name: "a", version: "1.0", platform: "java", more: "homepage: https://example.com/java\n"})
	s.push(gem{name: "a", version: "1.0", more: "homepage: https://example.com/ruby\nlicenses: [MIT]\nexecutables: [a]\n" + dependsOn("b", ">=", "1")})
	s.push(gem{name: "a", version: "1.0", platform: "x86_64-linux", more: "homepage: https://example.com/linux\n"})
	v := s.Registry().Client().PackageVersion.Query().OnlyX(access.SystemContext(t.Context()))
	if v.Homepage != "https://example.com/ruby" || v.License != "MIT" || len(v.Dependencies) != 1 || v.Dependencies[0].Group != "runtime" {
		t.Errorf("the version is not described by the gem of all platforms: %+v", v)
	}
	typ, _ := s.Registry().Type("rubygems")
	facts, err := typ.Facts(v)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Needs Ruby", "\\u003e= 0", "Executables"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%q is not in %s", want, raw)
		}
	}
}
