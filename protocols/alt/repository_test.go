package alt_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ulikunitz/xz"
	"golang.org/x/crypto/blake2b"

	"entrepot/access"
	"entrepot/protocols/rpmtest"
	"entrepot/registry"
	"entrepot/server/servertest"
)

// root is where the packages of acme lie.
const root = "/api/packages/acme/alt"

// repository is a server with a key that takes no time to make.
type repository struct {
	*servertest.Server
	tb testing.TB
}

func newRepository(tb testing.TB, opts ...servertest.Option) *repository {
	tb.Helper()
	r := &repository{servertest.New(tb, opts...), tb}
	r.Tokens["ann"] = r.Token(tb, "ann", access.AdminOwner, access.ReadPackage, access.WritePackage, access.DeletePackage)
	s, err := r.Registry().Enter(access.SystemContext(context.Background()), "acme", "alt", access.Administer)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := s.ReplaceKey(access.SystemContext(context.Background()), registry.KeyChange{Algorithm: registry.Ed25519}); err != nil {
		tb.Fatal(err)
	}
	return r
}

// in is the repository for a part of the test.
func (r *repository) in(tb testing.TB) *repository { return &repository{r.Server, tb} }

// pack is a package that installs one file.
func pack(name, version, arch string) rpmtest.Package {
	p := rpmtest.Package{
		Name: name, Version: version, Release: "alt1", Arch: arch, Summary: "a package for tests", Description: "It does nothing,\nand says so.",
		Files: map[string]string{"/usr/share/doc/" + name + "/readme": name + version + arch},
	}
	if arch == "src" {
		p.Arch, p.Tags = "x86_64", map[int]any{1044: nil}
	}
	return p
}

// uploads is the path to which packages of a group are uploaded.
func uploads(group string) string {
	if group == "" {
		return root + "/upload"
	}
	return root + "/" + group + "/upload"
}

// repo is the path of a group.
func repo(group string) string {
	if group == "" {
		group = "alt"
	}
	return root + "/" + group + ".repo"
}

// upload publishes a package to a group.
func (r *repository) upload(group string, p rpmtest.Package) string {
	r.tb.Helper()
	body := string(p.Bytes())
	r.Want(r.tb, 201, "ann", "PUT", uploads(group), body)
	return body
}

// get is the body of a document.
func (r *repository) get(path string) string {
	r.tb.Helper()
	return r.Want(r.tb, 200, "", "GET", path, "").Body
}

// wantSound compares the indexes with what is published.
func (r *repository) wantSound() {
	r.tb.Helper()
	problems, err := r.Registry().VerifyIndexes(context.Background(), "alt", "")
	if err != nil {
		r.tb.Fatal(err)
	}
	for _, p := range problems {
		r.tb.Errorf("verify: %s", p)
	}
}

// release is a release as clients read it.
type release struct {
	fields map[string]string
	// sums are the files below each digest: "digest size".
	sums map[string]map[string]string
}

// release reads the release of an architecture, whose one signature must be of
// the key that repository.key has.
func (r *repository) release(group, arch string) release {
	r.tb.Helper()
	body := r.get(repo(group) + "/" + arch + "/base/release")
	text, signature, ok := strings.Cut(body, "-----BEGIN PGP SIGNATURE-----")
	if !ok || strings.Count(signature, "-----") != 2 || !strings.HasSuffix(signature, "-----END PGP SIGNATURE-----\n") || !strings.HasSuffix(text, "\n\n") {
		r.tb.Fatalf("the release is\n%s", body)
	}
	ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(r.get(root + "/repository.key")))
	if err != nil {
		r.tb.Fatal(err)
	}
	if _, err := openpgp.CheckArmoredDetachedSignature(ring, strings.NewReader(text), strings.NewReader("-----BEGIN PGP SIGNATURE-----"+signature), nil); err != nil {
		r.tb.Errorf("the signature: %v in\n%s", err, body)
	}
	doc := release{map[string]string{}, map[string]map[string]string{}}
	digest := ""
	for line := range strings.Lines(strings.TrimSuffix(text, "\n")) {
		line = strings.TrimSuffix(line, "\n")
		name, value, isField := strings.Cut(line, ": ")
		fields := strings.Fields(line)
		switch {
		case isField && line[0] != ' ':
			doc.fields[name] = value
		case strings.HasSuffix(line, ":"):
			digest = strings.TrimSuffix(line, ":")
			doc.sums[digest] = map[string]string{}
		case len(fields) == 3 && line[0] == ' ':
			doc.sums[digest][fields[2]] = fields[0] + " " + fields[1]
		default:
			r.tb.Errorf("a line of the release is %q", line)
		}
	}
	return doc
}

