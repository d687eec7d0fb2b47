package graph

import "testing"

// What owners say of their NuGet packages.
func TestNugetSettings(t *testing.T) {
	f := newFixture(t)
	f.want("ann", `mutation{createOrganization(input:{name:"acme"}){owner{nugetDelete}}}`, nil,
		`{"createOrganization":{"owner":{"nugetDelete":"DELETE"}}}`)
	const update = `mutation($input:UpdateOwnerInput!){updateOwner(input:$input){owner{nugetDelete}}}`
	for _, change := range []struct {
		input vars
		want  string
	}{
		{vars{"name": "acme", "nugetDelete": "UNLIST"}, "UNLIST"},
		{vars{"name": "acme", "description": "What is left out stays"}, "UNLIST"},
		{vars{"name": "acme", "nugetDelete": "DELETE"}, "DELETE"},
	} {
		f.want("ann", update, vars{"input": change.input}, `{"updateOwner":{"owner":{"nugetDelete":"`+change.want+`"}}}`)
	}
	f.wantError("bob", update, vars{"input": vars{"name": "acme", "nugetDelete": "UNLIST"}}, "FORBIDDEN", "")
	f.want("bob", `{owner(name:"acme"){nugetDelete}}`, nil, `{"owner":{"nugetDelete":null}}`)
}
