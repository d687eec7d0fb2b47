//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// publishDebian uploads a package of about the size most have.
func publishDebian(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: Alice <alice@example.com>\nDescription: for tests\n", name, version)
	body, err := debPackage(control, randomBytes(1+rand.IntN(64<<10)))
	if err != nil {
		return nil, err
	}
	root := "/api/packages/" + owner + "/debian/pool/stable/main/"
	_, err = s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: root + "upload", As: as, Body: reader(body)})
	return []Published{{root + name + "_" + version + "_amd64.deb", sha256.Sum256(body)}}, err
}

// debPackage packs a Debian package with one file, as dpkg-deb does: an ar
// archive of the format's number, the control file and the file.
func debPackage(control string, file []byte) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	add := func(name string, body []byte) {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", name, 0, 0, 0, "100644", len(body), body)
		if len(body)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	add("debian-binary", []byte("2.0\n"))
	for _, part := range []struct {
		name, path string
		body       []byte
	}{{"control.tar", "./control", []byte(control)}, {"data.tar", "./usr/share/file", file}} {
		var packed bytes.Buffer
		w := tar.NewWriter(&packed)
		if err := w.WriteHeader(&tar.Header{Name: part.path, Mode: 0o644, Size: int64(len(part.body))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(part.body); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		add(part.name, packed.Bytes())
	}
	return b.Bytes(), nil
}
