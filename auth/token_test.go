package auth

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/registry"
)

func wantCode(t *testing.T, err error, want registry.Code) {
	t.Helper()
	if got := registry.CodeOf(err); got != want || err == nil && want != "" {
		t.Errorf("error %v (code %q), want code %q", err, got, want)
	}
}

func as(t *testing.T, v access.Viewer) context.Context { return access.NewContext(t.Context(), v) }

func system(t *testing.T) context.Context { return access.SystemContext(t.Context()) }

func TestTokenForm(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		secret := newSecret()
		if len(secret) != len(TokenPrefix)+secretLength+checksumLength || !LooksLikeToken(secret) || seen[secret] {
			t.Fatalf("bad secret %q", secret)
		}
		// conda, R and others cut or mangle everything else.
		if strings.Trim(secret, base62+"-") != "" {
			t.Fatalf("%q has characters that clients mangle", secret)
		}
		seen[secret] = true
	}
	secret := newSecret()
	for i := range secret {
		other := byte('x')
		if secret[i] == other {
			other = 'y'
		}
		if mistyped := secret[:i] + string(other) + secret[i+1:]; LooksLikeToken(mistyped) {
			t.Errorf("%q is not told from %q", mistyped, secret)
		}
	}
	for _, bad := range []string{"", TokenPrefix, secret[:len(secret)-1], secret + "x", " " + secret, strings.ToUpper(secret), secret[len(TokenPrefix):]} {
		if LooksLikeToken(bad) {
			t.Errorf("%q looks like a token", bad)
		}
	}
}

func FuzzLooksLikeToken(f *testing.F) {
	f.Add(newSecret())
	f.Add("ent-x")
	f.Fuzz(func(t *testing.T, text string) {
		if LooksLikeToken(text) && checksum(text[len(TokenPrefix):len(TokenPrefix)+secretLength]) != text[len(text)-checksumLength:] {
			t.Errorf("%q has a wrong checksum", text)
		}
	})
}

func TestTokenIsKeptAsAHash(t *testing.T) {
	s, ann := registryTokens(t)
	secret, made, err := s.CreateToken(as(t, ann), NewToken{Name: "ci", Scopes: []access.Scope{access.ReadPackage}})
	if err != nil {
		t.Fatal(err)
	}
	row := s.db.Token.GetX(system(t), made.ID)
	if !slices.Equal(row.SecretHash, hashSecret(secret)) || strings.Contains(row.String(), secret) {
		t.Errorf("the row holds %v", row)
	}
	if life := row.ExpiresAt.Sub(row.CreatedAt); life < DefaultTokenLife-time.Minute || life > DefaultTokenLife+time.Minute {
		t.Errorf("without an expiry it lives %v", life)
	}
}

