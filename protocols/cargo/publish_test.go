package cargo_test

import (
	"archive/tar"
	"net/http"
	"slices"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

func TestPublish(t *testing.T) {
	s := newServer(t)
	r := s.publish("My_Lib", "1.0.0", object{
		"description": "A  library", "keywords": []any{"one", "two"}, "links": "z", "rust_version": "1.70",
		"features": object{"default": []any{"std"}, "std": []any{}},
	})
	answer := servertest.Decode(t, s.put(200, newRelease(t, "My_Lib", "1.0.1")).Body)
	if got := servertest.Encode(t, answer); got != `{"ok":true,"warnings":{"invalid_badges":[],"invalid_categories":[],"other":[]}}` {
		t.Errorf("answer = %s", got)
	}
	line := s.lines("my/_l/my_lib")[0]
	published, _ := line["pubtime"].(string)
	if len(published) != len("2006-01-02T15:04:05Z") {
		t.Errorf("pubtime = %q", published)
	}
	delete(line, "pubtime")
	want := `{"cksum":"` + r.sum() + `","deps":[],"features":{"default":["std"],"std":[]},"links":"z","name":"My_Lib","rust_version":"1.70","vers":"1.0.0","yanked":false}`
	if got := servertest.Encode(t, line); got != want {
		t.Errorf("line = %s\nwant %s", got, want)
	}
	if got := s.lines("my/_l/my_lib")[1]; got["links"] != nil || servertest.At(got, "v") != nil || keys(got) != "cksum deps features links name pubtime vers yanked" {
		t.Errorf("line = %v", got)
	}
	res := s.Want(t, 200, "", "GET", api+"/My_Lib/1.0.0/download", "")
	if res.Body != string(r.crate) || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || res.Header.Get("ETag") != `"`+r.sum()+`"` {
		t.Errorf("the archive is not what was published: %v", res.Header)
	}
	s.Want(t, 200, "", "GET", api+"/my-lib/1.0.0+build/download", "")
	s.fails(404, "", "GET", api+"/my-lib/1.0.9/download", "")
	s.fails(404, "", "GET", api+"/my-lib/1/download", "")
	s.fails(404, "", "GET", api+"/other/1.0.0/download", "")
}

// TestDependencies holds every sort of dependency against its form in the
// index.
func TestDependencies(t *testing.T) {
	s := newServer(t)
	here := s.URL + root
	dep := func(more object) object {
		d := object{"name": "base", "version_req": "^1.0", "features": []any{}, "optional": false, "default_features": true, "target": nil, "kind": "normal"}
		for key, value := range more {
			d[key] = value
		}
		return d
	}
	s.publish("needs", "1.0.0", object{"deps": []any{
		dep(nil),
		dep(object{"explicit_name_in_toml": "alias", "optional": true}),
		dep(object{"explicit_name_in_toml": "base"}),
		dep(object{"registry": "sparse+" + here + "/", "kind": "dev"}),
		dep(object{"registry": here, "kind": "build"}),
		dep(object{"registry": s.URL + "/acme/_cargo-index.git", "kind": nil}),
		dep(object{"registry": "https://example.com/index", "target": "cfg(unix)"}),
		object{"name": "bare", "version_req": "*"},
	}, "features": object{"a": []any{"dep:alias"}, "b": []any{"base?/x", "a"}, "c": []any{"base/x"}}})
	line := s.lines("ne/ed/needs")[0]
	var got []string
	for _, d := range line["deps"].([]any) {
		got = append(got, servertest.Encode(t, d))
	}
	const plain = `{"default_features":true,"features":[],"kind":"normal","name":"base","optional":false,"package":null,"registry":null,"req":"^1.0","target":null}`
	want := []string{
		plain,
		strings.NewReplacer(`"name":"base"`, `"name":"alias"`, `"package":null`, `"package":"base"`, `"optional":false`, `"optional":true`).Replace(plain),
		plain,
		strings.Replace(plain, "normal", "dev", 1),
		strings.Replace(plain, "normal", "build", 1),
		plain,
		strings.NewReplacer(`"registry":null`, `"registry":"https://example.com/index"`, `"target":null`, `"target":"cfg(unix)"`).Replace(plain),
		strings.NewReplacer(`"base"`, `"bare"`, "^1.0", "*").Replace(plain),
	}
	if !slices.Equal(got, want) {
		t.Errorf("deps:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := servertest.Encode(t, line["features"]); got != `{"c":["base/x"]}` {
		t.Errorf("features = %s", got)
	}
	if got := servertest.Encode(t, line["features2"]); got != `{"a":["dep:alias"],"b":["base?/x","a"]}` || line["v"] != 2.0 {
		t.Errorf("v = %v, features2 = %s", line["v"], got)
	}
}

func TestManifestFillsIn(t *testing.T) {
	s := newServer(t)
	r := newRelease(t, "filled", "1.0.0", object{"readme_file": "./docs/README.md"})
	r.crate = pack(t,
		entry{name: "filled-1.0.0", kind: tar.TypeDir},
		entry{name: "filled-1.0.0/Cargo.toml", body: "[package]\nname = \"filled\"\nversion = \"1.0.0\"\nrust-version = \"1.65\"\n"},
		entry{name: "filled-1.0.0/docs/README.md", body: "# Read me\x00"},
		entry{name: "filled-1.0.0/link", kind: tar.TypeSymlink, link: "docs/README.md"},
	)
	s.put(200, r)
	if got := s.lines("fi/ll/filled")[0]["rust_version"]; got != "1.65" {
		t.Errorf("rust_version = %v", got)
	}
	if got := s.Want(t, 200, "", "GET", api+"/filled/1.0.0/readme", "").Body; got != "# Read me\ufffd" {
		t.Errorf("readme = %q", got)
	}
}

func TestPublishRefusals(t *testing.T) {
	s := newServer(t)
	set := func(key string, value any) func(*release) {
		return func(r *release) { r.metadata[key] = value }
	}
	dep := func(key string, value any) func(*release) {
		return func(r *release) {
			r.metadata["deps"] = []any{object{"name": "a", "version_req": "1", key: value}}
		}
	}
	packed := func(entries ...entry) func(*release) {
		return func(r *release) { r.crate = pack(t, r.entries(entries...)...) }
	}
	manifest := func(text string) func(*release) {
		return func(r *release) { r.crate = pack(t, entry{name: "bad-1.0.0/Cargo.toml", body: text}) }
	}
	for _, tt := range []struct {
		name   string
		change func(*release)
		status int
		want   string
	}{
		{"no name", set("name", nil), 400, "name"},
		{"a name that is a number", set("name", 1), 400, "name"},
		{"a name with a dot", set("name", "a.b"), 400, "name"},
		{"a name that begins with a digit", set("name", "1a"), 400, "name"},
		{"the name of a device", set("name", "LPT1"), 400, "device"},
		{"too long a name", set("name", strings.Repeat("n", 65)), 400, "name"},
		{"no version", set("vers", ""), 400, "version"},
		{"a version with a v", set("vers", "v1.0.0"), 400, "version"},
		{"two numbers", set("vers", "1.0"), 400, "version"},
		{"leading zeros", set("vers", "1.01.0"), 400, "version"},
		{"a dependency's name", dep("name", "a/b"), 400, "dependency"},
		{"a dependency's alias", dep("explicit_name_in_toml", "a b"), 400, "renamed"},
		{"a dependency's requirement", dep("version_req", ">>1"), 400, "requirement"},
		{"no requirement", dep("version_req", ""), 400, "requirement"},
		{"a dependency's kind", dep("kind", "test"), 400, "kind"},
		{"a dependency's feature", dep("features", []any{"a b"}), 400, "feature"},
		{"a dependency's registry", dep("registry", "x\n"), 400, "registry"},
		{"a feature's name", set("features", object{"a/b": []any{}}), 400, "feature"},
		{"a feature's value", set("features", object{"a": []any{"b c"}}), 400, "turns on"},
		{"a feature of nothing", set("features", object{"a": []any{"dep:"}}), 400, "turns on"},
		{"a version of Rust", set("rust_version", "stable"), 400, "Rust"},
		{"an empty library", set("links", ""), 400, "library"},
		{"a list for an object", set("features", []any{1}), 400, "features"},

		{"no gzip", func(r *release) { r.crate = []byte("test") }, 400, "gzip"},
		{"no tar", func(r *release) { r.crate = r.crate[:len(r.crate)/2] }, 400, "no good"},
		{"a changed byte", func(r *release) { r.crate[len(r.crate)-6] ^= 1 }, 400, "no good"},
		{"no Cargo.toml", func(r *release) { r.crate = pack(t, entry{name: "bad-1.0.0/a"}) }, 400, "no Cargo.toml"},
		{"a file elsewhere", packed(entry{name: "other/file"}), 400, "does not lie"},
		{"a file at the top", packed(entry{name: "file"}), 400, "does not lie"},
		{"an absolute path", packed(entry{name: "/bad-1.0.0/file"}), 400, "does not lie"},
		{"a path that climbs", packed(entry{name: "bad-1.0.0/../bad-1.0.0/x"}), 400, "does not lie"},
		{"a backslash", packed(entry{name: `bad-1.0.0/..\x`}), 400, "does not lie"},
		{"a link outside", packed(entry{name: "bad-1.0.0/x", kind: tar.TypeSymlink, link: "../../x"}), 400, "out of the folder"},
		{"an absolute link", packed(entry{name: "bad-1.0.0/x", kind: tar.TypeSymlink, link: "/bad-1.0.0/x"}), 400, "out of the folder"},
		{"a hard link outside", packed(entry{name: "bad-1.0.0/x", kind: tar.TypeLink, link: "etc/passwd"}), 400, "out of the folder"},
		{"a device", packed(entry{name: "bad-1.0.0/x", kind: tar.TypeChar}), 400, "neither"},
		{"two Cargo.toml", packed(entry{name: "bad-1.0.0/./Cargo.toml"}), 400, "two Cargo.toml"},
		{"no TOML", manifest("[package\n"), 400, "cannot be read"},
		{"another crate", manifest("[package]\nname = \"other\"\nversion = \"1.0.0\"\n"), 400, "other"},
		{"another version", manifest("[package]\nname = \"bad\"\nversion = \"1.0.1\"\n"), 400, "1.0.1"},
		{"no package", manifest("[workspace]\n"), 400, "name"},
		{"deep nesting", manifest("x = " + strings.Repeat("[", 60_000)), 400, "lists and tables"},
		{"too large a Cargo.toml", manifest("#" + strings.Repeat("x", 1<<20)), 400, "larger"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := s.in(t)
			r := newRelease(t, "bad", "1.0.0")
			tt.change(r)
			if detail := s.fails(tt.status, "ann", "PUT", api+"/new", r.body(t)); !strings.Contains(detail, tt.want) {
				t.Errorf("detail %q does not speak of %q", detail, tt.want)
			}
		})
	}
	r := newRelease(t, "bad", "1.0.0")
	metadata, crate := servertest.Encode(t, r.metadata), string(r.crate)
	for name, body := range map[string]string{
		"empty": "", "half a length": "\x01\x00", "metadata cut off": frame(metadata)[:20], "no length of the crate": frame(metadata),
		"crate cut off": frame(metadata, crate)[:len(metadata)+8+len(crate)-3], "something behind": frame(metadata, crate) + "x",
		"no JSON": frame("{", crate), "a list": frame("[]", crate), "long metadata": frame(metadata+strings.Repeat(" ", 4<<20), crate),
		"a length beyond all": "\xff\xff\xff\xff{}",
	} {
		t.Run(name, func(t *testing.T) { s.in(t).fails(400, "ann", "PUT", api+"/new", body) })
	}
	s.fails(404, "", "GET", root+"/3/b/bad", "")
}

func TestDuplicates(t *testing.T) {
	s := newServer(t)
	s.publish("My_Lib", "1.0.7")
	for _, tt := range []struct{ name, version, want string }{
		{"My_Lib", "1.0.7", "published already"}, {"My_Lib", "1.0.7+x", "published already"},
		{"My-Lib", "2.0.0", "My_Lib"}, {"my_lib", "2.0.0", "My_Lib"}, {"my-lib", "1.0.7", "My_Lib"},
	} {
		detail := s.fails(409, "ann", "PUT", api+"/new", newRelease(t, tt.name, tt.version).body(t))
		if !strings.Contains(detail, tt.want) {
			t.Errorf("%s %s: detail %q does not speak of %q", tt.name, tt.version, detail, tt.want)
		}
	}
	s.publish("My_Lib", "1.0.8+x")
	if got := versions(s.lines("my/_l/my_lib")); got != "1.0.7 1.0.8+x" {
		t.Errorf("versions = %s", got)
	}
}

// TestRace publishes under two spellings many times at once: one spelling
// wins, and each version once.
func TestRace(t *testing.T) {
	s := newServer(t)
	const clients = 16
	answers := make(chan int, clients)
	for i := range clients {
		name := []string{"race-a", "race_a"}[i%2]
		body := newRelease(t, name, "1.0.0").body(t)
		go func() {
			req, _ := http.NewRequest("PUT", s.URL+api+"/new", strings.NewReader(body))
			req.Header.Set("Authorization", s.Tokens["ann"])
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				answers <- 0
				return
			}
			res.Body.Close()
			answers <- res.StatusCode
		}()
	}
	counts := map[int]int{}
	for range clients {
		counts[<-answers]++
	}
	if counts[200] != 1 || counts[409] != clients-1 {
		t.Errorf("answers = %v, want one 200 and %d 409", counts, clients-1)
	}
}

