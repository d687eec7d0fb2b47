// Package alpine is the package type of apk's repositories (Alpine Linux).
//
// An owner has any number of branches with repositories in them, and apk reads
// one index of a repository for its architecture. Packages are uploaded to a
// repository (upload.go, with the parser of what is uploaded in pack.go). The
// indexes are kept by the registry's engine for repository-wide indexes; what
// is Alpine's about them is in index.go. Their central idea: a package is
// known by the digest of a part of it, so that an index of such digests, once
// signed, vouches for all of them; packages themselves need no signature.
package alpine

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         "alpine",
			Title:        "Alpine",
			CopyName:     copyName,
			Instructions: instructions,
			Facts:        facts,
			Counts:       registry.CountFiles,
			Index: &registry.Index{
				Format:  1,
				Place:   placeFile,
				Render:  renderBlock,
				Compose: compose,
				FansOut: true,
				Key:     registry.RSAKey,
			},
		},
		Routes: []protocols.Route{
			{Method: http.MethodGet, Pattern: "key", Action: access.Read, Handle: publicKey},
			{Method: http.MethodPut, Pattern: "key", Action: access.Administer, Handle: replaceKey},
			{Method: http.MethodPost, Pattern: "key", Action: access.Administer, Handle: replaceKey},
			{Method: http.MethodGet, Pattern: "keys", Action: access.Read, Handle: keyNames},
			{Method: http.MethodGet, Pattern: "keys/{name}", Action: access.Read, Handle: keyOfName},
			{Method: http.MethodPut, Pattern: "{branch}/{repository}", Action: access.Write, Handle: upload},
			{Method: http.MethodGet, Pattern: "{branch}/{repository}/" + settingsFile, Action: access.Read, Handle: describe},
			{Method: http.MethodPut, Pattern: "{branch}/{repository}/" + settingsFile, Action: access.Administer, Handle: configure},
			{Method: http.MethodGet, Pattern: "{branch}/{repository}/{architecture}/{file}", Action: access.Read, Handle: get},
			{Method: http.MethodDelete, Pattern: "{branch}/{repository}/{architecture}/{file}", Action: access.Delete, Handle: deletePackage},
			{Method: http.MethodPost, Pattern: "{branch}/{repository}/{architecture}/{file}/copy", Action: access.Write, Handle: copyPackage},
		},
		Dialect: dialect{},
	}
}

// copyName lets a version with all its files be copied to another owner.
func copyName(_, name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	return name, nil
}

// get serves an index or a package.
func get(w http.ResponseWriter, r *protocols.Request) error {
	at, err := parsePlace(r.Params)
	if err != nil || checkArch(r.Params["architecture"]) != nil {
		return nowhere()
	}
	if r.Params["file"] == indexFile {
		return serveIndex(w, r, at, r.Params["architecture"])
	}
	return servePackage(w, r, at, r.Params["architecture"])
}

func nowhere() error { return registry.Errorf(registry.NotFound, "there is nothing at this path") }

// dialect is a line of text: curl shows it, apk the status alone.
type dialect struct{}

// Challenge asks for Basic, which apk sends of its URL at once.
func (dialect) Challenge(*protocols.Request) string { return `Basic realm="Entrepot"` }

// WriteError writes one line.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(protocols.OneLine(e.Message) + "\n")) // the client is told or gone
	}
}
