package composer_test

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"entrepot/access"
	"entrepot/ent/pkg"
	"entrepot/registry"
	"entrepot/server"
	"entrepot/server/servertest"
)

func sum(text string) string {
	h := sha1.Sum([]byte(text))
	return hex.EncodeToString(h[:])
}

func TestPublish(t *testing.T) {
	s := newServer(t)
	archive := zipped(t, "composer.json", "\ufeff"+manifest(t, "acme/lib", "v1.0", object{
		"description": "Says <hello>", "type": "symfony-bundle", "require": object{"php": ">=8"}, "require-dev": []any{}, "replace": object{"acme/legacy": "self.version"},
		"conflict": object{"x/y": "*"}, "support": object{"source": "https://example.com/acme/lib"}, "funding": []any{}, "extra": []any{}, "bin": "bin/x",
		"autoload": object{"psr-4": []any{}}, "license": []any{"MIT", "GPL-2.0-only"}, "authors": []any{object{"name": "Ann", "email": "a@example.com"}},
		"keywords": []any{"greeting"}, "repositories": []any{}, "config": object{}, "scripts": object{}, "scripts-descriptions": object{}, "minimum-stability": "dev",
		"prefer-stable": true, "_comment": "x", "dist": object{"url": "-x"}, "time": "1999-01-01", "minified": "no",
		"source": object{"type": "git", "url": "--evil", "reference": "abc"},
	}), "ReadMe.MD", "# Hello", "sub/composer.json", "{}")
	s.put(201, "?version=1.0.0&reference=abc123", archive)

	entries := s.versions("acme/lib")
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	e := entries[0]
	for key, want := range map[string]any{
		"name": "acme/lib", "version": "v1.0", "version_normalized": "1.0.0.0", "type": "symfony-bundle", "description": "Says <hello>", "bin": "bin/x",
	} {
		if e[key] != want {
			t.Errorf("%s is %v, want %v", key, e[key], want)
		}
	}
	for _, key := range []string{"require", "require-dev", "replace", "conflict", "support", "funding", "extra", "autoload", "license", "authors", "keywords"} {
		if e[key] == nil {
			t.Errorf("%s is gone", key)
		}
	}
	for _, key := range []string{"repositories", "config", "scripts", "scripts-descriptions", "minimum-stability", "prefer-stable", "_comment", "source", "abandoned", "readme"} {
		if _, there := e[key]; there {
			t.Errorf("%s is served", key)
		}
	}
	if stamp, _ := e["time"].(string); len(stamp) != len("2006-01-02T15:04:05Z") || stamp < "2020" {
		t.Errorf("time %v", e["time"])
	}
	url := s.URL + root + "/files/acme/lib/v1.0/acme-lib.v1.0.zip"
	if got, want := fmt.Sprint(e["dist"]), fmt.Sprint(object{"type": "zip", "url": url, "reference": "abc123", "shasum": sum(archive)}); got != want {
		t.Errorf("dist = %s\nwant   %s", got, want)
	}
	for _, path := range []string{url, root + "/files/acme%2Flib/1.0.0/acme-lib.v1.0.zip"} {
		if got := s.Want(t, 200, "", "GET", path, ""); got.Body != archive || got.Header.Get("Content-Type") != "application/zip" {
			t.Errorf("%s: %s, %d bytes", path, got.Header.Get("Content-Type"), len(got.Body))
		}
	}
	if got := s.Want(t, 206, "", "GET", url, "", "Range", "bytes=0-1"); got.Body != "PK" {
		t.Errorf("range: %q", got.Body)
	}
	s.Want(t, 404, "", "GET", root+"/files/acme/lib/1.0/other.zip", "")
	s.Want(t, 404, "", "GET", root+"/files/acme/lib/2.0/acme-lib.v1.0.zip", "")

	v := s.Registry().Client().PackageVersion.Query().OnlyX(access.SystemContext(t.Context()))
	if v.Readme != "# Hello" || v.License != "MIT OR GPL-2.0-only" || v.RepositoryURL != "https://example.com/acme/lib" || v.Authors[0] != "Ann" || len(v.Dependencies) != 1 {
		t.Errorf("facts = %+v", v)
	}
}

