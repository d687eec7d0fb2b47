// Package rpm is the package type of dnf, yum and zypper.
//
// An owner has any number of groups, each a repository of its own with a path
// for a name, and one without a name, the root group. Packages are uploaded to
// a group (upload.go). What they say of themselves is read from their header
// (protocols/internal/rpmfile) and becomes their part of the three texts that
// clients read (fragment.go); the texts and the document that names them, signed, are
// kept by the registry's engine for repository-wide indexes (index.go). Its
// central idea: the texts are named by their digests in repomd.xml, so that
// its signature covers every package.
package rpm

import (
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         "rpm",
			Title:        "RPM",
			CopyName:     copyName,
			FollowsLead:  true,
			Instructions: instructions,
			Facts:        rpmfile.VersionFacts,
			Counts:       registry.CountFiles,
			Index: &registry.Index{
				Format:  1,
				Place:   placeFile,
				Render:  render,
				Stream:  streamForm,
				Compose: compose,
				Key:     registry.OpenPGPKey,
				Identity: func(o *ent.Owner) (name, email string) {
					return o.Name + " (RPM packages)", ""
				},
			},
		},
		Routes:  routes(),
		Endings: []string{repoEnding},
		Dialect: dialect{},
	}
}

// routes lists the endpoints. Those of a group are there twice: without a name
// of a group they are of the root group. Fixed words count from the right,
// for the name of a package may be one of them.
func routes() []protocols.Route {
	all := []protocols.Route{
		{Method: http.MethodGet, Pattern: "repository.key", Action: access.Read, Handle: armoredKey},
		{Method: http.MethodPut, Pattern: "repository.key", Action: access.Administer, Handle: protocols.ReplaceKey},
		{Method: http.MethodPost, Pattern: "repository.key", Action: access.Administer, Handle: protocols.ReplaceKey},
		{Method: http.MethodGet, Pattern: "repository.json", Action: access.Read, Handle: describe},
		{Method: http.MethodGet, Pattern: repoEnding, Action: access.Read, Handle: rootRepo},
	}
	const (
		version = "package/{name}/{version}/"
		arch    = version + "{architecture}"
	)
	for _, route := range []protocols.Route{
		{Method: http.MethodGet, Pattern: arch + "/{file}", Action: access.Read, Handle: download},
		{Method: http.MethodPost, Pattern: arch + "/copy", Action: access.Write, Handle: copyPackage},
		{Method: http.MethodGet, Pattern: version + "errata", Action: access.Read, Handle: listErrata},
		{Method: http.MethodPost, Pattern: version + "errata", Action: access.Write, Handle: addErrata},
		{Method: http.MethodDelete, Pattern: version + "errata", Action: access.Write, Handle: deleteErrata},
		{Method: http.MethodDelete, Pattern: version + "errata/{id}", Action: access.Write, Handle: deleteErrata},
		{Method: http.MethodGet, Pattern: arch, Action: access.Read, Handle: download},
		{Method: http.MethodDelete, Pattern: arch, Action: access.Delete, Handle: deletePackage},
		{Method: http.MethodGet, Pattern: "repodata/{file}", Action: access.Read, Handle: repodata},
		{Method: http.MethodPut, Pattern: "repodata", Action: access.Administer, Handle: configure},
		{Method: http.MethodDelete, Pattern: "repodata", Action: access.Administer, Handle: remove},
		{Method: http.MethodPut, Pattern: "upload", Action: access.Write, Handle: upload},
	} {
		all = append(all, route)
		route.Pattern = "{group...}/" + route.Pattern
		all = append(all, route)
	}
	return append(all, protocols.Route{Method: http.MethodGet, Pattern: "{file...}", Action: access.Read, Handle: groupRepo})
}

// copyName lets a version with all its files be copied to another owner.
func copyName(_, name string) (string, error) {
	id := rpmfile.Identity{Name: name, Version: "0", Release: "0", Arch: rpmfile.EveryArch}
	return name, id.Check()
}

// dialect is a line of text: clients show the status alone, curl the line.
type dialect struct{}

// Challenge asks for Basic, which zypper answers, and nothing else.
func (dialect) Challenge(*protocols.Request) string { return `Basic realm="Entrepot"` }

// WriteError writes one line.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(strings.TrimSpace(protocols.OneLine(e.Message)) + "\n")) // the client is told or gone
	}
}
