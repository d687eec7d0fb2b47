package alpine_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"entrepot/server"
)

func TestUploadAndDownload(t *testing.T) {
	r := newRepository(t)
	info := infoOf("app", "1.0_rc1-r0", "x86_64")
	data := member(t, true, file{"usr/bin/app", "x"})
	body := member(t, false, file{".SIGN.RSA.someone@example.com.rsa.pub", "odd"}) +
		member(t, false, file{".pre-install", "x"}, file{".PKGINFO", info + "datahash = " + sum(data) + "\n"}) + data
	res := r.Want(t, 201, "wim", "PUT", root+"/v3.20/main", body)
	path := root + "/v3.20/main/x86_64/app-1.0_rc1-r0.apk"
	if res.Body != "" || res.Header.Get("Location") != r.URL+path {
		t.Errorf("the answer is %q at %s", res.Body, res.Header.Get("Location"))
	}
	got := r.Want(t, 200, "", "GET", path, "")
	if got.Body != body || got.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%d bytes of %s, want %d", len(got.Body), got.Header.Get("Content-Type"), len(body))
	}
	if got := r.Want(t, 206, "", "GET", path, "", "Range", "bytes=8-20").Body; got != body[8:21] {
		t.Errorf("a range is %q", got)
	}
	if got := r.Want(t, 200, "", "HEAD", path, ""); got.ContentLength != int64(len(body)) {
		t.Errorf("HEAD says %d bytes", got.ContentLength)
	}
	for _, path := range []string{
		"/v3.20/main/aarch64/app-1.0_rc1-r0.apk", "/v3.20/main/x86_64/app-1.0%25rc1-r0.apk", "/v3.20/main/x86_64/app-1.0xrc1-r0.apk", "/v3.20/main/x86_64/app-1.0_rc1.apk",
		"/v3.20/other/x86_64/app-1.0_rc1-r0.apk", "/v3.21/main/x86_64/app-1.0_rc1-r0.apk", "/v3.20/main/x86_64/Packages.adb", "/v3.20/main/x86-64/app-1.0_rc1-r0.apk",
		"/v3.20/main/noarch/app-1.0_rc1-r0.apk", "/v3.20/main/x86_64/app", "/v3.20/main/*/APKINDEX.tar.gz", "/v3.20/main/x86_64/APKINDEX-1.0.apk", "/v3.20/main/x86_64/APKINDEX",
	} {
		r.Want(t, 404, "", "GET", root+path, "")
	}
	r.upload("APKINDEX", "1.0", "x86_64")
	r.Want(t, 200, "", "GET", root+"/v3.20/main/x86_64/APKINDEX-1.0.apk", "")
	r.wantSound()
}

func TestUploadedForms(t *testing.T) {
	r := newRepository(t)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "whatever.bin")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(part, apk(t, infoOf("form", "1", "noarch")))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r.Want(t, 201, "ann", "PUT", root+"/v3.20/main", form.String(), "Content-Type", w.FormDataContentType())
	r.Want(t, 201, "ann", "PUT", root+"/v3.20/main", apk(t, infoOf("raw", "1", "noarch")), "Content-Type", "application/x-www-form-urlencoded")
	for _, arch := range []string{"x86_64", "noarch"} {
		r.Want(t, 200, "", "GET", root+"/v3.20/main/"+arch+"/form-1.apk", "")
		r.Want(t, 200, "", "GET", root+"/v3.20/main/"+arch+"/raw-1.apk", "")
	}
}

