package chef

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"entrepot/auth"
	"entrepot/protocols"
	"entrepot/registry"
)

// Accounts sign requests with keys of their own, each by a name. They are the
// account's, whosever root is asked.

const (
	// keyBits is the length of keys that are made here.
	keyBits = 4096
	maxPEM  = 16 << 10
)

// shownKey is a key as the account sees it.
type shownKey struct {
	Name        string     `json:"name"`
	Fingerprint string     `json:"fingerprint"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
}

func showKey(k auth.PublicKey) shownKey {
	return shownKey{k.Name, k.Fingerprint(), k.CreatedAt, k.ExpiresAt}
}

// listKeys lists the viewer's keys.
func listKeys(w http.ResponseWriter, r *protocols.Request) error {
	keys, err := r.Auth.PublicKeys(r.Context())
	if err != nil {
		return err
	}
	all := make([]shownKey, len(keys))
	for i, k := range keys {
		all[i] = showKey(k)
	}
	w.Header().Set("Cache-Control", "no-store")
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string][]shownKey{"keys": all})
	return nil
}

// setKey sets a key of the viewer: the public one that is sent, or, if nothing
// is, a new one, of which the private half is the answer and is not kept. A key
// of that name that was there before is good no more.
func setKey(w http.ResponseWriter, r *protocols.Request) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxPEM))
	if err != nil {
		return registry.Errorf(registry.Invalid, "the body cannot be read: %v", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	if text := strings.TrimSpace(string(raw)); text != "" {
		public, err := parsePublicKey([]byte(text))
		if err != nil {
			return err
		}
		key, err := r.Auth.SetPublicKey(r.Context(), r.Params["key"], public)
		if err != nil {
			return err
		}
		protocols.WriteJSON(w, r.Request, http.StatusCreated, showKey(key))
		return nil
	}
	// Before the work of making one.
	if _, err := r.Auth.PublicKeys(r.Context()); err != nil {
		return err
	}
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return err
	}
	if _, err := r.Auth.SetPublicKey(r.Context(), r.Params["key"], &private.PublicKey); err != nil {
		return err
	}
	body := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
	h := w.Header()
	h.Set("Content-Type", "application/x-pem-file")
	h.Set("Content-Disposition", protocols.Attachment(r.Viewer.Login+".priv"))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusCreated)
	w.Write(body) // the client has it or makes another
	return nil
}

// removeKey ends a key of the viewer at once.
func removeKey(w http.ResponseWriter, r *protocols.Request) error {
	if err := r.Auth.RemovePublicKey(r.Context(), r.Params["key"]); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// parsePublicKey reads a public RSA key in either of its PEM forms. Error:
// Invalid.
func parsePublicKey(raw []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, registry.FieldErrorf("key", "the key is no PEM text")
	}
	if strings.Contains(block.Type, "PRIVATE") {
		return nil, registry.FieldErrorf("key", "that is a private key, which is nobody else's: send the public one, as openssl rsa -pubout writes it")
	}
	if key, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, registry.FieldErrorf("key", "the key cannot be read: %v", err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, registry.FieldErrorf("key", "the key is no RSA key")
	}
	return key, nil
}
