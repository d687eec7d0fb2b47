package helm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

const charts = root + "/api/charts"

func TestUploadAndDownload(t *testing.T) {
	r := newRepository(t)
	raw := chart(t, "raw", "1.0.0")
	r.Want(t, 201, "ann", "POST", charts, raw, "Content-Type", "application/x-www-form-urlencoded")
	inForm := chart(t, "form", "1.0.0")
	body, kind := form(t, file{"other", "x"}, file{"chart", inForm})
	r.Want(t, 201, "ann", "POST", charts, body, "Content-Type", kind)
	windows := archive(t, file{`win\Chart.yaml`, "\xef\xbb\xbf---\nname: win\nversion: 1.2\n"}, file{`win\charts\sub\Chart.yaml`, "name: sub\nversion: 1.0.0\n"})
	r.Want(t, 201, "ann", "POST", charts, windows)
	for name, want := range map[string]string{"raw-1.0.0.tgz": raw, "form-1.0.0.tgz": inForm, "charts/raw-1.0.0.tgz": raw, "win-1.2.tgz": windows} {
		got := r.Want(t, 200, "", "GET", root+"/"+name, "")
		h := got.Header
		if got.Body != want || h.Get("Content-Type") != "application/gzip" || h.Get("ETag") != `"`+sum(want)+`"` || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d bytes, %v", name, len(got.Body), h)
		}
		if head := r.Want(t, 200, "", "HEAD", root+"/"+name, ""); head.ContentLength != int64(len(want)) {
			t.Errorf("HEAD %s: %d bytes", name, head.ContentLength)
		}
		if part := r.Want(t, 206, "", "GET", root+"/"+name, "", "Range", "bytes=2-9"); part.Body != want[2:10] {
			t.Errorf("a range of %s is %q", name, part.Body)
		}
	}
	for _, path := range []string{"/RAW-1.0.0.tgz", "/raw-1.0.1.tgz", "/raw-1.0.0.tgz.prov", "/raw-1.0.0", "/nothing", "/win-1.2.0.tgz"} {
		if res := r.Want(t, 404, "", "GET", root+path, ""); strings.Count(res.Body, "\n") != 1 || strings.HasPrefix(res.Body, "{") {
			t.Errorf("%s: %q", path, res.Body)
		}
	}
	d := r.index()
	if v := d.Entries["win"]; len(v) != 1 || v[0].APIVersion != "v1" {
		t.Errorf("a chart without an apiVersion is listed as %+v", v)
	}
	r.wantSound()
}

