package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
)

// Files of internal versions are there for versions to need (Type.References):
// the layers of images. They arrive before the version that needs them, and
// stay behind when it goes. So each carries a mark from when it was last known
// to be needed by none; the collector looks at old marks alone, asks whether a
// version has come to need the file since, and removes the mark or the file.
// Its cost follows the pushes, not what is stored.

const (
	// unneededSince is the mark's name; its value is a TimeKey.
	unneededSince = "unneeded-since"
	// defaultKeepUnneeded is how long a file waits for a version that needs it:
	// as long as the upload of all else that the version needs may take.
	defaultKeepUnneeded = MaxUpload
)

// waits tells whether files of the publication wait to be needed.
func (w *publishing) waits() bool { return w.p.Internal && len(w.space.Type.References) > 0 }

// renew puts the mark of a file that came again off.
func (w *publishing) renew(ctx context.Context, f *ent.PackageFile) error {
	if !w.waits() {
		return nil
	}
	if err := w.tx.Property.Update().Where(marks(f.ID)...).SetValue(TimeKey(w.at)).Exec(ctx); err != nil {
		return fmt.Errorf("renew mark: %w", err)
	}
	return nil
}

// loosen marks what a version needs, for it is about to be deleted.
func (s *Space) loosen(ctx context.Context, tx *ent.Tx, p *ent.Pkg, where ...predicate.PackageVersion) error {
	if len(s.Type.References) == 0 {
		return nil
	}
	ids, err := tx.PackageVersion.Query().Where(where...).IDs(ctx)
	if err != nil {
		return fmt.Errorf("list versions: %w", err)
	}
	var names []string
	for chunk := range slices.Chunk(ids, lookUpAtOnce) {
		var some []string
		err := tx.Property.Query().
			Where(property.RefTypeEQ(property.RefTypeVersion), property.RefIDIn(chunk...), property.NameIn(s.Type.References...)).
			Select(property.FieldValue).Scan(ctx, &some)
		if err != nil {
			return fmt.Errorf("list references: %w", err)
		}
		names = append(names, some...)
	}
	slices.Sort(names)
	for chunk := range slices.Chunk(slices.Compact(names), lookUpAtOnce) {
		files, err := tx.PackageFile.Query().
			Where(packagefile.NormalizedNameIn(chunk...), in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID,
				packageversion.PackageID(p.ID), predicate.PackageVersion(is(packageversion.FieldInternal, true)))).
			IDs(ctx)
		if err != nil {
			return fmt.Errorf("list needed files: %w", err)
		}
		for _, id := range files {
			if err := mark(ctx, tx, id, now()); err != nil {
				return err
			}
		}
	}
	return nil
}

// mark notes that from now on nobody may need the file.
func mark(ctx context.Context, tx *ent.Tx, fileID int64, at time.Time) error {
	n, err := tx.Property.Update().Where(marks(fileID)...).SetValue(TimeKey(at)).Save(ctx)
	if err != nil {
		return fmt.Errorf("mark file: %w", err)
	}
	if n > 0 {
		return nil
	}
	return attach(ctx, tx, property.RefTypeFile, fileID, []Property{{unneededSince, TimeKey(at)}})
}

func marks(fileIDs ...int64) []predicate.Property {
	return []predicate.Property{property.RefTypeEQ(property.RefTypeFile), property.RefIDIn(fileIDs...), property.Name(unneededSince)}
}

// Wanted puts off the removal of a file that no version needs: somebody has
// asked whether it is there, and will count on it. It costs nothing now; the
// note is written with the download counts.
func (r *Registry) Wanted(f *ent.PackageFile) {
	r.wanted.mu.Lock()
	defer r.wanted.mu.Unlock()
	if r.wanted.files == nil {
		r.wanted.files = map[int64]struct{}{}
	}
	r.wanted.files[f.ID] = struct{}{}
}

// wantedFiles gathers the files for Wanted.
type wantedFiles struct {
	mu    sync.Mutex
	files map[int64]struct{}
}

