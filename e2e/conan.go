//go:build e2e

package e2e

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
)

// publishConan publishes a recipe of three files, the manifest last.
func publishConan(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	recipe := fmt.Appendf(nil, "from conan import ConanFile\n\nclass Pkg(ConanFile):\n    name = %q\n    version = %q\n    description = %q\n",
		name, version, randomBytes(4<<10))
	sum := md5.Sum(recipe)
	revision := hex.EncodeToString(sum[:])
	folder := "/api/packages/" + owner + "/conan/v2/conans/" + name + "/" + version + "/_/_/revisions/" + revision + "/files/"
	var published []Published
	for _, file := range []struct {
		name string
		body []byte
	}{
		{"conan_export.tgz", randomBytes(16 << 10)},
		{"conanfile.py", recipe},
		{"conanmanifest.txt", fmt.Appendf(nil, "1700000000\nconanfile.py: %s\n", revision)},
	} {
		published = append(published, Published{folder + file.name, sha256.Sum256(file.body)})
		call := Call{Method: "PUT", URL: folder + file.name, As: as, Body: reader(file.body)}
		if _, err := s.Want(ctx, http.StatusCreated, call); err != nil {
			return published, err
		}
	}
	return published, nil
}
