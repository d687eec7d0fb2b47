package conan_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent/packagefile"
	"entrepot/registry"
	"entrepot/server/servertest"
)

func TestRevisionsAreThereWithTheirManifests(t *testing.T) {
	r := newRemote(t)
	const ref = "pkg/1.0/_/_"
	r.put(201, revision(ref, "r1")+"/files/conanfile.py", conanfile)
	for _, path := range []string{"/latest", "/revisions", "/search", "/revisions/r1/search"} {
		r.get(404, recipe(ref)+path)
	}
	r.get(200, revision(ref, "r1")+"/files/conanfile.py")
	if got := fmt.Sprint(r.json(root + "/v2/conans/search")["results"]); got != "[]" {
		t.Errorf("found %s", got)
	}
	r.put(201, revision(ref, "r1")+"/files/conanmanifest.txt", "m")
	if got := r.json(recipe(ref) + "/latest")["revision"]; got != "r1" {
		t.Errorf("latest is %v", got)
	}
	if got := r.get(200, recipe(ref)+"/search").Body; got != "{}\n" {
		t.Errorf("binaries: %s", got)
	}

	built := revision(ref, "r1") + "/packages/p1"
	r.put(201, binary(ref, "r1", "p1", "v1")+"/files/conaninfo.txt", conaninfo)
	for _, path := range []string{"/latest", "/revisions"} {
		r.get(404, built+path)
	}
	if got := r.get(200, recipe(ref)+"/search").Body; got != "{}\n" {
		t.Errorf("binaries: %s", got)
	}
	r.put(201, binary(ref, "r1", "p1", "v1")+"/files/conanmanifest.txt", "m")
	if got := r.listed(built + "/revisions"); got != "v1" {
		t.Errorf("revisions %s", got)
	}

	// What is not complete does not become the newest.
	r.put(201, revision(ref, "r2")+"/files/conanfile.py", "other")
	if got := r.listed(recipe(ref) + "/revisions"); got != "r1" {
		t.Errorf("revisions %s", got)
	}
}

func TestTheLastUploadIsTheLatest(t *testing.T) {
	r := newRemote(t)
	const ref = "pkg/1.0/_/_"
	// Names in no order; all within a moment.
	for _, rrev := range []string{"b", "c", "a"} {
		r.publish(ref, rrev)
	}
	if got := r.listed(recipe(ref) + "/revisions"); got != "a c b" {
		t.Errorf("revisions %s", got)
	}
	r.publish(ref, "b") // the same bytes, once more
	if got := r.listed(recipe(ref) + "/revisions"); got != "b a c" {
		t.Errorf("after an upload over the first: %s", got)
	}
	latest := r.json(recipe(ref) + "/latest")
	at, err := time.Parse("2006-01-02T15:04:05.000000-07:00", latest["time"].(string))
	if err != nil || !strings.HasSuffix(latest["time"].(string), "+00:00") || time.Since(at).Abs() > time.Minute || latest["revision"] != "b" {
		t.Errorf("latest %v, %v", latest, err)
	}
	for _, prev := range []string{"2", "3", "1", "2"} {
		r.build(ref, "b", "p1", prev, "")
	}
	if got := r.listed(revision(ref, "b") + "/packages/p1/revisions"); got != "2 1 3" {
		t.Errorf("revisions of the binary: %s", got)
	}
	if got := r.json(revision(ref, "b") + "/packages/p1/latest")["revision"]; got != "2" {
		t.Errorf("latest of the binary: %v", got)
	}
	// Each user and channel has recipes of its own.
	r.publish("pkg/1.0/team/_", "t")
	r.publish("pkg/1.0/team/stable", "s")
	for ref, want := range map[string]string{"pkg/1.0/team/_": "t", "pkg/1.0/team/stable": "s", "pkg/1.0/_/_": "b a c"} {
		if got := r.listed(recipe(ref) + "/revisions"); got != want {
			t.Errorf("%s has %s, want %s", ref, got, want)
		}
	}
	if n := r.Registry().Client().PackageVersion.Query().CountX(access.SystemContext(t.Context())); n != 1 {
		t.Errorf("%d versions", n)
	}
}

