package maven_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent/packagefile"
	"entrepot/registry"
)

// buildName is the name of a file of a build, but for its end.
func buildName(n int) string { return fmt.Sprintf("lib-1.1.0-20261120.0933%02d-%d", n, n) }

const snapshotFolder = "/com/acme/lib/1.1.0-SNAPSHOT"

func TestSnapshots(t *testing.T) {
	r := newRepository(t)
	for n := 1; n <= 2; n++ {
		r.put(201, snapshotFolder+"/"+buildName(n)+".jar", fmt.Sprint("jar ", n))
		r.put(201, snapshotFolder+"/"+buildName(n)+".pom", pom("lib", "1.1.0-SNAPSHOT", fmt.Sprintf("<name>build %d</name>", n)))
		if n == 1 {
			r.put(201, snapshotFolder+"/"+buildName(n)+"-sources.jar", "sources")
		}
		r.put(409, snapshotFolder+"/"+buildName(n)+".jar", "again")
		// The client's document is stale, as after a parallel deploy: it is
		// compared, and not served.
		body := fmt.Sprintf("<metadata><version>stale %d</version></metadata>", n)
		r.put(201, snapshotFolder+"/maven-metadata.xml", body)
		for algorithm, sum := range sums(body) {
			r.put(200, snapshotFolder+"/maven-metadata.xml."+algorithm, sum)
		}
		r.put(400, snapshotFolder+"/maven-metadata.xml.sha1", sums("other")["sha1"])
	}
	if body := r.get(200, snapshotFolder+"/maven-metadata.xml").Body; !strings.HasPrefix(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata modelVersion=\"1.1.0\">") || strings.Contains(body, "xsi") || strings.Contains(body, "></") {
		t.Errorf("document: %s", body)
	}
	d := r.document(snapshotFolder)
	if d.GroupID != "com.acme" || d.ArtifactID != "lib" || d.Version != "1.1.0-SNAPSHOT" || d.Timestamp != "20261120.093302" || d.Build != 2 || d.Updated != "20261120093302" {
		t.Errorf("document: %+v", d)
	}
	var files []string
	for _, f := range d.Files {
		files = append(files, f.Classifier+" "+f.Extension+" "+f.Value+" "+f.Updated)
	}
	want := []string{" jar 1.1.0-20261120.093302-2 20261120093302", " pom 1.1.0-20261120.093302-2 20261120093302", "sources jar 1.1.0-20261120.093301-1 20261120093301"}
	if !slices.Equal(files, want) {
		t.Errorf("files: %q", files)
	}
	if v := r.version("com.acme:lib", "1.1.0-SNAPSHOT"); v.Summary != "build 2" || !v.Prerelease {
		t.Errorf("version: %+v", v)
	}
	if a := r.document("/com/acme/lib"); !slices.Equal(a.Versions, []string{"1.1.0-SNAPSHOT"}) || a.Release != "" {
		t.Errorf("artifact: %+v", a)
	}
}

// sbt, Ivy and Gradle put a snapshot's file under the same name on each build.
func TestSharedSnapshotFile(t *testing.T) {
	r := newRepository(t)
	const file = snapshotFolder + "/lib-1.1.0-SNAPSHOT.jar"
	for _, body := range []string{"one", "two", "two"} {
		r.put(201, file, body)
		r.put(200, file+".sha1", sums(body)["sha1"])
		if res := r.get(200, file); res.Body != body || res.Header.Get("ETag") != `"`+sums(body)["sha1"]+`"` {
			t.Errorf("GET answered %q, %v", res.Body, res.Header)
		}
	}
	// The time is that of the bytes: Ivy looks at nothing else.
	ctx := access.SystemContext(t.Context())
	f := r.Registry().Client().PackageFile.Query().Where(packagefile.Name("lib-1.1.0-SNAPSHOT.jar")).OnlyX(ctx)
	at := time.Date(2026, 11, 20, 9, 33, 22, 0, time.UTC)
	f.Update().SetFragment([]byte(at.Format(time.RFC3339))).ExecX(ctx)
	if got := r.get(200, file).Header.Get("Last-Modified"); got != "Fri, 20 Nov 2026 09:33:22 GMT" {
		t.Errorf("Last-Modified: %s", got)
	}
	r.get(404, snapshotFolder+"/maven-metadata.xml")
	// A document of the client's is all there is to say then.
	const own = "<metadata><version>1.1.0-SNAPSHOT</version></metadata>"
	r.put(201, snapshotFolder+"/maven-metadata.xml", own)
	if got := r.get(200, snapshotFolder+"/maven-metadata.xml").Body; got != own {
		t.Errorf("document: %s", got)
	}
	r.document(snapshotFolder)
	// sbt names the files of its plugins otherwise than their folders.
	r.put(201, "/com/acme/sbt-x_2.12_1.0/0.1/sbt-x-0.1.jar", "plugin")
	r.get(200, "/com/acme/sbt-x_2.12_1.0/0.1/sbt-x-0.1.jar")
}

