package swift_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/server"
	"entrepot/server/servertest"
)

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// versions are the releases of a package in the order of the list, those that
// are gone marked.
func versions(t *testing.T, s *testServer, path string) string {
	t.Helper()
	body := s.Want(t, 200, "", "GET", root+"/"+path, "").Body
	decoder := json.NewDecoder(strings.NewReader(body))
	var all []string
	for depth := 0; ; {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		switch token {
		case json.Delim('{'):
			depth++
			continue
		case json.Delim('}'):
			depth--
			continue
		}
		if text, ok := token.(string); ok && depth == 2 {
			all = append(all, text)
		} else if ok && text == "problem" {
			all[len(all)-1] += "!"
		}
	}
	return strings.Join(all, " ")
}

// relations are the links of a header by their relation, which must have so
// many parts.
func relations(t *testing.T, header string, parts int) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	if header == "" {
		return all
	}
	for entry := range strings.SplitSeq(header, ",") {
		fields := strings.Split(strings.TrimSpace(entry), ";")
		if len(fields) != parts {
			t.Fatalf("the link %s has %d parts, want %d", entry, len(fields), parts)
		}
		relation := strings.Trim(strings.TrimPrefix(strings.TrimSpace(fields[1]), "rel="), `"`)
		all[relation] = append(all[relation], strings.Trim(fields[0], "<>"))
	}
	return all
}

// TestReleases lists releases in the order of their precedence, with links.
func TestReleases(t *testing.T) {
	s := newServer(t)
	meta := metadataPart(`{"repositoryURLs":["https://example.com/acme/LinkedList.git","git@example.com:acme/LinkedList.git","https://mirror.example.com/a,b"]}`)
	for _, version := range []string{"1.10.0", "1.9.0", "2.0.0-rc.1", "1.9.0-beta.2", "1.9.0-beta.10"} {
		s.release("acme/LinkedList/"+version, sources(t, version), meta)
	}
	for _, path := range []string{"acme/LinkedList", "acme/LinkedList.json", "ACME/linkedlist"} {
		if got, want := versions(t, s, path), "2.0.0-rc.1 1.10.0 1.9.0 1.9.0-beta.10 1.9.0-beta.2"; got != want {
			t.Errorf("releases = %s, want %s", got, want)
		}
	}
	res := s.Want(t, 200, "", "GET", root+"/acme/LinkedList", "")
	at := s.URL + root + "/acme/LinkedList/"
	if !strings.HasPrefix(res.Body, `{"releases":{"2.0.0-rc.1":{"url":"`+at+`2.0.0-rc.1"},`) {
		t.Errorf("list = %s", res.Body)
	}
	links := relations(t, res.Header.Get("Link"), 2)
	if fmt.Sprint(links) != fmt.Sprint(map[string][]string{
		"latest-version": {at + "1.10.0"}, "canonical": {"https://example.com/acme/LinkedList.git"}, "alternate": {"git@example.com:acme/LinkedList.git"},
	}) {
		t.Errorf("links = %v", links)
	}
	s.Want(t, 304, "", "GET", root+"/acme/LinkedList", "", "If-None-Match", res.Header.Get("ETag"))
	if head := s.Want(t, 200, "", "HEAD", root+"/acme/LinkedList", ""); head.Header.Get("Link") != res.Header.Get("Link") || head.Header.Get("Content-Version") != "1" {
		t.Errorf("headers of HEAD = %v", head.Header)
	}

	// Beside a release stand others.
	for version, want := range map[string][2]string{
		"1.9.0-beta.2": {"", "1.9.0-beta.10"}, "1.9.0": {"1.9.0-beta.10", "1.10.0"}, "2.0.0-rc.1": {"1.10.0", ""}, "1.10.0.json": {"1.9.0", "2.0.0-rc.1"},
	} {
		links := relations(t, s.Want(t, 200, "", "GET", root+"/acme/LinkedList/"+version, "").Header.Get("Link"), 2)
		expected := map[string][]string{"latest-version": {at + "1.10.0"}}
		for relation, version := range map[string]string{"predecessor-version": want[0], "successor-version": want[1]} {
			if version != "" {
				expected[relation] = []string{at + version}
			}
		}
		if fmt.Sprint(links) != fmt.Sprint(expected) {
			t.Errorf("links of %s = %v, want %v", version, links, expected)
		}
	}
	for _, path := range []string{"acme/Other", "acme/LinkedList/9.0.0", "acme/LinkedList/9.0.0.zip", "acme/LinkedList/9.0.0/Package.swift"} {
		s.fails(404, "", "GET", path, "")
		s.fails(404, "", "HEAD", path, "")
	}
	for _, path := range []string{"ac_me/LinkedList", "acme/Linked.List", "acme/LinkedList/v1", "acme/LinkedList?page=0", "acme/LinkedList?page=x"} {
		s.fails(400, "", "GET", path, "")
	}
	s.fails(405, "ann", "POST", "acme/LinkedList", "")
	s.fails(404, "ann", "GET", "acme", "")
}

