package chef_test

import (
	"fmt"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/server"
	"entrepot/server/servertest"
)

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// versions are those a cookbook lists, as the ends of their URLs.
func (s *testServer) versions(name string) string {
	s.tb.Helper()
	var all []string
	for _, url := range list(s.get("", "/api/v1/cookbooks/"+name)["versions"]) {
		all = append(all, strings.TrimPrefix(fmt.Sprint(url), api+"/cookbooks/"+name+"/versions/"))
	}
	return strings.Join(all, " ")
}

// TestVersions orders versions by their numbers, and yanks one.
func TestVersions(t *testing.T) {
	s := newServer(t)
	for _, v := range []string{"1.10.0", "1.9.0", "1.2", "1.9.1"} {
		s.share("foo", v)
	}
	if got, want := s.versions("foo"), "1_10_0 1_9_1 1_9_0 1_2"; got != want {
		t.Errorf("versions = %s, want %s", got, want)
	}
	if d := s.get("", "/api/v1/cookbooks/foo/versions/latest"); d["version"] != "1.10.0" {
		t.Errorf("latest = %v, which came first and is the highest", d)
	}
	before := s.Want(t, 200, "", "GET", root+"/universe", "")
	s.Want(t, 304, "", "GET", root+"/universe", "", "If-None-Match", before.Header.Get("ETag"))
	s.yank("foo", "1.10.0")
	if got, want := s.versions("foo"), "1_9_1 1_9_0 1_2"; got != want {
		t.Errorf("versions = %s, want %s", got, want)
	}
	after := s.Want(t, 200, "", "GET", root+"/universe", "", "If-None-Match", before.Header.Get("ETag"))
	if strings.Contains(after.Body, "1.10.0") || !strings.Contains(after.Body, "1.9.1") {
		t.Errorf("universe = %s", after.Body)
	}
	if d := s.get("", "/api/v1/cookbooks/foo/versions/latest"); d["version"] != "1.9.1" {
		t.Errorf("latest = %v", d)
	}
	s.Want(t, 200, "", "GET", api+"/cookbooks/foo/versions/1_10_0/download", "")
	for _, path := range []string{"foo/versions/2.0.0", "foo/versions/2.0.0/download", "foo/versions/1-2", "foo/versions/1.2.3.4", "other", "other/versions/latest", "o.ther", "other/contingent"} {
		s.fails(404, "", "GET", "/api/v1/cookbooks/"+path, "")
		s.Want(t, 404, "", "HEAD", api+"/cookbooks/"+path, "")
	}
	gzipped := s.Want(t, 200, "", "GET", root+"/universe", "", "Accept-Encoding", "gzip")
	if gzipped.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("headers = %v", gzipped.Header)
	}
	// What was downloaded is counted.
	check(t, s.Registry().FlushDownloads(t.Context()))
	downloads := servertest.At(s.get("", "/api/v1/cookbooks/foo"), "metrics", "downloads")
	if servertest.At(downloads, "total") != 1.0 || servertest.At(downloads, "versions", "1.10.0") != 1.0 || servertest.At(downloads, "versions", "1.2") != 0.0 {
		t.Errorf("downloads = %v", downloads)
	}
}

// TestLists lists and searches cookbooks, a page at a time.
func TestLists(t *testing.T) {
	s := newServer(t)
	if got, want := servertest.Encode(t, s.get("", "/api/v1/cookbooks")), `{"items":[],"start":0,"total":0}`; got != want {
		t.Errorf("empty list = %s, want %s", got, want)
	}
	for i := range 12 {
		s.share(fmt.Sprintf("c%02d", 11-i), "1.0.0", fmt.Sprintf(`"description":"Number n%d","maintainer":"Cooks"`, i))
	}
	s.share("c03", "1.1.0", `"maintainer":"Ann"`)
	s.Want(t, 200, "", "GET", api+"/cookbooks/c05/versions/latest/download", "")
	check(t, s.Registry().FlushDownloads(t.Context()))
	for query, want := range map[string]string{
		"cookbooks":                                "0 12 c00 c01 c02 c03 c04 c05 c06 c07 c08 c09",
		"cookbooks?items=0":                        "0 12 c00 c01 c02 c03 c04 c05 c06 c07 c08 c09",
		"cookbooks?start=10&items=5":               "10 12 c10 c11",
		"cookbooks?start=12":                       "12 12",
		"cookbooks?items=2&order=most_followed":    "0 12 c00 c01",
		"cookbooks?items=2&order=recently_updated": "0 12 c03 c00",
		"cookbooks?items=2&order=recently_added":   "0 12 c00 c01",
		"cookbooks?items=2&order=most_downloaded":  "0 12 c05 c00",
		"cookbooks?items=1000&user=ACME":           "0 12 c00 c01 c02 c03 c04 c05 c06 c07 c08 c09 c10 c11",
		"cookbooks?user=ann":                       "0 0",
		"search?q=C05":                             "0 1 c05",
		"search?q=number+n7":                       "0 1 c04",
		"search?q=ann":                             "0 1 c03",
		"search?q=cooks&start=10":                  "10 11 c11",
		"search?q=none":                            "0 0",
	} {
		d := s.get("", "/api/v1/"+query)
		got := fmt.Sprint(d["start"], " ", d["total"])
		for _, item := range list(d["items"]) {
			name := fmt.Sprint(servertest.At(item, "cookbook_name"))
			if servertest.At(item, "cookbook") != api+"/cookbooks/"+name {
				t.Errorf("item = %v", item)
			}
			got += " " + name
		}
		if got != want {
			t.Errorf("%s = %s, want %s", query, got, want)
		}
	}
	item := list(s.get("", "/api/v1/search?q=c04")["items"])[0]
	if servertest.At(item, "cookbook_maintainer") != "Cooks" || servertest.At(item, "cookbook_description") != "Number n7" {
		t.Errorf("item = %v", item)
	}
	for _, query := range []string{"cookbooks?start=-1", "cookbooks?items=x", "search?start=x", "search?items=-1", "cookbooks?start=99999999999999999999"} {
		s.fails(400, "", "GET", "/api/v1/"+query, "")
	}
}

