package conan

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// deleteRevisions removes a revision of a recipe, or all of them when the path
// names none, with all that was made from it.
func deleteRevisions(w http.ResponseWriter, r *protocols.Request) error {
	return remove(w, r, func(at place, f registry.FileKey) bool {
		if at.rrev == "" {
			return within(f.CompositeKey, at.scope())
		}
		return within(f.CompositeKey, at.recipeKey())
	})
}

// deletePackages removes the binaries of a recipe's revision: all of them, all
// revisions of one, or one revision, as the path says.
func deletePackages(w http.ResponseWriter, r *protocols.Request) error {
	return remove(w, r, func(at place, f registry.FileKey) bool {
		binary := placeOf(at.reference, f.CompositeKey)
		return within(f.CompositeKey, at.recipeKey()) && binary.packageID != "" &&
			(at.packageID == "" || at.packageID == binary.packageID) && (at.prev == "" || at.prev == binary.prev)
	})
}

// remove deletes the files that pick chooses. Clients want 200, not 204; when
// there is nothing to delete it is 404.
func remove(w http.ResponseWriter, r *protocols.Request, pick func(place, registry.FileKey) bool) error {
	at, err := parsePlace(r.Params)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), at.name, access.Delete)
	if err != nil {
		return err
	}
	err = r.Space.DeleteFiles(r.Context(), p, at.version, func(f registry.FileKey) bool { return pick(at, f) })
	if registry.CodeOf(err) == registry.NotFound {
		return missing(at)
	}
	if err != nil {
		return err
	}
	return done(w, http.StatusOK)
}

// maxBody is the largest JSON body of a request in bytes.
const maxBody = 1 << 20

// readJSON reads a request's body. Errors: Invalid, TooLarge.
func readJSON(r *protocols.Request, v any) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return registry.Errorf(registry.Invalid, "the body broke off: %v", err)
	}
	if len(raw) > maxBody {
		return registry.Errorf(registry.TooLarge, "the body has at most %d bytes", maxBody)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return registry.Errorf(registry.Invalid, "the body is not the JSON object that is expected here: %v", err)
	}
	return nil
}

// removePackages deletes binaries in version 1, of all revisions: those with
// the ids or, when there are none, all.
func removePackages(w http.ResponseWriter, r *protocols.Request) error {
	var body struct {
		PackageIDs []string `json:"package_ids"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	return remove(w, r, func(at place, f registry.FileKey) bool {
		binary := placeOf(at.reference, f.CompositeKey)
		return within(f.CompositeKey, at.scope()) && binary.packageID != "" &&
			(len(body.PackageIDs) == 0 || slices.Contains(body.PackageIDs, binary.packageID))
	})
}

// removeFiles deletes files of a recipe's newest revision in version 1: those
// that a recipe, uploaded once more, has no longer.
func removeFiles(w http.ResponseWriter, r *protocols.Request) error {
	var body struct {
		Files []string `json:"files"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	at, err := parsePlace(r.Params)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), at.name, access.Delete)
	if err != nil {
		return err
	}
	h := r.Space.Holdings(p)
	newest, err := latest(r.Context(), h, recipeList(h.PackageID(), at.reference), at)
	if err != nil {
		return err
	}
	at.rrev = newest.Revision
	return remove(w, r, func(_ place, f registry.FileKey) bool {
		return f.CompositeKey == at.key() && slices.Contains(body.Files, f.NormalizedName)
	})
}
