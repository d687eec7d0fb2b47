// Package protocols serves the ecosystems' own clients. Each package type is
// a folder below, an adapter between its wire protocol and the registry; this
// package holds what they share: the route table (route.go), the request with
// its space (request.go), the way files and documents are sent (file.go,
// document.go), and errors (error.go).
//
// It imports registry, auth and access. Adapters import this package and
// never each other. Its central idea: a type declares its routes as data with
// the right each one needs, and the gate is passed before a handler runs, so
// that nobody can forget it and a test can try them all.
package protocols

import (
	"net/http"

	"entrepot/registry"
)

// Type is a package type: what the domain knows of it, and its wire protocol.
type Type struct {
	registry.Type
	// Routes are tried in order; the first whose method and pattern match
	// serves the request.
	Routes []Route
	// Dialect writes errors as the type's clients read them; nil means plain
	// text.
	Dialect Dialect
	// OwnPaths tells that the clients dictate where the type is served: it is
	// not below Prefix, and a handler of its own enters Dispatch.
	OwnPaths bool
	// Endings are those of documents that lie beside the type's root and not
	// below it, "rpm.repo": the routes have them as the only segment, ".repo".
	Endings []string
}

// Dialect writes errors in the way of a type's clients.
type Dialect interface {
	// Challenge is the value of WWW-Authenticate on a 401.
	Challenge(r *Request) string
	// WriteError writes the answer to a request that failed. status is the
	// one that fits e's code; headers such as the challenge are set.
	WriteError(w http.ResponseWriter, r *Request, status int, e *registry.Error)
}
