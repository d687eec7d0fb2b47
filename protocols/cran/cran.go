// Package cran is the package type of R: a repository as CRAN lays one out,
// with source packages, binary packages for each platform and minor version of
// R, and an archive of old versions.
//
// Its central idea: of an uploaded package the DESCRIPTION is read (archive.go,
// dcf.go, description.go), and the record that the index will have of it is
// written then and there. Sources, and binaries of each platform, have an
// index of their own, kept by the registry's engine for repository-wide
// indexes (index.go): the highest version of each package, by R's order. What
// R reads in its own binary form is made of these texts when it is asked for
// (rds.go, meta.go).
//
// The layout is described in "R Installation and Administration", section 6.6,
// the files in "Writing R Extensions", section 1.1.1.
package cran

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "cran"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "CRAN",
			FoldName:     fold,
			Instructions: instructions,
			Facts:        facts,
			StoredFacts:  storedFacts,
			Counts:       registry.CountFiles,
			Index: &registry.Index{
				Format:  1,
				Place:   placeFile,
				Render:  render,
				Stream:  streamForm,
				Compose: compose,
			},
		},
		Routes:  routes(),
		Dialect: dialect{},
	}
}

func routes() []protocols.Route {
	const (
		get, put, del = http.MethodGet, http.MethodPut, http.MethodDelete

		source = "src/contrib/"
		binary = "bin/{platform...}/contrib/{rversion}/{file}"
	)
	return []protocols.Route{
		{Method: put, Pattern: "src", Action: access.Write, Handle: uploadSource},
		{Method: put, Pattern: "bin", Action: access.Write, Handle: uploadBinary},
		{Method: get, Pattern: source + "Meta/archive.rds", Action: access.Read, Handle: archiveRDS},
		{Method: get, Pattern: source + "Meta/current.rds", Action: access.Read, Handle: currentRDS},
		{Method: get, Pattern: source + "Archive/{name}", Action: access.Read, Handle: listArchive},
		{Method: get, Pattern: source + "Archive/{name}/{file}", Action: access.Read, Handle: downloadSource},
		{Method: get, Pattern: source + "Archive/{name}/{version}/{file}", Action: access.Read, Handle: downloadSource},
		{Method: get, Pattern: source + "{file}", Action: access.Read, Handle: sources},
		{Method: put, Pattern: source + "{file}", Action: access.Write, Handle: uploadSource},
		{Method: del, Pattern: source + "{file}", Action: access.Delete, Handle: deleteFile},
		{Method: get, Pattern: binary, Action: access.Read, Handle: binaries},
		{Method: put, Pattern: binary, Action: access.Write, Handle: uploadBinary},
		{Method: del, Pattern: binary, Action: access.Delete, Handle: deleteFile},
		{Method: get, Pattern: "web/packages/{name}/DESCRIPTION", Action: access.Read, Handle: showDescription},
		{Method: get, Pattern: "web/packages/{name}/index.html", Action: access.Read, Handle: showPage},
	}
}

// dialect is a line of text: curl prints it, R shows the status alone.
type dialect struct{}

// Challenge asks for Basic.
func (dialect) Challenge(*protocols.Request) string { return `Basic realm="Entrepot"` }

// WriteError writes one line.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(protocols.OneLine(e.Message) + "\n")) // the client is told or gone
	}
}

func nowhere() error { return registry.Errorf(registry.NotFound, "there is nothing at this path") }
