package cargo

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// download sends a version's archive, also of a yanked one: lock files name
// it.
// https://doc.rust-lang.org/cargo/reference/registry-index.html#index-configuration
func download(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findCrate(r, access.Read)
	if err != nil {
		return err
	}
	version := r.Params["version"]
	if _, valid := parseVersion(version); !valid {
		return notFound("version")
	}
	f, err := r.Space.File(r.Context(), p, identity(version), fileKey(p.Name, version), "")
	if err != nil {
		return err
	}
	// The path is of these bytes for good: a version that was deleted comes
	// back with the same ones or not at all.
	return protocols.ServeFile(w, r, f, protocols.FileOptions{
		ContentType: "application/gzip", Immutable: true, Redirect: http.StatusFound,
	})
}

// fileInPath is the archive that a path names.
func fileInPath(r *protocols.Request) (registry.FilePath, bool) {
	name, version := r.Params["crate"], r.Params["version"]
	_, valid := parseVersion(version)
	return registry.FilePath{Package: fold(name), Version: identity(version), Name: fileKey(name, version)}, valid && validName(name)
}
