package registry

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"golang.org/x/sync/singleflight"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexroot"
	"entrepot/ent/predicate"
	"entrepot/ent/secret"
	"entrepot/ent/signingkey"
	"entrepot/registry/database"
)

// KeyForm is what a key is good for.
type KeyForm string

// The forms of key.
const (
	// OpenPGPKey signs texts and files for apt, rpm, pacman (RFC 9580).
	OpenPGPKey KeyForm = "OPENPGP"
	// RSAKey signs bytes (PKCS #1 v1.5) for apk.
	RSAKey KeyForm = "RSA"
)

// Algorithms of generated keys. RSA keys are always RSA4096.
const (
	RSA4096 = "rsa4096"
	Ed25519 = "ed25519"
)

// keyOverlap is how long a key that was replaced goes on signing beside its
// successor, unless told otherwise.
const keyOverlap = 30 * 24 * time.Hour

// signingKeys are the keys of this process: the private halves that it has
// decrypted, by the number of their rows, which never change.
type signingKeys struct {
	db      *database.DB
	create  singleflight.Group
	lock    sync.Mutex
	opened  map[int64]signer
	wrapper cipher.AEAD
}

// signer is a private key that is ready to sign.
type signer interface {
	keyRow() *ent.SigningKey
	// of is the same key as the row describes it now.
	of(row *ent.SigningKey) signer
}

// newKey is a key that has no row yet.
type newKey struct {
	algorithm, fingerprint, identity string
	public, private                  []byte
	expires                          time.Time
}

// signers returns the keys that sign the indexes of a type of an owner, the
// current one first. The first of them is made now if there is none: whoever
// asks at once, on any replica, gets the same.
func (r *Registry) signers(ctx context.Context, o *ent.Owner, t Type) ([]signer, error) {
	rows, err := r.keyRows(ctx, o, t.Name)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || !rows[0].Current {
		_, err, _ := r.signing.create.Do(t.Name+"/"+strconv.FormatInt(o.ID, 10), func() (any, error) {
			if rows, err := r.keyRows(ctx, o, t.Name); err != nil || len(rows) > 0 && rows[0].Current {
				return nil, err
			}
			k, err := generateKey(t, o, "")
			if err != nil {
				return nil, err
			}
			return nil, r.insertKey(ctx, r.db.Client, o, t, k)
		})
		if err != nil {
			return nil, err
		}
		if rows, err = r.keyRows(ctx, o, t.Name); err != nil {
			return nil, err
		}
	}
	signers := make([]signer, len(rows))
	for i, row := range rows {
		if signers[i], err = r.signing.open(ctx, row); err != nil {
			return nil, err
		}
	}
	return signers, nil
}

// keyRows lists the keys that sign now, the current one first.
func (r *Registry) keyRows(ctx context.Context, o *ent.Owner, typeName string) ([]*ent.SigningKey, error) {
	rows, err := r.db.SigningKey.Query().
		Where(signingkey.OwnerID(o.ID), signingkey.Type(typeName),
			signingkey.Or(is(signingkey.FieldCurrent, true), signingkey.SignsUntilGT(now()))).
		Order(ent.Desc(signingkey.FieldCurrent), ent.Desc(signingkey.FieldCreatedAt)).
		All(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("look up signing keys: %w", err)
	}
	return rows, nil
}

func generateKey(t Type, o *ent.Owner, algorithm string) (*newKey, error) {
	if t.Index.Key == RSAKey {
		return generateRSA()
	}
	name, email := o.Name, ""
	if t.Index.Identity != nil {
		name, email = t.Index.Identity(o)
	}
	return generateOpenPGP(name, email, algorithm)
}

// insertKey writes a key as the current one, unless there is one already.
func (r *Registry) insertKey(ctx context.Context, client *ent.Client, o *ent.Owner, t Type, k *newKey) error {
	private, err := r.signing.seal(ctx, k.private, k.fingerprint)
	if err != nil {
		return err
	}
	create := client.SigningKey.Create().
		SetOwnerID(o.ID).SetType(t.Name).SetForm(signingkey.Form(t.Index.Key)).
		SetAlgorithm(k.algorithm).SetFingerprint(k.fingerprint).SetIdentity(k.identity).
		SetPublic(k.public).SetPrivate(private)
	if !k.expires.IsZero() {
		create.SetExpiresAt(k.expires)
	}
	err = create.OnConflict(onCurrentKey()...).Ignore().Exec(access.SystemContext(ctx))
	if err != nil {
		return fmt.Errorf("keep signing key: %w", err)
	}
	return nil
}

