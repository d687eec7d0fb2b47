package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/maypok86/otter/v2"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/user"
	"entrepot/registry"
)

// hashParams cost about 20 ms and 20 MB a password (OWASP's second choice for
// argon2id).
var hashParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// nobodysHash is compared with when there is no such user, so that unknown
// names cost what wrong passwords cost.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// The bounds of a password in bytes.
const (
	minPassword = 8
	maxPassword = 256
)

func checkPasswordRules(password string) error {
	switch {
	case len(password) < minPassword:
		return registry.FieldErrorf("password", "a password has at least %d characters", minPassword)
	case len(password) > maxPassword:
		return registry.FieldErrorf("password", "a password has at most %d bytes", maxPassword)
	case !utf8.ValidString(password):
		return registry.FieldErrorf("password", "a password is UTF-8 text")
	}
	return nil
}

// hashPassword is slow on purpose; not more run at once than there are cores.
func (s *Service) hashPassword(ctx context.Context, password string) (string, error) {
	release, err := s.turn(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return argon2id.CreateHash(password, hashParams)
}

func (s *Service) turn(ctx context.Context) (release func(), err error) {
	select {
	case s.hashing <- struct{}{}:
		return func() { <-s.hashing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// CheckPassword returns the user with that login name or e-mail address and
// password. from is the client's address: after ten failures within a minute
// the same name from there is refused unheard. Errors: Unauthenticated, the
// same for an unknown user, a wrong password and a disabled account;
// RateLimited.
func (s *Service) CheckPassword(ctx context.Context, login, password, from string) (*ent.User, error) {
	ctx = access.SystemContext(ctx)
	attempt := strings.ToLower(login) + "\x00" + from
	if n, _ := s.failures.GetIfPresent(attempt); n >= maxFailures {
		return nil, registry.Errorf(registry.RateLimited, "too many failed attempts, wait a minute")
	}
	u, err := s.db.User.Query().Where(user.Or(
		user.NormalizedLogin(strings.ToLower(login)),
		user.NormalizedEmail(strings.ToLower(login)),
	)).First(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, fmt.Errorf("look up user: %w", err)
	}
	ok, err := s.verify(ctx, u, password)
	if err != nil {
		return nil, err
	}
	if !ok {
		s.failures.Compute(attempt, countUp)
		return nil, registry.Errorf(registry.Unauthenticated, "wrong user name or password")
	}
	return u, nil
}

// verify compares the password with the user's; u may be nil. A comparison
// that succeeded is remembered for a while under a MAC of the hash and the
// password: clients send the password with every request. A changed hash is
// another MAC, so nothing has to be forgotten.
func (s *Service) verify(ctx context.Context, u *ent.User, password string) (bool, error) {
	hash := nobodysHash
	if u != nil {
		hash = u.PasswordHash
	}
	if len(password) > maxPassword {
		return false, nil
	}
	mac := hmac.New(sha256.New, s.macKey[:])
	fmt.Fprintf(mac, "%s\x00%s", hash, password)
	key := [32]byte(mac.Sum(nil))
	if _, ok := s.verified.GetIfPresent(key); ok {
		return u != nil && !u.Disabled, nil
	}
	release, err := s.turn(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	if !match || u == nil || u.Disabled {
		return false, nil
	}
	s.verified.Set(key, struct{}{})
	return true, nil
}

// countUp adds one failure; the entry expires a minute after the first.
func countUp(n int, _ bool) (int, otter.ComputeOp) { return n + 1, otter.WriteOp }
