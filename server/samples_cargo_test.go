package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/cargo" }
	crates := func(owner string) string { return root(owner) + "/api/v1/crates" }
	seeds["cargo"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 200, "ann", "PUT", crates(owner)+"/new", cargoBody(name, "1.0.0"))
	}
	at := func(suffix string) func(owner, name string) string {
		return func(owner, name string) string { return crates(owner) + "/" + name + suffix }
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	const (
		crate   = "api/v1/crates/{crate}"
		version = crate + "/{version}"
	)
	publish := func(_, name string) string { return cargoBody(name, "2.0.0") }
	for key, call := range map[string]sample{
		"cargo GET config.json":   {path: fixed("/config.json"), status: 200},
		"cargo GET me":            {path: fixed("/me")},
		"cargo GET api/v1/crates": {path: fixed("/api/v1/crates?q=x"), status: 200},
		"cargo PUT api/v1/crates/new": {
			path: fixed("/api/v1/crates/new"), body: publish, status: 200,
		},
		"cargo GET " + crate + "/owners":               {path: at("/owners"), status: 200},
		"cargo PUT " + crate + "/owners":               {path: at("/owners"), body: text(`{"users":["wim"]}`), status: 403},
		"cargo DELETE " + crate + "/owners":            {path: at("/owners"), body: text(`{"users":["wim"]}`), status: 403},
		"cargo GET " + crate + "/versions":             {path: at("/versions"), status: 200},
		"cargo GET " + crate + "/reverse_dependencies": {path: at("/reverse_dependencies"), status: 200},
		"cargo GET " + version + "/download":           {path: at("/1.0.0/download"), status: 200},
		"cargo GET " + version + "/readme":             {path: at("/1.0.0/readme"), status: 200},
		"cargo GET " + version + "/dependencies":       {path: at("/1.0.0/dependencies"), status: 200},
		"cargo DELETE " + version + "/yank":            {path: at("/1.0.0/yank"), status: 200},
		"cargo PUT " + version + "/unyank":             {path: at("/1.0.0/unyank"), status: 200},
		"cargo PATCH " + version:                       {path: at("/1.0.0"), body: text(`{"version":{"yanked":true}}`), status: 200},
		"cargo GET " + version:                         {path: at("/1.0.0"), status: 200},
		"cargo GET " + crate:                           {path: at(""), status: 200},
		"cargo GET {first}/{crate}": {
			path: func(owner, _ string) string { return root(owner) + "/1/x" }, status: 404,
		},
		"cargo GET {first}/{second}/{crate}": {path: func(owner, name string) string {
			if len(name) == 3 {
				return root(owner) + "/3/" + name[:1] + "/" + name
			}
			return root(owner) + "/" + name[:2] + "/" + name[2:4] + "/" + name
		}, status: 200},
	} {
		samples[key] = call
	}
	open["cargo GET me"] = everybody(302)
}

// cargoBody is the body of a `cargo publish`.
func cargoBody(name, version string) string {
	metadata := fmt.Sprintf(`{"name":%q,"vers":%q,"readme":"# Hello"}`, name, version)
	manifest := fmt.Sprintf("[package]\nname = %q\nversion = %q\n", name, version)
	var crate bytes.Buffer
	z := gzip.NewWriter(&crate)
	archive := tar.NewWriter(z)
	// Writing into a buffer cannot fail.
	_ = archive.WriteHeader(&tar.Header{Name: name + "-" + version + "/Cargo.toml", Mode: 0o644, Size: int64(len(manifest))})
	_, _ = archive.Write([]byte(manifest))
	_ = archive.Close()
	_ = z.Close()
	var body []byte
	for _, part := range []string{metadata, crate.String()} {
		body = binary.LittleEndian.AppendUint32(body, uint32(len(part)))
		body = append(body, part...)
	}
	return string(body)
}
