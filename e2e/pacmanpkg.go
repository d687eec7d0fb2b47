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
)

// publishArch uploads a package of about the size most have.
func publishArch(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	version += "-1"
	body, err := pacmanPackage(name, version, randomBytes(1+rand.IntN(64<<10)))
	if err != nil {
		return nil, err
	}
	group := "/api/packages/" + owner + "/arch/stable"
	_, err = s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: group, As: as, Body: reader(body)})
	return []Published{{group + "/x86_64/" + name + "-" + version + "-x86_64.pkg.tar.gz", sha256.Sum256(body)}}, err
}

// pacmanPackage packs a package with one file, as makepkg does: an archive of
// the description and the file.
func pacmanPackage(name, version string, file []byte) ([]byte, error) {
	info := fmt.Sprintf("pkgname = %s\npkgver = %s\npkgdesc = for tests\narch = x86_64\nsize = %d\n", name, version, len(file))
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, part := range []struct {
		path string
		body []byte
	}{{".PKGINFO", []byte(info)}, {"usr/share/" + name, file}} {
		if err := w.WriteHeader(&tar.Header{Name: part.path, Mode: 0o644, Size: int64(len(part.body))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(part.body); err != nil {
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
