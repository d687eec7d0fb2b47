package nuget_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry"
	"entrepot/server/servertest"
)

// space is the organization's packages as the user may see them.
func (s *testServer) space(login string) *registry.Space {
	s.tb.Helper()
	req, err := http.NewRequest("GET", s.URL, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Tokens[login])
	viewer, err := s.Auth().Identify(req)
	if err != nil {
		s.tb.Fatal(err)
	}
	space, err := s.Registry().Enter(access.NewContext(context.Background(), viewer), "acme", "nuget", access.Read)
	if err != nil {
		s.tb.Fatal(err)
	}
	return space
}

func TestServiceIndex(t *testing.T) {
	s := newServer(t)
	s.SetVisibility(t, "acme", access.Private)
	for _, headers := range [][]string{nil, {"Authorization", "Bearer ent-none"}, {"X-NuGet-ApiKey", "dummy"}} {
		res := s.Want(t, 200, "", "GET", "/api/packages/acme/nuget/index.json", "", headers...)
		index := servertest.Decode(t, res.Body)
		if index["version"] != "3.0.0" {
			t.Errorf("version = %v", index["version"])
		}
		found := map[string]string{}
		resources, _ := index["resources"].([]any)
		for _, r := range resources {
			found[fmt.Sprint(at(r, "@type"))] = fmt.Sprint(at(r, "@id"))
		}
		here := s.URL + root
		for kind, want := range map[string]string{
			"SearchQueryService": here + "/query", "SearchQueryService/3.0.0-beta": here + "/query", "SearchQueryService/3.0.0-rc": here + "/query",
			"SearchQueryService/3.5.0": here + "/query", "SearchAutocompleteService": here + "/autocomplete", "SearchAutocompleteService/3.5.0": here + "/autocomplete",
			"RegistrationsBaseUrl": here + "/registration", "RegistrationsBaseUrl/3.4.0": here + "/registration", "RegistrationsBaseUrl/3.6.0": here + "/registration",
			"PackageBaseAddress/3.0.0": here + "/package", "PackagePublish/2.0.0": here, "SymbolPackagePublish/4.9.0": here + "/symbolpackage",
			"LegacyGallery/2.0.0": here, "ReadmeUriTemplate/6.13.0": here + "/package/{lower_id}/{lower_version}/readme",
		} {
			if found[kind] != want {
				t.Errorf("%s = %q, want %q", kind, found[kind], want)
			}
		}
		if _, ok := found["PackageDetailsUriTemplate/5.1.0"]; ok {
			t.Error("pages without TLS are refused by clients")
		}
		s.Want(t, 304, "", "GET", root+"/index.json", "", "If-None-Match", res.Header.Get("ETag"))
	}
	for _, path := range []string{"", "/", "/$metadata"} {
		res := s.Want(t, 200, "", "GET", root+path, "")
		if res.Header.Get("Content-Type") != "application/xml" {
			t.Errorf("%q is of type %q", path, res.Header.Get("Content-Type"))
		}
	}
	for _, path := range []string{"/index.json", "", "/$metadata"} {
		s.fails(404, "", "GET", "/api/packages/nobody/nuget"+path, "")
	}
	for _, path := range []string{"/query", "/autocomplete", "/registration/a/index.json", "/package/a/index.json", "/Packages()", "/symbols/a/b/a"} {
		s.fails(401, "", "GET", root+path, "")
		s.fails(404, "out", "GET", root+path, "")
	}
}

// A package with everything in it.
func everything(tb testing.TB) string {
	return pack(tb, entry{"icon.png", "\x89PNG\r\n\x1a\n"}, entry{"README.md", "# Read"}, entry{"Acme.Lib.nuspec",
		strings.Replace(nuspec("Acme.Lib", "1.2.0+abc", `<title>The "Lib"</title><summary>Short</summary><tags>one, two;three</tags><language>en</language>`,
			`<releaseNotes>New</releaseNotes><copyright>(c)</copyright><projectUrl>https://example.com/a?b&amp;c</projectUrl><icon>icon.png</icon><readme>README.md</readme>`,
			`<license type="expression">MIT</license><requireLicenseAcceptance>true</requireLicenseAcceptance><repository type="git" url="https://example.com/r.git" commit="c0ffee"/>`,
			`<packageTypes><packageType name="Dependency"/><packageType name="DotnetTool"/></packageTypes>`,
			`<dependencies><group targetFramework="net8.0"><dependency id="Z.Last" version="[1.0,2.0)" exclude="Build"/><dependency id="A.First"/></group>`,
			`<group targetFramework=".NETStandard2.0"/><group><dependency id="Any" version="1.0"/></group></dependencies>`),
			"<metadata>", `<metadata minClientVersion="2.12">`, 1)})
}

