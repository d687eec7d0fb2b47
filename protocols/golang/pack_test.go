package golang_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/pkg"
	"entrepot/server/servertest"
)

// pack makes a module zip of the files, which lie in path@version/; a go.mod
// is added unless there is one.
func pack(tb testing.TB, path, version string, files map[string]string) string {
	tb.Helper()
	all := map[string]string{"go.mod": "module " + path + "\n\ngo 1.21\n"}
	maps.Copy(all, files)
	entries := map[string]string{}
	for name, body := range all {
		if body != "-" {
			entries[path+"@"+version+"/"+name] = body
		}
	}
	return packEntries(tb, entries)
}

// packEntries makes a zip of the entries, as they are.
func packEntries(tb testing.TB, entries map[string]string) string {
	tb.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		w, err := z.Create(name)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(entries[name])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

// proxy is a server with the modules of its organization acme.
type proxy struct {
	*servertest.Server
	tb testing.TB
}

func newProxy(tb testing.TB) *proxy {
	tb.Helper()
	return &proxy{servertest.New(tb), tb}
}

// in is the proxy for a subtest.
func (s *proxy) in(tb testing.TB) *proxy { return &proxy{s.Server, tb} }

// root is where the organization's modules are.
const root = "/api/packages/acme/go"

// upload uploads a module as ann.
func (s *proxy) upload(path, version string, files ...map[string]string) string {
	s.tb.Helper()
	all := map[string]string{}
	for _, some := range files {
		maps.Copy(all, some)
	}
	body := pack(s.tb, path, version, all)
	s.Want(s.tb, 201, "ann", "PUT", root+"/upload", body)
	return body
}

// at is the URL path below a module, escaped as the go command does it.
func at(tb testing.TB, path, suffix string) string {
	tb.Helper()
	escaped, err := module.EscapePath(path)
	if err != nil {
		tb.Fatal(err)
	}
	return root + "/" + strings.ReplaceAll((&url.URL{Path: escaped}).EscapedPath(), "!", "%21") + suffix
}

// get reads below a module as nobody.
func (s *proxy) get(path, suffix string) string {
	s.tb.Helper()
	return s.Want(s.tb, 200, "", "GET", at(s.tb, path, suffix), "").Body
}

// version is what an .info says.
func (s *proxy) version(path, suffix string) string {
	s.tb.Helper()
	var info struct{ Version, Time string }
	body := s.get(path, suffix)
	if err := json.Unmarshal([]byte(body), &info); err != nil || !strings.HasSuffix(info.Time, "Z") {
		s.tb.Fatalf("%s%s: %q, %v", path, suffix, body, err)
	}
	return info.Version
}

// fails wants an error of the status, and returns its one line.
func (s *proxy) fails(status int, login, method, path, body string, headers ...string) string {
	s.tb.Helper()
	res := s.Want(s.tb, status, login, method, path, body, headers...)
	if got := res.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		s.tb.Errorf("%s %s: Content-Type %q", method, path, got)
	}
	if n := strings.Count(res.Body, "\n"); n != 1 {
		s.tb.Errorf("%s %s: %d lines in %q", method, path, n, res.Body)
	}
	return res.Body
}

// onlyVersion is the row of the one version there is.
func (s *proxy) onlyVersion() *ent.PackageVersion {
	s.tb.Helper()
	return s.Registry().Client().PackageVersion.Query().OnlyX(access.SystemContext(context.Background()))
}

// hide makes a module private.
func (s *proxy) hide(path string) {
	s.tb.Helper()
	s.Registry().Client().Pkg.Update().Where(pkg.Name(path)).SetVisibility(pkg.VisibilityPrivate).
		ExecX(access.SystemContext(context.Background()))
}