// TestTombstones deletes versions, which come back as they were or not at all.
func TestTombstones(t *testing.T) {
	s := newServer(t)
	first := s.publish("gone", "1.0.0")
	s.publish("gone", "1.1.0")
	space := s.space("ann")
	remove := func(version string) {
		t.Helper()
		p, err := space.AnyPackage(t.Context(), "gone")
		if err != nil || p == nil {
			t.Fatalf("package = %v, %v", p, err)
		}
		if version == "" {
			err = space.DeletePackage(t.Context(), p)
		} else {
			err = space.DeleteVersions(t.Context(), p, []string{version}, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	other := func(version string) *release { return newRelease(t, "gone", version, object{"description": "other"}) }
	changed := other("1.0.0")
	changed.crate = pack(t, changed.entries(entry{name: "gone-1.0.0/more"})...)

	remove("1.0.0")
	if got := versions(s.lines("go/ne/gone")); got != "1.1.0" {
		t.Errorf("versions = %s", got)
	}
	s.put(409, changed)
	remove("")
	s.fails(404, "", "GET", root+"/go/ne/gone", "")
	if detail := s.fails(409, "ann", "PUT", api+"/new", changed.body(t)); !strings.Contains(detail, "deleted") {
		t.Errorf("detail = %q", detail)
	}
	s.fails(404, "", "GET", root+"/go/ne/gone", "")
	s.put(200, first)
	s.put(200, other("2.0.0"))
	remove("1.0.0")
	s.put(409, changed)
	s.put(200, first)
}

func TestRights(t *testing.T) {
	s := newServer(t)
	s.Organization(t, "vault", "PRIVATE")
	body := newRelease(t, "x", "1.0.0").body(t)
	const vault = "/api/packages/vault/cargo"
	for _, tt := range []struct {
		login, path string
		status      int
	}{
		{"", api, 401}, {"rea", api, 403}, {"out", api, 403}, {"wim", api, 200},
		{"", vault + "/api/v1/crates", 401}, {"out", vault + "/api/v1/crates", 404}, {"rea", vault + "/api/v1/crates", 403}, {"wim", vault + "/api/v1/crates", 200},
	} {
		s.Want(t, tt.status, tt.login, "PUT", tt.path+"/new", body)
	}
	hidden := s.Want(t, 401, "", "GET", vault+"/config.json", "")
	unknown := s.Want(t, 401, "", "GET", "/api/packages/nowhere/cargo/config.json", "")
	if hidden.Body != unknown.Body {
		t.Errorf("a hidden owner answers %q, one that is not there %q", hidden.Body, unknown.Body)
	}
	if got, want := hidden.Header.Get("WWW-Authenticate"), `Basic realm="Entrepot", charset="UTF-8", Cargo login_url="`+s.URL+`/settings/tokens"`; got != want {
		t.Errorf("challenge %q, want %q", got, want)
	}
	s.Want(t, 401, "", "GET", vault+"/1/x", "")
	s.Want(t, 404, "out", "GET", vault+"/1/x", "")
	s.Want(t, 200, "rea", "GET", vault+"/1/x", "")
	s.Want(t, 401, "", "GET", vault+"/api/v1/crates/x/1.0.0/download", "")
	// The token as cargo sends it, and as the other ways have it.
	for _, header := range []string{s.Tokens["rea"], "Bearer " + s.Tokens["rea"], "token " + s.Tokens["rea"]} {
		res := s.Want(t, 200, "", "GET", vault+"/config.json", "", "Authorization", header)
		if got := servertest.At(servertest.Decode(t, res.Body), "auth-required"); got != true {
			t.Errorf("auth-required = %v", got)
		}
	}
	s.fails(401, "", "GET", vault+"/config.json", "")
	if got := s.Want(t, 401, "", "GET", root+"/config.json", "", "Authorization", "ent-unknown"); !strings.Contains(got.Body, "errors") {
		t.Errorf("an unknown token is told %q", got.Body)
	}
}
