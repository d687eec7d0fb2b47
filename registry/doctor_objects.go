package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"entrepot/ent"
	"entrepot/ent/keylease"
	"entrepot/storage"
)

// objects lists the store for objects that no row names. Those under keys of a
// lease are not looked at: they may belong to a running upload, and if they do
// not, the collector takes them with the lease.
func (d *diagnosis) objects(ctx context.Context) error {
	var batch []storage.Entry
	for entry, err := range d.store.List(ctx) {
		if err != nil {
			return err
		}
		if d.opts.StrayAge > 0 && d.at.Sub(entry.ModTime) < d.opts.StrayAge {
			continue
		}
		if batch = append(batch, entry); len(batch) == diagnoseBatch {
			if err := d.objectBatch(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return d.objectBatch(ctx, batch)
}

func (d *diagnosis) objectBatch(ctx context.Context, batch []storage.Entry) error {
	unnamed, err := d.unnamed(ctx, batch)
	if err != nil || len(unnamed) == 0 {
		return err
	}
	if unnamed, err = d.strays(ctx, unnamed); err != nil {
		return err
	}
	for _, entry := range unnamed {
		// The collector removes the object before the row: what was listed
		// may have gone since.
		if _, err := d.store.Stat(ctx, entry.Key); errors.Is(err, storage.ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		f := Finding{Kind: StrayObject, Subject: entry.Key, Detail: fmt.Sprintf("no row names the object of %d bytes", entry.Size)}
		if !entry.ModTime.IsZero() {
			f.Detail += " from " + entry.ModTime.UTC().Format(time.RFC3339)
		}
		if d.opts.Fix {
			if err := d.store.Remove(ctx, entry.Key); err != nil {
				f.Detail += fmt.Sprintf("; it could not be removed: %v", err)
			} else {
				f.Fixed = true
			}
		}
		d.found(f)
	}
	return nil
}

// unnamed returns the objects that no blob names.
func (d *diagnosis) unnamed(ctx context.Context, entries []storage.Entry) ([]storage.Entry, error) {
	keys := make([]string, len(entries))
	for i, entry := range entries {
		keys[i] = entry.Key
	}
	named, err := d.blobKeys(ctx, keys)
	if err != nil {
		return nil, err
	}
	var unnamed []storage.Entry
	for _, entry := range entries {
		if !named[entry.Key] {
			unnamed = append(unnamed, entry)
		}
	}
	return unnamed, nil
}

// strays returns those of the objects that nothing at all names and nothing
// will. It asks in the order in which a key is handed on: first the lease,
// which stands until a row names the key or none ever will; then the parts of
// uploads; then again the blobs, to which a part goes over in one transaction.
// A key that any publish is on its way to name is seen at one of the three.
func (d *diagnosis) strays(ctx context.Context, entries []storage.Entry) ([]storage.Entry, error) {
	prefixes := make([]string, len(entries))
	for i, entry := range entries {
		prefixes[i] = leasePrefix(entry.Key)
	}
	var leased []string
	err := d.db.KeyLease.Query().Where(keylease.PrefixIn(prefixes...)).Select(keylease.FieldPrefix).Scan(ctx, &leased)
	if err != nil {
		return nil, err
	}
	claimed := map[string]bool{}
	for _, prefix := range leased {
		claimed[prefix] = true
	}
	parts := map[string]bool{}
	wanted := map[string]bool{}
	for _, entry := range entries {
		wanted[entry.Key] = true
	}
	err = d.eachUpload(ctx, func(u *ent.BlobUpload) {
		for _, part := range u.Parts {
			if wanted[part.Key] {
				parts[part.Key] = true
			}
		}
	})
	if err != nil {
		return nil, err
	}
	var left []storage.Entry
	for i, entry := range entries {
		if !claimed[prefixes[i]] && !parts[entry.Key] {
			left = append(left, entry)
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	return d.unnamed(ctx, left)
}
