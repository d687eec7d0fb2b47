package auth

import (
	"context"
	"errors"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/registry"
	"entrepot/registry/database"
)

// emptyService is a service without any account.
func emptyService(t *testing.T) *Service {
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
	return s
}

func TestCreateUser(t *testing.T) {
	s, ann := registryTokens(t)
	good := func(change func(*NewUser)) NewUser {
		n := NewUser{Login: "Bob", Email: "Bob@example.com", Password: testPassword, FullName: "Bob B"}
		if change != nil {
			change(&n)
		}
		return n
	}
	for _, tt := range []struct {
		name  string
		user  NewUser
		code  registry.Code
		field string
	}{
		{"a taken name in another case", good(func(n *NewUser) { n.Login = "ANN" }), registry.Conflict, "login"},
		{"a taken address in another case", good(func(n *NewUser) { n.Email = "ANN@example.com" }), registry.Conflict, "email"},
		{"a name of the server's own", good(func(n *NewUser) { n.Login = "API" }), registry.Invalid, "login"},
		{"a name with an at sign, which would be an address", good(func(n *NewUser) { n.Login = "bob@example.com" }), registry.Invalid, "login"},
		{"no name", good(func(n *NewUser) { n.Login = "" }), registry.Invalid, "login"},
		{"no address", good(func(n *NewUser) { n.Email = "" }), registry.Invalid, "email"},
		{"an address with a name", good(func(n *NewUser) { n.Email = "Bob <bob@example.com>" }), registry.Invalid, "email"},
		{"a password that is too short", good(func(n *NewUser) { n.Password = "short" }), registry.Invalid, "password"},
		{"a full name with NUL", good(func(n *NewUser) { n.FullName = "a\x00" }), registry.Invalid, "fullName"},
		{"a good one", good(nil), "", ""},
		{"the same again", good(nil), registry.Conflict, "login"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := s.CreateUser(system(t), tt.user)
			wantCode(t, err, tt.code)
			if e, _ := errors.AsType[*registry.Error](err); e != nil && e.Field != tt.field {
				t.Errorf("field %q, want %q", e.Field, tt.field)
			}
			if err == nil && (u.Admin || u.NormalizedLogin != "bob" || u.QueryNamespace().OnlyX(system(t)).Name != "Bob") {
				t.Errorf("made %v", u)
			}
		})
	}
	// Nothing of what failed is left.
	if owners, users := s.db.Owner.Query().CountX(system(t)), s.db.User.Query().CountX(system(t)); owners != 2 || users != 2 {
		t.Errorf("%d owners, %d users", owners, users)
	}
	_, err := s.CreateUser(as(t, ann), good(nil))
	wantCode(t, err, registry.Forbidden)
	_, err = s.CreateUser(t.Context(), good(nil))
	wantCode(t, err, registry.Unauthenticated)
	_, err = s.SetDisabled(as(t, ann), "bob", true)
	wantCode(t, err, registry.Forbidden)
	admin := access.Viewer{Kind: access.User, UserID: ann.UserID, Login: "ann", SiteAdmin: true, CredentialID: 1, Scopes: []access.Scope{access.AdminOwner}}
	_, err = s.CreateUser(as(t, admin), good(nil))
	wantCode(t, err, registry.Forbidden)
}

func TestUpdateProfile(t *testing.T) {
	s, ann := registryTokens(t)
	if _, err := s.CreateUser(system(t), NewUser{Login: "bob", Email: "bob@example.com", Password: testPassword}); err != nil {
		t.Fatal(err)
	}
	text := func(s string) *string { return &s }
	for _, tt := range []struct {
		name   string
		viewer access.Viewer
		change ProfileChange
		code   registry.Code
		want   string
	}{
		{"nothing", ann, ProfileChange{}, "", " ann@example.com"},
		{"a name", ann, ProfileChange{FullName: text("Ann A")}, "", "Ann A ann@example.com"},
		{"an address", ann, ProfileChange{Email: text("Ann@example.org")}, "", "Ann A Ann@example.org"},
		{"somebody else's address", ann, ProfileChange{Email: text("BOB@example.com")}, registry.Conflict, ""},
		{"no address", ann, ProfileChange{Email: text("x")}, registry.Invalid, ""},
		{"a long name", ann, ProfileChange{FullName: text(strings.Repeat("x", 201))}, registry.Invalid, ""},
		{"by a token", withToken(t, s, ann), ProfileChange{FullName: text("x")}, registry.Forbidden, ""},
		{"by nobody", access.Viewer{}, ProfileChange{FullName: text("x")}, registry.Unauthenticated, ""},
		{"by the system, which has no profile", access.SystemViewer(), ProfileChange{FullName: text("x")}, registry.Forbidden, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := s.UpdateProfile(as(t, tt.viewer), tt.change)
			wantCode(t, err, tt.code)
			if err == nil && u.FullName+" "+u.Email != tt.want {
				t.Errorf("%q %q, want %q", u.FullName, u.Email, tt.want)
			}
		})
	}
	if _, err := s.CheckPassword(t.Context(), "ann@EXAMPLE.org", testPassword, "here"); err != nil {
		t.Errorf("signing in with the new address: %v", err)
	}
}
