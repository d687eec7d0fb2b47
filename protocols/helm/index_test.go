package helm_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	sigsyaml "sigs.k8s.io/yaml"

	"entrepot/access"
	"entrepot/server"
	"entrepot/server/servertest"
)

// document is an index.yaml as helm reads it: strictly, so that one member it
// does not know spoils the whole repository.
type document struct {
	ServerInfo  map[string]any       `json:"serverInfo"`
	APIVersion  string               `json:"apiVersion"`
	Generated   time.Time            `json:"generated"`
	Entries     map[string][]version `json:"entries"`
	PublicKeys  []string             `json:"publicKeys"`
	Annotations map[string]string    `json:"annotations"`
}

type version struct {
	Name        string   `json:"name"`
	Home        string   `json:"home"`
	Sources     []string `json:"sources"`
	Version     string   `json:"version"`
	Description string   `json:"description"`
	Keywords    []string `json:"keywords"`
	Maintainers []struct {
		Name  string `json:"name"`
		Email string `json:"email"`
		URL   string `json:"url"`
	} `json:"maintainers"`
	Icon         string            `json:"icon"`
	APIVersion   string            `json:"apiVersion"`
	Condition    string            `json:"condition"`
	Tags         string            `json:"tags"`
	AppVersion   string            `json:"appVersion"`
	Deprecated   bool              `json:"deprecated"`
	Annotations  map[string]string `json:"annotations"`
	KubeVersion  string            `json:"kubeVersion"`
	Dependencies []struct {
		Name         string   `json:"name"`
		Version      string   `json:"version"`
		Repository   string   `json:"repository"`
		Condition    string   `json:"condition"`
		Tags         []string `json:"tags"`
		Enabled      bool     `json:"enabled"`
		ImportValues []any    `json:"import-values"`
		Alias        string   `json:"alias"`
	} `json:"dependencies"`
	Type    string    `json:"type"`
	URLs    []string  `json:"urls"`
	Created time.Time `json:"created"`
	Digest  string    `json:"digest"`
}

func readIndex(tb testing.TB, text string) document {
	tb.Helper()
	var d document
	if err := sigsyaml.UnmarshalStrict([]byte(text), &d); err != nil {
		tb.Fatalf("the index cannot be read: %v\n%s", err, text)
	}
	if d.APIVersion != "v1" || d.Generated.IsZero() || d.Entries == nil {
		tb.Errorf("the index lacks something:\n%s", text)
	}
	return d
}

func (r *repository) index() document {
	r.tb.Helper()
	return readIndex(r.tb, r.get("/index.yaml"))
}

func versionsOf(d document, name string) (versions []string) {
	for _, v := range d.Entries[name] {
		versions = append(versions, v.Version)
	}
	return versions
}

func TestEmptyIndex(t *testing.T) {
	r := newRepository(t)
	first := r.Want(t, 200, "", "GET", root+"/index.yaml", "")
	d := readIndex(t, first.Body)
	if len(d.Entries) != 0 || first.Header.Get("Content-Type") != "application/yaml" {
		t.Errorf("the first index is %s of the type %s", first.Body, first.Header.Get("Content-Type"))
	}
	r.Want(t, 304, "", "GET", root+"/index.yaml", "", "If-None-Match", first.Header.Get("ETag"))
	r.push("app", "1.0.0")
	if d := r.index(); len(d.Entries) != 1 {
		t.Errorf("the index has %v", d.Entries)
	}
	r.Want(t, 200, "ann", "DELETE", root+"/api/charts/app/1.0.0", "")
	if d := r.index(); len(d.Entries) != 0 {
		t.Errorf("the index still has %v", d.Entries)
	}
	r.wantSound()
}

