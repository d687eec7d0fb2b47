package alpine_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"entrepot/access"
)

func TestBlock(t *testing.T) {
	r := newRepository(t)
	info := "pkgname = hello\npkgver = 2.10-r3\npkgdesc = greets\tas often\n  as it can = true\nurl = https://example.com/hello\nbuilddate = 1700000000\npackager = Pat\n" +
		"size = 4096\narch = x86_64\norigin = greetings\ncommit = 0123abcd\nmaintainer = Ann Example <ann@example.com>\nlicense = GPL-2.0-only AND MIT\nprovider_priority = 10\n" +
		"replaces = hi\ndepend = so:libc.musl-x86_64.so.1\ndepend = !hi\nprovides = cmd:hello=2.10-r3\nprovides = hey\ninstall_if = docs hello=2.10-r3\ntriggers = /usr/x\nnew = odd\n"
	data := member(t, true, file{"usr/hello", "x"})
	control := member(t, false, file{".PKGINFO", info})
	body := member(t, false, file{".SIGN.RSA.x", "y"}) + control + data
	r.Want(t, 201, "ann", "PUT", root+"/v3.20/main", body)
	x := r.index("x86_64")
	want := "C:" + identityOf(control) + fmt.Sprintf("\nP:hello\nV:2.10-r3\nA:x86_64\nS:%d\n", len(body)) +
		"I:4096\nT:greets as often\nU:https://example.com/hello\nL:GPL-2.0-only AND MIT\no:greetings\nm:Ann Example <ann@example.com>\nt:1700000000\n" +
		"c:0123abcd\nk:10\nD:so:libc.musl-x86_64.so.1 !hi\np:cmd:hello=2.10-r3 hey\ni:docs hello=2.10-r3\n\n"
	if x.text != want {
		t.Errorf("the index is\n%q\nwant\n%q", x.text, want)
	}
	if x.description != "acme v3.20/main" {
		t.Errorf("the description is %q", x.description)
	}
	r.wantSound()
}

// TestNoarch has packages that run everywhere beside those that do not.
func TestNoarch(t *testing.T) {
	r := newRepository(t)
	r.uploadTo("v3.21/main", "app", "1.0-r0", "riscv64")
	r.uploadTo("v3.20/community", "data", "9-r0", "noarch")
	r.Want(t, 404, "", "GET", root+"/v3.20/main/x86_64/APKINDEX.tar.gz", "")
	r.upload("data", "1.0-r0", "noarch")
	for _, arch := range []string{"x86_64", "noarch", "loongarch64"} {
		r.wantNames(arch, "data-1.0-r0:noarch")
	}
	r.upload("app", "1.0-r0", "x86_64")
	r.wantNames("x86_64", "app-1.0-r0:x86_64", "data-1.0-r0:x86_64")
	r.wantNames("aarch64", "data-1.0-r0:noarch")
	// All versions are listed, and none of another branch.
	r.upload("data", "1.1-r0", "noarch")
	r.wantNames("x86_64", "app-1.0-r0:x86_64", "data-1.0-r0:x86_64", "data-1.1-r0:x86_64")
	for _, arch := range []string{"x86_64", "noarch", "aarch64"} {
		r.Want(t, 200, "", "GET", root+"/v3.20/main/"+arch+"/data-1.1-r0.apk", "")
	}
	r.remove("data", "1.0-r0", "noarch")
	r.remove("data", "1.1-r0", "noarch")
	r.wantNames("x86_64", "app-1.0-r0:x86_64")
	r.Want(t, 404, "", "GET", root+"/v3.20/main/aarch64/APKINDEX.tar.gz", "")
	r.remove("app", "1.0-r0", "x86_64")
	r.Want(t, 404, "", "GET", root+"/v3.20/main/x86_64/APKINDEX.tar.gz", "")
	r.Want(t, 200, "", "GET", root+"/v3.21/main/riscv64/APKINDEX.tar.gz", "")
	r.wantSound()
}

// keyFile is a public key and the name it must be kept by.
func (r *repository) keyFile(path string) (name string, key *rsa.PublicKey) {
	r.tb.Helper()
	res := r.Want(r.tb, 200, "", "GET", root+path, "")
	_, name, _ = strings.Cut(res.Header.Get("Content-Disposition"), `filename="`)
	block, rest := pem.Decode([]byte(res.Body))
	if block == nil || block.Type != "PUBLIC KEY" || len(rest) != 0 || res.Header.Get("Content-Type") != "application/x-pem-file" {
		r.tb.Fatalf("the key is %s %q", res.Header.Get("Content-Type"), res.Body)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		r.tb.Fatal(err)
	}
	return strings.TrimSuffix(name, `"`), parsed.(*rsa.PublicKey)
}

// verify checks the signatures that a key of that name has made.
func (x index) verify(name string, key *rsa.PublicKey) error {
	old, current := sha1.Sum(x.body), sha256.Sum256(x.body)
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA1, old[:], x.signatures[".SIGN.RSA."+name]); err != nil {
		return fmt.Errorf("SHA-1: %w", err)
	}
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, current[:], x.signatures[".SIGN.RSA256."+name]); err != nil {
		return fmt.Errorf("SHA-256: %w", err)
	}
	return nil
}

