package server_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/swift" }
	headers := []string{"Content-Type", "multipart/form-data; boundary=" + swiftBoundary}
	seeds["swift"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", root(owner)+"/scope/"+name+"/1.0.0", swiftForm(owner, name), headers...)
	}
	below := func(path string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + strings.ReplaceAll(path, "NAME", name) }
	}
	const release = "{scope}/{name}/{version}"
	for key, call := range map[string]sample{
		"swift GET availability":                  {path: below("/availability")},
		"swift GET identifiers":                   {path: below("/identifiers?url=https://example.com/NAME"), status: 200},
		"swift POST ":                             {path: below("")},
		"swift POST login":                        {path: below("/login")},
		"swift GET {scope}/{name}":                {path: below("/scope/NAME"), status: 200},
		"swift GET " + release:                    {path: below("/scope/NAME/1.0.0"), status: 200},
		"swift GET " + release + "/Package.swift": {path: below("/scope/NAME/1.0.0/Package.swift"), status: 200},
		"swift PUT " + release:                    {path: below("/scope/NAME/2.0.0"), headers: headers, body: swiftForm, status: 201},
		"swift DELETE " + release:                 {path: below("/scope/NAME/1.0.0"), status: 204},
	} {
		samples[key] = call
	}
	open["swift GET availability"] = everybody(200)
	signedIn := everybody(200)
	signedIn[""] = 401
	open["swift POST "] = signedIn
	open["swift POST login"] = signedIn
}

const swiftBoundary = "a-boundary"

// swiftForm is the form of a publish of a package that comes from a repository
// of its name.
func swiftForm(_, name string) string {
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	// Writing into a buffer cannot fail.
	w, _ := z.Create("Package.swift")
	_, _ = io.WriteString(w, "// swift-tools-version:5.9\n// "+name)
	_ = z.Close()
	var b strings.Builder
	for _, part := range [][2]string{{"metadata", fmt.Sprintf(`{"repositoryURLs":["https://example.com/%s"]}`, name)}, {"source-archive", archive.String()}} {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", swiftBoundary, part[0], part[1])
	}
	return b.String() + "--" + swiftBoundary + "--\r\n"
}
