package cran_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"entrepot/access"
)

func TestRecord(t *testing.T) {
	r := newRepository(t)
	text := "Package: foo.bar\r\nVersion: 1.0-1\r\nTitle: Fran\xe7ais\nEncoding: latin1\nAuthor: Andr\xe9\nPriority: optional\n" +
		"Depends: R (>= 3.5.0),\n    methods\nImports: a(>=1.0),b,\n\tc (>= 2)\n  see: this\nLinkingTo: Rcpp\nSuggests: testthat\nEnhances: x\n" +
		"License: GPL-2\nLicense: MIT + file LICENSE\nLicense_is_FOSS: yes\nOS_type: unix\nNeedsCompilation: Yes\nConfig/x: y\nAuthors@R: person(\"A\")\n"
	body := r.put("/src", targz(t, member{name: "foo.bar/DESCRIPTION", content: text}, member{name: "foo.bar/README.md", content: "# foo"}))
	want := "Package: foo.bar\nVersion: 1.0-1\nPriority: optional\nDepends: R (>= 3.5.0), methods\nImports: a(>=1.0),b, c (>= 2) see: this\n" +
		"LinkingTo: Rcpp\nSuggests: testthat\nEnhances: x\nLicense: MIT + file LICENSE\nLicense_is_FOSS: yes\nOS_type: unix\nMD5sum: " + md5Of(body) + "\nNeedsCompilation: yes\n"
	if got := r.get("/src/contrib/PACKAGES"); got != want {
		t.Errorf("the record is\n%s\nwant\n%s", got, want)
	}
	shown := r.get("/web/packages/foo.bar/DESCRIPTION")
	for _, line := range []string{"Title: Français\n", "Author: André\n", "Encoding: UTF-8\n", "Config/x: y\n"} {
		if !strings.Contains(shown, line) {
			t.Errorf("the DESCRIPTION lacks %q:\n%s", line, shown)
		}
	}
	if to := r.Want(t, 302, "", "GET", root+"/web/packages/foo.bar/index.html", "").Header.Get("Location"); to != r.URL+"/acme/cran/foo.bar" {
		t.Errorf("the page is at %s", to)
	}
	r.wantSound()
}

// listed are the names and versions of a PACKAGES.
func listed(text string) string {
	var all []string
	for _, record := range strings.Split(strings.TrimSuffix(text, "\n"), "\n\n") {
		name, rest, _ := strings.Cut(strings.TrimPrefix(record, "Package: "), "\nVersion: ")
		version, _, _ := strings.Cut(rest, "\n")
		all = append(all, name+" "+version)
	}
	return strings.Join(all, ", ")
}

func TestWhichVersions(t *testing.T) {
	r := newRepository(t)
	for _, v := range []string{"1.0", "1.10", "1.9", "1.2-3", "0.9"} {
		r.publish("app", v)
	}
	r.publish("Zeta", "1.0")
	r.publish("a.b", "1.0")
	if got := listed(r.get("/src/contrib/PACKAGES")); got != "Zeta 1.0, a.b 1.0, app 1.10" {
		t.Errorf("the sources listed are %s", got)
	}
	// A version that few can have stands beside the highest that others can.
	r.publish("app", "2.0", "Depends: R (>= 99.0)")
	r.publish("app", "1.11", "Depends: R (>= 99.0)")
	if got := listed(r.get("/src/contrib/PACKAGES")); got != "Zeta 1.0, a.b 1.0, app 1.10, app 2.0" {
		t.Errorf("the sources listed are %s", got)
	}
	bin := "/bin/macosx/big-sur-arm64/contrib/4.2/"
	for _, v := range []string{"1.0", "1.9"} {
		r.put(bin+"x", source(t, "app", v, builtOn("4.2", "unix")))
	}
	got := r.get(bin + "PACKAGES")
	if listed(got) != "app 1.9" || !strings.Contains(got, "\nBuilt: R 4.2.3; ; ") {
		t.Errorf("the binary index is\n%s", got)
	}
	r.Want(t, 204, "ann", "DELETE", root+"/src/contrib/app_1.10.tar.gz", "")
	if got := listed(r.get("/src/contrib/PACKAGES")); got != "Zeta 1.0, a.b 1.0, app 1.9, app 2.0" {
		t.Errorf("after a deletion the sources listed are %s", got)
	}
	page := r.get("/src/contrib/Archive/app/")
	last := 0
	for _, v := range []string{"0.9", "1.0", "1.2-3", "1.9", "1.11", "2.0"} {
		at := strings.Index(page, fmt.Sprintf(`<a href="app_%s.tar.gz">`, v))
		if at <= last {
			t.Errorf("%s is out of place in\n%s", v, page)
		}
		last = at
	}
	r.wantSound()
}

