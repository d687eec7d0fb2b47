package chef_test

import (
	"archive/tar"
	"fmt"
	"strings"
	"testing"

	"entrepot/server"
	"entrepot/server/servertest"
)

// TestShare publishes a cookbook as knife does, and reads all that there is of
// it.
func TestShare(t *testing.T) {
	s := newServer(t)
	archive := packed(t,
		entry{name: "./Foo/._metadata.json", body: "\x00\x05\x16\x07"}, entry{name: "./Foo/", kind: tar.TypeDir},
		entry{name: "./Foo/metadata.json", body: "\ufeff" + `{"name":"Foo","version":"1.2","description":"Does foo","long_description":"At length","maintainer":"Acme",
			"maintainer_email":"cooks@example.com","license":"MIT","source_url":"https://example.com/foo","issues_url":"https://example.com/foo/issues",
			"platforms":{"ubuntu":">= 20.04","centos":[">= 7","< 9"]},"dependencies":{"bar":"~> 1.0","baz":"2.0","any":[],"Foo":">= 0.0.0"},
			"chef_versions":[[">= 15","< 19"]],"gems":[["json",{"require":false}]],"eager_load_libraries":false,"recipes":{"foo":"main\u0000"},"privacy":"x"}`},
		entry{name: "./Foo/README.md", body: "# Foo"}, entry{name: "./Foo/files/metadata.json", body: "no JSON"},
	)
	res := s.Want(t, 201, "ann", "POST", api+"/cookbooks", sent(archive), formHeaders...)
	if got, want := servertest.Encode(t, servertest.Decode(t, res.Body)), `{"name":"Foo","uri":"`+s.URL+api+`/cookbooks/Foo","version":"1.2"}`; got != want {
		t.Errorf("answer = %s, want %s", got, want)
	}
	needs := `{"any":">= 0.0.0","bar":"~> 1.0","baz":"= 2.0"}`
	for _, v := range []string{"1.2", "1_2", "1.2.0", "1_2_0", "latest"} {
		d := s.get("", "/api/v1/cookbooks/foo/versions/"+v+"/")
		if servertest.Encode(t, d["dependencies"]) != servertest.Encode(t, servertest.Decode(t, needs)) || d["version"] != "1.2" || d["license"] != "MIT" || d["tarball_file_size"] != float64(len(archive)) ||
			d["cookbook"] != api+"/cookbooks/Foo" || d["file"] != api+"/cookbooks/Foo/versions/1_2/download" ||
			servertest.Encode(t, d["platforms"]) != servertest.Encode(t, servertest.Decode(t, `{"ubuntu":">= 20.04","centos":">= 7, < 9"}`)) {
			t.Errorf("version = %v", d)
		}
		res := s.Want(t, 200, "", "GET", api+"/cookbooks/FOO/versions/"+v+"/download", "")
		if res.Body != archive || res.Header.Get("Content-Type") != "application/gzip" || res.Header.Get("Content-Disposition") != `attachment; filename="Foo-1.2.tar.gz"` || res.ContentLength != int64(len(archive)) {
			t.Errorf("download = %v", res.Header)
		}
		s.Want(t, 200, "", "HEAD", api+"/cookbooks/foo/versions/"+v, "")
	}
	d := s.get("", "/api/v1/cookbooks/foo")
	for field, want := range map[string]any{
		"name": "Foo", "maintainer": "Acme", "description": "Does foo", "category": "Utilities", "latest_version": api + "/cookbooks/Foo/versions/1_2",
		"external_url": "https://example.com/foo", "source_url": "https://example.com/foo", "issues_url": "https://example.com/foo/issues",
		"average_rating": nil, "up_for_adoption": false, "deprecated": false,
	} {
		if got, ok := d[field]; !ok || got != want {
			t.Errorf("%s = %v, want %v", field, got, want)
		}
	}
	if at := fmt.Sprint(d["created_at"]); len(at) != len("2006-01-02T15:04:05.000Z") || servertest.Encode(t, d["versions"]) != `["`+api+`/cookbooks/Foo/versions/1_2"]` {
		t.Errorf("cookbook = %v", d)
	}
	want := `{"Foo":{"1.2":{"dependencies":` + needs + `,"download_url":"` + api + `/cookbooks/Foo/versions/1_2/download","location_path":"` + api + `","location_type":"opscode"}}}`
	for _, path := range []string{"/universe", "/api/v1/universe", "/universe/"} {
		if got := servertest.Encode(t, s.get("", path)); got != servertest.Encode(t, servertest.Decode(t, want)) {
			t.Errorf("universe = %s, want %s", got, want)
		}
	}
	shown := s.Want(t, 200, "ann", "POST", "/graphql",
		`{"query":"{package(owner:\"acme\",type:\"chef\",name:\"foo\"){version(version:\"1.2\"){readme{raw} facts{name value} dependencies{name requirement} instructions{client steps{body}}}}}"}`,
		"Content-Type", "application/json").Body
	for _, want := range []string{"# Foo", `\u003e= 15`, "json", "Utilities", "berks install", "knife supermarket download Foo 1.2"} {
		if !strings.Contains(shown, want) && !strings.Contains(shown, strings.ReplaceAll(want, `\u003e`, ">")) {
			t.Errorf("no %s in %s", want, shown)
		}
	}
	// The same version, however it is written.
	for _, version := range []string{"1.2", "1.2.0"} {
		if message := s.fails(409, "ann", "POST", "/api/v1/cookbooks", sent(cookbook(t, "FOO", version)), formHeaders...); message != "Version already exists" {
			t.Errorf("knife does not know %q", message)
		}
	}
}

