package npm

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxLogin is the longest body of a login in bytes.
const maxLogin = 16 << 10

// couchUser is what the user's name follows in a login's path: the protocol
// began as CouchDB's.
const couchUser = "org.couchdb.user:"

// ping tells that the registry is there.
func ping(w http.ResponseWriter, r *protocols.Request) error {
	protocols.WriteJSON(w, r.Request, http.StatusOK, struct{}{})
	return nil
}

// whoami tells the name behind the request's credential.
func whoami(w http.ResponseWriter, r *protocols.Request) error {
	if r.Viewer.Kind != access.User {
		return registry.Errorf(registry.Unauthenticated, "sign in to learn who you are")
	}
	w.Header().Set("Cache-Control", "no-store")
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]string{"username": r.Viewer.Login})
	return nil
}

// login makes an access token for a name and a password, which may itself be a
// token.
func login(w http.ResponseWriter, r *protocols.Request) error {
	name, ok := strings.CutPrefix(r.Params["user"], couchUser)
	if !ok {
		return registry.Errorf(registry.NotFound, "this registry does not have that endpoint")
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxLogin+1))
	if err != nil {
		return broken(err)
	}
	if len(raw) > maxLogin {
		return registry.Errorf(registry.TooLarge, "the body is longer than %d bytes", maxLogin)
	}
	var credential struct{ Name, Password string }
	if json.Unmarshal(raw, &credential) != nil {
		return malformed("a login is an object with name and password")
	}
	if credential.Name != "" && credential.Name != name {
		return registry.FieldErrorf("name", "the body's name is not the path's")
	}
	viewer, err := identify(r, name, credential.Password)
	if err != nil {
		return err
	}
	var scopes []access.Scope
	for _, scope := range []access.Scope{access.ReadPackage, access.WritePackage, access.DeletePackage} {
		if viewer.Has(scope) {
			scopes = append(scopes, scope)
		}
	}
	token, _, err := r.Auth.CreateToken(access.NewContext(r.Context(), viewer), auth.NewToken{Name: "npm login", Scopes: scopes})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	protocols.WriteJSON(w, r.Request, http.StatusCreated, map[string]any{
		"ok": true, "id": couchUser + viewer.Login, "token": token,
	})
	return nil
}

// identify checks a name and password as if they had come in the header.
func identify(r *protocols.Request, name, password string) (access.Viewer, error) {
	asked := (&http.Request{Header: http.Header{}, RemoteAddr: r.RemoteAddr}).WithContext(r.Context())
	asked.SetBasicAuth(name, password)
	return r.Auth.Identify(asked)
}

// logout revokes the token in the path.
func logout(w http.ResponseWriter, r *protocols.Request) error {
	if r.Viewer.Kind != access.User {
		return registry.Errorf(registry.Unauthenticated, "sign in with the token to revoke it")
	}
	if err := r.Auth.RevokeSecret(r.Context(), r.Params["token"]); err != nil {
		return err
	}
	return ok(w, r)
}
