package route_test

import (
	"testing"

	"entrepot/access"
	"entrepot/web/route"
)

// An owner must not have a name whose pages could never be reached.
func TestReservedNamesCannotBeOwners(t *testing.T) {
	for _, name := range []string{
		"search", "sign-in", "sign-out", "setup", "orgs", "settings", "static", "-", "admin", "api", "v2", "graphql",
		"graphiql", "docs", "metrics", "healthz", "readyz", "favicon.ico", "robots.txt", ".well-known", "Search",
	} {
		if !route.Reserved(name) {
			t.Errorf("%q is not reserved", name)
		}
		if access.ValidOwnerName(name) {
			t.Errorf("%q can be an owner and has no page", name)
		}
	}
}
