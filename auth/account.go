package auth

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/owner"
	"entrepot/ent/token"
	"entrepot/ent/user"
	"entrepot/registry"
)

// NewUser is what an account is made from.
type NewUser struct {
	Login    string
	FullName string
	Email    string
	Password string
	// Admin makes the user an administrator of the site.
	Admin bool
}

// CreateUser makes an account and its namespace. The viewer must be a site
// administrator or the system. Errors: Conflict for a login name or address
// that is taken, Invalid with the field that is at fault.
func (s *Service) CreateUser(ctx context.Context, n NewUser) (*ent.User, error) {
	if err := siteAdmin(ctx); err != nil {
		return nil, err
	}
	return s.createUser(ctx, n)
}

func (s *Service) createUser(ctx context.Context, n NewUser) (*ent.User, error) {
	if !access.ValidOwnerName(n.Login) {
		return nil, registry.FieldErrorf("login", "%q cannot be a user name: use letters, digits and single - _ . between them", n.Login)
	}
	if err := checkProfile(n.FullName, n.Email); err != nil {
		return nil, err
	}
	if err := checkPasswordRules(n.Password); err != nil {
		return nil, err
	}
	hash, err := s.hashPassword(ctx, n.Password)
	if err != nil {
		return nil, err
	}
	ctx = access.SystemContext(ctx)
	tx, err := s.db.Tx(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	o, err := tx.Owner.Create().
		SetName(n.Login).
		SetNormalizedName(strings.ToLower(n.Login)).
		SetKind(owner.KindUser).
		SetDisplayName(n.FullName).
		Save(ctx)
	if ent.IsConstraintError(err) {
		return nil, &registry.Error{Code: registry.Conflict, Field: "login", Message: fmt.Sprintf("the name %q is taken", n.Login)}
	}
	if err != nil {
		return nil, fmt.Errorf("insert owner: %w", err)
	}
	u, err := tx.User.Create().
		SetOwnerID(o.ID).
		SetLogin(n.Login).
		SetNormalizedLogin(strings.ToLower(n.Login)).
		SetFullName(n.FullName).
		SetEmail(n.Email).
		SetNormalizedEmail(strings.ToLower(n.Email)).
		SetPasswordHash(hash).
		SetAdmin(n.Admin).
		Save(ctx)
	if ent.IsConstraintError(err) {
		return nil, &registry.Error{Code: registry.Conflict, Field: "email", Message: "the e-mail address is in use"}
	}
	if err != nil {
		return nil, fmt.Errorf("insert user: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	return u.Unwrap(), nil
}

// maxFullName is the longest name of a person in bytes.
const maxFullName = 200

func checkProfile(fullName, email string) error {
	if len(fullName) > maxFullName || strings.ContainsRune(fullName, 0) || !utf8.ValidString(fullName) {
		return registry.FieldErrorf("fullName", "a name is text of at most %d bytes", maxFullName)
	}
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email || len(email) > 254 {
		return registry.FieldErrorf("email", "%q is not an e-mail address", email)
	}
	return nil
}

// ProfileChange holds what UpdateProfile changes; nil leaves a thing as it is.
type ProfileChange struct{ FullName, Email *string }

// UpdateProfile changes what the viewer's own account says of its user. It
// needs a password or a browser session: whoever holds only a token must not
// take over the account by its address. Errors: Conflict for an address that
// is in use, Invalid with the field that is at fault.
func (s *Service) UpdateProfile(ctx context.Context, c ProfileChange) (*ent.User, error) {
	v := access.FromContext(ctx)
	switch {
	case !v.SignedIn():
		return nil, registry.Errorf(registry.Unauthenticated, "sign in to change the profile")
	case v.Kind != access.User || v.CredentialID != 0:
		return nil, registry.Errorf(registry.Forbidden, "sign in with the password to change the profile")
	}
	ctx = access.SystemContext(ctx)
	u, err := s.db.User.Get(ctx, v.UserID)
	if err != nil {
		return nil, err
	}
	if c.FullName != nil {
		u.FullName = *c.FullName
	}
	if c.Email != nil {
		u.Email = *c.Email
	}
	if err := checkProfile(u.FullName, u.Email); err != nil {
		return nil, err
	}
	u, err = s.db.User.UpdateOneID(u.ID).
		SetFullName(u.FullName).
		SetEmail(u.Email).
		SetNormalizedEmail(strings.ToLower(u.Email)).
		Save(ctx)
	if ent.IsConstraintError(err) {
		return nil, &registry.Error{Code: registry.Conflict, Field: "email", Message: "the e-mail address is in use"}
	}
	return u, err
}

// siteAdmin refuses viewers who do not administer the site.
func siteAdmin(ctx context.Context) error {
	v := access.FromContext(ctx)
	switch {
	case v.Kind == access.System, v.SiteAdmin && v.Has(access.AdminSite):
		return nil
	case !v.SignedIn():
		return registry.Errorf(registry.Unauthenticated, "sign in as a site administrator")
	}
	return registry.Errorf(registry.Forbidden, "only a site administrator may do this")
}

// SetPassword changes the viewer's own password, which the old one proves.
func (s *Service) SetPassword(ctx context.Context, old, password string) error {
	v := access.FromContext(ctx)
	if v.Kind != access.User || v.CredentialID != 0 {
		return registry.Errorf(registry.Forbidden, "sign in with the password to change it")
	}
	if err := checkPasswordRules(password); err != nil {
		return err
	}
	ctx = access.SystemContext(ctx)
	u, err := s.db.User.Get(ctx, v.UserID)
	if err != nil {
		return err
	}
	ok, err := s.verify(ctx, u, old)
	if err != nil {
		return err
	}
	if !ok {
		return registry.FieldErrorf("oldPassword", "the old password is wrong")
	}
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.db.User.UpdateOneID(u.ID).SetPasswordHash(hash).Exec(ctx)
}

// SetDisabled locks an account out, or lets it in again. The viewer must be a
// site administrator. The change holds from the next request on.
func (s *Service) SetDisabled(ctx context.Context, login string, disabled bool) (*ent.User, error) {
	if err := siteAdmin(ctx); err != nil {
		return nil, err
	}
	ctx = access.SystemContext(ctx)
	u, err := s.db.User.Query().Where(user.NormalizedLogin(strings.ToLower(login))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, &registry.Error{Code: registry.NotFound, Field: "login", Message: fmt.Sprintf("there is no user %q", login)}
	}
	if err != nil {
		return nil, err
	}
	return s.db.User.UpdateOne(u).SetDisabled(disabled).Save(ctx)
}

// viewer is the user as a viewer, with the token that was presented, if one
// was.
func viewer(u *ent.User, t *ent.Token) access.Viewer {
	v := access.Viewer{Kind: access.User, UserID: u.ID, Login: u.Login, SiteAdmin: u.Admin}
	if t != nil {
		v.CredentialID = t.ID
		v.Scopes, _ = access.ParseScopes(t.Scopes)
		if v.Scopes == nil {
			v.Scopes = []access.Scope{}
		}
	}
	return v
}

// CurrentViewer returns the account's viewer as it is now, for a credential
// that was derived from another: tokenID is the parent token's id, or 0 for a
// password. It fails with Unauthenticated when either is gone.
func (s *Service) CurrentViewer(ctx context.Context, userID, tokenID int64) (access.Viewer, error) {
	ctx = access.SystemContext(ctx)
	gone := registry.Errorf(registry.Unauthenticated, "the credential is no longer valid")
	u, err := s.db.User.Get(ctx, userID)
	if ent.IsNotFound(err) || err == nil && u.Disabled {
		return access.Viewer{}, gone
	}
	if err != nil || tokenID == 0 {
		return viewerIf(u, nil, err)
	}
	t, err := s.db.Token.Query().Where(token.ID(tokenID), token.UserID(userID)).Only(ctx)
	if ent.IsNotFound(err) || err == nil && expired(t) {
		return access.Viewer{}, gone
	}
	return viewerIf(u, t, err)
}

func viewerIf(u *ent.User, t *ent.Token, err error) (access.Viewer, error) {
	if err != nil {
		return access.Viewer{}, err
	}
	return viewer(u, t), nil
}
