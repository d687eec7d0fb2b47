// Package alt is the package type of apt-rpm, ALT Linux's apt.
//
// An owner has any number of groups, each a repository of its own with a path
// for a name, and one without a name, which URLs call alt. Within a group each
// architecture is what the client calls a repository, noarch and the sources
// among them: a directory with a list of packages, the list's digests signed,
// and the packages. Packages are uploaded to a group (upload.go). Of their
// header those tags are kept that a list has of each package, as they came
// (listing.go); lists and the signed document that names them are kept by the
// registry's engine for repository-wide indexes (index.go, release.go). Its
// central idea: a list is nothing but headers one after the other, so that
// what a client reads of a package is what its packager wrote.
//
// There is no specification: the client's source is it.
package alt

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
			Name:         "alt",
			Title:        "ALT",
			CopyName:     copyName,
			Instructions: instructions,
			Facts:        rpmfile.VersionFacts,
			Counts:       registry.CountFiles,
			Index: &registry.Index{
				Format:  1,
				Place:   placeFile,
				Render:  render,
				Stream:  streamForm,
				Compose: compose,
				Freeze:  freeze,
				Key:     registry.OpenPGPKey,
				Identity: func(o *ent.Owner) (name, email string) {
					return o.Name + " (ALT packages)", ""
				},
			},
		},
		Routes: routes(),
	}
}

// routes lists the endpoints. Fixed words count from the right, for groups may
// have them in their names.
func routes() []protocols.Route {
	const (
		member  = "{repo...}/{architecture}/"
		index   = member + indexFolder + "/{file}"
		pack    = member + binaryFolder + "/{file}"
		sources = member + sourceFolder + "/{file}"
	)
	return []protocols.Route{
		{Method: http.MethodGet, Pattern: keyFile, Action: access.Read, Handle: armoredKey},
		{Method: http.MethodPut, Pattern: keyFile, Action: access.Administer, Handle: protocols.ReplaceKey},
		{Method: http.MethodPost, Pattern: keyFile, Action: access.Administer, Handle: protocols.ReplaceKey},
		{Method: http.MethodGet, Pattern: describeFile, Action: access.Read, Handle: describe},
		{Method: http.MethodGet, Pattern: vendorsFile, Action: access.Read, Handle: vendors},
		{Method: http.MethodPut, Pattern: uploadWord, Action: access.Write, Handle: upload},
		{Method: http.MethodPut, Pattern: "{group...}/" + uploadWord, Action: access.Write, Handle: upload},
		{Method: http.MethodGet, Pattern: index, Action: access.Read, Handle: unlessRepo(indexFolder, indexFile)},
		{Method: http.MethodGet, Pattern: pack, Action: access.Read, Handle: unlessRepo(binaryFolder, download)},
		{Method: http.MethodGet, Pattern: sources, Action: access.Read, Handle: unlessRepo(sourceFolder, download)},
		{Method: http.MethodDelete, Pattern: pack, Action: access.Delete, Handle: deletePackage},
		{Method: http.MethodDelete, Pattern: sources, Action: access.Delete, Handle: deletePackage},
		{Method: http.MethodGet, Pattern: "{repo...}", Action: access.Read, Handle: list},
		{Method: http.MethodDelete, Pattern: "{repo...}", Action: access.Administer, Handle: remove},
	}
}

// unlessRepo serves files of a folder, and the description of a group that is
// called as one: a/x86_64/base/b.repo.
func unlessRepo(folder string, handle func(http.ResponseWriter, *protocols.Request) error) func(http.ResponseWriter, *protocols.Request) error {
	return func(w http.ResponseWriter, r *protocols.Request) error {
		if p := r.Params; strings.HasSuffix(p["file"], repoEnding) {
			r.Params = protocols.Params{"repo": strings.Join([]string{p["repo"], p["architecture"], folder, p["file"]}, "/")}
			return list(w, r)
		}
		return handle(w, r)
	}
}

// copyName lets a version with all its files be copied to another owner.
func copyName(_, name string) (string, error) {
	id := rpmfile.Identity{Name: name, Version: "0", Release: "0", Arch: rpmfile.EveryArch}
	return name, id.Check()
}
