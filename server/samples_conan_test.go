package server_test

import (
	"strings"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	// A recipe with one binary, in the revisions that version 1 of the API
	// knows, so that both versions find them.
	const binary = "/packages/b/revisions/0"
	seeds["conan"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		root := "/api/packages/" + owner + "/conan/v2/conans/" + name + "/1.0/_/_/revisions/0"
		for _, file := range []string{"/files/conanfile.py", "/files/conanmanifest.txt", binary + "/files/conaninfo.txt", binary + "/files/conanmanifest.txt"} {
			s.Want(t, 201, "ann", "PUT", root+file, "")
		}
	}
	fill := strings.NewReplacer("{version}", "1.0", "{user}", "_", "{channel}", "_", "{rrev}", "0", "{package}", "b", "{prev}", "0", "{files}", "files;a=b")
	add := func(method, pattern, file string, status int, body string) {
		samples["conan "+method+" "+pattern] = sample{
			path: func(owner, name string) string {
				path := strings.NewReplacer("{name}", name, "{path...}", file).Replace(fill.Replace(pattern))
				return "/api/packages/" + owner + "/conan/" + path
			},
			body: text(body), status: status,
		}
	}
	const (
		recipe   = "v2/conans/{name}/{version}/{user}/{channel}"
		revision = recipe + "/revisions/{rrev}"
		packages = revision + "/packages"
		pkg      = packages + "/{package}"
		built    = pkg + "/revisions/{prev}"
		old      = "v1/conans/{name}/{version}/{user}/{channel}"
		oldPkg   = old + "/packages/{package}"
		file     = "v1/{files}/{name}/{version}/{user}/{channel}/{rrev}"
	)
	for _, pattern := range []string{
		"v1/conans/search", "v2/conans/search",
		recipe + "/latest", recipe + "/revisions", recipe + "/search", revision + "/search", revision + "/files",
		pkg + "/latest", pkg + "/revisions", built + "/files",
		old, old + "/digest", old + "/download_urls", old + "/search", oldPkg, oldPkg + "/digest", oldPkg + "/download_urls",
	} {
		add("GET", pattern, "", 200, "")
	}
	for pattern, name := range map[string]string{
		revision + "/files/{path...}": "conanfile.py", file + "/recipe/{path...}": "conanfile.py",
		built + "/files/{path...}": "conaninfo.txt", file + "/package/{package}/{prev}/{path...}": "conaninfo.txt",
	} {
		add("GET", pattern, name, 200, "")
		add("PUT", pattern, name, 201, "new")
	}
	for _, pattern := range []string{recipe, revision, packages, pkg, built, old} {
		add("DELETE", pattern, "", 200, "")
	}
	add("POST", old+"/upload_urls", "", 200, `{"conanfile.py":1}`)
	add("POST", oldPkg+"/upload_urls", "", 200, `{"conaninfo.txt":1}`)
	add("POST", old+"/remove_files", "", 200, `{"files":["conanfile.py"]}`)
	add("POST", old+"/packages/delete", "", 200, `{"package_ids":[]}`)
	for _, api := range []string{"v1", "v2"} {
		signedIn := everybody(200)
		signedIn[""] = 401
		for pattern, statuses := range map[string]map[string]int{"/ping": everybody(200), "/users/authenticate": signedIn, "/users/check_credentials": signedIn} {
			add("GET", api+pattern, "", 200, "")
			open["conan GET "+api+pattern] = statuses
		}
	}
}