// TestPages lists more releases than a page has.
func TestPages(t *testing.T) {
	s := newServer(t)
	s.grow("acme/Many", 1001)
	seen := 0
	for page, path := 1, root+"/acme/Many"; path != ""; page++ {
		res := s.Want(t, 200, "", "GET", path, "")
		n := len(servertest.At(servertest.Decode(t, res.Body), "releases").(servertest.Object))
		if want := min(500, 1001-seen); n != want {
			t.Fatalf("page %d has %d releases, want %d", page, n, want)
		}
		seen += n
		next := relations(t, res.Header.Get("Link"), 2)["next"]
		path = strings.Join(next, "")
	}
	if seen != 1001 {
		t.Errorf("%d releases on all pages", seen)
	}
}

// TestArchive reads a source archive whole and in parts.
func TestArchive(t *testing.T) {
	s := newServer(t)
	archive := sources(t, "archive")
	s.release("acme/LinkedList/1.0.0", archive)
	path := root + "/acme/LinkedList/1.0.0.zip"
	digest, err := hex.DecodeString(sum(archive))
	check(t, err)
	for _, method := range []string{"GET", "HEAD"} {
		res := s.Want(t, 200, "", method, path, "", "Accept", "application/vnd.swift.registry.v1+zip")
		for name, want := range map[string]string{
			"Content-Type": "application/zip", "Content-Disposition": `attachment; filename="LinkedList-1.0.0.zip"`, "Accept-Ranges": "bytes",
			"Digest": "sha-256=" + base64.StdEncoding.EncodeToString(digest), "Content-Version": "", "X-Swift-Package-Signature": "",
			"Cache-Control": "public, max-age=31536000, immutable", "Content-Length": fmt.Sprint(len(archive)),
		} {
			if res.Header.Get(name) != want {
				t.Errorf("%s: %s = %q, want %q", method, name, res.Header.Get(name), want)
			}
		}
	}
	if part := s.Want(t, 206, "", "GET", path, "", "Range", "bytes=10-19"); part.Body != archive[10:20] {
		t.Error("the part is another")
	}
	s.fails(405, "ann", "POST", "acme/LinkedList/1.0.0.zip", "")
	// Manifests and parts are no downloads.
	s.Want(t, 200, "", "GET", path, "")
	s.Want(t, 200, "", "GET", root+"/acme/LinkedList/1.0.0/Package.swift", "")
	check(t, s.Registry().FlushDownloads(t.Context()))
	if n := s.Registry().Client().Pkg.Query().OnlyX(access.SystemContext(t.Context())).Downloads; n != 2 {
		t.Errorf("%d downloads, want 2", n)
	}
}

