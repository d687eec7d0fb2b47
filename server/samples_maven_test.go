package server_test

import (
	"testing"

	"entrepot/server/servertest"
)

func init() {
	file := func(version string) func(owner, name string) string {
		return func(owner, name string) string {
			return "/api/packages/" + owner + "/maven/com/example/" + name + "/" + version + "/" + name + "-" + version + ".jar"
		}
	}
	seeds["maven"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", file("1.0")(owner, name), "jar")
	}
	samples["maven GET {path...}"] = sample{path: file("1.0"), status: 200}
	samples["maven PUT {path...}"] = sample{path: file("2.0"), body: text("new"), status: 201}
	samples["maven DELETE {path...}"] = sample{path: file("1.0"), status: 204}
}
