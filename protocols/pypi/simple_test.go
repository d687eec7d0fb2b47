package pypi_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/registry"
)

func TestNegotiation(t *testing.T) {
	s := newIndex(t)
	s.upload(201, newWheel(t, "some", "1.0"))
	for _, tt := range []struct {
		accept, query, want string // want "" for 406
	}{
		{"", "", "text/html; charset=utf-8"},
		{"*/*", "", "text/html; charset=utf-8"},
		{"text/html", "", "text/html; charset=utf-8"},
		{jsonType, "", jsonType},
		{"application/vnd.pypi.simple.latest+json", "", jsonType},
		{namedHTML, "", namedHTML},
		{"application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01", "", jsonType},
		{"application/vnd.pypi.simple.v1+json;q=0.2, text/html", "", "text/html; charset=utf-8"},
		{"application/vnd.pypi.simple.v1+json; q=0, */*;q=0.1", "", "text/html; charset=utf-8"},
		{"application/vnd.pypi.simple.v2+json, TEXT/HTML;q=0.5", "", "text/html; charset=utf-8"},
		{"application/json", "", ""},
		{"text/html;q=0", "", ""},
		{"text/html;q=nan", "", ""},
		{"application/vnd.pypi.simple.v9+json", "", ""},
		{"text/html", "?format=" + strings.ReplaceAll(jsonType, "+", "%2B"), jsonType},
		{jsonType, "?format=text/html", "text/html; charset=utf-8"},
		{jsonType, "?format=xml", ""},
		{jsonType, "?format=*/*", ""},
	} {
		for _, path := range []string{"/simple/", "/simple/some/"} {
			headers := []string{"Accept", tt.accept}
			if tt.accept == "" {
				headers = nil
			}
			res := s.Do(t, "", "GET", root+path+tt.query, "", headers...)
			if tt.want == "" {
				if res.StatusCode != 406 {
					t.Errorf("%s%s, Accept %q: status %d, want 406", path, tt.query, tt.accept, res.StatusCode)
				}
				continue
			}
			if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != tt.want {
				t.Errorf("%s%s, Accept %q: %d %q, want %q", path, tt.query, tt.accept, res.StatusCode, got, tt.want)
			}
			if vary := res.Header.Get("Vary"); !strings.Contains(vary, "Accept,") || !strings.Contains(vary, "Accept-Encoding") {
				t.Errorf("%s: Vary %q", path, vary)
			}
		}
	}
}

func TestHTML(t *testing.T) {
	s := newIndex(t)
	w := newWheel(t, "Some.Thing", "1!1.0+x", `Requires-Python: >=3.9,<4 "quoted"`)
	s.upload(201, w)
	p := s.project("some-thing")
	file := s.URL + root + "/files/some-thing/1%211.0+x/Some_Thing-1%211.0+x-py3-none-any.whl"
	if got := p.Files[0].URL; got != file {
		t.Errorf("url %q, want %q", got, file)
	}
	metadata := p.Files[0].CoreMetadata["sha256"]
	want := `<a href="` + file + fmt.Sprintf("#sha256=%x", sha256.Sum256(w.content)) +
		`" data-requires-python="&gt;=3.9,&lt;4 &#34;quoted&#34;" data-core-metadata="sha256=` + metadata +
		`" data-dist-info-metadata="sha256=` + metadata + `">Some_Thing-1!1.0+x-py3-none-any.whl</a>`
	body := s.Want(t, 200, "", "GET", root+"/simple/some-thing/", "").Body
	if !strings.Contains(body, want) {
		t.Errorf("page:\n%s\nwant\n%s", body, want)
	}
	if !strings.HasPrefix(body, "<!DOCTYPE html>") || !strings.Contains(body, `<meta name="pypi:repository-version" content="1.4">`) || strings.Count(body, "<a ") != 1 {
		t.Errorf("page:\n%s", body)
	}
	if res := s.Want(t, 200, "", "GET", file, ""); res.Body != string(w.content) {
		t.Error("the wheel is not what was uploaded")
	}
	list := s.Want(t, 200, "", "GET", root+"/simple/", "").Body
	if want := `<a href="` + s.URL + root + `/simple/some-thing/">some-thing</a>`; !strings.Contains(list, want) || strings.Count(list, "<a ") != 1 {
		t.Errorf("list:\n%s\nwant\n%s", list, want)
	}
}

