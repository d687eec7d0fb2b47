package swift

import (
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
)

// identifiers tells which packages come from a repository (section 4.5 of the
// specification), among those the viewer may read.
func identifiers(w http.ResponseWriter, r *protocols.Request) error {
	raw := r.URL.Query().Get("url")
	key := repositoryKey(raw)
	if key == "" {
		return registry.FieldErrorf("url", "the query needs the URL of a repository: ?url=https://example.com/acme/LinkedList.git")
	}
	found, err := r.Space.PackagesWith(r.Context(), registry.Property{Name: repositoryProperty, Value: key})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return registry.Errorf(registry.NotFound, "no package is known to come from %.200s", raw)
	}
	ids := make([]string, len(found))
	for i, p := range found {
		ids[i] = p.Package.Name
	}
	w.Header().Set("Cache-Control", "private, max-age=60")
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string][]string{"identifiers": ids})
	return nil
}
