package pypi

import (
	"net/http"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// download sends a distribution, or what is kept beside it.
func download(w http.ResponseWriter, r *protocols.Request) error {
	_, file, err := findFile(r, access.Read)
	if err != nil {
		return err
	}
	// Never Immutable: a name may come back with other bytes after a deletion.
	return protocols.ServeFile(w, r, file, protocols.FileOptions{Redirect: http.StatusFound})
}

// deleteFile removes a distribution with what is kept beside it; the last one
// of a release takes the release along. It is no endpoint of the public index.
func deleteFile(w http.ResponseWriter, r *protocols.Request) error {
	p, file, err := findFile(r, access.Delete)
	if err != nil {
		return err
	}
	if !file.Lead {
		return registry.FieldErrorf("file", "%s goes with the distribution it belongs to", file.Name)
	}
	if err := r.Space.DeleteFile(r.Context(), p, file, metadataFile(file.Name), attestationsFile(file.Name)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// fileInPath is the file that a path names. The project may stand there in any
// spelling, the version in any that is equal.
func fileInPath(r *protocols.Request) (registry.FilePath, bool) {
	v, ok := parseVersion(r.Params["version"])
	if !ok || !validName(r.Params["name"]) {
		return registry.FilePath{}, false
	}
	return registry.FilePath{Package: normalizeName(r.Params["name"]), Version: v.identity(), Name: r.Params["file"]}, true
}

// findFile finds the file a path names.
func findFile(r *protocols.Request, action access.Action) (*ent.Pkg, *ent.PackageFile, error) {
	notFound := registry.Errorf(registry.NotFound, "file not found")
	key, ok := fileInPath(r)
	if !ok {
		return nil, nil, notFound
	}
	p, err := r.Space.Package(r.Context(), key.Package, action)
	if registry.CodeOf(err) == registry.NotFound {
		return nil, nil, notFound
	}
	if err != nil {
		return nil, nil, err
	}
	f, err := r.Space.File(r.Context(), p, key.Version, key.Name, "")
	return p, f, err
}