func TestArchives(t *testing.T) {
	m := func(version string) string { return manifest(t, "acme/forms", version) }
	for _, tt := range []struct{ name, archive, ext, kind string }{
		{"tar in a folder", tarred(t, "lib-1/composer.json", m("1.0"), "lib-1/src/composer.json", "{}"), "tar", "tar"},
		{"tar.gz with dots", gzipped(tarred(t, "./composer.json", m("1.1"), "./a/composer.json", "{}", "./b/x", "")), "tar.gz", "tar"},
		{"zip in a folder", zipped(t, "a/", "", "a/x/composer.json", "{}", "a/composer.json", m("1.2")), "zip", "zip"},
		{"tar.bz2 in a folder", bzipped(t), "tar.bz2", "tar"},
		{"root last", zipped(t, "a/composer.json", "{}", "composer.json", m("1.3")), "zip", "zip"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t).in(t)
			s.put(201, "", tt.archive)
			d := s.versions("acme/forms")[0]["dist"].(object)
			if d["type"] != tt.kind || !strings.HasSuffix(d["url"].(string), "."+tt.ext) || d["shasum"] != sum(tt.archive) || d["reference"] != d["shasum"] {
				t.Errorf("dist = %v", d)
			}
			if got := s.Want(t, 200, "", "GET", d["url"].(string), ""); got.Body != tt.archive {
				t.Error("the archive is not what was uploaded")
			}
		})
	}
}

// bzipped is a tar.bz2 that GNU tar and bzip2 made of x/composer.json, with the
// name acme/forms and the version 1.4: the library only unpacks.
func bzipped(t *testing.T) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWbaLnewAAK/7hMqQAEBQBfeQIAFrM99KAACAKCAAlISoypozFGQ00yemoDaj1ASVDUZNPUyYJkyMJgT0/F7ZpGDkgI4RCRRQQxg1jx2OoSDwkD4FEFPQhpjd1SmFuGLqFcNwxjM5WjC/U5ruMIp0fXnKytHjVeKDb4naWhlRU31efeTR6651BP5sCFhFbiZB0ZFvwQA04JXOH2iQci7kinChIW0XO9g=")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestRefused uploads what is wrong: each is told so and leaves nothing.
func TestRefused(t *testing.T) {
	s := newServer(t)
	one := func(raw string) string { return zipped(t, "composer.json", raw) }
	good := one(`{"name":"a/b"}`)
	for _, tt := range []struct {
		name, query, archive, message string
	}{
		{"no archive", "", "hello", "neither zip nor tar"},
		{"nothing", "", "", "neither zip nor tar"},
		{"a cut zip", "", good[:20], "not a zip archive"},
		{"a cut tar.gz", "", gzipped(tarred(t, "composer.json", `{"name":"a/b"}`))[:40], "cannot be unpacked"},
		{"bad bzip2", "", "BZh9nothing of the kind", "cannot be unpacked"},
		{"no composer.json", "", zipped(t, "x-composer.json", "{}"), "there is no composer.json"},
		{"two folders", "", zipped(t, "a/composer.json", "{}", "b/x", ""), "there is no composer.json"},
		{"two in the root", "", zipped(t, "composer.json", "{}", "./composer.json", "{}"), "several"},
		{"too deep", "", zipped(t, "a/b/composer.json", "{}"), "there is no composer.json"},
		{"too large", "", one(`{"x":"` + strings.Repeat("x", 1<<20) + `"}`), "larger than"},
		{"too large in tar", "", tarred(t, "composer.json", strings.Repeat(" ", 1<<20+1)), "larger than"},
		{"no JSON", "", one("{"), "JSON"},
		{"null", "", one("null"), "not an object"},
		{"a list", "", one("[]"), "json"},
		{"not UTF-8", "", one("{\"name\":\"\xff\"}"), "UTF-8"},
		{"no name", "?version=1", one("{}"), "name"},
		{"upper case", "?version=1", one(`{"name":"Acme/lib"}`), "name"},
		{"a device", "?version=1", one(`{"name":"acme/con"}`), "name"},
		{"a name with .json", "?version=1", one(`{"name":"acme/x.json"}`), "name"},
		{"no version", "", good, "no version"},
		{"a bad version", "?version=latest", good, `"latest" is no version`},
		{"a number", "", one(`{"name":"a/b","version":1.0}`), "not a text"},
		{"another version", "?version=1.1", one(`{"name":"a/b","version":"1.0"}`), "the address 1.1"},
		{"a bad type", "?version=1", one(`{"name":"a/b","type":"A B"}`), "type"},
		{"a bad license", "?version=1", one(`{"name":"a/b","license":{}}`), "license"},
		{"a bad require", "?version=1", one(`{"name":"a/b","require":["x"]}`), "require"},
		{"a bad link", "?version=1", one(`{"name":"a/b","replace":{"x/y":1}}`), "replace"},
		{"a bad reference", "?version=1&reference=-x", good, "reference"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := s.in(t)
			res := s.put(400, tt.query, tt.archive)
			if got := res.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type %q", got)
			}
			list := servertest.Decode(t, res.Body)["errors"].([]any)
			if message, _ := servertest.At(list[0], "message").(string); !strings.Contains(message, tt.message) || servertest.At(list[0], "status") != 400.0 {
				t.Errorf("errors %v, want %q", list, tt.message)
			}
		})
	}
	if n := s.Registry().Client().Pkg.Query().CountX(access.SystemContext(t.Context())); n != 0 {
		t.Errorf("%d packages are there", n)
	}
}

