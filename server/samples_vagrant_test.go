package server_test

import (
	"archive/tar"
	"bytes"
	"io"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/vagrant/" }
	seeds["vagrant"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		for _, file := range []string{"/1.0.0/dummy.box", "/1.0.0/dummy/arm64.box"} {
			s.Want(t, 201, "ann", "PUT", root(owner)+name+file, vagrantBox)
		}
	}
	at := func(suffix string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + name + suffix }
	}
	const (
		box     = "{name}/{version}/{file}"
		archBox = "{name}/{version}/{provider}/{file}"
	)
	for key, call := range map[string]sample{
		"vagrant GET authenticate":        {path: func(owner, _ string) string { return root(owner) + "authenticate" }},
		"vagrant GET {name}":              {path: at(""), status: 200},
		"vagrant DELETE {name}":           {path: at(""), status: 204},
		"vagrant DELETE {name}/{version}": {path: at("/1.0.0"), status: 204},
		"vagrant GET " + box:              {path: at("/1.0.0/dummy.box"), status: 200},
		"vagrant PUT " + box:              {path: at("/2.0.0/dummy.box"), body: text(vagrantBox), status: 201},
		"vagrant DELETE " + box:           {path: at("/1.0.0/dummy.box"), status: 204},
		"vagrant GET " + archBox:          {path: at("/1.0.0/dummy/arm64.box"), status: 200},
		"vagrant PUT " + archBox:          {path: at("/2.0.0/dummy/arm64.box"), body: text(vagrantBox), status: 201},
		"vagrant DELETE " + archBox:       {path: at("/1.0.0/dummy/arm64.box"), status: 204},
	} {
		samples[key] = call
	}
	open["vagrant GET authenticate"] = everybody(200)
	open["vagrant GET authenticate"][""] = 401
}

// vagrantBox is a box for the provider dummy.
var vagrantBox = func() string {
	const manifest = `{"provider":"dummy"}`
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	// Writing into a buffer cannot fail.
	_ = w.WriteHeader(&tar.Header{Name: "metadata.json", Mode: 0o644, Size: int64(len(manifest))})
	_, _ = io.WriteString(w, manifest)
	_ = w.Close()
	return out.String()
}()