func TestOrderOfFiles(t *testing.T) {
	s := newIndex(t)
	for _, version := range []string{"1.10", "1.9", "1.0rc1", "1.0", "1!0", "1.0.post1"} {
		s.upload(201, newSdist(t, "sorted", version))
		s.upload(201, newWheel(t, "sorted", version))
	}
	p := s.project("sorted")
	order := []string{"1.0rc1", "1.0", "1.0.post1", "1.9", "1.10", "1!0"}
	if !slices.Equal(p.Versions, order) {
		t.Errorf("versions %q", p.Versions)
	}
	var files []string
	for _, version := range order {
		files = append(files, "sorted-"+version+"-py3-none-any.whl", "sorted-"+version+".tar.gz")
	}
	if !slices.Equal(p.filenames(), files) {
		t.Errorf("files %q", p.filenames())
	}
	latest := s.Registry().Client().Pkg.Query().QueryLatest().OnlyX(access.SystemContext(t.Context()))
	if latest.Version != "1!0" {
		t.Errorf("latest is %s", latest.Version)
	}
}

func TestRedirects(t *testing.T) {
	s := newIndex(t)
	s.upload(201, newWheel(t, "my-pkg", "1.0"))
	for _, path := range []string{"/simple/my-pkg?a=b", "/simple/My_Pkg/?a=b", "/simple/my--pkg?a=b"} {
		for _, method := range []string{"GET", "HEAD"} {
			if got := s.Want(t, 301, "", method, root+path, "").Header.Get("Location"); got != s.URL+root+"/simple/my-pkg/?a=b" {
				t.Errorf("%s %s: Location %q", method, path, got)
			}
		}
	}
	for _, path := range []string{"/simple/nothing/", "/simple/Nothing", "/simple/-/", "/simple/a%2Fb/"} {
		s.Want(t, 404, "", "GET", root+path, "")
	}
	for path, allow := range map[string]string{"/simple/": "GET", "/simple/my-pkg/": "GET", "/": "POST"} {
		method := "POST"
		if allow == "POST" {
			method = "GET"
		}
		if got := s.Want(t, 405, "ann", method, root+path, "").Header.Values("Allow"); !slices.Contains(got, allow) {
			t.Errorf("%s: Allow %q", path, got)
		}
	}
}

func TestConditional(t *testing.T) {
	s := newIndex(t)
	s.upload(201, newWheel(t, "some", "1.0"))
	tags := map[string]bool{}
	for _, path := range []string{"/simple/", "/simple/some/"} {
		for _, accept := range []string{jsonType, "text/html"} {
			res := s.Want(t, 200, "", "GET", root+path, "", "Accept", accept)
			etag := res.Header.Get("ETag")
			if etag == "" || tags[etag] || res.Header.Get("Cache-Control") != "no-cache" {
				t.Errorf("%s %s: ETag %q, Cache-Control %q", path, accept, etag, res.Header.Get("Cache-Control"))
			}
			tags[etag] = true
			s.Want(t, 304, "", "GET", root+path, "", "Accept", accept, "If-None-Match", etag)
			if head := s.Want(t, 200, "", "HEAD", root+path, "", "Accept", accept); head.Header.Get("ETag") != etag || head.Body != "" || head.ContentLength != int64(len(res.Body)) {
				t.Errorf("HEAD %s: %v", path, head.Header)
			}
		}
	}
	s.upload(201, newWheel(t, "another", "1.0"))
	s.upload(201, newWheel(t, "some", "1.1"))
	for etag := range tags {
		for _, path := range []string{"/simple/", "/simple/some/"} {
			s.Want(t, 200, "", "GET", root+path, "", "Accept", jsonType, "If-None-Match", etag)
		}
	}
}

