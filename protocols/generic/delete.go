package generic

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
)

// deleteFile removes a file; the last one of a version takes it along.
func deleteFile(w http.ResponseWriter, r *protocols.Request) error {
	c, err := parse(r.Params)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), c.nameKey, access.Delete)
	if err != nil {
		return err
	}
	f, err := r.Space.File(r.Context(), p, c.versionKey, c.fileKey, "")
	if err != nil {
		return err
	}
	return noContent(w, r.Space.DeleteFile(r.Context(), p, f))
}

// deleteVersion removes a version with all its files.
func deleteVersion(w http.ResponseWriter, r *protocols.Request) error {
	c, err := parse(r.Params)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), c.nameKey, access.Delete)
	if err != nil {
		return err
	}
	return noContent(w, r.Space.DeleteVersions(r.Context(), p, []string{c.versionKey}, nil))
}

// deletePackage removes a package with all its versions.
func deletePackage(w http.ResponseWriter, r *protocols.Request) error {
	c, err := parse(r.Params)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), c.nameKey, access.Delete)
	if err != nil {
		return err
	}
	return noContent(w, r.Space.DeletePackage(r.Context(), p))
}

func noContent(w http.ResponseWriter, err error) error {
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