// TestManifests reads manifests for versions of Swift.
func TestManifests(t *testing.T) {
	s := newServer(t)
	s.release("acme/LinkedList/1.0.0", zipOf(t,
		entry{name: "__MACOSX/x"}, entry{name: "top/"}, entry{name: "top/Package.swift", body: "\n//swift-tools-version: 5.3\n"},
		entry{name: "top/Package@swift-5.9.swift", body: "// swift-tools-version:5.9\n// nine"},
		entry{name: "top/Package@swift-6.swift", body: "// no version"}, entry{name: "top/Package@swift-5.10.1.swift", body: "// ten"},
		entry{name: "top/Examples/Package.swift", body: "// example"}, entry{name: "top/Package@swift-x.swift", body: "// none"},
	))
	path := root + "/acme/LinkedList/1.0.0/Package.swift"
	res := s.Want(t, 200, "", "GET", path, "", "Accept", "application/vnd.swift.registry.v1+swift")
	plain := s.URL + path
	wantLink := ""
	for i, version := range []string{"5.9", "5.10.1", "6"} {
		tools := version
		if i > 0 {
			wantLink += ", "
		}
		if version == "6" {
			tools = "6.0" // SwiftPM reads no tools version of one number
		}
		wantLink += fmt.Sprintf(`<%s?swift-version=%s>; rel="alternate"; filename="Package@swift-%s.swift"; swift-tools-version="%s"`, plain, version, version, tools)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/x-swift", "Content-Disposition": `attachment; filename="Package.swift"`, "Content-Version": "1",
		"Content-Length": fmt.Sprint(len(res.Body)), "Cache-Control": "public, max-age=31536000, immutable", "Link": wantLink,
	} {
		if res.Header.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, res.Header.Get(name), want)
		}
	}
	relations(t, res.Header.Get("Link"), 4)
	if res.Body != "\n//swift-tools-version: 5.3\n" {
		t.Errorf("manifest = %q", res.Body)
	}
	for asked, want := range map[string]string{"5.9": "nine", "5.9.0": "nine", "6.0": "no version", "6.0.0": "no version", "5.10.1": "ten"} {
		got := s.Want(t, 200, "", "GET", path+"?swift-version="+asked, "")
		if !strings.HasSuffix(got.Body, want) || got.Header.Get("Link") != "" || !strings.Contains(got.Header.Get("Content-Disposition"), "Package@swift-") {
			t.Errorf("%s: %q, %v", asked, got.Body, got.Header)
		}
		s.Want(t, 304, "", "GET", path+"?swift-version="+asked, "", "If-None-Match", got.Header.Get("ETag"))
	}
	for _, asked := range []string{"5.8", "5.10", "x", "5.9.0.0", "99999999999999999999"} {
		if got := s.Want(t, 303, "", "GET", path+"?swift-version="+asked, ""); got.Header.Get("Location") != plain || got.Header.Get("Content-Version") != "1" {
			t.Errorf("%s: %v", asked, got.Header)
		}
	}
	if head := s.Want(t, 200, "", "HEAD", path, ""); head.Header.Get("Link") != wantLink || head.ContentLength != int64(len(res.Body)) {
		t.Errorf("headers of HEAD = %v", head.Header)
	}
	// A manifest at the top counts before any in a folder.
	s.release("acme/LinkedList/1.0.1", zipOf(t, entry{name: "Package.swift", body: "// top"}, entry{name: "x/Package.swift", body: "// x"}))
	if got := s.Want(t, 200, "", "GET", root+"/acme/LinkedList/1.0.1/Package.swift", ""); got.Body != "// top" || got.Header.Get("Link") != "" {
		t.Errorf("manifest = %q, %v", got.Body, got.Header)
	}
}

// TestIdentifiers finds packages by the URLs of their repositories.
func TestIdentifiers(t *testing.T) {
	s := newServer(t)
	s.release("acme/LinkedList/1.0.0", sources(t, "1"), metadataPart(`{"repositoryURLs":["https://Example.com/acme/LinkedList.git"]}`))
	s.release("acme/Twin/1.0.0", sources(t, "2"), metadataPart(`{"repositoryURLs":["git@example.com:acme/linkedlist"]}`))
	s.release("acme/None/1.0.0", sources(t, "3"))
	find := func(raw string) string {
		t.Helper()
		return fmt.Sprint(s.get("identifiers?url=" + url.QueryEscape(raw))["identifiers"])
	}
	for _, raw := range []string{
		"https://example.com/acme/LinkedList", "http://ann:pw@example.com:80/ACME/linkedlist.git/", "ssh://git@example.com:22/acme/LinkedList.git",
		"git@example.com:acme/LinkedList.git", "example.com:acme/LinkedList", "git://example.com/acme/LinkedList",
	} {
		if got := find(raw); got != "[acme.LinkedList acme.Twin]" {
			t.Errorf("%s: %s", raw, got)
		}
	}
	for raw, status := range map[string]int{"": 400, "LinkedList": 400, "https://example.com": 400, "https://example.com/other": 404, "https://example.com:8443/acme/LinkedList": 404} {
		s.fails(status, "", "GET", "identifiers?url="+url.QueryEscape(raw), "")
	}
	s.fails(400, "", "GET", "identifiers", "")
	s.Want(t, 200, "", "HEAD", root+"/identifiers?url=https://example.com/acme/LinkedList", "")
	// The newest release says where a package comes from.
	s.release("acme/Twin/1.1.0", sources(t, "4"), metadataPart(`{"repositoryURLs":["https://example.com/acme/twin"]}`))
	if got := find("https://example.com/acme/LinkedList"); got != "[acme.LinkedList]" {
		t.Errorf("identifiers = %s", got)
	}
	if got := find("https://example.com/acme/Twin"); got != "[acme.Twin]" {
		t.Errorf("identifiers = %s", got)
	}
}

