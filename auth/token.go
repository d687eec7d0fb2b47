package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"
	"sync"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/predicate"
	"entrepot/ent/token"
	"entrepot/ent/user"
	"entrepot/registry"
)

// TokenPrefix begins every access token. It has no underscore: conda cuts
// there.
const TokenPrefix = "ent-"

const (
	secretLength   = 43 // 256 bits in base62
	checksumLength = 6  // 32 bits in base62
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// DefaultTokenLife is how long a token lives when nothing is said.
const DefaultTokenLife = 365 * 24 * time.Hour

// newSecret makes a token: the prefix, 256 random bits and a checksum by which
// a mistyped one is told apart without asking the database.
func newSecret() string {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 256))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	body := encode62(n, secretLength)
	return TokenPrefix + body + checksum(body)
}

func encode62(n *big.Int, length int) string {
	b := make([]byte, length)
	base, digit := big.NewInt(62), new(big.Int)
	for i := length - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		b[i] = base62[digit.Int64()]
	}
	return string(b)
}

func checksum(body string) string {
	return encode62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))), checksumLength)
}

// LooksLikeToken tells whether the text has a token's form, checksum included.
func LooksLikeToken(text string) bool {
	body, ok := strings.CutPrefix(text, TokenPrefix)
	return ok && len(body) == secretLength+checksumLength &&
		checksum(body[:secretLength]) == body[secretLength:]
}

func hashSecret(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// NewToken is what a token is made from.
type NewToken struct {
	// Name is the user's label.
	Name string
	// Scopes are what the token may do; at least one.
	Scopes []access.Scope
	// ExpiresAt ends it; nil means after DefaultTokenLife.
	ExpiresAt *time.Time
}

// CreateToken makes a token for the viewer and returns its secret, which is
// shown this once. A viewer who came with a token himself cannot give more
// scopes, or a longer life, than that one has.
func (s *Service) CreateToken(ctx context.Context, n NewToken) (secret string, t *ent.Token, err error) {
	v := access.FromContext(ctx)
	if v.Kind != access.User {
		return "", nil, registry.Errorf(registry.Unauthenticated, "sign in to create a token")
	}
	for _, scope := range n.Scopes {
		if !v.Has(scope) {
			return "", nil, registry.Errorf(registry.Forbidden, "a token cannot give the scope %s that it lacks itself", scope)
		}
	}
	if v.CredentialID != 0 {
		if err := s.notLonger(ctx, v, &n); err != nil {
			return "", nil, err
		}
	}
	return s.createToken(ctx, v.UserID, n)
}

// notLonger keeps a token from outliving the one it is made with: else one
// that was meant for a day would be good forever.
func (s *Service) notLonger(ctx context.Context, v access.Viewer, n *NewToken) error {
	parent, err := s.db.Token.Query().Where(token.ID(v.CredentialID), token.UserID(v.UserID)).Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return registry.Errorf(registry.Unauthenticated, "the access token is unknown or was revoked")
	}
	if err != nil || parent.ExpiresAt == nil {
		return err
	}
	if n.ExpiresAt != nil && n.ExpiresAt.After(*parent.ExpiresAt) {
		return registry.FieldErrorf("expiresAt", "a token cannot give a longer life than its own, which ends on %s", parent.ExpiresAt.Format(time.DateOnly))
	}
	if n.ExpiresAt == nil && now().Add(DefaultTokenLife).After(*parent.ExpiresAt) {
		n.ExpiresAt = parent.ExpiresAt
	}
	return nil
}

// CreateTokenFor is CreateToken for any user, for a site administrator or the
// system.
func (s *Service) CreateTokenFor(ctx context.Context, login string, n NewToken) (secret string, t *ent.Token, err error) {
	if err := siteAdmin(ctx); err != nil {
		return "", nil, err
	}
	u, err := s.db.User.Query().Where(user.NormalizedLogin(strings.ToLower(login))).Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return "", nil, &registry.Error{Code: registry.NotFound, Field: "user", Message: fmt.Sprintf("there is no user %q", login)}
	}
	if err != nil {
		return "", nil, err
	}
	return s.createToken(ctx, u.ID, n)
}

func (s *Service) createToken(ctx context.Context, userID int64, n NewToken) (string, *ent.Token, error) {
	if n.Name == "" || len(n.Name) > 100 || strings.ContainsRune(n.Name, 0) {
		return "", nil, registry.FieldErrorf("name", "a token needs a name of at most 100 bytes")
	}
	if len(n.Scopes) == 0 {
		return "", nil, registry.FieldErrorf("scopes", "a token needs at least one scope")
	}
	expires := now().Add(DefaultTokenLife)
	if n.ExpiresAt != nil {
		expires = n.ExpiresAt.UTC().Truncate(time.Microsecond)
	}
	if !expires.After(now()) {
		return "", nil, registry.FieldErrorf("expiresAt", "the token would have expired already")
	}
	scopes := make([]string, len(n.Scopes))
	for i, scope := range n.Scopes {
		scopes[i] = string(scope)
	}
	secret := newSecret()
	t, err := s.db.Token.Create().
		SetUserID(userID).
		SetName(n.Name).
		SetSecretHash(hashSecret(secret)).
		SetScopes(scopes).
		SetExpiresAt(expires).
		Save(access.SystemContext(ctx))
	if err != nil {
		return "", nil, fmt.Errorf("insert token: %w", err)
	}
	return secret, t, nil
}

