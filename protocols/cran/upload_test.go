package cran_test

import (
	"strings"
	"testing"
)

func TestUploadAndDownload(t *testing.T) {
	r := newRepository(t)
	windows, unix := builtOn("4.2", "windows"), builtOn("4.2", "unix")
	for _, tc := range []struct{ upload, body, path, contentType string }{
		{"/src", source(t, "foo.bar", "1.0-1"), "/src/contrib/foo.bar_1.0-1.tar.gz", "application/x-gzip"},
		{"/src/contrib/any.tar.gz", source(t, "nexus", "1.0"), "/src/contrib/nexus_1.0.tar.gz", "application/x-gzip"},
		{"/src", targz(t, member{name: "./dot/DESCRIPTION", content: describe("dot", "1.0")}), "/src/contrib/dot_1.0.tar.gz", "application/x-gzip"},
		{"/src", targz(t, member{name: "DESCRIPTION", content: describe("bare", "1.0")}), "/src/contrib/bare_1.0.tar.gz", "application/x-gzip"},
		{"/bin?platform=windows&rversion=4.2", zipped(t, member{name: "foo.bar/DESCRIPTION", content: describe("foo.bar", "1.0-1", windows)}),
			"/bin/windows/contrib/4.2/foo.bar_1.0-1.zip", "application/zip"},
		{"/bin?platform=macosx/big-sur-arm64&rversion=4.2", source(t, "foo.bar", "1.0-1", unix),
			"/bin/macosx/big-sur-arm64/contrib/4.2/foo.bar_1.0-1.tgz", "application/x-gzip"},
		{"/bin/linux/bookworm/contrib/4.2/x.tar.gz", source(t, "foo.bar", "1.0-1", unix),
			"/bin/linux/bookworm/contrib/4.2/foo.bar_1.0-1.tar.gz", "application/x-gzip"},
		{"/bin?platform=macosx&rversion=4.2", source(t, "early", "2.0", unix), "/bin/macosx/contrib/4.2/early_2.0.tgz", "application/x-gzip"},
	} {
		r.Want(t, 201, "ann", "PUT", root+tc.upload, tc.body, "Content-Type", "application/x-www-form-urlencoded")
		if res := r.Want(t, 409, "ann", "PUT", root+tc.upload, tc.body); !strings.Contains(res.Body, tc.path[strings.LastIndexByte(tc.path, '/')+1:]) {
			t.Errorf("the conflict is %q", res.Body)
		}
		got := r.Want(t, 200, "", "GET", root+tc.path, "")
		if got.Body != tc.body || got.Header.Get("Content-Type") != tc.contentType || got.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %d bytes, %v", tc.path, len(got.Body), got.Header)
		}
		if head := r.Want(t, 200, "", "HEAD", root+tc.path, ""); head.ContentLength != int64(len(tc.body)) {
			t.Errorf("HEAD %s: %d bytes", tc.path, head.ContentLength)
		}
		if part := r.Want(t, 206, "", "GET", root+tc.path, "", "Range", "bytes=1-5"); part.Body != tc.body[1:6] {
			t.Errorf("a range of %s is %q", tc.path, part.Body)
		}
	}
	archived := r.get("/src/contrib/foo.bar_1.0-1.tar.gz")
	for _, path := range []string{"/src/contrib/Archive/foo.bar/foo.bar_1.0-1.tar.gz", "/src/contrib/Archive/foo.bar/1.0-1/foo.bar_1.0-1.tar.gz"} {
		if r.get(path) != archived {
			t.Errorf("%s is another file", path)
		}
	}
	for _, path := range []string{
		"/src/contrib/FOO.bar_1.0-1.tar.gz", "/src/contrib/foo.bar_1.0.1.tar.gz", "/src/contrib/foo.bar_1.0-1.zip", "/src/contrib/foo.bar",
		"/src/contrib/Archive/nexus/foo.bar_1.0-1.tar.gz", "/src/contrib/Archive/foo.bar/1.0/foo.bar_1.0-1.tar.gz", "/src/contrib/Archive/FOO.bar",
		"/bin/windows/contrib/4.3/foo.bar_1.0-1.zip", "/bin/WINDOWS/contrib/4.2/PACKAGES", "/bin/windows/contrib/4/PACKAGES", "/bin/a/../b/contrib/4.2/PACKAGES",
		"/src/contrib/early_2.0.tar.gz", "/web/packages/none/DESCRIPTION", "/web/packages/none/index.html", "/src/contrib/Meta/other.rds", "/src/contrib/PACKAGES.xz",
	} {
		if res := r.Want(t, 404, "", "GET", root+path, ""); strings.Count(res.Body, "\n") != 1 {
			t.Errorf("%s: %q", path, res.Body)
		}
	}
	r.wantSound()
}