func TestDuplicates(t *testing.T) {
	s := newServer(t)
	s.publish("acme/lib", "v1.0")
	s.publish("acme/lib", "1.1.0-RC1")
	for _, version := range []string{"1.0.0", "1.0.0.0", "v1.0", "1.0.0+build", "1.1.0rc1"} {
		s.put(409, "?version="+strings.ReplaceAll(version, "+", "%2B"), zipped(t, "composer.json", manifest(t, "acme/lib", ""), "other", version))
	}
	if got := spelled(s.versions("acme/lib")); got != "1.1.0-RC1 v1.0" {
		t.Errorf("versions %q", got)
	}
}

func TestDevelopmentVersions(t *testing.T) {
	s := newServer(t)
	s.publish("acme/lib", "1.9")
	if got := s.Want(t, 200, "", "GET", root+"/p2/acme/lib~dev.json", ""); got.Body != `{"packages":{"acme/lib":[]}}`+"\n" {
		t.Errorf("without any: %s", got.Body)
	}
	s.publish("acme/lib", "1.10")
	s.publish("acme/lib", "dev-Feature/x", object{"description": "old", "type": "library"})
	s.publish("acme/lib", "1.x-dev")
	if got := spelled(s.versions("acme/lib")); got != "1.10 1.9" {
		t.Errorf("releases %q", got)
	}
	dev := s.versions("acme/lib~dev")
	if got := spelled(dev); got != "1.x-dev dev-Feature/x" {
		t.Fatalf("development versions %q", got)
	}
	before := dev[1]["dist"].(object)
	if want := s.URL + root + "/files/acme/lib/dev-Feature~x/acme-lib.dev-feature-x.zip?ref=" + before["reference"].(string); before["url"] != want {
		t.Errorf("url %s, want %s", before["url"], want)
	}
	// Another state, in another kind of archive.
	archive := tarred(t, "composer.json", manifest(t, "acme/lib", "", object{"description": "new"}), "README.md", "new")
	s.put(201, "?version=dev-Feature/x", archive)
	dev = s.versions("acme/lib~dev")
	after := dev[1]["dist"].(object)
	if len(dev) != 2 || after["reference"] == before["reference"] || after["type"] != "tar" || dev[1]["description"] != "new" {
		t.Errorf("entries %v", dev)
	}
	if got := s.Want(t, 200, "", "GET", after["url"].(string), ""); got.Body != archive {
		t.Error("the new archive is not what was uploaded")
	}
	s.Want(t, 404, "", "GET", before["url"].(string), "")
	s.Want(t, 404, "", "GET", strings.Replace(after["url"].(string), after["reference"].(string), before["reference"].(string), 1), "")
	if n := s.Registry().Client().PackageFile.Query().CountX(access.SystemContext(t.Context())); n != 4 {
		t.Errorf("%d files, want 4", n)
	}
	s.Want(t, 204, "ann", "DELETE", root+"/packages/acme/lib/dev-Feature~x", "")
	if got := spelled(s.versions("acme/lib~dev")); got != "1.x-dev" {
		t.Errorf("after the deletion %q", got)
	}
}

