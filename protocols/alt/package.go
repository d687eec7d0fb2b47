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

// find returns the package that a path names and its file, if the viewer may
// do the action.
func find(r *protocols.Request, action access.Action) (*ent.Pkg, *ent.PackageFile, error) {
	group, err := repoGroup(r.Params)
	if err != nil {
		return nil, nil, err
	}
	file := r.Params["file"]
	if !strings.HasSuffix(file, packEnding) || rpmfile.ArchOf(file) != r.Params["architecture"] {
		return nil, nil, nowhere()
	}
	found, err := r.Space.FileWith(r.Context(), fileNamed(group, file))
	if err != nil && registry.CodeOf(err) != registry.NotFound {
		return nil, nil, err
	}
	// A file that is not there is missed as its package would be.
	p, err := r.Space.Package(r.Context(), found.Package, action)
	if err != nil {
		return nil, nil, err
	}
	f, err := r.Space.File(r.Context(), p, found.Version, found.Name, found.CompositeKey)
	return p, f, err
}

// download serves a package.
func download(w http.ResponseWriter, r *protocols.Request) error {
	_, f, err := find(r, access.Read)
	if err != nil {
		return err
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{ContentType: mediaType, Redirect: http.StatusFound})
}

// deletePackage removes a package from its group.
func deletePackage(w http.ResponseWriter, r *protocols.Request) error {
	p, f, err := find(r, access.Delete)
	if err != nil {
		return err
	}
	if err := r.Space.DeleteFile(r.Context(), p, f); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// indexFile serves the files in an architecture's folder base: first of all
// clients ask for the release, then for what it names.
func indexFile(w http.ResponseWriter, r *protocols.Request) error {
	group, err := repoGroup(r.Params)
	if err != nil {
		return err
	}
	role := protocols.IndexSecondary
	file := r.Params["file"]
	if file == releaseFile {
		role = protocols.IndexEntry
	}
	return protocols.ServeIndex(w, r, registry.IndexName{Family: group, Member: r.Params["architecture"]}, file, role)
}
