// Package pypi is the package type for Python packages: the index that pip,
// uv and poetry install from, and the upload that twine, uv and poetry speak.
//
// Its central idea: an upload is one file, and what clients must know of a
// file (form.go) is taken out of the archive itself (archive.go,
// metadata.go), held against what the form and the file's name say
// (upload.go), and kept with the file as a fragment (entry.go). A project's
// page is those fragments in the order of PEP 440 (version.go), written as
// HTML or JSON, whichever the client asks for (simple.go, negotiate.go).
//
// The index is https://packaging.python.org/en/latest/specifications/simple-repository-api/
// (PEP 503, 592, 629, 658, 691, 700, 714 and 792), the upload
// https://peps.python.org/pep-0694/.
package pypi

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "pypi"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "PyPI",
			States:       states,
			Yanks:        true,
			FoldName:     normalizeName,
			Instructions: instructions,
			Facts:        facts,
		},
		Routes:  routes(),
		Dialect: dialect{},
	}
}

// routes lists the endpoints. Uploads go to the root, with or without a final
// slash, or to legacy/, as people copy it from the public index: a redirect
// would make twine and poetry give up.
func routes() []protocols.Route {
	const (
		get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete

		file = "files/{name}/{version}/{file}"
	)
	return []protocols.Route{
		{Method: post, Pattern: "", Action: access.Write, Handle: upload},
		{Method: post, Pattern: "legacy", Action: access.Write, Handle: upload},
		{Method: get, Pattern: "simple", Action: access.Read, Handle: listProjects},
		{Method: get, Pattern: "simple/{name}", Action: access.Read, Handle: readProject},
		{Method: get, Pattern: file, Action: access.Read, File: fileInPath, Handle: download},
		{Method: del, Pattern: file, Action: access.Delete, Handle: deleteFile},
	}
}

// dialect writes errors as one line of text: uv prints the body, twine does
// when asked to be verbose.
type dialect struct{}

// Challenge asks for Basic: pip and uv send what they know only then.
func (dialect) Challenge(*protocols.Request) string { return protocols.BasicChallenge }

// WriteError writes the line.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(protocols.OneLine(e.Message) + "\n")) // the client is told or gone
	}
}
