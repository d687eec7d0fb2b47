// Package chef is the package type for Chef cookbooks: a registry as knife,
// Berkshelf, chef-cli and stove know the Supermarket.
//
// Its central idea: a cookbook's archive is looked into once, when it is shared
// (archive.go, metadata.go), and what the documents say of the version is kept
// as its fragment (record.go). The universe, from which the solvers of clients
// work, is these fragments of all versions there are (universe.go). Clients
// that publish sign their requests with a key of their account (sign.go,
// keys.go); those that read carry no credential beyond the first request, so
// that a private owner's URLs carry one in their path (base.go).
//
// The API is described in https://docs.chef.io/supermarket/supermarket_api/ and
// the signatures in https://github.com/chef/mixlib-authentication; the rest is
// what the clients send.
package chef

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "chef"

// api is where the API begins, below the root.
const api = "api/v1"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "Chef",
			States:       []string{deprecated},
			Yanks:        true,
			SkipsYanked:  true,
			FoldName:     fold,
			Instructions: instructions,
			Facts:        facts,
		},
		Routes:  routes(newSigned()),
		Dialect: dialect{},
	}
}

// routes lists the endpoints. Those of the API are there a second time, below a
// token.
func routes(s *signed) []protocols.Route {
	const (
		get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete

		cookbook = api + "/cookbooks/{name}"
		version  = cookbook + "/versions/{version}"
	)
	below := []protocols.Route{
		{Method: get, Pattern: "universe", Action: access.Read, Handle: universe},
		{Method: get, Pattern: api + "/universe", Action: access.Read, Handle: universe},
		{Method: get, Pattern: api + "/cookbooks", Action: access.Read, Handle: list},
		{Method: get, Pattern: api + "/search", Action: access.Read, Handle: search},
		{Method: get, Pattern: cookbook, Action: access.Read, Handle: showCookbook},
		{Method: get, Pattern: cookbook + "/contingent", Action: access.Read, Handle: contingent},
		{Method: get, Pattern: version, Action: access.Read, Handle: showVersion},
		{Method: get, Pattern: version + "/download", Action: access.Read, Handle: download},
		{Method: post, Pattern: api + "/cookbooks", Action: access.Write, Handle: s.share},
		{Method: put, Pattern: cookbook + "/deprecate", Action: access.Write, Handle: deprecate},
		{Method: del, Pattern: cookbook + "/deprecate", Action: access.Write, Handle: undeprecate},
		{Method: del, Pattern: version, Action: access.Delete, Handle: removeVersion},
		{Method: del, Pattern: cookbook, Action: access.Delete, Handle: removeCookbook},
	}
	routes := []protocols.Route{
		{Method: get, Pattern: "keys", Open: true, Handle: listKeys},
		{Method: put, Pattern: "keys/{key}", Open: true, Handle: setKey},
		{Method: del, Pattern: "keys/{key}", Open: true, Handle: removeKey},
	}
	for _, prefix := range []string{"", tokenPath + "/{token}/"} {
		for _, route := range below {
			route.Pattern = prefix + route.Pattern
			if route.Method == get {
				route.Identify = identify
			} else {
				route.Identify = s.identify
				route.Handle = s.whole(route.Handle)
			}
			routes = append(routes, route)
		}
	}
	return routes
}
