package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/property"
	"entrepot/storage"
)

// files adds the files, blobs first: always in the order of their digests, so
// that two publishes never wait for each other crosswise.
func (w *publishing) files(ctx context.Context) error {
	blobs := make([]*ent.PackageBlob, len(w.p.Files))
	order := make([]int, len(w.p.Files))
	for i := range order {
		order[i] = i
	}
	digest := func(f File) string {
		if f.Blob != nil {
			return f.Blob.Sha256
		}
		return f.Content.Sums.SHA256
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(digest(w.p.Files[a]), digest(w.p.Files[b])) })
	for _, i := range order {
		b, err := w.blob(ctx, w.p.Files[i])
		if err != nil {
			return err
		}
		blobs[i] = b
	}
	for i, f := range w.p.Files {
		row, err := w.file(ctx, f, blobs[i])
		if err != nil {
			return err
		}
		if len(f.Displaces) > 0 {
			_, err := deleteFiles(ctx, w.tx, packagefile.VersionID(w.done.Version.ID),
				packagefile.NormalizedNameIn(f.Displaces...), packagefile.CompositeKey(f.CompositeKey))
			if err != nil {
				return err
			}
		}
		row.Edges.Blob = blobs[i]
		w.done.Files = append(w.done.Files, row)
	}
	return nil
}

func (w *publishing) blob(ctx context.Context, f File) (*ent.PackageBlob, error) {
	if f.Blob != nil {
		kept, err := reference(ctx, w.tx, f.Blob, storage.Sums{})
		if err != nil {
			return nil, err
		}
		if !kept {
			return nil, Errorf(Conflict, "the content is being removed, upload it again")
		}
		return f.Blob, nil
	}
	b, duplicate, err := blobFor(ctx, w.tx, f.Content)
	if err != nil {
		return nil, err
	}
	if duplicate {
		w.spare = append(w.spare, f.Content)
	}
	return b, nil
}

func (w *publishing) file(ctx context.Context, f File, blob *ent.PackageBlob) (*ent.PackageFile, error) {
	existing, err := w.tx.PackageFile.Query().
		Where(packagefile.VersionID(w.done.Version.ID), packagefile.NormalizedName(f.NormalizedName), packagefile.CompositeKey(f.CompositeKey)).
		WithBlob().
		Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, fmt.Errorf("look up file: %w", err)
	}
	// A file keeps its name for good: one of another name that comes in its
	// place is a new one.
	renamed := existing != nil && existing.Name != f.Name && w.p.Redescribe && w.p.Overwrite == OverwriteAlways
	if existing != nil && !renamed {
		return w.replace(ctx, existing, f, blob)
	}
	if renamed {
		if _, err := deleteFiles(ctx, w.tx, packagefile.ID(existing.ID)); err != nil {
			return nil, err
		}
	}
	if w.p.IfMatch != "" {
		return nil, Errorf(Precondition, "the file is not there")
	}
	w.newFiles = true
	row, err := w.tx.PackageFile.Create().
		SetVersionID(w.done.Version.ID).
		SetBlobID(blob.ID).
		SetName(f.Name).
		SetNormalizedName(f.NormalizedName).
		SetCompositeKey(f.CompositeKey).
		SetMediaType(f.MediaType).
		SetLead(f.Lead).
		SetFragment(f.Fragment).
		SetCreatedAt(w.at).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("insert file: %w", err)
	}
	w.changed = append(w.changed, row)
	if f.Lead {
		w.added = append(w.added, row)
	}
	properties := f.Properties
	if w.waits() {
		properties = append(slices.Clone(properties), Property{unneededSince, TimeKey(w.at)})
	}
	return row, attach(ctx, w.tx, property.RefTypeFile, row.ID, properties)
}

func (w *publishing) replace(ctx context.Context, old *ent.PackageFile, f File, blob *ent.PackageBlob) (*ent.PackageFile, error) {
	// The same content has two rows when the older was set aside because its
	// bytes are lost: the file then goes over to the new one.
	same := old.Edges.Blob.Sha256 == blob.Sha256
	switch {
	case w.p.IfMatch != "" && w.p.IfMatch != old.Edges.Blob.Sha256:
		return nil, Errorf(Precondition, "the file has changed meanwhile")
	case w.p.Overwrite == OverwriteNever, w.p.Overwrite == OverwriteIdentical && !same:
		return nil, w.conflict("file already exists")
	case old.BlobID == blob.ID && !f.Renew:
		return old, w.renew(ctx, old)
	}
	w.newFiles = w.newFiles || !same
	row, err := w.tx.PackageFile.UpdateOneID(old.ID).
		SetBlobID(blob.ID).
		SetMediaType(f.MediaType).
		SetFragment(f.Fragment).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("replace file: %w", err)
	}
	w.changed = append(w.changed, row)
	if f.Renew {
		if err := w.reattach(ctx, row.ID, f.Properties); err != nil {
			return nil, err
		}
	}
	if old.BlobID == blob.ID {
		return row, nil
	}
	return row, release(ctx, w.tx, old.BlobID)
}

// reattach gives a file the properties, in place of what it had under the same
// names.
func (w *publishing) reattach(ctx context.Context, fileID int64, properties []Property) error {
	if len(properties) == 0 {
		return nil
	}
	names := make([]string, len(properties))
	for i, p := range properties {
		names[i] = p.Name
	}
	_, err := w.tx.Property.Delete().
		Where(property.RefTypeEQ(property.RefTypeFile), property.RefID(fileID), property.NameIn(names...)).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("replace properties: %w", err)
	}
	return attach(ctx, w.tx, property.RefTypeFile, fileID, properties)
}

func (w *publishing) conflict(format string, args ...any) error {
	if w.p.Duplicate != "" {
		return Errorf(Conflict, "%s", w.p.Duplicate)
	}
	return Errorf(Conflict, format, args...)
}

func fileNames(files []File) []string {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name
	}
	return names
}
