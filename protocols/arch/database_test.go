package arch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"entrepot/access"
)

func TestDescription(t *testing.T) {
	r := newRepository(t)
	info := "pkgname = hello\npkgbase = greetings\npkgver = 1:2.10-3\npkgdesc = greets = often\nurl = https://example.com/hello\nbuilddate = 1700000000\n" +
		"packager = Ann Example <ann@example.com>\nsize = 4096\narch = x86_64\nlicense = GPL\nlicense = MIT\ngroup = base\nreplaces = hi\nconflict = hi<2\n" +
		"provides = hi=2\ndepend = glibc>=2.36\ndepend = bash\noptdepend = gettext: for other tongues\nmakedepend = gcc\ncheckdepend = expect\nbackup = etc/hello.conf\nxdata = pkgtype=pkg\n"
	body := compressed(t, ".zst", tarOf(t,
		member{".BUILDINFO", "x"}, member{"usr/", ""}, member{"usr/bin/", ""}, member{"usr/bin/hello", "x"}, member{".PKGINFO", info}, member{"etc/hello.conf", ""}))
	r.Want(t, 201, "ann", "PUT", root+"/core", body)
	want := "%FILENAME%\nhello-1:2.10-3-x86_64.pkg.tar.zst\n\n%NAME%\nhello\n\n%BASE%\ngreetings\n\n%VERSION%\n1:2.10-3\n\n%DESC%\ngreets = often\n\n%GROUPS%\nbase\n\n" +
		fmt.Sprintf("%%CSIZE%%\n%d\n\n%%ISIZE%%\n4096\n\n%%MD5SUM%%\n%s\n\n%%SHA256SUM%%\n%s\n\n", len(body), md5Of(body), sum(body)) +
		"%URL%\nhttps://example.com/hello\n\n%LICENSE%\nGPL\nMIT\n\n%ARCH%\nx86_64\n\n%BUILDDATE%\n1700000000\n\n%PACKAGER%\nAnn Example <ann@example.com>\n\n" +
		"%REPLACES%\nhi\n\n%CONFLICTS%\nhi<2\n\n%PROVIDES%\nhi=2\n\n%DEPENDS%\nglibc>=2.36\nbash\n\n%OPTDEPENDS%\ngettext: for other tongues\n\n" +
		"%MAKEDEPENDS%\ngcc\n\n%CHECKDEPENDS%\nexpect\n\n"
	const names = "%FILES%\nusr/\nusr/bin/\nusr/bin/hello\netc/hello.conf\n"
	for _, path := range []string{"acme.db", "whatever.db.tar.gz"} {
		all := entries(t, r.Want(t, 200, "", "GET", root+"/core/x86_64/"+path, "").Body)
		if len(all) != 1 || all["hello-1:2.10-3/desc"] != want {
			t.Errorf("%s holds\n%q\nwant\n%q", path, all, want)
		}
	}
	for _, path := range []string{"acme.files", "acme.core.example.com.files.tar.gz"} {
		all := entries(t, r.Want(t, 200, "", "GET", root+"/core/x86_64/"+path, "").Body)
		if len(all) != 2 || all["hello-1:2.10-3/desc"] != want || all["hello-1:2.10-3/files"] != names {
			t.Errorf("%s holds\n%q", path, all)
		}
	}
	for _, path := range []string{"/core/x86_64/.db", "/core/x86_64/db", "/core/x86_64/a.db.tar.zst", "/core/x86_64/a.sig", "/core/X86/a.db", "/core/aarch64/a.db", "/x86_64/a.db", "/core/x86_64/a.db.sig.sig", "/other/x86_64/a.files.sig", "/core/*/a.db"} {
		r.Want(t, 404, "", "GET", root+path, "")
	}
	// Long names do not fit the old form of archives.
	long := strings.Repeat("n", 190)
	r.upload(long, "1.0-1", "x86_64")
	if got := r.names("x86_64"); !got[long+"-1.0-1-x86_64"] {
		t.Errorf("the database has %v", got)
	}
	r.wantSound()
}

