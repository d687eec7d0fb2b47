package debian_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
)

func TestUploadAndDownload(t *testing.T) {
	r := newRepository(t)
	for _, ending := range []string{"", ".gz", ".xz", ".zst"} {
		name := "app" + strings.TrimPrefix(ending, ".")
		control := controlOf(name, "1:2.0~rc1-1", "amd64", "Depends: libc6 (>= 2.36), a | b", "Filename: /etc/passwd", "SHA256: 0", "Section: utils")
		body := archive(
			member{"debian-binary", "2.0\n"},
			member{"_signature", "odd"},
			member{"control.tar" + ending, compressed(t, ending, tarOf(t, "control", control))},
			member{"data.tar" + ending, compressed(t, ending, tarOf(t, "x", "y"))},
		)
		res := r.Want(t, 201, "wim", "PUT", root+"/pool/bookworm/main/upload", body)
		if res.Body != "" {
			t.Errorf("%s: the answer has the body %q", ending, res.Body)
		}
		file := "/pool/bookworm/main/" + name + "_1:2.0~rc1-1_amd64.deb"
		for _, path := range []string{file, strings.ReplaceAll(strings.ReplaceAll(file, "~", "%7e"), ":", "%3a")} {
			got := r.Want(t, 200, "", "GET", root+path, "")
			if got.Body != body || got.Header.Get("Content-Type") != "application/vnd.debian.binary-package" {
				t.Errorf("%s: %d bytes of %s, want %d", path, len(got.Body), got.Header.Get("Content-Type"), len(body))
			}
		}
		if got := r.Want(t, 206, "", "GET", root+file, "", "Range", "bytes=8-20").Body; got != body[8:21] {
			t.Errorf("a range is %q", got)
		}
		if got := r.Want(t, 200, "", "HEAD", root+file, ""); got.ContentLength != int64(len(body)) {
			t.Errorf("HEAD says %d bytes", got.ContentLength)
		}
	}
	packages := r.get("/dists/bookworm/main/binary-amd64/Packages")
	if n := strings.Count(packages, "Package: "); n != 4 {
		t.Errorf("%d packages are listed, want 4", n)
	}
	if strings.Contains(packages, "/etc/passwd") || strings.Contains(packages, "SHA256: 0\n") {
		t.Errorf("fields of the uploader's stand where the index's own do:\n%s", packages)
	}
	r.wantSound()
}

func TestStanza(t *testing.T) {
	r := newRepository(t)
	control := "Package: hello\nversion: 2.10\nArchitecture: all\nX-Odd:  kept \nDepends: a,\n b (>= 1),\n\tc\nMD5sum: no\nDescription: greets\n long\n .\n more\n\n\n"
	body := deb(t, control)
	r.Want(t, 201, "ann", "PUT", root+"/pool/bookworm/main/upload", body)
	want := "Package: hello\nversion: 2.10\nArchitecture: all\nX-Odd: kept\nDepends: a,\n b (>= 1),\n\tc\nDescription: greets\n long\n .\n more\n" +
		fmt.Sprintf("Filename: pool/bookworm/main/hello_2.10_all.deb\nSize: %d\nMD5sum: %s\nSHA256: %s\n\n", len(body), md5Of(body), sum(body))
	if got := r.get("/dists/bookworm/main/binary-all/Packages"); got != want {
		t.Errorf("the stanza is\n%q\nwant\n%q", got, want)
	}
}

func TestUploadedForms(t *testing.T) {
	r := newRepository(t)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "whatever.bin")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(part, deb(t, controlOf("form", "1", "amd64")))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	upload := root + "/pool/bookworm/main/upload"
	r.Want(t, 201, "ann", "PUT", upload, form.String(), "Content-Type", w.FormDataContentType())
	r.Want(t, 201, "ann", "PUT", upload, deb(t, controlOf("raw", "1", "amd64")), "Content-Type", "application/x-www-form-urlencoded")
	r.Want(t, 200, "", "GET", root+"/pool/bookworm/main/form_1_amd64.deb", "")
	r.Want(t, 200, "", "GET", root+"/pool/bookworm/main/raw_1_amd64.deb", "")
}

