package auth

import (
	"net/http"
	"slices"
	"testing"

	"entrepot/access"
	"entrepot/registry"
)

// bearing is a request with the bearer token.
func bearing(t *testing.T, token string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func TestBearerToken(t *testing.T) {
	s, ann := registryTokens(t)
	reading := withToken(t, s, ann)
	for _, tt := range []struct {
		name   string
		viewer access.Viewer
		want   []access.Scope
	}{
		{"for a password, packages alone", ann, []access.Scope{access.ReadPackage, access.WritePackage, access.DeletePackage}},
		{"for a token, its scopes alone", reading, []access.Scope{access.ReadPackage}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token, err := s.NewBearerToken(access.NewContext(t.Context(), tt.viewer))
			if err != nil {
				t.Fatal(err)
			}
			v, err := s.IdentifyClient(bearing(t, token))
			if err != nil || v.Login != "ann" || v.CredentialID != tt.viewer.CredentialID {
				t.Fatalf("%+v, %v", v, err)
			}
			for _, scope := range access.Scopes() {
				if got, want := v.Has(scope), slices.Contains(tt.want, scope); got != want {
					t.Errorf("has %s: %v, want %v", scope, got, want)
				}
			}
			// It is for package clients, not for the API.
			if _, err := s.Identify(bearing(t, token)); registry.CodeOf(err) != registry.Unauthenticated {
				t.Errorf("accepted everywhere: %v", err)
			}
		})
	}
	if _, err := s.NewBearerToken(t.Context()); registry.CodeOf(err) != registry.Unauthenticated {
		t.Errorf("for nobody: %v", err)
	}
}

func TestBearerTokenEndsWithItsCredential(t *testing.T) {
	s, ann := registryTokens(t)
	reading := withToken(t, s, ann)
	token, err := s.NewBearerToken(access.NewContext(t.Context(), reading))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeToken(access.NewContext(t.Context(), ann), reading.CredentialID); err != nil {
		t.Fatal(err)
	}
	// A registry token, of which the form is the same, is none either.
	for name, text := range map[string]string{
		"revoked": token, "malformed": "eyJ.x.y", "cut": token[:len(token)-3], "unset": "unset", "of a container": issue(t, s, ann),
	} {
		if v, err := s.IdentifyClient(bearing(t, text)); registry.CodeOf(err) != registry.Unauthenticated || v.SignedIn() {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}
