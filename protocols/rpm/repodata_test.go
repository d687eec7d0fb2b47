package rpm_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"

	"entrepot/access"
	"entrepot/protocols/rpmtest"
	"entrepot/registry"
)

func TestRepomd(t *testing.T) {
	r := newRepository(t)
	r.upload("el9", pack("app", "1", "x86_64"))
	r.upload("el9", pack("data", "1", "noarch"))
	doc, documents := r.read("el9")
	var kinds []string
	for _, d := range doc.Data {
		kinds = append(kinds, d.Type)
		if d.Timestamp != doc.Revision {
			t.Errorf("%s is of %d, the whole of %d", d.Type, d.Timestamp, doc.Revision)
		}
		file := strings.TrimPrefix(d.Location.Href, "repodata/")
		if file != d.Checksum.Sum+"-"+d.Type+".xml.gz" {
			t.Errorf("%s lies at %s", d.Type, d.Location.Href)
		}
		byDigest := r.Want(t, 200, "", "GET", place("el9")+"/repodata/"+file, "")
		byName := r.Want(t, 200, "", "GET", place("el9")+"/repodata/"+d.Type+".xml.gz", "")
		if byName.Body != byDigest.Body {
			t.Errorf("%s.xml.gz is another document", d.Type)
		}
		for _, res := range []struct {
			h         http.Header
			immutable bool
		}{{byDigest.Header, true}, {byName.Header, false}} {
			if got := strings.Contains(res.h.Get("Cache-Control"), "immutable"); got != res.immutable || res.h.Get("Content-Type") != "application/gzip" || res.h.Get("Content-Encoding") != "" {
				t.Errorf("%s: %v", d.Type, res.h)
			}
		}
		if head := r.Want(t, 200, "", "HEAD", place("el9")+"/repodata/"+file, ""); head.ContentLength != int64(d.Size) {
			t.Errorf("HEAD of %s says %d bytes", d.Type, head.ContentLength)
		}
	}
	if got := strings.Join(kinds, " "); got != "primary filelists other" {
		t.Errorf("repomd.xml names %s", got)
	}
	for kind, head := range map[string]string{
		"primary":   `<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">`,
		"filelists": `<filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="2">`,
		"other":     `<otherdata xmlns="http://linux.duke.edu/metadata/other" packages="2">`,
	} {
		if !strings.Contains(documents[kind], head) {
			t.Errorf("%s begins\n%.300s", kind, documents[kind])
		}
	}
	primary := doc.Data[0].Checksum.Sum
	for _, file := range []string{
		primary + "-filelists.xml.gz", primary + "-repomd.xml", strings.Repeat("0", 64) + "-primary.xml.gz", "short-primary.xml.gz", "-primary.xml.gz",
		"updateinfo.xml.gz", "primary.xml", "comps.xml", "primary.sqlite.bz2", sum(r.get(place("el9")+"/repodata/repomd.xml")) + "-repomd.xml",
	} {
		r.Want(t, 404, "", "GET", place("el9")+"/repodata/"+file, "")
	}
	for _, path := range []string{"/repodata/repomd.xml", "/el8/repodata/repomd.xml", "/el8/repodata/repomd.xml.asc", "/el8/repodata/repomd.xml.key", "/el9/x/repodata/repomd.xml", "/el9/media.1/media", "/el9/content"} {
		r.Want(t, 404, "", "GET", root+path, "")
		r.Want(t, 404, "", "HEAD", root+path, "")
	}
}

