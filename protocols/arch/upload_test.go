package arch_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"entrepot/server"
)

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

func md5Of(text string) string {
	s := md5.Sum([]byte(text))
	return hex.EncodeToString(s[:])
}

func TestUploadAndDownload(t *testing.T) {
	r := newRepository(t)
	for _, group := range []string{"", "core", "x86_64", "team/stable.v1"} {
		for _, ending := range []string{".gz", ".xz", ".zst"} {
			name := "app" + strings.TrimPrefix(ending, ".")
			info := infoOf(name, "1:2.0_rc1+a-1", "x86_64")
			body := compressed(t, ending, tarOf(t, member{".MTREE", "odd"}, member{"usr/", ""}, member{".PKGINFO", info}))
			base := root
			if group != "" {
				base += "/" + group
			}
			res := r.Want(t, 201, "wim", "PUT", base, body)
			file := "/x86_64/" + name + "-1:2.0_rc1+a-1-x86_64.pkg.tar" + ending
			if want := r.URL + base + file; res.Body != "" || res.Header.Get("Location") != want {
				t.Errorf("the answer is %q at %s, want %s", res.Body, res.Header.Get("Location"), want)
			}
			for _, path := range []string{file, strings.ReplaceAll(strings.ReplaceAll(file, "+", "%2B"), ":", "%3A")} {
				if got := r.Want(t, 200, "", "GET", base+path, ""); got.Body != body {
					t.Errorf("%s: %d bytes, want %d", path, len(got.Body), len(body))
				}
			}
			if got := r.Want(t, 206, "", "GET", base+file, "", "Range", "bytes=8-20").Body; got != body[8:21] {
				t.Errorf("a range is %q", got)
			}
			if got := r.Want(t, 200, "", "HEAD", base+file, ""); got.ContentLength != int64(len(body)) {
				t.Errorf("HEAD says %d bytes", got.ContentLength)
			}
			for _, path := range []string{
				strings.Replace(file, "/x86_64/", "/aarch64/", 1), strings.Replace(file, "rc1", "rc2", 1), strings.Replace(file, ending, ".bz2", 1),
				"/x86_64/" + name, "/x86_64/" + name + "-1-x86_64.pkg.tar" + ending, strings.Replace(file, "app", "%25pp", 1), strings.Replace(file, "_rc1", "-rc1", 1),
			} {
				r.Want(t, 404, "", "GET", base+path, "")
			}
		}
	}
	// The same package in another compression is the same package, and is not
	// served under the other's name.
	other := compressed(t, ".gz", tarOf(t, member{".PKGINFO", infoOf("appzst", "1:2.0_rc1+a-1", "x86_64")}))
	res := r.Want(t, 409, "wim", "PUT", root+"/core", other)
	if !strings.Contains(res.Body, "appzst-1:2.0_rc1+a-1-x86_64 is in the group core") {
		t.Errorf("the conflict says %q", res.Body)
	}
	r.Want(t, 404, "", "GET", root+"/core/x86_64/appzst-1:2.0_rc1+a-1-x86_64.pkg.tar.gz", "")
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
	fmt.Fprint(part, pack(t, infoOf("form", "1-1", "any")))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r.Want(t, 201, "ann", "PUT", root+"/core", form.String(), "Content-Type", w.FormDataContentType())
	r.Want(t, 201, "ann", "PUT", root+"/core", pack(t, infoOf("raw", "1-1", "any")), "Content-Type", "application/x-www-form-urlencoded")
	// curl appends the name of the file to a folder.
	named := pack(t, infoOf("named", "1-1", "any"))
	r.Want(t, 400, "ann", "PUT", root+"/core/other-1-1-any.pkg.tar.zst", named)
	r.Want(t, 400, "ann", "PUT", root+"/core/named-1-1-any.pkg.tar.xz", named)
	r.Want(t, 201, "ann", "PUT", root+"/core/named-1-1-any.pkg.tar.zst", named)
	// Frames in front that are skipped, and several frames.
	info := infoOf("frames", "1-1", "any")
	whole := tarOf(t, member{".PKGINFO", info})
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	frames := "\x5e\x2a\x4d\x18\x03\x00\x00\x00abc" + string(z.EncodeAll([]byte(whole[:700]), nil)) + string(z.EncodeAll([]byte(whole[700:]), nil))
	r.Want(t, 201, "ann", "PUT", root+"/core", frames)
	for _, name := range []string{"form", "raw", "named", "frames"} {
		r.Want(t, 200, "", "GET", root+"/core/riscv64/"+name+"-1-1-any.pkg.tar.zst", "")
	}
}

