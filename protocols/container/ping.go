package container

import (
	"io"
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
)

// ping answers clients that ask for the API's version, and by which scheme to
// sign in: nobody passes without a credential, if only that of an anonymous
// caller, since it is here that they look for the challenge
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#determining-support).
func ping(w http.ResponseWriter, r *protocols.Request) error {
	c := callerOf(r.Context())
	if !r.Viewer.SignedIn() && !(c.bearer && c.anonymousRead) {
		return registry.Errorf(registry.Unauthenticated, "authentication required")
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", "2")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		io.WriteString(w, "{}") // the client has it or is gone
	}
	return nil
}