func TestSignatures(t *testing.T) {
	r := newRepository(t)
	r.upload("", pack("app", "1", "x86_64"))
	verify := func(key, text, signature string) error {
		ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(key))
		if err != nil {
			return err
		}
		_, err = openpgp.CheckArmoredDetachedSignature(ring, strings.NewReader(text), strings.NewReader(signature), nil)
		return err
	}
	text, old := r.get(root+"/repodata/repomd.xml"), r.get(root+"/repository.key")
	signature := r.Want(t, 200, "", "GET", root+"/repodata/repomd.xml.asc", "")
	if signature.Header.Get("Content-Type") != "application/pgp-signature" {
		t.Errorf("the signature is %s", signature.Header.Get("Content-Type"))
	}
	beside := r.Want(t, 200, "", "GET", root+"/repodata/repomd.xml.key", "")
	if beside.Body != old || beside.Header.Get("Content-Type") != "application/pgp-keys" {
		t.Errorf("repomd.xml.key is %s\n%s", beside.Header.Get("Content-Type"), beside.Body)
	}
	if err := verify(old, text, signature.Body); err != nil {
		t.Error(err)
	}
	// Another key: both sign.
	r.Want(t, 403, "wim", "POST", root+"/repository.key?algorithm=ed25519", "")
	for _, query := range []string{"?overlap=x", "?overlap=-1", "?algorithm=dsa"} {
		r.Want(t, 400, "ann", "POST", root+"/repository.key"+query, "")
	}
	r.Want(t, 400, "ann", "PUT", root+"/repository.key", "")
	r.Want(t, 400, "ann", "PUT", root+"/repository.key", "no key")
	r.Want(t, 413, "ann", "PUT", root+"/repository.key", strings.Repeat("k", 300<<10))
	r.Want(t, 201, "ann", "POST", root+"/repository.key?algorithm=ed25519&overlap=3", "")
	text, both := r.get(root+"/repodata/repomd.xml"), r.get(root+"/repository.key")
	if both == old {
		t.Fatal("the key is the old one")
	}
	for _, key := range []string{old, both} {
		if err := verify(key, text, r.get(root+"/repodata/repomd.xml.asc")); err != nil {
			t.Error(err)
		}
	}
	description := r.get(root + "/repository.json")
	if strings.Count(description, `"fingerprint"`) != 2 || strings.Count(description, `"signsUntil"`) != 1 {
		t.Errorf("the keys are described as %s", description)
	}
	r.Want(t, 201, "ann", "POST", root+"/repository.key?algorithm=ed25519&overlap=0", "")
	if err := verify(both, r.get(root+"/repodata/repomd.xml"), r.get(root+"/repodata/repomd.xml.asc")); err != nil {
		t.Error("the key in between signs on for its three days:", err)
	}
}