// TestNewest publishes and deletes versions in all orders: a database has the
// newest of a name.
func TestNewest(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.9-1", "x86_64")
	r.wantNames("x86_64", "app-1.9-1-x86_64")
	r.upload("app", "1.10-1", "x86_64")
	r.upload("app", "1.10rc1-1", "x86_64")
	r.wantNames("x86_64", "app-1.10-1-x86_64")
	r.upload("app", "1:0.1-1", "x86_64")
	r.wantNames("x86_64", "app-1:0.1-1-x86_64")
	r.remove("app", "1:0.1-1", "x86_64")
	r.wantNames("x86_64", "app-1.10-1-x86_64")
	r.remove("app", "1.10-1", "x86_64")
	r.wantNames("x86_64", "app-1.10rc1-1-x86_64")
	// The older versions could be had all the time.
	r.Want(t, 200, "", "GET", root+"/core/x86_64/app-1.9-1-x86_64.pkg.tar.zst", "")
	r.wantSound()
}

// TestAny has packages that run everywhere beside those that do not.
func TestAny(t *testing.T) {
	r := newRepository(t)
	r.upload("data", "1.0-1", "any")
	for _, arch := range []string{"x86_64", "any", "loong64"} {
		r.wantNames(arch, "data-1.0-1-any")
	}
	r.upload("app", "1.0-1", "x86_64")
	r.wantNames("x86_64", "app-1.0-1-x86_64", "data-1.0-1-any")
	r.wantNames("aarch64", "data-1.0-1-any")
	// Of one name the greater version counts, and of equals the machine's own.
	r.upload("data", "1.0-1", "x86_64")
	r.wantNames("x86_64", "app-1.0-1-x86_64", "data-1.0-1-x86_64")
	r.upload("data", "1.0-2", "any")
	r.wantNames("x86_64", "app-1.0-1-x86_64", "data-1.0-2-any")
	r.wantNames("any", "data-1.0-2-any")
	r.remove("data", "1.0-2", "any")
	r.wantNames("x86_64", "app-1.0-1-x86_64", "data-1.0-1-x86_64")
	r.remove("data", "1.0-1", "any")
	r.remove("app", "1.0-1", "x86_64")
	r.remove("data", "1.0-1", "x86_64")
	for _, arch := range []string{"x86_64", "any", "aarch64"} {
		r.Want(t, 404, "", "GET", root+"/core/"+arch+"/acme.db", "")
		r.Want(t, 404, "", "GET", root+"/core/"+arch+"/acme.files.sig", "")
	}
	r.wantSound()
}

// ring are the owner's keys.
func (r *repository) ring() openpgp.EntityList {
	r.tb.Helper()
	ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(r.Want(r.tb, 200, "", "GET", root+"/repository.key", "").Body))
	if err != nil {
		r.tb.Fatal(err)
	}
	return ring
}

// verify fetches a file and its signature.
func (r *repository) verify(ring openpgp.EntityList, path string) error {
	r.tb.Helper()
	file := r.Want(r.tb, 200, "", "GET", root+path, "").Body
	signature := r.Want(r.tb, 200, "", "GET", root+path+".sig", "")
	if got := signature.Header.Get("Content-Type"); got != "application/pgp-signature" {
		r.tb.Errorf("%s.sig is %s", path, got)
	}
	_, err := openpgp.CheckDetachedSignature(ring, strings.NewReader(file), strings.NewReader(signature.Body), nil)
	return err
}