func TestRegistration(t *testing.T) {
	s := newServer(t)
	s.push(everything(t))
	s.publish("Acme.Lib", "1.10-beta")
	s.publish("Acme.Lib", "1.9")
	here := s.URL + root
	res := s.Want(t, 200, "", "GET", root+"/registration/ACME.lib/index.json", "")
	if res.Header.Get("Content-Type") != "application/json; charset=utf-8" || res.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("headers = %v", res.Header)
	}
	index := servertest.Decode(t, res.Body)
	page := at(index, "items", 0)
	if index["@id"] != here+"/registration/acme.lib/index.json" || index["count"] != 1.0 || at(page, "count") != 3.0 ||
		at(page, "lower") != "1.2.0" || at(page, "upper") != "1.10.0-beta" || at(page, "parent") != index["@id"] ||
		at(page, "@id") != here+"/registration/acme.lib/page/1.2.0/1.10.0-beta.json" {
		t.Errorf("index = %.1000v", index)
	}
	leaf := at(page, "items", 0)
	e := at(leaf, "catalogEntry")
	for key, want := range map[string]any{
		"@id": here + "/registration/acme.lib/1.2.0.json", "id": "Acme.Lib", "version": "1.2.0+abc", "authors": "Ann, Wim", "description": "A package",
		"summary": "Short", "title": `The "Lib"`, "iconUrl": here + "/package/acme.lib/1.2.0/icon", "licenseExpression": "MIT",
		"projectUrl": "https://example.com/a?b&c", "readmeUrl": here + "/package/acme.lib/1.2.0/readme", "language": "en", "minClientVersion": "2.12",
		"requireLicenseAcceptance": true, "listed": true, "packageContent": here + "/package/acme.lib/1.2.0/acme.lib.1.2.0.nupkg",
	} {
		if got := at(e, key); got != want {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
	if got := words(at(e, "tags"), ""); got != "one two three" {
		t.Errorf("tags = %s", got)
	}
	groups := servertest.Encode(t, at(e, "dependencyGroups"))
	want := `[{"dependencies":[{"id":"Z.Last","range":"[1.0,2.0)","registration":"` + here + `/registration/z.last/index.json"},` +
		`{"id":"A.First","range":"(, )","registration":"` + here + `/registration/a.first/index.json"}],"targetFramework":"net8.0"},` +
		`{"dependencies":[],"targetFramework":".NETStandard2.0"},` +
		`{"dependencies":[{"id":"Any","range":"1.0","registration":"` + here + `/registration/any/index.json"}]}]`
	if groups != want {
		t.Errorf("groups = %s\nwant %s", groups, want)
	}
	if at(leaf, "@id") != at(e, "@id") || at(leaf, "packageContent") != at(e, "packageContent") || at(leaf, "registration") != index["@id"] {
		t.Errorf("leaf = %v", leaf)
	}
	for _, path := range []string{"/1.2.0.json", "/1.2.json", "/1.2.0", "/1.2.0+other.json"} {
		alone := s.object(root + "/registration/acme.lib" + path)
		if alone["catalogEntry"] != here+"/registration/acme.lib/1.2.0.json" || alone["version"] != "1.2.0+abc" || alone["listed"] != true ||
			alone["@id"] != alone["catalogEntry"] || alone["registration"] != index["@id"] || alone["packageContent"] != at(e, "packageContent") {
			t.Errorf("%s: %v", path, alone)
		}
	}
	again := s.Want(t, 200, "", "GET", root+"/registration/acme.lib/index.json", "")
	if again.Body != res.Body || again.Header.Get("ETag") != res.Header.Get("ETag") {
		t.Error("a document differs from one request to the next")
	}
	s.Want(t, 304, "", "GET", root+"/registration/acme.lib/index.json", "", "If-None-Match", res.Header.Get("ETag"))
	packed := s.Want(t, 200, "", "GET", root+"/registration/acme.lib/index.json", "", "Accept-Encoding", "gzip")
	if packed.Header.Get("Content-Encoding") != "gzip" || len(packed.Body) >= len(res.Body) {
		t.Errorf("packed: %d bytes of %d", len(packed.Body), len(res.Body))
	}
	for _, path := range []string{"/registration/other/index.json", "/registration/acme.lib/3.0.0.json", "/registration/acme.lib/x.json", "/registration/a%20b/index.json",
		"/registration/acme.lib/page/2.0.0/3.0.0.json", "/registration/acme.lib/page/x/y.json", "/registration/acme.lib/page/2.0.0/1.0.0.json"} {
		s.fails(404, "", "GET", root+path, "")
	}
}

func TestDeprecation(t *testing.T) {
	s := newServer(t)
	s.publish("Old", "1.0")
	s.publish("Old", "2.0")
	space := s.space("wim")
	ctx := access.NewContext(t.Context(), space.Viewer)
	p, err := space.Package(ctx, "old", access.Read)
	if err != nil {
		t.Fatal(err)
	}
	err = space.SetStatus(ctx, p, map[string]registry.Status{"1.0.0": {Deprecated: true, Reason: `Use "2.0"`}, "2.0.0": {Deprecated: true}})
	if err != nil {
		t.Fatal(err)
	}
	items := at(s.object(root+"/registration/old/index.json"), "items", 0, "items")
	if got := servertest.Encode(t, at(items, 0, "catalogEntry", "deprecation")); got != `{"message":"Use \"2.0\"","reasons":["Other"]}` {
		t.Errorf("deprecation = %s", got)
	}
	if got := servertest.Encode(t, at(items, 1, "catalogEntry", "deprecation")); got != `{"reasons":["Legacy"]}` {
		t.Errorf("deprecation = %s", got)
	}
	if got := s.object(root + "/query?q=old"); at(got, "data", 0, "version") != "2.0" {
		t.Errorf("search = %v", got)
	}
}

// grow brings a package to n versions, 0.0.0 to 0.0.(n-1).
func (s *testServer) grow(id string, n int) {
	s.tb.Helper()
	lower := strings.ToLower(id)
	s.publish(id, "0.0.0", `<dependencies><group targetFramework="net8.0"><dependency id="A" version="1.0"/><dependency id="B" version="[1.0,2.0)"/></group></dependencies>`)
	s.Grow(s.tb, id, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.0.%d", i)
		fragment = []byte(strings.ReplaceAll(string(like.Fragment), "0.0.0", version))
		return version, lower + "." + version + ".nupkg", fragment
	})
}