// TestLastModified changes a package many times within a second: each time
// the date is a later one, and only the very same is answered with 304.
func TestLastModified(t *testing.T) {
	s := newServer(t)
	s.publish("acme/lib", "1.0")
	document := root + "/p2/acme/lib.json"
	previous, err := http.ParseTime(s.Want(t, 200, "", "GET", document, "").Header.Get("Last-Modified"))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []struct {
		name string
		make func()
	}{
		{"publish", func() { s.publish("acme/lib", "1.1") }},
		{"publish a branch", func() { s.publish("acme/lib", "dev-main") }},
		{"replace it", func() { s.publish("acme/lib", "dev-main", object{"description": "new"}) }},
		{"delete", func() { s.Want(t, 204, "ann", "DELETE", root+"/packages/acme/lib/1.1", "") }},
		{"abandon", func() { s.abandon("acme/lib", "acme/new") }},
	} {
		before := previous.Format(http.TimeFormat)
		s.Want(t, 304, "", "GET", document, "", "If-Modified-Since", before)
		change.make()
		res := s.Want(t, 200, "", "GET", document, "", "If-Modified-Since", before)
		now, err := http.ParseTime(res.Header.Get("Last-Modified"))
		if err != nil || !now.After(previous) {
			t.Errorf("%s: Last-Modified %v after %v (%v)", change.name, now, previous, err)
		}
		s.Want(t, 304, "", "HEAD", document, "", "If-None-Match", res.Header.Get("ETag"))
		previous = now
	}
	later := previous.AddDate(1, 0, 0).Format(http.TimeFormat)
	s.Want(t, 200, "", "GET", document, "", "If-Modified-Since", later)
}

// abandon marks a package.
func (s *testServer) abandon(name, reason string) {
	s.tb.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth("ann", s.Tokens["ann"])
	viewer, err := s.Auth().Identify(r)
	if err != nil {
		s.tb.Fatal(err)
	}
	ctx := access.NewContext(s.tb.Context(), viewer)
	space, err := s.Registry().Enter(ctx, "acme", "composer", access.Write)
	if err != nil {
		s.tb.Fatal(err)
	}
	p, err := space.Package(ctx, name, access.Write)
	if err != nil {
		s.tb.Fatal(err)
	}
	if err := space.SetState(ctx, p, registry.PackageState{State: "abandoned", Reason: reason}); err != nil {
		s.tb.Fatal(err)
	}
}

func TestAbandoned(t *testing.T) {
	s := newServer(t)
	s.publish("acme/old", "1.0")
	s.publish("acme/own", "1.0", object{"abandoned": "acme/other"})
	if got := s.versions("acme/own")[0]["abandoned"]; got != "acme/other" {
		t.Errorf("the composer.json's own: %v", got)
	}
	for reason, want := range map[string]any{"acme/new": "acme/new", "It is old.": true, "": true} {
		s.abandon("acme/old", reason)
		if got := s.versions("acme/old")[0]["abandoned"]; got != want {
			t.Errorf("reason %q: abandoned is %v, want %v", reason, got, want)
		}
		res := servertest.Decode(t, s.Want(t, 200, "", "GET", root+"/search.json?q=old", "").Body)
		if got := servertest.At(res["results"].([]any)[0], "abandoned"); got != want {
			t.Errorf("reason %q: search says %v, want %v", reason, got, want)
		}
	}
}

