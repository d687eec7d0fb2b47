//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
)

func publishRubygems(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	body, err := gemFile(name, version)
	if err != nil {
		return nil, err
	}
	root := "/api/packages/" + owner + "/rubygems"
	_, err = s.Want(ctx, http.StatusCreated, Call{Method: "POST", URL: root + "/api/v1/gems", As: as, Body: reader(body)})
	return []Published{{root + "/gems/" + name + "-" + version + ".gem", sha256.Sum256(body)}}, err
}

// gemFile is a gem with random bytes for its data.
func gemFile(name, version string) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{"metadata.gz", []byte(fmt.Sprintf("name: %s\nversion: {version: '%s'}\n", name, version))},
		{"data.tar.gz", randomBytes(4 << 10)},
	} {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(file.content); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		if err := w.WriteHeader(&tar.Header{Name: file.name, Mode: 0o444, Size: int64(packed.Len())}); err != nil {
			return nil, err
		}
		if _, err := w.Write(packed.Bytes()); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}
