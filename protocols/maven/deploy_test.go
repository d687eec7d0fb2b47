package maven_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"entrepot/access"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/schema"
	"entrepot/registry"
	"entrepot/server"
	"entrepot/server/servertest"
)

// TestDeployRelease sends what `mvn deploy` sends, in its order.
func TestDeployRelease(t *testing.T) {
	r := newRepository(t)
	r.get(404, "/com/acme/lib/maven-metadata.xml")
	jar, description := "the jar", pom("lib", "1.0.0", "<description>A library</description>")
	for _, file := range []struct{ path, body string }{
		{"/com/acme/lib/1.0.0/lib-1.0.0.jar", jar}, {"/com/acme/lib/1.0.0/lib-1.0.0.pom", description},
	} {
		if res := r.put(201, file.path, file.body); res.Body != "" {
			t.Errorf("PUT %s answered %q", file.path, res.Body)
		}
		for algorithm, sum := range sums(file.body) {
			r.put(200, file.path+"."+algorithm, sum)
			if got := r.get(200, file.path+"."+algorithm); got.Body != sum || got.Header.Get("Content-Type") != "text/plain" {
				t.Errorf("GET %s.%s: %q, %v", file.path, algorithm, got.Body, got.Header)
			}
		}
	}
	r.put(200, "/com/acme/lib/maven-metadata.xml", "<metadata><groupId>com.acme</groupId></metadata>")
	r.put(200, "/com/acme/lib/maven-metadata.xml.sha1", "whatever it is")

	d := r.document("/com/acme/lib")
	if d.GroupID != "com.acme" || d.ArtifactID != "lib" || d.Latest != "1.0.0" || d.Release != "1.0.0" || !slices.Equal(d.Versions, []string{"1.0.0"}) || len(d.Updated) != 14 {
		t.Errorf("document: %+v", d)
	}
	res := r.get(200, "/com/acme/lib/1.0.0/lib-1.0.0.jar")
	want := sums(jar)
	for name, value := range map[string]string{
		"Content-Length": "7", "Content-Type": "application/java-archive", "Accept-Ranges": "bytes", "ETag": `"` + want["sha1"] + `"`,
		"X-Checksum-Md5": want["md5"], "X-Checksum-Sha1": want["sha1"], "X-Checksum-Sha256": want["sha256"], "X-Checksum-Sha512": want["sha512"],
	} {
		if got := res.Header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if res.Body != jar || !strings.HasSuffix(res.Header.Get("Last-Modified"), "GMT") {
		t.Errorf("GET answered %q, %v", res.Body, res.Header)
	}
	head := r.Want(t, 200, "", "HEAD", root+"/com/acme/lib/1.0.0/lib-1.0.0.jar", "")
	for name := range res.Header {
		if name != "Date" && name != "X-Request-Id" && head.Header.Get(name) != res.Header.Get(name) {
			t.Errorf("HEAD has %s = %q, GET %q", name, head.Header.Get(name), res.Header.Get(name))
		}
	}
	if v := r.version("com.acme:lib", "1.0.0"); v.Summary != "A library" {
		t.Errorf("summary %q", v.Summary)
	}
	r.Want(t, 206, "", "GET", root+"/com/acme/lib/1.0.0/lib-1.0.0.jar", "", "Range", "bytes=4-")
	r.Want(t, 304, "", "GET", root+"/com/acme/lib/1.0.0/lib-1.0.0.jar", "", "If-None-Match", res.Header.Get("ETag"))
	document := r.get(200, "/com/acme/lib/maven-metadata.xml")
	r.Want(t, 304, "", "GET", root+"/com/acme/lib/maven-metadata.xml", "", "If-None-Match", document.Header.Get("ETag"))
}

func TestRefusals(t *testing.T) {
	r := newRepository(t)
	const folder = "/com/acme/lib/1.0"
	r.put(201, folder+"/lib-1.0.jar", "jar")
	large := pom("lib", "1.0", "<!--"+strings.Repeat("x", 4<<20)+"-->")
	for _, tt := range []struct {
		name, login, method, path, body string
		status                          int
	}{
		{"a file again", "wim", "PUT", folder + "/lib-1.0.jar", "jar", 409},
		{"a file again with other bytes", "wim", "PUT", folder + "/lib-1.0.jar", "other", 409},
		{"a POM that is not XML", "wim", "PUT", folder + "/lib-1.0.pom", "no", 400},
		{"an empty POM", "wim", "PUT", folder + "/lib-1.0.pom", "", 400},
		{"a POM of another root", "wim", "PUT", folder + "/lib-1.0.pom", "<html></html>", 400},
		{"a POM with something behind it", "wim", "PUT", folder + "/lib-1.0.pom", pom("lib", "1.0") + "<more/>", 400},
		{"a POM cut off", "wim", "PUT", folder + "/lib-1.0.pom", "<project><name>", 400},
		{"a POM of an unknown encoding", "wim", "PUT", folder + "/lib-1.0.pom", `<?xml version="1.0" encoding="nothing"?><project/>`, 400},
		{"a POM too large", "wim", "PUT", folder + "/lib-1.0.pom", large, 413},
		{"a checksum that is wrong", "wim", "PUT", folder + "/lib-1.0.jar.sha1", sums("other")["sha1"], 400},
		{"a checksum that is none", "wim", "PUT", folder + "/lib-1.0.jar.sha1", "no checksum", 400},
		{"a checksum of nothing", "wim", "PUT", folder + "/lib-1.0-sources.jar.sha1", sums("")["sha1"], 404},
		{"a checksum in a package that is not there", "wim", "PUT", "/com/acme/no/1.0/no-1.0.jar.sha1", sums("")["sha1"], 404},
		{"a path without a version", "wim", "PUT", "/com/acme/lib.jar", "x", 400},
		{"an escaped slash", "wim", "PUT", "/com/acme/lib%2F1/lib-1.0/f", "x", 400},
		{"dots", "wim", "PUT", "/com/../lib/1.0/lib-1.0.jar", "x", 400},
		{"an empty segment", "wim", "PUT", "/com//lib/1.0/lib-1.0.jar", "x", 400},
		{"a colon", "wim", "PUT", "/com/a:b/lib/1.0/lib-1.0.jar", "x", 400},
		{"a control character", "wim", "PUT", "/com/acme/lib/1.0/lib%01.jar", "x", 400},
		{"an outer blank", "wim", "PUT", "/com/acme/lib/1.0%20/lib.jar", "x", 400},
		{"bytes that are not UTF-8", "wim", "PUT", "/com/acme/lib/1.0/lib%ff.jar", "x", 400},
		{"a name too long", "wim", "PUT", "/com/acme/lib/1.0/" + strings.Repeat("x", 256), "x", 400},
		{"a group too long", "wim", "PUT", strings.Repeat("/abcdefgh", 29) + "/lib/1.0/lib-1.0.jar", "x", 400},
		{"a signature of a document", "wim", "PUT", "/com/acme/lib/maven-metadata.xml.asc", "x", 400},
		{"a group's document that is not XML", "wim", "PUT", "/com/acme/maven-metadata.xml", "x", 400},
		{"a snapshot's document that is not XML", "wim", "PUT", "/com/acme/lib/1-SNAPSHOT/maven-metadata.xml", "x", 400},
		{"a checksum of a snapshot's document that is not there", "wim", "PUT", "/com/acme/lib/1-SNAPSHOT/maven-metadata.xml.sha1", sums("")["sha1"], 404},
		{"a reader", "rea", "PUT", folder + "/lib-1.0.txt", "x", 403},
		{"nobody", "", "PUT", folder + "/lib-1.0.txt", "x", 401},
		{"a file that is not there", "", "GET", folder + "/lib-1.0.war", "", 404},
		{"a checksum that is not there", "", "GET", folder + "/lib-1.0.war.md5", "", 404},
		{"a version's document", "", "GET", folder + "/maven-metadata.xml", "", 404},
		{"a folder", "", "GET", "/com/acme/lib/1.0/", "", 404},
		{"the root", "", "GET", "", "", 404},
		{"a bad path", "", "GET", "/com/../lib", "", 404},
		{"nothing to delete", "wim", "DELETE", folder + "/lib-1.0.war", "", 404},
		{"a checksum to delete", "wim", "DELETE", folder + "/lib-1.0.jar.sha1", "", 404},
		{"too short a path to delete", "wim", "DELETE", "/com/acme", "", 404},
		{"another method", "wim", "POST", folder + "/lib-1.0.war", "", 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := r.Want(t, tt.status, tt.login, tt.method, root+tt.path, tt.body)
			if text := strings.TrimSpace(res.Body); text == "" || strings.Contains(text, "\n") || strings.HasPrefix(text, "<") {
				t.Errorf("the answer is %q", res.Body)
			}
		})
	}
	// A release's document makes no package of the version's name.
	r.put(200, "/com/acme/lib/1.0/maven-metadata.xml", "<metadata/>")
	r.get(404, "/com/acme/lib/1.0/maven-metadata.xml")
	// Nothing of what was refused is there.
	ctx := access.SystemContext(t.Context())
	if n := r.Registry().Client().Pkg.Query().Where(pkg.Type("maven")).CountX(ctx); n != 1 {
		t.Errorf("%d packages", n)
	}
	if n := r.Registry().Client().PackageFile.Query().CountX(ctx); n != 1 {
		t.Errorf("%d files", n)
	}
}