func TestRefused(t *testing.T) {
	r := newRepository(t)
	with := func(chartYAML string) string { return archive(t, file{"app/Chart.yaml", chartYAML}) }
	many := make([]file, 10_001)
	for i := range many {
		many[i] = file{fmt.Sprintf("app/%d", i), ""}
	}
	good := chart(t, "app", "1.0.0")
	bomb := "x: &x [" + strings.Repeat("lolololol,", 1000) + "]\n"
	for i := range 6 {
		bomb += fmt.Sprintf("x%d: &x%d [%s]\n", i, i, strings.Repeat("*x"+strings.TrimPrefix(fmt.Sprint(i-1), "-1")+",", 10))
	}
	for name, tc := range map[string]struct{ body, want string }{
		"empty":                 {"", "empty"},
		"no gzip":               {"PK\x03\x04", "not compressed with gzip"},
		"no tar":                {gzipped(t, strings.Repeat("hello", 1000)), "cannot be read"},
		"cut off":               {good[:len(good)/2], "cannot be read"},
		"trailing garbage":      {good + "garbage", "does not end well"},
		"no Chart.yaml":         {archive(t, file{"app/values.yaml", "a: 1"}), "no Chart.yaml"},
		"a nested Chart.yaml":   {archive(t, file{"app/charts/x/Chart.yaml", chartYAML("x", "1.0.0")}), "no Chart.yaml"},
		"no folder":             {archive(t, file{"Chart.yaml", chartYAML("x", "1.0.0")}), "not in a folder"},
		"a file outside":        {archive(t, file{"app/../../x", "x"}, file{"app/Chart.yaml", chartYAML("x", "1.0.0")}), "leads out"},
		"an absolute path":      {archive(t, file{"/app/Chart.yaml", chartYAML("x", "1.0.0")}), "absolute"},
		"a Windows drive":       {archive(t, file{`app\C:\x`, "x"}), "absolute"},
		"a large file":          {archive(t, file{"app/big", strings.Repeat("x", 5<<20+1)}), "larger than"},
		"a large Chart.yaml":    {with(chartYAML("app", "1.0.0", "description: "+strings.Repeat("x", 1<<20))), "larger than"},
		"too many files":        {archive(t, many...), "more than 10000 files"},
		"an empty Chart.yaml":   {with(""), "empty"},
		"a null Chart.yaml":     {with("null\n"), "not a mapping"},
		"a list":                {with("- name: app\n"), "not a mapping"},
		"two documents":         {with(chartYAML("app", "1.0.0") + "---\nname: b\n"), "more than one document"},
		"no YAML":               {with("name: [\n"), "line 1"},
		"a wrong type":          {with(chartYAML("app", "1.0.0", "keywords: word")), "line 4: keywords"},
		"a nested wrong type":   {with(chartYAML("app", "1.0.0", "maintainers: [{name: [a]}]")), "line 4: maintainers"},
		"wrong import-values":   {with(chartYAML("app", "1.0.0", "dependencies: [{name: a, import-values: [[1]]}]")), "import-values"},
		"a bomb":                {with(bomb + chartYAML("app", "1.0.0")), "too large"},
		"a nested list":         {with(chartYAML("app", "1.0.0", "x: "+strings.Repeat("[", 200)+strings.Repeat("]", 200))), "nested deeper"},
		"another apiVersion":    {with("apiVersion: v3\nname: app\nversion: 1.0.0\n"), "apiVersion"},
		"another type":          {with(chartYAML("app", "1.0.0", "type: plugin")), "type"},
		"no name":               {with("version: 1.0.0\n"), "name"},
		"a path as name":        {with(chartYAML("a/b", "1.0.0")), "name"},
		"dots as name":          {with(chartYAML("..", "1.0.0")), "name"},
		"a long name":           {with(chartYAML(strings.Repeat("n", 251), "1.0.0")), "name"},
		"no version":            {with("name: app\n"), "version"},
		"no semantic version":   {with(chartYAML("app", "one")), "version"},
		"a long version":        {with(chartYAML("app", "1.0.0-"+strings.Repeat("a", 256))), "version"},
		"a nameless dependency": {with(chartYAML("app", "1.0.0", "dependencies: [{version: 1.0.0}]")), "dependency has no name"},
		"dependencies twice":    {with(chartYAML("app", "1.0.0", "dependencies: [{name: a}, {name: b, alias: a}]")), `"a"`},
		"a bad alias":           {with(chartYAML("app", "1.0.0", "dependencies: [{name: a, alias: a.b}]")), "alias"},
		"a long annotation":     {with(chartYAML("app", "1.0.0", "annotations: {"+strings.Repeat("k", 501)+": v}")), "annotation"},
		"bad requirements": {archive(t, file{"app/Chart.yaml", "name: app\nversion: 1.0.0\n"}, file{"app/requirements.yaml", "dependencies: x\n"}),
			"requirements.yaml"},
	} {
		res := r.Do(t, "ann", "POST", charts, tc.body)
		var answer struct{ Error string }
		if err := json.Unmarshal([]byte(res.Body), &answer); err != nil || res.StatusCode != 400 || !strings.Contains(answer.Error, tc.want) {
			t.Errorf("%s: %d %q, want 400 with %q", name, res.StatusCode, res.Body, tc.want)
		}
	}
	large := with(chartYAML("app", "1.0.0", "description: "+strings.Repeat("x", 600<<10)))
	r.Want(t, 413, "ann", "POST", charts, large)
	broken, kind := form(t, file{"chart", good})
	for name, body := range map[string]string{"neither": "--b--\r\n", "cut off": broken[:len(broken)-40]} {
		contentType := kind
		if name == "neither" {
			contentType = "multipart/form-data; boundary=b"
		}
		if res := r.Do(t, "ann", "POST", charts, body, "Content-Type", contentType); res.StatusCode != 400 {
			t.Errorf("a form, %s: %d %s", name, res.StatusCode, res.Body)
		}
	}
	if d := r.index(); len(d.Entries) != 0 {
		t.Errorf("after nothing but refusals the index has %v", d.Entries)
	}
}