// onCurrentKey names the index that keeps an owner's current key unique; see onLiveBlob.
func onCurrentKey() []entsql.ConflictOption {
	return []entsql.ConflictOption{
		entsql.ConflictColumns(signingkey.FieldOwnerID, signingkey.FieldType),
		entsql.ConflictWhere(entsql.ExprP("current")),
	}
}

// open returns the private half of a key.
func (k *signingKeys) open(ctx context.Context, row *ent.SigningKey) (signer, error) {
	k.lock.Lock()
	s := k.opened[row.ID]
	k.lock.Unlock()
	if s != nil {
		return s.of(row), nil
	}
	wrapper, err := k.wrap(ctx)
	if err != nil {
		return nil, err
	}
	if len(row.Private) < wrapper.NonceSize() {
		return nil, errors.New("a signing key is damaged")
	}
	nonce, sealed := row.Private[:wrapper.NonceSize()], row.Private[wrapper.NonceSize():]
	private, err := wrapper.Open(nil, nonce, sealed, []byte(row.Fingerprint))
	if err != nil {
		return nil, fmt.Errorf("decrypt signing key %s: %w", row.Fingerprint, err)
	}
	if row.Form == signingkey.FormRSA {
		s, err = openRSA(row, private)
	} else {
		s, err = openOpenPGP(row, private)
	}
	if err != nil {
		return nil, err
	}
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.opened == nil {
		k.opened = map[int64]signer{}
	}
	k.opened[row.ID] = s
	return s, nil
}

// seal encrypts a private half. It opens only beside its fingerprint.
func (k *signingKeys) seal(ctx context.Context, private []byte, fingerprint string) ([]byte, error) {
	wrapper, err := k.wrap(ctx)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, wrapper.NonceSize())
	rand.Read(nonce)
	return wrapper.Seal(nonce, nonce, private, []byte(fingerprint)), nil
}

// wrappingKey is the name of the secret that encrypts private halves.
const wrappingKey = "signing-keys"

// wrap returns the cipher that encrypts private halves, under a secret that
// all replicas share.
func (k *signingKeys) wrap(ctx context.Context) (cipher.AEAD, error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.wrapper != nil {
		return k.wrapper, nil
	}
	ctx = access.SystemContext(ctx)
	row, err := k.db.Secret.Query().Where(secret.Name(wrappingKey)).Only(ctx)
	if ent.IsNotFound(err) {
		value := make([]byte, 32)
		rand.Read(value)
		// Whoever is first decides; everybody reads what was decided.
		err = k.db.Secret.Create().SetName(wrappingKey).SetValue(value).OnConflictColumns(secret.FieldName).Ignore().Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("make secret: %w", err)
		}
		row, err = k.db.Secret.Query().Where(secret.Name(wrappingKey)).Only(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	block, err := aes.NewCipher(row.Value)
	if err != nil {
		return nil, err
	}
	k.wrapper, err = cipher.NewGCM(block)
	return k.wrapper, err
}

// Key is the public side of a signing key.
type Key struct {
	// Form, Algorithm, Fingerprint and Identity describe it; see
	// ent/schema.SigningKey.
	Form                             KeyForm
	Algorithm, Fingerprint, Identity string
	// Public is the public half: an OpenPGP key, or a SubjectPublicKeyInfo.
	Public []byte
	// Current tells the key that signs from the one it replaced, which signs
	// beside it until SignsUntil.
	Current    bool
	SignsUntil time.Time
	// CreatedAt is when the house got it, ExpiresAt when it says it ends; zero
	// for never.
	CreatedAt, ExpiresAt time.Time
}

func keyOf(row *ent.SigningKey) Key {
	k := Key{
		Form: KeyForm(row.Form), Algorithm: row.Algorithm, Fingerprint: row.Fingerprint, Identity: row.Identity,
		Public: row.Public, Current: row.Current, CreatedAt: row.CreatedAt,
	}
	if row.SignsUntil != nil {
		k.SignsUntil = *row.SignsUntil
	}
	if row.ExpiresAt != nil {
		k.ExpiresAt = *row.ExpiresAt
	}
	return k
}

// Keys returns the keys with which the indexes of the space are signed now,
// the current one first. The first key of a space is made by the first who
// asks, which takes a second or two.
func (s *Space) Keys(ctx context.Context) ([]Key, error) {
	if s.Type.Index == nil || s.Type.Index.Key == "" {
		return nil, Errorf(NotFound, "indexes of this type are not signed")
	}
	signers, err := s.reg.signers(ctx, s.Owner, s.Type)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(signers))
	for i, k := range signers {
		keys[i] = keyOf(k.keyRow())
	}
	return keys, nil
}

