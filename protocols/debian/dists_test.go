package debian_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/klauspost/compress/gzip"
	"github.com/ulikunitz/xz"

	"entrepot/access"
)

func md5Of(text string) string {
	s := md5.Sum([]byte(text))
	return hex.EncodeToString(s[:])
}

// releaseOf reads a Release: its fields, and the digest and size of each file.
func releaseOf(tb testing.TB, text string) (fields map[string]string, files map[string][2]string) {
	tb.Helper()
	fields, files = map[string]string{}, map[string][2]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, " "); ok {
			part := strings.Fields(rest)
			if len(part) != 3 {
				tb.Fatalf("the line %q of the Release", line)
			}
			files[part[2]] = [2]string{part[0], part[1]}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			tb.Fatalf("the line %q of the Release", line)
		}
		fields[name] = strings.TrimSpace(value)
	}
	return fields, files
}

func TestRelease(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0", "amd64")
	r.upload("data", "1.0", "all")
	r.uploadTo("bookworm/contrib", "app", "1.0", "arm64")
	inRelease := r.get("/dists/bookworm/InRelease")
	ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(r.get("/repository.key")))
	if err != nil {
		t.Fatal(err)
	}
	block, rest := clearsign.Decode([]byte(inRelease))
	if block == nil || len(bytes.TrimSpace(rest)) != 0 {
		t.Fatalf("InRelease is not one signed document: %q after it", rest)
	}
	if _, err := block.VerifySignature(ring, nil); err != nil {
		t.Errorf("InRelease: %v", err)
	}
	text := r.get("/dists/bookworm/Release")
	if string(block.Plaintext) != text {
		t.Errorf("InRelease holds\n%s\nwant\n%s", block.Plaintext, text)
	}
	if _, err := openpgp.CheckArmoredDetachedSignature(ring, strings.NewReader(text), strings.NewReader(r.get("/dists/bookworm/Release.gpg")), nil); err != nil {
		t.Errorf("Release.gpg: %v", err)
	}
	order := regexp.MustCompile(`^Origin: acme\nLabel: acme\nSuite: bookworm\nCodename: bookworm\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} UTC\nAcquire-By-Hash: yes\nArchitectures: all amd64 arm64\nComponents: contrib main\nSHA256:\n( [0-9a-f]{64} \d+ \S+\n)+$`)
	if !order.MatchString(text) {
		t.Errorf("the Release is\n%s", text)
	}
	_, files := releaseOf(t, text)
	if len(files) != 6 {
		t.Errorf("%d files are named, want 6", len(files))
	}
	for path, want := range files {
		folder, _, _ := strings.Cut(path, "/Packages")
		for _, at := range []string{path, folder + "/by-hash/SHA256/" + want[0], folder + "/by-hash/sha256/" + strings.ToUpper(want[0])} {
			res := r.Want(t, 200, "", "GET", root+"/dists/bookworm/"+at, "")
			if sum(res.Body) != want[0] || fmt.Sprint(len(res.Body)) != want[1] || res.Header.Get("Content-Encoding") != "" {
				t.Errorf("%s is %d bytes with the digest %s, want %v", at, len(res.Body), sum(res.Body), want)
			}
			if immutable := strings.Contains(res.Header.Get("Cache-Control"), "immutable"); immutable != strings.Contains(at, "by-hash") {
				t.Errorf("%s: Cache-Control: %s", at, res.Header.Get("Cache-Control"))
			}
			if head := r.Want(t, 200, "", "HEAD", root+"/dists/bookworm/"+at, ""); fmt.Sprint(head.ContentLength) != want[1] {
				t.Errorf("HEAD %s says %d bytes", at, head.ContentLength)
			}
		}
	}
	// The same digest in another folder is another path.
	for _, path := range []string{
		"/dists/bookworm/main/binary-arm64/by-hash/SHA256/" + files["main/binary-amd64/Packages"][0],
		"/dists/bookworm/main/binary-amd64/by-hash/MD5Sum/" + md5Of(""),
		"/dists/bookworm/main/binary-amd64/by-hash/SHA256/short",
		"/dists/bookworm/main/binary-arm64/Packages", "/dists/bookworm/main/binary-amd64/Contents",
		"/dists/bookworm/main/source/Sources", "/dists/sid/InRelease", "/dists/bookworm/Other", "/dists/by-hash/InRelease", "/unknown.sources", "/whatever",
	} {
		r.Want(t, 404, "", "GET", root+path, "")
	}
	sum := sum(inRelease)
	if got := r.get("/dists/bookworm/by-hash/SHA256/" + sum); got != inRelease {
		t.Error("InRelease by its digest is something else")
	}
}

