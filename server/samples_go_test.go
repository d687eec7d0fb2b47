package server_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/go" }
	seeds["go"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", root(owner)+"/upload", goZip(name, "v1.0.0"))
	}
	at := func(suffix string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + "/example.com/" + name + suffix }
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	for key, call := range map[string]sample{
		"go PUT upload":                   {path: fixed("/upload"), body: func(_, name string) string { return goZip(name, "v1.1.0") }, status: 201},
		"go GET sumdb/{rest...}":          {path: fixed("/sumdb/sum.example.com/supported"), status: 404},
		"go GET {module...}/@v/list":      {path: at("/@v/list"), status: 200},
		"go GET {module...}/@latest":      {path: at("/@latest"), status: 200},
		"go GET {module...}/@v/{file}":    {path: at("/@v/v1.0.0.zip"), status: 200},
		"go DELETE {module...}/@v/{file}": {path: at("/@v/v1.0.0"), status: 204},
	} {
		samples[key] = call
	}
}

// goZip is the zip of a module without anything but its go.mod.
func goZip(name, version string) string {
	var out bytes.Buffer
	root := "example.com/" + name
	err := modzip.Create(&out, module.Version{Path: root, Version: version}, []modzip.File{
		goFile{"go.mod", fmt.Sprintf("module %s\n", root)},
	})
	if err != nil {
		panic(err) // the names above are such that it cannot fail
	}
	return out.String()
}

// goFile is a file of a module.
type goFile struct{ name, body string }

func (f goFile) Path() string                 { return f.name }
func (f goFile) Lstat() (fs.FileInfo, error)  { return goFileInfo{f}, nil }
func (f goFile) Open() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(f.body)), nil }

type goFileInfo struct{ goFile }

func (i goFileInfo) Name() string     { return i.name }
func (i goFileInfo) Size() int64      { return int64(len(i.body)) }
func (goFileInfo) Mode() fs.FileMode  { return 0o644 }
func (goFileInfo) ModTime() time.Time { return time.Time{} }
func (goFileInfo) IsDir() bool        { return false }
func (goFileInfo) Sys() any           { return nil }
