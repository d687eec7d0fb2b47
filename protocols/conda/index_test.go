package conda_test

import (
	"bytes"
	"compress/bzip2"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"entrepot/access"
	"entrepot/ent/pkg"
	"entrepot/protocols/conda"
	"entrepot/registry"
	"entrepot/server/servertest"
)

func TestRecord(t *testing.T) {
	c := newChannels(t)
	before := time.Now().UnixMilli()
	bar := record("bar", "2.0", "py_0", "", info{
		"depends": []string{"foo >=1.0,<2", "python"}, "constrains": []string{"baz <1"}, "noarch": "python", "build_number": 3,
		"license": "", "license_family": "MIT", "timestamp": 1700000000, "track_features": "a b", "features": nil, "arch": nil, "platform": "",
		"python_site_packages_path": "lib/python3.13t/site-packages", "unknown": info{"x": nil, "y": 1.50, "z": "<&>"}, "size": 1, "md5": "x",
	})
	delete(bar, "subdir")
	body := c.publish("", bar, member{name: "info/run_exports.json", content: `{"weak":["bar >=2"],"strong":null,"noarch":[]}`},
		member{name: "info/about.json", content: `{"home":["no url","https://example.com/bar"],"summary":"Says bar","license_file":["A","B"],"keywords":"one",
			"dev_url":"https://example.com/dev","description":["x","y"],"channels":7,"extra":{"recipe-maintainers":["ann"]}}`})
	sum, sum5 := sha256.Sum256([]byte(body)), md5.Sum([]byte(body))
	text := c.get("/noarch/repodata.json")
	all := parseRepodata(t, text)
	got := all.Conda["bar-2.0-py_0.conda"]
	at, _ := got["indexed_timestamp"].(float64)
	if int64(at) < before || int64(at) > time.Now().UnixMilli() {
		t.Errorf("it was indexed at %v", got["indexed_timestamp"])
	}
	delete(got, "indexed_timestamp")
	want := `{"build":"py_0","build_number":3,"constrains":["baz \u003c1"],"depends":["foo \u003e=1.0,\u003c2","python"],"license_family":"MIT",` +
		`"md5":"` + hex.EncodeToString(sum5[:]) + `","name":"bar","noarch":"python","python_site_packages_path":"lib/python3.13t/site-packages",` +
		`"sha256":"` + hex.EncodeToString(sum[:]) + `","size":` + servertest.Encode(t, len(body)) + `,"subdir":"noarch","timestamp":1700000000000,` +
		`"track_features":"a b","unknown":{"y":1.5,"z":"\u003c\u0026\u003e"},"version":"2.0"}`
	if servertest.Encode(t, got) != want {
		t.Errorf("the record is\n%s\nwant\n%s", servertest.Encode(t, got), want)
	}
	if all.Info.Subdir != "noarch" || all.Version != 1 || all.Packages == nil || all.Removed == nil || !strings.Contains(text, `"foo >=1.0,<2"`) || strings.Contains(text, "null") {
		t.Errorf("the index is\n%s", text)
	}
	if got := c.get("/noarch/run_exports.json"); got != `{"info":{"subdir":"noarch"},"packages":{},"packages.conda":{"bar-2.0-py_0.conda":{"run_exports":{"weak":["bar >=2"]}}}}`+"\n" {
		t.Errorf("the run exports are %s", got)
	}
	c.wantSound()

	ctx := access.SystemContext(context.Background())
	p := c.Registry().Client().Pkg.Query().Where(pkg.Name("bar")).WithVersions().OnlyX(ctx)
	v := p.Edges.Versions[0]
	if v.Homepage != "https://example.com/bar" || v.RepositoryURL != "https://example.com/dev" || v.Summary != "Says bar" || v.Readme != "x\n\ny" ||
		!slices.Equal(v.Authors, []string{"ann"}) || !slices.Equal(v.Keywords, []string{"one"}) || len(v.Dependencies) != 3 {
		t.Errorf("the version is %+v", v)
	}
	typ := conda.New()
	shown, err := typ.Facts(v)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := typ.StoredFacts(ctx, c.Registry().Holdings(p), v)
	if err != nil {
		t.Fatal(err)
	}
	page := servertest.Encode(t, append(shown, stored...))
	for _, part := range []string{`"Licence file"`, `"A, B"`, "neither text nor a list of texts: channels", `"noarch","py_0","3","python","bar-2.0-py_0.conda"`} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %s: %s", part, page)
		}
	}
}