func TestFiles(t *testing.T) {
	s := newIndex(t)
	w := newWheel(t, "My.Pkg", "1.0", "Summary: one\r\nX: y")
	s.upload(201, w)
	s.upload(201, newSdist(t, "My.Pkg", "1.0"))
	const wheel = "/My_Pkg-1.0-py3-none-any.whl"
	for _, path := range []string{"/files/my-pkg/1.0", "/files/My_Pkg/v1.0.0", "/files/my-pkg/1"} {
		res := s.Want(t, 200, "", "GET", root+path+wheel, "")
		if res.Body != string(w.content) || res.Header.Get("ETag") != fmt.Sprintf(`"%x"`, sha256.Sum256(w.content)) ||
			res.Header.Get("Content-Type") != "application/octet-stream" || res.Header.Get("Accept-Ranges") != "bytes" ||
			!strings.Contains(res.Header.Get("Cache-Control"), "no-cache") || res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %v", path, res.Header)
		}
	}
	at := root + "/files/my-pkg/1.0" + wheel
	if res := s.Want(t, 206, "", "GET", at, "", "Range", "bytes=-10"); res.Body != string(w.content[len(w.content)-10:]) {
		t.Errorf("the last ten bytes are %q", res.Body)
	}
	s.Want(t, 304, "", "GET", at, "", "If-None-Match", fmt.Sprintf(`"%x"`, sha256.Sum256(w.content)))
	if res := s.Want(t, 200, "", "HEAD", at, ""); res.ContentLength != int64(len(w.content)) {
		t.Errorf("HEAD: length %d", res.ContentLength)
	}
	metadata := s.Want(t, 200, "", "GET", at+".metadata", "")
	if want := metadataOf("My.Pkg", "1.0", "Summary: one\r\nX: y"); metadata.Body != want || metadata.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("metadata %q, want %q", metadata.Body, want)
	}
	if got := s.project("my-pkg").Files[0].CoreMetadata["sha256"]; got != fmt.Sprintf("%x", sha256.Sum256([]byte(metadata.Body))) {
		t.Errorf("core-metadata %s is not that of what is served", got)
	}
	for _, path := range []string{
		"/files/my-pkg/1.1" + wheel, "/files/other/1.0" + wheel, "/files/my-pkg/1.0/x.whl", "/files/my-pkg/x" + wheel, "/files/-/1.0" + wheel,
		"/files/my-pkg/1.0/My_Pkg-1.0.tar.gz.metadata", "/files/my-pkg/1.0", "/nothing",
	} {
		s.Want(t, 404, "", "GET", root+path, "")
	}
}

func TestDelete(t *testing.T) {
	s := newIndex(t)
	s.upload(201, newWheel(t, "gone", "1.0").set("attestations", "[]"))
	s.upload(201, newSdist(t, "gone", "1.0"))
	s.upload(201, newWheel(t, "gone", "2.0"))
	file := func(name string) string { return root + "/files/gone/" + name }
	s.Want(t, 401, "", "DELETE", file("1.0/gone-1.0.tar.gz"), "")
	s.Want(t, 403, "rea", "DELETE", file("1.0/gone-1.0.tar.gz"), "")
	s.Want(t, 400, "ann", "DELETE", file("1.0/gone-1.0-py3-none-any.whl.metadata"), "")
	s.Want(t, 204, "ann", "DELETE", file("1.0/gone-1.0.tar.gz"), "")
	s.Want(t, 404, "ann", "DELETE", file("1.0/gone-1.0.tar.gz"), "")
	if p := s.project("gone"); !slices.Equal(p.Versions, []string{"1.0", "2.0"}) || len(p.Files) != 2 {
		t.Errorf("page = %+v", p)
	}
	s.Want(t, 204, "ann", "DELETE", file("1/gone-1.0-py3-none-any.whl"), "")
	s.Want(t, 404, "", "GET", file("1.0/gone-1.0-py3-none-any.whl.metadata"), "")
	if p := s.project("gone"); !slices.Equal(p.Versions, []string{"2.0"}) {
		t.Errorf("versions %q: the release has nothing left", p.Versions)
	}
	s.Want(t, 204, "ann", "DELETE", file("2.0/gone-2.0-py3-none-any.whl"), "")
	s.Want(t, 404, "", "GET", root+"/simple/gone/", "")
	s.upload(201, newWheel(t, "gone", "1.0", "Summary: again"))
}

