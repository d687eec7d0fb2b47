package rpm_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"entrepot/access"
	"entrepot/protocols/rpmtest"
	"entrepot/registry"
	"entrepot/server/servertest"
)

// root is where the packages of acme lie.
const root = "/api/packages/acme/rpm"

// repository is a server with a key that takes no time to make.
type repository struct {
	*servertest.Server
	tb testing.TB
}

func newRepository(tb testing.TB, opts ...servertest.Option) *repository {
	tb.Helper()
	r := &repository{servertest.New(tb, opts...), tb}
	r.Tokens["ann"] = r.Token(tb, "ann", access.AdminOwner, access.ReadPackage, access.WritePackage, access.DeletePackage)
	s, err := r.Registry().Enter(access.SystemContext(context.Background()), "acme", "rpm", access.Administer)
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
	return rpmtest.Package{
		Name: name, Version: version, Release: "1", Arch: arch, Summary: "a package for tests", Description: "It does nothing,\nand says so.",
		Files: map[string]string{"/usr/share/doc/" + name + "/readme": name + version + arch},
	}
}

// place is the path of a group.
func place(group string) string {
	if group == "" {
		return root
	}
	return root + "/" + group
}

// upload publishes a package to a group.
func (r *repository) upload(group string, p rpmtest.Package) string {
	r.tb.Helper()
	body := string(p.Bytes())
	r.Want(r.tb, 201, "ann", "PUT", place(group)+"/upload", body)
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
	problems, err := r.Registry().VerifyIndexes(context.Background(), "rpm", "")
	if err != nil {
		r.tb.Fatal(err)
	}
	for _, p := range problems {
		r.tb.Errorf("verify: %s", p)
	}
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// repomd is repomd.xml as clients read it.
type repomd struct {
	XMLName  xml.Name `xml:"http://linux.duke.edu/metadata/repo repomd"`
	Revision int64    `xml:"revision"`
	Data     []datum  `xml:"data"`
}

type datum struct {
	Type         string   `xml:"type,attr"`
	Checksum     checksum `xml:"checksum"`
	OpenChecksum checksum `xml:"open-checksum"`
	Location     struct {
		Href string `xml:"href,attr"`
	} `xml:"location"`
	Timestamp int64 `xml:"timestamp"`
	Size      int   `xml:"size"`
	OpenSize  int   `xml:"open-size"`
}

type checksum struct {
	Type string `xml:"type,attr"`
	Sum  string `xml:",chardata"`
}

// read reads the documents of a group as clients do: each by the name and with
// the digests that repomd.xml tells.
func (r *repository) read(group string) (repomd, map[string]string) {
	r.tb.Helper()
	var doc repomd
	unmarshal(r.tb, r.get(place(group)+"/repodata/repomd.xml"), &doc)
	documents := map[string]string{}
	for _, d := range doc.Data {
		packed := r.get(place(group) + "/" + d.Location.Href)
		plain := unpack(r.tb, packed)
		if d.Checksum != (checksum{"sha256", sum(packed)}) || d.OpenChecksum != (checksum{"sha256", sum(plain)}) || d.Size != len(packed) || d.OpenSize != len(plain) {
			r.tb.Errorf("%s is not what repomd.xml says: %+v", d.Type, d)
		}
		documents[d.Type] = plain
	}
	return doc, documents
}

func unmarshal(tb testing.TB, text string, v any) {
	tb.Helper()
	if err := xml.Unmarshal([]byte(text), v); err != nil {
		tb.Fatalf("%v in\n%s", err, text)
	}
}

func unpack(tb testing.TB, packed string) string {
	tb.Helper()
	z, err := gzip.NewReader(bytes.NewReader([]byte(packed)))
	if err != nil {
		tb.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return string(plain)
}

// listed are the packages in a group's primary document, as file names.
func (r *repository) listed(group string) string {
	r.tb.Helper()
	_, documents := r.read(group)
	var doc struct {
		Packages []struct {
			Location struct {
				Href string `xml:"href,attr"`
			} `xml:"location"`
		} `xml:"package"`
	}
	unmarshal(r.tb, documents["primary"], &doc)
	var names []string
	for _, p := range doc.Packages {
		names = append(names, p.Location.Href[strings.LastIndexByte(p.Location.Href, '/')+1:])
	}
	return strings.Join(names, " ")
}
