package conda_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

func TestUploadAndDownload(t *testing.T) {
	c := newChannels(t)
	foo := record("foo", "1.0", "0", "linux-64", nil)
	odd := record("_odd.name-x", "1!2.0+local.1", "py39_0", "noarch", info{"noarch": "python"})
	for _, tc := range []struct{ method, upload, body, path, answer string }{
		{"PUT", "/foo-1.0-0.tar.bz2", foo.tarball(t), "/linux-64/foo-1.0-0.tar.bz2", ""},
		{"PUT", "/foo-1.0-0.conda", foo.conda(t), "/linux-64/foo-1.0-0.conda", ""},
		{"PUT", "/tools/foo-1.0-0.conda", foo.conda(t), "/tools/linux-64/foo-1.0-0.conda", ""},
		{"PUT", "/a/b.c/foo-1.0-0.conda", foo.conda(t), "/a/b.c/linux-64/foo-1.0-0.conda", ""},
		{"PUT", "/main/linux-64/foo-1.0-0.conda", foo.conda(t), "/main/linux-64/foo-1.0-0.conda", ""},
		{"POST", "/more/linux-64/foo-1.0-0.conda", foo.conda(t), "/more/linux-64/foo-1.0-0.conda", ""},
		{"POST", "/api/channels/quetz/upload/foo-1.0-0.conda", foo.conda(t), "/quetz/linux-64/foo-1.0-0.conda", "{}\n"},
		{"PUT", "/_odd.name-x-1!2.0+local.1-py39_0.conda", odd.conda(t), "/noarch/_odd.name-x-1%212.0%2Blocal.1-py39_0.conda", ""},
	} {
		res := c.Want(t, 201, "ann", tc.method, root+tc.upload, tc.body, "Content-Type", "application/x-www-form-urlencoded")
		if res.Body != tc.answer {
			t.Errorf("%s: the answer is %q", tc.upload, res.Body)
		}
		if to := res.Header.Get("Location"); tc.answer == "" && c.Want(t, 200, "", "GET", to, "").Body != tc.body {
			t.Errorf("%s: something else is at %s", tc.upload, to)
		}
		again := c.Want(t, 409, "ann", tc.method, root+tc.upload, tc.body)
		if got := servertest.Decode(t, again.Body); !strings.Contains(got["message"].(string), "already exists") || got["reason"] != "Conflict" {
			t.Errorf("the conflict is %s", again.Body)
		}
		got := c.Want(t, 200, "", "GET", root+tc.path, "")
		sum := sha256.Sum256([]byte(tc.body))
		if got.Body != tc.body || got.Header.Get("Content-Type") != "application/octet-stream" || got.Header.Get("ETag") != `"`+hex.EncodeToString(sum[:])+`"` {
			t.Errorf("%s: %d bytes, %v", tc.path, len(got.Body), got.Header)
		}
		if head := c.Want(t, 200, "", "HEAD", root+tc.path, ""); head.ContentLength != int64(len(tc.body)) {
			t.Errorf("HEAD %s: %d bytes", tc.path, head.ContentLength)
		}
		part := c.Want(t, 206, "", "GET", root+tc.path, "", "Range", "bytes=10-")
		if part.Body != tc.body[10:] || !strings.HasPrefix(part.Header.Get("Content-Range"), "bytes 10-") {
			t.Errorf("a range of %s has %d bytes, %v", tc.path, len(part.Body), part.Header)
		}
		c.Want(t, 304, "", "GET", root+tc.path, "", "If-None-Match", got.Header.Get("ETag"))
	}
	for _, path := range []string{
		"/linux-64/foo-1.0-1.conda", "/linux-64/foo-1.0.conda", "/noarch/foo-1.0-0.conda", "/other/linux-64/foo-1.0-0.conda", "/linux-64/FOO-1.0-0.conda",
		"/Linux-64/foo-1.0-0.conda", "/t/linux-64/foo-1.0-0.conda", "/linux-64/linux-64/foo-1.0-0.conda", "/linux-64/foo-1.0-0.zip", "/foo-1.0-0.conda/x",
		"/../linux-64/foo-1.0-0.conda", "/channeldata.json/x", "/tools/channeldata.json", "/tools/notices.json", "/noarch/repodata_shards.msgpack.zst", "/noarch/shards/x",
		"/noarch/repodata.json.gz", "/noarch/run_exports.json.bz2",
	} {
		if res := c.Want(t, 404, "", "GET", root+path, ""); servertest.Decode(t, res.Body)["reason"] != "Not Found" {
			t.Errorf("%s: %q", path, res.Body)
		}
	}
	c.wantSound()
}

