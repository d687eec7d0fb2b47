package registry

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"entrepot/ent"
)

// maxKey is the largest key that is taken from a client, in bytes.
const maxKey = 256 << 10

// openPGPSigner signs with an OpenPGP key.
type openPGPSigner struct {
	row    *ent.SigningKey
	entity *openpgp.Entity
}

func (s *openPGPSigner) keyRow() *ent.SigningKey { return s.row }

func (s *openPGPSigner) of(row *ent.SigningKey) signer { return &openPGPSigner{row, s.entity} }

// openPGPConfig makes signatures that all clients read: SHA-512, no notations.
func openPGPConfig(at time.Time) *packet.Config {
	never := false
	return &packet.Config{
		DefaultHash: crypto.SHA512, RSABits: 4096, Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519,
		Time: func() time.Time { return at }, NonDeterministicSignaturesViaNotation: &never,
	}
}

// generateOpenPGP makes a key that does nothing but sign.
func generateOpenPGP(name, email, algorithm string) (*newKey, error) {
	config := openPGPConfig(now())
	name, email = userIDText(name), userIDText(email)
	var e *openpgp.Entity
	switch algorithm {
	case "", RSA4096:
		private, err := rsa.GenerateKey(rand.Reader, config.RSABits)
		if err != nil {
			return nil, fmt.Errorf("generate signing key: %w", err)
		}
		primary := packet.NewRSAPrivateKey(config.Now(), private)
		e = &openpgp.Entity{PrimaryKey: &primary.PublicKey, PrivateKey: primary, Identities: map[string]*openpgp.Identity{}}
		if err := e.AddUserId(name, "", email, config); err != nil {
			return nil, fmt.Errorf("name signing key: %w", err)
		}
	case Ed25519:
		var err error
		if e, err = openpgp.NewEntity(name, "", email, config); err != nil {
			return nil, fmt.Errorf("generate signing key: %w", err)
		}
		e.Subkeys = nil // nobody encrypts to it
	default:
		return nil, FieldErrorf("algorithm", "there is no algorithm %q", algorithm)
	}
	return newOpenPGP(e)
}

// userIDText leaves out what a user ID may not hold.
func userIDText(text string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune("()<>\x00", c) {
			return -1
		}
		return c
	}, text)
}

func newOpenPGP(e *openpgp.Entity) (*newKey, error) {
	var public, private bytes.Buffer
	if err := e.Serialize(&public); err != nil {
		return nil, FieldErrorf("key", "the key cannot be written: %v", err)
	}
	if err := e.SerializePrivateWithoutSigning(&private, nil); err != nil {
		return nil, FieldErrorf("key", "the key cannot be written: %v", err)
	}
	k := &newKey{
		algorithm: algorithmOf(e.PrimaryKey), fingerprint: hex.EncodeToString(e.PrimaryKey.Fingerprint),
		public: public.Bytes(), private: private.Bytes(),
	}
	if id := e.PrimaryIdentity(); id != nil {
		k.identity = id.Name
		if s := id.SelfSignature; s != nil && s.KeyLifetimeSecs != nil && *s.KeyLifetimeSecs > 0 {
			k.expires = e.PrimaryKey.CreationTime.Add(time.Duration(*s.KeyLifetimeSecs) * time.Second)
		}
	}
	if !storableText(k.identity) {
		return nil, FieldErrorf("key", "the key's user ID is not valid UTF-8 text")
	}
	return k, nil
}

func algorithmOf(k *packet.PublicKey) string {
	switch k.PubKeyAlgo {
	case packet.PubKeyAlgoEdDSA, packet.PubKeyAlgoEd25519:
		return Ed25519
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly:
		if bits, err := k.BitLength(); err == nil {
			return fmt.Sprintf("rsa%d", bits)
		}
	}
	return fmt.Sprintf("openpgp%d", k.PubKeyAlgo)
}

