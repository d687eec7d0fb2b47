package alpine

import (
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// servePackage serves a package: that of the architecture, or else the one of
// the same name that runs everywhere.
func servePackage(w http.ResponseWriter, r *protocols.Request, at place, arch string) error {
	id, err := parseFile(r.Params["file"])
	if err != nil {
		return nowhere()
	}
	p, err := r.Space.Package(r.Context(), id.name, access.Read)
	if err != nil {
		return err
	}
	f, err := r.Space.File(r.Context(), p, id.version, id.file(), at.key(arch))
	if registry.CodeOf(err) == registry.NotFound && arch != everyArch {
		f, err = r.Space.File(r.Context(), p, id.version, id.file(), at.key(everyArch))
	}
	if err != nil {
		return err
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{ContentType: mediaType, Redirect: http.StatusFound})
}

// named is the package that a path names, of exactly that architecture.
func named(r *protocols.Request, action access.Action) (at place, p *ent.Pkg, f *ent.PackageFile, err error) {
	id, err := parseFile(r.Params["file"])
	if err == nil {
		at, err = parsePlace(r.Params)
	}
	if err != nil || checkArch(r.Params["architecture"]) != nil {
		return at, nil, nil, nowhere()
	}
	if p, err = r.Space.Package(r.Context(), id.name, action); err != nil {
		return at, nil, nil, err
	}
	f, err = r.Space.File(r.Context(), p, id.version, id.file(), at.key(r.Params["architecture"]))
	return at, p, f, err
}

// deletePackage removes a package of one architecture from one repository.
func deletePackage(w http.ResponseWriter, r *protocols.Request) error {
	_, p, f, err := named(r, access.Delete)
	if err != nil {
		return err
	}
	if err := r.Space.DeleteFile(r.Context(), p, f); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// copyPackage puts a package into another place, ?to=branch/repository,
// without its bytes being sent again: from edge to a branch of its own.
func copyPackage(w http.ResponseWriter, r *protocols.Request) error {
	_, p, f, err := named(r, access.Read)
	if err != nil {
		return err
	}
	branch, repository, ok := strings.Cut(r.URL.Query().Get("to"), "/")
	if !ok {
		return registry.FieldErrorf("to", "to: want branch/repository")
	}
	to, err := parsePlace(protocols.Params{"branch": branch, "repository": repository})
	if err != nil {
		return err
	}
	v, err := r.Space.Version(r.Context(), p, f.Edges.Version.NormalizedVersion)
	if err != nil {
		return err
	}
	again := &pack{identity: identity{p.Name, v.Version}, arch: r.Params["architecture"]}
	if _, err := r.Space.Publish(r.Context(), again.publication(to, registry.File{Blob: f.Edges.Blob, Fragment: f.Fragment})); err != nil {
		return err
	}
	created(w, r, to, again.arch, f.Name)
	return nil
}
