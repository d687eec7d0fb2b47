package rubygems

import (
	"net/http"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/protocols"
	"entrepot/registry"
)

const (
	// maxForm is the longest form in bytes, but for gems.
	maxForm = 64 << 10
	// maxTokenName is the longest name of a token in bytes that is kept.
	maxTokenName = 100
)

// rights are what `gem signin` asks for, and what they are here.
var rights = []struct {
	field string
	scope access.Scope
}{
	{"index_rubygems", access.ReadPackage},
	{"push_rubygem", access.WritePackage},
	{"yank_rubygem", access.DeletePackage},
}

// signIn makes a token for `gem signin`, which sends a name and a password. It
// may always read; without any right asked for, as old clients do, it may all
// that the viewer may.
//
// https://guides.rubygems.org/rubygems-org-api/#api-key-and-authorization-methods
func signIn(w http.ResponseWriter, r *protocols.Request) error {
	if r.Viewer.Kind != access.User {
		return registry.Errorf(registry.Unauthenticated, "sign in with your name and password")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
	}
	asked := map[access.Scope]bool{}
	for _, right := range rights {
		if r.Form.Get(right.field) == "true" {
			asked[right.scope] = true
		}
	}
	var scopes []access.Scope
	for _, right := range rights {
		wanted := len(asked) == 0 || asked[right.scope] || right.scope == access.ReadPackage
		if wanted && r.Viewer.Has(right.scope) {
			scopes = append(scopes, right.scope)
		}
	}
	name := "gem signin"
	if given := protocols.OneLine(protocols.CleanText(r.Form.Get("name"))); given != "" {
		name = protocols.CutText(given, maxTokenName)
	}
	token, _, err := r.Auth.CreateToken(r.Context(), auth.NewToken{Name: name, Scopes: scopes})
	if err != nil {
		return err
	}
	// No line end: gem keeps all that it gets.
	w.Header().Set("Content-Type", textType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write([]byte(token)) // the client has it or is gone
	}
	return nil
}