func TestClassifiersAreLearned(t *testing.T) {
	r := newRepository(t)
	r.put(201, snapshotFolder+"/"+buildName(1)+"-bin.my.ext", "x")
	split := func() string {
		f := r.document(snapshotFolder).Files[0]
		return f.Classifier + " " + f.Extension
	}
	if got := split(); got != "bin.my ext" {
		t.Errorf("guessed %q", got)
	}
	r.put(201, snapshotFolder+"/maven-metadata.xml", "<metadata><versioning><snapshotVersions><snapshotVersion>"+
		"<classifier>bin</classifier><extension>my.ext</extension><value>1.1.0-20261120.093301-1</value></snapshotVersion></snapshotVersions></versioning></metadata>")
	// Other documents do not make it forget.
	r.put(201, snapshotFolder+"/maven-metadata.xml", "<metadata/>")
	if got := split(); got != "bin my.ext" {
		t.Errorf("learned %q", got)
	}
}

// TestParallelSnapshots has many clients deploy builds of one snapshot at
// once, document and checksums of it included.
func TestParallelSnapshots(t *testing.T) {
	r := newRepository(t)
	const clients = 16
	var all sync.WaitGroup
	for n := 1; n <= clients; n++ {
		all.Go(func() {
			file, body := root+snapshotFolder+"/"+buildName(n)+".jar", fmt.Sprint(n)
			document := fmt.Sprintf("<metadata><version>%d</version></metadata>", n)
			for _, step := range []struct {
				status     int
				path, body string
			}{
				{201, file, body}, {200, file + ".sha1", sums(body)["sha1"]},
				{201, root + snapshotFolder + "/maven-metadata.xml", document},
				{200, root + snapshotFolder + "/maven-metadata.xml.sha1", sums(document)["sha1"]},
				{200, root + snapshotFolder + "/maven-metadata.xml.md5", sums(document)["md5"]},
				{200, root + "/com/acme/lib/maven-metadata.xml", "<metadata/>"},
			} {
				if res := r.Do(t, "wim", "PUT", step.path, step.body); res.StatusCode != step.status {
					t.Errorf("PUT %s: %d %s", step.path, res.StatusCode, res.Body)
				}
			}
		})
	}
	all.Wait()
	if d := r.document(snapshotFolder); d.Build != clients || len(d.Files) != 1 || !strings.HasSuffix(d.Files[0].Value, fmt.Sprint("-", clients)) {
		t.Errorf("document: %+v", d)
	}
}

func TestRetention(t *testing.T) {
	r := newRepository(t)
	deploy := func(n int) {
		r.put(201, snapshotFolder+"/"+buildName(n)+".jar", fmt.Sprint("jar ", n))
		r.put(201, snapshotFolder+"/"+buildName(n)+".pom", pom("lib", "1.1.0-SNAPSHOT"))
		r.put(201, snapshotFolder+"/maven-metadata.xml", "<metadata/>")
	}
	here := func(want ...int) {
		t.Helper()
		for n := 1; n <= 5; n++ {
			status := 404
			if slices.Contains(want, n) {
				status = 200
			}
			r.get(status, snapshotFolder+"/"+buildName(n)+".jar")
			r.get(status, snapshotFolder+"/"+buildName(n)+".pom.sha1")
		}
		last := slices.Max(want)
		if d := r.document(snapshotFolder); d.Build != last || d.Files[0].Value != fmt.Sprintf("1.1.0-20261120.0933%02d-%d", last, last) {
			t.Errorf("document: %+v", d)
		}
	}
	for n := 1; n <= 3; n++ {
		deploy(n)
	}
	r.put(201, "/com/acme/lib/1.0/lib-1.0.jar", "a release is for good")
	here(1, 2, 3)
	two := 2
	r.change(registry.OwnerChange{MavenKeepBuilds: &two})
	deploy(4)
	here(3, 4)

	// By age, which nothing but time brings about: the collector's work. The
	// newest build stays, however old it is.
	none, days := 0, 7
	r.change(registry.OwnerChange{MavenKeepBuilds: &none, MavenKeepDays: &days})
	ctx := access.SystemContext(t.Context())
	files := r.Registry().Client().PackageFile
	age := func(n, days int) {
		old := time.Now().Add(-time.Duration(days) * 24 * time.Hour)
		for _, f := range files.Query().Where(packagefile.NameHasPrefix(buildName(n))).AllX(ctx) {
			// The instant cannot be changed, only set.
			files.DeleteOne(f).ExecX(ctx)
			files.Create().SetVersionID(f.VersionID).SetBlobID(f.BlobID).SetName(f.Name).SetNormalizedName(f.NormalizedName).
				SetLead(f.Lead).SetCreatedAt(old).ExecX(ctx)
		}
	}
	age(3, 6)
	age(4, 10)
	if done, err := r.Registry().Collect(ctx); err != nil || done.Expired != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	here(3, 4)
	age(3, 8)
	if done, err := r.Registry().Collect(ctx); err != nil || done.Expired != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	here(4)
	r.get(200, "/com/acme/lib/1.0/lib-1.0.jar")
	if n := files.Query().CountX(ctx); n != 4 {
		t.Errorf("%d files are left", n)
	}
}