// RevokeToken ends one of the viewer's own tokens at once.
func (s *Service) RevokeToken(ctx context.Context, id int64) error {
	v := access.FromContext(ctx)
	if v.Kind != access.User {
		return registry.Errorf(registry.Unauthenticated, "sign in to revoke a token")
	}
	return s.revoke(ctx, token.ID(id), token.UserID(v.UserID))
}

// RevokeSecret ends the token with that secret: whoever holds it may.
func (s *Service) RevokeSecret(ctx context.Context, secret string) error {
	return s.revoke(ctx, token.SecretHash(hashSecret(secret)))
}

func (s *Service) revoke(ctx context.Context, where ...predicate.Token) error {
	n, err := s.db.Token.Delete().Where(where...).Exec(access.SystemContext(ctx))
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	if n == 0 {
		return registry.Errorf(registry.NotFound, "token not found")
	}
	return nil
}

func expired(t *ent.Token) bool { return t.ExpiresAt != nil && !t.ExpiresAt.After(time.Now()) }

// checkToken returns the viewer of a token.
func (s *Service) checkToken(ctx context.Context, secret string) (access.Viewer, error) {
	if !LooksLikeToken(secret) {
		return access.Viewer{}, registry.Errorf(registry.Unauthenticated, "the access token is malformed or was cut off")
	}
	t, err := s.tokenBySecret(ctx, secret)
	if err != nil {
		return access.Viewer{}, err
	}
	if t == nil || t.Edges.User.Disabled {
		return access.Viewer{}, registry.Errorf(registry.Unauthenticated, "the access token is unknown or was revoked")
	}
	if expired(t) {
		return access.Viewer{}, registry.Errorf(registry.Unauthenticated, "the access token expired on %s", t.ExpiresAt.Format(time.DateOnly))
	}
	s.lastUsed.note(t.ID, t.LastUsedAt)
	return viewer(t.Edges.User, t), nil
}

// tokenBySecret returns the token with its user, or nil, in one statement:
// every request with a token runs it.
func (s *Service) tokenBySecret(ctx context.Context, secret string) (*ent.Token, error) {
	var rows []struct {
		ID         int64      `sql:"id"`
		Scopes     []byte     `sql:"scopes"`
		ExpiresAt  *time.Time `sql:"expires_at"`
		LastUsedAt *time.Time `sql:"last_used_at"`
		UserID     int64      `sql:"user_id"`
		Login      string     `sql:"login"`
		Admin      bool       `sql:"admin"`
		Disabled   bool       `sql:"disabled"`
	}
	err := s.db.Token.Query().
		Where(token.SecretHash(hashSecret(secret))).
		Modify(func(sel *entsql.Selector) {
			users := entsql.Table(user.Table)
			sel.Join(users).On(sel.C(token.FieldUserID), users.C(user.FieldID))
			sel.Select(sel.C(token.FieldID), sel.C(token.FieldScopes), sel.C(token.FieldExpiresAt), sel.C(token.FieldLastUsedAt),
				sel.C(token.FieldUserID), users.C(user.FieldLogin), users.C(user.FieldAdmin), users.C(user.FieldDisabled))
		}).
		Scan(access.SystemContext(ctx), &rows)
	if err != nil {
		return nil, fmt.Errorf("look up token: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	r := rows[0]
	t := &ent.Token{ID: r.ID, UserID: r.UserID, ExpiresAt: r.ExpiresAt, LastUsedAt: r.LastUsedAt}
	t.Edges.User = &ent.User{ID: r.UserID, Login: r.Login, Admin: r.Admin, Disabled: r.Disabled}
	if err := json.Unmarshal(r.Scopes, &t.Scopes); err != nil {
		return nil, fmt.Errorf("read token's scopes: %w", err)
	}
	return t, nil
}

// defaultFlush is how long last-used stamps stay in memory.
const defaultFlush = 15 * time.Second

// lastUsed gathers when tokens were used and writes it now and then, to the
// minute: no request waits for it.
type lastUsed struct {
	service *Service
	mu      sync.Mutex
	stamps  map[int64]time.Time
	stop    chan struct{}
	stopped chan struct{}
}

func (l *lastUsed) init(s *Service, flush time.Duration) {
	l.service = s
	l.stamps = map[int64]time.Time{}
	l.stop, l.stopped = make(chan struct{}), make(chan struct{})
	go l.run(flush)
}

func (l *lastUsed) note(id int64, before *time.Time) {
	minute := now().Truncate(time.Minute)
	if before != nil && !before.Before(minute) {
		return
	}
	l.mu.Lock()
	l.stamps[id] = minute
	l.mu.Unlock()
}

func (l *lastUsed) run(flush time.Duration) {
	defer close(l.stopped)
	tick := time.NewTicker(flush)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			if err := l.flush(context.Background()); err != nil {
				l.service.log.Warn("last-used stamps of tokens could not be written", "error", err)
			}
		}
	}
}

func (l *lastUsed) close(ctx context.Context) error {
	close(l.stop)
	<-l.stopped
	return l.flush(ctx)
}

func (l *lastUsed) flush(ctx context.Context) error {
	l.mu.Lock()
	stamps := l.stamps
	l.stamps = map[int64]time.Time{}
	l.mu.Unlock()
	for id, at := range stamps {
		if err := l.service.db.Token.Update().Where(token.ID(id)).SetLastUsedAt(at).Exec(access.SystemContext(ctx)); err != nil {
			return err
		}
	}
	return nil
}