// TestDeprecate says what to use in a cookbook's place.
func TestDeprecate(t *testing.T) {
	s := newServer(t)
	s.share("foo", "1.0.0")
	const path = "/api/v1/cookbooks/foo/deprecate"
	for sent, want := range map[string]any{
		`{"replacement":"bar"}`: api + "/cookbooks/bar", `{"replacement":"https://example.com/cookbooks/bar"}`: "https://example.com/cookbooks/bar", ``: nil,
	} {
		s.Want(t, 200, "ann", "PUT", root+path, sent)
		if d := s.get("", "/api/v1/cookbooks/foo"); d["deprecated"] != true || d["replacement"] != want {
			t.Errorf("%s gives %v", sent, d)
		}
	}
	for _, sent := range []string{`{"replacement":"a b"}`, `{"replacement":"FOO"}`, `{"replacement":7}`, `x`} {
		s.fails(400, "ann", "PUT", path, sent)
	}
	s.fails(413, "ann", "PUT", path, strings.Repeat(" ", 64<<10+1))
	s.fails(404, "ann", "PUT", "/api/v1/cookbooks/bar/deprecate", "")
	s.fails(403, "rea", "PUT", path, "")
	s.fails(401, "", "PUT", path, "")
	s.Want(t, 200, "ann", "DELETE", root+path, "")
	if d := s.get("", "/api/v1/cookbooks/foo"); d["deprecated"] != false || d["replacement"] != nil {
		t.Errorf("cookbook = %v", d)
	}
}

// TestContingent finds what needs a cookbook.
func TestContingent(t *testing.T) {
	s := newServer(t)
	s.share("foo", "1.0.0")
	s.share("bar", "1.0.0", `"dependencies":{"Foo":"~> 1.0"}`)
	s.share("baz", "1.0.0", `"dependencies":{"foo":"1.0"}`)
	s.share("baz", "2.0.0")
	got := servertest.Encode(t, s.get("", "/api/v1/cookbooks/foo/contingent"))
	if want := servertest.Encode(t, servertest.Decode(t, `{"contingents":[{"dependencies":{"Foo":"~> 1.0"},"name":"bar","version":"1.0.0"}]}`)); got != want {
		t.Errorf("contingents = %s, want %s", got, want)
	}
	if got := servertest.Encode(t, s.get("", "/api/v1/cookbooks/bar/contingent")); got != `{"contingents":[]}` {
		t.Errorf("contingents = %s", got)
	}
}