// TestRemove removes a release, which stays listed and can only come back as it
// was.
func TestRemove(t *testing.T) {
	s := newServer(t)
	archive := sources(t, "one")
	for _, version := range []string{"1.0.0", "1.1.0"} {
		s.release("acme/LinkedList/"+version, map[string]string{"1.0.0": archive, "1.1.0": sources(t, "two")}[version])
	}
	s.fails(401, "", "DELETE", "acme/LinkedList/1.0.0", "")
	s.fails(403, "rea", "DELETE", "acme/LinkedList/1.0.0", "")
	res := s.Want(t, 204, "ann", "DELETE", root+"/acme/LinkedList/1.0.0", "")
	if res.Header.Get("Content-Version") != "1" {
		t.Errorf("headers = %v", res.Header)
	}
	for _, path := range []string{"acme/LinkedList/1.0.0", "acme/LinkedList/1.0.0.zip", "acme/LinkedList/1.0.0/Package.swift", "acme/LinkedList/1.0.0.json"} {
		s.fails(410, "", "GET", path, "")
		s.fails(410, "", "HEAD", path, "")
	}
	s.fails(404, "ann", "DELETE", "acme/LinkedList/1.0.0", "")
	if got := versions(t, s, "acme/LinkedList"); got != "1.1.0 1.0.0!" {
		t.Errorf("releases = %s", got)
	}
	gone := servertest.At(s.get("acme/LinkedList"), "releases", "1.0.0", "problem")
	if servertest.At(gone, "status") != 410.0 || servertest.At(gone, "title") != "Gone" || servertest.At(gone, "detail") == "" {
		t.Errorf("problem = %v", gone)
	}
	s.fails(409, "ann", "PUT", "acme/LinkedList/1.0.0", form(archivePart(sources(t, "other"))), formHeaders()...)
	s.release("acme/LinkedList/1.0.0", archive)
	if got := versions(t, s, "acme/LinkedList"); got != "1.1.0 1.0.0" {
		t.Errorf("releases = %s", got)
	}
	for _, version := range []string{"1.0.0", "1.1.0"} {
		s.Want(t, 204, "ann", "DELETE", root+"/acme/LinkedList/"+version, "")
	}
	s.fails(404, "", "GET", "acme/LinkedList", "")
	s.fails(404, "", "GET", "acme/LinkedList/1.0.0", "")
	s.fails(409, "ann", "PUT", "acme/LinkedList/1.0.0", form(archivePart(sources(t, "other"))), formHeaders()...)
	s.release("acme/LinkedList/1.2.0", archive)
	if got := versions(t, s, "acme/LinkedList"); got != "1.2.0" {
		t.Errorf("releases = %s", got)
	}
}

// TestSignIn tries the paths at which the client tries its credential, and
// those that need none.
func TestSignIn(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"login", ""} {
		for _, c := range []struct {
			status        int
			authorization string
		}{{200, "Bearer " + s.Tokens["out"]}, {401, ""}, {401, "Bearer ent-nothing"}} {
			var headers []string
			if c.authorization != "" {
				headers = []string{"Authorization", c.authorization}
			}
			res := s.Want(t, c.status, "", "POST", strings.TrimSuffix(root+"/"+path, "/"), "", headers...)
			if res.Header.Get("Content-Version") != "1" {
				t.Errorf("headers = %v", res.Header)
			}
			if c.status == 401 && !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic realm=") {
				t.Errorf("challenge = %q", res.Header.Get("WWW-Authenticate"))
			}
		}
		s.Want(t, 200, "out", "POST", strings.TrimSuffix(root+"/"+path, "/"), "")
	}
	for _, owner := range []string{"acme", "nobody"} {
		res := s.Want(t, 200, "", "GET", "/api/packages/"+owner+"/swift/availability", "", "Authorization", "Bearer ent-nothing")
		if res.Body != "" || res.Header.Get("Content-Version") != "1" {
			t.Errorf("availability = %q, %v", res.Body, res.Header)
		}
	}
}

// TestPrivate reads what only some may read.
func TestPrivate(t *testing.T) {
	s := newServer(t)
	s.release("acme/LinkedList/1.0.0", sources(t, "secret"), metadataPart(`{"repositoryURLs":["https://example.com/secret"]}`))
	s.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{
		"acme/LinkedList", "acme/LinkedList/1.0.0", "acme/LinkedList/1.0.0.zip", "acme/LinkedList/1.0.0/Package.swift", "acme/None",
		"identifiers?url=https://example.com/secret",
	} {
		s.fails(401, "", "GET", path, "")
		s.fails(401, "", "HEAD", path, "")
		s.fails(404, "out", "GET", path, "")
		if path != "acme/None" {
			res := s.Want(t, 200, "rea", "GET", root+"/"+path, "")
			if strings.Contains(res.Header.Get("Cache-Control"), "public") {
				t.Errorf("%s: Cache-Control = %s", path, res.Header.Get("Cache-Control"))
			}
		}
	}
	s.fails(403, "rea", "PUT", "acme/LinkedList/2.0.0", form(archivePart(sources(t, "x"))), formHeaders()...)
	s.fails(401, "", "PUT", "acme/LinkedList/2.0.0", form(archivePart(sources(t, "x"))), formHeaders()...)
}

