package pub_test

import (
	"archive/tar"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/blobupload"
	"entrepot/ent/packageversion"
	"entrepot/registry"
	"entrepot/server"
	"entrepot/server/servertest"
)

func TestPublish(t *testing.T) {
	s := newServer(t)
	archive := pack(t,
		entry{name: "./pubspec.yaml", body: `
name: acme_lib
version: 1.0.0+1
description: A  library of acmé
homepage: https://example.com/home
repository: https://example.com/acme_lib.git
documentation: https://example.com/docs
issue_tracker: "javascript:alert(1)"
topics: [widgets, forms]
environment: {sdk: ^3.5.0}
dependencies:
  base: ^1.0.0
  other: {git: {url: "https://example.com/other.git"}}
  flutter: {sdk: flutter}
  local: {path: ../local}
  hosted: {hosted: https://example.com, version: ">=1.0.0 <2.0.0"}
  whatever:
dev_dependencies: {test: any}
executables: {acme: }
platforms:
  linux:
  web:
x_date: 2026-01-02
x_on: on
x_list: [1, 0x10, 1.5, -0.0, true, ~, "1"]
`},
		entry{name: "README.md", body: "# Hello\x00"},
		entry{name: "changelog.md", body: "# 1.0.0"},
		entry{name: "LICENSE", body: "\nMIT License\n\nCopyright"},
		entry{name: "example/main.dart", body: "void main() {}"},
		entry{name: "lib", kind: tar.TypeDir}, entry{name: "lib/", kind: tar.TypeDir},
		entry{name: "lib/link.dart", kind: tar.TypeSymlink, link: "../README.md"},
		entry{name: "lib/hard.dart", kind: tar.TypeLink, link: "README.md"},
	)
	s.publish(archive)
	listing := s.listing("acme_lib")
	if got := versions(listing); got != "1.0.0+1 > 1.0.0+1" || listing["name"] != "acme_lib" {
		t.Errorf("listing = %s", got)
	}
	one := listing["versions"].([]any)[0].(servertest.Object)
	here := s.URL + api + "acme_lib/files/1.0.0%2B1.tar.gz"
	if one["archive_url"] != here || one["archive_sha256"] != sum(archive) || listing["isDiscontinued"] != nil || one["retracted"] != nil {
		t.Errorf("version = %v", one)
	}
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", one["published"].(string)); err != nil || time.Since(at) > time.Minute {
		t.Errorf("published = %v: %v", one["published"], err)
	}
	pubspec := one["pubspec"].(servertest.Object)
	for key, want := range map[string]string{
		"name": `"acme_lib"`, "version": `"1.0.0+1"`, "description": `"A  library of acmé"`, "x_date": `"2026-01-02"`, "x_on": `"on"`,
		"x_list": `[1,16,1.5,-0,true,null,"1"]`, "executables": `{"acme":null}`,
		"dev_dependencies": `{"test":"any"}`,
	} {
		if got := servertest.Encode(t, pubspec[key]); got != want {
			t.Errorf("pubspec %s = %s, want %s", key, got, want)
		}
	}
	for _, path := range []string{here, api + "acme_lib/files/1.0.0+1.tar.gz", root + "/packages/acme_lib/versions/1.0.0%2B1.tar.gz"} {
		res := s.Want(t, 200, "", "GET", path, "", "Accept-Encoding", "gzip")
		h := res.Header
		if res.Body != string(archive) || h.Get("Content-Encoding") != "" || h.Get("Content-Type") != "application/octet-stream" || h.Get("ETag") != `"`+sum(archive)+`"` {
			t.Errorf("%s: %d bytes, %v", path, len(res.Body), h)
		}
		if part := s.Want(t, 206, "", "GET", path, "", "Range", "bytes=2-5"); part.Body != string(archive[2:6]) {
			t.Errorf("%s: part %q", path, part.Body)
		}
		s.Want(t, 304, "", "GET", path, "", "If-None-Match", h.Get("ETag"))
		if head := s.Want(t, 200, "", "HEAD", path, ""); head.ContentLength != int64(len(archive)) {
			t.Errorf("HEAD %s: %d", path, head.ContentLength)
		}
	}
	for _, path := range []string{"acme_lib/versions/1.0.0%2B1", "acme_lib/1.0.0+1"} {
		res := s.Want(t, 200, "", "GET", api+path, "")
		if servertest.Encode(t, servertest.Decode(t, res.Body)) != servertest.Encode(t, one) || res.Header.Get("Content-Type") != mediaType {
			t.Errorf("%s = %s", path, res.Body)
		}
		s.Want(t, 304, "", "GET", api+path, "", "If-None-Match", res.Header.Get("ETag"))
	}

	v := s.Registry().Client().PackageVersion.Query().Where(packageversion.Version("1.0.0+1")).OnlyX(access.SystemContext(context.Background()))
	if v.Summary != "A library of acmé" || v.Readme != "# Hello\ufffd" || v.License != "MIT License" || v.RepositoryURL != "https://example.com/acme_lib" ||
		strings.Join(v.Keywords, " ") != "widgets forms" {
		t.Errorf("facts = %+v", v)
	}
	var dependencies []string
	for _, d := range v.Dependencies {
		dependencies = append(dependencies, d.Group+" "+d.Name+" "+d.Requirement)
	}
	want := `dependencies base ^1.0.0|dependencies other git: https://example.com/other.git|dependencies flutter sdk: flutter|` +
		`dependencies local path: ../local|dependencies hosted >=1.0.0 <2.0.0|dependencies whatever any|dev_dependencies test any`
	if got := strings.Join(dependencies, "|"); got != want {
		t.Errorf("dependencies = %s", got)
	}
	typ, _ := s.Registry().Type("pub")
	facts, err := typ.Facts(v)
	if got := fmt.Sprint(facts); err != nil || strings.Contains(got, "javascript") || !strings.Contains(got, "linux, web") || !strings.Contains(got, "^3.5.0") {
		t.Errorf("facts = %s, %v", got, err)
	}
}