func TestRoot(t *testing.T) {
	s := newServer(t)
	decode := func(login string, headers ...string) (servertest.Response, object) {
		t.Helper()
		res := s.Want(t, 200, login, "GET", root+"/packages.json", "", headers...)
		if got := res.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type %q", got)
		}
		return res, servertest.Decode(t, res.Body)
	}
	res, doc := decode("")
	if _, there := doc["available-packages"]; there || fmt.Sprint(doc["packages"]) != "[]" || doc["metadata-url"] != s.URL+root+"/p2/%package%.json" {
		t.Errorf("without packages: %v", doc)
	}
	date := res.Header.Get("Last-Modified")
	s.Want(t, 304, "", "GET", root+"/packages.json", "", "If-Modified-Since", date)
	s.publish("acme/lib", "1.0")
	s.publish("acme/secret", "1.0")
	ctx := access.SystemContext(t.Context())
	s.Registry().Client().Pkg.Update().Where(pkg.Name("acme/secret")).SetVisibility(pkg.VisibilityPrivate).ExecX(ctx)
	if _, doc = decode("", "If-Modified-Since", date); fmt.Sprint(doc["available-packages"]) != "[acme/lib]" {
		t.Errorf("nobody sees %v", doc["available-packages"])
	}
	if _, doc = decode("rea"); fmt.Sprint(doc["available-packages"]) != "[acme/lib acme/secret]" {
		t.Errorf("a reader sees %v", doc["available-packages"])
	}
	packed := s.Want(t, 200, "", "GET", root+"/packages.json", "", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(strings.NewReader(packed.Body))
	if err != nil || packed.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%v, %q", err, packed.Header.Get("Content-Encoding"))
	}
	if plain, _ := io.ReadAll(z); !strings.Contains(string(plain), "acme/lib") {
		t.Errorf("unpacked: %s", plain)
	}
}

func TestListAndSearch(t *testing.T) {
	s := newServer(t)
	s.publish("acme/lib", "1.0", object{"description": "Says Hello", "keywords": []any{"greeting"}})
	s.publish("acme/plugin", "1.0", object{"type": "composer-plugin"})
	s.publish("other/lib", "1.0")
	for query, want := range map[string]string{
		"": "[acme/lib acme/plugin other/lib]", "?filter=acme/*": "[acme/lib acme/plugin]", "?filter=*LIB": "[acme/lib other/lib]",
		"?vendor=other": "[other/lib]", "?filter=acme": "[]", "?filter=.*": "[]",
	} {
		doc := servertest.Decode(t, s.Want(t, 200, "", "GET", root+"/list.json"+query, "").Body)
		if got := fmt.Sprint(doc["packageNames"]); got != want {
			t.Errorf("list%s: %s, want %s", query, got, want)
		}
	}
	s.Want(t, 400, "", "GET", root+"/list.json?filter="+strings.Repeat("*", 300), "")
	for query, want := range map[string]string{
		"q=": "acme/lib acme/plugin other/lib 3", "q=LIB": "acme/lib other/lib 2", "q=hello": "acme/lib 1", "q=greeting": "acme/lib 1",
		"q=&type=composer-plugin": "acme/plugin 1", "q=lib&type=composer-plugin": "0", "q=nothing": "0", "per_page=1&page=2": "acme/plugin 3",
	} {
		doc := servertest.Decode(t, s.Want(t, 200, "", "GET", root+"/search.json?"+query, "").Body)
		got := ""
		for _, r := range doc["results"].([]any) {
			got += servertest.At(r, "name").(string) + " "
		}
		if got += fmt.Sprint(doc["total"]); got != want {
			t.Errorf("search %s: %s, want %s", query, got, want)
		}
		if next, has := doc["next"].(string); has != (query == "per_page=1&page=2") {
			t.Errorf("search %s: next %q", query, next)
		} else if has {
			s.Want(t, 200, "", "GET", next, "")
		}
	}
}

