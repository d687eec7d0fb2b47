//go:build e2e

package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
)

// publishNuget pushes a package the way dotnet does.
func publishNuget(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	pkg, err := nupkg(name, version)
	if err != nil {
		return nil, err
	}
	form, err := newNugetForm(pkg)
	if err != nil {
		return nil, err
	}
	root := "/api/packages/" + owner + "/nuget"
	_, err = s.Want(ctx, http.StatusCreated, Call{
		Method: "PUT", URL: root + "/", As: as, Body: reader(form.body),
		Header: map[string]string{"Content-Type": form.contentType},
	})
	id := strings.ToLower(name)
	return []Published{{root + "/package/" + id + "/" + version + "/" + id + "." + version + ".nupkg", sha256.Sum256(pkg)}}, err
}

// nupkg packs a package of random content.
func nupkg(id, version string) ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, file := range []struct {
		name string
		body []byte
	}{
		{id + ".nuspec", fmt.Appendf(nil, `<?xml version="1.0"?><package><metadata><id>%s</id><version>%s</version><authors>e2e</authors><description>A package</description></metadata></package>`, id, version)},
		{"content/file.bin", randomBytes(1 + rand.IntN(64<<10))},
	} {
		w, err := archive.Create(file.name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(file.body); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
