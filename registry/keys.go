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
)

const (
	// leaseSize is how many keys one lease reserves, and the most there can
	// be: the number fills two characters of the alphabet.
	leaseSize = 1024
	// leaseUse is how long a process draws keys from a lease.
	leaseUse = time.Hour
	// MaxUpload is how long one upload may take, from its first byte until
	// the row that names it is written.
	MaxUpload = 24 * time.Hour
	// leaseSlack is what the collector waits beyond that: the clocks of two
	// replicas may differ by so much, a last transaction take so long.
	leaseSlack = time.Hour
	// keyAlphabet is base32 in lower case.
	keyAlphabet = "abcdefghijklmnopqrstuvwxyz234567"
)

// keyPool hands out storage keys. Every key is reserved in the database before
// a byte is written under it, a block at a time, so that it costs nothing per
// upload: what a crash leaves behind is found from the lease, never by listing
// the store.
type keyPool struct {
	db     *database.DB
	upload time.Duration

	mu      sync.Mutex
	prefix  string
	next    int
	retired time.Time
}

func (k *keyPool) init(db *database.DB) { k.db, k.upload = db, MaxUpload }

// take returns a key that was never used before. The row that names it must be
// written within k.upload: later the collector may remove the object.
func (k *keyPool) take(ctx context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := now()
	if k.next == leaseSize || at.After(k.retired) {
		k.retire(ctx)
	}
	if k.prefix == "" {
		prefix := newPrefix()
		err := k.db.KeyLease.Create().
			SetPrefix(prefix).
			SetSize(leaseSize).
			SetExpiresAt(at.Add(leaseUse + k.upload + leaseSlack)).
			Exec(access.SystemContext(context.WithoutCancel(ctx)))
		if err != nil {
			return "", err
		}
		k.prefix, k.next, k.retired = prefix, 0, at.Add(leaseUse)
	}
	key := leasedKey(k.prefix, k.next)
	k.next++
	return key, nil
}

// close gives the keys that were not drawn back.
func (k *keyPool) close(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.retire(ctx)
}

// retire ends the lease and shortens it to the keys that were drawn.
func (k *keyPool) retire(ctx context.Context) {
	if k.prefix != "" && k.next < leaseSize {
		// A failure costs the collector some look-ups of keys never used.
		_ = k.db.KeyLease.Update().Where(keylease.Prefix(k.prefix)).SetSize(k.next).Exec(access.SystemContext(context.WithoutCancel(ctx)))
	}
	k.prefix, k.next = "", 0
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