// TestPrimary holds what is said of a package that has everything.
func TestPrimary(t *testing.T) {
	r := newRepository(t)
	p := rpmtest.Package{
		Name: "full", Epoch: 2, Version: "1.0~b^c", Release: "3", Arch: "x86_64",
		Summary: "sums <up> & \"more\" \x01\xe9\xff", Description: "two\nlines\tof ünicode \ufffe",
		Files: map[string]string{"/etc/full.conf": "c", "/opt/x/sbin/run": "r", "/usr/bin/full": "b", "/usr/lib/sendmail": "s", "/usr/share/full/a&b": "d", "/usr/share/full": "", "/var/ghost": ""},
		Tags: map[int]any{
			1011: "Example", 1014: "MIT AND BSD", 1015: "Ann <ann@example.com>", 1016: rpmtest.I18n("Tools/Other"), 1020: "https://example.com/?a=1&b=2",
			1009: int32(1), 5009: []int64{5 << 32},
			1030: []int16{-0x8000, -0x8000, -0x8000, -0x8000, 0x4000, -0x8000, -0x8000}, 1037: []int32{1, 0, 0, 0, 0, 0, 64},
			1047: []string{"full", "config(full)", "lib.so()(64bit)"}, 1112: []int32{8, 8, 0}, 1113: []string{"2:1.0~b^c-3", "2:1.0", ""},
			1049: []string{"/bin/sh", "a", "b", "c", "rpmlib(X)", "(d if e)", "a", "full", "/usr/bin/full"}, 1048: []int32{0x500, 12, 10, 2, 1<<24 | 8, 0, 12, 0x508, 0}, 1050: []string{"", "1.0", "3:2-1-4", "5", "1", "", "1.0", "2:1.0~b^c-3", ""},
			1054: []string{"rival"}, 1053: []int32{4}, 1055: []string{"9"},
			1090: []string{"older"}, 1114: []int32{10}, 1115: []string{"1-1"},
			5046: []string{"rec"}, 5048: []int32{0}, 5047: []string{""},
			5049: []string{"sug"}, 5051: []int32{0}, 5050: []string{""},
			5052: []string{"sup"}, 5054: []int32{0}, 5053: []string{""},
			5055: []string{"enh"}, 5057: []int32{0}, 5056: []string{""},
			1080: []int32{12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, 1081: []string{"Ann <a@example.com> - 12", "k", "j", "i", "h", "g", "f", "e", "d", "c", "b", "a"},
			1082: []string{"- twelfth <now>", "- k", "- j", "- i", "- h", "- g", "- f", "- e", "- d", "- c", "- b", "- a"},
		},
		Signature: map[int]any{271: []int64{6 << 32}},
	}
	body := r.upload("g", p)
	_, documents := r.read("g")
	// The header lies between the signature, which ends at a multiple of eight,
	// and the payload, which is gzip.
	start := strings.Index(body[96:], "\x8e\xad\xe8\x01") + 96
	start = strings.Index(body[start+4:], "\x8e\xad\xe8\x01") + start + 4
	end := strings.Index(body, "\x1f\x8b\x08")
	stored := r.Want(t, 200, "", "GET", place("g")+"/package/full/2-1.0~b^c-3/x86_64", "")
	at, err := http.ParseTime(stored.Header.Get("Last-Modified"))
	if err != nil {
		t.Fatal(err)
	}
	want := `<package type="rpm"><name>full</name><arch>x86_64</arch><version epoch="2" ver="1.0~b^c" rel="3"/><checksum type="sha256" pkgid="YES">` + sum(body) + `</checksum>` +
		`<summary>sums &lt;up&gt; &amp; "more" éÿ</summary><description>two` + "\nlines\tof ünicode " + `</description><packager>Ann &lt;ann@example.com&gt;</packager><url>https://example.com/?a=1&amp;b=2</url>` +
		fmt.Sprintf(`<time build="1700000000" file="%d"/><size installed="%d" archive="%d" package="%d"/>`, at.Unix(), int64(5)<<32, int64(6)<<32, len(body)) +
		`<location href="package/full/2-1.0~b^c-3/x86_64/full-2-1.0~b^c-3.x86_64.rpm"/>` +
		`<format><rpm:license>MIT AND BSD</rpm:license><rpm:vendor>Example</rpm:vendor><rpm:group>Tools/Other</rpm:group><rpm:buildhost>builder.example.com</rpm:buildhost>` +
		`<rpm:sourcerpm>full-1.0~b^c-3.src.rpm</rpm:sourcerpm>` + fmt.Sprintf(`<rpm:header-range start="%d" end="%d"/>`, start, end) +
		`<rpm:provides><rpm:entry name="full" flags="EQ" epoch="2" ver="1.0~b^c" rel="3"/><rpm:entry name="config(full)" flags="EQ" epoch="2" ver="1.0"/><rpm:entry name="lib.so()(64bit)"/></rpm:provides>` +
		`<rpm:requires><rpm:entry name="/bin/sh"/><rpm:entry name="a" flags="GE" epoch="0" ver="1.0"/><rpm:entry name="b" flags="LE" epoch="3" ver="2-1" rel="4"/><rpm:entry name="c" flags="LT" epoch="0" ver="5"/><rpm:entry name="(d if e)"/></rpm:requires>` +
		`<rpm:conflicts><rpm:entry name="rival" flags="GT" epoch="0" ver="9"/></rpm:conflicts><rpm:obsoletes><rpm:entry name="older" flags="LE" epoch="0" ver="1" rel="1"/></rpm:obsoletes>` +
		`<rpm:suggests><rpm:entry name="sug"/></rpm:suggests><rpm:enhances><rpm:entry name="enh"/></rpm:enhances><rpm:recommends><rpm:entry name="rec"/></rpm:recommends><rpm:supplements><rpm:entry name="sup"/></rpm:supplements>` +
		"<file>/etc/full.conf</file><file>/opt/x/sbin/run</file><file>/usr/bin/full</file><file>/usr/lib/sendmail</file></format></package>\n"
	want = strings.Replace(want, `<rpm:entry name="/bin/sh"/>`, `<rpm:entry name="/bin/sh" pre="1"/>`, 1)
	if _, got, _ := strings.Cut(documents["primary"], ">\n<package"); "<package"+strings.TrimSuffix(got, "</metadata>\n") != want {
		t.Errorf("the package is\n%s\nwant\n%s", got, want)
	}
	version := ` name="full" arch="x86_64"><version epoch="2" ver="1.0~b^c" rel="3"/>`
	wantFiles := `<package pkgid="` + sum(body) + `"` + version + `<file>/etc/full.conf</file><file>/opt/x/sbin/run</file><file>/usr/bin/full</file><file>/usr/lib/sendmail</file>` +
		`<file type="dir">/usr/share/full</file><file>/usr/share/full/a&amp;b</file><file type="ghost">/var/ghost</file></package>`
	if !strings.Contains(documents["filelists"], wantFiles) {
		t.Errorf("the files are\n%s\nwant\n%s", documents["filelists"], wantFiles)
	}
	wantChanges := `<package pkgid="` + sum(body) + `"` + version + `<changelog author="c" date="3">- c</changelog>`
	if got := documents["other"]; !strings.Contains(got, wantChanges) || strings.Count(got, "<changelog") != 10 ||
		!strings.Contains(got, `<changelog author="Ann &lt;a@example.com&gt; - 12" date="12">- twelfth &lt;now&gt;</changelog></package>`) {
		t.Errorf("the changes are\n%s", got)
	}
	for kind, text := range documents {
		var any struct {
			XMLName xml.Name
		}
		if err := xml.Unmarshal([]byte(text), &any); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	r.wantSound()
}

func TestConditions(t *testing.T) {
	r := newRepository(t)
	r.upload("", pack("app", "1", "x86_64"))
	path := root + "/repodata/repomd.xml"
	first := r.Want(t, 200, "", "GET", path, "")
	date := first.Header.Get("Last-Modified")
	r.Want(t, 304, "", "GET", path, "", "If-Modified-Since", date)
	r.Want(t, 304, "", "GET", path, "", "If-None-Match", first.Header.Get("ETag"))
	at, err := http.ParseTime(date)
	if err != nil {
		t.Fatal(err)
	}
	r.upload("", pack("app", "2", "x86_64"))
	second := r.Want(t, 200, "", "GET", path, "", "If-Modified-Since", date)
	if later, err := http.ParseTime(second.Header.Get("Last-Modified")); err != nil || !later.After(at) {
		t.Errorf("Last-Modified went from %v to %v: %v", at, later, err)
	}
}

// TestOldGenerations reads documents of an index that has been replaced, and a
// signature that was fetched after the change.
func TestOldGenerations(t *testing.T) {
	r := newRepository(t)
	r.upload("", pack("app", "1", "x86_64"))
	before := r.Want(t, 200, "", "GET", root+"/repodata/repomd.xml", "", "User-Agent", "dnf").Body
	var doc repomd
	unmarshal(t, before, &doc)
	r.Want(t, 204, "ann", "DELETE", root+"/package/app/1-1/x86_64", "")
	r.upload("", pack("app", "2", "x86_64"))
	if after := r.Want(t, 200, "", "GET", root+"/repodata/repomd.xml", "", "User-Agent", "zypper").Body; after == before {
		t.Fatal("the index did not change")
	}
	for _, d := range doc.Data {
		if got := r.get(root + "/" + d.Location.Href); sum(got) != d.Checksum.Sum {
			t.Errorf("%s is something else now", d.Location.Href)
		}
	}
	ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(r.get(root + "/repository.key")))
	if err != nil {
		t.Fatal(err)
	}
	signature := r.Want(t, 200, "", "GET", root+"/repodata/repomd.xml.asc", "", "User-Agent", "dnf").Body
	if _, err := openpgp.CheckArmoredDetachedSignature(ring, strings.NewReader(before), strings.NewReader(signature), nil); err != nil {
		t.Error("the signature does not fit what was fetched before:", err)
	}
}

// TestGroups holds that groups are repositories of their own, the root group
// among them, and that one without packages is served until it is given up.
func TestGroups(t *testing.T) {
	r := newRepository(t)
	r.upload("", pack("zero", "1", "noarch"))
	r.upload("el9", pack("one", "1", "noarch"))
	r.upload("el9/stable", pack("two", "1", "noarch"))
	for group, want := range map[string]string{"": "zero-1-1.noarch.rpm", "el9": "one-1-1.noarch.rpm", "el9/stable": "two-1-1.noarch.rpm"} {
		if got := r.listed(group); got != want {
			t.Errorf("%q lists %s, want %s", group, got, want)
		}
	}
	r.Want(t, 404, "", "GET", root+"/package/one/1-1/noarch", "")
	r.Want(t, 409, "ann", "DELETE", root+"/el9/repodata", "")
	r.Want(t, 204, "ann", "DELETE", root+"/package/zero/1-1/noarch", "")
	r.Want(t, 204, "ann", "DELETE", root+"/el9/package/one/1-1/noarch", "")
	for _, group := range []string{"", "el9"} {
		if got := r.listed(group); got != "" {
			t.Errorf("%q lists %s", group, got)
		}
		if _, documents := r.read(group); !strings.Contains(documents["primary"], `packages="0"`) {
			t.Errorf("the primary document is\n%s", documents["primary"])
		}
		r.get(place(group) + "/repodata/repomd.xml.asc")
	}
	if got := r.listed("el9/stable"); got != "two-1-1.noarch.rpm" {
		t.Errorf("the group below lists %s", got)
	}
	r.Want(t, 403, "wim", "DELETE", root+"/el9/repodata", "")
	r.Want(t, 204, "ann", "DELETE", root+"/el9/repodata", "")
	r.Want(t, 204, "ann", "DELETE", root+"/repodata", "")
	r.Want(t, 404, "", "GET", root+"/el9/repodata/repomd.xml", "")
	r.Want(t, 404, "", "GET", root+"/repodata/repomd.xml", "")
	r.wantSound()
}

func TestRepoFile(t *testing.T) {
	r := newRepository(t)
	for path, want := range map[string]string{
		".repo":            "[entrepot-acme]\nname=acme\nbaseurl=R\nenabled=1\ntype=rpm-md\nautorefresh=1\nrepo_gpgcheck=1\ngpgcheck=0\ngpgkey=R/repository.key\n",
		"/el9.repo":        "[entrepot-acme-el9]\nname=acme (el9)\nbaseurl=R/el9\nenabled=1\ntype=rpm-md\nautorefresh=1\nrepo_gpgcheck=1\ngpgcheck=0\ngpgkey=R/repository.key\n",
		"/el9/stable.repo": "[entrepot-acme-el9-stable]\nname=acme (el9/stable)\nbaseurl=R/el9/stable\nenabled=1\ntype=rpm-md\nautorefresh=1\nrepo_gpgcheck=1\ngpgcheck=0\ngpgkey=R/repository.key\n",
	} {
		res := r.Want(t, 200, "", "GET", root+path, "")
		got := res.Body
		base, _, ok := strings.Cut(got[strings.Index(got, "baseurl=")+8:], "\n")
		at := strings.Index(base, root)
		if !ok || at < 0 || !strings.HasPrefix(base, "http://") {
			t.Fatalf("the base is %q", base)
		}
		if got := strings.ReplaceAll(got, base[:at]+root, "R"); got != want {
			t.Errorf("%s is\n%s\nwant\n%s", path, got, want)
		}
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s is %s", path, res.Header.Get("Content-Type"))
		}
		r.Want(t, 200, "", "HEAD", root+path, "")
	}
	for _, path := range []string{"/repodata.repo", "/a/package.repo/b", "/.hidden.repo", "/el9.repository", ".repos", "/a/upload/b.repo"} {
		r.Want(t, 404, "", "GET", root+path, "")
	}
	// No other type has such a document.
	r.Want(t, 404, "", "GET", "/api/packages/acme/npm.repo", "")
	r.Want(t, 404, "", "GET", root+".repo/x", "")
	// A private owner tells nobody.
	r.Organization(t, "vault", access.Private)
	res := r.Want(t, 401, "", "GET", "/api/packages/vault/rpm.repo", "")
	if res.Header.Get("WWW-Authenticate") != `Basic realm="Entrepot"` {
		t.Errorf("the challenge is %q", res.Header.Get("WWW-Authenticate"))
	}
}

