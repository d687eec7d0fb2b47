package pub_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry"
	"entrepot/server/servertest"
)

// TestOrder publishes versions in a muddle. Each stands for itself, build
// metadata and case included.
func TestOrder(t *testing.T) {
	s := newServer(t)
	for _, v := range []string{"1.10.0", "1.0.0+2", "2.0.0-dev.1", "1.0.0", "1.0.0+10", "1.0.0+1", "1.0.0+a", "1.0.0-RC", "1.0.0-rc", "1.0.0-1", "1.9.0", "1.0.0+1.1"} {
		s.release("many", v)
	}
	want := "1.0.0-1 1.0.0-RC 1.0.0-rc 1.0.0 1.0.0+1 1.0.0+1.1 1.0.0+2 1.0.0+10 1.0.0+a 1.9.0 1.10.0 2.0.0-dev.1 > 1.10.0"
	if got := versions(s.listing("many")); got != want {
		t.Errorf("versions = %s\nwant %s", got, want)
	}
}

func TestLatest(t *testing.T) {
	s := newServer(t)
	s.release("lib_a", "1.0.0")
	s.release("lib_a", "1.0.0+1")
	s.release("lib_a", "1.1.0-dev.1")
	for _, tt := range []struct {
		version   string
		retracted bool
		want      string
	}{
		{"1.0.0+1", true, "1.0.0 1.0.0+1! 1.1.0-dev.1 > 1.0.0"},
		{"1.0.0", true, "1.0.0! 1.0.0+1! 1.1.0-dev.1 > 1.1.0-dev.1"},
		{"1.1.0-dev.1", true, "1.0.0! 1.0.0+1! 1.1.0-dev.1! > 1.0.0+1"},
		{"1.0.0", false, "1.0.0 1.0.0+1! 1.1.0-dev.1! > 1.0.0"},
	} {
		s.retract("lib_a", tt.version, tt.retracted)
		if got := versions(s.listing("lib_a")); got != tt.want {
			t.Errorf("%s retracted %v: %s, want %s", tt.version, tt.retracted, got, tt.want)
		}
	}
	// A retracted version stays where it was for who names it.
	s.Want(t, 200, "", "GET", api+"lib_a/files/1.0.0+1.tar.gz", "")
	one := servertest.Decode(t, s.Want(t, 200, "", "GET", api+"lib_a/versions/1.0.0+1", "").Body)
	if one["retracted"] != true {
		t.Errorf("version = %v", one)
	}
}

func TestDiscontinued(t *testing.T) {
	s := newServer(t)
	s.release("old_lib", "1.0.0")
	for _, tt := range []struct {
		state, reason string
		want          [2]any
	}{
		{"discontinued", "new_lib", [2]any{true, "new_lib"}},
		{"discontinued", "nobody has time", [2]any{true, nil}},
		{"discontinued", "", [2]any{true, nil}},
		{"", "", [2]any{nil, nil}},
	} {
		s.change("old_lib", func(space *registry.Space, p *ent.Pkg) error {
			return space.SetState(t.Context(), p, registry.PackageState{State: tt.state, Reason: tt.reason})
		})
		listing := s.listing("old_lib")
		if got := [2]any{listing["isDiscontinued"], listing["replacedBy"]}; got != tt.want {
			t.Errorf("%s %q: %v, want %v", tt.state, tt.reason, got, tt.want)
		}
	}
}

func TestConditions(t *testing.T) {
	s := newServer(t)
	s.release("lib_a", "1.0.0")
	res := s.Want(t, 200, "", "GET", api+"lib_a", "", "Accept", "text/html")
	if !strings.Contains(res.Header.Get("Cache-Control"), "no-cache") {
		t.Errorf("Cache-Control = %q", res.Header.Get("Cache-Control"))
	}
	etag := res.Header.Get("ETag")
	s.Want(t, 304, "", "GET", api+"lib_a", "", "If-None-Match", etag)
	if head := s.Want(t, 200, "", "HEAD", api+"lib_a", ""); head.ContentLength != int64(len(res.Body)) || head.Header.Get("Content-Type") != mediaType {
		t.Errorf("HEAD: %v", head.Header)
	}
	if packed := s.Want(t, 200, "", "GET", api+"lib_a", "", "Accept-Encoding", "gzip"); packed.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("packed: %v", packed.Header)
	}
	s.release("lib_a", "1.1.0")
	s.Want(t, 200, "", "GET", api+"lib_a", "", "If-None-Match", etag)

	// The client sends its token to what begins with the hosted URL, as it was
	// written.
	other := servertest.Decode(t, s.Want(t, 200, "", "GET", "/api/packages/ACME/pub/api/packages/lib_a", "").Body)
	if got, _ := servertest.At(other["latest"], "archive_url").(string); !strings.HasPrefix(got, s.URL+"/api/packages/ACME/pub/") {
		t.Errorf("archive_url = %q", got)
	}
}

func TestMissing(t *testing.T) {
	s := newServer(t)
	s.release("Lib_A", "1.0.0")
	for _, path := range []string{
		"none", "lib_a", "Lib_A/1.0.1", "Lib_A/1.0", "Lib_A/versions/1.0.1", "Lib_A/versions/new", "Lib_A/files/1.0.1.tar.gz", "Lib_A/files/1.0.0.zip",
		"Lib_A/files/1.0.0", "Lib_A/files/.tar.gz", "Lib_A/advisories", "a-b", "class", "versions",
	} {
		s.fails(404, "NotFound", "GET", api+path, "")
	}
	s.fails(404, "NotFound", "GET", root+"/packages/Lib_A/versions/1.0.1.tar.gz", "")
	s.fails(404, "NotFound", "GET", root+"/nothing", "")
	s.fails(405, "InvalidInput", "PUT", api+"Lib_A", "", s.bearer("ann")...)
	// A package can be called as a word of the paths is.
	for _, name := range []string{"versions", "files", "advisories"} {
		s.release(name, "1.0.0")
		s.listing(name)
		s.Want(t, 200, "", "GET", api+name+"/versions/1.0.0", "")
		s.Want(t, 200, "", "GET", api+name+"/files/1.0.0.tar.gz", "")
	}
}