func TestList(t *testing.T) {
	s := newIndex(t)
	s.upload(201, newWheel(t, "Bee", "1.0"))
	s.upload(201, newWheel(t, "a", "1.0"))
	s.upload(201, newWheel(t, "hidden", "1.0"))
	s.space().setVisibility("hidden", access.Private)
	for login, want := range map[string]string{"": "a bee", "out": "a bee", "rea": "a bee hidden"} {
		res := s.Want(t, 200, login, "GET", root+"/simple/", "", "Accept", jsonType)
		var list struct {
			Meta     map[string]string
			Projects []struct{ Name string }
		}
		if err := json.Unmarshal([]byte(res.Body), &list); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range list.Projects {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != want || list.Meta["api-version"] != "1.4" {
			t.Errorf("as %q: %q, want %q", login, got, want)
		}
	}
	// Hidden and missing look alike.
	for _, name := range []string{"hidden", "missing"} {
		s.Want(t, 401, "", "GET", root+"/simple/"+name+"/", "")
		s.Want(t, 404, "out", "GET", root+"/simple/"+name+"/", "")
	}
}

// owned is the organization's packages as ann may use them.
type owned struct {
	*index
	*registry.Space
}

func (s *index) space() owned {
	s.tb.Helper()
	ctx := access.SystemContext(s.tb.Context())
	user := s.Registry().Client().User.Query().AllX(ctx)
	viewer := access.Viewer{}
	for _, u := range user {
		if u.Login == "ann" {
			viewer = access.Viewer{Kind: access.User, UserID: u.ID, Login: u.Login}
		}
	}
	space, err := s.Registry().Enter(access.NewContext(s.tb.Context(), viewer), "acme", "pypi", access.Write)
	if err != nil {
		s.tb.Fatal(err)
	}
	return owned{s, space}
}

func (o owned) setVisibility(name string, vis access.Visibility) {
	o.tb.Helper()
	p, err := o.Package(o.tb.Context(), name, access.Manage)
	if err == nil {
		err = o.SetVisibility(o.tb.Context(), p, vis)
	}
	if err != nil {
		o.tb.Fatal(err)
	}
}

func (o owned) yank(name, version string, status registry.Status) {
	o.tb.Helper()
	p, err := o.Package(o.tb.Context(), name, access.Write)
	if err == nil {
		err = o.SetStatus(o.tb.Context(), p, map[string]registry.Status{version: status})
	}
	if err != nil {
		o.tb.Fatal(err)
	}
}

func TestYank(t *testing.T) {
	s := newIndex(t)
	s.upload(201, newWheel(t, "yanked", "1.0rc1"))
	s.upload(201, newWheel(t, "yanked", "1.0"))
	latest := func() string {
		return s.Registry().Client().Pkg.Query().QueryLatest().OnlyX(access.SystemContext(t.Context())).Version
	}
	for _, tt := range []struct {
		status registry.Status
		json   any
		html   string // "" for no attribute
		latest string
	}{
		{registry.Status{Yanked: true, Reason: `broken "badly"`}, `broken "badly"`, `data-yanked="broken &#34;badly&#34;"`, "1.0rc1"},
		{registry.Status{Yanked: true}, true, `data-yanked=""`, "1.0rc1"},
		{registry.Status{}, nil, "", "1.0"},
	} {
		s.space().yank("yanked", "1", tt.status)
		p := s.project("yanked")
		if got := p.Files[1].Yanked; got != tt.json || p.Files[0].Yanked != nil {
			t.Errorf("%+v: yanked is %v, want %v", tt.status, got, tt.json)
		}
		html := s.Want(t, 200, "", "GET", root+"/simple/yanked/", "").Body
		if strings.Contains(html, "data-yanked") != (tt.html != "") || !strings.Contains(html, tt.html) {
			t.Errorf("%+v: page\n%s", tt.status, html)
		}
		s.Want(t, 200, "", "GET", p.Files[1].URL, "")
		if got := latest(); got != tt.latest {
			t.Errorf("%+v: latest is %s, want %s", tt.status, got, tt.latest)
		}
	}
}

func TestProjectState(t *testing.T) {
	s := newIndex(t)
	s.upload(201, newWheel(t, "old", "1.0"))
	space := s.space()
	p, err := space.Package(t.Context(), "old", access.Write)
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		state  string
		files  int
		upload int
	}{{"archived", 1, 403}, {"quarantined", 0, 403}, {"deprecated", 1, 201}, {"", 2, 201}} {
		if err := space.SetState(t.Context(), p, registry.PackageState{State: tt.state, Reason: "a <reason>"}); err != nil {
			t.Fatal(err)
		}
		page := s.project("old")
		want := "active"
		if tt.state != "" {
			want = tt.state
		}
		if page.Status.Status != want || len(page.Files) != tt.files || (page.Status.Reason != "") != (tt.state != "") {
			t.Errorf("%s: page %+v", tt.state, page)
		}
		html := s.Want(t, 200, "", "GET", root+"/simple/old/", "").Body
		if has := strings.Contains(html, `<meta name="pypi:project-status" content="`+tt.state+`">`); has != (tt.state != "") {
			t.Errorf("%s: page\n%s", tt.state, html)
		}
		s.upload(tt.upload, newWheel(t, "old", fmt.Sprintf("1.%d", i+1)))
	}
	if err := space.SetState(t.Context(), p, registry.PackageState{State: "lost"}); registry.CodeOf(err) != registry.Invalid {
		t.Errorf("a state nobody knows: %v", err)
	}
}