// TestPrivate reads a private owner's cookbooks: by a token in the path, and
// with a credential for the first request alone.
func TestPrivate(t *testing.T) {
	s := newServer(t)
	s.share("foo", "1.0.0", `"dependencies":{"bar":""}`)
	s.Organization(t, "other", access.Private)
	s.SetVisibility(t, "acme", access.Private)
	documents := []string{"/universe", "/api/v1/universe", "/api/v1/cookbooks", "/api/v1/search?q=foo", "/api/v1/cookbooks/foo", "/api/v1/cookbooks/foo/versions/latest"}
	for _, path := range append(documents, "/api/v1/cookbooks/foo/versions/1.0.0/download", "/api/v1/cookbooks/foo/contingent") {
		s.fails(401, "", "GET", path, "")
		s.fails(404, "out", "GET", path, "")
		s.Want(t, 200, "", "GET", root+"/t/"+s.Tokens["rea"]+path, "")
		s.fails(404, "", "GET", "/t/"+s.Tokens["out"]+path, "")
		s.fails(401, "", "GET", "/t/ent-nothing"+path, "")
	}
	// All URLs are below the root by which the client came.
	for login, below := range map[string]string{"": root + "/t/" + s.Tokens["rea"], "rea": root} {
		for _, path := range documents {
			res := s.Want(t, 200, login, "GET", below+path, "")
			if res.Header.Get("Cache-Control") != "private, no-store" || res.Header.Get("ETag") != "" {
				t.Errorf("%s: headers = %v", path, res.Header)
			}
			urls := 0
			for text := range strings.SplitSeq(res.Body, `"`) {
				if !strings.HasPrefix(text, s.URL) {
					continue
				}
				urls++
				if login == "" && !strings.HasPrefix(text, s.URL+below+"/api/v1") {
					t.Errorf("%s has the URL %s", path, text)
				}
				if !strings.HasSuffix(text, "/api/v1") {
					s.Want(t, 200, "", "GET", text, "") // without a credential
				}
				if login == "" {
					continue
				}
				// A pass is for these cookbooks.
				s.Want(t, 401, "", "GET", strings.Replace(text, "/acme/", "/other/", 1), "")
			}
			if urls == 0 {
				t.Errorf("%s has no URL: %s", path, res.Body)
			}
		}
	}
	pass := strings.TrimSuffix(fmt.Sprint(s.get("rea", "/api/v1/cookbooks/foo")["latest_version"]), "/api/v1/cookbooks/foo/versions/1_0_0")
	for _, changed := range []string{pass + "x", strings.Replace(pass, "pass.", "pass.9", 1), strings.TrimRight(pass, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_")} {
		s.Want(t, 401, "", "GET", changed+"/universe", "")
	}
	ann := strings.TrimSuffix(fmt.Sprint(s.get("ann", "/api/v1/cookbooks/foo")["latest_version"]), "/versions/1_0_0")
	for _, token := range []string{ann, api[:len(root)] + "/t/" + s.Tokens["ann"] + "/api/v1/cookbooks/foo"} {
		s.Want(t, 401, "", "DELETE", token, "") // who reads by a URL does not write by it
	}
	// A hidden cookbook of a public owner is found by who may read it.
	s.SetVisibility(t, "acme", access.Public)
	res := s.Want(t, 200, "rea", "GET", root+"/universe", "")
	if strings.Contains(res.Body, "/t/") || res.Header.Get("ETag") == "" {
		t.Errorf("universe = %s", res.Body)
	}
	s.fails(401, "", "GET", "/t/ent-nothing/universe", "")
}

func TestSignInRequired(t *testing.T) {
	s := newServer(t, func(c *server.Config) { c.Auth.AnonymousRead = false })
	s.share("foo", "1.0.0")
	s.fails(401, "", "GET", "/universe", "")
	url := fmt.Sprint(s.get("out", "/api/v1/cookbooks/foo")["latest_version"])
	s.Want(t, 200, "", "GET", url, "")
}

// TestStatements counts the statements of requests to a cookbook with few
// versions and with many.
func TestStatements(t *testing.T) {
	s := newServer(t)
	s.share("few", "1.0.0")
	s.grow("many", 300)
	s.Want(t, 200, "", "GET", root+"/universe", "")
	for _, request := range []struct {
		path  string
		reads int64
	}{
		{"/universe", 4}, {"/api/v1/cookbooks/NAME", 9}, {"/api/v1/cookbooks/NAME/versions/1.0.0", 4},
		{"/api/v1/cookbooks/NAME/versions/1.0.0/download", 4}, {"/api/v1/cookbooks", 6},
	} {
		for _, name := range []string{"few", "many"} {
			reads, writes := s.Registry().Database().Statements()
			s.Want(t, 200, "", "GET", root+strings.ReplaceAll(request.path, "NAME", name), "")
			r, w := s.Registry().Database().Statements()
			if w != writes || r-reads > request.reads {
				t.Errorf("%s of %s: %d reads and %d writes, want at most %d and 0", request.path, name, r-reads, w-writes, request.reads)
			}
		}
	}
	counts := map[string][2]int64{}
	for _, name := range []string{"few", "many"} {
		archive := sent(cookbook(t, name, "9.0.0"))
		reads, writes := s.Registry().Database().Statements()
		s.Want(t, 201, "ann", "POST", api+"/cookbooks", archive, formHeaders...)
		r, w := s.Registry().Database().Statements()
		counts[name] = [2]int64{r - reads, w - writes}
	}
	if counts["few"] != counts["many"] {
		t.Errorf("statements of a publish: %v", counts)
	}
}