func TestPackedForms(t *testing.T) {
	r := newRepository(t)
	for i := range 5 {
		r.upload(fmt.Sprintf("app%d", i), "1.0", "amd64")
	}
	plain := r.get("/dists/bookworm/main/binary-amd64/Packages")
	z, err := gzip.NewReader(strings.NewReader(r.get("/dists/bookworm/main/binary-amd64/Packages.gz")))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != plain {
		t.Errorf("Packages.gz holds %d bytes, want %d; %v", len(got), len(plain), err)
	}
	for range 2 { // made, then kept
		x, err := xz.NewReader(strings.NewReader(r.get("/dists/bookworm/main/binary-amd64/Packages.xz")))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(x); err != nil || string(got) != plain {
			t.Errorf("Packages.xz holds %d bytes, want %d; %v", len(got), len(plain), err)
		}
	}
	if got := r.Want(t, 206, "", "GET", root+"/dists/bookworm/main/binary-amd64/Packages", "", "Range", "bytes=100-299").Body; got != plain[100:300] {
		t.Errorf("a range is %q", got)
	}
}

func TestConditions(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0", "amd64")
	path := root + "/dists/bookworm/InRelease"
	first := r.Want(t, 200, "", "GET", path, "")
	date, tag := first.Header.Get("Last-Modified"), first.Header.Get("ETag")
	if first.Header.Get("X-Index-Generation") == "" {
		t.Error("the answer does not tell its generation")
	}
	at, err := http.ParseTime(date)
	if err != nil {
		t.Fatal(err)
	}
	r.Want(t, 304, "", "GET", path, "", "If-Modified-Since", date)
	r.Want(t, 304, "", "GET", path, "", "If-None-Match", tag)
	r.Want(t, 200, "", "GET", path, "", "If-Modified-Since", at.Add(time.Hour).Format(http.TimeFormat))
	r.Want(t, 200, "", "GET", path, "", "If-None-Match", `"other"`, "If-Modified-Since", date)
	r.upload("app", "2.0", "amd64")
	second := r.Want(t, 200, "", "GET", path, "", "If-Modified-Since", date)
	later, err := http.ParseTime(second.Header.Get("Last-Modified"))
	if err != nil || !later.After(at) {
		t.Errorf("Last-Modified went from %v to %v: %v", at, later, err)
	}
}

// TestOldGenerations reads by the digests of an index that has been replaced,
// and pairs of files that were fetched across the change.
func TestOldGenerations(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0", "amd64")
	_, old := releaseOf(t, r.get("/dists/bookworm/Release"))
	digest := old["main/binary-amd64/Packages.gz"][0]
	path := "/dists/bookworm/main/binary-amd64/"
	before := r.get(path + "by-hash/SHA256/" + digest)
	release := r.Want(t, 200, "", "GET", root+"/dists/bookworm/Release", "", "User-Agent", "apt").Body
	r.Want(t, 204, "ann", "DELETE", root+"/pool/bookworm/main/app/1.0/amd64", "")
	r.upload("app", "2.0", "amd64")
	r.Want(t, 200, "", "GET", root+"/dists/bookworm/Release", "", "User-Agent", "another")
	if got := r.get(path + "by-hash/SHA256/" + digest); got != before {
		t.Error("an old digest leads to something else")
	}
	ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(r.get("/repository.key")))
	if err != nil {
		t.Fatal(err)
	}
	signature := r.Want(t, 200, "", "GET", root+"/dists/bookworm/Release.gpg", "", "User-Agent", "apt").Body
	if _, err := openpgp.CheckArmoredDetachedSignature(ring, strings.NewReader(release), strings.NewReader(signature), nil); err != nil {
		t.Errorf("the signature fetched after a change does not fit the Release fetched before: %v", err)
	}
	named := r.Want(t, 200, "", "GET", root+path+"Packages.gz", "", "User-Agent", "apt").Body
	if sum(named) != digest {
		t.Error("Packages.gz fetched after a change does not fit the Release fetched before")
	}
}

