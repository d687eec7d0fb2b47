package cargo

import (
	"cmp"
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// owner is who a crate belongs to, as cargo reads it.
type owner struct {
	ID    uint32 `json:"id"` // cargo has no room for more bits
	Login string `json:"login"`
	Name  string `json:"name"`
}

// owners lists who a crate belongs to: the user or the organization whose
// registry this is.
// https://doc.rust-lang.org/cargo/reference/registry-web-api.html#owners-list
func owners(w http.ResponseWriter, r *protocols.Request) error {
	if _, err := findCrate(r, access.Read); err != nil {
		return err
	}
	o := r.Space.Owner
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string][]owner{
		"users": {{uint32(o.ID), o.Name, cmp.Or(o.DisplayName, o.Name)}},
	})
	return nil
}

// changeOwners refuses: who may publish is the organization's to say.
// https://doc.rust-lang.org/cargo/reference/registry-web-api.html#owners-add
func changeOwners(_ http.ResponseWriter, r *protocols.Request) error {
	if _, err := findCrate(r, access.Write); err != nil {
		return err
	}
	return registry.Errorf(registry.Forbidden, "crates here belong to %s; who may publish is set among its members", r.Space.Owner.Name)
}
