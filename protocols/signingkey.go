package protocols

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"entrepot/registry"
)

// KeyDescription is a signing key as programs read it.
type KeyDescription struct {
	Fingerprint string     `json:"fingerprint"`
	Algorithm   string     `json:"algorithm"`
	Identity    string     `json:"identity"`
	Current     bool       `json:"current"`
	SignsUntil  *time.Time `json:"signsUntil,omitempty"`
	ExpiresAt   *time.Time `json:"expiresAt,omitempty"`
}

// DescribeKeys describes the keys that sign the indexes of the space, the
// current one first.
func DescribeKeys(r *Request) ([]KeyDescription, error) {
	keys, err := r.Space.Keys(r.Context())
	if err != nil {
		return nil, err
	}
	all := make([]KeyDescription, len(keys))
	for i, k := range keys {
		all[i] = describeKey(k)
	}
	return all, nil
}

func describeKey(k registry.Key) KeyDescription {
	d := KeyDescription{Fingerprint: k.Fingerprint, Algorithm: k.Algorithm, Identity: k.Identity, Current: k.Current}
	if !k.SignsUntil.IsZero() {
		d.SignsUntil = &k.SignsUntil
	}
	if !k.ExpiresAt.IsZero() {
		d.ExpiresAt = &k.ExpiresAt
	}
	return d
}

const (
	// maxKey is the longest private key in bytes, maxOverlap the most days
	// that two keys sign.
	maxKey     = 256 << 10
	maxOverlap = 3650
)

// ReplaceKey is the handler of a route by which another key comes to sign the
// indexes of the space: PUT brings a private key, POST has one made
// (?algorithm=ed25519). The old one signs beside it for ?overlap=30 days; 0
// ends it at once. Errors: Invalid, TooLarge.
func ReplaceKey(w http.ResponseWriter, r *Request) error {
	query := r.URL.Query()
	change := registry.KeyChange{Algorithm: query.Get("algorithm")}
	if text := query.Get("overlap"); text != "" {
		days, err := strconv.Atoi(text)
		switch {
		case err != nil || days < 0 || days > maxOverlap:
			return registry.FieldErrorf("overlap", "overlap: want a number of days up to %d", maxOverlap)
		case days == 0:
			change.Overlap = -1
		default:
			change.Overlap = time.Duration(days) * 24 * time.Hour
		}
	}
	if r.Method == http.MethodPut {
		private, err := ReadLimited(r.Body, maxKey)
		switch {
		case errors.Is(err, ErrTooMuch):
			return registry.Errorf(registry.TooLarge, "the key is longer than %d bytes", maxKey)
		case err != nil && !errors.Is(err, io.EOF):
			return registry.Errorf(registry.Invalid, "the body broke off: %v", err)
		case len(private) == 0:
			return registry.FieldErrorf("key", "the body is empty; POST makes a new key")
		}
		change.Private = private
	}
	key, err := r.Space.ReplaceKey(r.Context(), change)
	if err != nil {
		return err
	}
	WriteJSON(w, r.Request, http.StatusCreated, describeKey(key))
	return nil
}