// TestRefusals sends what cannot be published.
func TestRefusals(t *testing.T) {
	s := newServer(t)
	good := cookbook(t, "foo", "1.0.0")
	meta := func(text string) string { return sent(packed(t, entry{name: "foo/metadata.json", body: text})) }
	field := func(text string) string { return sent(cookbook(t, "foo", "1.0.0", text)) }
	many := make([]entry, 100_001)
	for i := range many {
		many[i].name = fmt.Sprint("foo/", i)
	}
	for _, c := range []struct{ name, body, says string }{
		{"no form", good, "form"},
		{"no tarball", form(part{"cookbook", "{}"}), "tarball"},
		{"two tarballs", form(part{"tarball", good}, part{"tarball", good}), "several"},
		{"bad cookbook", form(part{"cookbook", "x"}, part{"tarball", good}), "cookbook"},
		{"too many parts", form(make([]part, 21)...), "parts"},
		{"form cut off", strings.TrimSuffix(sent(good), "--"+boundary+"--\r\n"), "broke off"},
		{"no gzip", sent("text"), "gzip"},
		{"archive cut off", sent(good[:len(good)-6]), "no good"},
		{"no metadata", sent(packed(t, entry{name: "foo/README.md"})), "no metadata.json"},
		{"metadata at the top", sent(packed(t, entry{name: "metadata.json", body: `{"name":"foo","version":"1.0.0"}`})), "no metadata.json"},
		{"metadata.rb alone", sent(packed(t, entry{name: "foo/metadata.rb", body: "name 'foo'"})), "metadata.rb"},
		{"metadata twice", sent(packed(t, entry{name: "foo/metadata.json", body: `{"name":"foo","version":"1.0.0"}`}, entry{name: "bar/metadata.json", body: `{"name":"foo","version":"1.0.0"}`})), "twice"},
		{"large metadata", meta(`{"x":"` + strings.Repeat("a", 4<<20) + `"}`), "larger"},
		{"metadata is a list", meta("[]"), "JSON object"},
		{"metadata is null", meta("null"), "JSON object"},
		{"metadata is a link", sent(packed(t, entry{name: "foo/metadata.json", kind: tar.TypeSymlink})), "no metadata.json"},
		{"absolute name", sent(packed(t, entry{name: "/foo/metadata.json"})), "within"},
		{"name that leads out", sent(packed(t, entry{name: "foo/../../x"})), "within"},
		{"too many entries", sent(packed(t, many...)), "entries"},
		{"no name", meta(`{"version":"1.0.0"}`), "name"},
		{"bad name", meta(`{"name":"foo.bar","version":"1.0.0"}`), "name"},
		{"long name", meta(`{"name":"` + strings.Repeat("a", 101) + `","version":"1.0.0"}`), "name"},
		{"no version", meta(`{"name":"foo"}`), "version"},
		{"one number", meta(`{"name":"foo","version":"1"}`), "version"},
		{"four numbers", meta(`{"name":"foo","version":"1.2.3.4"}`), "version"},
		{"prerelease", meta(`{"name":"foo","version":"1.2.3-a"}`), "version"},
		{"large number", meta(`{"name":"foo","version":"1.2.2147483648"}`), "version"},
		{"bad URL", field(`"source_url":"javascript:x"`), "source_url"},
		{"dependencies of another kind", field(`"dependencies":"bar"`), "dependencies"},
		{"bad dependency", field(`"dependencies":{"b.r":""}`), "b.r"},
		{"bad constraint", field(`"dependencies":{"bar":"=> 1"}`), "constraint"},
		{"several constraints", field(`"dependencies":{"bar":[">= 1",  "< 2"]}`), "constraint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := formHeaders
			if c.name == "no form" {
				headers = []string{"Content-Type", "application/gzip"}
			}
			if message := s.in(t).fails(400, "ann", "POST", "/api/v1/cookbooks", c.body, headers...); !strings.Contains(message, c.says) {
				t.Errorf("message = %s, want %q in it", message, c.says)
			}
		})
	}
	s.fails(404, "", "GET", "/api/v1/cookbooks/foo", "")
	if got := servertest.Encode(t, s.get("", "/universe")); got != "{}" {
		t.Errorf("universe = %s", got)
	}
	s.fails(401, "", "POST", "/api/v1/cookbooks", sent(good), formHeaders...)
	s.fails(403, "rea", "POST", "/api/v1/cookbooks", sent(good), formHeaders...)
	s.fails(405, "ann", "PUT", "/api/v1/cookbooks", "")
	s.fails(404, "ann", "GET", "/api/v2", "")
	s.fails(401, "", "GET", "/api/v1/cookbooks", "", "Authorization", "Bearer ent-nothing")
	small := newServer(t, func(c *server.Config) { c.Limits.FileSize = 1000 })
	small.fails(413, "ann", "POST", "/api/v1/cookbooks", sent(strings.Repeat("x", 2000)), formHeaders...)
}

