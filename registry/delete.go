package registry

import (
	"context"
	"fmt"
	"slices"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
	"entrepot/ent/tag"
)

// DeleteFile removes a file, and with it those of the same version that mean
// nothing without it, named by their normalized names, as far as they are
// there. The last file of a version takes the version along, the last version
// the package. A file that is gone already is NotFound; one that a version
// still needs (Type.References) is a Conflict.
func (s *Space) DeleteFile(ctx context.Context, p *ent.Pkg, f *ent.PackageFile, along ...string) error {
	return s.remove(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg) error {
		return s.dropFile(ctx, tx, p, f, along...)
	})
}

// dropFile is DeleteFile within a transaction.
func (s *Space) dropFile(ctx context.Context, tx *ent.Tx, p *ent.Pkg, f *ent.PackageFile, along ...string) error {
	if len(along) > 0 {
		if _, err := deleteFiles(ctx, tx, packagefile.VersionID(f.VersionID), packagefile.NormalizedNameIn(along...)); err != nil {
			return err
		}
	}
	if err := s.bury(ctx, tx, p, packagefile.ID(f.ID)); err != nil {
		return err
	}
	n, err := deleteFiles(ctx, tx, packagefile.ID(f.ID))
	if err != nil {
		return err
	}
	if n == 0 {
		return Errorf(NotFound, "file not found")
	}
	if err := s.deleteFollowers(ctx, tx, f.VersionID); err != nil {
		return err
	}
	if err := s.record(ctx, tx, EventFileDeleted, p, map[string]any{"file": f.Name, "version_id": f.VersionID}); err != nil {
		return err
	}
	if err := s.needed(ctx, tx, p, f.NormalizedName); err != nil {
		return err
	}
	left, err := tx.PackageFile.Query().Where(packagefile.VersionID(f.VersionID)).Exist(ctx)
	if err != nil || left {
		return err
	}
	v, err := tx.PackageVersion.Get(ctx, f.VersionID)
	if err != nil {
		return err
	}
	if _, err = s.dropVersions(ctx, tx, p, packageversion.ID(f.VersionID)); err != nil {
		return err
	}
	return s.needed(ctx, tx, p, v.NormalizedVersion)
}

// deleteFollowers deletes the files of a version whose lead files are gone, for
// types that have such (Type.FollowsLead).
func (s *Space) deleteFollowers(ctx context.Context, tx *ent.Tx, versionID int64) error {
	if !s.Type.FollowsLead {
		return nil
	}
	files, err := tx.PackageFile.Query().Where(packagefile.VersionID(versionID)).
		Select(packagefile.FieldID, packagefile.FieldLead, packagefile.FieldCompositeKey).All(ctx)
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	led := map[string]bool{}
	for _, f := range files {
		led[f.CompositeKey] = led[f.CompositeKey] || f.Lead
	}
	var left []int64
	for _, f := range files {
		if !led[f.CompositeKey] {
			left = append(left, f.ID)
		}
	}
	if len(left) == 0 {
		return nil
	}
	_, err = deleteFiles(ctx, tx, packagefile.IDIn(left...))
	return err
}

// needed is asked after a deletion whether something that stays needs what is
// gone; its Conflict undoes the deletion.
func (s *Space) needed(ctx context.Context, tx *ent.Tx, p *ent.Pkg, name string) error {
	return Holdings{tx.Client(), p}.needed(ctx, s.Type, name)
}

// TagChanges say what becomes of a package's tags when versions go.
type TagChanges struct {
	// Set points tags at versions that stay: tag to normalized version.
	Set map[string]string
	// Remove takes tags away.
	Remove []string
	// IfGeneration, unless 0, is the package's generation on which all this
	// was decided: a package that has changed since is a Conflict.
	IfGeneration int64
}

// DeleteVersions removes published versions, all or none, and with the last
// of them the package. One that is not there is NotFound, one that a version
// that stays needs (Type.References) is a Conflict. Tags on them disappear,
// unless tags, which may be nil, says where to.
func (s *Space) DeleteVersions(ctx context.Context, p *ent.Pkg, normalizedVersions []string, tags *TagChanges) error {
	if tags == nil {
		tags = &TagChanges{}
	}
	if len(normalizedVersions)+len(tags.Set)+len(tags.Remove) == 0 {
		return nil
	}
	return s.remove(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg) error {
		// Locking has raised the generation by one.
		if tags.IfGeneration != 0 && tags.IfGeneration != p.Generation-1 {
			return Errorf(Conflict, "the package has changed meanwhile")
		}
		if err := s.retag(ctx, tx, p, tags); err != nil {
			return err
		}
		return s.dropPublished(ctx, tx, p, normalizedVersions)
	})
}