func TestEmptyDistribution(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0", "amd64")
	r.upload("app", "1.0", "arm64")
	r.get("/dists/bookworm/InRelease")
	r.Want(t, 204, "ann", "DELETE", root+"/pool/bookworm/main/app/1.0/arm64", "")
	fields, _ := releaseOf(t, r.get("/dists/bookworm/Release"))
	if fields["Architectures"] != "amd64" {
		t.Errorf("architectures %s", fields["Architectures"])
	}
	r.Want(t, 404, "", "GET", root+"/dists/bookworm/main/binary-arm64/Packages", "")
	// The whole package goes, as in the pages.
	ctx := access.SystemContext(context.Background())
	s, err := r.Registry().Enter(ctx, "acme", "debian", access.Delete)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Package(ctx, "app", access.Delete)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeletePackage(ctx, p); err != nil {
		t.Fatal(err)
	}
	_, files := releaseOf(t, r.get("/dists/bookworm/Release"))
	if len(files) == 0 {
		t.Error("the Release of an empty distribution names no file")
	}
	for path, want := range files {
		if got := r.get("/dists/bookworm/" + path); sum(got) != want[0] {
			t.Errorf("%s is not what the Release says", path)
		}
	}
	r.Tokens["ann"] = r.Token(t, "ann", access.AdminOwner, access.ReadPackage)
	r.Want(t, 204, "ann", "DELETE", root+"/dists/bookworm", "")
	r.Want(t, 404, "", "GET", root+"/dists/bookworm/InRelease", "")
	r.Want(t, 404, "ann", "DELETE", root+"/dists/bookworm", "")
	r.wantSound()
}

func TestConfigure(t *testing.T) {
	r := newRepository(t)
	writer := r.Tokens["ann"]
	r.Tokens["ann"] = r.Token(t, "ann", access.AdminOwner, access.ReadPackage, access.WritePackage)
	path := root + "/dists/stable"
	r.Want(t, 201, "ann", "PUT", path, `{"origin":"Acme","label":"Acme Stable","suite":"stable-updates","description":"Our own","notAutomatic":true,"butAutomaticUpgrades":true,"validDays":7,"keepVersions":2}`)
	fields, files := releaseOf(t, r.get("/dists/stable/Release"))
	for name, want := range map[string]string{
		"Origin": "Acme", "Label": "Acme Stable", "Suite": "stable-updates", "Codename": "stable", "Description": "Our own",
		"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes",
	} {
		if fields[name] != want {
			t.Errorf("%s: %s, want %s", name, fields[name], want)
		}
	}
	if fields["Valid-Until"] == "" || len(files) == 0 {
		t.Errorf("the Release of a distribution that was only made: %v, %v", fields, files)
	}
	r.Want(t, 409, "ann", "PUT", path, `{"origin":"Another"}`)
	r.Want(t, 200, "ann", "PUT", path, `{"origin":"Acme","keepVersions":2}`)
	for _, body := range []string{``, `[]`, `{"colour":"red"}`, `{"validDays":-1}`, "{\"description\":\"a\\nb\"}"} {
		r.Want(t, 400, "ann", "PUT", path, body)
	}
	r.Tokens["ann"] = writer
	for _, v := range []string{"1.0", "3.0", "2.0"} {
		r.uploadTo("stable/main", "app", v, "amd64")
	}
	packages := r.get("/dists/stable/main/binary-amd64/Packages")
	if strings.Contains(packages, "Version: 1.0") || strings.Count(packages, "Version:") != 2 {
		t.Errorf("a distribution that keeps two versions lists\n%s", packages)
	}
	r.Want(t, 404, "", "GET", root+"/pool/stable/main/app_1.0_amd64.deb", "")
	r.wantSound()
}

