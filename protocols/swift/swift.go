// Package swift is the package type for Swift packages: a registry as SwiftPM
// knows it.
//
// Its central idea: a release is its source archive, and all else that is told
// of it follows from the archive, what came with it in the form, and the time.
// So everything is made out at publish (archive.go, manifest.go, metadata.go,
// signature.go) and kept as one record beside the archive (record.go), from
// which each of the small documents is composed. Clients pin the archive's
// checksum: a removed release stays listed as gone, and its number can only
// come back with the same bytes.
//
// The protocol is the Swift package registry service, version 1
// (https://github.com/swiftlang/swift-package-manager/blob/main/Documentation/PackageRegistry/Registry.md),
// from the proposals SE-0292, SE-0321, SE-0378 and SE-0391.
package swift

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "swift"

// Options are what can be set for the type.
type Options struct {
	// RequireSignature takes signed releases alone.
	RequireSignature bool
}

// New returns the package type.
func New(o Options) *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:            typeName,
			Title:           "Swift",
			KeepsTombstones: true,
			FoldName:        fold,
			Instructions:    instructions,
			Facts:           facts,
		},
		Routes:  o.routes(),
		Dialect: dialect{},
	}
}

// routes lists the endpoints. Words that stand at a place of their own come
// before the parameters that would take them.
func (o Options) routes() []protocols.Route {
	const (
		get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete

		pkg     = "{scope}/{name}"
		release = pkg + "/{version}"
	)
	routes := []protocols.Route{
		{Method: get, Pattern: "availability", Open: true, SignIn: true, Handle: available},
		{Method: get, Pattern: "identifiers", Action: access.Read, Handle: identifiers},
		{Method: post, Pattern: "", Open: true, Handle: login},
		{Method: post, Pattern: "login", Open: true, Handle: login},
		{Method: get, Pattern: pkg, Action: access.Read, Handle: listReleases},
		{Method: get, Pattern: release + "/" + manifestName, Action: access.Read, Handle: showManifest},
		{Method: get, Pattern: release, Action: access.Read, Handle: showRelease},
		{Method: put, Pattern: release, Action: access.Write, Handle: o.publish},
		{Method: del, Pattern: release, Action: access.Delete, Handle: remove},
	}
	for i := range routes {
		routes[i].Handle = versioned(routes[i].Handle)
	}
	return routes
}

// versioned says the version of the protocol in every answer, whatever becomes
// of it, and refuses what clients of other versions ask for.
func versioned(handle func(http.ResponseWriter, *protocols.Request) error) func(http.ResponseWriter, *protocols.Request) error {
	return func(w http.ResponseWriter, r *protocols.Request) error {
		w.Header().Set("Content-Version", apiVersion)
		if err := checkAccept(r.Header.Values("Accept")); err != nil {
			return err
		}
		return handle(w, r)
	}
}

// available answers whether the registry is up.
func available(w http.ResponseWriter, _ *protocols.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}

// login tells whether the request's credential is a good one.
func login(w http.ResponseWriter, r *protocols.Request) error {
	if !r.Viewer.SignedIn() {
		return registry.Errorf(registry.Unauthenticated, "the request carries no credential")
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}