// TestChallenges tells 401, at which the client forgets its token, from 403.
func TestChallenges(t *testing.T) {
	s := newServer(t)
	s.Organization(t, "vault", access.Private)
	vault := "/api/packages/vault/pub"
	expect := func(status int, code, path, message string, headers ...string) {
		t.Helper()
		s.fails(status, code, "GET", path, "", headers...)
		challenge := s.Want(t, status, "", "GET", path, "", headers...).Header.Get("WWW-Authenticate")
		rest, ok := strings.CutPrefix(challenge, `Bearer realm="pub", message="`)
		if !ok || strings.Count(rest, `"`) != 1 || !strings.HasSuffix(rest, `"`) || !strings.Contains(rest, message) {
			t.Errorf("%s: challenge %q, want one with %q", path, challenge, message)
		}
	}
	login := "dart pub token add " + s.URL + vault
	for _, path := range []string{"/api/packages/none", "/api/packages/versions/new", "/api/packages/none/files/1.0.0.tar.gz"} {
		expect(401, "Unauthorized", vault+path, login)
	}
	expect(401, "Unauthorized", api+"versions/new", "dart pub token add")
	expect(401, "Unauthorized", api+"versions/new", "dart pub token add", "Authorization", "Bearer wrong")
	expect(403, "Forbidden", api+"versions/new", "role", s.bearer("rea")...)
	reader := s.Token(t, "ann", access.ReadPackage)
	expect(403, "Forbidden", api+"versions/new", "scope", "Authorization", "Bearer "+reader)
	s.fails(404, "NotFound", "GET", vault+"/api/packages/none", "", s.bearer("ann")...)
	s.fails(404, "NotFound", "GET", vault+"/api/packages/none", "", s.bearer("out")...)
	s.Want(t, 200, "wim", "GET", api+"versions/new", "") // Basic will do
}

func TestInstructions(t *testing.T) {
	s := newServer(t)
	typ, _ := s.Registry().Type("pub")
	in := registry.InstructionsInput{BaseURL: "https://example.com", Owner: "acme"}
	titles := func() (all []string) {
		for _, i := range typ.Instructions(in) {
			all = append(all, i.Client+" "+i.Title)
		}
		return all
	}
	if got := titles(); !slices.Equal(got, []string{"dart Set up", "dart Publish", "flutter Set up", "flutter Publish"}) {
		t.Errorf("instructions = %q", got)
	}
	in.Package, in.Version = &ent.Pkg{Name: "acme_lib"}, &ent.PackageVersion{Version: "1.0.0"}
	text := fmt.Sprint(typ.Instructions(in))
	for _, want := range []string{
		"dart pub add 'acme_lib@{hosted: https://example.com/api/packages/acme/pub, version: ^1.0.0}'",
		"flutter pub token add https://example.com/api/packages/acme/pub --env-var ENT_TOKEN",
		"publish_to: https://example.com/api/packages/acme/pub\n",
		"    hosted: https://example.com/api/packages/acme/pub\n    version: ^1.0.0\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("instructions lack %q: %s", want, text)
		}
	}
}

// TestStatements counts what is asked of the database: no more for forty
// versions than for three.
func TestStatements(t *testing.T) {
	s := newServer(t)
	count := func(f func()) (reads, writes int64) {
		r0, w0 := s.Registry().Database().Statements()
		f()
		r1, w1 := s.Registry().Database().Statements()
		return r1 - r0, w1 - w0
	}
	var publishes [2][2]int64
	for round, n := range []int{3, 40} {
		for i := range n {
			publishes[round][0], publishes[round][1] = count(func() { s.release("many", fmt.Sprintf("%d.%d.0", round+1, i)) })
		}
		etag := s.Want(t, 200, "ann", "GET", api+"many", "").Header.Get("ETag")
		for _, tt := range []struct {
			name, path string
			status     int
			most       int64
		}{
			{"listing, warm", "many", 200, 4},
			{"listing, 304", "many", 304, 4},
			{"version", "many/versions/1.0.0", 200, 7},
			{"archive", "many/files/1.0.0.tar.gz", 200, 6},
		} {
			var headers []string
			if tt.status == 304 {
				headers = []string{"If-None-Match", etag}
			}
			reads, writes := count(func() { s.Want(t, tt.status, "ann", "GET", api+tt.path, "", headers...) })
			if reads > tt.most || writes != 0 {
				t.Errorf("%d versions: %s: %d reads, %d writes; want at most %d and 0", n, tt.name, reads, writes, tt.most)
			}
		}
		s.Change(t, "many")
		if reads, _ := count(func() { s.Want(t, 200, "ann", "GET", api+"many", "") }); reads > 10 {
			t.Errorf("%d versions: listing, cold: %d reads, want at most 10", n, reads)
		}
	}
	if publishes[0] != publishes[1] {
		t.Errorf("a publish takes %v statements after 3 versions, %v after 43", publishes[0], publishes[1])
	}
}
