//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// publishCargo publishes a crate the way cargo does: metadata and archive in
// one body, each behind its length.
func publishCargo(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	crate, err := crateArchive(name, version)
	if err != nil {
		return nil, err
	}
	metadata, err := json.Marshal(map[string]any{"name": name, "vers": version, "deps": []any{}, "features": map[string]any{}, "license": "MIT"})
	if err != nil {
		return nil, err
	}
	var body []byte
	for _, part := range [][]byte{metadata, crate} {
		n := len(part)
		body = append(body, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
		body = append(body, part...)
	}
	crates := "/api/packages/" + owner + "/cargo/api/v1/crates"
	_, err = s.Want(ctx, http.StatusOK, Call{Method: "PUT", URL: crates + "/new", As: as, Body: reader(body)})
	return []Published{{crates + "/" + name + "/" + version + "/download", sha256.Sum256(crate)}}, err
}

// crateArchive packs a crate the way `cargo package` does: gzip, tar,
// everything below name-version/.
func crateArchive(name, version string) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	for _, file := range []struct {
		name string
		body []byte
	}{
		{"Cargo.toml", fmt.Appendf(nil, "[package]\nname = %q\nversion = %q\n", name, version)},
		{"src/lib.rs", fmt.Appendf(nil, "// %s\n", randomBytes(1+rand.IntN(32<<10)))},
	} {
		header := &tar.Header{Name: name + "-" + version + "/" + file.name, Mode: 0o644, Size: int64(len(file.body))}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(file.body); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
