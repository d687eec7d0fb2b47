package server_test

import (
	"testing"

	"entrepot/server/servertest"
)

func init() {
	seeds["generic"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", genericPath(owner, name)+"/1.0.0/f.txt", "seed")
	}
	at := func(suffix string) func(owner, name string) string {
		return func(owner, name string) string { return genericPath(owner, name) + suffix }
	}
	for key, call := range map[string]sample{
		"generic GET {name}":                     {path: at(""), status: 200},
		"generic DELETE {name}":                  {path: at(""), status: 204},
		"generic GET {name}/{version}":           {path: at("/1.0.0"), status: 200},
		"generic DELETE {name}/{version}":        {path: at("/1.0.0"), status: 204},
		"generic GET {name}/{version}/{file}":    {path: at("/1.0.0/f.txt"), status: 200},
		"generic PUT {name}/{version}/{file}":    {path: at("/1.0.0/new.txt"), body: text("new"), status: 201},
		"generic DELETE {name}/{version}/{file}": {path: at("/1.0.0/f.txt"), status: 204},
	} {
		samples[key] = call
	}
}

func genericPath(owner, name string) string { return "/api/packages/" + owner + "/generic/" + name }

// text is a body that does not depend on the package.
func text(body string) func(owner, name string) string {
	return func(string, string) string { return body }
}