func TestRefused(t *testing.T) {
	c := newChannels(t)
	foo := record("foo", "1.0", "0", "noarch", nil)
	infoWith := func(members ...member) string {
		return zipped(t, member{name: "metadata.json", content: format2}, member{name: "pkg-foo-1.0-0.tar.zst"},
			member{name: "info-foo-1.0-0.tar.zst", content: packed(t, tarred(t, members...))})
	}
	with := func(more info) string {
		return infoWith(member{name: "info/index.json", content: record("foo", "1.0", "0", "noarch", more).json(t)})
	}
	without := func(field string) string {
		r := record("foo", "1.0", "0", "noarch", nil)
		delete(r, field)
		return infoWith(member{name: "info/index.json", content: r.json(t)})
	}
	index := member{name: "info/index.json", content: foo.json(t)}
	packedInfo := packed(t, tarred(t, index))
	names := []member{{name: "metadata.json", content: format2}, {name: "pkg-foo-1.0-0.tar.zst"}, {name: "info-foo-1.0-0.tar.zst", content: packedInfo}}
	good := foo.conda(t)
	for name, tc := range map[string]struct{ body, want string }{
		"empty":                   {"", "empty"},
		"text":                    {"hello, this is text", "ends in .conda"},
		"the other container":     {foo.tarball(t), "ends in .conda"},
		"cut off":                 {good[:len(good)-30], "zip"},
		"another's members":       {record("bar", "1.0", "0", "noarch", nil).conda(t), "want metadata.json"},
		"no metadata":             {zipped(t, names[1:]...), "lacks one of"},
		"two of a member":         {zipped(t, append(names, names[2])...), "two members"},
		"a stranger":              {zipped(t, append(names, member{name: "x"})...), `a member "x"`},
		"format 3":                {zipped(t, member{name: "metadata.json", content: `{"conda_pkg_format_version":3}`}, names[1], names[2]), "format is 2"},
		"no zstd":                 {zipped(t, names[0], names[1], member{name: names[2].name, content: "text"}), "cannot be read"},
		"zstd cut off":            {zipped(t, names[0], names[1], member{name: names[2].name, content: packedInfo[:len(packedInfo)/2]}), "cannot be read"},
		"no tar":                  {zipped(t, names[0], names[1], member{name: names[2].name, content: packed(t, strings.Repeat("x", 2000))}), "cannot be read"},
		"no index":                {infoWith(member{name: "info/about.json"}), "no info/index.json"},
		"two indexes":             {infoWith(index, member{name: "./info/index.json"}), "second info/index.json"},
		"a link":                  {infoWith(member{name: "info/index.json", target: "x"}), "not a file"},
		"an index that is none":   {infoWith(member{name: "info/index.json", content: "[]"}), "no JSON object"},
		"an index of nothing":     {infoWith(member{name: "info/index.json", content: "null"}), "no JSON object"},
		"an empty index":          {infoWith(member{name: "info/index.json"}), "no JSON object"},
		"something behind it":     {infoWith(member{name: "info/index.json", content: foo.json(t) + "{}"}), "follows"},
		"another name":            {with(info{"name": "bar"}), "called bar-1.0-0.conda"},
		"another version":         {with(info{"version": "1.1"}), "called foo-1.1-0.conda"},
		"no name":                 {without("name"), "name: want a text"},
		"no version":              {without("version"), "version: want a text"},
		"no build":                {without("build"), "build: want a text"},
		"no build number":         {without("build_number"), "build_number: want a whole number"},
		"no subdir":               {without("subdir"), "subdir: want the platform"},
		"a list for a name":       {with(info{"name": []string{"foo"}}), "name: want a text"},
		"a number for a version":  {with(info{"version": 1.0}), "version: want a text"},
		"a text for a number":     {with(info{"build_number": "0"}), "build_number:"},
		"half a number":           {with(info{"build_number": 0.5}), "build_number:"},
		"a number below":          {with(info{"build_number": -1}), "build_number:"},
		"a text for depends":      {with(info{"depends": "bar"}), "depends: want a list of texts"},
		"a null in depends":       {with(info{"depends": []any{nil}}), "depends: want a list of texts"},
		"numbers in constrains":   {with(info{"constrains": []int{1}}), "constrains: want a list of texts"},
		"noarch of another kind":  {with(info{"noarch": "ruby"}), "noarch: want"},
		"noarch for a platform":   {with(info{"noarch": "python", "subdir": "linux-64"}), "belongs into the subdir noarch"},
		"a bad subdir":            {with(info{"subdir": "Linux"}), "subdir: want noarch"},
		"a list for a licence":    {with(info{"license": []string{"MIT"}}), "license: want a text"},
		"a text for a timestamp":  {with(info{"timestamp": "now"}), "timestamp: want"},
		"a time before time":      {with(info{"timestamp": -1}), "timestamp: want"},
		"features of another age": {with(info{"track_features": 1}), "track_features: want"},
		"a long record":           {with(info{"x": strings.Repeat("x", 2<<20)}), "more than"},
		"a long index":            {with(info{"x": strings.Repeat("x", 5<<20)}), "longer than"},
		"a bomb":                  {infoWith(member{name: "info/a", content: strings.Repeat("\x00", 65<<20)}, index), "cannot be read"},
	} {
		res := c.Do(t, "ann", "PUT", root+"/foo-1.0-0.conda", tc.body)
		want := 400
		if strings.HasPrefix(name, "a long") {
			want = 413
		}
		if res.StatusCode != want || !strings.Contains(servertest.Decode(t, res.Body)["message"].(string), tc.want) {
			t.Errorf("%s: %d %s, want %d with %q", name, res.StatusCode, res.Body, want, tc.want)
		}
	}
	tarball := foo.tarball(t)
	for name, tc := range map[string]struct{ path, body, want string }{
		"no tar.bz2":            {"/foo-1.0-0.tar.bz2", good, "ends in .tar.bz2"},
		"half a tar.bz2":        {"/foo-1.0-0.tar.bz2", tarball[:len(tarball)/2], "cannot be read"},
		"a tar without an info": {"/foo-1.0-0.tar.bz2", bzipped(t, tarred(t, member{name: "lib/x"})), "no info/index.json"},
		"another ending":        {"/foo-1.0-0.zip", good, "ends in .conda or .tar.bz2"},
		"no build in the name":  {"/foo-1.0.conda", good, "NAME-VERSION-BUILD"},
		"upper case":            {"/Foo-1.0-0.conda", good, "lower-case"},
		"a virtual package":     {"/__foo-1.0-0.conda", good, "virtual"},
		"two separators":        {"/a._b-1.0-0.conda", good, "name:"},
		"a bad version":         {"/foo-1..0-0.conda", good, "empty part"},
		"two epochs":            {"/foo-1!1!0-0.conda", good, "epoch"},
		"a bad build":           {"/foo-1.0-%C3%A4.conda", good, "build:"},
		"a long version":        {"/foo-" + strings.Repeat("1", 65) + "-0.conda", good, "too long"},
		"a long name":           {"/" + strings.Repeat("f", 65) + "-1.0-0.conda", good, "name:"},
		"a long file":           {"/" + strings.Repeat("f", 220) + "-1.0-0.conda", good, "211"},
		"a channel t":           {"/t/foo-1.0-0.conda", good, "another meaning"},
		"a channel label":       {"/x/label/foo-1.0-0.conda", good, "another meaning"},
		"a channel api":         {"/api/foo-1.0-0.conda", good, "another meaning"},
		"a channel noarch":      {"/noarch/tools/foo-1.0-0.conda", good, "another meaning"},
		"a channel of a file":   {"/repodata.json/foo-1.0-0.conda", good, "another meaning"},
		"two subdirs":           {"/noarch/noarch/foo-1.0-0.conda", good, "another meaning"},
		"an upper-case channel": {"/Tools/foo-1.0-0.conda", good, "lower-case"},
		"an empty segment":      {"/a//foo-1.0-0.conda", good, "channel:"},
		"a long channel":        {"/" + strings.Repeat("c", 129) + "/foo-1.0-0.conda", good, "128"},
		"another subdir":        {"/tools/linux-64/foo-1.0-0.conda", good, "the path says linux-64"},
	} {
		res := c.Do(t, "ann", "PUT", root+tc.path, tc.body)
		if res.StatusCode != 400 || !strings.Contains(servertest.Decode(t, res.Body)["message"].(string), tc.want) {
			t.Errorf("%s: %d %s, want 400 with %q", name, res.StatusCode, res.Body, tc.want)
		}
	}
	c.Want(t, 400, "ann", "POST", root+"/tools/foo/foo-1.0-0.conda", good)
	c.Want(t, 400, "ann", "POST", root+"/linux-64/foo-1.0-0.conda", good)
	c.Want(t, 400, "ann", "POST", root+"/api/channels/x/upload/foo-1.0-0.conda?sha256="+strings.Repeat("0", 64), good)
	c.Want(t, 400, "ann", "POST", root+"/api/channels/x/upload/foo-1.0-0.conda?force=maybe", good)
	c.Want(t, 404, "", "GET", root+"/x/noarch/repodata.json", "")
	if got := c.files("/noarch"); got != "" {
		t.Errorf("after nothing but refusals, there is %s", got)
	}
}

