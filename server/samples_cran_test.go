package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/cran/" }
	at := func(format string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + fmt.Sprintf(format, name) }
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	const (
		folder = "bin/linux/x/contrib/4.2/"
		built  = "Built: R 4.2.2; ; 2026-01-02 03:04:05 UTC; unix\n"
	)
	seeds["cran"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", root(owner)+"src", cranPackage(name, "1.0", ""))
		s.Want(t, 201, "ann", "PUT", root(owner)+folder+"x", cranPackage(name, "1.0", built))
	}
	newSource := func(_, name string) string { return cranPackage(name, "2.0", "") }
	newBinary := func(_, name string) string { return cranPackage(name, "2.0", built) }
	const binary = "bin/{platform...}/contrib/{rversion}/{file}"
	for key, call := range map[string]sample{
		"cran PUT src": {path: fixed("src"), body: newSource, status: 201},
		"cran PUT bin": {path: fixed("bin?platform=linux/x&rversion=4.2"), body: newBinary, status: 201},

		"cran GET src/contrib/Meta/archive.rds":                {path: fixed("src/contrib/Meta/archive.rds"), unseeded: true, status: 200},
		"cran GET src/contrib/Meta/current.rds":                {path: fixed("src/contrib/Meta/current.rds"), unseeded: true, status: 200},
		"cran GET src/contrib/Archive/{name}":                  {path: at("src/contrib/Archive/%s/"), status: 200},
		"cran GET src/contrib/Archive/{name}/{file}":           {path: at("src/contrib/Archive/%[1]s/%[1]s_1.0.tar.gz"), status: 200},
		"cran GET src/contrib/Archive/{name}/{version}/{file}": {path: at("src/contrib/Archive/%[1]s/1.0/%[1]s_1.0.tar.gz"), status: 200},

		"cran GET src/contrib/{file}":    {path: at("src/contrib/%s_1.0.tar.gz"), status: 200},
		"cran PUT src/contrib/{file}":    {path: at("src/contrib/%s_2.0.tar.gz"), body: newSource, status: 201},
		"cran DELETE src/contrib/{file}": {path: at("src/contrib/%s_1.0.tar.gz"), status: 204},

		"cran GET " + binary:    {path: at(folder + "%s_1.0.tar.gz"), status: 200},
		"cran PUT " + binary:    {path: at(folder + "%s_2.0.tar.gz"), body: newBinary, status: 201},
		"cran DELETE " + binary: {path: at(folder + "%s_1.0.tar.gz"), status: 204},

		"cran GET web/packages/{name}/DESCRIPTION": {path: at("web/packages/%s/DESCRIPTION"), status: 200},
		"cran GET web/packages/{name}/index.html":  {path: at("web/packages/%s/index.html"), status: 302},
	} {
		samples[key] = call
	}
}

// cranPackage is an R package that holds nothing but its DESCRIPTION.
func cranPackage(name, version, more string) string {
	description := fmt.Sprintf("Package: %s\nVersion: %s\nLicense: MIT\n%s", name, version, more)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	archive := tar.NewWriter(z)
	// Writing into a buffer cannot fail.
	_ = archive.WriteHeader(&tar.Header{Name: name + "/DESCRIPTION", Mode: 0o644, Size: int64(len(description))})
	_, _ = archive.Write([]byte(description))
	_ = archive.Close()
	_ = z.Close()
	return out.String()
}
