package cargo_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent/pkg"
	"entrepot/registry"
	"entrepot/server/servertest"
)

// space is the organization's crates as the user may see them.
func (s *testServer) space(login string) *registry.Space {
	s.tb.Helper()
	req, err := http.NewRequest("GET", s.URL, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	req.Header.Set("Authorization", s.Tokens[login])
	viewer, err := s.Auth().Identify(req)
	if err != nil {
		s.tb.Fatal(err)
	}
	space, err := s.Registry().Enter(access.NewContext(context.Background(), viewer), "acme", "cargo", access.Read)
	if err != nil {
		s.tb.Fatal(err)
	}
	return space
}

func TestConfig(t *testing.T) {
	s := newServer(t)
	here := s.URL + root
	want := `{"dl":"` + here + `/api/v1/crates","api":"` + here + `","auth-required":false}` + "\n"
	for _, login := range []string{"", "ann"} {
		if got := s.Want(t, 200, login, "GET", "/api/packages/ACME/cargo/config.json", "").Body; got != want {
			t.Errorf("config as %q = %s, want %s", login, got, want)
		}
	}
	s.SetVisibility(t, "acme", "LIMITED")
	if got := servertest.Decode(t, s.Want(t, 200, "out", "GET", root+"/config.json", "").Body); got["auth-required"] != true {
		t.Errorf("config = %v", got)
	}
	if got := s.Want(t, 302, "", "GET", root+"/me", "").Header.Get("Location"); got != s.URL+"/settings/tokens" {
		t.Errorf("me leads to %q", got)
	}
}

func TestIndexPaths(t *testing.T) {
	s := newServer(t)
	for name, path := range map[string]string{
		"a": "1/a", "Ab": "2/ab", "abc": "3/a/abc", "api": "3/a/api", "config": "co/nf/config", "crates": "cr/at/crates", "My-Lib": "my/-l/my-lib", "new": "3/n/new",
	} {
		s.publish(name, "1.0.0")
		if got := s.lines(path); len(got) != 1 || got[0]["name"] != name {
			t.Errorf("%s: %v", path, got)
		}
	}
	for _, path := range []string{
		"2/a", "1/ab", "3/b/abc", "ab/c/abc", "xx/yy/config", "co/nf/CONFIG", "CO/NF/config", "my/_l/my_lib", "un/kn/unknown", "3/a/ab-",
		"co/nf/config/x", "co", "api/v1", "api/v1/crates/none", "1/..", "1/%2e",
	} {
		s.fails(404, "", "GET", root+"/"+path, "")
	}
	s.fails(405, "ann", "POST", root+"/1/a", "")
}

func TestIndexConditions(t *testing.T) {
	s := newServer(t)
	for _, v := range []string{"1.10.0", "1.9.0", "2.0.0-rc.1", "1.9.0-beta"} {
		s.publish("many", v)
	}
	const path = root + "/ma/ny/many"
	if got := versions(s.lines("ma/ny/many")); got != "1.9.0-beta 1.9.0 1.10.0 2.0.0-rc.1" {
		t.Errorf("versions = %s", got)
	}
	res := s.Want(t, 200, "", "GET", path, "")
	if got := res.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type = %q", got)
	}
	if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "no-cache") {
		t.Errorf("Cache-Control = %q", got)
	}
	etag := res.Header.Get("ETag")
	if again := s.Want(t, 304, "", "GET", path, "", "If-None-Match", etag); again.Body != "" {
		t.Errorf("a 304 has the body %q", again.Body)
	}
	packed := s.Want(t, 200, "", "GET", path, "", "Accept-Encoding", "gzip")
	if packed.Header.Get("Content-Encoding") != "gzip" || len(packed.Body) >= len(res.Body) {
		t.Errorf("packed: %d bytes, plain: %d; %v", len(packed.Body), len(res.Body), packed.Header)
	}
	s.Want(t, 304, "", "GET", path, "", "Accept-Encoding", "gzip", "If-None-Match", packed.Header.Get("ETag"))
	s.Want(t, 200, "", "HEAD", path, "")
	s.Want(t, 200, "ann", "DELETE", api+"/many/1.9.0/yank", "")
	s.Want(t, 200, "", "GET", path, "", "If-None-Match", etag)

	// A date is told when its second is over.
	if got := s.Want(t, 200, "", "GET", path, "").Header.Get("Last-Modified"); got != "" {
		t.Errorf("Last-Modified of this second: %q", got)
	}
	ctx := access.SystemContext(context.Background())
	past := time.Now().Add(-time.Hour)
	s.Registry().Client().Pkg.Update().Where(pkg.Name("many")).SetUpdatedAt(past).ExecX(ctx)
	modified := s.Want(t, 200, "", "GET", path, "").Header.Get("Last-Modified")
	if modified != past.UTC().Format(http.TimeFormat) {
		t.Errorf("Last-Modified = %q", modified)
	}
	s.Want(t, 304, "", "GET", path, "", "If-Modified-Since", modified)
	s.Want(t, 200, "", "GET", path, "", "If-Modified-Since", past.Add(-time.Minute).UTC().Format(http.TimeFormat))
	s.Want(t, 200, "", "GET", path, "", "If-Modified-Since", modified, "If-None-Match", etag)
	s.Want(t, 200, "", "GET", path, "", "If-Modified-Since", "yesterday")
}

