package arch

import (
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// find returns a package's row and its file at the place, if the viewer may do
// the action.
func find(r *protocols.Request, at place, id identity, action access.Action) (*ent.Pkg, *ent.PackageFile, error) {
	p, err := r.Space.Package(r.Context(), id.name, action)
	if err != nil {
		return nil, nil, err
	}
	f, err := r.Space.File(r.Context(), p, id.version, id.stem(), at.key())
	return p, f, err
}

// servePackage serves a package or its signature. One that runs everywhere is
// found under every architecture.
func servePackage(w http.ResponseWriter, r *protocols.Request, group, arch, file string) error {
	name, signed := strings.CutSuffix(file, signatureEnding)
	id, err := parseFile(name)
	if err != nil || id.arch != arch && id.arch != everyArch {
		return nowhere()
	}
	_, f, err := find(r, place{group, id.arch}, id, access.Read)
	switch {
	case err != nil:
		return err
	case f.Name != name:
		return nowhere() // it is there in another compression
	case signed:
		return serveSignature(w, r, f)
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{ContentType: mediaType, Redirect: http.StatusFound})
}

// deletePackage removes a package of one architecture from one group, and with
// it its signature.
func deletePackage(w http.ResponseWriter, r *protocols.Request) error {
	id, err := parseIdentity(r.Params["name"], r.Params["version"], r.Params["architecture"])
	if err != nil || checkGroup(r.Params["group"]) != nil {
		return nowhere()
	}
	p, f, err := find(r, place{r.Params["group"], id.arch}, id, access.Delete)
	if err != nil {
		return err
	}
	if err := r.Space.DeleteFile(r.Context(), p, f); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// deleteWhat answers a path that is too short to name a package.
func deleteWhat(http.ResponseWriter, *protocols.Request) error {
	return registry.Errorf(registry.Invalid, "want name/version/architecture, after the group if it has a name")
}
