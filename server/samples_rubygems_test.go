package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/rubygems" }
	seeds["rubygems"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "POST", root(owner)+"/api/v1/gems", gemFile(name, "1.0"))
	}
	at := func(path string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + fmt.Sprintf(path, name) }
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	for key, call := range map[string]sample{
		"rubygems GET ":                         {path: fixed("/"), status: 200},
		"rubygems GET versions":                 {path: fixed("/versions"), status: 200},
		"rubygems GET names":                    {path: fixed("/names"), status: 200},
		"rubygems GET info/{name}":              {path: at("/info/%s"), status: 200},
		"rubygems GET specs.4.8.gz":             {path: fixed("/specs.4.8.gz"), status: 200},
		"rubygems GET latest_specs.4.8.gz":      {path: fixed("/latest_specs.4.8.gz"), status: 200},
		"rubygems GET prerelease_specs.4.8.gz":  {path: fixed("/prerelease_specs.4.8.gz"), status: 200},
		"rubygems GET quick/Marshal.4.8/{file}": {path: at("/quick/Marshal.4.8/%s-1.0.gemspec.rz"), status: 200},
		"rubygems GET gems/{file}":              {path: at("/gems/%s-1.0.gem"), status: 200},
		"rubygems GET api/v1/dependencies":      {path: at("/api/v1/dependencies?gems=%s"), status: 200},
		"rubygems GET api/v1/dependencies.json": {path: at("/api/v1/dependencies.json?gems=%s"), status: 200},
		"rubygems POST api/v1/gems":             {path: fixed("/api/v1/gems"), body: func(_, name string) string { return gemFile(name, "2.0") }, status: 201},
		"rubygems DELETE api/v1/gems/yank":      {path: fixed("/api/v1/gems/yank"), body: func(_, name string) string { return "gem_name=" + name + "&version=1.0" }, status: 200},
		"rubygems POST api/v1/api_key":          {path: fixed("/api/v1/api_key"), body: text("index_rubygems=true")},
		"rubygems GET api/v1/api_key":           {path: fixed("/api/v1/api_key")},
	} {
		samples[key] = call
	}
	for _, route := range []string{"rubygems POST api/v1/api_key", "rubygems GET api/v1/api_key"} {
		open[route] = everybody(200)
		open[route][""] = 401
	}
}

// gemFile is a gem that holds nothing but its gemspec.
func gemFile(name, version string) string {
	zipped := func(text string) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		// Writing into a buffer cannot fail.
		_, _ = z.Write([]byte(text))
		_ = z.Close()
		return out.Bytes()
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for file, content := range map[string][]byte{
		"metadata.gz": zipped(fmt.Sprintf("name: %s\nversion: {version: '%s'}\n", name, version)),
		"data.tar.gz": zipped(""),
	} {
		_ = w.WriteHeader(&tar.Header{Name: file, Mode: 0o444, Size: int64(len(content))})
		_, _ = w.Write(content)
	}
	_ = w.Close()
	return out.String()
}
