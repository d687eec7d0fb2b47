// Package cargo is the package type for Rust crates: a registry with a sparse
// index, for cargo and what reads the same documents.
//
// Its central idea: a publish is taken apart while it streams by (frame.go,
// upload.go, crate.go), and the crate's line of the index is rendered then
// (line.go). The index file of a crate is its lines one after the other
// (index.go); what can change of a line, whether the version is yanked, is
// filled in there.
//
// The protocol is described in
// https://doc.rust-lang.org/cargo/reference/registry-index.html and
// https://doc.rust-lang.org/cargo/reference/registry-web-api.html.
package cargo

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "cargo"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:            typeName,
			Title:           "Cargo",
			Yanks:           true,
			PrefersYank:     true,
			KeepsTombstones: true,
			SkipsYanked:     true,
			FoldName:        fold,
			Instructions:    instructions,
			Facts:           facts,
		},
		Routes:  routes(),
		Dialect: dialect{},
	}
}

// routes lists the endpoints. The index comes last: its paths have as many
// segments as some of the API's, and no crate's folder is called "api".
func routes() []protocols.Route {
	const (
		get, put, patch, del = http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete

		api     = "api/v1/crates"
		crate   = api + "/{crate}"
		version = crate + "/{version}"
	)
	return []protocols.Route{
		{Method: get, Pattern: "config.json", Action: access.Read, Handle: config},
		{Method: get, Pattern: "me", Open: true, SignIn: true, Handle: me},

		{Method: get, Pattern: api, Action: access.Read, Handle: search},
		{Method: put, Pattern: api + "/new", Action: access.Write, Handle: publish},
		{Method: get, Pattern: crate + "/owners", Action: access.Read, Handle: owners},
		{Method: put, Pattern: crate + "/owners", Action: access.Write, Handle: changeOwners},
		{Method: del, Pattern: crate + "/owners", Action: access.Write, Handle: changeOwners},
		{Method: get, Pattern: crate + "/versions", Action: access.Read, Handle: listVersions},
		{Method: get, Pattern: crate + "/reverse_dependencies", Action: access.Read, Handle: listDependents},
		{Method: get, Pattern: version + "/download", Action: access.Read, File: fileInPath, Handle: download},
		{Method: get, Pattern: version + "/readme", Action: access.Read, Handle: readme},
		{Method: get, Pattern: version + "/dependencies", Action: access.Read, Handle: listDependencies},
		{Method: del, Pattern: version + "/yank", Action: access.Write, Handle: yank},
		{Method: put, Pattern: version + "/unyank", Action: access.Write, Handle: unyank},
		{Method: patch, Pattern: version, Action: access.Write, Handle: changeVersion},
		{Method: get, Pattern: version, Action: access.Read, Handle: showVersion},
		{Method: get, Pattern: crate, Action: access.Read, Handle: showCrate},

		{Method: get, Pattern: "{first}/{crate}", Action: access.Read, Handle: index},
		{Method: get, Pattern: "{first}/{second}/{crate}", Action: access.Read, Handle: index},
	}
}

// dialect writes errors as cargo prints them.
type dialect struct{}

// Challenge asks for Basic, which browsers and other tools know, and tells
// cargo where a token is to be had; it prints that address.
func (dialect) Challenge(r *protocols.Request) string {
	return protocols.BasicChallenge + `, Cargo login_url="` + tokenPage(r) + `"`
}

// WriteError writes the list whose details cargo prints.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	type detail struct {
		Detail string `json:"detail"`
	}
	protocols.WriteJSON(w, r.Request, status, struct {
		OK     bool     `json:"ok"`
		Errors []detail `json:"errors"`
	}{Errors: []detail{{e.Message}}})
}

// ok is the answer to a change that has nothing more to say.
func ok(w http.ResponseWriter, r *protocols.Request) error {
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]bool{"ok": true})
	return nil
}

// notFound is the one answer for crates and versions that are not there.
func notFound(what string) error { return registry.Errorf(registry.NotFound, "%s not found", what) }