func TestTooLarge(t *testing.T) {
	s := servertest.New(t, func(c *server.Config) { c.Limits.FileSize = 10 })
	s.Want(t, 413, "wim", "PUT", root+"/com/acme/lib/1.0/lib-1.0.jar", "more than ten bytes")
	s.Want(t, 404, "", "GET", root+"/com/acme/lib/maven-metadata.xml", "")
}

func TestChecksumForms(t *testing.T) {
	r := newRepository(t)
	const file = "/com/acme/lib/1.0/lib-1.0.jar"
	r.put(201, file, "jar")
	sum := sums("jar")["sha1"]
	for _, body := range []string{sum, sum + "\n", sum + "  lib-1.0.jar\n", strings.ToUpper(sum)} {
		r.put(200, file+".sha1", body)
	}
	// Signatures are files, with checksums of their own.
	r.put(201, file+".asc", "signature")
	r.put(200, file+".asc.md5", sums("signature")["md5"])
	// Projects attach checksums to their archives, and Maven sends checksums of them.
	r.put(200, file+".sha512.md5", sums("of a file with a line's end")["md5"])
	if got := r.get(200, file+".sha512.md5").Body; got != sums(sums("jar")["sha512"])["md5"] {
		t.Errorf("checksum of a checksum: %s", got)
	}
	r.put(404, "/com/acme/lib/1.0/other.zip.sha512.md5", sums("")["md5"])
	if v := r.version("com.acme:lib", "1.0"); v == nil {
		t.Error("no version")
	}
}

