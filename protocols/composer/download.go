package composer

import (
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// download sends the archive of a version. Of a development version only the
// newest is there: who asks for an older one by ?ref= gets no other.
func download(w http.ResponseWriter, r *protocols.Request) error {
	p, v, err := findVersion(r, access.Read)
	if err != nil {
		return err
	}
	f, err := r.Space.File(r.Context(), p, v.normal, archiveKey, "")
	if err != nil {
		return err
	}
	if !strings.EqualFold(f.Name, r.Params["file"]) {
		return registry.Errorf(registry.NotFound, "file not found")
	}
	if ref := r.URL.Query().Get("ref"); ref != "" && v.dev {
		e, err := decodeEntry(f.Fragment)
		if err != nil {
			return err
		}
		if e.Reference != ref {
			return registry.Errorf(registry.NotFound, "%s of %s has been published anew since: run composer update", v.pretty, p.Name)
		}
	}
	// Never Immutable: a version may come back with other bytes after a
	// deletion. The date of a development version is that of its first state.
	return protocols.ServeFile(w, r, f, protocols.FileOptions{
		ContentType: f.MediaType, Undated: v.dev, Redirect: http.StatusFound,
	})
}

// deleteVersion removes a version, the last one with its package. It is no
// endpoint of Composer's.
func deleteVersion(w http.ResponseWriter, r *protocols.Request) error {
	p, v, err := findVersion(r, access.Delete)
	if err != nil {
		return err
	}
	if err := r.Space.DeleteVersions(r.Context(), p, []string{v.normal}, nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// findVersion finds the package that a path names, and reads its version in
// any spelling.
func findVersion(r *protocols.Request, action access.Action) (*ent.Pkg, version, error) {
	name := r.Params["name"]
	if name == "" {
		name = r.Params["vendor"] + "/" + r.Params["project"]
	}
	p, err := findPackage(r, name, action)
	if err != nil {
		return nil, version{}, err
	}
	v, ok := parseSegment(r.Params["version"])
	if !ok {
		return nil, v, registry.Errorf(registry.NotFound, "version not found")
	}
	return p, v, nil
}