func TestRefusedUploads(t *testing.T) {
	r := newRepository(t)
	good := func(control string) string { return deb(t, control) }
	tgz := func(name, content string) string { return compressed(t, ".gz", tarOf(t, name, content)) }
	format, data := member{"debian-binary", "2.0\n"}, member{"data.tar", tarOf(t, "x", "y")}
	ok := controlOf("app", "1.0", "amd64")
	whole := good(ok)
	for name, tc := range map[string]struct{ body, want string }{
		"empty":                   {"", "the body is empty"},
		"not an archive":          {"PK\x03\x04 something else entirely", "not an ar archive"},
		"cut in a header":         {whole[:80], "ends within"},
		"cut in a member":         {whole[:len(whole)-700], "ends within a member"},
		"a wrong size":            {strings.Replace(whole, "4         `\n", "many      `\n", 1), "size of a member"},
		"a negative size":         {strings.Replace(whole, "4         `\n", "-4        `\n", 1), "size of a member"},
		"no format":               {archive(member{"control.tar.gz", tgz("control", ok)}, data), "debian-binary"},
		"another format":          {archive(member{"debian-binary", "3.0\n"}, member{"control.tar.gz", tgz("control", ok)}, data), "debian-binary"},
		"no control member":       {archive(format, data), "control.tar"},
		"no control file":         {archive(format, member{"control.tar.gz", tgz("md5sums", ok)}, data), "no control file"},
		"nothing to install":      {archive(format, member{"control.tar.gz", tgz("control", ok)}), "a member is missing"},
		"an odd compression":      {archive(format, member{"control.tar.lz4", "odd"}, data), "not supported"},
		"a damaged compression":   {archive(format, member{"control.tar.gz", "not gzip at all"}, data), "cannot be read"},
		"a control file too long": {good(ok + "X-Long: " + strings.Repeat("x", 1<<20) + "\n"), "control file cannot be read"},
		"a bomb":                  {archive(format, member{"control.tar.gz", compressed(t, ".gz", tarOf(t, "zeros", strings.Repeat("\x00", 17<<20)))}, data), "unpacks to more"},
		"an empty control file":   {good("\n\n"), "it is empty"},
		"a second package":        {good(ok + "\nPackage: evil\nVersion: 1\nArchitecture: all\n"), "second paragraph"},
		"a disguised second":      {good(ok + " \t\nPackage: evil\nVersion: 1\nArchitecture: all\n"), "second paragraph"},
		"a carriage return":       {good(strings.ReplaceAll(ok, "\n", "\r\n")), "character"},
		"a NUL":                   {good(ok + "X-Odd: \x00\n"), "character"},
		"a field twice":           {good(ok + "VERSION: 2\n"), "comes twice"},
		"a line without a field":  {good(ok + "what is this\n"), "not a field"},
		"a first continuation":    {good(" odd\n" + ok), "continuation"},
		"no name":                 {good("Version: 1\nArchitecture: all\n"), "Package"},
		"a short name":            {good(controlOf("a", "1", "all")), "Package"},
		"upper case":              {good(controlOf("App", "1", "all")), "Package"},
		"a comma in the name":     {good(controlOf("a,b", "1", "all")), "Package"},
		"a path in the name":      {good(controlOf("../a", "1", "all")), "Package"},
		"a name on two lines":     {good("Package: app\n more\nVersion: 1\nArchitecture: all\n"), "Package"},
		"no version":              {good("Package: app\nArchitecture: all\n"), "Version"},
		"a slash in the version":  {good(controlOf("app", "1/2", "all")), "Version"},
		"a bad epoch":             {good(controlOf("app", "x:1", "all")), "Version"},
		"an odd epoch":            {good(controlOf("app", "01:1", "all")), "Version"},
		"a huge epoch":            {good(controlOf("app", "4294967296:1", "all")), "Version"},
		"an empty revision":       {good(controlOf("app", "1-", "all")), "Version"},
		"an odd revision":         {good(controlOf("app", "1-2[3", "all")), "Version"},
		"any architecture":        {good(controlOf("app", "1", "any")), "Architecture"},
		"a source package":        {good(controlOf("app", "1", "source")), "Architecture"},
		"an udeb":                 {good(ok + "Package-Type: udeb\n"), "Package-Type"},
	} {
		res := r.Do(t, "ann", "PUT", root+"/pool/bookworm/main/upload", tc.body)
		if res.StatusCode != 400 || !strings.Contains(res.Body, tc.want) || strings.Count(res.Body, "\n") != 1 {
			t.Errorf("%s: %d %q, want 400 with %q on one line", name, res.StatusCode, res.Body, tc.want)
		}
	}
	r.Want(t, 404, "", "GET", root+"/dists/bookworm/InRelease", "")
	for _, place := range []string{"by-hash/main", "a b/main", ".hidden/main", url.PathEscape(strings.Repeat("d", 101)) + "/main", "bookworm/upload"} {
		if res := r.Do(t, "ann", "PUT", root+"/pool/"+strings.ReplaceAll(place, " ", "%20")+"/upload", whole); res.StatusCode != 400 {
			t.Errorf("a place %q: %d %s", place, res.StatusCode, res.Body)
		}
	}
}

