package maven_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/registry"
	"entrepot/server/servertest"
)

const root = "/api/packages/acme/maven"

// repository is a running server with what tests of this type ask of it.
type repository struct {
	*servertest.Server
	tb testing.TB
}

func newRepository(tb testing.TB) *repository { return &repository{servertest.New(tb), tb} }

// put deploys a file as a writer.
func (r *repository) put(status int, path, body string) servertest.Response {
	r.tb.Helper()
	return r.Want(r.tb, status, "wim", "PUT", root+path, body)
}

// get reads as anybody.
func (r *repository) get(status int, path string) servertest.Response {
	r.tb.Helper()
	return r.Want(r.tb, status, "", "GET", root+path, "")
}

// change changes the owner's settings.
func (r *repository) change(c registry.OwnerChange) {
	r.tb.Helper()
	if _, err := r.Registry().UpdateOwner(access.SystemContext(r.tb.Context()), "acme", c); err != nil {
		r.tb.Fatal(err)
	}
}

// version reads a version's row.
func (r *repository) version(name, version string) *ent.PackageVersion {
	r.tb.Helper()
	v, err := r.Registry().Client().PackageVersion.Query().
		Where(packageversion.HasPackageWith(pkg.Name(name)), packageversion.Version(version)).
		Only(access.SystemContext(r.tb.Context()))
	if err != nil {
		r.tb.Fatal(err)
	}
	return v
}

// sums are the checksums of a text by the ends of their side files' names.
func sums(text string) map[string]string {
	b := []byte(text)
	return map[string]string{
		"md5": fmt.Sprintf("%x", md5.Sum(b)), "sha1": fmt.Sprintf("%x", sha1.Sum(b)),
		"sha256": fmt.Sprintf("%x", sha256.Sum256(b)), "sha512": fmt.Sprintf("%x", sha512.Sum512(b)),
	}
}

// document is a maven-metadata.xml as clients read it.
type document struct {
	XMLName    xml.Name `xml:"metadata"`
	GroupID    string   `xml:"groupId"`
	ArtifactID string   `xml:"artifactId"`
	Version    string   `xml:"version"`
	Latest     string   `xml:"versioning>latest"`
	Release    string   `xml:"versioning>release"`
	Versions   []string `xml:"versioning>versions>version"`
	Updated    string   `xml:"versioning>lastUpdated"`
	Timestamp  string   `xml:"versioning>snapshot>timestamp"`
	Build      int      `xml:"versioning>snapshot>buildNumber"`
	Files      []struct {
		Classifier string `xml:"classifier"`
		Extension  string `xml:"extension"`
		Value      string `xml:"value"`
		Updated    string `xml:"updated"`
	} `xml:"versioning>snapshotVersions>snapshotVersion"`
	Plugins []struct {
		Name       string `xml:"name"`
		Prefix     string `xml:"prefix"`
		ArtifactID string `xml:"artifactId"`
	} `xml:"plugins>plugin"`
}

// document reads the maven-metadata.xml of a folder, and its checksums.
func (r *repository) document(folder string) document {
	r.tb.Helper()
	path := folder + "/maven-metadata.xml"
	res := r.get(200, path)
	if res.Header.Get("Content-Type") != "text/xml" || res.Header.Get("Cache-Control") != "no-cache" {
		r.tb.Errorf("%s: headers %v", path, res.Header)
	}
	for algorithm, sum := range sums(res.Body) {
		if got := r.get(200, path+"."+algorithm).Body; got != sum {
			r.tb.Errorf("%s.%s is %s, want %s", path, algorithm, got, sum)
		}
	}
	var d document
	if err := xml.Unmarshal([]byte(res.Body), &d); err != nil {
		r.tb.Fatalf("%s: %v in %s", path, err, res.Body)
	}
	return d
}

// pom is a small POM.
func pom(artifact, version string, more ...string) string {
	return "<?xml version=\"1.0\"?>\n<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>" +
		"<groupId>com.acme</groupId><artifactId>" + artifact + "</artifactId><version>" + version + "</version>" + strings.Join(more, "") + "</project>"
}