func TestSearchPackages(t *testing.T) {
	r := newRemote(t)
	const ref = "pkg/1.0/_/_"
	r.publish(ref, "r1")
	r.build(ref, "r1", "p1", "v1", "[settings]\nos=Old\n")
	r.build(ref, "r1", "p1", "v2", conaninfo)
	r.build(ref, "r1", "p2", "v1", "")
	one := "[settings]\n    os=Linux\n\n[full_requires]\n    zlib/1.3:abc\n[recipe_hash]\n    f00\n[env]\n    A=1\n[mine]\nx\n"
	r.build(ref, "r1", "p3", "v1", one)
	r.publish(ref, "r2")
	r.build(ref, "r2", "p4", "v1", conaninfo)

	all := r.json(revision(ref, "r1") + "/search")
	for id, want := range map[string]object{
		"p1": {"content": conaninfo, "settings": object{"arch": "x86_64", "os": "Linux"}, "options": object{"shared": "True"}, "requires": []any{"zlib/1.3.Z"}},
		"p2": {"content": ""},
		"p3": {"content": one, "settings": object{"os": "Linux"}, "full_requires": []any{"zlib/1.3:abc"}, "recipe_hash": "f00", "env": object{"A": "1"}},
	} {
		if got := fmt.Sprint(all[id]); got != fmt.Sprint(want) || len(all) != 3 {
			t.Errorf("%s: %s\nwant %v", id, got, want)
		}
	}
	if got, want := r.get(200, revision(ref, "r1")+"/search?list_only=True").Body, `{"p1":{"content":""},"p2":{"content":""},"p3":{"content":""}}`+"\n"; got != want {
		t.Errorf("ids: %s", got)
	}
	if got := r.json(recipe(ref) + "/search"); len(got) != 1 || got["p4"] == nil {
		t.Errorf("of the newest: %v", got)
	}
	if got := r.json(root + "/v1/conans/" + ref + "/search"); len(got) != 4 {
		t.Errorf("of all: %v", got)
	}
	r.get(404, revision(ref, "r3")+"/search")
	r.get(404, recipe("pkg/2.0/_/_")+"/search")
	r.get(404, recipe("other/1.0/_/_")+"/search")
}

func TestSearchRecipes(t *testing.T) {
	r := newRemote(t)
	for _, ref := range []string{"hello/0.1/_/_", "hello/0.1/team/_", "hello/1.0/team/stable", "Other/cci.2020/_/_"} {
		r.publish(ref, "r1")
		r.publish(ref, "r2")
	}
	const hello = "hello/0.1 hello/0.1@team hello/1.0@team/stable"
	for _, tt := range []struct{ query, want string }{
		{"", "Other/cci.2020 " + hello}, {"q=*", "Other/cci.2020 " + hello},
		{"q=hello", hello}, {"q=hello/", hello}, {"q=HELLO", hello}, {"q=HELLO&ignorecase=False", ""}, {"q=he[k-m]?o", hello},
		{"q=hell", ""}, {"q=hello/0.1", "hello/0.1 hello/0.1@team"}, {"q=hello/0.1@", "hello/0.1@team"}, {"q=*/*@team", "hello/0.1@team hello/1.0@team/stable"},
		{"q=*@team/st*", "hello/1.0@team/stable"}, {"q=other", "Other/cci.2020"}, {"q=%5B!h%5D*", "Other/cci.2020"}, {"q=nothing", ""},
	} {
		for _, api := range []string{"v1", "v2"} {
			var got []string
			for _, found := range r.json(root + "/" + api + "/conans/search?" + tt.query)["results"].([]any) {
				got = append(got, found.(string))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s %q: %q, want %q", api, tt.query, got, tt.want)
			}
		}
	}
	r.get(400, root+"/v2/conans/search?q="+strings.Repeat("*", 1001))
	// What is hidden is not found.
	ctx := access.SystemContext(t.Context())
	space, err := r.Registry().Enter(ctx, "acme", "conan", access.Administer)
	if err != nil {
		t.Fatal(err)
	}
	p, err := space.AnyPackage(ctx, "hello")
	if err != nil {
		t.Fatal(err)
	}
	if err := space.SetVisibility(ctx, p, access.Private); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.json(root + "/v2/conans/search")["results"]); got != "[Other/cci.2020]" {
		t.Errorf("found %s", got)
	}
	r.get(401, recipe("hello/0.1/_/_")+"/latest")
	r.Want(t, 404, "out", "GET", recipe("hello/0.1/_/_")+"/latest", "")
	r.Want(t, 200, "rea", "GET", recipe("hello/0.1/_/_")+"/latest", "")
}