func TestEntry(t *testing.T) {
	r := newRepository(t)
	const more = `home: https://example.com/app
sources: [https://example.com/src, null]
description: "Says\thello\u0007 to\u0085 all \uFEFF"
keywords: [a, null, "1.10"]
maintainers:
- {name: Ann, email: ann@example.com}
- null
icon: https://example.com/icon.svg
condition: app.enabled
tags: back,front
appVersion: 1.10
deprecated: true
annotations:
  example.com/long: "two\nlines: \u0001\u007f"
  "no": "yes"
kubeVersion: ">=1.25.0-0"
dependencies:
- name: lib
  version: ^1.0.0
  repository: http://example.com/charts
  condition: lib.enabled
  tags: [back]
  import-values: [data, {child: a, parent: b}]
- {name: lib, version: "1", repository: "", alias: other}
- null
type: application
something: {else: 1.10}
`
	body := r.push("MyApp", "1.0.0+b.1", more)
	text := r.get("/index.yaml")
	d := readIndex(t, text)
	if strings.ContainsAny(text, "\x01\x02\x7f\u0085") || strings.Contains(text, "something") {
		t.Errorf("the index is\n%q", text)
	}
	if len(d.Entries["MyApp"]) != 1 {
		t.Fatalf("the index has %v", d.Entries)
	}
	v := d.Entries["MyApp"][0]
	if want := r.URL + root + "/MyApp-1.0.0%2Bb.1.tgz"; !slices.Equal(v.URLs, []string{want}) {
		t.Errorf("the URLs are %v, want %s", v.URLs, want)
	}
	if v.Digest != sum(body) || v.Version != "1.0.0+b.1" || time.Since(v.Created) > time.Minute || v.Created.Location() != time.UTC {
		t.Errorf("digest %s, version %s, created %v", v.Digest, v.Version, v.Created)
	}
	for what, got := range map[string][2]string{
		"description": {v.Description, "Says hello to  all "}, "appVersion": {v.AppVersion, "1.1"}, // as helm reads it
		"home": {v.Home, "https://example.com/app"}, "icon": {v.Icon, "https://example.com/icon.svg"},
		"condition": {v.Condition, "app.enabled"}, "tags": {v.Tags, "back,front"}, "kubeVersion": {v.KubeVersion, ">=1.25.0-0"},
		"apiVersion": {v.APIVersion, "v2"}, "type": {v.Type, "application"}, "keywords": {strings.Join(v.Keywords, " "), "a 1.10"},
		"sources": {strings.Join(v.Sources, " "), "https://example.com/src"}, "an annotation": {v.Annotations["example.com/long"], "two\nlines: \x01\x7f"},
		"another": {v.Annotations["no"], "yes"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %q, want %q", what, got[0], got[1])
		}
	}
	if !v.Deprecated || len(v.Maintainers) != 1 || v.Maintainers[0].Email != "ann@example.com" || len(v.Dependencies) != 2 ||
		len(v.Dependencies[0].ImportValues) != 2 || v.Dependencies[1].Alias != "other" {
		t.Errorf("the entry is %+v", v)
	}
	if path := d.ServerInfo["contextPath"]; len(d.ServerInfo) != 1 || path != root {
		t.Errorf("serverInfo is %v", d.ServerInfo)
	}
	got := r.Want(t, 200, "", "GET", v.URLs[0], "")
	if got.Body != body {
		t.Errorf("%d bytes come from the index's URL, want %d", len(got.Body), len(body))
	}
	r.wantSound()
}

func TestOrder(t *testing.T) {
	r := newRepository(t)
	for _, v := range []string{"1.0.0-rc.1", "1.0.0+a", "2.0.0", "1.0.0+b", "1.10.0", "1.9.0", "1.0.0-rc.10", "1.0.0-rc.2", "v3.0.0", "4"} {
		r.push("app", v)
	}
	for _, name := range []string{"app-b", "App", "a.b", "app2"} {
		r.push(name, "1.0.0")
	}
	text := r.get("/index.yaml")
	want := []string{"4", "v3.0.0", "2.0.0", "1.10.0", "1.9.0", "1.0.0+b", "1.0.0+a", "1.0.0-rc.10", "1.0.0-rc.2", "1.0.0-rc.1"}
	if got := versionsOf(readIndex(t, text), "app"); !slices.Equal(got, want) {
		t.Errorf("the versions are\n%v, want\n%v", got, want)
	}
	var names []string
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, `  "`); ok {
			names = append(names, strings.TrimSuffix(name, "\":\n"))
		}
	}
	if want := []string{"App", "a.b", "app", "app-b", "app2"}; !slices.Equal(names, want) {
		t.Errorf("the names are %v, want %v", names, want)
	}
	r.wantSound()
}

