//go:build e2e

package e2e

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/klauspost/compress/zstd"
)

// publishConda uploads a package with one file.
func publishConda(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	body, err := condaPackage(name, version, randomBytes(1+rand.IntN(32<<10)))
	if err != nil {
		return nil, err
	}
	root, file := "/api/packages/"+owner+"/conda/", name+"-"+version+"-0.conda"
	_, err = s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: root + file, As: as, Body: reader(body)})
	return []Published{{root + "noarch/" + file, sha256.Sum256(body)}}, err
}

// condaPackage packs a package for all platforms with one file of data.
func condaPackage(name, version string, file []byte) ([]byte, error) {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, err
	}
	packed := func(path string, content []byte) ([]byte, error) {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
		err := w.Close()
		return z.EncodeAll(b.Bytes(), nil), err
	}
	info, err := packed("info/index.json", fmt.Appendf(nil, `{"name":%q,"version":%q,"build":"0","build_number":0,"subdir":"noarch","noarch":"generic"}`, name, version))
	if err != nil {
		return nil, err
	}
	data, err := packed("share/random", file)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	stem := name + "-" + version + "-0.tar.zst"
	for _, m := range []struct {
		name    string
		content []byte
	}{{"metadata.json", []byte(`{"conda_pkg_format_version": 2}`)}, {"pkg-" + stem, data}, {"info-" + stem, info}} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(m.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