// TestRefusals wants a readable answer from the second step of a publish that
// cannot be, the same however often it is asked, and nothing published.
func TestRefusals(t *testing.T) {
	s := newServer(t)
	s.release("Taken", "1.0.0")
	with := func(more ...entry) []byte {
		return pack(t, append([]entry{{name: "pubspec.yaml", body: "name: bad\nversion: 1.0.0\n"}}, more...)...)
	}
	pubspec := func(text string) []byte { return pack(t, entry{name: "pubspec.yaml", body: text}) }
	good := with()
	for _, tt := range []struct {
		name    string
		archive []byte
		status  int
		want    string
	}{
		{"nothing", nil, 400, "gzip"},
		{"no gzip", []byte("test"), 400, "gzip"},
		{"cut off", good[:len(good)/2], 400, "no good"},
		{"a changed checksum", append(good[:len(good)-6:len(good)-6], 1, 2, 3, 4, 5, 6), 400, "no good"},
		{"no pubspec", pack(t, entry{name: "a/pubspec.yaml", body: "name: bad\nversion: 1.0.0\n"}), 400, "no pubspec.yaml"},
		{"an absolute path", with(entry{name: "/x"}), 400, "within"},
		{"a path that climbs", with(entry{name: "lib/../../x"}), 400, "within"},
		{"a backslash", with(entry{name: `lib\x`}), 400, "within"},
		{"a drive", with(entry{name: `c:x`}), 400, "within"},
		{"a link outside", with(entry{name: "lib/x", kind: tar.TypeSymlink, link: "../../x"}), 400, "leads out"},
		{"an absolute link", with(entry{name: "x", kind: tar.TypeSymlink, link: "/x"}), 400, "leads out"},
		{"a hard link outside", with(entry{name: "x", kind: tar.TypeLink, link: "../x"}), 400, "leads out"},
		{"a device", with(entry{name: "x", kind: tar.TypeChar}), 400, "neither"},
		{"two names alike", with(entry{name: "A.txt"}, entry{name: "a.TXT"}), 400, "twice"},
		{"two pubspecs", with(entry{name: "./pubspec.yaml", body: "name: good"}), 400, "twice"},
		{"a folder for a file", with(entry{name: "PUBSPEC.YAML", kind: tar.TypeDir}), 400, "twice"},
		{"a large pubspec", pubspec("name: bad\nversion: 1.0.0\n#" + strings.Repeat("x", 128<<10)), 400, "128 KiB"},
		{"not UTF-8", pubspec("name: bad\nversion: 1.0.0\nx: \xff"), 400, "UTF-8"},
		{"an empty pubspec", pubspec(""), 400, "empty"},
		{"a list", pubspec("- name"), 400, "mapping"},
		{"no YAML", pubspec("name: [bad"), 400, "pubspec.yaml"},
		{"two documents", pubspec("name: bad\n---\nname: bad\n"), 400, "more than one"},
		{"an anchor", pubspec("name: &a bad\nversion: 1.0.0\n"), 400, "anchors"},
		{"an alias", pubspec("x: &a {}\nname: *a\n"), 400, "anchors"},
		{"a key twice", pubspec("name: bad\n'name': bad\n"), 400, "twice"},
		{"a number as key", pubspec("name: bad\nversion: 1.0.0\nx: {1: 2}\n"), 400, "key"},
		{"not a number", pubspec("name: bad\nversion: 1.0.0\nx: .nan\n"), 400, ".nan"},
		{"infinite", pubspec("name: bad\nversion: 1.0.0\nx: -.inf\n"), 400, "-.inf"},
		{"a large number", pubspec("name: bad\nversion: 1.0.0\nx: 99999999999999999999\n"), 400, "too large"},
		{"a tag", pubspec("name: bad\nversion: 1.0.0\nx: !!binary aGk=\n"), 400, "tag"},
		{"deep nesting", pubspec("name: bad\nversion: 1.0.0\nx: " + strings.Repeat("[", 100) + strings.Repeat("]", 100)), 400, "deeper"},
		{"no name", pubspec("version: 1.0.0\n"), 400, "name"},
		{"a name with a dash", pubspec("name: a-b\nversion: 1.0.0\n"), 400, "a-b"},
		{"a name that begins with a digit", pubspec("name: 1a\nversion: 1.0.0\n"), 400, "1a"},
		{"a reserved word", pubspec("name: Class\nversion: 1.0.0\n"), 400, "Class"},
		{"too long a name", pubspec("name: " + strings.Repeat("n", 65) + "\nversion: 1.0.0\n"), 400, "name"},
		{"no version", pubspec("name: bad\n"), 400, "version"},
		{"a version that is a number", pubspec("name: bad\nversion: 1.0\n"), 400, "version"},
		{"a version of two numbers", pubspec("name: bad\nversion: '1.0'\n"), 400, "1.0"},
		{"a version with a v", pubspec("name: bad\nversion: v1.0.0\n"), 400, "v1.0.0"},
		{"a version with leading zeros", pubspec("name: bad\nversion: 1.01.0\n"), 400, "1.01.0"},
		{"a long version", pubspec("name: bad\nversion: 1.0.0-" + strings.Repeat("a", 60) + "\n"), 400, "64 bytes"},
		{"dependencies in a list", pubspec("name: bad\nversion: 1.0.0\ndependencies: [a]\n"), 400, "dependencies"},
		{"the same version", packageOf(t, "Taken", "1.0.0", "x: other\n"), 409, "already exists"},
		{"another spelling", packageOf(t, "taken", "1.0.0", ""), 409, "Taken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := s.in(t)
			code := map[int]string{400: "InvalidInput", 409: "VersionExists"}[tt.status]
			location := s.upload("ann", tt.archive)
			for range 2 {
				if message := s.fails(tt.status, code, "GET", location, "", s.bearer("ann")...); !strings.Contains(message, tt.want) {
					t.Errorf("message %q does not speak of %q", message, tt.want)
				}
			}
		})
	}
	s.fails(404, "NotFound", "GET", api+"bad", "")
	if got := versions(s.listing("Taken")); got != "1.0.0 > 1.0.0" {
		t.Errorf("listing = %s", got)
	}
}

