package conan

import (
	"io"
	"net/http"
	"strconv"

	"entrepot/protocols"
	"entrepot/registry"
)

// ping tells what the server can do. It says nothing of the owner in the path,
// so that nobody learns by it which there are.
func ping(w http.ResponseWriter, _ *protocols.Request) error {
	w.Header().Set("X-Conan-Server-Capabilities", "revisions")
	return done(w, http.StatusOK)
}

// authenticate gives who signs in with Basic a bearer token: the body is the
// token and nothing else.
func authenticate(w http.ResponseWriter, r *protocols.Request) error {
	token, err := r.Auth.NewBearerToken(r.Context())
	if err != nil {
		return err
	}
	return plain(w, r, token)
}

// checkCredentials tells a client whom its token speaks for.
func checkCredentials(w http.ResponseWriter, r *protocols.Request) error {
	if !r.Viewer.SignedIn() {
		return registry.Errorf(registry.Unauthenticated, "the request carries no token")
	}
	return plain(w, r, r.Viewer.Login)
}

func plain(w http.ResponseWriter, r *protocols.Request, text string) error {
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		io.WriteString(w, text) // the client has it or is gone
	}
	return nil
}

// done is an answer that says no more than its status.
func done(w http.ResponseWriter, status int) error {
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
	return nil
}
