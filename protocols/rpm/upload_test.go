package rpm_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"entrepot/protocols/rpmtest"
)

func TestUploadAndDownload(t *testing.T) {
	r := newRepository(t)
	p := pack("lib.app+x", "2.0~rc1^git", "x86_64")
	p.Epoch = 1
	for _, group := range []string{"", "el9", "el9/stable"} {
		body := string(p.Bytes())
		res := r.Want(t, 201, "wim", "PUT", place(group)+"/upload", body)
		at := place(group) + "/package/lib.app+x/1-2.0~rc1^git-1/x86_64"
		if location := res.Header.Get("Location"); !strings.HasSuffix(location, at+"/lib.app+x-1-2.0~rc1^git-1.x86_64.rpm") || res.Body != "" {
			t.Errorf("the answer names %q and has the body %q", location, res.Body)
		}
		for _, path := range []string{at, at + "/lib.app+x-1-2.0~rc1^git-1.x86_64.rpm", at + "/whatever.rpm", strings.NewReplacer("~", "%7e", "^", "%5E", "+", "%2B").Replace(at)} {
			got := r.Want(t, 200, "", "GET", path, "")
			if got.Body != body || got.Header.Get("Content-Type") != "application/x-rpm" {
				t.Errorf("%s: %d bytes of %s, want %d", path, len(got.Body), got.Header.Get("Content-Type"), len(body))
			}
		}
		if got := r.Want(t, 206, "", "GET", at, "", "Range", "bytes=96-200").Body; got != body[96:201] {
			t.Errorf("a range is %q", got)
		}
		if got := r.Want(t, 200, "", "HEAD", at, ""); got.ContentLength != int64(len(body)) {
			t.Errorf("HEAD says %d bytes", got.ContentLength)
		}
	}
	for _, path := range []string{
		"/package/lib.app+x/2.0~rc1^git-1/x86_64", "/package/lib.app+x/1-2.0~rc1^git-1/aarch64", "/package/other/1-1/x86_64",
		"/el8/package/lib.app+x/1-2.0~rc1^git-1/x86_64", "/package/LIB.app+x/1-2.0~rc1^git-1/x86_64", "/whatever", "/upload/repodata/repomd.xml",
	} {
		r.Want(t, 404, "", "GET", root+path, "")
	}
	r.wantSound()
}

// TestNoarch downloads a package for every architecture as one of any.
func TestNoarch(t *testing.T) {
	r := newRepository(t)
	every := r.upload("", pack("data", "1", "noarch"))
	own := r.upload("", pack("data", "1", "aarch64"))
	for arch, want := range map[string]string{"noarch": every, "x86_64": every, "aarch64": own} {
		if got := r.get(root + "/package/data/1-1/" + arch); got != want {
			t.Errorf("%s is another package", arch)
		}
	}
	r.Want(t, 404, "ann", "DELETE", root+"/package/data/1-1/x86_64", "")
}

// TestNames publishes packages that are called as the words in paths, and
// ones that differ in case alone.
func TestNames(t *testing.T) {
	r := newRepository(t)
	for _, group := range []string{"", "g"} {
		for _, name := range []string{"package", "repodata", "upload", "errata", "copy", "Foo", "foo"} {
			body := r.upload(group, pack(name, "1", "noarch"))
			at := place(group) + "/package/" + name + "/1-1/noarch"
			for _, path := range []string{at, at + "/" + name + "-1-1.noarch.rpm"} {
				if r.get(path) != body {
					t.Errorf("%s is another package", path)
				}
			}
		}
		if got := r.listed(group); !strings.Contains(got, "Foo-1-1.noarch.rpm") || !strings.Contains(got, "foo-1-1.noarch.rpm") {
			t.Errorf("listed are %s", got)
		}
		r.Want(t, 204, "ann", "DELETE", place(group)+"/package/package/1-1/noarch", "")
	}
	r.wantSound()
}

