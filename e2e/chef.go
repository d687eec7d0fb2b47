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

// publishChef shares a cookbook.
func publishChef(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	w := tar.NewWriter(z)
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{"metadata.json", fmt.Appendf(nil, `{"name":%q,"version":%q}`, name, version)}, {"data", randomBytes(8 << 10)},
	} {
		if err := w.WriteHeader(&tar.Header{Name: name + "/" + file.name, Mode: 0o644, Size: int64(len(file.content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(file.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	const boundary = "entrepot-boundary"
	body := fmt.Appendf(nil, "--%s\r\nContent-Disposition: form-data; name=\"tarball\"; filename=\"c.tgz\"\r\n\r\n%s\r\n--%[1]s--\r\n", boundary, archive.Bytes())
	root := "/api/packages/" + owner + "/chef/api/v1/cookbooks"
	_, err := s.Want(ctx, http.StatusCreated, Call{
		Method: "POST", URL: root, As: as, Body: reader(body), Header: map[string]string{"Content-Type": "multipart/form-data; boundary=" + boundary},
	})
	return []Published{{root + "/" + name + "/versions/" + version + "/download", sha256.Sum256(archive.Bytes())}}, err
}
