package protocols

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"entrepot/ent"
	"entrepot/registry"
)

// maxKeyBody is the longest uploaded key in bytes.
const maxKeyBody = 256 << 10

// ReplaceKey lets another key sign the indexes of the space, as KeyChange
// reads it from the request. The answer describes the new key.
func ReplaceKey(w http.ResponseWriter, r *Request) error {
	change, err := KeyChange(r)
	if err != nil {
		return err
	}
	return ReplaceKeyBy(w, r, change)
}

// ReplaceKeyBy is ReplaceKey with a change that the handler has completed.
func ReplaceKeyBy(w http.ResponseWriter, r *Request, change registry.KeyChange) error {
	key, err := r.Space.ReplaceKey(r.Context(), change)
	if err != nil {
		return err
	}
	WriteJSON(w, r.Request, http.StatusCreated, describeKey(key))
	return nil
}

// KeyChange reads what a request says of another key: PUT brings a private
// key, POST has one made (?algorithm=ed25519 where clients can read such). For
// ?overlap= days the old key stays one of the space's, 30 if the request does
// not say; 0 ends it at once.
func KeyChange(r *Request) (registry.KeyChange, error) {
	var none registry.KeyChange
	change := registry.KeyChange{Algorithm: r.URL.Query().Get("algorithm")}
	if days := r.URL.Query().Get("overlap"); days != "" {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 3650 {
			return none, registry.FieldErrorf("overlap", "overlap: want a number of days up to 3650")
		}
		change.Overlap = time.Duration(n) * 24 * time.Hour
		if n == 0 {
			change.Overlap = -1
		}
	}
	if r.Method == http.MethodPut {
		private, err := ReadLimited(r.Body, maxKeyBody)
		switch {
		case errors.Is(err, ErrTooMuch):
			return none, registry.Errorf(registry.TooLarge, "the key is longer than %d bytes", maxKeyBody)
		case err != nil && !errors.Is(err, io.EOF):
			return none, registry.Errorf(registry.Invalid, "the body broke off: %v", err)
		case len(private) == 0:
			return none, registry.FieldErrorf("key", "the body is empty; POST makes a new key")
		}
		change.Private = private
	}
	return change, nil
}

// KeyDescription is the public side of a signing key as JSON has it.
type KeyDescription struct {
	Fingerprint string `json:"fingerprint"`
	Algorithm   string `json:"algorithm"`
	Identity    string `json:"identity,omitempty"`
	// Current tells the key that signs from one it has replaced.
	Current    bool       `json:"current"`
	SignsUntil *time.Time `json:"signsUntil,omitempty"`
	ExpiresAt  *time.Time `json:"expiresAt,omitempty"`
}

// DescribeKeys describes the keys of the space, the current one first.
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

// DescribeIndexes answers with the keys of the space, and under a name with what
// is to be said of each of its indexes.
func DescribeIndexes[T any](w http.ResponseWriter, r *Request, name string, describe func(*ent.IndexRoot) T) error {
	keys, err := DescribeKeys(r)
	if err != nil {
		return err
	}
	roots, err := r.Space.Indexes(r.Context())
	if err != nil {
		return err
	}
	all := make([]T, len(roots))
	for i, root := range roots {
		all[i] = describe(root)
	}
	w.Header().Set("Cache-Control", "no-cache")
	WriteJSON(w, r.Request, http.StatusOK, map[string]any{"keys": keys, name: all})
	return nil
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
