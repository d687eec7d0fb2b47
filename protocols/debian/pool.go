package debian

import (
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// mediaType is that of a package (IANA).
const mediaType = "application/vnd.debian.binary-package"

// find returns a package's row and its file at the place, if the viewer may do
// the action.
func find(r *protocols.Request, at place, id identity, action access.Action) (*ent.Pkg, *ent.PackageFile, error) {
	p, err := r.Space.Package(r.Context(), id.name, action)
	if err != nil {
		return nil, nil, err
	}
	f, err := r.Space.File(r.Context(), p, id.version, id.file(), at.key())
	return p, f, err
}

// download serves a package.
func download(w http.ResponseWriter, r *protocols.Request) error {
	at, err := parsePlace(r.Params)
	if err != nil {
		return nowhere()
	}
	id, err := parseFile(r.Params["file"])
	if err != nil {
		return nowhere()
	}
	_, f, err := find(r, at, id, access.Read)
	if err != nil {
		return err
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{ContentType: mediaType, Redirect: http.StatusFound})
}

// named is the package that a path names by its parts.
func named(r *protocols.Request, action access.Action) (place, *ent.Pkg, *ent.PackageFile, error) {
	at, err := parsePlace(r.Params)
	if err != nil {
		return at, nil, nil, nowhere()
	}
	id, err := parseIdentity(r.Params["name"], r.Params["version"], r.Params["architecture"])
	if err != nil {
		return at, nil, nil, nowhere()
	}
	p, f, err := find(r, at, id, action)
	return at, p, f, err
}

// deletePackage removes a package from one place.
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

// copyPackage puts a package into another place, ?to=distribution/component,
// without its bytes being sent again: from testing to stable.
func copyPackage(w http.ResponseWriter, r *protocols.Request) error {
	_, p, f, err := named(r, access.Read)
	if err != nil {
		return err
	}
	distribution, component, ok := strings.Cut(r.URL.Query().Get("to"), "/")
	if !ok {
		return registry.FieldErrorf("to", "to: want distribution/component")
	}
	to, err := parsePlace(protocols.Params{"distribution": distribution, "component": component})
	if err != nil {
		return err
	}
	v, err := r.Space.Version(r.Context(), p, f.Edges.Version.NormalizedVersion)
	if err != nil {
		return err
	}
	control, err := parseControl(f.Fragment)
	if err != nil {
		return err
	}
	id := identity{p.Name, v.Version, archOf(f.Name)}
	again := &pack{id, control}
	if _, err := r.Space.Publish(r.Context(), again.publication(to, registry.File{Blob: f.Edges.Blob})); err != nil {
		return err
	}
	w.Header().Set("Location", r.Root()+"/"+to.pool(f.Name))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}
