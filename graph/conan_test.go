package graph

import "testing"

// What owners say of their Conan packages.
func TestConanSettings(t *testing.T) {
	f := newFixture(t)
	const shown = `owner{conanImmutableRevisions conanKeepRecipes conanKeepPackages conanReferenceSize}`
	f.want("ann", `mutation{createOrganization(input:{name:"acme"}){`+shown+`}}`, nil,
		`{"createOrganization":{"owner":{"conanImmutableRevisions":false,"conanKeepRecipes":0,"conanKeepPackages":0,"conanReferenceSize":0}}}`)
	const update = `mutation($input:UpdateOwnerInput!){updateOwner(input:$input){` + shown + `}}`
	f.want("ann", update, vars{"input": vars{"name": "acme", "conanImmutableRevisions": true, "conanKeepRecipes": 3}},
		`{"updateOwner":{"owner":{"conanImmutableRevisions":true,"conanKeepRecipes":3,"conanKeepPackages":0,"conanReferenceSize":0}}}`)
	// What is left out stays.
	f.want("ann", update, vars{"input": vars{"name": "acme", "conanKeepPackages": 2, "conanReferenceSize": 1 << 40}},
		`{"updateOwner":{"owner":{"conanImmutableRevisions":true,"conanKeepRecipes":3,"conanKeepPackages":2,"conanReferenceSize":1099511627776}}}`)
	f.wantError("ann", update, vars{"input": vars{"name": "acme", "conanKeepRecipes": -1}}, "INVALID", "conanKeepRecipes")
	f.wantError("ann", update, vars{"input": vars{"name": "acme", "conanKeepPackages": 100_001}}, "INVALID", "conanKeepPackages")
	f.wantError("ann", update, vars{"input": vars{"name": "acme", "conanReferenceSize": -1}}, "INVALID", "conanReferenceSize")
	f.wantError("bob", update, vars{"input": vars{"name": "acme", "conanKeepRecipes": 1}}, "FORBIDDEN", "")
	f.want("bob", `{owner(name:"acme"){conanImmutableRevisions conanKeepRecipes conanKeepPackages conanReferenceSize}}`, nil,
		`{"owner":{"conanImmutableRevisions":null,"conanKeepRecipes":null,"conanKeepPackages":null,"conanReferenceSize":null}}`)
}
