package registry

import (
	"strings"
	"sync"
	"testing"
	"time"

	"entrepot/ent/keylease"
	"entrepot/storage"
)

func TestKeysAreLeasedBeforeUse(t *testing.T) {
	f := newFixture(t)
	seen := map[string]bool{}
	for range 3 * leaseSize {
		key, err := f.keys.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !storage.ValidKey(key) || seen[key] {
			t.Fatalf("key %q is invalid or was drawn before", key)
		}
		seen[key] = true
	}
	leases := f.db.KeyLease.Query().AllX(f.system())
	if len(leases) != 3 {
		t.Fatalf("%d leases for %d keys", len(leases), len(seen))
	}
	for _, l := range leases {
		if l.Size != leaseSize {
			t.Errorf("a lease of %d keys", l.Size)
		}
		for n := range l.Size {
			key := leasedKey(l.Prefix, n)
			if !seen[key] {
				t.Errorf("key %q of a lease was not drawn", key)
			}
			if leasePrefix(key) != l.Prefix {
				t.Errorf("key %q is of lease %q, not %q", key, leasePrefix(key), l.Prefix)
			}
			delete(seen, key)
		}
	}
	if len(seen) > 0 {
		t.Errorf("%d keys are of no lease", len(seen))
	}
}

func TestKeysForManyAtOnce(t *testing.T) {
	f := newFixture(t)
	const workers, each = 8, 300
	var seen sync.Map
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				key, err := f.keys.take(t.Context())
				if _, twice := seen.LoadOrStore(key, true); twice || err != nil {
					t.Errorf("key %q: drawn before, or %v", key, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestLeaseIsRetired ends leases for want of time and with the process: what
// was not drawn is given back, what was keeps its time.
func TestLeaseIsRetired(t *testing.T) {
	f := newFixture(t)
	draw := func(n int) {
		t.Helper()
		for range n {
			if _, err := f.keys.take(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	draw(3)
	f.keys.retired = now().Add(-time.Second)
	draw(5)
	f.keys.close(t.Context())
	var sizes []int
	for _, l := range f.db.KeyLease.Query().Order(keylease.ByID()).AllX(f.system()) {
		sizes = append(sizes, l.Size)
		// An upload that begins with the last key in the last moment has all
		// its time, and the collector's clock may be ahead.
		if spare := l.ExpiresAt.Sub(l.CreatedAt) - leaseUse - MaxUpload; spare < leaseSlack-time.Minute {
			t.Errorf("the lease lasts only %v longer than its uploads", spare)
		}
	}
	if len(sizes) != 2 || sizes[0] != 3 || sizes[1] != 5 {
		t.Errorf("leases of %v keys, want 3 and 5", sizes)
	}
	draw(1) // a closed pool starts over
}

func TestLeasePrefix(t *testing.T) {
	for key, want := range map[string]string{
		"b/aa/abc": "abc", "b/7z/" + strings.Repeat("a", 24): strings.Repeat("a", 24),
		"": "", "b": "", "b/": "", "b/aa": "", "b/aa/": "", "c/aa/abc": "", "b/aaa/abc": "", "b/a/bc": "",
	} {
		if got := leasePrefix(key); got != want {
			t.Errorf("leasePrefix(%q) = %q, want %q", key, got, want)
		}
	}
}
