//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
)

// publishCran uploads a source package of R.
func publishCran(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	name = strings.NewReplacer("-", ".", "_", ".").Replace(name)
	body, err := rPackage(name, version, randomBytes(1+rand.IntN(32<<10)))
	if err != nil {
		return nil, err
	}
	root := "/api/packages/" + owner + "/cran/src"
	_, err = s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: root, As: as, Body: reader(body)})
	return []Published{{root + "/contrib/" + name + "_" + version + ".tar.gz", sha256.Sum256(body)}}, err
}

// rPackage packs an R package with one file of data.
func rPackage(name, version string, file []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, f := range []struct {
		path    string
		content []byte
	}{{"DESCRIPTION", fmt.Appendf(nil, "Package: %s\nVersion: %s\nTitle: For Tests\nLicense: MIT\n", name, version)}, {"inst/random", file}} {
		if err := w.WriteHeader(&tar.Header{Name: name + "/" + f.path, Mode: 0o644, Size: int64(len(f.content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
