// Package debian is the package type of APT repositories.
//
// An owner has any number of distributions with components in them; packages
// are uploaded to a place, a component of a distribution (upload.go, with the
// parsers of what is uploaded in ar.go, deb.go and control.go), and are
// downloaded from the pool (pool.go). The index of a distribution, signed as a
// whole, is kept by the registry's engine for repository-wide indexes; what is
// Debian's about it is in index.go and release.go. Its central idea: a package
// contributes one stanza to one text, and a Release names the texts by their
// digests, so that apt fetches what belongs together (dists.go).
package debian

import (
	"net/http"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         "debian",
			Title:        "Debian",
			CopyName:     copyName,
			Instructions: instructions,
			Facts:        facts,
			Counts:       registry.CountFiles,
			Index: &registry.Index{
				Format:  1,
				Place:   placeFile,
				Render:  renderStanza,
				Compose: compose,
				Freeze:  freeze,
				Key:     registry.OpenPGPKey,
				Identity: func(o *ent.Owner) (name, email string) {
					return o.Name + " (Debian packages)", ""
				},
			},
		},
		Routes: []protocols.Route{
			{Method: http.MethodGet, Pattern: "repository.key", Action: access.Read, Handle: armoredKey},
			{Method: http.MethodGet, Pattern: "repository.gpg", Action: access.Read, Handle: binaryKey},
			{Method: http.MethodPut, Pattern: "repository.key", Action: access.Administer, Handle: protocols.ReplaceKey},
			{Method: http.MethodPost, Pattern: "repository.key", Action: access.Administer, Handle: protocols.ReplaceKey},
			{Method: http.MethodGet, Pattern: "repository.json", Action: access.Read, Handle: describe},
			{Method: http.MethodGet, Pattern: "dists/{distribution}/by-hash/{algorithm}/{hash}", Action: access.Read, Handle: topByHash},
			{Method: http.MethodGet, Pattern: "dists/{distribution}/{component}/{folder}/by-hash/{algorithm}/{hash}", Action: access.Read, Handle: listByHash},
			{Method: http.MethodGet, Pattern: "dists/{distribution}/{component}/{folder}/{file}", Action: access.Read, Handle: list},
			{Method: http.MethodGet, Pattern: "dists/{distribution}/{file}", Action: access.Read, Handle: top},
			{Method: http.MethodPut, Pattern: "dists/{distribution}", Action: access.Administer, Handle: configure},
			{Method: http.MethodDelete, Pattern: "dists/{distribution}", Action: access.Administer, Handle: remove},
			{Method: http.MethodPut, Pattern: "pool/{distribution}/{component}/upload", Action: access.Write, Handle: upload},
			{Method: http.MethodGet, Pattern: "pool/{distribution}/{component}/{file}", Action: access.Read, Handle: download},
			{Method: http.MethodDelete, Pattern: "pool/{distribution}/{component}/{name}/{version}/{architecture}", Action: access.Delete, Handle: deletePackage},
			{Method: http.MethodPost, Pattern: "pool/{distribution}/{component}/{name}/{version}/{architecture}/copy", Action: access.Write, Handle: copyPackage},
			{Method: http.MethodGet, Pattern: "{file}", Action: access.Read, Handle: sources},
		},
		Dialect: dialect{},
	}
}

// copyName lets a version with all its files be copied to another owner.
func copyName(_, name string) (string, error) {
	if _, err := parseIdentity(name, "0", everyArch); err != nil {
		return "", err
	}
	return name, nil
}

// dialect is a line of text: apt and curl show no more.
type dialect struct{}

// Challenge asks for Basic. apt does not answer it: it sends what it has at
// once.
func (dialect) Challenge(*protocols.Request) string { return `Basic realm="Entrepot"` }

// WriteError writes one line.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(protocols.OneLine(e.Message) + "\n")) // the client is told or gone
	}
}