func TestSignatures(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-1", "x86_64", "depend = bash")
	r.upload("data", "1.0-1", "any")
	files := []string{
		"/core/x86_64/acme.db", "/core/x86_64/other.db.tar.gz", "/core/x86_64/acme.files", "/core/aarch64/acme.db", "/core/aarch64/acme.files.tar.gz",
		"/core/x86_64/app-1.0-1-x86_64.pkg.tar.zst", "/core/x86_64/data-1.0-1-any.pkg.tar.zst", "/core/aarch64/data-1.0-1-any.pkg.tar.zst",
	}
	old := r.ring()
	if len(old) != 1 || old[0].PrimaryIdentity().UserId.Email != "acme@noreply.entrepot.invalid" {
		t.Errorf("%d keys, the first is %q", len(old), old[0].PrimaryIdentity().Name)
	}
	for _, path := range files {
		if err := r.verify(old, path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if head := r.Want(t, 200, "", "HEAD", root+path+".sig", ""); head.ContentLength <= 0 {
			t.Errorf("HEAD %s.sig says %d bytes", path, head.ContentLength)
		}
	}
	// Another key signs all of it at once, and no blob is read for it.
	r.key("acme")
	both := r.ring()
	if len(both) != 2 {
		t.Fatalf("%d keys while one is replaced", len(both))
	}
	for _, path := range files {
		if err := r.verify(both[:1], path); err != nil {
			t.Errorf("%s with the new key: %v", path, err)
		}
		if err := r.verify(old, path); err == nil {
			t.Errorf("%s is signed with the old key", path)
		}
	}
}

// TestPackagersSignature uploads one that was made elsewhere.
func TestPackagersSignature(t *testing.T) {
	r := newRepository(t)
	body := pack(t, infoOf("app", "1.0-1", "x86_64"))
	r.Want(t, 201, "ann", "PUT", root+"/core", body)
	r.uploadTo("", "app", "1.0-1", "x86_64")
	const file = "/core/x86_64/app-1.0-1-x86_64.pkg.tar.zst"
	const upload = root + "/core/app-1.0-1-x86_64.pkg.tar.zst.sig"
	packager, err := openpgp.NewEntity("Pat Packager", "", "pat@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	var signature, armored, text bytes.Buffer
	if err := openpgp.DetachSign(&signature, packager, strings.NewReader(body), nil); err != nil {
		t.Fatal(err)
	}
	if err := openpgp.ArmoredDetachSign(&armored, packager, strings.NewReader(body), nil); err != nil {
		t.Fatal(err)
	}
	if err := openpgp.DetachSignText(&text, packager, strings.NewReader(body), nil); err != nil {
		t.Fatal(err)
	}
	var key bytes.Buffer
	if err := packager.Serialize(&key); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"nothing": "", "no signature": "hello", "a key": key.String(), "one of a text": text.String(), "cut off": signature.String()[:20],
		"an armored key": string("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDM=\n-----END PGP PUBLIC KEY BLOCK-----\n"), "armor alone": "-----BEGIN PGP SIGNATURE-----\n",
	} {
		if res := r.Do(t, "wim", "PUT", upload, bad); res.StatusCode != 400 {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.Body)
		}
	}
	r.Want(t, 413, "wim", "PUT", upload, strings.Repeat("x", 17<<10))
	r.Want(t, 403, "rea", "PUT", upload, signature.String())
	for _, path := range []string{"/core/app-1.0-1-x86_64.pkg.tar.xz.sig", "/core/app-1.0-2-x86_64.pkg.tar.zst.sig", "/core/other-1.0-1-x86_64.pkg.tar.zst.sig", "/other/app-1.0-1-x86_64.pkg.tar.zst.sig"} {
		r.Want(t, 404, "wim", "PUT", root+path, signature.String())
	}
	if err := r.verify(r.ring(), file); err != nil {
		t.Errorf("before: %v", err)
	}
	for _, sent := range []string{signature.String(), armored.String()} {
		r.Want(t, 201, "wim", "PUT", upload, sent)
		if err := r.verify(openpgp.EntityList{packager}, file); err != nil {
			t.Error(err)
		}
	}
	// The same package in the other group has ours, and the database names
	// what it named before.
	if err := r.verify(r.ring(), "/x86_64/app-1.0-1-x86_64.pkg.tar.zst"); err != nil {
		t.Error(err)
	}
	r.Want(t, 201, "wim", "PUT", root+"/app-1.0-1-x86_64.pkg.tar.zst.sig", signature.String())
	r.wantNames("x86_64", "app-1.0-1-x86_64")
	// With the package it goes: the next of that name has none.
	r.remove("app", "1.0-1", "x86_64")
	r.Want(t, 404, "", "GET", root+file+".sig", "")
	r.upload("app", "1.0-1", "x86_64", "depend = bash")
	if err := r.verify(r.ring(), file); err != nil {
		t.Error(err)
	}
	r.wantSound()
}