func TestDuplicates(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0", "amd64")
	upload := root + "/pool/bookworm/main/upload"
	same, other := deb(t, controlOf("app", "1.0", "amd64")), deb(t, controlOf("app", "1.0", "amd64", "X-Built: again"))
	for _, body := range []string{same, other} {
		if res := r.Want(t, 409, "ann", "PUT", upload, body); !strings.Contains(res.Body, "app_1.0_amd64.deb") {
			t.Errorf("the conflict says %q", res.Body)
		}
	}
	// What differs in any part is another package.
	r.upload("app", "1.0", "arm64")
	r.upload("app", "1.0.0", "amd64")
	r.uploadTo("bookworm/contrib", "app", "1.0", "amd64")
	r.uploadTo("trixie/main", "app", "1.0", "amd64")
	path := root + "/pool/bookworm/main/app/1.0/amd64"
	r.Want(t, 204, "ann", "DELETE", path, "")
	r.Want(t, 404, "ann", "DELETE", path, "")
	r.Want(t, 404, "", "GET", root+"/pool/bookworm/main/app_1.0_amd64.deb", "")
	r.Want(t, 200, "", "GET", root+"/pool/bookworm/contrib/app_1.0_amd64.deb", "")
	r.Want(t, 201, "ann", "PUT", upload, other)
	r.wantSound()
}

func TestCopy(t *testing.T) {
	r := newRepository(t)
	r.uploadTo("testing/main", "app", "1:1.0", "amd64")
	from := root + "/pool/testing/main/app/1:1.0/amd64/copy"
	r.Want(t, 201, "wim", "POST", from+"?to=stable/main", "")
	r.Want(t, 409, "wim", "POST", from+"?to=stable/main", "")
	for _, to := range []string{"", "stable", "by-hash/main", "a/b/c"} {
		if res := r.Do(t, "wim", "POST", from+"?to="+to, ""); res.StatusCode != 400 {
			t.Errorf("to %q: %d %s", to, res.StatusCode, res.Body)
		}
	}
	r.Want(t, 404, "wim", "POST", root+"/pool/testing/main/app/2.0/amd64/copy?to=stable/main", "")
	want := strings.ReplaceAll(r.get("/dists/testing/main/binary-amd64/Packages"), "testing", "stable")
	if got := r.get("/dists/stable/main/binary-amd64/Packages"); got != want {
		t.Errorf("the copy is listed as\n%s", got)
	}
	r.Want(t, 204, "ann", "DELETE", root+"/pool/testing/main/app/1:1.0/amd64", "")
	r.Want(t, 200, "", "GET", root+"/pool/stable/main/app_1:1.0_amd64.deb", "")
	r.wantSound()
}