// TestUploadRefusals wants XML from the first step, which is all that the
// client reads there.
func TestUploadRefusals(t *testing.T) {
	s := newServer(t, func(c *server.Config) { c.Limits.FileSize = 1 << 20 })
	file := [2]string{"file", string(packageOf(t, "bad", "1.0.0", ""))}
	noFile, noFileType := form(t, [2]string{"other", "x"})
	two, twoType := form(t, file, file)
	good, goodType := form(t, file)
	large, largeType := form(t, [2]string{"file", strings.Repeat("x", 1<<20+1)})
	for _, tt := range []struct {
		name, login, body, contentType string
		status                         int
		code                           string
	}{
		{"no form", "ann", "{}", "application/json", 400, "InvalidInput"},
		{"no file", "ann", noFile, noFileType, 400, "InvalidInput"},
		{"two files", "ann", two, twoType, 400, "InvalidInput"},
		{"cut off in the file", "ann", good[:len(good)/2], goodType, 400, "InvalidInput"},
		{"cut off at the end", "ann", good[:len(good)-4], goodType, 400, "InvalidInput"},
		{"too large", "ann", large, largeType, 413, "QuotaExceeded"},
		{"a reader", "rea", good, goodType, 403, "Forbidden"},
		{"nobody", "", good, goodType, 401, "Unauthorized"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{"Content-Type", tt.contentType}
			if tt.login != "" {
				headers = s.bearer(tt.login, headers...)
			}
			res := s.Want(t, tt.status, "", "POST", api+"versions/new/upload", tt.body, headers...)
			var e struct {
				XMLName xml.Name `xml:"Error"`
				Code    string
				Message string
			}
			if err := xml.Unmarshal([]byte(res.Body), &e); err != nil || e.Code != tt.code || e.Message == "" || res.Header.Get("Content-Type") != "application/xml" {
				t.Errorf("answer = %q, %v; want the code %s", res.Body, err, tt.code)
			}
		})
	}
	if n := s.Registry().Client().BlobUpload.Query().CountX(access.SystemContext(context.Background())); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