func TestKeys(t *testing.T) {
	r := newRepository(t)
	writer := r.Tokens["ann"]
	admin := r.Token(t, "ann", access.AdminOwner, access.ReadPackage)
	r.upload("app", "1.0", "amd64")
	verify := func(key string) error {
		t.Helper()
		ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(key))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := clearsign.Decode([]byte(r.get("/dists/bookworm/InRelease")))
		if block == nil {
			t.Fatal("InRelease is not signed")
		}
		_, err = block.VerifySignature(ring, nil)
		return err
	}
	first := r.get("/repository.key")
	if err := verify(first); err != nil {
		t.Error(err)
	}
	r.Tokens["ann"] = admin
	r.Want(t, 201, "ann", "POST", root+"/repository.key?algorithm=ed25519&overlap=10", "")
	both := r.get("/repository.key")
	ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(both))
	if err != nil || len(ring) != 2 {
		t.Fatalf("%d keys while one is replaced, %v", len(ring), err)
	}
	if binary, err := openpgp.ReadKeyRing(strings.NewReader(r.get("/repository.gpg"))); err != nil || len(binary) != 2 {
		t.Errorf("%d binary keys, %v", len(binary), err)
	}
	for name, key := range map[string]string{"the old key": first, "both keys": both} {
		if err := verify(key); err != nil {
			t.Errorf("with %s: %v", name, err)
		}
	}
	// An own key, and the others end at once.
	own, err := openpgp.NewEntity("Acme", "", "acme@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var private, public bytes.Buffer
	if err := own.SerializePrivate(&private, nil); err != nil {
		t.Fatal(err)
	}
	if err := own.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{"nothing": "", "no key": "hello", "a public key": public.String()} {
		if res := r.Do(t, "ann", "PUT", root+"/repository.key", bad); res.StatusCode != 400 {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.Body)
		}
	}
	r.Want(t, 400, "ann", "POST", root+"/repository.key?algorithm=rot13", "")
	r.Want(t, 201, "ann", "PUT", root+"/repository.key?overlap=0", private.String())
	var answer struct {
		Keys []struct {
			Fingerprint, Identity string
			Current               bool
			SignsUntil            *time.Time
		}
		Distributions []struct{ Name, Origin string }
	}
	if err := json.Unmarshal([]byte(r.get("/repository.json")), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Keys) != 2 || answer.Keys[0].Fingerprint != hex.EncodeToString(own.PrimaryKey.Fingerprint) || !answer.Keys[0].Current || answer.Keys[1].SignsUntil == nil {
		t.Errorf("the keys are %+v", answer.Keys)
	}
	if len(answer.Distributions) != 1 || answer.Distributions[0].Name != "bookworm" {
		t.Errorf("the distributions are %+v", answer.Distributions)
	}
	r.Tokens["ann"] = writer
	r.Want(t, 403, "ann", "POST", root+"/repository.key", "")
	if err := verify(first); err != nil {
		t.Errorf("the first key signs for ten days more: %v", err)
	}
}

// TestFirstKey lets many ask for the key that is not there yet.
func TestFirstKey(t *testing.T) {
	r := newRepository(t)
	r.Organization(t, "fresh", access.Public)
	var wg sync.WaitGroup
	keys := make([]string, 6)
	for i := range keys {
		wg.Go(func() {
			keys[i] = r.Want(t, 200, "", "GET", "/api/packages/fresh/debian/repository.key", "").Body
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] || !strings.HasPrefix(k, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n") {
			t.Fatalf("a key is %q", k)
		}
	}
}

func TestSources(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0", "amd64")
	r.upload("data", "1.0", "all")
	got := r.get("/bookworm.sources")
	want := "Types: deb\nURIs: " + r.URL + root + "\nSuites: bookworm\nComponents: main\nArchitectures: amd64\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n "
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, " -----END PGP PUBLIC KEY BLOCK-----\n") {
		t.Errorf("the sources are\n%s", got)
	}
}

func TestPrivateOwner(t *testing.T) {
	r := newRepository(t)
	r.upload("app", "1.0", "amd64")
	r.get("/dists/bookworm/InRelease")
	r.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{"/dists/bookworm/InRelease", "/repository.key", "/pool/bookworm/main/app_1.0_amd64.deb", "/dists/bookworm/main/binary-amd64/by-hash/SHA256/" + sum(""), "/bookworm.sources"} {
		res := r.Want(t, 401, "", "GET", root+path, "")
		if got := res.Header.Get("WWW-Authenticate"); got != `Basic realm="Entrepot"` {
			t.Errorf("%s: the challenge %q", path, got)
		}
		r.Want(t, 404, "out", "GET", root+path, "")
	}
	r.Want(t, 200, "rea", "GET", root+"/dists/bookworm/InRelease", "")
	res := r.Want(t, 403, "rea", "PUT", root+"/pool/bookworm/main/upload", deb(t, controlOf("app", "2.0", "amd64")))
	if strings.Contains(res.Body, "<") {
		t.Errorf("the refusal is %q", res.Body)
	}
}