// readOpenPGP reads a private key that a client has sent.
func readOpenPGP(raw []byte) (*newKey, error) {
	if len(raw) > maxKey {
		return nil, FieldErrorf("key", "the key is larger than %d bytes", maxKey)
	}
	var ring openpgp.EntityList
	var err error
	if bytes.Contains(raw, []byte("-----BEGIN PGP")) {
		ring, err = openpgp.ReadArmoredKeyRing(bytes.NewReader(raw))
	} else {
		ring, err = openpgp.ReadKeyRing(bytes.NewReader(raw))
	}
	if err != nil {
		return nil, FieldErrorf("key", "this is not an OpenPGP key: %v", err)
	}
	if len(ring) != 1 {
		return nil, FieldErrorf("key", "want one key, got %d", len(ring))
	}
	e := ring[0]
	if e.PrivateKey == nil {
		return nil, FieldErrorf("key", "this is a public key; the private one is needed to sign")
	}
	k, ok := e.SigningKey(now())
	if !ok || k.PrivateKey == nil || k.PrivateKey.Dummy() {
		return nil, FieldErrorf("key", "the key cannot sign, is expired or revoked")
	}
	if e.PrivateKey.Encrypted || k.PrivateKey.Encrypted {
		return nil, FieldErrorf("key", "the key has a passphrase; export it without one")
	}
	// What cannot sign must not become the key that signs.
	s := &openPGPSigner{entity: e}
	if _, err := s.sign(sha512.New(), now()); err != nil {
		return nil, FieldErrorf("key", "the key cannot sign: %v", err)
	}
	return newOpenPGP(e)
}

func openOpenPGP(row *ent.SigningKey, private []byte) (signer, error) {
	ring, err := openpgp.ReadKeyRing(bytes.NewReader(private))
	if err != nil || len(ring) != 1 {
		return nil, fmt.Errorf("read signing key %s: %w", row.Fingerprint, err)
	}
	return &openPGPSigner{row, ring[0]}, nil
}

// key is the part of the key that signs: a subkey of one that was brought, or
// the primary. A key that has expired goes on signing: a client that still
// takes it is served, the others are told what is wrong.
func (s *openPGPSigner) key() *packet.PrivateKey {
	if k, ok := s.entity.SigningKey(now()); ok && k.PrivateKey != nil {
		return k.PrivateKey
	}
	return s.entity.PrivateKey
}

// sign makes a binary signature packet over what the SHA-512 has seen.
func (s *openPGPSigner) sign(h hash.Hash, at time.Time) ([]byte, error) {
	key := s.key()
	sig := &packet.Signature{
		Version: key.Version, SigType: packet.SigTypeBinary, PubKeyAlgo: key.PubKeyAlgo, Hash: crypto.SHA512,
		CreationTime: at, IssuerKeyId: &key.KeyId, IssuerFingerprint: key.Fingerprint,
	}
	if err := sig.Sign(h, key, openPGPConfig(at)); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := sig.Serialize(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// detached signs what content writes, with every key: one packet after the
// other, armored or not.
func detached(signers []*openPGPSigner, content io.WriterTo, armored bool, at time.Time) ([]byte, error) {
	h := sha512.New()
	if _, err := content.WriteTo(h); err != nil {
		return nil, err
	}
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, err
	}
	return detachedFrom(signers, state, armored, at)
}

// detachedFrom is detached for content of which only the state of its SHA-512
// is there: a signature hashes the content first and itself behind it (RFC
// 9580, section 5.2.4).
func detachedFrom(signers []*openPGPSigner, state []byte, armored bool, at time.Time) ([]byte, error) {
	var packets bytes.Buffer
	for _, s := range signers {
		h := sha512.New()
		if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
			return nil, fmt.Errorf("resume hash: %w", err)
		}
		p, err := s.sign(h, at)
		if err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		packets.Write(p)
	}
	if !armored {
		return packets.Bytes(), nil
	}
	return armorBlock(openpgp.SignatureType, packets.Bytes())
}

func armorBlock(block string, content []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := armor.EncodeWithChecksumOption(&out, block, nil, true)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// clearSigned is a text with the signatures of every key in one document (RFC
// 9580, section 7).
func clearSigned(signers []*openPGPSigner, text []byte, at time.Time) ([]byte, error) {
	keys := make([]*packet.PrivateKey, len(signers))
	for i, s := range signers {
		keys[i] = s.key()
	}
	var out bytes.Buffer
	w, err := clearsign.EncodeMulti(&out, keys, openPGPConfig(at))
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Armored is the public half of OpenPGP keys in one armored block, as
// `gpg --armor --export` writes it.
func Armored(keys []Key) ([]byte, error) {
	return armorBlock(openpgp.PublicKeyType, Binary(keys))
}

// Binary is the public half of OpenPGP keys, one after the other.
func Binary(keys []Key) []byte {
	var all []byte
	for _, k := range keys {
		all = append(all, k.Public...)
	}
	return all
}