// TestFinalize asks again, as another, late and for nothing.
func TestFinalize(t *testing.T) {
	s := newServer(t)
	ctx := access.SystemContext(context.Background())
	location := s.upload("ann", packageOf(t, "lib_a", "1.0.0", ""))
	s.fails(404, "NotFound", "GET", location, "", s.bearer("wim")...)
	s.fails(403, "Forbidden", "GET", location, "", s.bearer("rea")...)
	s.fails(401, "Unauthorized", "GET", location, "")
	first := s.Want(t, 200, "", "GET", location, "", s.bearer("ann")...).Body
	for range 2 {
		if again := s.Want(t, 200, "", "GET", location, "", s.bearer("ann")...).Body; again != first {
			t.Errorf("asked again: %s, at first %s", again, first)
		}
	}
	s.fails(404, "NotFound", "GET", location, "", s.bearer("wim")...)
	s.fails(404, "NotFound", "GET", api+"versions/new/finalize/unknown", "", s.bearer("ann")...)
	if got := versions(s.listing("lib_a")); got != "1.0.0 > 1.0.0" {
		t.Errorf("listing = %s", got)
	}
	late := time.Now().Add(-2 * time.Hour)
	aged := func(u *sql.UpdateBuilder) { u.Set("created_at", late) }
	s.Registry().Client().PackageVersion.Update().Modify(aged).ExecX(ctx)
	s.fails(404, "NotFound", "GET", location, "", s.bearer("ann")...)

	waiting := s.upload("ann", packageOf(t, "lib_a", "1.1.0", ""))
	session := waiting[strings.LastIndex(waiting, "/")+1:]
	if n := s.Registry().Client().BlobUpload.Update().Where(blobupload.Session(session)).Modify(aged).SaveX(ctx); n != 1 {
		t.Fatalf("%d uploads of that name", n)
	}
	s.fails(404, "NotFound", "GET", waiting, "", s.bearer("ann")...)
}

// TestRace finalizes one upload, and uploads of one version, many times at
// once: it is published once, and who sent it is told so.
func TestRace(t *testing.T) {
	s := newServer(t)
	locations := []string{s.upload("ann", packageOf(t, "race", "1.0.0", "x: 1")), s.upload("ann", packageOf(t, "race", "1.0.0", "x: 2"))}
	type answer struct{ location, status int }
	answers := make(chan answer, 16)
	for i := range cap(answers) {
		go func() {
			req, _ := http.NewRequest("GET", locations[i%2], nil)
			req.Header.Set("Authorization", "Bearer "+s.Tokens["ann"])
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				answers <- answer{i % 2, 0}
				return
			}
			res.Body.Close()
			answers <- answer{i % 2, res.StatusCode}
		}()
	}
	counts := [2]map[int]int{{}, {}}
	for range cap(answers) {
		a := <-answers
		counts[a.location][a.status]++
	}
	if counts[0][200] == 0 {
		counts[0], counts[1] = counts[1], counts[0]
	}
	if counts[0][200] == 0 || counts[1][200] != 0 || counts[1][409] != 8 {
		t.Errorf("answers = %v", counts)
	}
	if got := versions(s.listing("race")); got != "1.0.0 > 1.0.0" {
		t.Errorf("listing = %s", got)
	}
}

// TestDelete deletes versions, whose numbers can then be used again.
func TestDelete(t *testing.T) {
	s := newServer(t)
	s.release("gone", "1.0.0")
	s.release("gone", "1.1.0")
	remove := func(version string) {
		t.Helper()
		s.change("gone", func(space *registry.Space, p *ent.Pkg) error {
			return space.DeleteVersions(t.Context(), p, []string{version}, nil)
		})
	}
	remove("1.1.0")
	if got := versions(s.listing("gone")); got != "1.0.0 > 1.0.0" {
		t.Errorf("listing = %s", got)
	}
	for _, path := range []string{"gone/files/1.1.0.tar.gz", "gone/versions/1.1.0", "gone/1.1.0"} {
		s.fails(404, "NotFound", "GET", api+path, "")
	}
	other := s.release("gone", "1.1.0", "x: other")
	if res := s.Want(t, 200, "", "GET", api+"gone/files/1.1.0.tar.gz", ""); res.Body != string(other) {
		t.Error("the archive is not the new one")
	}
	remove("1.0.0")
	remove("1.1.0")
	s.fails(404, "NotFound", "GET", api+"gone", "")
}
