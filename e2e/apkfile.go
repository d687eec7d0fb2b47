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

// publishAlpine uploads a package of about the size most have.
func publishAlpine(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	version += "-r0"
	body, err := apkPackage(name, version, randomBytes(1+rand.IntN(64<<10)))
	if err != nil {
		return nil, err
	}
	repository := "/api/packages/" + owner + "/alpine/edge/main"
	_, err = s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: repository, As: as, Body: reader(body)})
	return []Published{{repository + "/x86_64/" + name + "-" + version + ".apk", sha256.Sum256(body)}}, err
}

// apkPackage packs a package with one file, as abuild does: a gzip member with
// the description, whose archive has no end, and one with the file.
func apkPackage(name, version string, file []byte) ([]byte, error) {
	data, err := apkMember("usr/share/"+name, file)
	if err != nil {
		return nil, err
	}
	info := fmt.Sprintf("pkgname = %s\npkgver = %s\npkgdesc = for tests\narch = x86_64\nsize = %d\ndatahash = %x\n", name, version, len(file), sha256.Sum256(data))
	control, err := apkMember(".PKGINFO", []byte(info))
	return append(control, data...), err
}

func apkMember(path string, content []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(content))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	end := w.Flush
	if path != ".PKGINFO" {
		end = w.Close
	}
	if err := end(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
