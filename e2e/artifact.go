//go:build e2e

package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
)

// mavenFolder is where the files of a version of an artifact of com.example are.
func mavenFolder(owner, artifact, version string) string {
	return "/api/packages/" + owner + "/maven/com/example/" + artifact + "/" + version
}

// publishMaven deploys a jar and its POM, with a checksum of each, as Maven does.
func publishMaven(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	pom := fmt.Sprintf("<project><modelVersion>4.0.0</modelVersion><groupId>com.example</groupId><artifactId>%s</artifactId><version>%s</version></project>", name, version)
	var published []Published
	for _, file := range []struct {
		extension string
		body      []byte
	}{{"jar", randomBytes(64 << 10)}, {"pom", []byte(pom)}} {
		path := fmt.Sprintf("%s/%s-%s.%s", mavenFolder(owner, name, version), name, version, file.extension)
		sum := sha256.Sum256(file.body)
		published = append(published, Published{path, sum})
		if _, err := s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: path, As: as, Body: reader(file.body)}); err != nil {
			return published, err
		}
		if _, err := s.Want(ctx, http.StatusOK, Call{Method: "PUT", URL: path + ".sha256", As: as, Body: reader(fmt.Appendf(nil, "%x", sum))}); err != nil {
			return published, err
		}
	}
	return published, nil
}