func TestPages(t *testing.T) {
	s := newServer(t)
	s.grow("Some", 128)
	if got := s.object(root + "/registration/some/index.json"); got["count"] != 1.0 || at(got, "items", 0, "items", 127, "catalogEntry", "version") != "0.0.127" {
		t.Errorf("128 versions: count %v", got["count"])
	}
	s.grow("Many", 200)
	index := s.object(root + "/registration/many/index.json")
	pages, _ := index["items"].([]any)
	if index["count"] != 4.0 || len(pages) != 4 {
		t.Fatalf("index = %v", index)
	}
	next := 0
	for _, page := range pages {
		if at(page, "items") != nil {
			t.Errorf("a page stands in the index: %.300v", page)
		}
		whole := s.object(strings.TrimPrefix(fmt.Sprint(at(page, "@id")), s.URL))
		items, _ := whole["items"].([]any)
		if at(whole, "lower") != at(page, "lower") || at(whole, "upper") != at(page, "upper") || at(whole, "count") != at(page, "count") ||
			float64(len(items)) != whole["count"] || at(whole, "parent") != index["@id"] || at(whole, "@id") != at(page, "@id") {
			t.Errorf("page = %.500v, index has %v", whole, page)
		}
		for _, item := range items {
			if want := fmt.Sprintf("0.0.%d", next); at(item, "catalogEntry", "version") != want {
				t.Errorf("version %v, want %s", at(item, "catalogEntry", "version"), want)
			}
			next++
		}
	}
	if next != 200 {
		t.Errorf("%d versions", next)
	}
	s.fails(404, "", "GET", root+"/registration/many/page/0.0.0/0.0.199.json", "")
}

