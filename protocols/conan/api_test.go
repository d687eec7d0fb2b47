package conan_test

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageversion"
	"entrepot/registry"
	"entrepot/server/servertest"
)

const root = "/api/packages/acme/conan"

type object = servertest.Object

// remote is a server on which wim publishes recipes and binaries.
type remote struct {
	*servertest.Server
	tb testing.TB
}

func newRemote(tb testing.TB, opts ...servertest.Option) *remote {
	tb.Helper()
	return &remote{servertest.New(tb, opts...), tb}
}

// recipe is the path of a recipe in version 2; binary is that of a revision of
// one of its binaries.
func recipe(ref string) string { return root + "/v2/conans/" + ref }

func revision(ref, rrev string) string { return recipe(ref) + "/revisions/" + rrev }

func binary(ref, rrev, id, prev string) string {
	return revision(ref, rrev) + "/packages/" + id + "/revisions/" + prev
}

func (r *remote) put(status int, path, body string, headers ...string) servertest.Response {
	r.tb.Helper()
	return r.Want(r.tb, status, "wim", "PUT", path, body, headers...)
}

func (r *remote) get(status int, path string, headers ...string) servertest.Response {
	r.tb.Helper()
	return r.Want(r.tb, status, "", "GET", path, "", headers...)
}

// json reads a document as the client does, which compares the content type.
func (r *remote) json(path string) object {
	r.tb.Helper()
	res := r.get(200, path)
	if got := res.Header.Get("Content-Type"); got != "application/json" {
		r.tb.Errorf("%s is %q", path, got)
	}
	return servertest.Decode(r.tb, res.Body)
}

// publish uploads a recipe's revision, the manifest last.
func (r *remote) publish(ref, rrev string) {
	r.tb.Helper()
	r.put(201, revision(ref, rrev)+"/files/conanfile.py", conanfile)
	r.put(201, revision(ref, rrev)+"/files/conanmanifest.txt", "manifest of "+rrev)
}

// build uploads a binary.
func (r *remote) build(ref, rrev, id, prev, info string) {
	r.tb.Helper()
	at := binary(ref, rrev, id, prev) + "/files/"
	r.put(201, at+"conan_package.tgz", "archive "+prev)
	r.put(201, at+"conaninfo.txt", info)
	r.put(201, at+"conanmanifest.txt", "manifest of "+prev)
}

// listed are the revisions of a document, in its order.
func (r *remote) listed(path string) string {
	r.tb.Helper()
	var all []string
	for _, item := range r.json(path)["revisions"].([]any) {
		all = append(all, item.(object)["revision"].(string))
	}
	return strings.Join(all, " ")
}

func (r *remote) change(c registry.OwnerChange) {
	r.tb.Helper()
	if _, err := r.Registry().UpdateOwner(access.SystemContext(r.tb.Context()), "acme", c); err != nil {
		r.tb.Fatal(err)
	}
}

func (r *remote) version(version string) *ent.PackageVersion {
	r.tb.Helper()
	return r.Registry().Client().PackageVersion.Query().Where(packageversion.Version(version)).OnlyX(access.SystemContext(r.tb.Context()))
}

