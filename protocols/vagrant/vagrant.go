// Package vagrant is the package type for Vagrant: boxes, the archives that a
// provider of virtual machines imports.
//
// Its central idea: a box is a package, and each provider and architecture of
// a version one file with a fragment of its own. What clients read is one
// document of all of them (metadata.go), in two spellings of the name: by its
// URL, and by the short name owner/box, for which the client asks at the root
// of the host (alias.go). While an upload streams to the store it is looked
// into (scan.go), since a box that contradicts its path is refused by the
// client only after a long download.
//
// The client carries no credential from the document to the files that it
// names. So who reads what is not for everybody gets links that speak for the
// reader, for a while (see auth.Linker).
//
// The document is described at
// https://developer.hashicorp.com/vagrant/docs/boxes/format, versions are those
// of RubyGems (version.go).
package vagrant

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "vagrant"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "Vagrant",
			FoldName:     fold,
			Instructions: instructions,
			Facts:        facts,
		},
		Routes:  routes(),
		Dialect: dialect{},
	}
}

func routes() []protocols.Route {
	const (
		get, put, del = http.MethodGet, http.MethodPut, http.MethodDelete

		box     = "{name}/{version}/{file}"
		archBox = "{name}/{version}/{provider}/{file}"
	)
	return []protocols.Route{
		{Method: get, Pattern: "authenticate", Open: true, Identify: identify, Handle: authenticate},
		{Method: get, Pattern: "{name}", Action: access.Read, Identify: identify, Handle: showMetadata},
		{Method: del, Pattern: "{name}", Action: access.Delete, Handle: deleteBox},
		{Method: del, Pattern: "{name}/{version}", Action: access.Delete, Handle: deleteVersion},
		{Method: get, Pattern: box, Action: access.Read, Identify: identify, Handle: download},
		{Method: put, Pattern: box, Action: access.Write, Handle: upload},
		{Method: del, Pattern: box, Action: access.Delete, Handle: deleteFile},
		{Method: get, Pattern: archBox, Action: access.Read, Identify: identify, Handle: download},
		{Method: put, Pattern: archBox, Action: access.Write, Handle: upload},
		{Method: del, Pattern: archBox, Action: access.Delete, Handle: deleteFile},
	}
}

// authenticate tells whether the request's credential is a good one, whatever
// it may be used for.
func authenticate(w http.ResponseWriter, r *protocols.Request) error {
	if !r.Viewer.SignedIn() {
		return registry.Errorf(registry.Unauthenticated, "the request carries no credential")
	}
	w.Header().Set("Cache-Control", "no-store")
	protocols.WriteJSON(w, r.Request, http.StatusOK, struct{}{})
	return nil
}