func TestSourcePackage(t *testing.T) {
	r := newRepository(t)
	p := pack("app", "1", "x86_64")
	p.Tags = map[int]any{1044: nil}
	r.upload("", p)
	p = pack("tool", "1", "aarch64")
	p.Tags = map[int]any{1106: int32(1)}
	r.upload("", p)
	r.get(root + "/package/app/1-1/src")
	if got := r.listed(""); got != "app-1-1.src.rpm tool-1-1.src.rpm" {
		t.Errorf("listed are %s", got)
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
	part.Write(pack("form", "1", "noarch").Bytes())
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r.Want(t, 201, "ann", "PUT", root+"/upload", form.String(), "Content-Type", w.FormDataContentType())
	r.Want(t, 201, "ann", "PUT", root+"/upload", string(pack("raw", "1", "noarch").Bytes()), "Content-Type", "application/x-www-form-urlencoded")
	if got := r.listed(""); got != "form-1-1.noarch.rpm raw-1-1.noarch.rpm" {
		t.Errorf("listed are %s", got)
	}
}

func TestRefusedUploads(t *testing.T) {
	r := newRepository(t)
	good := pack("app", "1", "x86_64")
	whole := string(good.Bytes())
	with := func(tags map[int]any) string {
		p := good
		p.Tags = tags
		return string(p.Bytes())
	}
	signed := func(tags map[int]any) string {
		p := good
		p.Signature = tags
		return string(p.Bytes())
	}
	named := func(name, version, release, arch string) string {
		p := good
		p.Name, p.Version, p.Release, p.Arch = name, version, release, arch
		return string(p.Bytes())
	}
	lengths := func(entries, data uint32) string {
		b := []byte(whole)
		binary.BigEndian.PutUint32(b[104:], entries)
		binary.BigEndian.PutUint32(b[108:], data)
		return string(b)
	}
	for name, tc := range map[string]struct{ body, want string }{
		"nothing":                    {"", "empty"},
		"a text":                     {"this is no package, whatever its name says, and it is long enough to be looked at, it goes on and on", "does not begin as one"},
		"a short text":               {"short", "ends within"},
		"the lead alone":             {whole[:96], "ends within"},
		"half of the signature":      {whole[:150], "ends within"},
		"no header":                  {whole[:bytes.Index([]byte(whole[100:]), []byte{0x8e, 0xad, 0xe8})+100], "ends within"},
		"a broken signature":         {whole[:96] + strings.Repeat("x", 500), "signature does not begin"},
		"half of a payload":          {whole[:len(whole)-10], "cut off"},
		"another payload":            {whole[:len(whole)-1] + "x", "cut off"},
		"too many entries":           {lengths(70_000, 100), "70000 entries"},
		"no entries":                 {lengths(0, 100), "0 entries"},
		"too much data":              {lengths(1, 1<<30), "1073741824 bytes"},
		"a damaged header":           {strings.Replace(whole, "a package for tests", "another package!!!!", 1), "damaged"},
		"another digest":             {signed(map[int]any{273: strings.Repeat("0", 64)}), "damaged"},
		"another old digest":         {signed(map[int]any{269: strings.Repeat("0", 40)}), "damaged"},
		"a delta":                    {"drpm" + whole[4:], "delta"},
		"a delta in a package":       {with(map[int]any{1124: "drpm"}), "delta"},
		"no name":                    {with(map[int]any{1000: nil}), "name"},
		"a name that is a number":    {with(map[int]any{1000: int32(7)}), "not a text"},
		"an epoch that is a text":    {with(map[int]any{1003: "one"}), "not a number"},
		"a huge epoch":               {with(map[int]any{1003: []int64{1 << 40}}), "epoch"},
		"a path in the name":         {named("../app", "1", "1", "x86_64"), "name"},
		"a slash in the name":        {named("a/b", "1", "1", "x86_64"), "name"},
		"a long name":                {named(strings.Repeat("a", 201), "1", "1", "x86_64"), "name"},
		"a hyphen in the version":    {named("app", "1-2", "1", "x86_64"), "version"},
		"a hyphen in the release":    {named("app", "1", "1-2", "x86_64"), "release"},
		"no release":                 {with(map[int]any{1002: nil}), "release"},
		"a slash in the version":     {named("app", "1/2", "1", "x86_64"), "version"},
		"an odd architecture":        {named("app", "1", "1", "X86 64"), "arch"},
		"no architecture":            {with(map[int]any{1022: nil}), "arch"},
		"lists that do not agree":    {with(map[int]any{1112: []int32{8, 8}}), "different lengths"},
		"files that do not agree":    {with(map[int]any{1116: []int32{0, 0}}), "different lengths"},
		"a folder that is not there": {with(map[int]any{1116: []int32{1}}), "folder"},
		"modes that do not agree":    {with(map[int]any{1030: []int16{0, 0}, 1037: []int32{0}}), "different lengths"},
		"changes that do not agree":  {with(map[int]any{1080: []int32{1}, 1081: []string{"a", "b"}, 1082: []string{"c"}}), "different lengths"},
		"too long a text":            {with(map[int]any{1005: strings.Repeat("x", 1<<20+1)}), "1048577 bytes"},
		"too many relations":         {with(map[int]any{1047: make([]string, 65_537), 1112: make([]int32, 65_537), 1113: make([]string, 65_537)}), "65537 packages"},
	} {
		res := r.Do(t, "ann", "PUT", root+"/upload", tc.body)
		if res.StatusCode != 400 || !strings.Contains(res.Body, tc.want) || strings.Count(res.Body, "\n") != 1 {
			t.Errorf("%s: %d %q, want 400 with %q on one line", name, res.StatusCode, res.Body, tc.want)
		}
	}
	r.Want(t, 404, "", "GET", root+"/repodata/repomd.xml", "")
	r.Want(t, 400, "ann", "PUT", root+"/upload?sign=maybe", whole)
	for _, group := range []string{"repodata", "a/package", "a/upload/b", ".hidden", "a//b", "a b", "a/../b", "x.repo", strings.Repeat("g", 201), strings.Repeat("g/", 10) + "g"} {
		if res := r.Do(t, "ann", "PUT", root+"/"+strings.ReplaceAll(url.PathEscape(group), "%2F", "/")+"/upload", whole); res.StatusCode != 400 {
			t.Errorf("a group %q: %d %s", group, res.StatusCode, res.Body)
		}
	}
	r.Want(t, 401, "", "PUT", root+"/upload", whole)
	r.Want(t, 403, "rea", "PUT", root+"/upload", whole)
}

func TestDuplicates(t *testing.T) {
	r := newRepository(t)
	p := pack("app", "1", "x86_64")
	r.upload("", p)
	other := p
	other.Description = "built again"
	for _, body := range [][]byte{p.Bytes(), other.Bytes()} {
		if res := r.Want(t, 409, "ann", "PUT", root+"/upload", string(body)); !strings.Contains(res.Body, "app-1-1.x86_64.rpm is in the root group already") {
			t.Errorf("the conflict says %q", res.Body)
		}
	}
	// What differs in any part is another package.
	r.upload("el9", p)
	r.upload("", pack("app", "1", "aarch64"))
	next := p
	next.Epoch = 1
	r.upload("", next)
	next.Release = "1.el9"
	r.upload("", next)
	r.Want(t, 204, "ann", "DELETE", root+"/package/app/1-1/x86_64", "")
	r.Want(t, 404, "ann", "DELETE", root+"/package/app/1-1/x86_64", "")
	r.Want(t, 404, "", "GET", root+"/package/app/1-1/x86_64", "")
	r.Want(t, 200, "", "GET", root+"/el9/package/app/1-1/x86_64", "")
	r.Want(t, 201, "ann", "PUT", root+"/upload", string(other.Bytes()))
	r.Want(t, 409, "ann", "PUT", root+"/el9/upload", string(other.Bytes()))
	r.wantSound()
}

func TestCopy(t *testing.T) {
	r := newRepository(t)
	body := r.upload("testing", pack("app", "1", "x86_64"))
	from := root + "/testing/package/app/1-1/x86_64/copy"
	for _, to := range []string{"stable", "el9/stable", ""} {
		r.Want(t, 201, "wim", "POST", from+"?to="+to, "")
		r.Want(t, 409, "wim", "POST", from+"?to="+to, "")
		if got := r.get(place(to) + "/package/app/1-1/x86_64"); got != body {
			t.Errorf("in %q lies another package", to)
		}
		if got := r.listed(to); got != "app-1-1.x86_64.rpm" {
			t.Errorf("%q lists %s", to, got)
		}
	}
	for _, query := range []string{"", "?to=repodata", "?to=a/package"} {
		if res := r.Do(t, "wim", "POST", from+query, ""); res.StatusCode != 400 {
			t.Errorf("%q: %d %s", query, res.StatusCode, res.Body)
		}
	}
	r.Want(t, 404, "wim", "POST", root+"/testing/package/app/2-1/x86_64/copy?to=stable", "")
	r.Want(t, 204, "ann", "DELETE", root+"/testing/package/app/1-1/x86_64", "")
	r.Want(t, 200, "", "GET", root+"/stable/package/app/1-1/x86_64", "")
	r.wantSound()
}

func TestOldFileNames(t *testing.T) {
	r := newRepository(t)
	p := rpmtest.Package{Name: "old", Version: "1", Release: "1", Arch: "i386", Tags: map[int]any{1027: []string{"/etc/old.conf", "/usr/lib/old"}, 1112: nil, 1113: nil}}
	r.upload("", p)
	_, documents := r.read("")
	if got := documents["filelists"]; !strings.Contains(got, "<file>/etc/old.conf</file><file>/usr/lib/old</file>") {
		t.Errorf("the files are\n%s", got)
	}
	if got := documents["primary"]; !strings.Contains(got, "<file>/etc/old.conf</file></format>") || !strings.Contains(got, `<rpm:entry name="old"/>`) {
		t.Errorf("the package is\n%s", fmt.Sprint(got))
	}
}
