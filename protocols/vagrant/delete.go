package vagrant

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// deleteFile deletes one file of a version; the last takes the version along.
func deleteFile(w http.ResponseWriter, r *protocols.Request) error {
	p, f, err := findFile(r, access.Delete)
	if err != nil {
		return err
	}
	return done(w, r.Space.DeleteFile(r.Context(), p, f))
}

// deleteVersion deletes a version with all its files.
func deleteVersion(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findBox(r, access.Delete)
	if err != nil {
		return err
	}
	v, err := parseVersion(r.Params["version"])
	if err != nil {
		return registry.Errorf(registry.NotFound, "version not found")
	}
	return done(w, r.Space.DeleteVersions(r.Context(), p, []string{v.canonical}, nil))
}

// deleteBox deletes a box with all its versions.
func deleteBox(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findBox(r, access.Delete)
	if err != nil {
		return err
	}
	return done(w, r.Space.DeletePackage(r.Context(), p))
}

// done answers that something is gone.
func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}