// dropPublished is DeleteVersions within a transaction. The number of its
// statements does not follow that of the versions, but for what others of the
// package may need.
func (s *Space) dropPublished(ctx context.Context, tx *ent.Tx, p *ent.Pkg, normalizedVersions []string) error {
	for names := range slices.Chunk(normalizedVersions, lookUpAtOnce) {
		if err := s.dropNamed(ctx, tx, p, names); err != nil {
			return err
		}
	}
	for _, version := range normalizedVersions {
		if err := s.needed(ctx, tx, p, version); err != nil {
			return err
		}
	}
	return nil
}

func (s *Space) dropNamed(ctx context.Context, tx *ent.Tx, p *ent.Pkg, names []string) error {
	these := []predicate.PackageVersion{packageversion.PackageID(p.ID), packageversion.NormalizedVersionIn(names...), published}
	there, err := tx.PackageVersion.Query().Where(these...).Select(packageversion.FieldNormalizedVersion).Strings(ctx)
	if err != nil {
		return fmt.Errorf("look up versions: %w", err)
	}
	left := make(map[string]bool, len(there))
	for _, name := range there {
		left[name] = true
	}
	var lines []*ent.EventCreate
	for _, name := range names {
		if !left[name] {
			return Errorf(NotFound, "version not found: %s", name)
		}
		left[name] = false
		line, err := newEvent(tx, s.Viewer, EventVersionDeleted, p.OwnerID, p, map[string]any{"version": name})
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	if err := s.stay(ctx, tx, p, tag.HasVersionWith(packageversion.NormalizedVersionIn(names...))); err != nil {
		return err
	}
	if err := s.bury(ctx, tx, p, in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID, these...)); err != nil {
		return err
	}
	if _, err := s.dropVersions(ctx, tx, p, these...); err != nil {
		return err
	}
	return recordAll(ctx, tx, lines...)
}

// retag carries tag changes out, and records them, within a transaction.
func (s *Space) retag(ctx context.Context, tx *ent.Tx, p *ent.Pkg, tags *TagChanges) error {
	for name, version := range tags.Set {
		v, err := versionNamed(ctx, tx, p.ID, version)
		if err != nil {
			return err
		}
		if err := s.stay(ctx, tx, p, tag.SortKey(byteKey(name)), tag.VersionIDNEQ(v.ID)); err != nil {
			return err
		}
		if err := s.moveTag(ctx, tx, p, name, v, now()); err != nil {
			return err
		}
	}
	for _, name := range tags.Remove {
		if err := s.stay(ctx, tx, p, tag.SortKey(byteKey(name))); err != nil {
			return err
		}
		if _, err := s.takeTags(ctx, tx, p, tag.SortKey(byteKey(name))); err != nil {
			return err
		}
	}
	return nil
}

// DeletePackage removes the package with all that belongs to it.
func (s *Space) DeletePackage(ctx context.Context, p *ent.Pkg) error {
	if err := s.check(access.Delete, p.Visibility); err != nil {
		return err
	}
	return s.reg.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		locked, err := lock(ctx, tx, p)
		if err != nil {
			return err
		}
		if locked == nil {
			return Errorf(NotFound, "package not found")
		}
		if err := s.stay(ctx, tx, locked); err != nil {
			return err
		}
		return s.journaled(ctx, tx, locked, func() error { return s.deletePackage(ctx, tx, locked) })
	})
}

// remove runs f, which deletes parts of the package, in a transaction. A
// package left without any published version goes as well.
func (s *Space) remove(ctx context.Context, p *ent.Pkg, f func(context.Context, *ent.Tx, *ent.Pkg) error) error {
	if err := s.check(access.Delete, p.Visibility); err != nil {
		return err
	}
	return s.reg.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		locked, err := lock(ctx, tx, p)
		if err != nil {
			return err
		}
		if locked == nil {
			return Errorf(NotFound, "package not found")
		}
		return s.journaled(ctx, tx, locked, func() error { return s.removeFrom(ctx, tx, locked, f) })
	})
}

// removeFrom is remove for a package that is locked.
func (s *Space) removeFrom(ctx context.Context, tx *ent.Tx, p *ent.Pkg, f func(context.Context, *ent.Tx, *ent.Pkg) error) error {
	hadVersions := p.VersionCount > 0
	if err := f(ctx, tx, p); err != nil {
		return err
	}
	left, err := tx.PackageVersion.Query().
		Where(packageversion.PackageID(p.ID), published).Exist(ctx)
	if err != nil {
		return err
	}
	if hadVersions && !left {
		return s.deletePackage(ctx, tx, p)
	}
	_, err = s.settle(ctx, tx, p, now())
	return err
}

