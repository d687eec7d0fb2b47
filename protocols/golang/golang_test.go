package golang_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/dirhash"
)

func TestUploadAndRead(t *testing.T) {
	s := newProxy(t)
	const path = "example.com/Acme/Mod"
	body := s.upload(path, "v1.2.3", map[string]string{"mod.go": "package mod\n", "README.md": "# Mod"})
	if got := s.get(path, "/@v/list"); got != "v1.2.3\n" {
		t.Errorf("list = %q", got)
	}
	res := s.Want(t, 200, "", "GET", at(t, path, "/@v/v1.2.3.zip"), "")
	if res.Body != body || res.Header.Get("Content-Type") != "application/zip" || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("the zip is not what was uploaded: %v", res.Header)
	}
	res = s.Want(t, 200, "", "GET", at(t, path, "/@v/v1.2.3.mod"), "")
	if res.Body != "module example.com/Acme/Mod\n\ngo 1.21\n" || res.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf(".mod = %q, %v", res.Body, res.Header)
	}
	for _, suffix := range []string{"/@v/v1.2.3.info", "/@latest", "/@v/latest.info", "/@v/v1.info", "/@v/v1.2.info"} {
		if got := s.version(path, suffix); got != "v1.2.3" {
			t.Errorf("%s = %s", suffix, got)
		}
	}
	if got := s.get(path, "/@v/latest.zip"); got != body {
		t.Error("latest.zip is not what was uploaded")
	}
	for _, file := range []string{"/@v/list", "/@latest", "/@v/v1.2.3.info", "/@v/v1.2.3.mod", "/@v/v1.2.3.zip"} {
		etag := s.Want(t, 200, "", "HEAD", at(t, path, file), "").Header.Get("ETag")
		s.Want(t, 304, "", "GET", at(t, path, file), "", "If-None-Match", etag)
	}
	// Case counts, and an upper-case letter does not stand for itself.
	for _, path := range []string{
		"/example.com/acme/mod/@v/list", "/example.com/Acme/Mod/@v/list", "/example.com/%21acme/mod/@v/list", "/example.com/%21acme/%21mod/sub/@v/list",
		"/example.com/%21acme/%21mod/@v/v1.2.4.info", "/example.com/%21acme/%21mod/@v/v1.2.3.txt", "/example.com/%21acme/%21mod/@v/main.info", "/example.com/%21acme/%21mod/@v/v2.info",
		"/example.com/%21acme/%21mod/@v/V1.2.3.info", "/example.com/@latest", "/mod/@v/list", "/sumdb/sum.example.com/supported", "/sumdb/sum.example.com/lookup/x@v1", "/", "/upload",
	} {
		if path == "/upload" {
			s.Want(t, 405, "ann", "GET", root+path, "")
			continue
		}
		s.fails(404, "", "GET", root+path, "")
	}
	// A form will do as well.
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if err := w.WriteField("note", "x"); err != nil {
		t.Fatal(err)
	}
	file, err := w.CreateFormFile("file", "m.zip")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write([]byte(pack(t, path, "v1.3.0", nil))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.Want(t, 201, "ann", "PUT", root+"/upload", form.String(), "Content-Type", w.FormDataContentType())
	s.fails(400, "ann", "PUT", root+"/upload", "--x--\r\n", "Content-Type", "multipart/form-data; boundary=x")
	if got := s.get(path, "/@v/list"); got != "v1.2.3\nv1.3.0\n" {
		t.Errorf("list = %q", got)
	}
}

