package auth

import (
	"context"
	"crypto/subtle"
	"fmt"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/secret"
	"entrepot/registry"
)

// setupSecret is the name under which the hash of the set-up link is kept.
const setupSecret = "setup-link"

// NeedsSetup tells whether there is no account yet.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	any, err := s.db.User.Query().Exist(access.SystemContext(ctx))
	return !any, err
}

// NewSetupToken makes the token of the link that creates the first
// administrator, in place of one made before.
func (s *Service) NewSetupToken(ctx context.Context) (string, error) {
	token := newSecret()
	err := s.db.Secret.Create().SetName(setupSecret).SetValue(hashSecret(token)).
		OnConflictColumns(secret.FieldName).
		Update(func(u *ent.SecretUpsert) { u.UpdateValue() }).
		Exec(access.SystemContext(ctx))
	if err != nil {
		return "", fmt.Errorf("keep the set-up token: %w", err)
	}
	return token, nil
}

// CheckSetupToken tells whether the set-up link is the one that was made last
// and still has a purpose. Error: NotFound otherwise.
func (s *Service) CheckSetupToken(ctx context.Context, token string) error {
	used := registry.Errorf(registry.NotFound, "the set-up link was used already, or a later start of the server has printed another")
	needed, err := s.NeedsSetup(ctx)
	if err != nil {
		return err
	}
	if !needed {
		return used
	}
	row, err := s.db.Secret.Query().Where(secret.Name(setupSecret)).Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return used
	}
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(row.Value, hashSecret(token)) != 1 {
		return used
	}
	return nil
}

// Setup creates the first administrator. The link works once: of two that use
// it at the same moment one gets NotFound.
func (s *Service) Setup(ctx context.Context, token string, n NewUser) (*ent.User, error) {
	if err := s.CheckSetupToken(ctx, token); err != nil {
		return nil, err
	}
	n.Admin = true
	sys := access.SystemContext(ctx)
	claimed, err := s.db.Secret.Delete().Where(secret.Name(setupSecret), secret.ValueEQ(hashSecret(token))).Exec(sys)
	if err != nil {
		return nil, err
	}
	if claimed == 0 {
		return nil, registry.Errorf(registry.NotFound, "the set-up link was used already")
	}
	u, err := s.createUser(ctx, n)
	if err != nil {
		// A typing error must not lock everybody out.
		rerr := s.db.Secret.Create().SetName(setupSecret).SetValue(hashSecret(token)).Exec(sys)
		if rerr != nil {
			s.log.ErrorContext(ctx, "the set-up link could not be restored; restart the server for a new one", "error", rerr)
		}
		return nil, err
	}
	return u, nil
}