func TestForms(t *testing.T) {
	r := newRepository(t)
	for _, path := range []string{"/src/contrib/PACKAGES", "/bin/windows/contrib/4.2/PACKAGES", "/bin/macosx/big-sur-arm64/contrib/4.4/PACKAGES"} {
		if got := r.get(path); got != "" {
			t.Errorf("%s is %q", path, got)
		}
		if got := unzip(t, r.get(path+".gz")); got != "" {
			t.Errorf("%s.gz holds %q", path, got)
		}
		if m := readRDS(t, r.get(path+".rds")); m.attributes["dim"].ints[0] != 0 {
			t.Errorf("%s.rds is %+v", path, m)
		}
	}
	if m := readRDS(t, r.get("/src/contrib/Meta/archive.rds")); len(m.list) != 0 {
		t.Errorf("the archive is %+v", m)
	}
	app := r.publish("app", "1.0", "Imports: é")
	r.publish("lib", "1.0", "OS_type: unix")
	path := root + "/src/contrib/PACKAGES"
	plain := r.Want(t, 200, "", "GET", path, "")
	packed := r.Want(t, 200, "", "GET", path+".gz", "", "Accept-Encoding", "gzip")
	if got := unzip(t, packed.Body); got != plain.Body || packed.Header.Get("Content-Encoding") != "" || packed.Header.Get("Content-Type") != "application/x-gzip" {
		t.Errorf("PACKAGES.gz holds %q, %v", got, packed.Header)
	}
	matrix := readRDS(t, r.get("/src/contrib/PACKAGES.rds"))
	if got := fmt.Sprint(matrix.attributes["dim"].ints); got != "[2 6]" {
		t.Errorf("the matrix has the dimensions %s", got)
	}
	if got := strings.Join(matrix.attributes["dimnames"].list[1].strings, " "); got != "Package Version Imports License MD5sum OS_type" {
		t.Errorf("the columns are %s", got)
	}
	if got := strings.Join(matrix.strings, "|"); got != "app|lib|1.0|1.0|é|NA|MIT|MIT|"+md5Of(app)+"|"+matrix.strings[9]+"|NA|unix" {
		t.Errorf("the matrix is %s", got)
	}
	for _, file := range []string{"", ".gz", ".rds"} {
		first := r.Want(t, 200, "", "GET", path+file, "")
		r.Want(t, 304, "", "GET", path+file, "", "If-None-Match", first.Header.Get("ETag"))
		r.Want(t, 304, "", "GET", path+file, "", "If-Modified-Since", first.Header.Get("Last-Modified"))
		if head := r.Want(t, 200, "", "HEAD", path+file, ""); head.Body != "" || !strings.Contains(head.Header.Get("Cache-Control"), "no-cache") {
			t.Errorf("HEAD %s: %v", file, head.Header)
		}
	}
	r.wantSound()
}

func TestMeta(t *testing.T) {
	r := newRepository(t)
	for _, v := range []string{"1.0", "1.10", "1.9"} {
		r.publish("app", v)
	}
	r.publish("lib", "1.0")
	archive := readRDS(t, r.get("/src/contrib/Meta/archive.rds"))
	if names := archive.attributes["names"]; len(archive.list) != 1 || names.strings[0] != "app" {
		t.Fatalf("the archive is %+v", archive)
	}
	frame := archive.list[0]
	if got := strings.Join(frame.attributes["row.names"].strings, " "); got != "app/app_1.0.tar.gz app/app_1.9.tar.gz" {
		t.Errorf("the archive of app has %s", got)
	}
	if frame.list[0].reals[0] != float64(len(r.get("/src/contrib/app_1.0.tar.gz"))) || frame.list[1].reals[0] < 1e9 ||
		strings.Join(frame.list[1].attributes["class"].strings, " ") != "POSIXct POSIXt" {
		t.Errorf("the frame is %+v", frame)
	}
	current := readRDS(t, r.get("/src/contrib/Meta/current.rds"))
	if got := strings.Join(current.attributes["row.names"].strings, " "); got != "app_1.10.tar.gz lib_1.0.tar.gz" {
		t.Errorf("the current files are %s", got)
	}
}

