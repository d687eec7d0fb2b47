package auth

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
	"entrepot/ent/token"
	"entrepot/ent/user"
	"entrepot/registry"
)

// Some clients sign their requests with a key instead of sending a secret:
// Chef's. Of such a key the account has the public half, by a name of its own
// choice. Keys are properties of the account's namespace, and are looked up at
// each request: one that is removed or replaced is good no more, on every
// replica.

const (
	keyProperty = "public-key"
	// maxKeys is how many keys an account can have.
	maxKeys = 20
	// The bounds of a key's length in bits. A longer one takes long to check.
	minKeyBits = 2048
	maxKeyBits = 8192
	// maxExponent bounds the exponent, for the same reason.
	maxExponent = 1<<31 - 1
)

var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$`)

// PublicKey is a key with which an account signs requests.
type PublicKey struct {
	Name      string     `json:"name"`
	CreatedAt time.Time  `json:"createdAt"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
	// DER is the key in the form of PKCS #1.
	DER []byte `json:"der"`
}

// Fingerprint is the SHA-256 of the key in hexadecimal.
func (k PublicKey) Fingerprint() string {
	sum := sha256.Sum256(k.DER)
	return hex.EncodeToString(sum[:])
}

func (k PublicKey) expired() bool { return k.ExpiresAt != nil && !k.ExpiresAt.After(now()) }

