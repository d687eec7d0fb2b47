package registry

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"entrepot/access"
	"entrepot/ent/keylease"
	"entrepot/registry/database"
	"entrepot/storage"
)

const (
	// leaseSize is how many keys one lease reserves, and the most there can
	// be: the number fills two characters of the alphabet.
	leaseSize = 1024
	// leaseUse is how long a process draws keys from a lease.
	leaseUse = time.Hour
	// MaxUpload is how long one upload may take.
	MaxUpload = 24 * time.Hour
	// keyAlphabet is base32 in lower case.
	keyAlphabet = "abcdefghijklmnopqrstuvwxyz234567"
)

// keyPool hands out storage keys. Every key is reserved in the database before
// a byte is written under it, a block at a time, so that it costs nothing per
// upload: what a crash leaves behind is found from the lease, never by listing
// the store.
type keyPool struct {
	db    *database.DB
	store storage.Store

	mu      sync.Mutex
	prefix  string
	next    int
	retired time.Time
}

func (k *keyPool) init(db *database.DB, store storage.Store) { k.db, k.store = db, store }

// take returns a key that was never used before.
func (k *keyPool) take(ctx context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.prefix == "" || k.next == leaseSize || time.Now().After(k.retired) {
		prefix := newPrefix()
		err := k.db.KeyLease.Create().
			SetPrefix(prefix).
			SetSize(leaseSize).
			SetExpiresAt(now().Add(leaseUse + MaxUpload)).
			Exec(access.SystemContext(context.WithoutCancel(ctx)))
		if err != nil {
			return "", err
		}
		k.prefix, k.next, k.retired = prefix, 0, time.Now().Add(leaseUse)
	}
	key := leasedKey(k.prefix, k.next)
	k.next++
	return key, nil
}

// close shortens the lease to the keys that were drawn.
func (k *keyPool) close(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.prefix == "" {
		return
	}
	// A failure costs the collector some look-ups of keys never used.
	_ = k.db.KeyLease.Update().Where(keylease.Prefix(k.prefix)).SetSize(k.next).Exec(access.SystemContext(ctx))
	k.prefix = ""
}

func newPrefix() string {
	var b [24]byte
	rand.Read(b[:])
	for i := range b {
		b[i] = keyAlphabet[b[i]%32]
	}
	return string(b[:])
}

// leasedKey is the n-th key of a lease. The number comes first: it spreads a
// lease over all folders of a directory-based store.
func leasedKey(prefix string, n int) string {
	return "b/" + string([]byte{keyAlphabet[n/32], keyAlphabet[n%32]}) + "/" + prefix
}

// leasePrefix returns the lease a key belongs to, or "".
func leasePrefix(key string) string {
	rest, ok := strings.CutPrefix(key, "b/")
	if !ok || len(rest) < 3 || rest[2] != '/' {
		return ""
	}
	return rest[3:]
}
