package maven

import (
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// remove deletes the file that the path names, or else the version. What a
// path of groups and names is, only what is there can tell: .../lib/1.0 may be
// the version 1.0 of lib or a file of a version named lib.
func remove(w http.ResponseWriter, r *protocols.Request) error {
	missing := registry.Errorf(registry.NotFound, "there is nothing at this path")
	l, err := locate(r)
	if err == nil && l.kind == publishedFile && l.algorithm == "" {
		err := removeFile(r, l)
		if err == nil {
			return noContent(w)
		}
		if registry.CodeOf(err) != registry.NotFound {
			return err
		}
	}
	segments := strings.Split(r.Params["path"], "/")
	// A file in the folder makes of its path that of a version.
	if l, err = parsePath(r.Params["path"] + "/any"); err != nil || l.kind != publishedFile || len(segments) < 3 {
		return missing
	}
	p, err := r.Space.Package(r.Context(), l.name(), access.Delete)
	if err != nil {
		return err
	}
	if err := r.Space.DeleteVersions(r.Context(), p, []string{l.version}, nil); err != nil {
		return err
	}
	return noContent(w)
}

// removeFile deletes a file. When nothing is left of the version but what
// clients have said of it, it goes as well.
func removeFile(r *protocols.Request, l location) error {
	p, err := r.Space.Package(r.Context(), l.name(), access.Delete)
	if err != nil {
		return err
	}
	f, err := r.Space.File(r.Context(), p, l.version, l.file, "")
	if err != nil {
		return err
	}
	files, err := r.Space.FileStates(r.Context(), p, l.version)
	if err != nil {
		return err
	}
	for _, other := range files {
		if other.ID != f.ID && other.Name != documentName {
			return r.Space.DeleteFile(r.Context(), p, f)
		}
	}
	return r.Space.DeleteVersions(r.Context(), p, []string{l.version}, nil)
}

func noContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}
