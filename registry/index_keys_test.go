package registry

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"entrepot/ent"
)

// TestRSAKeys brings RSA keys.
func TestRSAKeys(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"PKCS 1": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		"PKCS 8": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	} {
		k, err := readRSA(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s, err := openRSA(&ent.SigningKey{}, k.private)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b := &IndexBuild{signers: []signer{s}}
		signatures, err := b.RSA(strings.NewReader("content"))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte("content"))
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signatures[0].SHA256); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "no PEM": []byte("hello"), "no key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("hello")}),
		"a small key": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(small)}),
		"a large one": make([]byte, maxKey+1),
	} {
		if _, err := readRSA(raw); CodeOf(err) != Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeyIdentity brings keys with and without a name of their own.
func TestKeyIdentity(t *testing.T) {
	x := newIndexes(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if _, err := x.space.ReplaceKey(x.as(x.ann), KeyChange{Algorithm: Ed25519, Identity: "another"}); CodeOf(err) != Invalid {
		t.Errorf("an OpenPGP key is called otherwise: %v", err)
	}
	x.space.Type.Index.Key = RSAKey
	if _, err := x.space.ReplaceKey(x.as(x.ann), KeyChange{Private: private, Identity: "a\x00b"}); CodeOf(err) != Invalid {
		t.Errorf("a name that no database keeps: %v", err)
	}
	if _, err := x.space.ReplaceKey(x.as(x.ann), KeyChange{Private: private, Identity: "builder.rsa.pub"}); err != nil {
		t.Fatal(err)
	}
	keys, err := x.space.Keys(t.Context())
	if err != nil || keys[0].Identity != "builder.rsa.pub" || keys[0].Algorithm != "rsa2048" {
		t.Errorf("the keys are %+v, %v", keys, err)
	}
}