func TestOrderOfVersions(t *testing.T) {
	r := newRepository(t)
	for _, v := range []string{"2.0", "1.0", "10.0", "1.1-SNAPSHOT"} {
		r.put(201, "/com/acme/lib/"+v+"/lib-"+v+".jar", v)
	}
	d := r.document("/com/acme/lib")
	if want := []string{"2.0", "1.0", "10.0", "1.1-SNAPSHOT"}; !slices.Equal(d.Versions, want) || d.Latest != "1.1-SNAPSHOT" || d.Release != "10.0" {
		t.Errorf("document: %+v", d)
	}
	ctx := access.SystemContext(t.Context())
	latest := r.Registry().Client().Pkg.Query().Where(pkg.Name("com.acme:lib")).QueryLatest().OnlyX(ctx)
	if latest.Version != "10.0" {
		t.Errorf("the page shows %s", latest.Version)
	}
	var sorted []string
	for _, v := range r.Registry().Client().PackageVersion.Query().Order(packageversion.BySortKey()).AllX(ctx) {
		sorted = append(sorted, v.Version)
	}
	if want := []string{"1.0", "1.1-SNAPSHOT", "2.0", "10.0"}; !slices.Equal(sorted, want) {
		t.Errorf("sorted: %v", sorted)
	}
	r.put(201, "/com/acme/only/1-SNAPSHOT/only-1-SNAPSHOT.jar", "x")
	if body := r.get(200, "/com/acme/only/maven-metadata.xml").Body; strings.Contains(body, "release") {
		t.Errorf("a release where there is none: %s", body)
	}
}

func TestCaseAndColonsTellApart(t *testing.T) {
	r := newRepository(t)
	for i, path := range []string{"/com/acme/Lib/1.0/f", "/com/acme/lib/1.0/f", "/com/acme/lib/1.0/F", "/com/acme/lib/1.0-A/f", "/com/acme/lib/1.0-a/f", "/a-b/c/1/f", "/a/b-c/1/f", "/a+~$_/ü/1/f"} {
		r.put(201, path, fmt.Sprint(i))
	}
	for i, path := range []string{"/com/acme/Lib/1.0/f", "/com/acme/lib/1.0/f", "/com/acme/lib/1.0/F", "/com/acme/lib/1.0-A/f", "/com/acme/lib/1.0-a/f", "/a-b/c/1/f", "/a/b-c/1/f", "/a%2B~$_/%C3%BC/1/f"} {
		if got := r.get(200, path).Body; got != fmt.Sprint(i) {
			t.Errorf("%s is %q", path, got)
		}
	}
}