// TestPairs fetches a database before a change and its signature after it.
func TestPairs(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-1", "x86_64")
	get := func(file, agent string) string {
		return r.Want(t, 200, "", "GET", root+"/core/x86_64/"+file, "", "User-Agent", agent).Body
	}
	before, names := get("acme.db", "pacman"), get("acme.files", "pacman")
	r.upload("app", "2.0-1", "x86_64")
	if get("acme.db", "another") == before {
		t.Error("the database does not show what was published")
	}
	ring := r.ring()
	for file, content := range map[string]string{"acme.db": before, "acme.files": names} {
		if _, err := openpgp.CheckDetachedSignature(ring, strings.NewReader(content), strings.NewReader(get(file+".sig", "pacman")), nil); err != nil {
			t.Errorf("the signature of %s fetched after a change does not fit: %v", file, err)
		}
	}
	if after := get("acme.db", "pacman"); after == before {
		t.Error("the client that fetched the database before does not see the change")
	}
}

func TestConditions(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-1", "x86_64")
	path := root + "/core/x86_64/acme.db"
	first := r.Want(t, 200, "", "GET", path, "")
	date := first.Header.Get("Last-Modified")
	at, err := http.ParseTime(date)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"acme.db.sig", "acme.files", "acme.files.sig"} {
		if got := r.Want(t, 200, "", "HEAD", root+"/core/x86_64/"+file, "").Header.Get("Last-Modified"); got != date {
			t.Errorf("%s is of %s, the database of %s", file, got, date)
		}
	}
	r.Want(t, 304, "", "GET", path, "", "If-Modified-Since", date)
	r.Want(t, 304, "", "GET", path, "", "If-None-Match", first.Header.Get("ETag"))
	r.Want(t, 200, "", "GET", path, "", "If-Modified-Since", at.Add(time.Hour).Format(http.TimeFormat))
	r.upload("app", "2.0-1", "x86_64")
	second := r.Want(t, 200, "", "GET", path, "", "If-Modified-Since", date)
	if later, err := http.ParseTime(second.Header.Get("Last-Modified")); err != nil || !later.After(at) {
		t.Errorf("Last-Modified went from %v to %v: %v", at, later, err)
	}
}

func TestKeys(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-1", "x86_64")
	writer := r.Tokens["ann"]
	r.Want(t, 403, "ann", "POST", root+"/repository.key", "")
	r.Tokens["ann"] = r.Token(t, "ann", access.AdminOwner, access.ReadPackage)
	own, err := openpgp.NewEntity("Acme", "", "acme@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var private bytes.Buffer
	if err := own.SerializePrivate(&private, nil); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{"nothing": "", "no key": "hello"} {
		if res := r.Do(t, "ann", "PUT", root+"/repository.key", bad); res.StatusCode != 400 {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.Body)
		}
	}
	r.Want(t, 413, "ann", "PUT", root+"/repository.key", strings.Repeat("x", 300<<10))
	r.Want(t, 400, "ann", "POST", root+"/repository.key?algorithm=rot13", "")
	r.Want(t, 400, "ann", "POST", root+"/repository.key?overlap=soon", "")
	r.Want(t, 201, "ann", "PUT", root+"/repository.key?overlap=0", private.String())
	r.Tokens["ann"] = writer
	if err := r.verify(openpgp.EntityList{own}, "/core/x86_64/acme.db"); err != nil {
		t.Error(err)
	}
	var answer struct {
		Keys []struct {
			Fingerprint, Identity string
			Current               bool
		}
		Databases []struct{ Group, Architecture string }
	}
	if err := json.Unmarshal([]byte(r.Want(t, 200, "", "GET", root+"/repository.json", "").Body), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Keys) != 1 || answer.Keys[0].Fingerprint != fmt.Sprintf("%x", own.PrimaryKey.Fingerprint) || !answer.Keys[0].Current {
		t.Errorf("the keys are %+v", answer.Keys)
	}
	if fmt.Sprint(answer.Databases) != "[{core any} {core x86_64}]" {
		t.Errorf("the databases are %v", answer.Databases)
	}
}