func TestRefused(t *testing.T) {
	r := newRepository(t)
	good := source(t, "app", "1.0")
	with := func(text string) string { return targz(t, member{name: "app/DESCRIPTION", content: text}) }
	description := member{name: "app/DESCRIPTION", content: describe("app", "1.0")}
	for name, tc := range map[string]struct{ body, want string }{
		"empty":                  {"", "empty"},
		"a zip archive":          {zipped(t, description), "tar.gz"},
		"no archive":             {"hello, this is text", "gzip"},
		"cut off":                {good[:len(good)-20], "archive"},
		"more behind it":         {good + "more", "behind"},
		"another behind it":      {good + good, "behind"},
		"no DESCRIPTION":         {targz(t, member{name: "app/R/a.R"}), "no DESCRIPTION"},
		"a deep DESCRIPTION":     {targz(t, member{name: "app/inst/DESCRIPTION", content: describe("app", "1.0")}), "no DESCRIPTION"},
		"two":                    {targz(t, description, member{name: "b/DESCRIPTION", content: describe("b", "1.0")}), "second DESCRIPTION"},
		"a link":                 {targz(t, member{name: "app/DESCRIPTION", target: "x"}), "second DESCRIPTION, or one that is not a file"},
		"another folder":         {targz(t, member{name: "other/DESCRIPTION", content: describe("app", "1.0")}), "folder"},
		"an empty one":           {with(""), "empty"},
		"a long one":             {with(describe("app", "1.0") + "Collate: " + strings.Repeat("x", 1<<20) + "\n"), "cannot be read"},
		"a second record":        {with(describe("app", "1.0") + "\nPackage: b\n"), "second record"},
		"a first continuation":   {with(" x\n" + describe("app", "1.0")), "continuation"},
		"a line without a field": {with(describe("app", "1.0") + "what is this\n"), "not a field"},
		"an unknown encoding":    {with(describe("app", "1.0", "Encoding: rot13")), "Encoding"},
		"no name":                {with("Version: 1.0\nLicense: MIT\n"), "Package"},
		"a short name":           {with(describe("a", "1.0")), "Package"},
		"a dot at the end":       {with(describe("app.", "1.0")), "Package"},
		"an underscore":          {with(describe("a_b", "1.0")), "Package"},
		"no version":             {with("Package: app\nLicense: MIT\n"), "Version"},
		"one part":               {with(describe("app", "1")), "at least two parts"},
		"letters":                {with(describe("app", "1.0rc1")), "Version"},
		"a long version":         {with(describe("app", strings.Repeat("1.", 40)+"1")), "Version"},
		"no licence":             {with("Package: app\nVersion: 1.0\n"), "License"},
		"a built package":        {with(describe("app", "1.0", builtOn("4.2", "unix"))), "Built"},
		"odd NeedsCompilation":   {with(describe("app", "1.0", "NeedsCompilation: maybe")), "NeedsCompilation"},
	} {
		res := r.Do(t, "ann", "PUT", root+"/src", tc.body)
		if res.StatusCode != 400 || !strings.Contains(res.Body, tc.want) || strings.Count(res.Body, "\n") != 1 || strings.HasPrefix(res.Body, "{") {
			t.Errorf("%s: %d %q, want 400 with %q on one line", name, res.StatusCode, res.Body, tc.want)
		}
	}
	built := func(rversion, os string) string { return source(t, "app", "1.0", builtOn(rversion, os)) }
	zip := zipped(t, member{name: "app/DESCRIPTION", content: describe("app", "1.0", builtOn("4.2", "windows"))})
	for name, tc := range map[string]struct{ query, body, want string }{
		"no platform":           {"?rversion=4.2", zip, "platform"},
		"no rversion":           {"?platform=windows", zip, "rversion"},
		"a bad platform":        {"?platform=Windows&rversion=4.2", zip, "platform"},
		"a path as platform":    {"?platform=a/../b&rversion=4.2", built("4.2", "unix"), "platform"},
		"a patch version":       {"?platform=windows&rversion=4.2.1", zip, "rversion"},
		"another rversion":      {"?platform=windows&rversion=4.3", zip, "built for R 4.2"},
		"not built":             {"?platform=linux/bookworm&rversion=4.2", good, "Built"},
		"for another system":    {"?platform=linux/bookworm&rversion=4.2", built("4.2", "windows"), "built for windows"},
		"a tar for Windows":     {"?platform=windows&rversion=4.2", built("4.2", "windows"), ".zip"},
		"a zip for macOS":       {"?platform=macosx&rversion=4.2", zip, ".tgz"},
		"a broken zip":          {"?platform=windows&rversion=4.2", "PK\x03\x04 and then nothing", "zip"},
		"a unix zip on Windows": {"?platform=windows&rversion=4.2", zipped(t, member{name: "app/DESCRIPTION", content: describe("app", "1.0", builtOn("4.2", "unix"))}), "built for unix"},
	} {
		res := r.Do(t, "ann", "PUT", root+"/bin"+tc.query, tc.body)
		if res.StatusCode != 400 || !strings.Contains(res.Body, tc.want) {
			t.Errorf("%s: %d %q, want 400 with %q", name, res.StatusCode, res.Body, tc.want)
		}
	}
	if got := r.get("/src/contrib/PACKAGES"); got != "" {
		t.Errorf("after nothing but refusals, PACKAGES is\n%s", got)
	}
}

func TestConflicts(t *testing.T) {
	r := newRepository(t)
	r.publish("app", "1.0-1")
	for _, body := range []string{source(t, "app", "1.0-1", "Title: other"), source(t, "app", "1.0.1"), source(t, "app", "1.0-01"), source(t, "App", "2.0")} {
		r.Want(t, 409, "ann", "PUT", root+"/src", body)
	}
	r.publish("app", "1.0.1.0")
	path := root + "/src/contrib/app_1.0-1.tar.gz"
	r.Want(t, 403, "rea", "DELETE", path, "")
	r.Want(t, 204, "ann", "DELETE", path, "")
	r.Want(t, 404, "ann", "DELETE", path, "")
	r.Want(t, 404, "", "GET", path, "")
	r.publish("app", "1.0.1")
	r.put("/bin?platform=linux/x&rversion=4.2", source(t, "app", "1.0.1", builtOn("4.2", "unix")))
	r.Want(t, 204, "ann", "DELETE", root+"/bin/linux/x/contrib/4.2/app_1.0.1.tar.gz", "")
	r.Want(t, 200, "", "GET", root+"/src/contrib/app_1.0.1.tar.gz", "")
	r.wantSound()
}