// TestBase asks for the index by several names of the server.
func TestBase(t *testing.T) {
	r := newRepository(t)
	r.push("app", "1.0.0")
	plain := r.Want(t, 200, "", "GET", root+"/index.yaml", "")
	other := strings.ReplaceAll(r.URL, "127.0.0.1", "localhost")
	got := r.Want(t, 200, "", "GET", other+"/api/packages/ACME/helm//index.yaml", "")
	d := readIndex(t, got.Body)
	if url := d.Entries["app"][0].URLs[0]; url != other+"/api/packages/ACME/helm/app-1.0.0.tgz" || d.ServerInfo["contextPath"] != "/api/packages/ACME/helm" {
		t.Errorf("the URL is %s, serverInfo %v", url, d.ServerInfo)
	}
	if got.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Error("two texts have one entity tag")
	}
	for header, want := range map[string]string{"Vary": "Host", "Cache-Control": "no-cache"} {
		if !strings.Contains(got.Header.Get(header), want) {
			t.Errorf("%s: %s", header, got.Header.Get(header))
		}
	}
}

// TestBehindProxy asks a server that was told its public URL.
func TestBehindProxy(t *testing.T) {
	r := &repository{servertest.New(t, func(c *server.Config) { c.URL = "https://charts.example.com/" }), t}
	r.push("app", "1.0.0+a")
	if got, want := r.index().Entries["app"][0].URLs[0], "https://charts.example.com"+root+"/app-1.0.0%2Ba.tgz"; got != want {
		t.Errorf("the URL is %s, want %s", got, want)
	}
}

func TestConditions(t *testing.T) {
	r := newRepository(t)
	r.push("app", "1.0.0")
	path := root + "/index.yaml"
	first := r.Want(t, 200, "", "GET", path, "")
	date, tag := first.Header.Get("Last-Modified"), first.Header.Get("ETag")
	r.Want(t, 304, "", "GET", path, "", "If-None-Match", tag)
	r.Want(t, 304, "", "GET", path, "", "If-Modified-Since", date)
	at, err := http.ParseTime(date)
	if err != nil {
		t.Fatal(err)
	}
	r.Want(t, 200, "", "GET", path, "", "If-Modified-Since", at.Add(time.Hour).Format(http.TimeFormat))
	if head := r.Want(t, 200, "", "HEAD", path, ""); head.Header.Get("ETag") != tag || head.Body != "" {
		t.Errorf("HEAD answers %v %q", head.Header, head.Body)
	}
	packed := r.Want(t, 200, "", "GET", path, "", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(strings.NewReader(packed.Body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || string(text) != first.Body || packed.Header.Get("ETag") == tag {
		t.Errorf("compressed, the index is %q, %v", text, err)
	}
	r.push("app", "1.1.0")
	if second := r.Want(t, 200, "", "GET", path, "", "If-None-Match", tag); !slices.Equal(versionsOf(readIndex(t, second.Body), "app"), []string{"1.1.0", "1.0.0"}) {
		t.Errorf("after a publish the index is\n%s", second.Body)
	}
}

func TestPrivate(t *testing.T) {
	r := newRepository(t)
	r.push("app", "1.0.0")
	r.push("secret", "1.0.0")
	ctx := access.SystemContext(context.Background())
	s, err := r.Registry().Enter(ctx, "acme", "helm", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Package(ctx, "secret", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetVisibility(ctx, p, access.Private); err != nil {
		t.Fatal(err)
	}
	for login, sees := range map[string]bool{"": false, "out": false, "rea": true, "ann": true} {
		for _, path := range []string{"/index.yaml", "/api/charts"} {
			if got := r.Want(t, 200, login, "GET", root+path, "").Body; strings.Contains(got, "secret") != sees || !strings.Contains(got, `"app"`) {
				t.Errorf("%q reads at %s\n%s", login, path, got)
			}
		}
	}
	r.Want(t, 401, "", "GET", root+"/secret-1.0.0.tgz", "")
	r.Want(t, 404, "out", "GET", root+"/secret-1.0.0.tgz", "")
	r.Want(t, 200, "rea", "GET", root+"/secret-1.0.0.tgz", "")

	r.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{"/index.yaml", "/app-1.0.0.tgz", "/api/charts"} {
		res := r.Want(t, 401, "", "GET", root+path, "")
		if got := res.Header.Get("WWW-Authenticate"); got != `Basic realm="Entrepot"` {
			t.Errorf("%s: the challenge %q", path, got)
		}
		r.Want(t, 404, "out", "GET", root+path, "")
	}
	if got := r.Want(t, 200, "rea", "GET", root+"/index.yaml", "").Header.Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("Cache-Control: %s", got)
	}
	if res := r.Want(t, 403, "rea", "POST", root+"/api/charts", "x"); !strings.HasPrefix(res.Body, `{"error":"`) {
		t.Errorf("the refusal is %q", res.Body)
	}
	r.wantSound()
}