func TestYank(t *testing.T) {
	s := newServer(t)
	s.publish("My-Tool", "1.0.0")
	r := s.publish("My-Tool", "1.1.0")
	ok := func(method, path, body string) {
		t.Helper()
		if got := s.Want(t, 200, "wim", method, api+path, body).Body; got != `{"ok":true}`+"\n" {
			t.Errorf("%s %s: %s", method, path, got)
		}
	}
	before := s.Want(t, 200, "", "GET", root+"/my/-t/my-tool", "").Body
	ok("DELETE", "/my_tool/1.1.0/yank", "")
	after := s.Want(t, 200, "", "GET", root+"/my/-t/my-tool", "").Body
	if got := versions(s.lines("my/-t/my-tool")); got != "1.0.0 1.1.0!" {
		t.Errorf("versions = %s", got)
	}
	if strings.Replace(after, `"yanked":true`, `"yanked":false`, 1) != before {
		t.Errorf("a yank changes more than one value:\n%s\n%s", before, after)
	}
	if got := s.Want(t, 200, "", "GET", api+"/My-Tool/1.1.0/download", "").Body; got != string(r.crate) {
		t.Error("a yanked version cannot be downloaded")
	}
	ok("DELETE", "/my_tool/1.1.0/yank", `{"message":"has a hole"}`)
	version := s.get(api + "/my-tool/1.1.0")
	if servertest.At(version, "version", "yanked") != true || servertest.At(version, "version", "yank_message") != "has a hole" {
		t.Errorf("version = %v", version)
	}
	ok("DELETE", "/my_tool/1.1.0/yank", "")
	if got := servertest.At(s.get(api+"/my-tool/1.1.0"), "version", "yank_message"); got != "has a hole" {
		t.Errorf("yanked again: message %v", got)
	}
	ok("PUT", "/my_tool/1.1.0/unyank", "")
	ok("PUT", "/my_tool/1.1.0/unyank", "")
	if got := s.Want(t, 200, "", "GET", root+"/my/-t/my-tool", "").Body; got != before {
		t.Errorf("after yank and unyank:\n%s\nwant\n%s", got, before)
	}
	res := servertest.Decode(t, s.Want(t, 200, "wim", "PATCH", api+"/My-Tool/1.0.0", `{"version":{"yanked":true,"yank_message":"old"}}`).Body)
	if servertest.At(res, "version", "yanked") != true || servertest.At(res, "version", "yank_message") != "old" {
		t.Errorf("patched: %v", res)
	}
	s.fails(400, "wim", "PATCH", api+"/My-Tool/1.0.0", `{}`)
	s.fails(400, "wim", "PATCH", api+"/My-Tool/1.0.0", `{"version":1}`)
	s.fails(413, "wim", "DELETE", api+"/my-tool/1.0.0/yank", strings.Repeat(" ", 70<<10))
	for _, path := range []string{"/my-tool/9.0.0/yank", "/my-tool/1/yank", "/none/1.0.0/yank", "/a.b/1.0.0/yank"} {
		s.fails(404, "wim", "DELETE", api+path, "")
	}
	s.fails(404, "wim", "PUT", api+"/my-tool/9.0.0/unyank", "")
	s.fails(403, "rea", "DELETE", api+"/my-tool/1.0.0/yank", "")
	s.fails(401, "", "PUT", api+"/my-tool/1.0.0/unyank", "")
}