// TestRemove takes versions and cookbooks away.
func TestRemove(t *testing.T) {
	s := newServer(t)
	for _, v := range []string{"1.0.0", "1.1.0"} {
		s.share("foo", v)
	}
	s.share("bar", "1.0.0")
	s.fails(401, "", "DELETE", "/api/v1/cookbooks/foo", "")
	s.fails(403, "rea", "DELETE", "/api/v1/cookbooks/foo/versions/1.0.0", "")
	s.fails(404, "ann", "DELETE", "/api/v1/cookbooks/foo/versions/9.0.0", "")
	s.fails(404, "ann", "DELETE", "/api/v1/cookbooks/foo/versions/x", "")
	s.fails(404, "ann", "DELETE", "/api/v1/cookbooks/other", "")
	s.Want(t, 200, "ann", "DELETE", api+"/cookbooks/foo/versions/1_1_0", "")
	if d := s.get("", "/api/v1/cookbooks/foo"); d["latest_version"] != api+"/cookbooks/foo/versions/1_0_0" {
		t.Errorf("cookbook = %v", d)
	}
	// With its last version goes the cookbook.
	s.Want(t, 200, "ann", "DELETE", api+"/cookbooks/foo/versions/latest", "")
	s.fails(404, "", "GET", "/api/v1/cookbooks/foo", "")
	s.Want(t, 200, "ann", "DELETE", api+"/cookbooks/bar", "")
	if got := servertest.Encode(t, s.get("", "/universe")); got != "{}" {
		t.Errorf("universe = %s", got)
	}
}