// read reads an architecture as the client does, and all that the release
// names: what stands in the list, by file name.
func (r *repository) read(group, arch string) map[string]map[int]any {
	r.tb.Helper()
	doc := r.release(group, arch)
	list := "base/pkglist.classic"
	if arch == "src" {
		list = "base/srclist.classic"
	}
	want := []string{"base/release.classic", list, list + ".xz"}
	slices.Sort(want)
	bodies := map[string]string{}
	for _, digest := range []string{"MD5Sum", "BLAKE2b"} {
		var have []string
		for path, sum := range doc.sums[digest] {
			if bodies[path] == "" {
				bodies[path] = r.get(repo(group) + "/" + arch + "/" + path)
			}
			have = append(have, path)
			if got := fmt.Sprint(sumOf(digest, bodies[path]), " ", len(bodies[path])); got != sum {
				r.tb.Errorf("%s of %s is %s, want %s", digest, path, got, sum)
			}
		}
		if slices.Sort(have); !slices.Equal(have, want) {
			r.tb.Errorf("the release names %q by %s, want %q", have, digest, want)
		}
	}
	z, err := xz.ReaderConfig{SingleStream: true}.NewReader(strings.NewReader(bodies[list+".xz"]))
	if err != nil {
		r.tb.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil || string(plain) != bodies[list] {
		r.tb.Errorf("unpacked are %d bytes, want %d; %v", len(plain), len(bodies[list]), err)
	}
	headers, err := rpmtest.ReadHeaders(plain)
	if err != nil {
		r.tb.Error(err)
	}
	listed := map[string]map[int]any{}
	for _, h := range headers {
		listed[h[1000000].(string)] = h
	}
	if len(listed) != len(headers) {
		r.tb.Errorf("of %d packages some have the same name", len(headers))
	}
	return listed
}

func sumOf(digest, body string) string {
	if digest == "MD5Sum" {
		sum := md5.Sum([]byte(body))
		return hex.EncodeToString(sum[:])
	}
	sum := blake2b.Sum512([]byte(body))
	return hex.EncodeToString(sum[:])
}

// listed are the packages in a list, as file names.
func (r *repository) listed(group, arch string) string {
	r.tb.Helper()
	var names []string
	for name := range r.read(group, arch) {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// wantTags compares what a list has of a package with the package, and with
// what is served for it.
func (r *repository) wantTags(group, arch, file string, listed map[int]any, body string) {
	r.tb.Helper()
	folder := "RPMS.classic"
	if arch == "src" {
		folder = "SRPMS.classic"
	}
	for tag, want := range map[int]any{
		1000000: file, 1000001: []int32{int32(len(body))}, 1000005: sumOf("MD5Sum", body), 1000009: sumOf("BLAKE2b", body), 1000010: folder,
	} {
		if fmt.Sprint(listed[tag]) != fmt.Sprint(want) {
			r.tb.Errorf("%s: the tag %d is %v, want %v", file, tag, listed[tag], want)
		}
	}
	if got := r.get(repo(group) + "/" + arch + "/" + listed[1000010].(string) + "/" + strings.NewReplacer("~", "%7e").Replace(file)); got != body {
		r.tb.Errorf("%s is another package", file)
	}
	main := mainHeader(r.tb, body)
	for tag, got := range listed {
		if tag < 1000000 && fmt.Sprint(got) != fmt.Sprint(main[tag]) {
			r.tb.Errorf("%s: the tag %d is %v, want %v", file, tag, got, main[tag])
		}
	}
}

// mainHeader reads the header of a package, of its tags those that lists have.
func mainHeader(tb testing.TB, body string) map[int]any {
	tb.Helper()
	start := bytes.LastIndex([]byte(body), []byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0})
	raw := []byte(body)[start:]
	tags := map[int]any{}
	entries := int(raw[10])<<8 | int(raw[11])
	for i := range entries {
		e := raw[16+16*i:][:16]
		number := func(n int) int { return int(e[4*n])<<24 | int(e[4*n+1])<<16 | int(e[4*n+2])<<8 | int(e[4*n+3]) }
		data := raw[16+16*entries+number(2):]
		switch kind, count := number(1), number(3); kind {
		case 4:
			var numbers []int32
			for j := range count {
				numbers = append(numbers, int32(data[4*j])<<24|int32(data[4*j+1])<<16|int32(data[4*j+2])<<8|int32(data[4*j+3]))
			}
			tags[number(0)] = numbers
		case 6, 9:
			text, _, _ := bytes.Cut(data, []byte{0})
			tags[number(0)] = string(text)
		case 8:
			var texts []string
			for range count {
				text, rest, _ := bytes.Cut(data, []byte{0})
				texts, data = append(texts, string(text)), rest
			}
			tags[number(0)] = texts
		}
	}
	return tags
}