func TestRefusedUploads(t *testing.T) {
	r := newRepository(t)
	ok := infoOf("app", "1.0-1", "x86_64")
	good := func(info string) string { return pack(t, info) }
	gz := func(members ...member) string { return compressed(t, ".gz", tarOf(t, members...)) }
	whole := gz(member{".PKGINFO", ok}, member{"usr/noise", strings.Repeat(sum("a")+sum("b"), 300)})
	without := func(key string) string {
		var kept []string
		for line := range strings.Lines(ok) {
			if !strings.HasPrefix(line, key) {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "")
	}
	for name, tc := range map[string]struct{ body, want string }{
		"empty":                   {"", "the body is empty"},
		"short":                   {"\x1f", "compressed with"},
		"not compressed":          {tarOf(t, member{".PKGINFO", ok}), "compressed with"},
		"another compression":     {"BZh91AY&SY odd", "compressed with"},
		"damaged gzip":            {"\x1f\x8bnothing of the kind", "cannot be unpacked"},
		"damaged xz":              {"\xfd7zXZ\x00 nothing of the kind", "cannot be unpacked"},
		"damaged zstd":            {"\x28\xb5\x2f\xfdnothing", "cannot be read"},
		"cut off in the archive":  {whole[:len(whole)/2], "cannot be"},
		"cut off at the end":      {whole[:len(whole)-4], "cannot be unpacked"},
		"no archive":              {compressed(t, ".xz", "no archive at all, "+strings.Repeat("x", 600)), "cannot be read"},
		"no description":          {gz(member{"usr/x", "y"}), "it has no .PKGINFO"},
		"in a folder":             {gz(member{"dir/.PKGINFO", ok}), "it has no .PKGINFO"},
		"with a dot in front":     {gz(member{"./.PKGINFO", ok}), "it has no .PKGINFO"},
		"two descriptions":        {gz(member{".PKGINFO", ok}, member{".PKGINFO", ok}), "two of .PKGINFO"},
		"a long description":      {good(ok + "# " + strings.Repeat("x", 1<<20)), "at most"},
		"a bomb":                  {gz(member{".PKGINFO", ok}, member{"zeros", strings.Repeat("\x00", 100<<20)}), "unpacks to more"},
		"a line without a key":    {good(ok + "what is this\n"), "not a key"},
		"a line without a name":   {good(ok + " = x\n"), "not a key"},
		"a NUL":                   {good(ok + "odd = a\x00b\n"), "character"},
		"a carriage return":       {good(strings.ReplaceAll(ok, "\n", "\r\n")), "character"},
		"a heading as a value":    {good(ok + "depend = %FILENAME%\n"), "cannot be a value"},
		"no name":                 {good(without("pkgname")), "no pkgname"},
		"an empty name":           {good(strings.Replace(ok, "pkgname = app", "pkgname =", 1)), "no pkgname"},
		"two names":               {good(ok + "pkgname = other\n"), "more than one pkgname"},
		"a dot first":             {good(infoOf(".app", "1-1", "any")), "pkgname"},
		"a hyphen first":          {good(infoOf("-app", "1-1", "any")), "pkgname"},
		"a path in the name":      {good(infoOf("a/b", "1-1", "any")), "pkgname"},
		"a long name":             {good(infoOf(strings.Repeat("a", 201), "1-1", "any")), "pkgname"},
		"no version":              {good(without("pkgver")), "no pkgver"},
		"no release":              {good(infoOf("app", "1.0", "any")), "pkgver"},
		"a hyphen in the version": {good(infoOf("app", "1-0-1", "any")), "pkgver"},
		"a slash in the version":  {good(infoOf("app", "1/0-1", "any")), "pkgver"},
		"an odd epoch":            {good(infoOf("app", "a:1-1", "any")), "pkgver"},
		"no architecture":         {good(without("arch")), "no arch"},
		"two architectures":       {good(ok + "arch = any\n"), "more than one arch"},
		"an odd architecture":     {good(infoOf("app", "1-1", "x86-64")), "arch"},
	} {
		res := r.Do(t, "ann", "PUT", root+"/core", tc.body)
		if res.StatusCode != 400 || !strings.Contains(res.Body, tc.want) || strings.Count(res.Body, "\n") != 1 {
			t.Errorf("%s: %d %q, want 400 with %q on one line", name, res.StatusCode, res.Body, tc.want)
		}
	}
	r.Want(t, 404, "", "GET", root+"/core/x86_64/acme.db", "")
	for _, group := range []string{"a b", ".hidden", "a//b", "a/../b", "-a", "a|b", strings.Repeat("g", 201), "repository.json"} {
		if res := r.Do(t, "ann", "PUT", root+"/"+strings.ReplaceAll(url.PathEscape(group), "%2F", "/"), whole); res.StatusCode != 400 {
			t.Errorf("a group %q: %d %s", group, res.StatusCode, res.Body)
		}
	}
	// What makepkg may come to write is no reason to refuse a package.
	r.upload("app", "1.0-1", "x86_64", "xdata = pkgtype=pkg", "newkey = odd", "optdepend = a legal one: [with] (brackets)", "url = not an address", "size = many", "depend =")
}

func TestLimits(t *testing.T) {
	r := newRepository(t)
	small := newRepository(t, func(c *server.Config) { c.Limits.FileSize = 64 })
	body := pack(t, infoOf("app", "1-1", "any"))
	small.Want(t, 413, "ann", "PUT", root+"/core", body)
	r.Want(t, 401, "", "PUT", root+"/core", body)
	r.Want(t, 403, "rea", "PUT", root+"/core", body)
}

func TestDelete(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-1", "x86_64")
	r.upload("app", "1.0-1", "aarch64")
	r.upload("foo-x86_64", "1.0-1", "any")
	r.uploadTo("extra", "app", "1.0-1", "x86_64")
	for _, path := range []string{"", "/core", "/core/app"} {
		want := 400
		if path == "" {
			want = 405
		}
		r.Want(t, want, "ann", "DELETE", root+path, "")
	}
	for _, path := range []string{"/core/app/1.0-1/any", "/core/app/1.0-2/x86_64", "/core/other/1.0-1/x86_64", "/core/foo/x86_64-1.0-1/any", "/none/app/1.0-1/x86_64", "/core/app/1.0/x86_64"} {
		r.Want(t, 404, "ann", "DELETE", root+path, "")
	}
	r.Want(t, 403, "rea", "DELETE", root+"/core/app/1.0-1/x86_64", "")
	r.remove("app", "1.0-1", "x86_64")
	r.Want(t, 404, "ann", "DELETE", root+"/core/app/1.0-1/x86_64", "")
	r.Want(t, 404, "", "GET", root+"/core/x86_64/app-1.0-1-x86_64.pkg.tar.zst.sig", "")
	r.Want(t, 200, "", "GET", root+"/core/aarch64/app-1.0-1-aarch64.pkg.tar.zst", "")
	r.Want(t, 200, "", "GET", root+"/extra/x86_64/app-1.0-1-x86_64.pkg.tar.zst", "")
	r.wantNames("x86_64", "foo-x86_64-1.0-1-any")
	r.upload("app", "1.0-1", "x86_64")
	r.wantNames("x86_64", "app-1.0-1-x86_64", "foo-x86_64-1.0-1-any")
	r.wantSound()
}
