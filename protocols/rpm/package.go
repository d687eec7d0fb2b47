package rpm

import (
	"net/http"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

func nowhere() error { return registry.Errorf(registry.NotFound, "there is nothing at this path") }

// named is the package that a path names by its parts.
func named(r *protocols.Request, action access.Action, arch string) (group string, p *ent.Pkg, f *ent.PackageFile, err error) {
	if group, err = groupOf(r.Params); err != nil {
		return "", nil, nil, nowhere()
	}
	if p, err = r.Space.Package(r.Context(), r.Params["name"], action); err != nil {
		return "", nil, nil, err
	}
	version := r.Params["version"]
	f, err = r.Space.File(r.Context(), p, version, rpmfile.FileName(p.Name, version, arch), group)
	return group, p, f, err
}

// download serves a package; of an architecture that it is not there for, the
// one for all.
func download(w http.ResponseWriter, r *protocols.Request) error {
	arch := r.Params["architecture"]
	_, p, f, err := named(r, access.Read, arch)
	if p != nil && registry.CodeOf(err) == registry.NotFound && arch != rpmfile.EveryArch {
		_, _, f, err = named(r, access.Read, rpmfile.EveryArch)
	}
	if err != nil {
		return err
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{ContentType: mediaType, Redirect: http.StatusFound})
}

// deletePackage removes a package from its group.
func deletePackage(w http.ResponseWriter, r *protocols.Request) error {
	_, p, f, err := named(r, access.Delete, r.Params["architecture"])
	if err != nil {
		return err
	}
	if err := r.Space.DeleteFile(r.Context(), p, f); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// copyPackage puts a package into another group, ?to=group, without its bytes
// being sent again: from testing to stable. An empty name is the root group's.
func copyPackage(w http.ResponseWriter, r *protocols.Request) error {
	_, _, f, err := named(r, access.Read, r.Params["architecture"])
	if err != nil {
		return err
	}
	if !r.URL.Query().Has("to") {
		return registry.FieldErrorf("to", "to: want the name of a group")
	}
	to, err := parseGroup(r.URL.Query().Get("to"))
	if err != nil {
		return err
	}
	body, err := r.Registry.OpenBlob(r.Context(), f.Edges.Blob)
	if err != nil {
		return err
	}
	defer body.Close()
	h, err := rpmfile.ReadHead(body)
	if err != nil {
		return err
	}
	return publish(w, r, to, h, source{rest: body, size: f.Edges.Blob.Size, blob: f.Edges.Blob}, false)
}