func TestAccess(t *testing.T) {
	s := newServer(t)
	s.publish("acme/lib", "1.0")
	archive := zipped(t, "composer.json", manifest(t, "acme/lib", "2.0"))
	s.Want(t, 401, "", "PUT", root, archive)
	s.Want(t, 403, "rea", "PUT", root, archive)
	s.Want(t, 403, "rea", "DELETE", root+"/packages/acme/lib/1.0", "")
	s.Want(t, 404, "ann", "DELETE", root+"/packages/acme/lib/2.0", "")
	s.Want(t, 404, "ann", "DELETE", root+"/packages/acme/none/2.0", "")
	for _, path := range []string{"/p2/acme/none.json", "/p2/acme/none~dev.json", "/p2/acme/lib", "/p2/Acme/lib.json"} {
		res := s.Want(t, 404, "", "GET", root+path, "")
		if doc := servertest.Decode(t, res.Body); doc["errors"] == nil || doc["warning"] != nil || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s", path, res.Body)
		}
	}
	s.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{"/packages.json", "/p2/acme/lib.json", "/p2/acme/none.json", "/list.json", "/search.json", "/files/acme/lib/1.0/acme-lib.1.0.zip"} {
		res := s.Want(t, 401, "", "GET", root+path, "")
		if doc := servertest.Decode(t, res.Body); doc["warning"] == nil || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic realm=") {
			t.Errorf("%s: %s", path, res.Body)
		}
		if path != "/p2/acme/none.json" {
			s.Want(t, 200, "", "GET", root+path, "", "Authorization", "Bearer "+s.Tokens["rea"])
		}
	}
}

func TestTooLarge(t *testing.T) {
	s := &testServer{servertest.New(t, func(c *server.Config) { c.Limits.FileSize = 100 }), t}
	s.put(413, "", zipped(t, "composer.json", manifest(t, "acme/lib", "1.0"), "x", strings.Repeat("x", 200)))
}

// TestStatements counts what is asked of the database: no more for forty
// versions than for three.
func TestStatements(t *testing.T) {
	s := newServer(t)
	count := func(status int, method, path, body string, headers ...string) (reads, writes int64) {
		t.Helper()
		r0, w0 := s.Registry().Database().Statements()
		s.Want(t, status, "ann", method, root+path, body, headers...)
		r1, w1 := s.Registry().Database().Statements()
		return r1 - r0, w1 - w0
	}
	var uploads [2][2]int64
	for round, n := range []int{3, 40} {
		for i := range n {
			body := zipped(t, "composer.json", manifest(t, "acme/many", fmt.Sprintf("%d.%d", round+1, i)))
			uploads[round][0], uploads[round][1] = count(201, http.MethodPut, "", body)
		}
		date := s.Want(t, 200, "ann", "HEAD", root+"/p2/acme/many.json", "").Header.Get("Last-Modified")
		for _, tt := range []struct {
			name, path string
			headers    []string
			status     int
			most       int64
		}{
			{"document, warm", "/p2/acme/many.json", nil, 200, 4},
			{"document, 304", "/p2/acme/many.json", []string{"If-Modified-Since", date}, 304, 4},
			{"document, cold", "/p2/acme/many~dev.json", nil, 200, 10},
			{"root", "/packages.json", nil, 200, 5},
			{"search", "/search.json?q=many", nil, 200, 8},
			{"archive", "/files/acme/many/1.1/acme-many.1.1.zip", nil, 200, 6},
		} {
			reads, writes := count(tt.status, "GET", tt.path, "", tt.headers...)
			if reads > tt.most || writes != 0 {
				t.Errorf("%d versions: %s: %d reads, %d writes; want at most %d and 0", n, tt.name, reads, writes, tt.most)
			}
		}
	}
	if uploads[0] != uploads[1] {
		t.Errorf("an upload takes %v statements after 3 versions, %v after 43", uploads[0], uploads[1])
	}
}