func TestPluginPrefixes(t *testing.T) {
	r := newRepository(t)
	const group = "/com/acme/plugins"
	for _, artifact := range []string{"zap-maven-plugin", "hello-maven-plugin"} {
		r.put(201, group+"/"+artifact+"/1.0/"+artifact+"-1.0.jar", artifact)
	}
	r.get(404, group+"/maven-metadata.xml")
	plugin := func(name, prefix, artifact string) string {
		return "<plugin><name>" + name + "</name><prefix>" + prefix + "</prefix><artifactId>" + artifact + "</artifactId></plugin>"
	}
	document := func(plugins string) string { return "<metadata><plugins>" + plugins + "</plugins></metadata>" }
	r.put(200, group+"/maven-metadata.xml", document(plugin("Zap", "zap", "zap-maven-plugin")+plugin("Elsewhere", "else", "else-maven-plugin")))
	r.put(200, group+"/maven-metadata.xml.sha1", sums("")["sha1"])
	r.put(200, group+"/maven-metadata.xml", document(plugin("Hello &amp; more", "hello", "hello-maven-plugin")))
	r.put(400, group+"/maven-metadata.xml", document(plugin("", "", "zap-maven-plugin")))
	prefixes := func(folder string) (all []string) {
		for _, p := range r.document(folder).Plugins {
			all = append(all, p.Prefix+" "+p.ArtifactID+" "+p.Name)
		}
		return all
	}
	want := []string{"hello hello-maven-plugin Hello & more", "zap zap-maven-plugin Zap"}
	if got := prefixes(group); !slices.Equal(got, want) {
		t.Errorf("plugins: %q", got)
	}
	res := r.get(200, group+"/maven-metadata.xml")
	r.Want(t, 304, "", "GET", root+group+"/maven-metadata.xml", "", "If-None-Match", res.Header.Get("ETag"))
	if res := r.Want(t, 200, "", "HEAD", root+group+"/maven-metadata.xml", ""); res.Header.Get("Content-Length") == "" {
		t.Error("HEAD tells no length")
	}
	// The path of a group can be that of an artifact as well.
	r.put(201, "/com/acme/plugins/1.0/plugins-1.0.jar", "x")
	d := r.document(group)
	if got := prefixes(group); !slices.Equal(got, want) || !slices.Equal(d.Versions, []string{"1.0"}) || d.GroupID != "com.acme" || d.ArtifactID != "plugins" {
		t.Errorf("both: %+v", d)
	}
	// A plugin that is hidden is not listed, and one that is deleted neither.
	ctx := access.SystemContext(t.Context())
	space, err := r.Registry().Enter(ctx, "acme", "maven", access.Administer)
	if err != nil {
		t.Fatal(err)
	}
	p, err := space.AnyPackage(ctx, "com.acme.plugins:zap-maven-plugin")
	if err != nil {
		t.Fatal(err)
	}
	if err := space.SetVisibility(ctx, p, access.Private); err != nil {
		t.Fatal(err)
	}
	if got := prefixes(group); !slices.Equal(got, want[:1]) {
		t.Errorf("with a hidden one: %q", got)
	}
	r.Want(t, 204, "wim", "DELETE", root+group+"/hello-maven-plugin/1.0", "")
	if got := prefixes(group); len(got) != 0 {
		t.Errorf("after the deletion: %q", got)
	}
}

func TestPOMDescribesTheVersion(t *testing.T) {
	r := newRepository(t)
	const folder = "/com/acme/lib/1.0"
	summary := func() string { return r.version("com.acme:lib", "1.0").Summary }
	r.put(201, folder+"/lib-1.0.jar", "jar")
	if got := summary(); got != "" {
		t.Errorf("before the POM: %q", got)
	}
	steps := []struct{ file, body, want string }{
		{"lib-1.0-other.pom", pom("lib", "1.0", "<name>other</name>"), "other"},
		{"lib-1.0-empty.pom", "<project/>", "other"},
		{"lib-1.0.pom", pom("lib", "${revision}", "<name>main</name>"), "main"},
		{"lib-1.0-late.pom", pom("lib", "1.0", "<name>late</name>"), "main"},
	}
	for _, s := range steps {
		r.put(201, folder+"/"+s.file, s.body)
		if got := summary(); got != s.want {
			t.Errorf("after %s: %q, want %q", s.file, got, s.want)
		}
	}
}

