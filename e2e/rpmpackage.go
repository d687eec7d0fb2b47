//go:build e2e

package e2e

import (
	"context"
	"crypto/sha256"
	"math/rand/v2"
	"net/http"

	"entrepot/protocols/rpmtest"
)

// publishRPM uploads a package of about the size most have.
func publishRPM(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	body := rpmPackage(name, version)
	root := "/api/packages/" + owner + "/rpm/stable/"
	_, err := s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: root + "upload", As: as, Body: reader(body)})
	return []Published{{root + "package/" + name + "/" + version + "-1/noarch", sha256.Sum256(body)}}, err
}

// publishALT uploads the same to the repository of the other client.
func publishALT(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	body := rpmPackage(name, version)
	root := "/api/packages/" + owner + "/alt/"
	_, err := s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: root + "stable/upload", As: as, Body: reader(body)})
	return []Published{{root + "stable.repo/noarch/RPMS.classic/" + name + "-" + version + "-1.noarch.rpm", sha256.Sum256(body)}}, err
}

func rpmPackage(name, version string) []byte {
	return rpmtest.Package{
		Name: name, Version: version, Release: "1", Arch: "noarch", Summary: "for tests",
		Files: map[string]string{"/usr/share/" + name: string(randomBytes(1 + rand.IntN(64<<10)))},
	}.Bytes()
}
