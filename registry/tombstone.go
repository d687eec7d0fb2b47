package registry

import (
	"context"
	"fmt"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
)

// Lock files pin the digests of what they name. Where they do
// (Type.KeepsTombstones), a version that was deleted leaves a tombstone with
// the digest of its lead file, and its number can come back with those bytes
// alone. A tombstone is a property of the owner, because the package may go
// with its last version. As long as the package stays it lists what has gone,
// by properties of its own.

// tombstone is the name of the property; its value is the SHA-256.
func tombstone(p *ent.Pkg, normalizedVersion string) string {
	return "tombstone/" + p.Type + "/" + p.NormalizedName + "@" + normalizedVersion
}

// removedVersion is the name of the property of a package that lists a version
// that has gone.
const removedVersion = "removed"

// bury leaves a tombstone for each lead file that matches, all of the package,
// and is about to be deleted.
func (s *Space) bury(ctx context.Context, tx *ent.Tx, p *ent.Pkg, where ...predicate.PackageFile) error {
	if !s.Type.KeepsTombstones {
		return nil
	}
	files, err := tx.PackageFile.Query().Where(packagefile.Lead(true)).Where(where...).WithBlob().WithVersion().All(ctx)
	if err != nil {
		return fmt.Errorf("list what is deleted: %w", err)
	}
	var stones, removed []Property
	for _, f := range files {
		stones = append(stones, Property{tombstone(p, f.Edges.Version.NormalizedVersion), f.Edges.Blob.Sha256})
		removed = append(removed, Property{removedVersion, f.Edges.Version.NormalizedVersion})
	}
	if err := attach(ctx, tx, property.RefTypePackage, p.ID, removed); err != nil {
		return err
	}
	return attach(ctx, tx, property.RefTypeOwner, p.OwnerID, stones)
}

// exhume takes the tombstone of the new version away, if there is one, or is
// a Conflict when the version was another one.
func (w *publishing) exhume(ctx context.Context) error {
	if !w.space.Type.KeepsTombstones {
		return nil
	}
	stones, err := w.tx.Property.Query().Where(tombstones(w.done.Package, w.p.NormalizedVersion)...).All(ctx)
	if err != nil {
		return fmt.Errorf("look up tombstone: %w", err)
	}
	for _, stone := range stones {
		for _, f := range w.p.Files {
			if f.Lead && f.Content != nil && f.Content.Sums.SHA256 != stone.Value {
				return Errorf(Conflict, "version %s of %s was deleted; its number can only come back with the same content", w.p.Version, w.p.Name)
			}
		}
		if err := w.tx.Property.DeleteOne(stone).Exec(ctx); err != nil {
			return fmt.Errorf("remove tombstone: %w", err)
		}
	}
	if len(stones) == 0 {
		return nil
	}
	_, err = w.tx.Property.Delete().Where(append(removedVersions(w.done.Package), property.Value(w.p.NormalizedVersion))...).Exec(ctx)
	if err != nil {
		return fmt.Errorf("list version again: %w", err)
	}
	return nil
}

// Removed lists the normalized versions of the package that were deleted and
// have not come back, in no order.
func (s *Space) Removed(ctx context.Context, p *ent.Pkg) ([]string, error) {
	removed, err := s.reg.db.Property.Query().Where(removedVersions(p)...).
		Select(property.FieldValue).Strings(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("list removed versions: %w", err)
	}
	return removed, nil
}

func removedVersions(p *ent.Pkg) []predicate.Property {
	return []predicate.Property{property.RefTypeEQ(property.RefTypePackage), property.RefID(p.ID), property.Name(removedVersion)}
}

// Buried tells whether a version was there and has been deleted. The viewer
// must be allowed to read the owner's packages.
func (s *Space) Buried(ctx context.Context, normalizedName, normalizedVersion string) (bool, error) {
	p := &ent.Pkg{OwnerID: s.Owner.ID, Type: s.Type.Name, NormalizedName: normalizedName}
	buried, err := s.reg.db.Property.Query().Where(tombstones(p, normalizedVersion)...).Exist(access.SystemContext(ctx))
	if err != nil {
		return false, fmt.Errorf("look up tombstone: %w", err)
	}
	return buried, nil
}

func tombstones(p *ent.Pkg, normalizedVersion string) []predicate.Property {
	return []predicate.Property{
		property.RefTypeEQ(property.RefTypeOwner), property.RefID(p.OwnerID), property.Name(tombstone(p, normalizedVersion)),
	}
}
