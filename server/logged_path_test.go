package server

import (
	"net/http/httptest"
	"testing"
)

// TestLoggedPath holds that no log has what stands for a credential in a path.
func TestLoggedPath(t *testing.T) {
	for path, want := range map[string]string{
		"/api/packages/acme/npm/left": "/api/packages/acme/npm/left",
		"/setup/ent-secret":           "/setup/ent-***",
		"/api/packages/acme/conda/t/ent-secret/noarch/repodata.json": "/api/packages/acme/conda/t/ent-***/noarch/repodata.json",
		"/api/packages/acme/conda/t/password/noarch/repodata.json":   "/api/packages/acme/conda/t/***/noarch/repodata.json",
		"/t/password/api/packages/acme/conda/noarch/foo-1.0-0.conda": "/t/***/api/packages/acme/conda/noarch/foo-1.0-0.conda",
		"/t/pass%20word/api/packages/acme/conda/noarch/x":            "/t/***/api/packages/acme/conda/noarch/x",
		"/t/password":                                                 "/t/***",
		"/api/packages/acme/generic/t/1.0/file":                       "/api/packages/acme/generic/t/***/file",
		"/api/packages/acme/generic/tool/t/file":                      "/api/packages/acme/generic/tool/t/file",
		"/api/packages/acme/conda/tools/noarch/foo-1.0-0.conda/yank":  "/api/packages/acme/conda/tools/noarch/foo-1.0-0.conda/yank",
		"/api/packages/acme/chef/t/ent-pass.1.secret/api/v1/universe": "/api/packages/acme/chef/t/ent-***/api/v1/universe",
	} {
		if got := loggedPath(httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("%s is logged as %s, want %s", path, got, want)
		}
	}
}
