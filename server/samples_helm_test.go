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
	root := func(owner string) string { return "/api/packages/" + owner + "/helm/" }
	at := func(format string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + fmt.Sprintf(format, name) }
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	seeds["helm"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "POST", root(owner)+"api/charts", helmChart(name, "1.0.0"))
	}
	for key, call := range map[string]sample{
		"helm GET index.yaml":                            {path: fixed("index.yaml"), unseeded: true, status: 200},
		"helm GET /index.yaml":                           {path: fixed("/index.yaml"), unseeded: true, status: 200},
		"helm GET health":                                {path: fixed("health")},
		"helm GET api/charts":                            {path: fixed("api/charts?limit=1"), unseeded: true, status: 200},
		"helm POST api/charts":                           {path: fixed("api/charts"), body: func(_, name string) string { return helmChart(name, "2.0.0") }, status: 201},
		"helm POST api/prov":                             {path: fixed("api/prov"), body: text("no signature"), status: 400},
		"helm GET api/charts/{name}":                     {path: at("api/charts/%s"), status: 200},
		"helm GET api/charts/{name}/{version}":           {path: at("api/charts/%s/latest"), status: 200},
		"helm GET api/charts/{name}/{version}/values":    {path: at("api/charts/%s/1.0.0/values"), status: 200},
		"helm GET api/charts/{name}/{version}/templates": {path: at("api/charts/%s/1.0.0/templates"), status: 200},
		"helm DELETE api/charts/{name}/{version}":        {path: at("api/charts/%s/1.0.0"), status: 200},
		"helm GET charts/{file}":                         {path: at("charts/%s-1.0.0.tgz"), status: 200},
		"helm GET {file}":                                {path: at("%s-1.0.0.tgz"), status: 200},
	} {
		samples[key] = call
	}
	open["helm GET health"] = everybody(200)
}

// helmChart is a chart that installs nothing.
func helmChart(name, version string) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	archive := tar.NewWriter(z)
	for _, f := range []struct{ path, content string }{
		{"Chart.yaml", fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version)}, {"values.yaml", "a: 1\n"},
	} {
		// Writing into a buffer cannot fail.
		_ = archive.WriteHeader(&tar.Header{Name: name + "/" + f.path, Mode: 0o644, Size: int64(len(f.content))})
		_, _ = archive.Write([]byte(f.content))
	}
	_ = archive.Close()
	_ = z.Close()
	return out.String()
}