// TestPrivatePackage hides one package of a public owner.
func TestPrivatePackage(t *testing.T) {
	r := newRepository(t)
	r.upload("open", "1.0", "amd64")
	r.upload("secret", "1.0", "amd64")
	ctx := access.SystemContext(context.Background())
	s, err := r.Registry().Enter(ctx, "acme", "debian", access.Manage)
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
	path := root + "/dists/bookworm/main/binary-amd64/Packages"
	for login, sees := range map[string]bool{"": false, "out": false, "rea": true, "ann": true, "root": true} {
		if got := r.Want(t, 200, login, "GET", path, "").Body; strings.Contains(got, "Package: secret") != sees || !strings.Contains(got, "Package: open") {
			t.Errorf("%q reads\n%s", login, got)
		}
	}
	_, files := releaseOf(t, r.Want(t, 200, "rea", "GET", root+"/dists/bookworm/Release", "").Body)
	byHash := root + "/dists/bookworm/main/binary-amd64/by-hash/SHA256/" + files["main/binary-amd64/Packages"][0]
	r.Want(t, 200, "rea", "GET", byHash, "")
	r.Want(t, 404, "out", "GET", byHash, "")
	r.wantSound()
}

// TestReadersBesidePublishes fetches whole repositories, entry, lists and
// packages, while others publish: whatever a reader gets fits together, and
// what was published before it began is there.
func TestReadersBesidePublishes(t *testing.T) {
	publishes, readers := 1000, 50
	if testing.Short() {
		publishes, readers = 60, 8
	}
	r := newRepository(t)
	r.upload("app-first", "1.0", "amd64")
	var done sync.WaitGroup
	var published sync.Map
	stop := make(chan struct{})
	work := make(chan int)
	for range 8 {
		done.Go(func() {
			for i := range work {
				name := fmt.Sprintf("app-%d", i)
				res := r.Do(t, "wim", "PUT", root+"/pool/bookworm/main/upload", deb(t, controlOf(name, "1.0", "amd64")))
				if res.StatusCode != 201 {
					t.Errorf("publish %s: %d %s", name, res.StatusCode, res.Body)
				}
				published.Store(name, true)
			}
		})
	}
	var reading sync.WaitGroup
	var reads sync.Map
	for n := range readers {
		reading.Go(func() {
			agent := fmt.Sprintf("reader/%d", n)
			for round := 0; ; round++ {
				select {
				case <-stop:
					if round > 0 {
						return
					}
				default:
				}
				var there []string
				published.Range(func(name, _ any) bool { there = append(there, name.(string)); return true })
				if !r.fetch(t, agent, there) {
					return
				}
				reads.Store(fmt.Sprint(n, "/", round), true)
			}
		})
	}
	for i := range publishes {
		work <- i
	}
	close(work)
	done.Wait()
	close(stop)
	reading.Wait()
	total := 0
	reads.Range(func(any, any) bool { total++; return true })
	t.Logf("%d publishes beside %d whole reads by %d readers", publishes, total, readers)
	if total < readers {
		t.Errorf("only %d reads ended", total)
	}
	r.wantSound()
}

// fetch reads a distribution as apt does, and checks that it holds the
// packages of those names.
func (r *repository) fetch(t *testing.T, agent string, names []string) bool {
	get := func(path string) string {
		res := r.Do(t, "", "GET", root+"/dists/bookworm/"+path, "", "User-Agent", agent)
		if res.StatusCode != 200 {
			t.Errorf("GET %s: %d %.200s", path, res.StatusCode, res.Body)
		}
		return res.Body
	}
	block, _ := clearsign.Decode([]byte(get("InRelease")))
	if block == nil {
		t.Error("InRelease is not signed")
		return false
	}
	_, files := releaseOf(t, string(block.Plaintext))
	want := files["main/binary-amd64/Packages.gz"]
	for _, path := range []string{"main/binary-amd64/by-hash/SHA256/" + want[0], "main/binary-amd64/Packages.gz"} {
		packed := get(path)
		if sum(packed) != want[0] {
			t.Errorf("%s has the digest %s, want %s", path, sum(packed), want[0])
			return false
		}
		z, err := gzip.NewReader(strings.NewReader(packed))
		if err != nil {
			t.Error(err)
			return false
		}
		plain, err := io.ReadAll(z)
		if err != nil || sum(string(plain)) != files["main/binary-amd64/Packages"][0] {
			t.Errorf("%s: the text is not what the Release says: %v", path, err)
			return false
		}
		listed := map[string]bool{}
		for line := range strings.Lines(string(plain)) {
			if name, ok := strings.CutPrefix(line, "Package: "); ok {
				listed[strings.TrimSpace(name)] = true
			}
		}
		for _, name := range names {
			if !listed[name] {
				t.Errorf("%s was published before and is not listed", name)
				return false
			}
		}
	}
	return true
}