func TestSignatures(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-r0", "x86_64")
	r.upload("data", "1.0-r0", "noarch")
	name, key := r.keyFile("/key")
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := sha256.Sum256(der)
	if want := "acme@" + hex.EncodeToString(fingerprint[:]) + ".rsa.pub"; name != want {
		t.Errorf("the key is called %s, want %s", name, want)
	}
	for _, arch := range []string{"x86_64", "aarch64"} {
		if err := r.index(arch).verify(name, key); err != nil {
			t.Errorf("%s: %v", arch, err)
		}
	}
	// A key with a name of its own, as a former repository had: both sign, and
	// who has either is content.
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(own)}))
	writer := r.Tokens["ann"]
	r.Want(t, 403, "ann", "PUT", root+"/key?name=builder-1.rsa.pub", private)
	r.Tokens["ann"] = r.Token(t, "ann", access.AdminOwner, access.ReadPackage)
	for _, bad := range []string{"builder", "a/b.rsa.pub", ".rsa.pub", strings.Repeat("n", 81) + ".rsa.pub", "a%0A.rsa.pub"} {
		r.Want(t, 400, "ann", "PUT", root+"/key?name="+bad, private)
	}
	for _, bad := range []string{"", "hello"} {
		r.Want(t, 400, "ann", "PUT", root+"/key", bad)
	}
	r.Want(t, 201, "ann", "PUT", root+"/key?name=builder-1.rsa.pub&overlap=10", private)
	r.Tokens["ann"] = writer
	if got := r.Want(t, 200, "", "GET", root+"/keys", "").Body; got != "builder-1.rsa.pub\n"+name+"\n" {
		t.Errorf("the keys are %q", got)
	}
	if now, _ := r.keyFile("/key"); now != "builder-1.rsa.pub" {
		t.Errorf("the key is called %s", now)
	}
	if was, again := r.keyFile("/keys/" + name); was != name || !again.Equal(key) {
		t.Errorf("the key of before is called %s", was)
	}
	r.Want(t, 404, "", "GET", root+"/keys/other.rsa.pub", "")
	x := r.index("x86_64")
	if err := x.verify(name, key); err != nil {
		t.Errorf("with the old key: %v", err)
	}
	if err := x.verify("builder-1.rsa.pub", &own.PublicKey); err != nil {
		t.Errorf("with the new key: %v", err)
	}
	if len(x.signatures) != 4 {
		t.Errorf("%d signatures", len(x.signatures))
	}
}

// TestFirstKey publishes as an owner that has no key, whose name leaves no
// room for that of a signature in the old form of archives.
func TestFirstKey(t *testing.T) {
	r := newRepository(t)
	owner := "organization-with-a-name-that-is-long"
	r.Organization(t, owner, access.Public)
	r.Want(t, 201, "root", "PUT", "/api/packages/"+owner+"/alpine/edge/main", apk(t, infoOf("app", "1", "x86_64")))
	name := strings.TrimSpace(r.Want(t, 200, "", "GET", "/api/packages/"+owner+"/alpine/keys", "").Body)
	block, _ := pem.Decode([]byte(r.Want(t, 200, "", "GET", "/api/packages/"+owner+"/alpine/key", "").Body))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	x := readIndex(t, r.Want(t, 200, "", "GET", "/api/packages/"+owner+"/alpine/edge/main/x86_64/APKINDEX.tar.gz", "").Body)
	if err := x.verify(name, key.(*rsa.PublicKey)); err != nil {
		t.Errorf("with the key %s: %v", name, err)
	}
}

func TestKeepVersions(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-r0", "x86_64")
	path := root + "/v3.20/main/repository.json"
	r.Want(t, 403, "ann", "PUT", path, `{"keepVersions":2}`)
	r.Want(t, 404, "", "GET", root+"/v3.21/main/repository.json", "")
	writer := r.Tokens["ann"]
	r.Tokens["ann"] = r.Token(t, "ann", access.AdminOwner, access.ReadPackage)
	for _, bad := range []string{``, `[]`, `{"colour":"red"}`, `{"keepVersions":-1}`, `{"keepVersions":1000000}`} {
		r.Want(t, 400, "ann", "PUT", path, bad)
	}
	r.Want(t, 413, "ann", "PUT", path, strings.Repeat(" ", 70<<10))
	r.Want(t, 200, "ann", "PUT", path, `{"keepVersions":2}`)
	r.Tokens["ann"] = writer
	r.upload("app", "1.0_rc1-r0", "x86_64")
	r.upload("app", "1.1-r0", "x86_64")
	r.wantNames("x86_64", "app-1.0-r0:x86_64", "app-1.1-r0:x86_64")
	r.Want(t, 404, "", "GET", root+"/v3.20/main/x86_64/app-1.0_rc1-r0.apk", "")
	// The same holds for architectures that come later.
	for _, v := range []string{"1-r0", "3-r0", "2-r0"} {
		r.upload("tool", v, "aarch64")
	}
	r.wantNames("aarch64", "tool-3-r0:aarch64", "tool-2-r0:aarch64")
	var d struct {
		KeepVersions  int
		Architectures []string
	}
	if err := json.Unmarshal([]byte(r.Want(t, 200, "", "GET", path, "").Body), &d); err != nil || d.KeepVersions != 2 || fmt.Sprint(d.Architectures) != "[aarch64 x86_64]" {
		t.Errorf("the repository is %+v, %v", d, err)
	}
	r.wantSound()
}