// Downloads are counted by POMs alone: each use of a version fetches it.
func TestDownloadsAreThoseOfPOMs(t *testing.T) {
	r := newRepository(t)
	const folder = "/com/acme/lib/1.0"
	r.put(201, folder+"/lib-1.0.jar", "jar")
	r.put(201, folder+"/lib-1.0.pom", pom("lib", "1.0"))
	for range 3 {
		r.get(200, folder+"/lib-1.0.jar")
		r.get(200, folder+"/lib-1.0.pom.sha1")
	}
	etag := r.get(200, folder+"/lib-1.0.pom").Header.Get("ETag")
	r.Want(t, 200, "", "HEAD", root+folder+"/lib-1.0.pom", "")
	r.Want(t, 304, "", "GET", root+folder+"/lib-1.0.pom", "", "If-None-Match", etag)
	if err := r.Registry().FlushDownloads(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := r.version("com.acme:lib", "1.0"); v.Downloads != 1 {
		t.Errorf("%d downloads", v.Downloads)
	}
}

func TestPrivateOwner(t *testing.T) {
	r := newRepository(t)
	r.put(201, "/com/acme/lib/1.0/lib-1.0.pom", pom("lib", "1.0"))
	r.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{"/com/acme/lib/1.0/lib-1.0.pom", "/com/acme/lib/maven-metadata.xml", "/com/acme/lib/maven-metadata.xml.sha1", "/com/acme/no/1/no-1.pom"} {
		res := r.Want(t, 401, "", "GET", root+path, "")
		if got := res.Header.Values("WWW-Authenticate"); len(got) != 1 || !strings.HasPrefix(got[0], `Basic realm="Entrepot"`) {
			t.Errorf("challenges %q", got)
		}
		r.Want(t, 404, "out", "GET", root+path, "")
	}
	token := r.Tokens["rea"]
	for _, header := range []string{"token " + token, "Bearer " + token} {
		r.Want(t, 200, "", "GET", root+"/com/acme/lib/1.0/lib-1.0.pom", "", "Authorization", header)
	}
	r.Want(t, 200, "rea", "GET", root+"/com/acme/lib/maven-metadata.xml", "")
}

// TestStatements counts what requests ask of the database: no more for many
// versions than for few, and reads write nothing.
func TestStatements(t *testing.T) {
	r := newRepository(t)
	count := func(status int, method, path, body string, headers ...string) (reads, writes int64) {
		t.Helper()
		r0, w0 := r.Registry().Database().Statements()
		r.Want(t, status, "wim", method, root+path, body, headers...)
		r1, w1 := r.Registry().Database().Statements()
		return r1 - r0, w1 - w0
	}
	var deploys [2][2]int64
	for round, n := range []int{3, 40} {
		for i := range n {
			path := fmt.Sprintf("/com/acme/lib/%d.%d/lib-%d.%d.jar", round+1, i, round+1, i)
			deploys[round][0], deploys[round][1] = count(201, "PUT", path, path)
			r.put(201, snapshotFolder+"/"+fmt.Sprintf("lib-1.1.0-20261120.09%d%d%02d-%d.jar", round, round, i, round*100+i), path)
		}
		etag := r.Want(t, 200, "wim", "GET", root+"/com/acme/lib/maven-metadata.xml", "").Header.Get("ETag")
		r.document(snapshotFolder)
		for _, tt := range []struct {
			name, path string
			headers    []string
			status     int
			most       int64
		}{
			{"artifact's document, warm", "/com/acme/lib/maven-metadata.xml", nil, 200, 5},
			{"artifact's document, 304", "/com/acme/lib/maven-metadata.xml", []string{"If-None-Match", etag}, 304, 5},
			{"artifact's checksum", "/com/acme/lib/maven-metadata.xml.sha1", nil, 200, 5},
			{"snapshot's document, warm", snapshotFolder + "/maven-metadata.xml", nil, 200, 4},
			{"file", "/com/acme/lib/1.1/lib-1.1.jar", nil, 200, 5},
			{"checksum", "/com/acme/lib/1.1/lib-1.1.jar.sha1", nil, 200, 5},
		} {
			reads, writes := count(tt.status, "GET", tt.path, "", tt.headers...)
			t.Logf("%d versions: %s: %d statements", n, tt.name, reads)
			if reads > tt.most || writes != 0 {
				t.Errorf("%d versions: %s: %d reads, %d writes; want at most %d and 0", n, tt.name, reads, writes, tt.most)
			}
		}
	}
	t.Logf("deploy: %v", deploys)
	if deploys[0] != deploys[1] {
		t.Errorf("a deploy takes %v statements after 3 versions, %v after 43", deploys[0], deploys[1])
	}
}
