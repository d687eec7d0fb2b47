// Package composer is the package type for PHP packages: a repository of the
// kind Composer 2 reads, and a plain upload, for Composer has no command to
// publish.
//
// Its central idea: the composer.json of an uploaded archive (archive.go,
// manifest.go) is kept whole, as the client will read it, in the file's
// fragment (entry.go). The two documents of a package, one of its releases and
// one of its development versions, are these fragments in the order of the
// versions (p2.go, version.go), with what the server knows better filled in.
//
// The repository is described in
// https://getcomposer.org/doc/05-repositories.md#composer and composer.json in
// https://getcomposer.org/doc/04-schema.md.
package composer

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "composer"

// abandoned is what owners can say of a package. The reason, if it is a
// package's name, is the one to use instead.
const abandoned = "abandoned"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "Composer",
			States:       []string{abandoned},
			Instructions: instructions,
			Facts:        facts,
		},
		Routes:  routes(),
		Dialect: dialect{},
	}
}

// routes lists the endpoints. Uploads go to the root, with or without a final
// slash. Addresses of files with %2F in them are those of other registries.
func routes() []protocols.Route {
	const (
		get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	)
	return []protocols.Route{
		{Method: put, Pattern: "", Action: access.Write, Handle: publish},
		{Method: post, Pattern: "", Action: access.Write, Handle: publish},
		{Method: get, Pattern: "packages.json", Action: access.Read, Handle: root},
		{Method: get, Pattern: "p2/{vendor}/{document}", Action: access.Read, Handle: readPackage},
		{Method: get, Pattern: "list.json", Action: access.Read, Handle: list},
		{Method: get, Pattern: "search.json", Action: access.Read, Handle: search},
		{Method: get, Pattern: "files/{vendor}/{project}/{version}/{file}", Action: access.Read, Handle: download},
		{Method: get, Pattern: "files/{name}/{version}/{file}", Action: access.Read, Handle: download},
		{Method: del, Pattern: "packages/{vendor}/{project}/{version}", Action: access.Delete, Handle: deleteVersion},
	}
}

// contentType is that of every document. With a charset behind it Composer
// would not look for the messages in an error.
const contentType = "application/json"

// dialect writes errors as Composer prints them.
type dialect struct{}

// Challenge asks for Basic.
func (dialect) Challenge(*protocols.Request) string { return protocols.BasicChallenge }

// WriteError writes a list of errors. To who reads, its warning is what
// Composer prints; not for what is not there, since Composer asks every
// repository for every package and would print a line for each.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	type detail struct {
		Status  int    `json:"status"`
		Message string `json:"message"`
	}
	body := struct {
		Errors  []detail `json:"errors"`
		Warning string   `json:"warning,omitempty"`
	}{Errors: []detail{{status, e.Message}}}
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && status != http.StatusNotFound {
		body.Warning = e.Message
	}
	protocols.WriteJSON(w, r.Request, status, body)
}