func TestConditions(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-r0", "x86_64")
	path := root + "/v3.20/main/x86_64/APKINDEX.tar.gz"
	first := r.Want(t, 200, "", "GET", path, "")
	date := first.Header.Get("Last-Modified")
	at, err := http.ParseTime(date)
	if err != nil || first.Header.Get("Content-Type") != "application/gzip" || first.Header.Get("Content-Encoding") != "" {
		t.Fatalf("the answer's head is %v, %v", first.Header, err)
	}
	r.Want(t, 304, "", "GET", path, "", "If-Modified-Since", date)
	r.Want(t, 304, "", "GET", path, "", "If-None-Match", first.Header.Get("ETag"))
	r.Want(t, 200, "", "GET", path, "", "If-Modified-Since", at.Add(time.Hour).Format(http.TimeFormat))
	if got := r.Want(t, 206, "", "GET", path, "", "Range", "bytes=10-99").Body; got != first.Body[10:100] {
		t.Error("a range is something else")
	}
	if head := r.Want(t, 200, "", "HEAD", path, ""); head.ContentLength != int64(len(first.Body)) {
		t.Errorf("HEAD says %d bytes", head.ContentLength)
	}
	r.upload("app", "2.0-r0", "x86_64")
	second := r.Want(t, 200, "", "GET", path, "", "If-Modified-Since", date)
	if later, err := http.ParseTime(second.Header.Get("Last-Modified")); err != nil || !later.After(at) {
		t.Errorf("Last-Modified went from %v to %v: %v", at, later, err)
	}
}

func TestPrivateOwner(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0-r0", "x86_64")
	r.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{"/v3.20/main/x86_64/APKINDEX.tar.gz", "/key", "/keys", "/v3.20/main/x86_64/app-1.0-r0.apk", "/v3.20/main/repository.json", "/none/main/x86_64/APKINDEX.tar.gz"} {
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
	r.upload("open", "1.0-r0", "x86_64")
	r.upload("secret", "1.0-r0", "noarch")
	ctx := access.SystemContext(context.Background())
	s, err := r.Registry().Enter(ctx, "acme", "alpine", access.Manage)
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
	for login, sees := range map[string]bool{"": false, "out": false, "rea": true, "ann": true, "root": true} {
		got := readIndex(t, r.Want(t, 200, login, "GET", root+"/v3.20/main/x86_64/APKINDEX.tar.gz", "").Body).names()
		if got["secret-1.0-r0:x86_64"] != sees || !got["open-1.0-r0:x86_64"] {
			t.Errorf("%q reads %v", login, got)
		}
		want := 404
		if sees {
			want = 200
		}
		r.Want(t, want, login, "GET", root+"/v3.20/main/aarch64/APKINDEX.tar.gz", "")
	}
	r.Want(t, 404, "out", "GET", root+"/v3.20/main/x86_64/secret-1.0-r0.apk", "")
	r.wantSound()
}

// TestReadersBesidePublishes reads the index while others publish: it is
// signed as a whole, and what was published before a read began is in it.
func TestReadersBesidePublishes(t *testing.T) {
	r := newRepository(t)
	r.upload("app-first", "1.0-r0", "x86_64")
	name, key := r.keyFile("/key")
	var published sync.Map
	stop := make(chan struct{})
	var publishing, reading sync.WaitGroup
	for w := range 4 {
		publishing.Go(func() {
			for i := range 15 {
				id := fmt.Sprintf("app-%d-x%d", w, i)
				arch := []string{"x86_64", "noarch"}[i%2]
				if res := r.Do(t, "wim", "PUT", root+"/v3.20/main", apk(t, infoOf(id, "1.0-r0", arch))); res.StatusCode != 201 {
					t.Errorf("publish %s: %d %s", id, res.StatusCode, res.Body)
				}
				published.Store(id+"-1.0-r0:x86_64", true)
			}
		})
	}
	for range 6 {
		reading.Go(func() {
			for last := false; !last; {
				select {
				case <-stop:
					last = true
				default:
				}
				var want []string
				published.Range(func(name, _ any) bool { want = append(want, name.(string)); return true })
				x := readIndex(t, r.Do(t, "", "GET", root+"/v3.20/main/x86_64/APKINDEX.tar.gz", "").Body)
				if err := x.verify(name, key); err != nil {
					t.Error(err)
					return
				}
				got := x.names()
				for _, id := range want {
					if !got[id] {
						t.Errorf("%s was published before and is not listed", id)
						return
					}
				}
			}
		})
	}
	publishing.Wait()
	close(stop)
	reading.Wait()
	r.wantSound()
}