func TestUploadRefusals(t *testing.T) {
	s := newProxy(t)
	const path, version = "example.com/bad", "v1.0.0"
	files := func(more map[string]string) string { return pack(t, path, version, more) }
	broken := []byte(files(map[string]string{"a.txt": strings.Repeat("a", 100)}))
	// The content of the first entry, behind its header of 30 bytes and its name.
	broken[30+len(path+"@"+version+"/a.txt")+3] ^= 1
	for name, tt := range map[string]struct{ body, want string }{
		"no zip":               {"test", "zip"},
		"an empty zip":         {packEntries(t, nil), "empty"},
		"no folder":            {packEntries(t, map[string]string{"go.mod": "module x"}), "module@version"},
		"a folder of git":      {packEntries(t, map[string]string{"bad-v1.0.0/go.mod": "module x"}), "module@version"},
		"no version":           {packEntries(t, map[string]string{"example.com/bad@latest/go.mod": ""}), "canonical"},
		"no whole version":     {packEntries(t, map[string]string{"example.com/bad@v2303/go.mod": ""}), "canonical"},
		"no v":                 {packEntries(t, map[string]string{"example.com/bad@1.0.0/go.mod": ""}), "canonical"},
		"build metadata":       {packEntries(t, map[string]string{"example.com/bad@v1.0.0+x/go.mod": ""}), "canonical"},
		"a path without a dot": {packEntries(t, map[string]string{"bad@v1.0.0/go.mod": "module bad\n"}), "dot"},
		"another major":        {packEntries(t, map[string]string{"example.com/bad@v2.0.0/go.mod": ""}), "should be"},
		"a suffix too many":    {packEntries(t, map[string]string{"example.com/bad/v2@v1.0.0/go.mod": ""}), "should be"},
		"a file elsewhere":     {packEntries(t, map[string]string{"example.com/bad@v1.0.0/go.mod": "module example.com/bad\n", "other/x": ""}), "prefix"},
		"a path that climbs":   {files(map[string]string{"a/../b": ""}), "clean"},
		"names that collide":   {files(map[string]string{"a.go": "", "A.go": ""}), "collision"},
		"a module inside":      {files(map[string]string{"sub/go.mod": ""}), "go.mod"},
		"a module named anew":  {files(map[string]string{"go.mod": "module example.com/other\n"}), "example.com/other"},
		"a go.mod of nothing":  {files(map[string]string{"go.mod": ""}), "declares"},
		"no go.mod at all":     {files(map[string]string{"go.mod": "moduel x ((("}), "go.mod"},
		"a go.mod too many": {packEntries(t, map[string]string{"example.com/bad@v2.0.0+incompatible/go.mod": "module example.com/bad\n"}),
			"incompatible"},
		"a changed byte": {string(broken), "zip"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.in(t).fails(400, "ann", "PUT", root+"/upload", tt.body); !strings.Contains(got, tt.want) {
				t.Errorf("%q does not speak of %q", got, tt.want)
			}
		})
	}
	s.fails(404, "", "GET", at(t, path, "/@v/list"), "")
	s.fails(401, "", "PUT", root+"/upload", files(nil))
	s.fails(403, "rea", "PUT", root+"/upload", files(nil))
}

func TestDuplicateAndTombstone(t *testing.T) {
	s := newProxy(t)
	const path = "example.com/mod"
	body := s.upload(path, "v1.0.0")
	other := pack(t, path, "v1.0.0", map[string]string{"x.go": "package x\n"})
	s.fails(409, "ann", "PUT", root+"/upload", body)
	s.fails(409, "ann", "PUT", root+"/upload", other)
	s.upload(path, "v1.1.0")
	s.Want(t, 204, "ann", "DELETE", at(t, path, "/@v/v1.0.0"), "")
	for _, kind := range []string{".info", ".mod", ".zip"} {
		if got := s.fails(410, "", "GET", at(t, path, "/@v/v1.0.0"+kind), ""); !strings.Contains(got, "deleted") {
			t.Errorf("%s: %q", kind, got)
		}
	}
	s.fails(409, "ann", "PUT", root+"/upload", other)
	s.fails(404, "ann", "DELETE", at(t, path, "/@v/v9.0.0"), "")
	s.fails(404, "ann", "DELETE", at(t, path, "/@v/list"), "")
	s.Want(t, 204, "ann", "DELETE", at(t, path, "/@v/v1.1.0"), "")
	// A module without any version is none: the go command goes on elsewhere.
	s.fails(404, "", "GET", at(t, path, "/@v/list"), "")
	s.fails(404, "", "GET", at(t, path, "/@latest"), "")
	s.fails(410, "", "GET", at(t, path, "/@v/v1.1.0.info"), "")
	s.Want(t, 201, "ann", "PUT", root+"/upload", body)
	if got := s.version(path, "/@v/v1.0.0.info"); got != "v1.0.0" {
		t.Errorf("version = %s", got)
	}
}