func TestSettings(t *testing.T) {
	r := newRepository(t)
	r.Want(t, 403, "wim", "PUT", root+"/el9/repodata", "{}")
	for _, body := range []string{"", "x", "[]", `{"keepVersions":-1}`, `{"sign":"some"}`, `{"group":"other"}`, `{"odd":1}`} {
		r.Want(t, 400, "ann", "PUT", root+"/el9/repodata", body)
	}
	r.Want(t, 413, "ann", "PUT", root+"/el9/repodata", `{"sign":"`+strings.Repeat("x", 70<<10)+`"}`)
	r.Want(t, 400, "ann", "PUT", root+"/a/package/repodata", "{}")
	r.Want(t, 404, "", "GET", root+"/el9/repodata/repomd.xml", "")
	r.Want(t, 201, "ann", "PUT", root+"/el9/repodata", `{"keepVersions":2}`)
	r.Want(t, 200, "ann", "PUT", root+"/el9/repodata", `{"group":"el9","keepVersions":2,"sign":"none"}`)
	r.Want(t, 201, "ann", "PUT", root+"/repodata", `{}`)
	if got := r.get(root + "/repository.json"); !strings.Contains(got, `"groups":[{"group":""},{"group":"el9","sign":"none","keepVersions":2}]`) {
		t.Errorf("the groups are described as %s", got)
	}
	if got := r.listed("el9"); got != "" {
		t.Errorf("a new group lists %s", got)
	}
	// Two versions are kept of each package and architecture.
	for _, version := range []string{"1", "10", "9", "8~rc"} {
		for _, arch := range []string{"x86_64", "aarch64"} {
			r.upload("el9", pack("app", version, arch))
		}
		r.upload("", pack("app", version, "x86_64"))
	}
	r.upload("el9", pack("app", "11", "aarch64"))
	want := "app-10-1.x86_64.rpm app-10-1.aarch64.rpm app-9-1.x86_64.rpm app-8~rc-1.x86_64.rpm app-11-1.aarch64.rpm"
	if got := r.listed("el9"); got != want {
		t.Errorf("kept are %s, want %s", got, want)
	}
	r.Want(t, 404, "", "GET", root+"/el9/package/app/1-1/x86_64", "")
	r.Want(t, 200, "", "GET", root+"/package/app/1-1/x86_64", "")
	r.wantSound()
}