// KeyChange says by what a space's key is replaced.
type KeyChange struct {
	// Private is the new key: an OpenPGP private key, armored or not and
	// without a passphrase, or an RSA key in PEM. Empty generates one.
	Private []byte
	// Algorithm is that of a generated key; empty means RSA4096.
	Algorithm string
	// Identity is what clients know the key by. OpenPGP keys say it
	// themselves; of an RSA key it is kept beside it.
	Identity string
	// Overlap is how long the old key goes on signing; 0 means 30 days, less
	// than 0 ends it at once.
	Overlap time.Duration
}

// ReplaceKey lets another key sign the indexes of the space from the next read
// on. The viewer must administer the owner. Errors: Invalid for a key that
// cannot sign.
func (s *Space) ReplaceKey(ctx context.Context, c KeyChange) (Key, error) {
	if s.Type.Index == nil || s.Type.Index.Key == "" {
		return Key{}, Errorf(NotFound, "indexes of this type are not signed")
	}
	if err := s.check(access.Administer, ""); err != nil {
		return Key{}, err
	}
	var k *newKey
	var err error
	switch {
	case len(c.Private) == 0:
		k, err = generateKey(s.Type, s.Owner, c.Algorithm)
	case s.Type.Index.Key == RSAKey:
		k, err = readRSA(c.Private)
	default:
		k, err = readOpenPGP(c.Private)
	}
	if err != nil {
		return Key{}, err
	}
	if c.Identity != "" {
		if k.identity != "" || !storableText(c.Identity) {
			return Key{}, FieldErrorf("identity", "the key cannot be called %.80q", c.Identity)
		}
		k.identity = c.Identity
	}
	if c.Overlap == 0 {
		c.Overlap = keyOverlap
	}
	// Outside of the transaction, in which it would wait for itself.
	if _, err := s.reg.signing.wrap(ctx); err != nil {
		return Key{}, err
	}
	var made *ent.SigningKey
	err = s.reg.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		space := []predicate.SigningKey{signingkey.OwnerID(s.Owner.ID), signingkey.Type(s.Type.Name)}
		err := tx.SigningKey.Update().Where(space...).Where(is(signingkey.FieldCurrent, true)).
			SetCurrent(false).SetSignsUntil(now().Add(max(c.Overlap, 0))).Exec(ctx)
		if err != nil {
			return fmt.Errorf("retire signing key: %w", err)
		}
		if err := s.reg.insertKey(ctx, tx.Client(), s.Owner, s.Type, k); err != nil {
			return err
		}
		if made, err = tx.SigningKey.Query().Where(space...).Where(is(signingkey.FieldCurrent, true)).Only(ctx); err != nil {
			return fmt.Errorf("read signing key: %w", err)
		}
		roots, err := tx.IndexRoot.Query().Where(indexroot.OwnerID(s.Owner.ID), indexroot.Type(s.Type.Name)).IDs(ctx)
		if err != nil {
			return fmt.Errorf("list indexes: %w", err)
		}
		changeRoots(ctx, roots...)
		return record(ctx, tx, s.Viewer, EventKeyReplaced, s.Owner.ID, nil, map[string]any{"type": s.Type.Name, "fingerprint": made.Fingerprint})
	})
	if err != nil {
		return Key{}, err
	}
	return keyOf(made), nil
}

func removeKeys(ctx context.Context, tx *ent.Tx, ownerID int64) error {
	if _, err := tx.SigningKey.Delete().Where(signingkey.OwnerID(ownerID)).Exec(ctx); err != nil {
		return fmt.Errorf("remove signing keys: %w", err)
	}
	return nil
}