func TestLatest(t *testing.T) {
	retract := func(path, text string) map[string]string {
		return map[string]string{"go.mod": "module " + path + "\n\n" + text + "\n"}
	}
	const path = "example.com/mod"
	old := map[string]string{"go.mod": "-", "mod.go": "package mod\n"}
	for name, tt := range map[string]struct {
		versions []string
		files    map[string]map[string]string
		list     string
		latest   string // "" for none
	}{
		"a back-port comes last": {versions: []string{"v1.2.0", "v1.10.0", "v1.11.0-rc.1", "v1.2.1"}, list: "v1.2.0 v1.2.1 v1.10.0 v1.11.0-rc.1", latest: "v1.10.0"},
		"prereleases alone":      {versions: []string{"v1.0.0-rc.10", "v1.0.0-rc.9"}, list: "v1.0.0-rc.9 v1.0.0-rc.10", latest: "v1.0.0-rc.10"},
		"pseudo-versions alone": {
			versions: []string{"v0.0.0-20260102030405-0123456789ab", "v1.0.1-0.20250102030405-0123456789ab"}, latest: "v0.0.0-20260102030405-0123456789ab",
		},
		"a release among pseudo-versions": {versions: []string{"v0.0.0-20260102030405-0123456789ab", "v0.0.1"}, list: "v0.0.1", latest: "v0.0.1"},
		"incompatible ones": {
			versions: []string{"v1.0.0", "v2.0.0+incompatible"}, files: map[string]map[string]string{"v2.0.0+incompatible": old},
			list: "v1.0.0 v2.0.0+incompatible", latest: "v1.0.0",
		},
		"nothing but incompatible ones": {
			versions: []string{"v3.0.0+incompatible", "v2.0.0+incompatible"}, files: map[string]map[string]string{"v2.0.0+incompatible": old, "v3.0.0+incompatible": old},
			list: "v2.0.0+incompatible v3.0.0+incompatible", latest: "v3.0.0+incompatible",
		},
		"a retracted one": {
			versions: []string{"v1.9.0", "v1.10.0", "v1.10.1"}, files: map[string]map[string]string{"v1.10.1": retract(path, "retract [v1.10.0, v1.10.1] // bad")},
			list: "v1.9.0 v1.10.0 v1.10.1", latest: "v1.9.0",
		},
		"all retracted": {versions: []string{"v1.0.0"}, files: map[string]map[string]string{"v1.0.0": retract(path, "retract v1.0.0")}, list: "v1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newProxy(t)
			for _, v := range tt.versions {
				s.upload(path, v, tt.files[v])
			}
			want := ""
			if tt.list != "" {
				want = strings.ReplaceAll(tt.list, " ", "\n") + "\n"
			}
			if got := s.get(path, "/@v/list"); got != want {
				t.Errorf("list = %q, want %q", got, want)
			}
			if tt.latest == "" {
				s.fails(404, "", "GET", at(t, path, "/@latest"), "")
				s.fails(404, "", "GET", at(t, path, "/@v/latest.info"), "")
				return
			}
			for _, suffix := range []string{"/@latest", "/@v/latest.info"} {
				if got := s.version(path, suffix); got != tt.latest {
					t.Errorf("%s = %s, want %s", suffix, got, tt.latest)
				}
			}
		})
	}
}

func TestPaths(t *testing.T) {
	s := newProxy(t)
	s.upload("example.com/mod", "v1.0.0")
	s.upload("example.com/mod/v2", "v2.0.0")
	s.upload("example.com/mod/sub", "v0.1.0")
	s.upload("example.com/MOD", "v1.5.0")
	for path, want := range map[string]string{"example.com/mod": "v1.0.0\n", "example.com/mod/v2": "v2.0.0\n", "example.com/mod/sub": "v0.1.0\n", "example.com/MOD": "v1.5.0\n"} {
		if got := s.get(path, "/@v/list"); got != want {
			t.Errorf("%s: list = %q", path, got)
		}
	}
}

func TestTime(t *testing.T) {
	s := newProxy(t)
	read := func(version string) string {
		var info struct{ Time string }
		if err := json.Unmarshal([]byte(s.get("example.com/mod", "/@v/"+version+".info")), &info); err != nil {
			t.Fatal(err)
		}
		return info.Time
	}
	s.Want(t, 201, "ann", "PUT", root+"/upload", pack(t, "example.com/mod", "v1.0.0", nil), "X-Module-Time", "2020-01-02T03:04:05.678+01:00")
	if got := read("v1.0.0"); got != "2020-01-02T02:04:05Z" {
		t.Errorf("time = %s", got)
	}
	s.fails(400, "ann", "PUT", root+"/upload", pack(t, "example.com/mod", "v1.1.0", nil), "X-Module-Time", "yesterday")
	s.upload("example.com/mod", "v1.0.1-0.20250102030405-0123456789ab")
	if got := read("v1.0.1-0.20250102030405-0123456789ab"); got != "2025-01-02T03:04:05Z" {
		t.Errorf("time = %s", got)
	}
}