// TestOldRecords brings what packages said in other times.
func TestOldRecords(t *testing.T) {
	c := newChannels(t)
	for name, tc := range map[string]struct {
		more info
		want string
	}{
		"a":  {info{"noarch": true, "depends": nil, "timestamp": 0}, `"build_number":0,"depends":[],`},
		"b":  {info{"noarch": false, "subdir": "noarch", "track_features": []string{"x"}}, `"track_features":["x"]`},
		"d":  {info{"noarch": "", "subdir": "noarch", "track_features": ""}, `"subdir":"noarch","version"`},
		"e":  {info{"noarch": "generic", "subdir": nil, "timestamp": 1700000000123}, `"timestamp":1700000000123`},
		"l1": {info{"subdir": nil, "platform": "linux", "arch": "x86_64"}, `"subdir":"linux-64"`},
		"l2": {info{"subdir": nil, "platform": "linux", "arch": "x86"}, `"subdir":"linux-32"`},
		"l3": {info{"subdir": "", "platform": "osx", "arch": "arm64"}, `"subdir":"osx-arm64"`},
	} {
		r := record(name, "1.0", "0", "", tc.more)
		if tc.more["subdir"] == nil {
			delete(r, "subdir")
		}
		body := bzipped(t, tarred(t, member{name: "./info/index.json", content: r.json(t)}, member{name: "./info/run_exports.json", content: `["a"]`}, member{name: "./x"}))
		to := c.Want(t, 201, "ann", "PUT", root+"/old/"+r.stem()+".tar.bz2", body).Header.Get("Location")
		subdir, _, _ := strings.Cut(strings.TrimPrefix(to, c.URL+root+"/old/"), "/")
		index := c.get("/old/" + subdir + "/repodata.json")
		if !strings.Contains(index, tc.want) || strings.Contains(index, "null") || strings.Contains(index, `"noarch":""`) || strings.Contains(index, `"timestamp":0`) {
			t.Errorf("%s: the index is\n%s", name, index)
		}
	}
	if got := c.get("/old/linux-32/run_exports.json"); !strings.Contains(got, `"l2-1.0-0.tar.bz2":{"run_exports":{"weak":["a"]}}`) {
		t.Errorf("the run exports are %s", got)
	}
	c.wantSound()
}