func TestTokenViewer(t *testing.T) {
	s, ann := registryTokens(t)
	secret, made, err := s.CreateToken(as(t, ann), NewToken{Name: "ci", Scopes: []access.Scope{access.ReadPackage, access.ReadPackage, access.AdminSite}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.checkToken(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if v.UserID != ann.UserID || v.CredentialID != made.ID || v.SiteAdmin || !v.Has(access.ReadPackage) || v.Has(access.WritePackage) {
		t.Errorf("viewer %+v", v)
	}
	// A scope gives no right that the user lacks.
	wantCode(t, siteAdmin(as(t, v)), registry.Forbidden)
}

func TestTokenRules(t *testing.T) {
	s, ann := registryTokens(t)
	past, soon := time.Now().Add(-time.Second), time.Now().Add(time.Hour)
	read := []access.Scope{access.ReadPackage}
	for _, tt := range []struct {
		name  string
		token NewToken
		field string
	}{
		{"no name", NewToken{Scopes: read}, "name"},
		{"a name that is too long", NewToken{Name: strings.Repeat("x", 101), Scopes: read}, "name"},
		{"a name with NUL", NewToken{Name: "a\x00", Scopes: read}, "name"},
		{"no scopes", NewToken{Name: "x"}, "scopes"},
		{"over already", NewToken{Name: "x", Scopes: read, ExpiresAt: &past}, "expiresAt"},
		{"good", NewToken{Name: "x", Scopes: read, ExpiresAt: &soon}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := s.CreateToken(as(t, ann), tt.token)
			if e, _ := err.(*registry.Error); (e == nil) != (tt.field == "") || e != nil && (e.Code != registry.Invalid || e.Field != tt.field) {
				t.Errorf("error %v, want field %q", err, tt.field)
			}
		})
	}
	_, _, err := s.CreateToken(t.Context(), NewToken{Name: "x", Scopes: read})
	wantCode(t, err, registry.Unauthenticated)
	_, _, err = s.CreateTokenFor(as(t, ann), "ann", NewToken{Name: "x", Scopes: read})
	wantCode(t, err, registry.Forbidden)
	_, _, err = s.CreateTokenFor(system(t), "nobody", NewToken{Name: "x", Scopes: read})
	wantCode(t, err, registry.NotFound)
}

// What a token gives on is never more than it has itself.
func TestTokenGivesNoMoreThanItHas(t *testing.T) {
	s, ann := registryTokens(t)
	end := now().Add(time.Hour)
	secret, _, err := s.CreateToken(as(t, ann), NewToken{Name: "short", Scopes: []access.Scope{access.ReadPackage, access.WritePackage}, ExpiresAt: &end})
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.checkToken(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range access.Scopes() {
		_, _, err := s.CreateToken(as(t, v), NewToken{Name: "x", Scopes: []access.Scope{access.ReadPackage, scope}})
		if v.Has(scope) {
			wantCode(t, err, "")
		} else {
			wantCode(t, err, registry.Forbidden)
		}
	}
	_, child, err := s.CreateToken(as(t, v), NewToken{Name: "x", Scopes: []access.Scope{access.ReadPackage}})
	if err != nil {
		t.Fatal(err)
	}
	if child.ExpiresAt.After(end) {
		t.Errorf("the child lives until %v, its parent until %v", child.ExpiresAt, end)
	}
	later := end.Add(time.Second)
	_, _, err = s.CreateToken(as(t, v), NewToken{Name: "x", Scopes: []access.Scope{access.ReadPackage}, ExpiresAt: &later})
	wantCode(t, err, registry.Invalid)
	if err := s.RevokeSecret(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.CreateToken(as(t, v), NewToken{Name: "x", Scopes: []access.Scope{access.ReadPackage}})
	wantCode(t, err, registry.Unauthenticated)
}

func TestTokenEnds(t *testing.T) {
	s, ann := registryTokens(t)
	make := func() (string, int64) {
		t.Helper()
		secret, made, err := s.CreateToken(as(t, ann), NewToken{Name: "x", Scopes: []access.Scope{access.ReadPackage}})
		if err != nil {
			t.Fatal(err)
		}
		return secret, made.ID
	}
	check := func(secret string) error { _, err := s.checkToken(t.Context(), secret); return err }

	secret, id := make()
	wantCode(t, check(secret), "")
	s.db.Token.UpdateOneID(id).SetExpiresAt(now()).ExecX(system(t))
	wantCode(t, check(secret), registry.Unauthenticated)

	secret, id = make()
	bob, err := s.CreateUser(system(t), NewUser{Login: "bob", Email: "bob@example.com", Password: testPassword})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.RevokeToken(as(t, viewer(bob, nil)), id), registry.NotFound)
	wantCode(t, s.RevokeToken(t.Context(), id), registry.Unauthenticated)
	wantCode(t, check(secret), "")
	wantCode(t, s.RevokeToken(as(t, ann), id), "")
	wantCode(t, check(secret), registry.Unauthenticated)
	wantCode(t, s.RevokeToken(as(t, ann), id), registry.NotFound)

	secret, _ = make()
	wantCode(t, s.RevokeSecret(t.Context(), secret), "")
	wantCode(t, check(secret), registry.Unauthenticated)
	wantCode(t, s.RevokeSecret(t.Context(), secret), registry.NotFound)

	secret, id = make()
	if _, err := s.SetDisabled(system(t), "ANN", true); err != nil {
		t.Fatal(err)
	}
	wantCode(t, check(secret), registry.Unauthenticated)
	_, err = s.CurrentViewer(t.Context(), ann.UserID, id)
	wantCode(t, err, registry.Unauthenticated)
	if _, err := s.SetDisabled(system(t), "ann", false); err != nil {
		t.Fatal(err)
	}
	wantCode(t, check(secret), "")
	v, err := s.CurrentViewer(t.Context(), ann.UserID, id)
	if err != nil || v.CredentialID != id || v.Has(access.WritePackage) {
		t.Errorf("current viewer %+v, %v", v, err)
	}
	_, err = s.CurrentViewer(t.Context(), bob.ID, id)
	wantCode(t, err, registry.Unauthenticated)
}

// The stamp of the last use is written later, once a minute, and never by the
// request itself.
func TestLastUsed(t *testing.T) {
	s, ann := registryTokens(t)
	secret, made, err := s.CreateToken(as(t, ann), NewToken{Name: "x", Scopes: []access.Scope{access.ReadPackage}})
	if err != nil {
		t.Fatal(err)
	}
	_, before := s.db.Statements()
	for range 3 {
		if _, err := s.checkToken(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	if _, after := s.db.Statements(); after != before {
		t.Errorf("%d writes", after-before)
	}
	if err := s.lastUsed.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	row := s.db.Token.GetX(system(t), made.ID)
	if row.LastUsedAt == nil || row.LastUsedAt.Second() != 0 || time.Since(*row.LastUsedAt) > 2*time.Minute {
		t.Errorf("last used %v", row.LastUsedAt)
	}
}
