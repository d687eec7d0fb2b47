package auth

import (
	"context"
	"slices"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/registry"
)

// A bearer token is what clients get that sign in once, with Basic, and keep
// what the server answers: Conan. Like a registry token it is a signed
// statement about a credential, not a row, and ends with that credential.

// BearerTokenLife is how long a bearer token is good.
const BearerTokenLife = 24 * time.Hour

const bearerAudience = "bearer"

// packageScopes are all that a bearer token can have: it is for packages
// alone, also when a password was given for it.
var packageScopes = []access.Scope{access.ReadPackage, access.WritePackage, access.DeletePackage}

// NewBearerToken makes a token that stands for the credential of the viewer in
// the context and never has more scopes than that. It is Unauthenticated for
// the anonymous viewer.
func (s *Service) NewBearerToken(ctx context.Context) (string, error) {
	if access.FromContext(ctx).Kind != access.User {
		return "", registry.Errorf(registry.Unauthenticated, "sign in with a user name and a token or password")
	}
	token, _, err := s.signRegistryToken(ctx, bearerAudience, BearerTokenLife, nil)
	return token, err
}

// looksSigned tells whether the text has the form of a signed token: a JSON
// object in base64url and two more parts (RFC 7515, section 3.1).
func looksSigned(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
}

// checkBearerToken returns the viewer that a bearer token speaks for, as the
// account and its credential are now. Error: Unauthenticated.
func (s *Service) checkBearerToken(ctx context.Context, token string) (access.Viewer, error) {
	v, _, err := s.checkSigned(ctx, token, bearerAudience)
	if err != nil {
		return access.Viewer{}, err
	}
	if !v.SignedIn() {
		return access.Viewer{}, registry.Errorf(registry.Unauthenticated, "the token is not one of this server's")
	}
	scopes := slices.Clone(packageScopes)
	v.Scopes = slices.DeleteFunc(scopes, func(scope access.Scope) bool { return !v.Has(scope) })
	return v, nil
}
