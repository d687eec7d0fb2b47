package npm

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// deprecate takes over what a body says of the deprecation of versions that
// are there. `npm deprecate` sends the whole packument back; all else in it
// is left alone.
func deprecate(w http.ResponseWriter, r *protocols.Request, name string, b *body) error {
	p, err := r.Space.Package(r.Context(), name, access.Write)
	if err != nil {
		return err
	}
	states, err := r.Space.VersionStates(r.Context(), p)
	if err != nil {
		return err
	}
	known := false
	changes := map[string]registry.Status{}
	for _, state := range states {
		change, named := b.versions[state.Version]
		known = known || named
		if change.deprecated == nil {
			continue
		}
		reason := change.reason()
		if reason == deprecation(state.Deprecated, state.StatusReason) {
			continue
		}
		changes[state.NormalizedVersion] = registry.Status{Deprecated: reason != "", Yanked: state.Yanked, Reason: reason}
	}
	if !known {
		return registry.FieldErrorf("versions", "the body names no version of %s, and has no tarball attached", name)
	}
	if len(changes) > 0 {
		if err := r.Space.SetStatus(r.Context(), p, changes); err != nil {
			return err
		}
	}
	return ok(w, r)
}