func TestPrivate(t *testing.T) {
	r := newRepository(t)
	r.publish("app", "1.0")
	r.publish("secret", "1.0")
	ctx := access.SystemContext(context.Background())
	s, err := r.Registry().Enter(ctx, "acme", "cran", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Package(ctx, "secret", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetVisibility(ctx, p, access.Private); err != nil {
		t.Fatal(err)
	}
	for login, want := range map[string]string{"": "app 1.0", "out": "app 1.0", "rea": "app 1.0, secret 1.0"} {
		if got := listed(r.Want(t, 200, login, "GET", root+"/src/contrib/PACKAGES", "").Body); got != want {
			t.Errorf("%q reads %s", login, got)
		}
		rds := readRDS(t, r.Want(t, 200, login, "GET", root+"/src/contrib/PACKAGES.rds", "").Body)
		if got := rds.attributes["dim"].ints[0]; got != strings.Count(want, "1.0") {
			t.Errorf("%q reads %d rows", login, got)
		}
	}
	r.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{"/src/contrib/PACKAGES", "/src/contrib/app_1.0.tar.gz", "/bin/windows/contrib/4.2/PACKAGES.gz", "/src/contrib/Meta/archive.rds"} {
		if got := r.Want(t, 401, "", "GET", root+path, "").Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic ") {
			t.Errorf("%s: the challenge %q", path, got)
		}
		r.Want(t, 404, "out", "GET", root+path, "")
	}
	r.wantSound()
}

func unzip(tb testing.TB, packed string) string {
	tb.Helper()
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		tb.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// value is a value of R's.
type value struct {
	strings    []string
	ints       []int
	reals      []float64
	list       []*value
	attributes map[string]*value
}

// readRDS reads what saveRDS writes, as far as indexes have it.
func readRDS(tb testing.TB, packed string) *value {
	tb.Helper()
	rest, ok := strings.CutPrefix(unzip(tb, packed), "X\n\x00\x00\x00\x02\x00\x04\x00\x00\x00\x02\x03\x00")
	if !ok {
		tb.Fatal("it does not begin as such a file does")
	}
	take := func(n int) string {
		if n > len(rest) {
			tb.Fatal("the file ends early")
		}
		part := rest[:n]
		rest = rest[n:]
		return part
	}
	number := func() int { return int(int32(binary.BigEndian.Uint32([]byte(take(4))))) }
	chars := func() string {
		if flags := number(); flags&0xff != 9 {
			tb.Fatalf("%x is no text", flags)
		}
		n := number()
		if n < 0 {
			return "NA"
		}
		return take(n)
	}
	var read func() *value
	read = func() *value {
		flags := number()
		v := &value{attributes: map[string]*value{}}
		switch flags & 0xff {
		case 0xfe:
			return v
		case 13:
			for range number() {
				v.ints = append(v.ints, number())
			}
		case 14:
			for range number() {
				v.reals = append(v.reals, math.Float64frombits(binary.BigEndian.Uint64([]byte(take(8)))))
			}
		case 16:
			for range number() {
				v.strings = append(v.strings, chars())
			}
		case 19:
			for range number() {
				v.list = append(v.list, read())
			}
		default:
			tb.Fatalf("there is something of the type %x", flags)
		}
		for flags&0x200 != 0 {
			pair := number()
			if pair == 0xfe {
				break
			}
			if symbol := number(); pair != 0x402 || symbol != 1 {
				tb.Fatalf("an attribute is %x %x", pair, symbol)
			}
			name := chars()
			v.attributes[name] = read()
		}
		return v
	}
	v := read()
	if rest != "" {
		tb.Fatalf("%d bytes are left", len(rest))
	}
	return v
}

// TestFacts looks at what the page of a version shows.
func TestFacts(t *testing.T) {
	r := newRepository(t)
	r.put("/src", targz(t,
		member{name: "lib/DESCRIPTION", content: describe("lib", "1.0", "Depends: R (>= 3.5.0), methods", "Authors@R: person(\"Ann\")", "Maintainer: Ann <ann@example.com>",
			"URL: https://example.com/lib, https://example.com/lib.git", "Description: Does it.", "Config/testthat/edition: 3")},
		member{name: "lib/NEWS.md", content: "# lib 1.0"}, member{name: "lib/README.md", content: "# Read me"}))
	r.publish("app", "1.0", "Imports: lib (>= 1.0)")
	r.publish("hidden", "1.0", "Suggests: lib")
	system := access.SystemContext(context.Background())
	s, err := r.Registry().Enter(system, "acme", "cran", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := s.Package(system, "hidden", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetVisibility(system, hidden, access.Private); err != nil {
		t.Fatal(err)
	}
	p, err := s.Package(system, "lib", access.Read)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Latest(system, p)
	if err != nil {
		t.Fatal(err)
	}
	if v.Homepage != "https://example.com/lib" || v.RepositoryURL != "https://example.com/lib.git" || v.Readme != "# Read me" || len(v.Dependencies) != 2 {
		t.Errorf("the version is %+v", v)
	}
	typ, _ := r.Registry().Type("cran")
	facts, err := typ.Facts(v)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := typ.StoredFacts(access.NewContext(context.Background(), access.Viewer{}), r.Registry().Holdings(p), v)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range append(facts, stored...) {
		got[f.Name] = f.Value + fmt.Sprint(f.Rows)
	}
	for name, want := range map[string]string{
		"r": ">= 3.5.0[]", "authors": `person("Ann")[]`, "maintainer": "Ann <ann@example.com>[]", "description": "Does it.[]",
		"config": "[[Config/testthat/edition 3]]", "news": "# lib 1.0[]", "dependents": "app[]",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}
