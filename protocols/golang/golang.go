// Package golang is the package type "go": a module proxy that the go command
// reads from, and an upload of module zips.
//
// Its central idea: a version is checked in full when it is uploaded, with the
// same functions of golang.org/x/mod by which the go command will check it
// (spool.go, inspect.go), so that what is taken can be used; after that its
// files are served as they are, and the lists of versions are composed from
// the rows (list.go, latest.go).
//
// The protocol is https://go.dev/ref/mod#goproxy-protocol.
package golang

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "go"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:            typeName,
			Title:           "Go",
			KeepsTombstones: true,
			Instructions:    instructions,
			Facts:           facts,
		},
		Routes: routes(),
	}
}

// routes lists the endpoints. The first element of a module's path has a dot
// in it, which tells it from "upload" and "sumdb". Of several "/@v/" in a path
// the last one counts.
func routes() []protocols.Route {
	const get, put, del = http.MethodGet, http.MethodPut, http.MethodDelete
	return []protocols.Route{
		{Method: put, Pattern: "upload", Action: access.Write, Handle: upload},
		{Method: get, Pattern: "sumdb/{rest...}", Action: access.Read, Handle: noChecksums},
		{Method: get, Pattern: "{module...}/@v/list", Action: access.Read, Handle: list},
		{Method: get, Pattern: "{module...}/@latest", Action: access.Read, Handle: latest},
		{Method: get, Pattern: "{module...}/@v/{file}", Action: access.Read, Handle: download},
		{Method: del, Pattern: "{module...}/@v/{file}", Action: access.Delete, Handle: remove},
	}
}

// noChecksums tells the go command that no checksum database is behind this
// proxy, whichever it asks for; it then asks that one itself.
// https://go.dev/ref/mod#checksum-database
func noChecksums(http.ResponseWriter, *protocols.Request) error {
	return registry.Errorf(registry.NotFound, "not found: this proxy stands for no checksum database")
}