func TestFlatContainer(t *testing.T) {
	s := newServer(t)
	for _, v := range []string{"1.10", "1.9.0.1", "1.9", "2.0-RC.1", "2.0-rc", "1.0.0+meta"} {
		s.publish("Acme", v)
	}
	if got := words(s.object(root + "/package/acme/index.json")["versions"], ""); got != "1.0.0 1.9.0 1.9.0.1 1.10.0 2.0.0-rc 2.0.0-rc.1" {
		t.Errorf("versions = %s", got)
	}
	s.fails(404, "", "GET", root+"/package/other/index.json", "")
	s.fails(404, "", "GET", root+"/package/acme/3.0.0/acme.3.0.0.nupkg", "")
	s.fails(404, "", "GET", root+"/package/acme/x/acme.x.nupkg", "")
}

func TestSearch(t *testing.T) {
	s := newServer(t)
	s.publish("Json", "1.0", "<tags>parser</tags>")
	s.publish("Json.More", "1.0", "<title>Something Curious</title>")
	s.publish("A.Json", "1.0")
	s.publish("Fresh", "1.0-beta", `<packageTypes><packageType name="DotnetTool"/></packageTypes>`)
	s.publish("Semantic", "1.0-beta.1")
	s.publish("Leaning", "1.0", `<dependencies><dependency id="X" version="1.0-a.b"/></dependencies>`)
	s.publish("Both", "1.0")
	s.publish("Both", "2.0-beta")
	s.publish("Both", "3.0+meta")
	for query, want := range map[string]string{
		"":                         "A.Json Both Json Json.More",
		"q=json":                   "Json Json.More A.Json",
		"q=JSON.MORE":              "Json.More",
		"q=curious":                "Json.More",
		"q=parser":                 "Json",
		"q=json+package":           "Json Json.More A.Json",
		"q=json+parser":            "Json",
		"q=none":                   "",
		"q=%25":                    "",
		"q=a_json":                 "",
		"prerelease=true":          "A.Json Both Fresh Json Json.More",
		"semVerLevel=2.0.0":        "A.Json Both Json Json.More Leaning",
		"semVerLevel=1.0.0":        "A.Json Both Json Json.More",
		"packageType=dotnettool":   "",
		"take=2":                   "A.Json Both",
		"take=2&skip=2":            "Json Json.More",
		"skip=9":                   "",
		"take=0":                   "A.Json Both Json Json.More",
		"q=a&take=1&prerelease=no": "400",
		"take=x":                   "400",
		"skip=-1":                  "400",

		"prerelease=True&semVerLevel=2.0.0":                   "A.Json Both Fresh Json Json.More Leaning Semantic",
		"prerelease=true&packageType=DotnetTool":              "Fresh",
		"prerelease=true&packageType=Dependency&q=fresh":      "",
		"q=json&packageType=Dependency&prerelease=false&x=yz": "Json Json.More A.Json",
	} {
		if want == "400" {
			s.fails(400, "", "GET", root+"/query?"+query, "")
			continue
		}
		if got := words(s.object(root + "/query?" + query)["data"], "id"); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := s.object(root + "/query?take=1"); got["totalHits"] != 4.0 {
		t.Errorf("totalHits = %v", got["totalHits"])
	}
	for query, want := range map[string][2]string{
		"": {"1.0", "1.0"}, "&prerelease=true": {"2.0-beta", "1.0 2.0-beta"}, "&semVerLevel=2.0.0": {"3.0+meta", "1.0 3.0+meta"},
		"&semVerLevel=2.0.0&prerelease=true": {"3.0+meta", "1.0 2.0-beta 3.0+meta"},
	} {
		both := at(s.object(root+"/query?q=both"+query), "data", 0)
		if at(both, "version") != want[0] || words(at(both, "versions"), "version") != want[1] {
			t.Errorf("%s: %v, %s", query, at(both, "version"), words(at(both, "versions"), "version"))
		}
	}
}

func TestSearchResult(t *testing.T) {
	s := newServer(t)
	s.push(everything(t))
	s.Want(t, 200, "", "GET", root+"/package/acme.lib/1.2.0/acme.lib.1.2.0.nupkg", "")
	here := s.URL + root
	got := servertest.Encode(t, at(s.object(root+"/query?q=lib&semVerLevel=2.0.0"), "data", 0))
	for _, want := range []string{
		`"@id":"` + here + `/registration/acme.lib/index.json"`, `"@type":"Package"`, `"registration":"` + here + `/registration/acme.lib/index.json"`,
		`"id":"Acme.Lib"`, `"version":"1.2.0+abc"`, `"description":"A package"`, `"summary":"Short"`, `"title":"The \"Lib\""`,
		`"iconUrl":"` + here + `/package/acme.lib/1.2.0/icon"`, `"projectUrl":"https://example.com/a?b\u0026c"`, `"tags":["one","two","three"]`,
		`"authors":["Ann","Wim"]`, `"owners":["acme"]`, `"totalDownloads":0`, `"verified":false`, `"packageTypes":[{"name":"Dependency"},{"name":"DotnetTool"}]`,
		`"versions":[{"@id":"` + here + `/registration/acme.lib/1.2.0.json","downloads":0,"version":"1.2.0+abc"}]`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	s.publish("Bare", "1.0")
	if got := servertest.Encode(t, at(s.object(root+"/query?q=bare"), "data", 0)); !strings.Contains(got, `"tags":[]`) {
		t.Errorf("no tags in %s", got)
	}
}

func TestAutocomplete(t *testing.T) {
	s := newServer(t)
	for id, versions := range map[string][]string{"Json": {"1.0", "2.0-beta", "3.0-a.b"}, "Json.More": {"1.0"}, "Fresh": {"1.0-beta"}} {
		for _, v := range versions {
			s.publish(id, v)
		}
	}
	for query, want := range map[string]string{
		"": "Json Json.More", "q=JS": "Json Json.More", "q=more": "Json.More", "q=package": "", "prerelease=true": "Fresh Json Json.More", "q=j&take=1": "Json",
		"id=json": "1.0.0", "id=JSON&prerelease=true": "1.0.0 2.0.0-beta", "id=json&prerelease=true&semVerLevel=2.0.0": "1.0.0 2.0.0-beta 3.0.0-a.b", "id=none": "",
	} {
		if got := words(s.object(root + "/autocomplete?" + query)["data"], ""); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := s.object(root + "/autocomplete?q=j&take=1"); got["totalHits"] != 2.0 {
		t.Errorf("totalHits = %v", got["totalHits"])
	}
	s.fails(400, "", "GET", root+"/autocomplete?take=x", "")
}

// The statements a request takes do not grow with the versions there are.
func TestStatements(t *testing.T) {
	s := newServer(t)
	count := func(status int, method, path, body string, headers ...string) (reads, writes int64) {
		t.Helper()
		r0, w0 := s.Registry().Database().Statements()
		s.Want(t, status, "ann", method, root+path, body, headers...)
		r1, w1 := s.Registry().Database().Statements()
		return r1 - r0, w1 - w0
	}
	var publishes [2][2]int64
	for round, n := range []int{3, 150} {
		for i := range n {
			publishes[round][0], publishes[round][1] = count(201, "PUT", "", nupkg(t, "Many", fmt.Sprintf("%d.0.%d", round+1, i)))
		}
		for _, tt := range []struct {
			path string
			most int64
		}{
			{"/registration/many/index.json", 6}, {"/package/many/index.json", 6}, {"/registration/many/1.0.1.json", 6},
			{"/package/many/1.0.1/many.1.0.1.nupkg", 6}, {"/query?q=many", 12}, {"/autocomplete?id=many", 6}, {"/autocomplete?q=many", 8},
			{"/FindPackagesById()?id='many'", 10}, {"/Search()?searchTerm='many'", 10}, {"/Packages(Id='many',Version='1.0.1')", 10}, {"/Packages()/$count", 6},
		} {
			reads, writes := count(200, "GET", tt.path, "")
			t.Logf("%d versions: %s: %d statements", n, tt.path, reads)
			if reads > tt.most || writes != 0 {
				t.Errorf("%d versions: %s: %d reads, %d writes; want at most %d and 0", n, tt.path, reads, writes, tt.most)
			}
		}
		etag := s.Want(t, 200, "ann", "GET", root+"/registration/many/index.json", "").Header.Get("ETag")
		if reads, writes := count(304, "GET", "/registration/many/index.json", "", "If-None-Match", etag); reads > 4 || writes != 0 {
			t.Errorf("304: %d reads, %d writes", reads, writes)
		}
	}
	t.Logf("publish: %d reads, %d writes", publishes[1][0], publishes[1][1])
	if publishes[0] != publishes[1] {
		t.Errorf("a publish takes %v statements after 3 versions, %v after 153", publishes[0], publishes[1])
	}
}
