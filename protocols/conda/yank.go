package conda

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// yank withdraws one file: solvers find it no more, and who names it by its
// URL, as lock files do, still gets it.
func yank(w http.ResponseWriter, r *protocols.Request) error { return setYanked(w, r, true) }

// unyank offers it again.
func unyank(w http.ResponseWriter, r *protocols.Request) error { return setYanked(w, r, false) }

func setYanked(w http.ResponseWriter, r *protocols.Request, yanked bool) error {
	at, err := placeOf(r)
	if err != nil {
		return err
	}
	p, f, err := find(r, at, access.Write)
	if err != nil {
		return err
	}
	if !yanked {
		v, err := r.Space.Version(r.Context(), p, f.Edges.Version.NormalizedVersion)
		if err != nil {
			return err
		}
		if v.Yanked {
			return registry.Errorf(registry.Conflict, "the version %s is yanked as a whole, with all its files: take that back first", v.Version)
		}
	}
	details := map[string]any{"file": f.Name, "subdir": at.subdir, "yanked": yanked}
	err = r.Space.SetFragment(r.Context(), p, f, details, func(fragment []byte) ([]byte, error) {
		e, err := decodeEntry(fragment)
		if err != nil {
			return nil, err
		}
		e.Yanked = yanked
		return encode(e)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
