package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry"
)

// A registry token is what image clients get from a token endpoint for their
// credential and use in its place for a while (the token scheme of the
// distribution project, https://distribution.github.io/distribution/spec/auth/).
// It is a signed statement, not a row: who asked, with which credential, and
// for what. It gives no right by itself. At each use the account and the
// credential it came from are looked up again, so it ends with them, and what
// the viewer may do is decided as always; its grants only narrow that.

const (
	// RegistryTokenLife is how long a registry token is good.
	RegistryTokenLife = time.Hour
	// refreshTokenLife is how long a refresh token is good: clients that keep
	// one in place of a password sign in again after this.
	refreshTokenLife = 90 * 24 * time.Hour
	// clockSkew is how far the clocks of two replicas may be apart.
	clockSkew = time.Minute

	// The audiences keep one kind from being taken for the other.
	registryAudience = "registry"
	refreshAudience  = "registry-refresh"
	registryKeyName  = "registry-token-key"
)

// RegistryGrant is what a registry token was asked for and allowed, in the
// form of the scheme.
type RegistryGrant struct {
	// Type is "repository" or "registry".
	Type string `json:"type"`
	// Name is the repository, owner included, in lower case; or "catalog".
	Name string `json:"name"`
	// Actions are of "pull", "push", "delete" and "*".
	Actions []string `json:"actions"`
}

// RegistryGrants are the grants of one token.
type RegistryGrants []RegistryGrant

// Allow tells whether a grant covers the action.
func (g RegistryGrants) Allow(typ, name, action string) bool {
	return slices.ContainsFunc(g, func(g RegistryGrant) bool {
		return g.Type == typ && g.Name == name && slices.Contains(g.Actions, action)
	})
}

type registryClaims struct {
	jwt.RegisteredClaims
	// Credential is the id of the access token that was presented, or 0.
	Credential int64 `json:"cid,omitempty"`
	// Password marks the password that was presented in its place.
	Password string `json:"pwd,omitempty"`
	// Access are the grants.
	Access RegistryGrants `json:"access,omitempty"`
}

// NewRegistryToken makes a registry token for the viewer in the context, who
// may be anonymous. The caller has cut the grants down to what the viewer may
// do.
func (s *Service) NewRegistryToken(ctx context.Context, grants RegistryGrants) (token string, issued time.Time, err error) {
	return s.signRegistryToken(ctx, registryAudience, RegistryTokenLife, grants)
}

// NewRefreshToken makes a token that stands for the viewer's credential at the
// token endpoint. It is Unauthenticated for the anonymous viewer.
func (s *Service) NewRefreshToken(ctx context.Context) (string, error) {
	if access.FromContext(ctx).Kind != access.User {
		return "", registry.Errorf(registry.Unauthenticated, "sign in for a refresh token")
	}
	token, _, err := s.signRegistryToken(ctx, refreshAudience, refreshTokenLife, nil)
	return token, err
}

func (s *Service) signRegistryToken(ctx context.Context, audience string, life time.Duration, grants RegistryGrants) (string, time.Time, error) {
	v := access.FromContext(ctx)
	at := time.Now().UTC().Truncate(time.Second)
	claims := registryClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Audience:  jwt.ClaimStrings{audience},
			IssuedAt:  jwt.NewNumericDate(at),
			ExpiresAt: jwt.NewNumericDate(at.Add(life)),
		},
		Credential: v.CredentialID,
		Access:     grants,
	}
	if v.Kind == access.User {
		claims.Subject = strconv.FormatInt(v.UserID, 10)
		if v.CredentialID == 0 {
			u, err := s.db.User.Get(access.SystemContext(ctx), v.UserID)
			if err != nil {
				return "", at, fmt.Errorf("look up user: %w", err)
			}
			claims.Password = passwordMark(u)
		}
	}
	key, err := s.registryKey.get(ctx, s)
	if err != nil {
		return "", at, err
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key)
	if err != nil {
		return "", at, fmt.Errorf("sign registry token: %w", err)
	}
	return token, at, nil
}

// CheckRegistryToken returns the viewer a registry token speaks for, as the
// account is now, and what the token grants. It is Unauthenticated when the
// token is not ours or has expired, or when what it came from is gone.
func (s *Service) CheckRegistryToken(ctx context.Context, token string) (access.Viewer, RegistryGrants, error) {
	return s.checkSigned(ctx, token, registryAudience)
}

// CheckRefreshToken returns the viewer a refresh token speaks for. Errors are
// those of CheckRegistryToken.
func (s *Service) CheckRefreshToken(ctx context.Context, token string) (access.Viewer, error) {
	v, _, err := s.checkSigned(ctx, token, refreshAudience)
	return v, err
}

func (s *Service) checkSigned(ctx context.Context, token, audience string) (access.Viewer, RegistryGrants, error) {
	key, err := s.registryKey.get(ctx, s)
	if err != nil {
		return access.Viewer{}, nil, err
	}
	var claims registryClaims
	_, err = jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithAudience(audience), jwt.WithExpirationRequired(), jwt.WithLeeway(clockSkew))
	if errors.Is(err, jwt.ErrTokenExpired) {
		return access.Viewer{}, nil, registry.Errorf(registry.Unauthenticated, "the token has expired")
	}
	if err != nil {
		return access.Viewer{}, nil, registry.Errorf(registry.Unauthenticated, "the token is not one of this server's")
	}
	if claims.Subject == "" {
		return access.Viewer{}, claims.Access, nil
	}
	id, err := strconv.ParseInt(claims.Subject, 10, 64)
	if err != nil {
		return access.Viewer{}, nil, registry.Errorf(registry.Unauthenticated, "the token is not one of this server's")
	}
	v, err := s.CurrentViewer(ctx, id, claims.Credential)
	if err != nil {
		return access.Viewer{}, nil, err
	}
	if claims.Credential == 0 {
		if err := s.samePassword(ctx, id, claims.Password); err != nil {
			return access.Viewer{}, nil, err
		}
	}
	return v, claims.Access, nil
}

// samePassword fails when the password has changed since the mark was made.
func (s *Service) samePassword(ctx context.Context, userID int64, mark string) error {
	u, err := s.db.User.Get(access.SystemContext(ctx), userID)
	if err != nil && !ent.IsNotFound(err) {
		return fmt.Errorf("look up user: %w", err)
	}
	if err != nil || mark != passwordMark(u) {
		return registry.Errorf(registry.Unauthenticated, "the credential is no longer valid")
	}
	return nil
}

// sharedKey is a shared secret that was read once. It never changes.
type sharedKey struct {
	mu    sync.Mutex
	name  string
	value []byte
}

func (k *sharedKey) get(ctx context.Context, s *Service) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.value == nil {
		value, err := s.sharedSecret(ctx, k.name)
		if err != nil {
			return nil, err
		}
		k.value = value
	}
	return k.value, nil
}
