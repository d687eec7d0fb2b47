package registry

import (
	"context"
	"fmt"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
)

// Expiry is an owner's rule for files that go by themselves: old builds of a
// version that is built again and again. It is applied when something is
// published to such a version, in the same transaction, and by the collector,
// for what only time makes old.
type Expiry struct {
	// Concerns tells whether files of the version ever expire.
	Concerns func(normalizedVersion string) bool
	// Files picks those that have had their time. It must leave at least one.
	Files func(files []FileState, at time.Time) []FileState
}

// FileState is a file as lists and documents know it.
type FileState struct {
	ID           int64
	Name         string
	CompositeKey string
	Fragment     []byte
	// CreatedAt is the instant of its first upload.
	CreatedAt time.Time
}

// FileStates lists the files of a version by name. A version that is not
// there has none. The caller got the package from the space.
func (s *Space) FileStates(ctx context.Context, p *ent.Pkg, normalizedVersion string) ([]FileState, error) {
	return fileStates(access.SystemContext(ctx), s.reg.db.PackageFile, ofVersion(p.ID, normalizedVersion))
}

// FileStates is Space.FileStates.
func (h Holdings) FileStates(ctx context.Context, normalizedVersion string) ([]FileState, error) {
	return fileStates(access.SystemContext(ctx), h.client.PackageFile, ofVersion(h.pkg.ID, normalizedVersion))
}

func fileStates(ctx context.Context, c *ent.PackageFileClient, where ...predicate.PackageFile) ([]FileState, error) {
	rows, err := c.Query().
		Where(where...).
		Order(ent.Asc(packagefile.FieldName), ent.Asc(packagefile.FieldID)).
		Select(packagefile.FieldID, packagefile.FieldName, packagefile.FieldCompositeKey, packagefile.FieldFragment, packagefile.FieldCreatedAt).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	files := make([]FileState, len(rows))
	for i, f := range rows {
		files[i] = FileState{f.ID, f.Name, f.CompositeKey, f.Fragment, f.CreatedAt}
	}
	return files, nil
}

// expiry is the rule for files of the type under an owner, or nil.
func (r *Registry) expiry(typ string, o *ent.Owner) *Expiry {
	if rule := r.types[typ].Expiry; rule != nil {
		return rule(o.Settings)
	}
	return nil
}

// expire removes what the publication has made old.
func (w *publishing) expire(ctx context.Context) error {
	if w.p.Unfinished {
		return nil
	}
	rule := w.space.reg.expiry(w.space.Type.Name, w.space.Owner)
	if rule == nil || !rule.Concerns(w.p.NormalizedVersion) {
		return nil
	}
	_, err := rule.remove(ctx, w.tx, w.space.Viewer, w.space.Owner.ID, w.done.Package, w.done.Version.ID, w.at)
	return err
}

// remove carries the rule out on one version of a locked package.
func (e *Expiry) remove(ctx context.Context, tx *ent.Tx, v access.Viewer, ownerID int64, p *ent.Pkg, versionID int64, at time.Time) (int, error) {
	files, err := fileStates(ctx, tx.PackageFile, packagefile.VersionID(versionID))
	if err != nil {
		return 0, err
	}
	old := e.Files(files, at)
	if len(old) == 0 || len(old) == len(files) {
		return 0, nil
	}
	ids, names := make([]int64, len(old)), make([]string, len(old))
	for i, f := range old {
		ids[i], names[i] = f.ID, f.Name
	}
	if _, err := deleteFiles(ctx, tx, packagefile.IDIn(ids...)); err != nil {
		return 0, err
	}
	details := map[string]any{"files": names, "version_id": versionID, "expired": true}
	return len(old), record(ctx, tx, v, EventFileDeleted, ownerID, p, details)
}

// removeExpired carries the rules of all owners out. Its cost follows the
// versions of the types and owners that have such a rule.
func (c *collection) removeExpired(ctx context.Context) error {
	for _, name := range c.typeOrder {
		if c.types[name].Expiry == nil {
			continue
		}
		owners, err := c.db.Owner.Query().All(ctx)
		if err != nil {
			return fmt.Errorf("list owners: %w", err)
		}
		for _, o := range owners {
			rule := c.expiry(name, o)
			if rule == nil {
				continue
			}
			if err := c.removeExpiredOf(ctx, o, name, rule); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *collection) removeExpiredOf(ctx context.Context, o *ent.Owner, typ string, rule *Expiry) error {
	packages := in(packageversion.FieldPackageID, pkg.Table, pkg.FieldID, pkg.OwnerID(o.ID), pkg.Type(typ))
	for last := int64(0); ; {
		versions, err := c.db.PackageVersion.Query().
			Where(packages, packageversion.IDGT(last)).
			Order(ent.Asc(packageversion.FieldID)).
			Limit(collectBatch).
			Select(packageversion.FieldID, packageversion.FieldPackageID, packageversion.FieldNormalizedVersion).
			All(ctx)
		if err != nil {
			return fmt.Errorf("list versions: %w", err)
		}
		for _, v := range versions {
			last = v.ID
			if !rule.Concerns(v.NormalizedVersion) {
				continue
			}
			if err := c.removeExpiredFrom(ctx, o, v, rule); err != nil {
				return err
			}
		}
		if len(versions) < collectBatch {
			return nil
		}
	}
}

// removeExpiredFrom looks before it locks: most of the time nothing is old.
func (c *collection) removeExpiredFrom(ctx context.Context, o *ent.Owner, v *ent.PackageVersion, rule *Expiry) error {
	files, err := fileStates(ctx, c.db.PackageFile, packagefile.VersionID(v.ID))
	if err != nil || len(rule.Files(files, c.at)) == 0 {
		return err
	}
	removed := 0
	err = c.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		removed = 0
		p, err := tx.Pkg.Get(ctx, v.PackageID)
		if ent.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look up package: %w", err)
		}
		if p, err = lock(ctx, tx, p); err != nil || p == nil {
			return err
		}
		removed, err = rule.remove(ctx, tx, access.SystemViewer(), o.ID, p, v.ID, c.at)
		return err
	})
	c.done.Expired += removed
	return err
}