// TestBomb sends a chart that unpacks to more than helm takes.
func TestBomb(t *testing.T) {
	r := newRepository(t)
	files := []file{{"app/Chart.yaml", chartYAML("app", "1.0.0")}}
	zeros := strings.Repeat("\x00", 5<<20)
	for i := range 21 {
		files = append(files, file{fmt.Sprintf("app/%d", i), zeros})
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write([]byte(tarOf(t, files...))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if res := r.Want(t, 400, "ann", "POST", charts, b.String()); !strings.Contains(res.Body, "unpacks to more") {
		t.Errorf("the refusal is %s", res.Body)
	}
}

func TestConflicts(t *testing.T) {
	r := newRepository(t)
	first := r.push("app", "1.0.0", "description: first")
	tag := r.Want(t, 200, "", "GET", root+"/index.yaml", "").Header.Get("ETag")
	r.Want(t, 201, "ann", "POST", charts, first)
	r.Want(t, 304, "", "GET", root+"/index.yaml", "", "If-None-Match", tag)

	second := chart(t, "app", "1.0.0", "description: second", "deprecated: true")
	if res := r.Want(t, 409, "ann", "POST", charts, second); res.Body != "{\"error\":\"app-1.0.0.tgz already exists\"}\n" {
		t.Errorf("the conflict is %q", res.Body)
	}
	if got := r.get("/app-1.0.0.tgz"); got != first {
		t.Error("a refused upload has changed the chart")
	}
	signer := newSigner(t)
	r.Want(t, 201, "ann", "POST", root+"/api/prov", sign(t, signer, "app", "1.0.0", sum(first)))
	r.Want(t, 201, "ann", "POST", charts+"?force", second)
	if got := r.get("/app-1.0.0.tgz"); got != second {
		t.Error("?force has not replaced the chart")
	}
	r.Want(t, 404, "", "GET", root+"/app-1.0.0.tgz.prov", "")
	v := r.index().Entries["app"]
	if len(v) != 1 || v[0].Description != "second" || v[0].Digest != sum(second) || !v[0].Deprecated {
		t.Errorf("a replaced chart is listed as %+v", v)
	}
	// Another spelling is the same version; build metadata is not.
	for _, force := range []string{"", "?force=1"} {
		r.Want(t, 409, "ann", "POST", charts+force, chart(t, "app", "v1.0.0"))
		r.Want(t, 409, "ann", "POST", charts+force, chart(t, "app", "1.0"))
	}
	r.push("app", "1.0.0+a")
	r.push("app", "1.0.0+b")
	// One file name of two charts.
	r.push("a", "1.0.0-b-2.0.0")
	if res := r.Want(t, 409, "ann", "POST", charts+"?force", chart(t, "a-1.0.0-b", "2.0.0")); !strings.Contains(res.Body, "chart a\"") {
		t.Errorf("the conflict is %q", res.Body)
	}
	r.push("App", "1.0.0")
	r.wantSound()
}

func TestRequirements(t *testing.T) {
	r := newRepository(t)
	r.Want(t, 201, "ann", "POST", charts, archive(t,
		file{"other/requirements.yaml", "dependencies: [{name: wrong}]\n"},
		file{"old/Chart.yaml", "apiVersion: v1\nname: other\nversion: 1.0.0\n"},
	))
	r.Want(t, 201, "ann", "POST", charts, archive(t,
		file{"old/requirements.yaml", "dependencies:\n- {name: lib, version: 1.0.0, repository: http://example.com}\n"},
		file{"old/Chart.yaml", "apiVersion: v1\nname: old\nversion: 1.0.0\n"},
	))
	r.Want(t, 201, "ann", "POST", charts, archive(t,
		file{"none/Chart.yaml", "apiVersion: v1\nname: none\nversion: 1.0.0\n"}, file{"none/requirements.yaml", "# nothing\n"}))
	r.Want(t, 201, "ann", "POST", charts, archive(t,
		file{"new/Chart.yaml", chartYAML("new", "1.0.0")}, file{"new/requirements.yaml", "dependencies: [{name: ignored}]\n"}))
	d := r.index()
	for name, want := range map[string]int{"old": 1, "other": 0, "none": 0, "new": 0} {
		if len(d.Entries[name]) != 1 || len(d.Entries[name][0].Dependencies) != want {
			t.Errorf("%s is listed as %+v", name, d.Entries[name])
		}
	}
}

func TestProvenance(t *testing.T) {
	r := newRepository(t)
	signer := newSigner(t)
	app := chart(t, "App", "1.0.0+b.1")
	good := sign(t, signer, "App", "1.0.0+b.1", sum(app))
	prov := root + "/api/prov"
	r.Want(t, 404, "ann", "POST", prov, good)
	body, kind := form(t, file{"prov", good}, file{"chart", app})
	r.Want(t, 201, "ann", "POST", charts, body, "Content-Type", kind)
	got := r.Want(t, 200, "", "GET", root+"/App-1.0.0%2Bb.1.tgz.prov", "")
	if got.Body != good || got.Header.Get("Content-Type") != "application/pgp-signature" {
		t.Errorf("the provenance file is %q of the type %s", got.Body, got.Header.Get("Content-Type"))
	}
	r.Want(t, 201, "ann", "POST", prov, good)
	other := sign(t, newSigner(t), "App", "1.0.0+b.1", sum(app))
	if res := r.Want(t, 409, "ann", "POST", prov, other); !strings.Contains(res.Body, "App-1.0.0+b.1.tgz.prov already exists") {
		t.Errorf("the conflict is %q", res.Body)
	}
	r.Want(t, 201, "ann", "POST", prov+"?force", other)
	body, kind = form(t, file{"prov", good})
	r.Want(t, 201, "ann", "POST", charts+"?force", body, "Content-Type", kind)
	for name, text := range map[string]string{
		"nothing": "", "no signature": "hello", "another chart's digest": sign(t, signer, "App", "1.0.0+b.1", sum("x")),
		"more behind it": good + "more", "another file": strings.Replace(good, "  App-1", "  app-1", 1),
		"no files": strings.Replace(good, "\n...\n", "\n", 1), "another name in it": strings.Replace(good, "name: App", "name: Other", 1),
	} {
		want := 400
		if name == "another name in it" {
			want = 404
		}
		if res := r.Do(t, "ann", "POST", prov, text); res.StatusCode != want || !strings.HasPrefix(res.Body, `{"error":"`) {
			t.Errorf("%s: %d %s, want %d", name, res.StatusCode, res.Body, want)
		}
	}
	r.Want(t, 413, "ann", "POST", prov, strings.Repeat("x", 1<<20+1))
	second := chart(t, "App", "2.0.0")
	body, kind = form(t, file{"chart", second}, file{"prov", good})
	r.Want(t, 400, "ann", "POST", charts, body, "Content-Type", kind)
	r.Want(t, 404, "", "GET", root+"/App-2.0.0.tgz", "")
	r.Want(t, 200, "ann", "DELETE", charts+"/App/1.0.0+b.1", "")
	r.Want(t, 404, "", "GET", root+"/App-1.0.0%2Bb.1.tgz.prov", "")
	r.wantSound()
}

func TestAPI(t *testing.T) {
	r := newRepository(t)
	for _, v := range []string{"1.0.0", "2.0.0-rc.1", "1.10.0", "1.9.0"} {
		r.push("app", v)
	}
	bytes := r.push("zeta", "1.0.0")
	for query, want := range map[string][]string{
		"": {"app", "zeta"}, "?limit=1": {"app"}, "?offset=1": {"zeta"}, "?offset=1&limit=5": {"zeta"}, "?offset=2": {}, "?limit=0": {},
	} {
		var all map[string][]version
		if err := json.Unmarshal([]byte(r.get("/api/charts"+query)), &all); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var names []string
		for name := range all {
			names = append(names, name)
		}
		if slices.Sort(names); !slices.Equal(names, want) {
			t.Errorf("%q lists %v, want %v", query, names, want)
		}
		if v := all["app"]; v != nil && (len(v) != 4 || v[0].Version != "2.0.0-rc.1" || v[0].URLs[0] != r.URL+root+"/app-2.0.0-rc.1.tgz") {
			t.Errorf("app is listed as %+v", v)
		}
	}
	for _, query := range []string{"?offset=-1", "?limit=x"} {
		r.Want(t, 400, "", "GET", charts+query, "")
	}
	var versions []version
	first := r.Want(t, 200, "", "GET", charts+"/app", "")
	if err := json.Unmarshal([]byte(first.Body), &versions); err != nil {
		t.Fatal(err)
	}
	if len(versions) != 4 || versions[1].Version != "1.10.0" || versions[3].Version != "1.0.0" {
		t.Errorf("the versions are %+v", versions)
	}
	r.Want(t, 304, "", "GET", charts+"/app", "", "If-None-Match", first.Header.Get("ETag"))
	for asked, want := range map[string]string{"latest": "1.10.0", "1.0.0": "1.0.0", "v1.9": "1.9.0"} {
		var v version
		if err := json.Unmarshal([]byte(r.get("/api/charts/app/"+asked)), &v); err != nil || v.Version != want || v.Created.IsZero() {
			t.Errorf("%s is %+v, %v", asked, v, err)
		}
	}
	var zeta version
	if err := json.Unmarshal([]byte(r.get("/api/charts/zeta/latest")), &zeta); err != nil || zeta.Digest != sum(bytes) {
		t.Errorf("zeta is %+v, %v", zeta, err)
	}
	if got := r.get("/api/charts/app/1.0.0/values"); !strings.Contains(got, "replicas: 1\n") {
		t.Errorf("the values are %q", got)
	}
	var templates []struct {
		Name string
		Data []byte
	}
	if err := json.Unmarshal([]byte(r.get("/api/charts/app/1.0.0/templates")), &templates); err != nil || len(templates) != 1 ||
		templates[0].Name != "templates/all.yaml" || string(templates[0].Data) != "kind: ConfigMap\n" {
		t.Errorf("the templates are %+v, %v", templates, err)
	}
	bare := archive(t, file{"bare/Chart.yaml", chartYAML("bare", "1.0.0")})
	r.Want(t, 201, "ann", "POST", charts, bare)
	r.Want(t, 404, "", "GET", charts+"/bare/1.0.0/values", "")
	if got := r.get("/api/charts/bare/1.0.0/templates"); got != "[]\n" {
		t.Errorf("no templates are %q", got)
	}
	for _, path := range []string{"/none", "/none/latest", "/app/9.9.9", "/app/what", "/app/9.9.9/values", "/app/9.9.9/templates"} {
		if res := r.Want(t, 404, "", "GET", charts+path, ""); !strings.HasPrefix(res.Body, `{"error":"`) {
			t.Errorf("%s: %q", path, res.Body)
		}
		r.Want(t, 404, "", "HEAD", charts+path, "")
	}
	if res := r.Want(t, 200, "ann", "DELETE", charts+"/app/1.10.0", ""); res.Body != "{\"deleted\":true}\n" {
		t.Errorf("a deletion answers %q", res.Body)
	}
	r.Want(t, 404, "ann", "DELETE", charts+"/app/1.10.0", "")
	if got := versionsOf(r.index(), "app"); !slices.Equal(got, []string{"2.0.0-rc.1", "1.9.0", "1.0.0"}) {
		t.Errorf("after a deletion: %v", got)
	}
	if got := r.Want(t, 200, "", "GET", root+"/health", "").Body; got != "{\"healthy\":true}\n" {
		t.Errorf("health: %q", got)
	}
	r.wantSound()
}