// PublicKeys are the keys of the viewer in the context, by name. Error:
// Unauthenticated for who has no account.
func (s *Service) PublicKeys(ctx context.Context) ([]PublicKey, error) {
	u, err := s.keyHolder(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := keyRows(ctx, s.db.Client, u)
	if err != nil {
		return nil, err
	}
	keys := make([]PublicKey, 0, len(rows))
	for _, k := range rows {
		keys = append(keys, k.PublicKey)
	}
	slices.SortFunc(keys, func(a, b PublicKey) int { return strings.Compare(a.Name, b.Name) })
	return keys, nil
}

// SetPublicKey gives the viewer's account a key, in place of the one it has by
// that name. Who signs with it may publish and delete packages: a viewer who
// came with a token needs one that allows that, and the key ends with the
// token's time. Errors: Unauthenticated, Forbidden, Invalid for a bad name or
// key, Conflict when there are too many.
func (s *Service) SetPublicKey(ctx context.Context, name string, key *rsa.PublicKey) (PublicKey, error) {
	k := PublicKey{Name: name, CreatedAt: now(), DER: x509.MarshalPKCS1PublicKey(key)}
	if !keyName.MatchString(name) {
		return k, registry.FieldErrorf("name", "a key needs a name of 1 to 100 letters, digits and . _ @ -")
	}
	if bits := key.N.BitLen(); bits < minKeyBits || bits > maxKeyBits || key.E > maxExponent {
		return k, registry.FieldErrorf("key", "the key has %d bits: use an RSA key of %d to %d", bits, minKeyBits, maxKeyBits)
	}
	u, err := s.keyHolder(ctx)
	if err != nil {
		return k, err
	}
	if k.ExpiresAt, err = s.credentialEnd(ctx); err != nil {
		return k, err
	}
	value, err := json.Marshal(k)
	if err != nil {
		return k, err
	}
	ctx = access.SystemContext(ctx)
	tx, err := s.db.Tx(ctx)
	if err != nil {
		return k, err
	}
	defer tx.Rollback()
	// Whoever changes the account's keys waits here.
	if err := tx.User.UpdateOneID(u.ID).SetUpdatedAt(now()).Exec(ctx); err != nil {
		return k, fmt.Errorf("lock account: %w", err)
	}
	rows, err := keyRows(ctx, tx.Client(), u)
	if err != nil {
		return k, err
	}
	rows, err = dropKey(ctx, tx, rows, name)
	if err != nil {
		return k, err
	}
	if len(rows) >= maxKeys {
		return k, registry.Errorf(registry.Conflict, "an account has at most %d keys: remove one first", maxKeys)
	}
	err = tx.Property.Create().SetRefType(property.RefTypeOwner).SetRefID(u.OwnerID).SetName(keyProperty).SetValue(string(value)).Exec(ctx)
	if err != nil {
		return k, fmt.Errorf("insert key: %w", err)
	}
	return k, tx.Commit()
}

// RemovePublicKey ends a key of the viewer's account at once. Errors: those of
// PublicKeys, and NotFound.
func (s *Service) RemovePublicKey(ctx context.Context, name string) error {
	u, err := s.keyHolder(ctx)
	if err != nil {
		return err
	}
	ctx = access.SystemContext(ctx)
	tx, err := s.db.Tx(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	rows, err := keyRows(ctx, tx.Client(), u)
	if err != nil {
		return err
	}
	left, err := dropKey(ctx, tx, rows, name)
	if err != nil {
		return err
	}
	if len(left) == len(rows) {
		return registry.Errorf(registry.NotFound, "there is no key %.100q", name)
	}
	return tx.Commit()
}

// SignedBy returns the viewer who has signed a request: the account of that
// name, one of whose keys verify takes. It may read, publish and delete
// packages, and nothing else. Error: Unauthenticated, the same for an account
// that is not there and for a signature of another key.
func (s *Service) SignedBy(ctx context.Context, login string, verify func(*rsa.PublicKey) bool) (access.Viewer, error) {
	refused := registry.Errorf(registry.Unauthenticated, "the signature is not one of a key of %.100q", login)
	if len(login) > access.MaxOwnerName || strings.ContainsRune(login, 0) {
		return access.Viewer{}, refused
	}
	ctx = access.SystemContext(ctx)
	u, err := s.db.User.Query().Where(user.NormalizedLogin(strings.ToLower(strings.ToValidUTF8(login, "")))).Only(ctx)
	if ent.IsNotFound(err) || err == nil && u.Disabled {
		return access.Viewer{}, refused
	}
	if err != nil {
		return access.Viewer{}, fmt.Errorf("look up user: %w", err)
	}
	rows, err := keyRows(ctx, s.db.Client, u)
	if err != nil {
		return access.Viewer{}, err
	}
	for _, k := range rows {
		key, err := x509.ParsePKCS1PublicKey(k.DER)
		if err != nil {
			return access.Viewer{}, fmt.Errorf("parse the key %q of %s: %w", k.Name, u.Login, err)
		}
		if !k.expired() && verify(key) {
			v := viewer(u, nil)
			v.Scopes = slices.Clone(packageScopes)
			return v, nil
		}
	}
	return access.Viewer{}, refused
}

// keyHolder is the viewer's account, if the viewer may manage its keys.
func (s *Service) keyHolder(ctx context.Context) (*ent.User, error) {
	v := access.FromContext(ctx)
	if v.Kind != access.User {
		return nil, registry.Errorf(registry.Unauthenticated, "sign in to manage your keys")
	}
	for _, scope := range packageScopes {
		if !v.Has(scope) {
			return nil, registry.Errorf(registry.Forbidden, "the token lacks the scope %s, which a key has", scope)
		}
	}
	u, err := s.db.User.Get(access.SystemContext(ctx), v.UserID)
	if err != nil {
		return nil, fmt.Errorf("look up user: %w", err)
	}
	return u, nil
}

// credentialEnd is when the token ends that the viewer came with, or nil.
func (s *Service) credentialEnd(ctx context.Context) (*time.Time, error) {
	v := access.FromContext(ctx)
	if v.CredentialID == 0 {
		return nil, nil
	}
	t, err := s.db.Token.Query().Where(token.ID(v.CredentialID), token.UserID(v.UserID)).Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, registry.Errorf(registry.Unauthenticated, "the access token is unknown or was revoked")
	}
	if err != nil {
		return nil, fmt.Errorf("look up token: %w", err)
	}
	return t.ExpiresAt, nil
}

// keyRow is a key and its row.
type keyRow struct {
	PublicKey
	id int64
}

func keyRows(ctx context.Context, client *ent.Client, u *ent.User) ([]keyRow, error) {
	where := []predicate.Property{property.RefTypeEQ(property.RefTypeOwner), property.RefID(u.OwnerID), property.Name(keyProperty)}
	rows, err := client.Property.Query().Where(where...).Order(ent.Asc(property.FieldID)).All(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	keys := make([]keyRow, len(rows))
	for i, row := range rows {
		keys[i].id = row.ID
		if err := json.Unmarshal([]byte(row.Value), &keys[i].PublicKey); err != nil {
			return nil, fmt.Errorf("read a key of %s: %w", u.Login, err)
		}
	}
	return keys, nil
}

// dropKey removes the key of that name and returns the others.
func dropKey(ctx context.Context, tx *ent.Tx, rows []keyRow, name string) (left []keyRow, err error) {
	for _, k := range rows {
		if k.Name != name {
			left = append(left, k)
		} else if err := tx.Property.DeleteOneID(k.id).Exec(ctx); err != nil {
			return nil, fmt.Errorf("remove key: %w", err)
		}
	}
	return left, nil
}