// TestSums holds the stored sums against those of a zip that is as the go
// command has it, and looks at what else is kept.
func TestSums(t *testing.T) {
	s := newProxy(t)
	body := s.upload("example.com/mod", "v1.0.0", map[string]string{
		"go.mod":         "// Deprecated: use v2\nmodule example.com/mod\n\ngo 1.22\n\nrequire (\n\texample.com/a v1.0.0\n\texample.com/b v1.2.0 // indirect\n)\n",
		"mod.go":         "package mod\n",
		"cmd/x/main.go":  "package main\n",
		"internal/i.go":  "package i\n",
		"gen/gen.go":     "//go:build ignore\n\npackage main\n",
		"a/a_test.go":    "package a\n",
		"LICENSE":        "Permission is hereby granted, free of charge, ... THE SOFTWARE IS PROVIDED \"AS IS\"",
		"README.md":      "# Hello\x00",
		"docs/README.md": "no",
	})
	path := filepath.Join(t.TempDir(), "m.zip")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	sum, err := dirhash.HashZip(path, dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	v := s.onlyVersion()
	var md struct {
		Go, Deprecated, ZipSum, ModSum string
		Packages, Commands             []string
	}
	if err := json.Unmarshal(v.Metadata, &md); err != nil {
		t.Fatal(err)
	}
	if md.ZipSum != sum || !strings.HasPrefix(md.ModSum, "h1:") || md.Go != "1.22" || md.Deprecated != "use v2" {
		t.Errorf("metadata = %+v, want the sum %s", md, sum)
	}
	if !slices.Equal(md.Packages, []string{"example.com/mod", "example.com/mod/cmd/x"}) || !slices.Equal(md.Commands, []string{"example.com/mod/cmd/x"}) {
		t.Errorf("packages %q, commands %q", md.Packages, md.Commands)
	}
	if v.License != "MIT" || v.Readme != "# Hello\ufffd" || len(v.Dependencies) != 2 || v.Dependencies[1].Group != "indirect" {
		t.Errorf("version = %+v", v)
	}
}

func TestPrivate(t *testing.T) {
	s := newProxy(t)
	s.Organization(t, "vault", "PRIVATE")
	const vault = "/api/packages/vault/go"
	s.Want(t, 201, "wim", "PUT", vault+"/upload", pack(t, "example.com/mod", "v1.0.0", nil))
	res := s.Want(t, 401, "", "GET", vault+"/example.com/mod/@v/list", "")
	if !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("challenge %q", res.Header.Get("WWW-Authenticate"))
	}
	s.Want(t, 200, "rea", "GET", vault+"/example.com/mod/@v/list", "")
	s.fails(404, "out", "GET", vault+"/example.com/mod/@v/list", "")
	s.fails(404, "rea", "GET", vault+"/example.com/other/@v/list", "")
	// A hidden module is one that is not there, for the proxies behind this
	// one to be asked.
	s.upload("example.com/hidden", "v1.0.0")
	s.hide("example.com/hidden")
	s.fails(404, "", "GET", at(t, "example.com/hidden", "/@v/list"), "")
	s.fails(404, "", "GET", at(t, "example.com/unknown", "/@v/list"), "")
	s.fails(404, "", "GET", at(t, "example.com/hidden", "/@v/v1.0.0.zip"), "")
	s.Want(t, 200, "rea", "GET", at(t, "example.com/hidden", "/@v/list"), "")
}

// TestStatements bounds what a request asks of the database, whatever the
// number of versions, and that reading writes nothing.
func TestStatements(t *testing.T) {
	s := newProxy(t)
	const path = "example.com/many"
	count := func(status int, method, path, body string, headers ...string) (reads, writes int64) {
		t.Helper()
		r0, w0 := s.Registry().Database().Statements()
		s.Want(t, status, "ann", method, path, body, headers...)
		r1, w1 := s.Registry().Database().Statements()
		return r1 - r0, w1 - w0
	}
	var publishes [2][2]int64
	for round, n := range []int{3, 30} {
		for i := range n {
			body := pack(t, path, fmt.Sprintf("v1.%d.%d", round, i), nil)
			publishes[round][0], publishes[round][1] = count(201, "PUT", root+"/upload", body)
		}
		for _, tt := range []struct {
			suffix string
			most   int64
		}{
			{"/@v/list", 6}, {"/@latest", 9}, {"/@v/v1.0.1.info", 6}, {"/@v/v1.0.1.mod", 6}, {"/@v/v1.0.1.zip", 6}, {"/@v/v1.info", 10},
		} {
			reads, writes := count(200, "GET", at(t, path, tt.suffix), "")
			t.Logf("%d versions: %s: %d statements", n, tt.suffix, reads)
			if reads > tt.most || writes != 0 {
				t.Errorf("%d versions: %s: %d reads, %d writes; want at most %d and 0", n, tt.suffix, reads, writes, tt.most)
			}
		}
	}
	t.Logf("upload: %d reads, %d writes", publishes[1][0], publishes[1][1])
	if publishes[0] != publishes[1] {
		t.Errorf("an upload takes %v statements after 3 versions, %v after 33", publishes[0], publishes[1])
	}
}