func (s *Space) deletePackage(ctx context.Context, tx *ent.Tx, p *ent.Pkg) error {
	published := in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID,
		packageversion.PackageID(p.ID), predicate.PackageVersion(published))
	if err := s.bury(ctx, tx, p, published); err != nil {
		return err
	}
	remove := removePackage
	if s.Type.Journal != nil {
		remove = s.keepForJournal
	}
	if err := remove(ctx, tx, p); err != nil {
		return err
	}
	return s.record(ctx, tx, EventPackageDeleted, p, map[string]any{"type": p.Type, "name": p.Name})
}

// removePackage removes the rows of a package and all below it.
func removePackage(ctx context.Context, tx *ent.Tx, p *ent.Pkg) error {
	if _, err := deleteVersions(ctx, tx, p, packageversion.PackageID(p.ID)); err != nil {
		return err
	}
	if _, err := tx.Property.Delete().Where(property.RefTypeEQ(property.RefTypePackage), property.RefID(p.ID)).Exec(ctx); err != nil {
		return fmt.Errorf("delete properties: %w", err)
	}
	if err := tx.Pkg.DeleteOneID(p.ID).Exec(ctx); err != nil {
		return fmt.Errorf("delete package: %w", err)
	}
	return nil
}

// dropVersions is deleteVersions for some versions of a package that stays:
// what they needed may be needed by none now, and their tags are gone.
func (s *Space) dropVersions(ctx context.Context, tx *ent.Tx, p *ent.Pkg, where ...predicate.PackageVersion) (int, error) {
	if err := s.loosen(ctx, tx, p, where...); err != nil {
		return 0, err
	}
	if _, err := s.takeTags(ctx, tx, p, in(tag.FieldVersionID, packageversion.Table, packageversion.FieldID, where...)); err != nil {
		return 0, err
	}
	return deleteVersions(ctx, tx, p, where...)
}

// deleteVersions removes the versions that match, with their files, tags and
// properties, and counts the published ones out of the package.
func deleteVersions(ctx context.Context, tx *ent.Tx, p *ent.Pkg, where ...predicate.PackageVersion) (int, error) {
	var rows []struct {
		ID       int64 `json:"id"`
		Internal bool  `json:"internal"`
	}
	err := tx.PackageVersion.Query().Where(where...).
		Select(packageversion.FieldID, packageversion.FieldInternal).Scan(ctx, &rows)
	if err != nil {
		return 0, fmt.Errorf("list versions: %w", err)
	}
	shown := 0
	const chunk = 500
	for start := 0; start < len(rows); start += chunk {
		var ids []int64
		for _, row := range rows[start:min(start+chunk, len(rows))] {
			ids = append(ids, row.ID)
			if !row.Internal {
				shown++
			}
		}
		if _, err := deleteFiles(ctx, tx, packagefile.VersionIDIn(ids...)); err != nil {
			return 0, err
		}
		if _, err := tx.Tag.Delete().Where(tag.VersionIDIn(ids...)).Exec(ctx); err != nil {
			return 0, fmt.Errorf("delete tags: %w", err)
		}
		if _, err := tx.Property.Delete().Where(property.RefTypeEQ(property.RefTypeVersion), property.RefIDIn(ids...)).Exec(ctx); err != nil {
			return 0, fmt.Errorf("delete properties: %w", err)
		}
		if _, err := tx.PackageVersion.Delete().Where(packageversion.IDIn(ids...)).Exec(ctx); err != nil {
			return 0, fmt.Errorf("delete versions: %w", err)
		}
	}
	if shown == 0 {
		return len(rows), nil
	}
	if err := tx.Pkg.UpdateOneID(p.ID).AddVersionCount(-shown).Exec(ctx); err != nil {
		return 0, fmt.Errorf("count versions: %w", err)
	}
	return len(rows), nil
}

// deleteFiles removes the files that match, from the indexes that list them as
// well, and starts the grace time of contents that nothing names any more.
// Nothing else removes rows of files.
func deleteFiles(ctx context.Context, tx *ent.Tx, where ...predicate.PackageFile) (int, error) {
	ids, err := tx.PackageFile.Query().Where(where...).IDs(ctx)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	blobs, err := blobIDsOf(ctx, tx, where...)
	if err != nil {
		return 0, fmt.Errorf("list blobs: %w", err)
	}
	for start := 0; start < len(ids); start += 1000 {
		chunk := ids[start:min(start+1000, len(ids))]
		if err := unlist(ctx, tx, chunk...); err != nil {
			return 0, err
		}
		if _, err := tx.Property.Delete().Where(property.RefTypeEQ(property.RefTypeFile), property.RefIDIn(chunk...)).Exec(ctx); err != nil {
			return 0, fmt.Errorf("delete properties: %w", err)
		}
		if _, err := tx.PackageFile.Delete().Where(packagefile.IDIn(chunk...)).Exec(ctx); err != nil {
			return 0, fmt.Errorf("delete files: %w", err)
		}
	}
	return len(ids), release(ctx, tx, blobs...)
}