func TestDeleteByPath(t *testing.T) {
	r := newRepository(t)
	for _, path := range []string{"/com/acme/lib/1.0/lib-1.0.jar", "/com/acme/lib/1.0/lib-1.0.txt", "/com/acme/lib/2.0/lib-2.0.jar", "/com/acme/lib/2.0/lib-2.0.txt"} {
		r.put(201, path, path)
	}
	del := func(status int, path string) { t.Helper(); r.Want(t, status, "wim", "DELETE", root+path, "") }
	del(204, "/com/acme/lib/1.0/lib-1.0.txt")
	r.get(404, "/com/acme/lib/1.0/lib-1.0.txt")
	r.get(404, "/com/acme/lib/1.0/lib-1.0.txt.sha1")
	r.get(200, "/com/acme/lib/1.0/lib-1.0.jar")
	del(204, "/com/acme/lib/2.0")
	if d := r.document("/com/acme/lib"); !slices.Equal(d.Versions, []string{"1.0"}) {
		t.Errorf("document: %+v", d)
	}
	// A number that was removed can be deployed again.
	r.put(201, "/com/acme/lib/2.0/lib-2.0.jar", "new")
	del(204, "/com/acme/lib/2.0/lib-2.0.jar")
	del(204, "/com/acme/lib/1.0/lib-1.0.jar")
	r.get(404, "/com/acme/lib/maven-metadata.xml")
	del(404, "/com/acme/lib/1.0")

	// What clients said of a snapshot does not outlive its files.
	r.put(201, "/com/acme/lib/3-SNAPSHOT/lib-3-20261120.093322-1.jar", "x")
	r.put(201, "/com/acme/lib/3-SNAPSHOT/maven-metadata.xml", "<metadata/>")
	del(204, "/com/acme/lib/3-SNAPSHOT/lib-3-20261120.093322-1.jar")
	r.get(404, "/com/acme/lib/maven-metadata.xml")
}

func TestRedeployPolicy(t *testing.T) {
	r := newRepository(t)
	r.change(registry.OwnerChange{MavenRedeploy: &[]schema.OverwriteRule{
		{Pattern: "com.acme:frozen-*", Mode: "never"}, {Pattern: "com.acme:same", Mode: "identical"}, {Pattern: "com.acme:*", Mode: "always"},
	}})
	for _, tt := range []struct {
		path            string
		same, different int
	}{
		{"/com/acme/free/1.0/free-1.0.jar", 201, 201},
		{"/com/acme/same/1.0/same-1.0.jar", 201, 409},
		{"/com/acme/frozen-a/1.0/frozen-a-1.0.jar", 409, 409},
		{"/org/acme/free/1.0/free-1.0.jar", 409, 409},
	} {
		r.put(201, tt.path, "first")
		r.put(tt.same, tt.path, "first")
		r.put(tt.different, tt.path, "second")
		want := "first"
		if tt.different == 201 {
			want = "second"
		}
		if got := r.get(200, tt.path); got.Body != want || r.get(200, tt.path+".sha1").Body != sums(want)["sha1"] {
			t.Errorf("%s is %q", tt.path, got.Body)
		}
	}
}

func TestVersionPolicy(t *testing.T) {
	r := newRepository(t)
	releases, snapshots, both := schema.MavenReleases, schema.MavenSnapshots, ""
	for i, tt := range []struct {
		policy            *string
		release, snapshot int
	}{{&releases, 201, 403}, {&snapshots, 403, 201}, {&both, 201, 201}} {
		r.change(registry.OwnerChange{MavenVersions: tt.policy})
		r.put(tt.release, fmt.Sprintf("/com/acme/lib/%d/lib.jar", i), "x")
		r.put(tt.snapshot, fmt.Sprintf("/com/acme/lib/%d-SNAPSHOT/lib.jar", i), "x")
		r.put(tt.snapshot, fmt.Sprintf("/com/acme/lib/%d-SNAPSHOT/maven-metadata.xml", i), "<metadata/>")
	}
}

// TestParallelDeploy sends the files of one new version from many clients at
// once, as Maven 3.9 does from one.
func TestParallelDeploy(t *testing.T) {
	r := newRepository(t)
	const clients = 16
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			file := fmt.Sprintf("%s/com/acme/lib/1.0/lib-1.0-part%d.jar", root, i)
			body := fmt.Sprint("part ", i)
			if i == 0 {
				file, body = root+"/com/acme/lib/1.0/lib-1.0.pom", pom("lib", "1.0", "<description>all of it</description>")
			}
			for _, step := range []struct {
				status     int
				path, body string
			}{{201, file, body}, {200, file + ".sha1", sums(body)["sha1"]}, {200, file + ".md5", sums(body)["md5"]}} {
				if res := r.Do(t, "wim", "PUT", step.path, step.body); res.StatusCode != step.status {
					t.Errorf("PUT %s: %d %s", step.path, res.StatusCode, res.Body)
				}
			}
		})
	}
	all.Wait()
	if d := r.document("/com/acme/lib"); !slices.Equal(d.Versions, []string{"1.0"}) {
		t.Errorf("document: %+v", d)
	}
	v := r.version("com.acme:lib", "1.0") // fails unless there is exactly one
	ctx := access.SystemContext(t.Context())
	if n := v.QueryFiles().CountX(ctx); n != clients {
		t.Errorf("%d files, want %d", n, clients)
	}
	if v.Summary != "all of it" {
		t.Errorf("summary %q", v.Summary)
	}
}