func TestOwners(t *testing.T) {
	s := newServer(t)
	s.publish("owned", "1.0.0")
	users := s.get(api + "/owned/owners")["users"].([]any)
	if len(users) != 1 || servertest.At(users[0], "login") != "acme" || servertest.At(users[0], "name") != "acme" {
		t.Errorf("owners = %v", users)
	}
	if id, _ := servertest.At(users[0], "id").(float64); id < 0 || id > 1<<32-1 {
		t.Errorf("id = %v, which cargo has no room for", id)
	}
	s.fails(404, "", "GET", api+"/none/owners", "")
	for _, method := range []string{"PUT", "DELETE"} {
		if detail := s.fails(403, "ann", method, api+"/owned/owners", `{"users":["wim"]}`); !strings.Contains(detail, "acme") {
			t.Errorf("%s: %q", method, detail)
		}
		s.fails(401, "", method, api+"/owned/owners", `{"users":["wim"]}`)
		s.fails(404, "ann", method, api+"/none/owners", `{"users":["wim"]}`)
	}
}

func TestSearch(t *testing.T) {
	s := newServer(t)
	s.publish("Json_Reader", "1.0.0", object{"description": "reads documents", "keywords": []any{"parser"}})
	s.publish("Json_Reader", "2.0.0-rc.1")
	s.publish("other", "0.1.0", object{"description": "something else"})
	s.publish("other", "0.2.0")
	s.publish("pre", "1.0.0-alpha")
	s.publish("pre", "0.1.0")
	s.publish("hidden", "1.0.0")
	s.Want(t, 200, "ann", "DELETE", api+"/hidden/1.0.0/yank", "")
	s.Want(t, 200, "ann", "DELETE", api+"/other/0.2.0/yank", "")
	s.Want(t, 200, "ann", "DELETE", api+"/pre/0.1.0/yank", "")
	for query, want := range map[string]string{
		"q=json-reader": "Json_Reader 1.0.0", "q=JSON_READER": "Json_Reader 1.0.0", "q=parser": "Json_Reader 1.0.0", "q=documents+reads": "Json_Reader 1.0.0",
		"q=else": "other 0.1.0", "q=nothing": "", "q=hidden": "", "q=": "Json_Reader 1.0.0, other 0.1.0, pre 1.0.0-alpha",
		"q=&per_page=1&page=2": "other 0.1.0", "per_page=0": "", "q=&per_page=x&page=0": "Json_Reader 1.0.0, other 0.1.0, pre 1.0.0-alpha", "q=%00": "",
	} {
		doc := s.get(api + "?" + query)
		var got []string
		for _, c := range doc["crates"].([]any) {
			got = append(got, fmt.Sprintf("%v %v", servertest.At(c, "name"), servertest.At(c, "max_version")))
			if keys(c.(object)) != "description max_version name" {
				t.Errorf("a crate has the members %s", keys(c.(object)))
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
		total := servertest.At(doc, "meta", "total")
		if strings.HasPrefix(query, "q=&") && total != 3.0 {
			t.Errorf("%s: total %v", query, total)
		}
	}
}

func TestShow(t *testing.T) {
	s := newServer(t)
	dep := func(name, kind string) object {
		return object{"name": name, "version_req": "^1", "kind": kind, "explicit_name_in_toml": "renamed"}
	}
	s.publish("Shown", "1.0.0", object{
		"description": "A crate", "homepage": "https://example.com/home", "documentation": "javascript:x", "repository": "https://example.com/r.git",
		"keywords": []any{"k"}, "categories": []any{"c"}, "rust_version": "1.60", "readme": "# Hello",
		"features": object{"x": []any{"dep:renamed"}}, "deps": []any{dep("My-Base", "normal")},
	})
	r := s.publish("Shown", "1.1.0", object{"deps": []any{dep("My-Base", "dev")}})
	s.publish("Shown", "2.0.0-rc.1", object{"deps": []any{dep("else", "normal")}})
	doc := s.get(api + "/shown")
	for key, want := range map[string]any{"id": "Shown", "name": "Shown", "max_version": "1.1.0", "max_stable_version": "1.1.0", "newest_version": "2.0.0-rc.1"} {
		if got := servertest.At(doc, "crate", key); got != want {
			t.Errorf("crate.%s = %v, want %v", key, got, want)
		}
	}
	var nums []string
	for _, v := range doc["versions"].([]any) {
		nums = append(nums, servertest.At(v, "num").(string))
	}
	if got := strings.Join(nums, " "); got != "2.0.0-rc.1 1.1.0 1.0.0" {
		t.Errorf("versions = %s", got)
	}
	if got := servertest.At(s.get(api+"/shown/versions"), "meta", "total"); got != 3.0 {
		t.Errorf("total = %v", got)
	}
	v := s.get(api + "/shown/1.1.0")["version"]
	for key, want := range map[string]any{
		"num": "1.1.0", "crate": "Shown", "checksum": r.sum(), "crate_size": float64(len(r.crate)), "license": "MIT", "yanked": false, "edition": "2021",
		"dl_path": api + "/Shown/1.1.0/download",
	} {
		if got := servertest.At(v, key); got != want {
			t.Errorf("version.%s = %v, want %v", key, got, want)
		}
	}
	s.Want(t, 200, "", "GET", servertest.At(v, "dl_path").(string), "")
	if got := servertest.Encode(t, servertest.At(s.get(api+"/shown/1.0.0"), "version", "features")); got != `{"x":["dep:renamed"]}` {
		t.Errorf("features = %s", got)
	}
	if got := s.Want(t, 200, "", "GET", api+"/shown/1.0.0/readme", "").Body; got != "# Hello" {
		t.Errorf("readme = %q", got)
	}
	s.fails(404, "", "GET", api+"/shown/1.1.0/readme", "")
	deps := s.get(api + "/shown/1.0.0/dependencies")["dependencies"].([]any)
	if len(deps) != 1 || servertest.At(deps[0], "crate_id") != "My-Base" || servertest.At(deps[0], "kind") != "normal" {
		t.Errorf("dependencies = %v", deps)
	}
	// The latest version counts: 1.1.0, not the prerelease.
	for path, want := range map[string]string{"my_base": "Shown 1.1.0 dev", "else": "", "unknown": ""} {
		doc := s.get(api + "/" + path + "/reverse_dependencies")
		got := ""
		for i, d := range doc["dependencies"].([]any) {
			v := doc["versions"].([]any)[i]
			got += fmt.Sprintf("%v %v %v", servertest.At(v, "crate"), servertest.At(v, "num"), servertest.At(d, "kind"))
		}
		if got != want {
			t.Errorf("%s is needed by %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"/none", "/none/versions", "/shown/9.0.0", "/shown/9.0.0/readme", "/shown/9.0.0/dependencies", "/shown/x", "/a.b/reverse_dependencies"} {
		s.fails(404, "", "GET", api+path, "")
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
			body := newRelease(t, "many", fmt.Sprintf("%d.0.%d", round+1, i)).body(t)
			publishes[round][0], publishes[round][1] = count(200, "PUT", "/api/v1/crates/new", body)
		}
		reads, writes := count(200, "GET", "/ma/ny/many", "")
		t.Logf("%d versions: index, cold: %d statements", n, reads)
		if reads > 8 || writes != 0 {
			t.Errorf("%d versions: index, cold: %d reads, %d writes", n, reads, writes)
		}
		etag := s.Want(t, 200, "ann", "GET", root+"/ma/ny/many", "").Header.Get("ETag")
		for _, tt := range []struct {
			name, path string
			headers    []string
			status     int
			most       int64
		}{
			{"index, warm", "/ma/ny/many", nil, 200, 4},
			{"index, 304", "/ma/ny/many", []string{"If-None-Match", etag}, 304, 4},
			{"crate", "/api/v1/crates/many", nil, 200, 10},
			{"one version", "/api/v1/crates/many/1.0.1", nil, 200, 6},
			{"archive", "/api/v1/crates/many/1.0.1/download", nil, 200, 6},
			{"search", "/api/v1/crates?q=many", nil, 200, 8},
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
