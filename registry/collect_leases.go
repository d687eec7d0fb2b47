package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"entrepot/ent"
	"entrepot/ent/blobupload"
	"entrepot/ent/keylease"
	"entrepot/ent/packageblob"
	"entrepot/ent/schema"
	"entrepot/storage"
)

// removeUploads ends uploads that nobody has gone on with until they expired.
// The row goes first, by the statement that finds it unclaimed and unchanged:
// a request that claims it at the same moment either keeps it or finds it
// gone. The parts' keys are then named by nobody, and should they not be
// removed here, their leases lead to them.
func (c *collection) removeUploads(ctx context.Context) error {
	idle := blobupload.And(
		blobupload.ExpiresAtLT(c.at),
		blobupload.Or(blobupload.ClaimedUntilIsNil(), blobupload.ClaimedUntilLT(c.at)),
	)
	last := int64(0)
	for {
		uploads, err := c.db.BlobUpload.Query().
			Where(idle, blobupload.IDGT(last)).
			Order(ent.Asc(blobupload.FieldID)).
			Limit(collectBatch).
			Select(blobupload.FieldID, blobupload.FieldRevision).
			All(ctx)
		if err != nil {
			return fmt.Errorf("list uploads: %w", err)
		}
		for _, u := range uploads {
			last = u.ID
			if u, err = c.db.BlobUpload.Get(ctx, u.ID); ent.IsNotFound(err) {
				continue
			}
			if err != nil {
				return fmt.Errorf("read upload: %w", err)
			}
			n, err := c.db.BlobUpload.Delete().Where(blobupload.ID(u.ID), blobupload.Revision(u.Revision), idle).Exec(ctx)
			if err != nil {
				return fmt.Errorf("delete upload: %w", err)
			}
			if n == 0 {
				continue
			}
			c.done.Uploads++
			if err := c.removeUploadParts(ctx, u.Parts); err != nil {
				return err
			}
		}
		if len(uploads) < collectBatch {
			return nil
		}
	}
}

func (c *collection) removeUploadParts(ctx context.Context, parts []schema.UploadPart) error {
	return c.each(ctx, len(parts), func(ctx context.Context, i int) error {
		if err := c.store.Remove(ctx, parts[i].Key); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.done.Bytes += parts[i].Size
		return nil
	})
}

// leaseRetry is when a lease is looked at again whose collector has died.
const leaseRetry = 15 * time.Minute

// removeLeases gives up the blocks of keys under which no upload can still be
// running, and removes the objects that got no row.
//
// Nothing that a row is yet to name is among them. The expiry of a lease lies
// leaseSlack beyond the instant after which content under its keys is refused
// (Stored.until). Parts of an upload that spans requests are the exception:
// their upload's row names them for as long as it goes on, and the lease waits
// for it.
func (c *collection) removeLeases(ctx context.Context) error {
	var inUse map[string]bool
	last := int64(0)
	for {
		leases, err := c.db.KeyLease.Query().
			Where(keylease.ExpiresAtLT(c.at), keylease.IDGT(last)).
			Order(ent.Asc(keylease.FieldID)).
			Limit(collectBatch).
			All(ctx)
		if err != nil {
			return fmt.Errorf("list leases: %w", err)
		}
		if len(leases) == 0 {
			return nil
		}
		if inUse == nil {
			// A part goes over to the blob in one transaction. Uploads are read
			// before blobs, so it is seen in one place or the other.
			if inUse, err = c.leasesOfUploads(ctx); err != nil {
				return err
			}
		}
		for _, l := range leases {
			last = l.ID
			if inUse[l.Prefix] {
				continue
			}
			if err := c.removeLease(ctx, l); err != nil {
				return err
			}
		}
	}
}

// leasesOfUploads returns the prefixes of the leases whose keys uploads name.
func (c *collection) leasesOfUploads(ctx context.Context) (map[string]bool, error) {
	prefixes := map[string]bool{}
	err := c.eachUpload(ctx, func(u *ent.BlobUpload) {
		for _, part := range u.Parts {
			prefixes[leasePrefix(part.Key)] = true
		}
	})
	return prefixes, err
}

// eachUpload calls f for every upload there is, with its parts alone loaded.
func (r *Registry) eachUpload(ctx context.Context, f func(*ent.BlobUpload)) error {
	const batch = 50 // an upload may have thousands of parts
	last := int64(0)
	for {
		uploads, err := r.db.BlobUpload.Query().
			Where(blobupload.IDGT(last)).
			Order(ent.Asc(blobupload.FieldID)).
			Limit(batch).
			Select(blobupload.FieldID, blobupload.FieldParts).
			All(ctx)
		if err != nil {
			return fmt.Errorf("list uploads: %w", err)
		}
		for _, u := range uploads {
			last = u.ID
			f(u)
		}
		if len(uploads) < batch {
			return nil
		}
	}
}

// removeLease removes one lease, unless another collector has it or some of
// its objects resist.
func (c *collection) removeLease(ctx context.Context, l *ent.KeyLease) error {
	claimed, err := c.db.KeyLease.Update().
		Where(keylease.ID(l.ID), keylease.ExpiresAtLT(c.at)).
		SetExpiresAt(now().Add(leaseRetry)).
		Save(ctx)
	if err != nil {
		return fmt.Errorf("claim lease: %w", err)
	}
	if claimed == 0 {
		return nil
	}
	failed := c.failed
	for start := 0; start < l.Size; start += collectBatch {
		keys := make([]string, 0, collectBatch)
		for n := start; n < min(start+collectBatch, l.Size); n++ {
			keys = append(keys, leasedKey(l.Prefix, n))
		}
		named, err := c.blobKeys(ctx, keys)
		if err != nil {
			return err
		}
		err = c.each(ctx, len(keys), func(ctx context.Context, i int) error {
			if named[keys[i]] {
				return nil
			}
			return c.removeStray(ctx, keys[i])
		})
		if err != nil {
			return err
		}
	}
	if c.failed > failed {
		return nil
	}
	if err := c.db.KeyLease.DeleteOneID(l.ID).Exec(ctx); err != nil && !ent.IsNotFound(err) {
		return fmt.Errorf("delete lease: %w", err)
	}
	c.done.Leases++
	return nil
}

// blobKeys returns which of the keys blobs name, dying ones included.
func (r *Registry) blobKeys(ctx context.Context, keys []string) (map[string]bool, error) {
	var found []string
	err := r.db.PackageBlob.Query().Where(packageblob.StorageKeyIn(keys...)).
		Select(packageblob.FieldStorageKey).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("look up keys: %w", err)
	}
	named := make(map[string]bool, len(found))
	for _, key := range found {
		named[key] = true
	}
	return named, nil
}

// removeStray removes an object that no row names, if there is one.
func (c *collection) removeStray(ctx context.Context, key string) error {
	size, err := c.store.Stat(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = c.store.Remove(ctx, key)
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done.Strays++
	c.done.Bytes += size
	return nil
}