func TestDelete(t *testing.T) {
	r := newRemote(t)
	const ref = "pkg/1.0/_/_"
	remove := func(status int, path string) {
		t.Helper()
		if res := r.Want(t, status, "wim", "DELETE", path, ""); status == 200 && res.Body != "" {
			t.Errorf("%q", res.Body)
		}
	}
	fill := func() {
		t.Helper()
		for _, rrev := range []string{"r1", "r10"} {
			r.publish(ref, rrev)
			for _, id := range []string{"p1", "p10"} {
				r.build(ref, rrev, id, "v1", conaninfo)
				r.build(ref, rrev, id, "v10", conaninfo)
			}
		}
		r.publish("pkg/1.0/team/_", "r1")
	}
	ids := func(rrev string) int { t.Helper(); return len(r.json(revision(ref, rrev) + "/search?list_only=True")) }
	fill()
	remove(200, binary(ref, "r1", "p1", "v1"))
	remove(404, binary(ref, "r1", "p1", "v1"))
	if got := r.listed(revision(ref, "r1") + "/packages/p1/revisions"); got != "v10" {
		t.Errorf("revisions %s", got)
	}
	remove(200, revision(ref, "r1")+"/packages/p1")
	if ids("r1") != 1 || ids("r10") != 2 {
		t.Errorf("binaries: %d, %d", ids("r1"), ids("r10"))
	}
	remove(200, revision(ref, "r1")+"/packages")
	remove(404, revision(ref, "r1")+"/packages")
	if ids("r1") != 0 || ids("r10") != 2 {
		t.Errorf("binaries: %d, %d", ids("r1"), ids("r10"))
	}
	remove(200, revision(ref, "r1"))
	remove(404, revision(ref, "r1"))
	if got := r.listed(recipe(ref) + "/revisions"); got != "r10" {
		t.Errorf("revisions %s", got)
	}
	remove(200, recipe(ref))
	remove(404, recipe(ref))
	r.get(404, recipe(ref)+"/latest")
	r.get(404, revision(ref, "r10")+"/files")
	r.get(200, recipe("pkg/1.0/team/_")+"/latest")
	// The last file takes version and package along.
	remove(200, recipe("pkg/1.0/team/_"))
	ctx := access.SystemContext(t.Context())
	client := r.Registry().Client()
	if client.Pkg.Query().CountX(ctx)+client.PackageVersion.Query().CountX(ctx)+client.PackageFile.Query().CountX(ctx)+client.Property.Query().CountX(ctx) != 0 {
		t.Error("something is left")
	}
	fill()
	if ids("r1") != 2 {
		t.Error("nothing came back")
	}
}

func TestRetention(t *testing.T) {
	r := newRemote(t)
	const ref = "pkg/1.0/_/_"
	two, one := 2, 1
	for _, rrev := range []string{"r1", "r2", "r3"} {
		r.publish(ref, rrev)
		r.build(ref, rrev, "p1", "v1", "")
	}
	r.publish("pkg/1.0/team/_", "t1")
	r.change(registry.OwnerChange{ConanKeepRecipes: &two, ConanKeepPackages: &one})
	r.publish(ref, "r1") // the oldest becomes the newest
	if got := r.listed(recipe(ref) + "/revisions"); got != "r1 r3" {
		t.Errorf("recipes: %s", got)
	}
	r.get(404, binary(ref, "r2", "p1", "v1")+"/files/conaninfo.txt")
	r.build(ref, "r3", "p1", "v2", "")
	if got := r.listed(revision(ref, "r3") + "/packages/p1/revisions"); got != "v2" {
		t.Errorf("binaries: %s", got)
	}
	if got := r.listed(revision(ref, "r1") + "/packages/p1/revisions"); got != "v1" {
		t.Errorf("binaries of another recipe: %s", got)
	}
	r.get(200, recipe("pkg/1.0/team/_")+"/latest")

	// What was never completed has a day.
	r.put(201, revision(ref, "r4")+"/files/conanfile.py", "x")
	r.put(201, binary(ref, "r1", "p2", "v1")+"/files/conaninfo.txt", "x")
	ctx := access.SystemContext(t.Context())
	if done, err := r.Registry().Collect(ctx); err != nil || done.Expired != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	files := r.Registry().Client().PackageFile
	for _, f := range files.Query().Where(packagefile.CompositeKeyIn("_/_/r4", "_/_/r1/p2/v1")).AllX(ctx) {
		files.DeleteOne(f).ExecX(ctx) // the instant cannot be changed, only set
		files.Create().SetVersionID(f.VersionID).SetBlobID(f.BlobID).SetName(f.Name).SetNormalizedName(f.NormalizedName).
			SetCompositeKey(f.CompositeKey).SetCreatedAt(time.Now().Add(-25 * time.Hour)).ExecX(ctx)
	}
	if done, err := r.Registry().Collect(ctx); err != nil || done.Expired != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	r.get(404, revision(ref, "r4")+"/files/conanfile.py")
	if got := r.listed(recipe(ref) + "/revisions"); got != "r1 r3" {
		t.Errorf("recipes: %s", got)
	}
}