// TestReplace lets only who may delete replace, and only when asked to.
func TestReplace(t *testing.T) {
	c := newChannels(t)
	foo := record("foo", "1.0", "0", "noarch", nil)
	other := record("foo", "1.0", "0", "noarch", info{"depends": []string{"bar"}})
	upload := root + "/api/channels/main/upload/foo-1.0-0.conda"
	sum := sha256.Sum256([]byte(foo.conda(t)))
	c.Want(t, 201, "ann", "POST", upload+"?force=false&sha256="+strings.ToUpper(hex.EncodeToString(sum[:])), foo.conda(t))
	c.Want(t, 409, "ann", "POST", upload+"?force=false", other.conda(t))
	c.Want(t, 204, "ann", "PUT", root+"/main/noarch/foo-1.0-0.conda/yank", "")
	writes := c.Token(t, "wim", "read:package", "write:package")
	res := c.Want(t, 409, "", "POST", upload+"?force=true", other.conda(t), "X-API-Key", writes)
	if !strings.Contains(res.Body, "right to delete") {
		t.Errorf("the refusal is %s", res.Body)
	}
	c.Want(t, 201, "ann", "POST", upload+"?force=true", other.conda(t))
	got := parseRepodata(t, c.get("/main/noarch/repodata.json")).Conda["foo-1.0-0.conda"]
	if servertest.Encode(t, got["depends"]) != `["bar"]` || c.get("/main/noarch/foo-1.0-0.conda") != other.conda(t) {
		t.Errorf("after it was replaced, the record is %v", got)
	}
	c.wantSound()
}