// TestAccept asks for types of this version of the protocol, and others.
func TestAccept(t *testing.T) {
	s := newServer(t)
	s.release("acme/LinkedList/1.0.0", sources(t, "x"))
	for accept, status := range map[string]int{
		"": 200, "*/*": 200, "application/vnd.swift.registry": 200, "application/vnd.swift.registry+json": 200,
		"application/vnd.swift.registry.v1": 200, "application/vnd.swift.registry.v1+json; q=0.5, text/html": 200, "Application/VND.swift.registry.v1+JSON": 200,
		"text/html, */*;q=0.1": 200, "application/vnd.swift.registry.v2+json": 415, "application/vnd.swift.registry.v10": 415,
		"text/html": 400, "application/vnd.swift.registry.vx+json": 400, "application/vnd.swift.registryx": 400, "application/vnd.swift.registry.v1+xml": 400, "nonsense": 400,
	} {
		res := s.Do(t, "", "GET", root+"/acme/LinkedList", "", "Accept", accept)
		if res.StatusCode != status || res.Header.Get("Content-Version") != "1" {
			t.Errorf("%q: %s", accept, res.Status)
		}
	}
}

func TestSignInRequired(t *testing.T) {
	s := newServer(t, func(c *server.Config) { c.Auth.AnonymousRead = false })
	s.release("acme/LinkedList/1.0.0", sources(t, "x"))
	s.fails(401, "", "GET", "acme/LinkedList", "")
	s.Want(t, 200, "", "GET", root+"/availability", "")
	s.Want(t, 200, "out", "GET", root+"/acme/LinkedList", "")
}

// TestStatements counts the statements of requests to a package with one
// release and with many.
func TestStatements(t *testing.T) {
	s := newServer(t)
	meta := metadataPart(`{"repositoryURLs":["https://example.com/a"]}`)
	s.release("acme/Few/1.0.0", sources(t, "few"), meta)
	s.grow("acme/Many", 300)
	for _, request := range []struct {
		name, login, method, path string
		reads                     int64
	}{
		{"releases", "", "GET", "", 7}, {"releases again", "", "GET", "", 2}, {"releases with a token", "rea", "GET", "", 4},
		{"release", "", "GET", "/1.0.0", 6}, {"release again", "", "GET", "/1.0.0", 3}, {"manifest", "", "GET", "/1.0.0/Package.swift", 3},
		{"archive", "", "GET", "/1.0.0.zip", 3}, {"HEAD", "", "HEAD", "/1.0.0.zip", 3},
	} {
		for _, name := range []string{"acme/Few", "acme/Many"} {
			reads, writes := s.Registry().Database().Statements()
			s.Want(t, 200, request.login, request.method, root+"/"+name+request.path, "")
			r, w := s.Registry().Database().Statements()
			if w != writes || r-reads > request.reads {
				t.Errorf("%s of %s: %d reads and %d writes, want at most %d and 0", request.name, name, r-reads, w-writes, request.reads)
			}
		}
	}
	counts := map[string][2]int64{}
	for _, name := range []string{"acme/Few", "acme/Many"} {
		reads, writes := s.Registry().Database().Statements()
		s.release(name+"/9.0.0", sources(t, "more of "+name), meta) // not the bytes of before: those are found, not stored
		r, w := s.Registry().Database().Statements()
		counts[name] = [2]int64{r - reads, w - writes}
	}
	if counts["acme/Few"] != counts["acme/Many"] {
		t.Errorf("statements of a publish: %v", counts)
	}
}

// grow brings a package of acme to n releases.
func (s *testServer) grow(path string, n int) {
	s.tb.Helper()
	s.release(path+"/1.0.0", sources(s.tb, path), metadataPart(`{"description":"A package of common size","repositoryURLs":["https://example.com/a"]}`))
	s.Grow(s.tb, strings.ReplaceAll(path, "/", "."), n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		return fmt.Sprintf("1.0.%d", i), like.NormalizedName, like.Fragment
	})
}