func TestRefusedUploads(t *testing.T) {
	r := newRepository(t)
	ok := infoOf("app", "1.0-r0", "x86_64")
	data := member(t, true, file{"x", "y"})
	control := func(files ...file) string { return member(t, false, files...) }
	good := func(info string) string { return apk(t, info) }
	whole := good(ok)
	for name, tc := range map[string]struct{ body, want string }{
		"empty":                {"", "the body is empty"},
		"not gzip":             {"PK\x03\x04 something else", "want gzip"},
		"format 3":             {"ADBd something", "format 3"},
		"an uncompressed one":  {"ADB.pckg", "format 3"},
		"damaged":              {"\x1f\x8bnothing of the kind", "no member with"},
		"cut off":              {whole[:100], "cannot be read"},
		"cut off in the data":  {whole[:len(whole)-1], "damaged"},
		"more than the data":   {whole + "x", "damaged"},
		"no data":              {control(file{".PKGINFO", ok}), "no member with what is installed"},
		"odd data":             {control(file{".PKGINFO", ok}) + "not gzip", "no gzip member"},
		"no description":       {control(file{".post-install", ok}) + data, "it has no .PKGINFO"},
		"in a folder":          {control(file{"dir/.PKGINFO", ok}) + data, "it has no .PKGINFO"},
		"signatures alone":     {control(file{".SIGN.RSA.x", "y"}), "no member with .PKGINFO"},
		"many signatures":      {strings.Repeat(control(file{".SIGN.RSA.x", "y"}), 12) + whole, "more than 10 members"},
		"an empty archive":     {member(t, true) + whole, "it has no .PKGINFO"},
		"two descriptions":     {control(file{".PKGINFO", ok}, file{".PKGINFO", ok}) + data, "two of .PKGINFO"},
		"a long description":   {good(ok + "# " + strings.Repeat("x", 1<<20)), "at most"},
		"a bomb":               {control(file{"zeros", strings.Repeat("\x00", 17<<20)}, file{".PKGINFO", ok}) + data, "unpacks to more"},
		"another datahash":     {control(file{".PKGINFO", ok + "datahash = " + sum("x") + "\n"}) + data, "damaged"},
		"a line without a key": {good(ok + "what is this\n"), "not a key"},
		"a NUL":                {good(ok + "odd = a\x00b\n"), "character"},
		"no name":              {good("pkgver = 1\narch = noarch\n"), "no pkgname"},
		"two names":            {good(ok + "pkgname = other\n"), "more than one pkgname"},
		"an odd name":          {good(infoOf(".app", "1", "noarch")), "pkgname"},
		"a path in the name":   {good(infoOf("a/b", "1", "noarch")), "pkgname"},
		"a long name":          {good(infoOf(strings.Repeat("a", 129), "1", "noarch")), "pkgname"},
		"no version":           {good("pkgname = a\narch = noarch\n"), "no pkgver"},
		"an odd version":       {good(infoOf("app", "1.0-1", "noarch")), "pkgver"},
		"no architecture":      {good("pkgname = a\npkgver = 1\n"), "no arch"},
		"an odd architecture":  {good(infoOf("app", "1", "x86-64")), "arch"},
	} {
		res := r.Do(t, "ann", "PUT", root+"/v3.20/main", tc.body)
		if res.StatusCode != 400 || !strings.Contains(res.Body, tc.want) || strings.Count(res.Body, "\n") != 1 {
			t.Errorf("%s: %d %q, want 400 with %q on one line", name, res.StatusCode, res.Body, tc.want)
		}
	}
	r.Want(t, 404, "", "GET", root+"/v3.20/main/x86_64/APKINDEX.tar.gz", "")
	for _, place := range []string{"key/main", "keys/main", "a%20b/main", ".hidden/main", strings.Repeat("d", 101) + "/main", "v3.20/-x", "v3.20/a%7Cb"} {
		if res := r.Do(t, "ann", "PUT", root+"/"+place, whole); res.StatusCode != 400 {
			t.Errorf("a place %q: %d %s", place, res.StatusCode, res.Body)
		}
	}
	r.Want(t, 401, "", "PUT", root+"/v3.20/main", whole)
	r.Want(t, 403, "rea", "PUT", root+"/v3.20/main", whole)
	r.Want(t, 201, "wim", "PUT", root+"/v3.20/main", whole)
	small := newRepository(t, func(c *server.Config) { c.Limits.FileSize = 64 })
	small.Want(t, 413, "ann", "PUT", root+"/v3.20/main", whole)
}

func TestDuplicates(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-r0", "x86_64")
	for _, more := range [][]string{nil, {"commit = another"}} {
		res := r.Want(t, 409, "ann", "PUT", root+"/v3.20/main", apk(t, infoOf("app", "1.0-r0", "x86_64", more...)))
		if !strings.Contains(res.Body, "app-1.0-r0.apk for x86_64 is in v3.20/main already") {
			t.Errorf("the conflict says %q", res.Body)
		}
	}
	// What differs in any part is another package.
	r.upload("app", "1.0-r0", "aarch64")
	r.upload("app", "1.0-r0", "noarch")
	r.upload("app", "1.0-r1", "x86_64")
	r.uploadTo("v3.20/community", "app", "1.0-r0", "x86_64")
	r.uploadTo("v3.21/main", "app", "1.0-r0", "x86_64")
	path := root + "/v3.20/main/x86_64/app-1.0-r0.apk"
	r.Want(t, 403, "rea", "DELETE", path, "")
	r.Want(t, 204, "ann", "DELETE", path, "")
	r.Want(t, 404, "ann", "DELETE", path, "")
	// Behind it stands the one that runs everywhere.
	r.Want(t, 200, "", "GET", path, "")
	r.remove("app", "1.0-r0", "noarch")
	r.Want(t, 404, "", "GET", path, "")
	r.Want(t, 200, "", "GET", root+"/v3.20/community/x86_64/app-1.0-r0.apk", "")
	for _, path := range []string{"/v3.20/main/x86_64/APKINDEX.tar.gz", "/v3.20/main/x86_64/app-9.apk", "/v3.20/none/x86_64/app-1.0-r1.apk"} {
		r.Want(t, 404, "ann", "DELETE", root+path, "")
	}
	r.wantNames("x86_64", "app-1.0-r1:x86_64")
	r.wantSound()
}

func TestCopy(t *testing.T) {
	r := newRepository(t)
	r.uploadTo("edge/main", "app", "1.0-r0", "x86_64")
	from := root + "/edge/main/x86_64/app-1.0-r0.apk/copy"
	r.Want(t, 201, "wim", "POST", from+"?to=v3.20/main", "")
	r.Want(t, 409, "wim", "POST", from+"?to=v3.20/main", "")
	for _, to := range []string{"", "stable", "key/main", "a/b/c"} {
		if res := r.Do(t, "wim", "POST", from+"?to="+to, ""); res.StatusCode != 400 {
			t.Errorf("to %q: %d %s", to, res.StatusCode, res.Body)
		}
	}
	r.Want(t, 404, "wim", "POST", strings.Replace(from, "1.0", "2.0", 1)+"?to=v3.20/main", "")
	r.Want(t, 403, "rea", "POST", from+"?to=v3.21/main", "")
	was := readIndex(t, r.Want(t, 200, "", "GET", root+"/edge/main/x86_64/APKINDEX.tar.gz", "").Body)
	if got := r.index("x86_64"); got.text != was.text || got.description != "acme v3.20/main" {
		t.Errorf("the copy is listed as\n%s", got.text)
	}
	r.Want(t, 204, "ann", "DELETE", root+"/edge/main/x86_64/app-1.0-r0.apk", "")
	r.Want(t, 200, "", "GET", root+"/v3.20/main/x86_64/app-1.0-r0.apk", "")
	r.wantSound()
}