func sha1Of(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

const conanfile = `from conan import ConanFile

class Pkg(ConanFile):
    name = "pkg"
    version = "1.0"
    description = "Greets"
    license = "MIT", "Zlib"
    author = "Ann <ann@example.com>"
    url = "https://example.com/source"
    homepage = "https://example.com"
    topics = ("greeting", "text")
    package_type = "library"
    settings = "os", "arch"
    options = {"shared": [True, False], "level": ["ANY"]}
    requires = "zlib/1.3", "fmt/[>=10 <12]@team/stable"

    def build_requirements(self):
        self.tool_requires("cmake/3.30")
`

const conaninfo = "[settings]\narch=x86_64\nos=Linux\n[options]\nshared=True\n[requires]\nzlib/1.3.Z\n"

func TestUploadAndDownload(t *testing.T) {
	r := newRemote(t)
	const ref = "pkg/1.0/_/_"
	r.publish(ref, "r1")
	at := revision(ref, "r1") + "/files/"
	archive := strings.Repeat("x", 1000)
	r.put(201, at+"conan_sources.tgz", archive, "X-Checksum-Sha1", strings.ToUpper(sha1Of(archive)))
	r.put(201, at+"metadata/Logs/a b.txt", "log")
	r.build(ref, "r1", "p1", "v1", "")

	for path, want := range map[string][2]string{
		at + "conanfile.py": {conanfile, "text/plain"}, at + "conan_sources.tgz": {archive, "application/gzip"},
		at + "metadata/Logs/a%20b.txt": {"log", "text/plain"}, binary(ref, "r1", "p1", "v1") + "/files/conaninfo.txt": {"", "text/plain"},
	} {
		res := r.get(200, path)
		if res.Body != want[0] || res.Header.Get("Content-Type") != want[1] || res.Header.Get("Content-Encoding") != "" ||
			res.Header.Get("Accept-Ranges") != "bytes" || res.Header.Get("Content-Length") != fmt.Sprint(len(want[0])) {
			t.Errorf("%s: %d bytes, %v", path, len(res.Body), res.Header)
		}
		r.get(304, path, "If-None-Match", res.Header.Get("ETag"))
		r.Want(t, 200, "", "HEAD", path, "")
	}
	if res := r.get(206, at+"conanfile.py", "Range", "bytes=0-3"); res.Body != "from" || res.Header.Get("Content-Range") != fmt.Sprintf("bytes 0-3/%d", len(conanfile)) {
		t.Errorf("%q %v", res.Body, res.Header)
	}
	// Case tells files apart.
	r.get(404, at+"metadata/logs/a%20b.txt")
	r.get(404, recipe("Pkg/1.0/_/_")+"/latest")

	files := r.json(revision(ref, "r1") + "/files")["files"].(object)
	for _, name := range []string{"conanfile.py", "conanmanifest.txt", "conan_sources.tgz", "metadata/Logs/a b.txt"} {
		if _, there := files[name]; !there || len(files) != 4 {
			t.Errorf("%s is missing among %v", name, files)
		}
	}
	if got := r.json(binary(ref, "r1", "p1", "v1") + "/files")["files"].(object); len(got) != 3 {
		t.Errorf("files of the binary: %v", got)
	}

	// Another form of an archive takes the place of the former.
	r.put(201, at+"conan_sources.txz", "xz")
	r.get(404, at+"conan_sources.tgz")
	r.put(201, at+"conan_sources.tzst", "zst")
	files = r.json(revision(ref, "r1") + "/files")["files"].(object)
	if _, there := files["conan_sources.tzst"]; !there || len(files) != 4 {
		t.Errorf("after other forms: %v", files)
	}
}

func TestRefusedUploads(t *testing.T) {
	r := newRemote(t)
	const ref = "pkg/1.0/_/_"
	r.publish(ref, "r1")
	at := revision(ref, "r1") + "/files/"
	long := strings.Repeat("a", 65)
	for _, tt := range []struct {
		name, path string
		status     int
		headers    []string
	}{
		{"unknown file", at + "other.txt", 400, nil},
		{"file of a package", at + "conaninfo.txt", 400, nil},
		{"archive of a package", at + "conan_package.tgz", 400, nil},
		{"other archive", at + "conan_export.zip", 400, nil},
		{"folder", at + "metadata/", 400, nil},
		{"leaves the folder", at + "metadata/%2e%2e/conanfile.py", 400, nil},
		{"empty segment", at + "metadata//x", 400, nil},
		{"backslash", at + "metadata/a%5Cb", 400, nil},
		{"long path", at + "metadata/" + strings.Repeat("a/", 300) + "a", 400, nil},
		{"wrong checksum", at + "conan_export.tgz", 400, []string{"X-Checksum-Sha1", sha1Of("other")}},
		{"asks whether the content is there", at + "conanfile.py", 404, []string{"X-Checksum-Deploy", "true", "X-Checksum-Sha1", sha1Of(conanfile)}},
		{"short name", revision("p/1.0/_/_", "r1") + "/files/conanfile.py", 400, nil},
		{"name", revision("p!g/1.0/_/_", "r1") + "/files/conanfile.py", 400, nil},
		{"version", revision("pkg/.1/_/_", "r1") + "/files/conanfile.py", 400, nil},
		{"user", revision("pkg/1.0/-u/_", "r1") + "/files/conanfile.py", 400, nil},
		{"channel without a user", revision("pkg/1.0/_/stable", "r1") + "/files/conanfile.py", 400, nil},
		{"long reference", revision(strings.Repeat("n", 101)+"/"+strings.Repeat("1", 101)+"/_/_", "r1") + "/files/conanfile.py", 400, nil},
		{"revision", revision(ref, long) + "/files/conanfile.py", 400, nil},
		{"package id", binary(ref, "r1", "p-1", "v1") + "/files/conaninfo.txt", 400, nil},
		{"recipe's file", binary(ref, "r1", "p1", "v1") + "/files/conanfile.py", 400, nil},
		{"recipe's revision is not there", binary(ref, "r2", "p1", "v1") + "/files/conaninfo.txt", 404, nil},
		{"recipe is not there", binary("other/1.0/_/_", "r1", "p1", "v1") + "/files/conaninfo.txt", 404, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := r.Want(t, tt.status, "wim", "PUT", tt.path, "new", tt.headers...)
			list, _ := servertest.Decode(t, res.Body)["errors"].([]any)
			if len(list) != 1 || fmt.Sprint(servertest.At(list[0], "status")) != fmt.Sprint(tt.status) || servertest.At(list[0], "message") == "" || res.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s", res.Body)
			}
		})
	}
	// Nothing of it is there.
	if got := r.get(200, at+"conanfile.py").Body; got != conanfile {
		t.Errorf("the recipe is now %q", got)
	}
	if n := r.Registry().Client().PackageFile.Query().CountX(access.SystemContext(t.Context())); n != 2 {
		t.Errorf("%d files", n)
	}
	if got := fmt.Sprint(r.json(root + "/v2/conans/search")["results"]); got != "[pkg/1.0]" {
		t.Errorf("references %s", got)
	}
}