// TestParallelUploads has many clients upload revisions of one recipe at once.
func TestParallelUploads(t *testing.T) {
	r := newRemote(t)
	const clients = 16
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() {
			const ref = "pkg/1.0/_/_"
			rrev := fmt.Sprint("r", n)
			at, built := revision(ref, rrev)+"/files/", binary(ref, rrev, "p1", "v1")+"/files/"
			for _, path := range []string{at + "conanfile.py", at + "conanmanifest.txt", built + "conan_package.tgz", built + "conaninfo.txt", built + "conanmanifest.txt"} {
				if res := r.Do(t, "wim", "PUT", path, path); res.StatusCode != 201 {
					t.Errorf("PUT %s: %d %s", path, res.StatusCode, res.Body)
				}
			}
			if got := r.json(revision(ref, rrev) + "/packages/p1/latest")["revision"]; got != "v1" {
				t.Errorf("%s: %v", rrev, got)
			}
		})
	}
	all.Wait()
	list := r.json(recipe("pkg/1.0/_/_") + "/revisions")["revisions"].([]any)
	seen := map[any]bool{}
	for _, item := range list {
		seen[servertest.At(item, "time")] = true
	}
	if len(list) != clients || len(seen) != clients {
		t.Errorf("%d revisions at %d instants", len(list), len(seen))
	}
}

// TestStatements counts what requests ask of the database: no more for many
// revisions and versions than for few, and reads write nothing.
func TestStatements(t *testing.T) {
	r := newRemote(t)
	count := func(status int, method, path, body string, headers ...string) [2]int64 {
		t.Helper()
		reads0, writes0 := r.Registry().Database().Statements()
		r.Want(t, status, "wim", method, path, body, headers...)
		reads1, writes1 := r.Registry().Database().Statements()
		return [2]int64{reads1 - reads0, writes1 - writes0}
	}
	const ref = "pkg/1.0/_/_"
	var uploads [2][3][2]int64
	var cold [2][5][2]int64
	for round, n := range []int{3, 40} {
		for i := range n {
			rrev := fmt.Sprintf("r%d%d", round, i)
			r.publish(ref, rrev)
			r.publish(fmt.Sprintf("pkg/1.%d%d/_/_", round+1, i), "r")
			r.build(ref, rrev, "p1", "v", conaninfo)
			r.build(ref, "r00", fmt.Sprintf("p%d%d", round, i), "v", conaninfo)
		}
		rrev := fmt.Sprint("last", round)
		at := revision(ref, rrev) + "/files/"
		uploads[round] = [3][2]int64{
			count(201, "PUT", at+"conanfile.py", rrev), count(201, "PUT", at+"conanmanifest.txt", rrev),
			count(201, "PUT", binary(ref, rrev, "p1", "v")+"/files/conanmanifest.txt", rrev+"b"),
		}
		paths := []string{recipe(ref) + "/latest", recipe(ref) + "/revisions", revision(ref, "r00") + "/search", revision(ref, "r00") + "/files", root + "/v2/conans/search"}
		for i, path := range paths {
			cold[round][i] = count(200, "GET", path, "")
			warm := count(200, "GET", path, "")
			if warm[0] > 5 || warm[1] != 0 || cold[round][i][1] != 0 {
				t.Errorf("%s: %v statements, %v the second time; want at most 5 and no writes", path, cold[round][i], warm)
			}
		}
		etag := r.get(200, recipe(ref)+"/latest").Header.Get("ETag")
		if got := count(304, "GET", recipe(ref)+"/latest", "", "If-None-Match", etag); got[0] > 5 || got[1] != 0 {
			t.Errorf("304: %v", got)
		}
	}
	t.Logf("uploads %v, documents %v", uploads, cold)
	if uploads[0] != uploads[1] {
		t.Errorf("uploads take %v statements among few, %v among many", uploads[0], uploads[1])
	}
	if cold[0] != cold[1] {
		t.Errorf("documents take %v statements of few, %v of many", cold[0], cold[1])
	}
}