func unpack(tb testing.TB, ending, content string) string {
	tb.Helper()
	var r io.Reader
	switch ending {
	case "":
		return content
	case ".bz2":
		r = bzip2.NewReader(strings.NewReader(content))
	case ".zst":
		// One frame: clients stop at its end.
		z, err := zstd.NewReader(strings.NewReader(content))
		if err != nil {
			tb.Fatal(err)
		}
		defer z.Close()
		if n := bytes.Count([]byte(content), []byte{0x28, 0xb5, 0x2f, 0xfd}); n != 1 {
			tb.Errorf("it has %d frames", n)
		}
		r = z
	}
	text, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func TestForms(t *testing.T) {
	c := newChannels(t)
	token := c.Token(t, "rea", access.ReadPackage)
	check := func() {
		t.Helper()
		for _, document := range []string{"repodata.json", "current_repodata.json", "run_exports.json"} {
			plain := c.get("/noarch/" + document)
			tags := map[string]bool{}
			for ending, kind := range map[string]string{"": "application/json", ".zst": "application/zstd", ".bz2": "application/x-bzip2"} {
				path := "/noarch/" + document + ending
				if ending == ".bz2" && document == "run_exports.json" {
					c.Want(t, 404, "", "GET", root+path, "")
					continue
				}
				res := c.Want(t, 200, "", "GET", root+path, "", "Accept-Encoding", "gzip, zstd")
				h := res.Header
				if unpack(t, ending, res.Body) != plain || h.Get("Content-Type") != kind || h.Get("Content-Encoding") != "" || !strings.Contains(h.Get("Cache-Control"), "no-cache") {
					t.Errorf("%s holds %q, %v", path, res.Body, h)
				}
				etag, date := h.Get("ETag"), h.Get("Last-Modified")
				if tags[etag] || strings.HasPrefix(etag, "W/") {
					t.Errorf("%s has the tag %s", path, etag)
				}
				tags[etag] = true
				head := c.Want(t, 200, "", "HEAD", root+path, "")
				if head.ContentLength != int64(len(res.Body)) || head.Header.Get("ETag") != etag {
					t.Errorf("HEAD %s: %d bytes, %v", path, head.ContentLength, head.Header)
				}
				c.Want(t, 304, "", "GET", root+path, "", "If-None-Match", etag, "If-Modified-Since", date)
				c.Want(t, 304, "", "GET", root+path, "", "If-Modified-Since", date)
				c.Want(t, 200, "", "GET", root+path, "", "If-None-Match", `"other"`, "If-Modified-Since", date)
				if part := c.Want(t, 206, "", "GET", root+path, "", "Range", "bytes=5-9"); part.Body != res.Body[5:10] {
					t.Errorf("a range of %s is %q", path, part.Body)
				}
				for _, under := range []string{root + "/t/" + token + path, "/t/" + token + root + path} {
					if same := c.Want(t, 200, "", "GET", under, ""); same.Body != res.Body || same.Header.Get("ETag") != etag {
						t.Errorf("with a token in the path %s is another", path)
					}
				}
			}
		}
	}
	check() // before there is anything
	for _, v := range []string{"1.0", "1.1", "1.2"} {
		c.publish("", record("foo", v, "0", "noarch", nil))
	}
	check()
	c.wantSound()
}

// TestSubdirs tells which indexes there are.
func TestSubdirs(t *testing.T) {
	c := newChannels(t)
	empty := `{"info":{"subdir":"noarch"},"packages":{},"packages.conda":{},"removed":[],"repodata_version":1}` + "\n"
	if got := c.get("/noarch/repodata.json"); got != empty {
		t.Errorf("the root channel begins as %s", got)
	}
	for _, path := range []string{"/linux-64/repodata.json", "/tools/noarch/repodata.json", "/tools/linux-64/repodata.json.zst"} {
		c.Want(t, 404, "", "GET", root+path, "")
	}
	foo := record("foo", "1.0", "0", "linux-64", nil)
	c.publish("/tools", foo)
	if got := c.get("/tools/noarch/repodata.json"); got != empty {
		t.Errorf("with its first file a channel has the noarch %s", got)
	}
	for _, path := range []string{"/linux-64/repodata.json", "/tools/osx-64/repodata.json", "/tool/noarch/repodata.json", "/tools/x/noarch/repodata.json"} {
		c.Want(t, 404, "", "GET", root+path, "")
	}
	c.publish("", record("foo", "1.0", "0", "linux-64", info{"depends": []string{"x"}}))
	c.Want(t, 201, "ann", "PUT", root+"/tools/foo-1.0-0.tar.bz2", foo.tarball(t))
	if got := c.files("/tools/linux-64") + ", " + c.files("/linux-64"); got != "foo-1.0-0.tar.bz2 foo-1.0-0.conda, foo-1.0-0.conda" {
		t.Errorf("there are %s", got)
	}
	// Emptied, an index stays: a client that has it in its list goes on.
	c.Want(t, 204, "ann", "DELETE", root+"/linux-64/foo-1.0-0.conda", "")
	if got := c.files("/linux-64"); got != "" {
		t.Errorf("after it was deleted, there is %s", got)
	}
	c.Want(t, 404, "ann", "DELETE", root+"/linux-64/foo-1.0-0.conda", "")
	c.Want(t, 404, "ann", "DELETE", root+"/linux-64/repodata.json", "")
	c.wantSound()
}

func TestYank(t *testing.T) {
	c := newChannels(t)
	for _, build := range []string{"0", "1"} {
		c.publish("/main", record("foo", "1.0", build, "noarch", info{"depends": []string{"build " + build}}))
	}
	path := root + "/main/noarch/foo-1.0-1.conda"
	c.Want(t, 403, "rea", "PUT", path+"/yank", "")
	c.Want(t, 404, "ann", "PUT", root+"/main/noarch/foo-1.0-2.conda/yank", "")
	c.Want(t, 404, "ann", "PUT", root+"/noarch/foo-1.0-1.conda/yank", "")
	for range 2 {
		c.Want(t, 204, "wim", "PUT", path+"/yank", "")
		if got := c.files("/main/noarch"); got != "foo-1.0-0.conda [foo-1.0-1.conda]" {
			t.Errorf("with one build yanked, there is %s", got)
		}
	}
	c.Want(t, 200, "", "GET", path, "")
	c.Want(t, 204, "wim", "DELETE", path+"/yank", "")
	if got := c.files("/main/noarch"); got != "foo-1.0-0.conda foo-1.0-1.conda" {
		t.Errorf("with it back, there is %s", got)
	}
	// A version that is yanked takes all its builds along.
	system, space := c.system()
	p, err := space.Package(system, "main/foo", access.Write)
	if err != nil {
		t.Fatal(err)
	}
	if err := space.SetStatus(system, p, map[string]registry.Status{"1.0": {Yanked: true}}); err != nil {
		t.Fatal(err)
	}
	if got := c.files("/main/noarch"); got != "[foo-1.0-0.conda foo-1.0-1.conda]" {
		t.Errorf("with the version yanked, there is %s", got)
	}
	if res := c.Want(t, 409, "ann", "DELETE", path+"/yank", ""); !strings.Contains(res.Body, "as a whole") {
		t.Errorf("the conflict is %s", res.Body)
	}
	c.Want(t, 204, "ann", "DELETE", path, "")
	c.wantSound()
}

// TestPrivate holds that nobody is served as somebody else, and that a token
// stays where it is.
func TestPrivate(t *testing.T) {
	c := newChannels(t)
	foo := record("foo", "1.0", "0", "noarch", nil)
	body := c.publish("", foo)
	c.publish("/tools", foo)
	outsider, reader := c.Token(t, "out", access.ReadPackage), c.Token(t, "rea", access.ReadPackage)
	writer := c.Token(t, "ann", access.ReadPackage, access.WritePackage, access.DeletePackage)
	c.Want(t, 401, "", "GET", root+"/t/ent-nonsense/noarch/repodata.json", "")
	c.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{
		"/noarch/repodata.json", "/noarch/repodata.json.zst", "/noarch/foo-1.0-0.conda", "/linux-64/repodata.json", "/tools/noarch/repodata.json",
		"/tools/noarch/foo-1.0-0.conda", "/none/noarch/repodata.json", "/noarch/repodata_shards.msgpack.zst",
	} {
		there := 200
		if strings.Contains(path, "linux-64") || strings.Contains(path, "none") || strings.Contains(path, "shards") {
			there = 404
		}
		res := c.Want(t, 401, "", "GET", root+path, "")
		if !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic realm=") {
			t.Errorf("the challenge is %q", res.Header.Get("WWW-Authenticate"))
		}
		c.Want(t, there, "rea", "GET", root+path, "")
		c.Want(t, there, "", "GET", root+path, "", "Authorization", "Bearer "+reader)
		for token, status := range map[string]int{reader: there, writer: there, outsider: 404, "ent-nonsense": 401, "nonsense": 401, reader + "x": 401} {
			for _, under := range []string{root + "/t/" + token + path, "/t/" + token + root + path} {
				res := c.Want(t, status, "", "GET", under, "")
				for name, values := range res.Header {
					if strings.Contains(strings.Join(values, " "), token) {
						t.Errorf("the header %s of %s holds the token", name, path)
					}
				}
				if strings.Contains(res.Body, token) {
					t.Errorf("the answer to %s holds the token: %s", path, res.Body)
				}
			}
		}
	}
	if got := c.Want(t, 200, "", "GET", root+"/t/"+reader+"/noarch/foo-1.0-0.conda", "").Body; got != body {
		t.Errorf("with a token in the path there are %d other bytes", len(got))
	}
	// A URL is for reading, whoever's token is in it.
	for _, under := range []string{root + "/t/" + writer, "/t/" + writer + root} {
		c.Want(t, 401, "", "PUT", under+"/foo-1.1-0.conda", "")
		c.Want(t, 401, "", "DELETE", under+"/noarch/foo-1.0-0.conda", "")
	}
	c.Want(t, 401, "", "GET", root+"/t/"+reader, "")
	c.Want(t, 404, "ann", "GET", "/t/"+reader+"/api/packages/acme/npm/x", "")
	c.Want(t, 201, "", "POST", root+"/api/channels/x/upload/foo-1.0-0.conda", body, "X-API-Key", writer)
	c.wantSound()
}