func TestSizeLimit(t *testing.T) {
	r := newRemote(t)
	r.publish("pkg/1.0/_/_", "r1")
	limit := int64(len(conanfile) + len("manifest of r1") + 10)
	r.change(registry.OwnerChange{ConanReferenceSize: &limit})
	at := revision("pkg/1.0/_/_", "r1") + "/files/"
	r.put(201, at+"conan_export.tgz", "1234567890")
	r.put(413, at+"conan_export.tgz", "1234567890+")
	r.put(413, at+"conan_sources.tgz", "x")
	r.put(201, at+"conan_export.txz", "0987654321") // in place of the other
	// Other references have their own.
	r.put(201, revision("pkg/1.0/team/_", "r1")+"/files/conan_export.tgz", "1234567890")
	r.put(201, revision("pkg/1.1/_/_", "r1")+"/files/conan_export.tgz", "1234567890")
}

func TestImmutableRevisions(t *testing.T) {
	r := newRemote(t)
	r.publish("pkg/1.0/_/_", "r1")
	at := revision("pkg/1.0/_/_", "r1") + "/files/"
	r.put(201, at+"conan_export.tgz", "old")
	r.put(201, at+"metadata/a", "old")
	yes := true
	r.change(registry.OwnerChange{ConanImmutableRevisions: &yes})
	res := r.put(409, at+"conanfile.py", "new")
	if !strings.Contains(res.Body, "do not change") {
		t.Errorf("%s", res.Body)
	}
	r.put(409, at+"conan_export.txz", "new")
	r.put(201, at+"conanfile.py", conanfile)
	r.put(201, at+"metadata/a", "new")
	r.put(201, at+"conan_sources.tgz", "new")
	if got := r.get(200, at+"conan_export.tgz").Body; got != "old" {
		t.Errorf("%q", got)
	}
}

func TestTheRecipeDescribesTheVersion(t *testing.T) {
	r := newRemote(t)
	r.put(201, revision("pkg/1.0/_/_", "r1")+"/files/conan_export.tgz", "comes first")
	r.publish("pkg/1.0/_/_", "r1")
	v := r.version("1.0")
	if v.Summary != "Greets" || v.License != "MIT, Zlib" || v.Homepage != "https://example.com" || v.RepositoryURL != "https://example.com/source" ||
		fmt.Sprint(v.Keywords) != "[greeting text]" || fmt.Sprint(v.Authors) != "[Ann <ann@example.com>]" {
		t.Errorf("%+v", v)
	}
	if got, want := fmt.Sprint(v.Dependencies), "[{requires zlib 1.3 false} {requires fmt [>=10 <12]@team/stable false} {tool_requires cmake 3.30 false}]"; got != want {
		t.Errorf("dependencies %s, want %s", got, want)
	}
	r.put(201, revision("pkg/1.0/_/_", "r2")+"/files/conanfile.py", "class P(ConanFile):\n  description = 'Other'\n")
	if v := r.version("1.0"); v.Summary != "Other" || len(v.Dependencies) != 0 {
		t.Errorf("%+v", v)
	}
}
