//go:build e2e

package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
)

func publishComposer(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	body, err := composerArchive("a/"+name, version)
	if err != nil {
		return nil, err
	}
	root := "/api/packages/" + owner + "/composer"
	_, err = s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: root, As: as, Body: reader(body)})
	file := root + "/files/a/" + name + "/" + version + "/a-" + name + "." + version + ".zip"
	return []Published{{file, sha256.Sum256(body)}}, err
}

// composerArchive is a package with a file of random bytes.
func composerArchive(name, version string) ([]byte, error) {
	manifest, err := json.Marshal(map[string]string{"name": name, "version": version})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, file := range []struct {
		name    string
		content []byte
	}{{"composer.json", manifest}, {"data", randomBytes(4 << 10)}} {
		w, err := z.Create(file.name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(file.content); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
