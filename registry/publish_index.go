package registry

import (
	"context"
	"fmt"

	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
)

// index lists the files in the indexes of their type. It comes after all
// blobs: the roots of indexes are locked behind them.
func (w *publishing) index(ctx context.Context) error {
	l := w.space.reg.lister(w.tx, w.space.Owner, w.done.Package)
	if l == nil || w.done.Version.Internal {
		return nil
	}
	if w.p.Redescribe && !w.done.NewVersion {
		return w.space.reg.relist(ctx, w.tx, w.done.Package.ID, packageversion.ID(w.done.Version.ID))
	}
	for _, f := range w.changed {
		if err := unlist(ctx, w.tx, f.ID); err != nil {
			return err
		}
		if err := l.list(ctx, IndexedFile{File: f, Blob: f.Edges.Blob, Version: w.done.Version, Package: w.done.Package}); err != nil {
			return err
		}
	}
	old, err := l.surplus(ctx, w.changed)
	if err != nil || len(old) == 0 {
		return err
	}
	return w.prune(ctx, old)
}

// prune deletes files of the package that an index does not keep any more, and
// the versions that have no other.
func (w *publishing) prune(ctx context.Context, fileIDs []int64) error {
	ofPackage := in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID, packageversion.PackageID(w.done.Package.ID))
	rows, err := w.tx.PackageFile.Query().Where(packagefile.IDIn(fileIDs...), ofPackage).
		Select(packagefile.FieldID, packagefile.FieldName, packagefile.FieldVersionID).All(ctx)
	if err != nil {
		return fmt.Errorf("look up old files: %w", err)
	}
	if _, err := deleteFiles(ctx, w.tx, packagefile.IDIn(fileIDs...), ofPackage); err != nil {
		return err
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
		if err := w.space.deleteFollowers(ctx, w.tx, row.VersionID); err != nil {
			return err
		}
		left, err := w.tx.PackageFile.Query().Where(packagefile.VersionID(row.VersionID)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("look for files: %w", err)
		}
		if !left {
			if _, err := w.space.dropVersions(ctx, w.tx, w.done.Package, packageversion.ID(row.VersionID)); err != nil {
				return err
			}
		}
	}
	return w.space.record(ctx, w.tx, EventFileDeleted, w.done.Package, map[string]any{"files": names, "expired": true})
}