// TestPrivate holds who is shown packages that not everybody may see.
func TestPrivate(t *testing.T) {
	r := newRepository(t)
	r.upload("", pack("open", "1", "noarch"))
	r.upload("", pack("secret", "1", "noarch"))
	ctx := access.SystemContext(context.Background())
	s, err := r.Registry().Enter(ctx, "acme", "rpm", access.Administer)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Package(ctx, "secret", access.Read)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetVisibility(ctx, p, access.Private); err != nil {
		t.Fatal(err)
	}
	if got := r.listed(""); got != "open-1-1.noarch.rpm" {
		t.Errorf("everybody is shown %s", got)
	}
	var doc repomd
	unmarshal(t, r.Want(t, 200, "rea", "GET", root+"/repodata/repomd.xml", "").Body, &doc)
	if got := unpack(t, r.Want(t, 200, "rea", "GET", root+"/"+doc.Data[0].Location.Href, "").Body); !strings.Contains(got, "<name>secret</name>") {
		t.Errorf("a member is shown\n%s", got)
	}
	r.Want(t, 404, "", "GET", root+"/"+doc.Data[0].Location.Href, "")
	r.Want(t, 401, "", "GET", root+"/package/secret/1-1/noarch", "")
	r.wantSound()
}

// TestCopyToOwner copies a version with its files and advisories.
func TestCopyToOwner(t *testing.T) {
	r := newRepository(t)
	r.upload("el9", pack("app", "1", "x86_64"))
	r.Want(t, 200, "ann", "POST", root+"/el9/package/app/1-1/errata", `[{"id":"A-1"}]`)
	r.Organization(t, "other", access.Public)
	ctx := access.SystemContext(context.Background())
	from, err := r.Registry().Enter(ctx, "acme", "rpm", access.Read)
	if err != nil {
		t.Fatal(err)
	}
	p, err := from.Package(ctx, "app", access.Read)
	if err != nil {
		t.Fatal(err)
	}
	to, err := r.Registry().Enter(ctx, "other", "rpm", access.Write)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.ReplaceKey(ctx, registry.KeyChange{Algorithm: registry.Ed25519}); err != nil {
		t.Fatal(err)
	}
	if _, err := from.Copy(ctx, p, "1-1", to, registry.CopyRequest{Package: "app"}); err != nil {
		t.Fatal(err)
	}
	got := r.get("/api/packages/other/rpm/el9/repodata/repomd.xml")
	if !strings.Contains(got, `type="updateinfo"`) {
		t.Errorf("the copy's index is\n%s", got)
	}
	r.wantSound()
}

// TestManyReads makes many changes and reads in between: builds of one index
// follow each other by a second.
func TestManyReads(t *testing.T) {
	r := newRepository(t)
	started := time.Now()
	for i := range 4 {
		r.upload("", pack("app", fmt.Sprint(i), "noarch"))
		if got := len(strings.Fields(r.listed(""))); got != i+1 {
			t.Errorf("after %d uploads %d are listed", i+1, got)
		}
	}
	if time.Since(started) > 20*time.Second {
		t.Errorf("four reads took %v", time.Since(started))
	}
}