// TestStatements counts what is asked of the database: no more for forty
// releases than for three.
func TestStatements(t *testing.T) {
	s := newIndex(t)
	count := func(status int, method, path, body string, headers ...string) (reads, writes int64) {
		t.Helper()
		r0, w0 := s.Registry().Database().Statements()
		s.Want(t, status, "ann", method, root+path, body, headers...)
		r1, w1 := s.Registry().Database().Statements()
		return r1 - r0, w1 - w0
	}
	var uploads [2][2]int64
	for round, n := range []int{3, 40} {
		for i := range n {
			body, contentType := newWheel(t, "many", fmt.Sprintf("%d.%d", round+1, i)).body(t)
			uploads[round][0], uploads[round][1] = count(201, http.MethodPost, "/", body, "Content-Type", contentType)
		}
		etag := s.Want(t, 200, "ann", "GET", root+"/simple/many/", "").Header.Get("ETag")
		for _, tt := range []struct {
			name, path string
			headers    []string
			status     int
			most       int64
		}{
			{"page, warm", "/simple/many/", nil, 200, 4},
			{"page, 304", "/simple/many/", []string{"If-None-Match", etag}, 304, 4},
			{"page, cold", "/simple/many/", []string{"Accept", jsonType}, 200, 10},
			{"list", "/simple/", nil, 200, 5},
			{"wheel", "/files/many/1.1/many-1.1-py3-none-any.whl", nil, 200, 6},
			{"metadata", "/files/many/1.1/many-1.1-py3-none-any.whl.metadata", nil, 200, 6},
		} {
			reads, writes := count(tt.status, "GET", tt.path, "", tt.headers...)
			t.Logf("%d releases: %s: %d statements", n, tt.name, reads)
			if reads > tt.most || writes != 0 {
				t.Errorf("%d releases: %s: %d reads, %d writes; want at most %d and 0", n, tt.name, reads, writes, tt.most)
			}
		}
	}
	t.Logf("upload: %d reads, %d writes", uploads[1][0], uploads[1][1])
	if uploads[0] != uploads[1] {
		t.Errorf("an upload takes %v statements after 3 releases, %v after 43", uploads[0], uploads[1])
	}
}