// TestNarrow shows a package that is less visible than its owner to members
// alone.
func TestNarrow(t *testing.T) {
	c := newChannels(t)
	c.publish("", record("open", "1.0", "0", "noarch", nil))
	c.publish("", record("secret", "1.0", "0", "noarch", nil))
	system, space := c.system()
	p, err := space.Package(system, "secret", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	if err := space.SetVisibility(system, p, access.Private); err != nil {
		t.Fatal(err)
	}
	if got := c.files("/noarch"); got != "open-1.0-0.conda" {
		t.Errorf("everybody sees %s", got)
	}
	if got := c.Want(t, 200, "rea", "GET", root+"/noarch/repodata.json", "").Body; !strings.Contains(got, "secret-1.0-0.conda") {
		t.Errorf("a member sees %s", got)
	}
	c.Want(t, 401, "", "GET", root+"/noarch/secret-1.0-0.conda", "")
	c.wantSound()
}

// TestCopy copies a version into another channel, which is promoting it.
func TestCopy(t *testing.T) {
	c := newChannels(t)
	body := c.publish("/testing", record("foo", "1.0", "0", "noarch", nil))
	system, space := c.system()
	p, err := space.Package(system, "testing/foo", access.Read)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := space.Copy(system, p, "1.0", space, registry.CopyRequest{Package: "stable/foo"}); err != nil {
		t.Fatal(err)
	}
	if got := c.files("/stable/noarch"); got != "foo-1.0-0.conda" || c.get("/stable/noarch/foo-1.0-0.conda") != body {
		t.Errorf("the copy is %s", got)
	}
	for _, name := range []string{"stable/bar", "stable/Foo", "noarch/foo"} {
		if _, err := space.Copy(system, p, "1.0", space, registry.CopyRequest{Package: name}); registry.CodeOf(err) != registry.Invalid {
			t.Errorf("a copy to %s gives %v", name, err)
		}
	}
	c.wantSound()
}
