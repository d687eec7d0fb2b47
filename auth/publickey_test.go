package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent/token"
	"entrepot/registry"
)

// TestPublicKeys sets keys, and asks who has signed with them.
func TestPublicKeys(t *testing.T) {
	s, ann := registryTokens(t)
	ctx := access.NewContext(t.Context(), ann)
	keys := make([]*rsa.PublicKey, 2)
	for i := range keys {
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = &private.PublicKey
	}
	signer := func(login string, key *rsa.PublicKey) (access.Viewer, error) {
		return s.SignedBy(t.Context(), login, func(k *rsa.PublicKey) bool { return k.Equal(key) })
	}
	want := func(what string, key *rsa.PublicKey, good bool) {
		t.Helper()
		v, err := signer("ANN", key)
		if good && (err != nil || v.UserID != ann.UserID || !v.Has(access.DeletePackage) || v.Has(access.AdminOwner)) {
			t.Errorf("%s: %+v, %v; want ann with the scopes for packages", what, v, err)
		}
		if !good && (registry.CodeOf(err) != registry.Unauthenticated || v.SignedIn()) {
			t.Errorf("%s: %+v, %v; want nobody", what, v, err)
		}
	}
	set := func(name string, key *rsa.PublicKey) PublicKey {
		t.Helper()
		k, err := s.SetPublicKey(ctx, name, key)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	want("before", keys[0], false)
	first := set("laptop", keys[0])
	if first.ExpiresAt != nil || len(first.Fingerprint()) != 64 {
		t.Errorf("key = %+v", first)
	}
	set("desk", keys[1])
	want("first", keys[0], true)
	want("second", keys[1], true)
	set("laptop", keys[1])
	want("replaced", keys[0], false)
	list, err := s.PublicKeys(ctx)
	if err != nil || len(list) != 2 || list[0].Name != "desk" || list[1].Name != "laptop" {
		t.Errorf("keys = %+v, %v", list, err)
	}
	for _, name := range []string{"laptop", "desk"} {
		if err := s.RemovePublicKey(ctx, name); err != nil {
			t.Error(err)
		}
	}
	want("removed", keys[1], false)
	if err := s.RemovePublicKey(ctx, "desk"); registry.CodeOf(err) != registry.NotFound {
		t.Errorf("removed twice: %v", err)
	}

	// A token gives a key no longer life than its own, nor more rights.
	if _, err := s.SetPublicKey(access.NewContext(t.Context(), withToken(t, s, ann)), "x", keys[0]); registry.CodeOf(err) != registry.Forbidden {
		t.Errorf("by a token that may read: %v", err)
	}
	_, tok, err := s.CreateToken(ctx, NewToken{Name: "short", Scopes: packageScopes})
	if err != nil {
		t.Fatal(err)
	}
	limited := ann
	limited.CredentialID, limited.Scopes = tok.ID, packageScopes
	if k, err := s.SetPublicKey(access.NewContext(t.Context(), limited), "x", keys[0]); err != nil || k.ExpiresAt == nil || !k.ExpiresAt.Equal(*tok.ExpiresAt) {
		t.Errorf("key = %+v, %v", k, err)
	}
	want("by a token", keys[0], true)
	system := access.SystemContext(t.Context())
	past := time.Now().Add(-time.Minute)
	if err := s.db.Token.Update().Where(token.ID(tok.ID)).SetExpiresAt(past).Exec(system); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetPublicKey(access.NewContext(t.Context(), limited), "x", keys[0]); err != nil {
		t.Fatal(err)
	}
	want("expired", keys[0], false)

	set("x", keys[0])
	if err := s.db.User.UpdateOneID(ann.UserID).SetDisabled(true).Exec(system); err != nil {
		t.Fatal(err)
	}
	want("of a disabled account", keys[0], false)
	for _, login := range []string{"nobody", "", "\x00", "\xff"} {
		if _, err := signer(login, keys[0]); registry.CodeOf(err) != registry.Unauthenticated {
			t.Errorf("%q: %v", login, err)
		}
	}
	if _, err := s.PublicKeys(t.Context()); registry.CodeOf(err) != registry.Unauthenticated {
		t.Errorf("keys of nobody: %v", err)
	}
}