// flush writes the notes for those files that have a mark. A failure costs a
// client that comes very late a second upload.
func (w *wantedFiles) flush(ctx context.Context, r *Registry) error {
	w.mu.Lock()
	files := slices.Sorted(maps.Keys(w.files))
	w.files = nil
	w.mu.Unlock()
	ctx = access.SystemContext(ctx)
	for chunk := range slices.Chunk(files, lookUpAtOnce) {
		var marked []int64
		if err := r.db.Property.Query().Where(marks(chunk...)...).Select(property.FieldRefID).Scan(ctx, &marked); err != nil {
			return fmt.Errorf("look up marks: %w", err)
		}
		if len(marked) == 0 {
			continue
		}
		if err := r.db.Property.Update().Where(marks(marked...)...).SetValue(TimeKey(now())).Exec(ctx); err != nil {
			return fmt.Errorf("renew marks: %w", err)
		}
	}
	return nil
}

// removeUnneeded looks at the files whose mark is old.
func (c *collection) removeUnneeded(ctx context.Context) error {
	before := TimeKey(c.at.Add(-c.keepUnneeded))
	for {
		var files []int64
		err := c.db.Property.Query().
			Where(property.Name(unneededSince), property.ValueLT(before)).
			Order(ent.Asc(property.FieldValue)).
			Limit(collectBatch).
			Select(property.FieldRefID).
			Scan(ctx, &files)
		if err != nil {
			return fmt.Errorf("list marks: %w", err)
		}
		for _, id := range files {
			if err := c.removeUnneededFile(ctx, id, before); err != nil {
				return err
			}
		}
		if len(files) < collectBatch {
			return nil
		}
	}
}

// removeUnneededFile removes a file that is still needed by none, else its
// mark. The package is locked meanwhile: a version that would need the file
// waits, and then misses it, or was there before.
func (c *collection) removeUnneededFile(ctx context.Context, fileID int64, before string) error {
	return c.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		f, err := tx.PackageFile.Query().Where(packagefile.ID(fileID)).WithVersion().Only(ctx)
		if ent.IsNotFound(err) {
			_, err = tx.Property.Delete().Where(marks(fileID)...).Exec(ctx)
			return err
		}
		if err != nil {
			return fmt.Errorf("look up file: %w", err)
		}
		p, err := tx.Pkg.Get(ctx, f.Edges.Version.PackageID)
		if err != nil {
			return fmt.Errorf("look up package: %w", err)
		}
		if p, err = lock(ctx, tx, p); err != nil || p == nil {
			return err
		}
		n, err := tx.Property.Delete().Where(append(marks(fileID), property.ValueLT(before))...).Exec(ctx)
		if err != nil || n == 0 {
			return err // renewed meanwhile
		}
		err = Holdings{tx.Client(), p}.needed(ctx, c.types[p.Type], f.NormalizedName)
		if CodeOf(err) == Conflict {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := deleteFiles(ctx, tx, packagefile.ID(fileID)); err != nil {
			return err
		}
		c.done.Files++
		return removeIfEmpty(ctx, tx, p, f.VersionID)
	})
}

// removeIfEmpty removes an internal version without files, and the package if
// it has no other version.
func removeIfEmpty(ctx context.Context, tx *ent.Tx, p *ent.Pkg, versionID int64) error {
	left, err := tx.PackageFile.Query().Where(packagefile.VersionID(versionID)).Exist(ctx)
	if err != nil || left {
		return err
	}
	if _, err := deleteVersions(ctx, tx, p, packageversion.ID(versionID)); err != nil {
		return err
	}
	if left, err = tx.PackageVersion.Query().Where(packageversion.PackageID(p.ID)).Exist(ctx); err != nil || left {
		return err
	}
	return removePackage(ctx, tx, p)
}

// removeHiddenPackages removes the packages of an owner that never got a
// version to show.
func removeHiddenPackages(ctx context.Context, tx *ent.Tx, o *ent.Owner) error {
	packages, err := tx.Pkg.Query().Where(pkg.OwnerID(o.ID), pkg.VersionCount(0)).All(ctx)
	if err != nil {
		return fmt.Errorf("list packages: %w", err)
	}
	for _, p := range packages {
		if err := removePackage(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}
