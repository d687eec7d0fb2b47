package registry

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"entrepot/ent"
)

// rsaSigner signs bytes with an RSA key (PKCS #1 v1.5).
type rsaSigner struct {
	row *ent.SigningKey
	key *rsa.PrivateKey
}

func (s *rsaSigner) keyRow() *ent.SigningKey { return s.row }

func (s *rsaSigner) of(row *ent.SigningKey) signer { return &rsaSigner{row, s.key} }

func generateRSA() (*newKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 4096)
	if err != nil {
		return nil, fmt.Errorf("generate signing key: %w", err)
	}
	return newRSA(key)
}

func newRSA(key *rsa.PrivateKey) (*newKey, error) {
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(public)
	return &newKey{
		algorithm: fmt.Sprintf("rsa%d", key.N.BitLen()), fingerprint: hex.EncodeToString(sum[:]),
		public: public, private: private,
	}, nil
}

// readRSA reads a private key in PEM that a client has sent: "PRIVATE KEY"
// (PKCS #8) or "RSA PRIVATE KEY" (PKCS #1).
func readRSA(raw []byte) (*newKey, error) {
	if len(raw) > maxKey {
		return nil, FieldErrorf("key", "the key is larger than %d bytes", maxKey)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, FieldErrorf("key", "this is not a key in PEM")
	}
	var key *rsa.PrivateKey
	if parsed, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		key = parsed
	} else if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		key, _ = parsed.(*rsa.PrivateKey)
	}
	if key == nil {
		return nil, FieldErrorf("key", "this is not an RSA private key without a passphrase")
	}
	if bits := key.N.BitLen(); bits < 2048 {
		return nil, FieldErrorf("key", "the key has %d bits, want at least 2048", bits)
	}
	return newRSA(key)
}

func openRSA(row *ent.SigningKey, private []byte) (signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("read signing key %s: %w", row.Fingerprint, err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("signing key %s is not an RSA key", row.Fingerprint)
	}
	return &rsaSigner{row, key}, nil
}
