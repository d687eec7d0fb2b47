package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"entrepot/access"
	"entrepot/registry"
	"entrepot/registry/database"
)

const testPassword = "correct horse battery"

// registryTokens is a service with the user ann.
func registryTokens(t testing.TB) (*Service, access.Viewer) {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+t.TempDir()+"/test.db", database.Options{Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	s := New(db, nil)
	t.Cleanup(func() {
		if err := errors.Join(s.Close(context.Background()), db.Close()); err != nil {
			t.Error(err)
		}
	})
	u, err := s.CreateUser(access.SystemContext(t.Context()), NewUser{Login: "ann", Email: "ann@example.com", Password: testPassword})
	if err != nil {
		t.Fatal(err)
	}
	return s, viewer(u, nil)
}

// withToken is the viewer with a new access token.
func withToken(t *testing.T, s *Service, v access.Viewer) access.Viewer {
	t.Helper()
	_, token, err := s.CreateTokenFor(access.SystemContext(t.Context()), v.Login, NewToken{Name: "test", Scopes: []access.Scope{access.ReadPackage}})
	if err != nil {
		t.Fatal(err)
	}
	v.CredentialID, v.Scopes = token.ID, []access.Scope{access.ReadPackage}
	return v
}

func issue(t *testing.T, s *Service, v access.Viewer) string {
	t.Helper()
	token, _, err := s.NewRegistryToken(access.NewContext(t.Context(), v), RegistryGrants{{Type: "repository", Name: "ann/app", Actions: []string{"pull"}}})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestRegistryToken(t *testing.T) {
	s, ann := registryTokens(t)
	for name, v := range map[string]access.Viewer{"anonymous": {}, "password": ann, "token": withToken(t, s, ann)} {
		t.Run(name, func(t *testing.T) {
			got, grants, err := s.CheckRegistryToken(t.Context(), issue(t, s, v))
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != v.Kind || got.UserID != v.UserID || got.CredentialID != v.CredentialID || len(got.Scopes) != len(v.Scopes) {
				t.Errorf("viewer %+v, want %+v", got, v)
			}
			if !grants.Allow("repository", "ann/app", "pull") || grants.Allow("repository", "ann/app", "push") ||
				grants.Allow("repository", "ann/other", "pull") || grants.Allow("registry", "ann/app", "pull") {
				t.Errorf("grants %v", grants)
			}
		})
	}
}

func TestRegistryTokenEndsWithItsCredential(t *testing.T) {
	for _, tt := range []struct {
		name    string
		parent  func(*testing.T, *Service, access.Viewer) access.Viewer
		revoke  func(context.Context, *Service, access.Viewer) error
		refused bool
	}{
		{"token revoked", withToken, func(ctx context.Context, s *Service, v access.Viewer) error {
			return s.db.Token.DeleteOneID(v.CredentialID).Exec(access.SystemContext(ctx))
		}, true},
		{"token expired", withToken, func(ctx context.Context, s *Service, v access.Viewer) error {
			return s.db.Token.UpdateOneID(v.CredentialID).SetExpiresAt(time.Now().Add(-time.Minute)).Exec(access.SystemContext(ctx))
		}, true},
		{"account disabled", withToken, func(ctx context.Context, s *Service, v access.Viewer) error {
			_, err := s.SetDisabled(access.SystemContext(ctx), v.Login, true)
			return err
		}, true},
		{"password changed", keep, func(ctx context.Context, s *Service, v access.Viewer) error {
			return s.SetPassword(access.NewContext(ctx, v), testPassword, "another password")
		}, true},
		{"password changed, but a token was used", withToken, func(ctx context.Context, s *Service, v access.Viewer) error {
			v.CredentialID = 0
			return s.SetPassword(access.NewContext(ctx, v), testPassword, "another password")
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, ann := registryTokens(t)
			v := tt.parent(t, s, ann)
			token := issue(t, s, v)
			refresh, err := s.NewRefreshToken(access.NewContext(t.Context(), v))
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.revoke(t.Context(), s, v); err != nil {
				t.Fatal(err)
			}
			want := registry.Code("")
			if tt.refused {
				want = registry.Unauthenticated
			}
			if _, _, err := s.CheckRegistryToken(t.Context(), token); registry.CodeOf(err) != want {
				t.Errorf("registry token: %v, want code %q", err, want)
			}
			if _, err := s.CheckRefreshToken(t.Context(), refresh); registry.CodeOf(err) != want {
				t.Errorf("refresh token: %v, want code %q", err, want)
			}
		})
	}
}

func keep(_ *testing.T, _ *Service, v access.Viewer) access.Viewer { return v }

func TestRegistryTokenForgeries(t *testing.T) {
	s, ann := registryTokens(t)
	other, mallory := registryTokens(t)
	refresh, err := s.NewRefreshToken(access.NewContext(t.Context(), ann))
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.registryKey.get(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(m jwt.SigningMethod, key any, change func(*registryClaims)) string {
		t.Helper()
		c := registryClaims{RegisteredClaims: jwt.RegisteredClaims{
			Audience: jwt.ClaimStrings{registryAudience}, ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour)),
		}}
		change(&c)
		token, err := jwt.NewWithClaims(m, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := sign(jwt.SigningMethodHS256, key, func(*registryClaims) {})
	if _, _, err := s.CheckRegistryToken(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"empty":              "",
		"text":               "hello",
		"cut":                good[:len(good)-1],
		"without signature":  good[:strings.LastIndexByte(good, '.')+1],
		"of another server":  issue(t, other, mallory),
		"a refresh token":    refresh,
		"unsigned":           sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, func(*registryClaims) {}),
		"another algorithm":  sign(jwt.SigningMethodHS512, key, func(*registryClaims) {}),
		"expired":            sign(jwt.SigningMethodHS256, key, func(c *registryClaims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Hour)) }),
		"without expiry":     sign(jwt.SigningMethodHS256, key, func(c *registryClaims) { c.ExpiresAt = nil }),
		"of nobody we know":  sign(jwt.SigningMethodHS256, key, func(c *registryClaims) { c.Subject = "12345" }),
		"of no number":       sign(jwt.SigningMethodHS256, key, func(c *registryClaims) { c.Subject = "ann" }),
		"of another's token": sign(jwt.SigningMethodHS256, key, func(c *registryClaims) { c.Subject, c.Credential = "12345", 1 }),
	} {
		t.Run(name, func(t *testing.T) {
			if v, _, err := s.CheckRegistryToken(t.Context(), token); registry.CodeOf(err) != registry.Unauthenticated {
				t.Errorf("viewer %+v, error %v; want Unauthenticated", v, err)
			}
		})
	}
	if _, err := s.NewRefreshToken(t.Context()); registry.CodeOf(err) != registry.Unauthenticated {
		t.Errorf("refresh token for nobody: %v", err)
	}
}
