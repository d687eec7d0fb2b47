// Package npm is the package type for JavaScript packages: the registry that
// npm, pnpm, yarn and bun speak to.
//
// Its central idea: a publish is taken apart once, while it streams by
// (body.go, scan.go, tarball.go), and what clients will ask for is rendered
// then and there into a fragment of JSON (manifest.go, fragment.go). A
// packument, the document of all versions of a package, is those fragments
// one after the other (packument.go); nothing is decoded to serve it.
//
// The protocol is written down nowhere as a whole. The nearest to it are
// https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md and
// https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md;
// the rest is what the clients send.
package npm

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "npm"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:           typeName,
			Title:          "npm",
			KeepsLatestTag: true,
			Instructions:   instructions,
			Facts:          facts,
		},
		Routes:  routes(),
		Dialect: dialect{},
	}
}

// routes lists the endpoints. "-" can be no package's name, so everything
// below it comes first.
func routes() []protocols.Route {
	const (
		get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete

		tag    = "-/package/{package...}/dist-tags/{tag}"
		file   = "{package...}/-/{file}"
		nested = "{package...}/-/{folder}/{file}"
	)
	return []protocols.Route{
		{Method: get, Pattern: "-/ping", Open: true, Handle: ping},
		{Method: get, Pattern: "-/whoami", Open: true, Handle: whoami},
		{Method: put, Pattern: "-/user/{user}", Open: true, SignIn: true, Handle: login},
		{Method: del, Pattern: "-/user/token/{token}", Open: true, Handle: logout},
		{Method: get, Pattern: "-/v1/search", Action: access.Read, Handle: search},

		{Method: get, Pattern: "-/package/{package...}/dist-tags", Action: access.Read, Handle: listTags},
		{Method: put, Pattern: tag, Action: access.Write, Handle: setTag},
		{Method: post, Pattern: tag, Action: access.Write, Handle: setTag},
		{Method: del, Pattern: tag, Action: access.Write, Handle: removeTag},

		// What is not here is told to be missing, so that clients go on
		// without: npm asks for a login by browser and falls back to the
		// password, asks for advisories and skips the audit.
		{Method: post, Pattern: "-/v1/login", Open: true, SignIn: true, Handle: missing},
		{Method: get, Pattern: "-/{rest...}", Action: access.Read, Handle: missing},
		{Method: put, Pattern: "-/{rest...}", Action: access.Read, Handle: missing},
		{Method: post, Pattern: "-/{rest...}", Action: access.Read, Handle: missing},
		{Method: del, Pattern: "-/{rest...}", Action: access.Read, Handle: missing},

		{Method: del, Pattern: file + "/-rev/{rev}", Action: access.Delete, Handle: deleteFile},
		{Method: del, Pattern: nested + "/-rev/{rev}", Action: access.Delete, Handle: deleteFile},
		{Method: get, Pattern: file, Action: access.Read, File: fileInPath, Handle: download},
		{Method: get, Pattern: nested, Action: access.Read, File: fileInPath, Handle: download},

		{Method: put, Pattern: "{package...}/-rev/{rev}", Action: access.Delete, Handle: unpublish},
		{Method: del, Pattern: "{package...}/-rev/{rev}", Action: access.Delete, Handle: deletePackage},

		{Method: get, Pattern: "{package...}", Action: access.Read, Handle: read},
		{Method: put, Pattern: "{package...}", Action: access.Write, Handle: write},
	}
}

// missing answers for endpoints of the protocol that this server lacks.
func missing(http.ResponseWriter, *protocols.Request) error {
	return registry.Errorf(registry.NotFound, "this registry does not have that endpoint")
}

// dialect writes errors as npm prints them.
type dialect struct{}

// Challenge asks for Basic. It must hold neither "otp" nor "ipaddress": npm
// would ask for a one-time password, or blame the address.
func (dialect) Challenge(*protocols.Request) string { return protocols.BasicChallenge }

// WriteError writes the one member npm looks for.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	protocols.WriteJSON(w, r.Request, status, map[string]string{"error": e.Message})
}

// ok is the answer to a change that has nothing more to say.
func ok(w http.ResponseWriter, r *protocols.Request) error {
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]bool{"ok": true})
	return nil
}