func TestPrivateOwner(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-1", "x86_64")
	r.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{"/core/x86_64/acme.db", "/core/x86_64/acme.db.sig", "/repository.key", "/core/x86_64/app-1.0-1-x86_64.pkg.tar.zst", "/core/x86_64/app-1.0-1-x86_64.pkg.tar.zst.sig", "/repository.json", "/none/x86_64/acme.db"} {
		res := r.Want(t, 401, "", "GET", root+path, "")
		if got := res.Header.Get("WWW-Authenticate"); got != `Basic realm="Entrepot"` {
			t.Errorf("%s: the challenge %q", path, got)
		}
		r.Want(t, 404, "out", "GET", root+path, "")
		if !strings.HasPrefix(path, "/none") {
			r.Want(t, 200, "rea", "GET", root+path, "")
		}
	}
}

// TestPrivatePackage hides one package of a public owner.
func TestPrivatePackage(t *testing.T) {
	r := newRepository(t)
	r.upload("open", "1.0-1", "any")
	r.upload("secret", "1.0-1", "any")
	r.upload("open", "1.0-1", "x86_64")
	ctx := access.SystemContext(context.Background())
	s, err := r.Registry().Enter(ctx, "acme", "arch", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Package(ctx, "secret", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetVisibility(ctx, p, access.Private); err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"x86_64", "aarch64"} {
		for login, sees := range map[string]bool{"": false, "out": false, "rea": true, "ann": true, "root": true} {
			got := entries(t, r.Want(t, 200, login, "GET", root+"/core/"+arch+"/acme.files", "").Body)
			if _, ok := got["secret-1.0-1/desc"]; ok != sees || got["open-1.0-1/files"] == "" {
				t.Errorf("%q reads %v of %s", login, got, arch)
			}
		}
	}
	r.Want(t, 404, "out", "GET", root+"/core/x86_64/secret-1.0-1-any.pkg.tar.zst.sig", "")
	r.wantSound()
}

// TestReadersBesidePublishes fetches databases and signatures while others
// publish: whatever a reader gets fits together, and what was published before
// it began is there.
func TestReadersBesidePublishes(t *testing.T) {
	r := newRepository(t)
	r.upload("app-first", "1.0-1", "x86_64")
	ring := r.ring()
	var published sync.Map
	stop := make(chan struct{})
	var publishing, reading sync.WaitGroup
	for w := range 4 {
		publishing.Go(func() {
			for i := range 15 {
				name := fmt.Sprintf("app-%d-%d", w, i)
				arch := []string{"x86_64", "any"}[i%2]
				if res := r.Do(t, "wim", "PUT", root+"/core", pack(t, infoOf(name, "1.0-1", arch))); res.StatusCode != 201 {
					t.Errorf("publish %s: %d %s", name, res.StatusCode, res.Body)
				}
				published.Store(name, true)
			}
		})
	}
	for n := range 6 {
		reading.Go(func() {
			agent := fmt.Sprintf("reader/%d", n)
			for last := false; ; {
				select {
				case <-stop:
					last = true
				default:
				}
				want := map[string]bool{}
				published.Range(func(name, _ any) bool { want[name.(string)+"-1.0-1/desc"] = true; return true })
				database := r.Do(t, "", "GET", root+"/core/x86_64/acme.db", "", "User-Agent", agent)
				signature := r.Do(t, "", "GET", root+"/core/x86_64/acme.db.sig", "", "User-Agent", agent)
				if _, err := openpgp.CheckDetachedSignature(ring, strings.NewReader(database.Body), strings.NewReader(signature.Body), nil); err != nil {
					t.Errorf("%d and %d: %v", database.StatusCode, signature.StatusCode, err)
					return
				}
				got := entries(t, database.Body)
				for name := range want {
					if got[name] == "" {
						t.Errorf("%s was published before and is not listed", name)
						return
					}
				}
				if last {
					return
				}
			}
		})
	}
	publishing.Wait()
	close(stop)
	reading.Wait()
	r.wantSound()
}
