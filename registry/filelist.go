package registry

import (
	"context"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/property"
)

// Some types keep in one version what their clients ask for in parts:
// revisions, builds. A list of files is a property of theirs: its name is the
// list's, its value the file's place in it. The index on both makes reading
// the beginning of a list cost the same however long it is, and a file that
// goes leaves its lists by itself.

// ListedFile is a file as a list has it.
type ListedFile struct {
	// List and Place are the name and the value of the property.
	List  string `sql:"list"`
	Place string `sql:"place"`
	// FileID is the file's, and also where it stands among those of the same
	// place.
	FileID         int64  `sql:"file_id"`
	VersionID      int64  `sql:"version_id"`
	Name           string `sql:"name"`
	NormalizedName string `sql:"normalized_name"`
	CompositeKey   string `sql:"composite_key"`
}

// PackageID is the package's, for names of lists that no other package has.
func (h Holdings) PackageID() int64 { return h.pkg.ID }

// Listed returns the files of a list, the one with the highest place first, at
// most limit of them; 0 returns all.
func (h Holdings) Listed(ctx context.Context, list string, limit int) ([]ListedFile, error) {
	var rows []ListedFile
	err := h.client.Property.Query().
		Where(property.Name(list), property.RefTypeEQ(property.RefTypeFile)).
		Modify(func(s *entsql.Selector) {
			files := entsql.Table(packagefile.Table)
			s.Select(entsql.As(s.C(property.FieldName), "list"), entsql.As(s.C(property.FieldValue), "place")).
				Join(files).On(s.C(property.FieldRefID), files.C(packagefile.FieldID)).
				AppendSelect(entsql.As(files.C(packagefile.FieldID), "file_id")).
				AppendSelect(files.Columns(packagefile.FieldVersionID, packagefile.FieldName,
					packagefile.FieldNormalizedName, packagefile.FieldCompositeKey)...).
				OrderBy(entsql.Desc(s.C(property.FieldValue)), entsql.Desc(s.C(property.FieldID)))
			if limit > 0 {
				s.Limit(limit)
			}
		}).
		Scan(access.SystemContext(ctx), &rows)
	if err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	return rows, nil
}

// ListedBlobs returns the contents of the files of a list, by the files'
// normalized names.
func (h Holdings) ListedBlobs(ctx context.Context, list string) (map[string]*ent.PackageBlob, error) {
	files, err := h.client.PackageFile.Query().
		Where(in(packagefile.FieldID, property.Table, property.FieldRefID,
			property.Name(list), property.RefTypeEQ(property.RefTypeFile))).
		WithBlob().
		All(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	blobs := make(map[string]*ent.PackageBlob, len(files))
	for _, f := range files {
		blobs[f.NormalizedName] = f.Edges.Blob
	}
	return blobs, nil
}

// Fragments returns the fragments of a version's files of that name, by their
// composite keys, as far as the files are there.
func (h Holdings) Fragments(ctx context.Context, normalizedVersion, normalizedName string, compositeKeys []string) (map[string][]byte, error) {
	found := make(map[string][]byte, len(compositeKeys))
	for keys := range slices.Chunk(compositeKeys, lookUpAtOnce) {
		files, err := h.client.PackageFile.Query().
			Where(ofVersion(h.pkg.ID, normalizedVersion), packagefile.NormalizedName(normalizedName), packagefile.CompositeKeyIn(keys...)).
			Select(packagefile.FieldCompositeKey, packagefile.FieldFragment).
			All(access.SystemContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("read fragments: %w", err)
		}
		for _, f := range files {
			found[f.CompositeKey] = f.Fragment
		}
	}
	return found, nil
}

// StoredSize is how many bytes the files of a version that pick chooses have,
// each file counted by itself.
func (h Holdings) StoredSize(ctx context.Context, normalizedVersion string, pick func(FileKey) bool) (int64, error) {
	var rows []struct {
		FileKey
		Size int64 `sql:"size"`
	}
	err := h.client.PackageFile.Query().Where(ofVersion(h.pkg.ID, normalizedVersion)).
		Modify(func(s *entsql.Selector) {
			blobs := entsql.Table(packageblob.Table)
			s.Select(s.Columns(fileKeyColumns...)...).
				Join(blobs).On(s.C(packagefile.FieldBlobID), blobs.C(packageblob.FieldID)).
				AppendSelect(blobs.C(packageblob.FieldSize))
		}).
		Scan(access.SystemContext(ctx), &rows)
	if err != nil {
		return 0, fmt.Errorf("measure files: %w", err)
	}
	var total int64
	for _, row := range rows {
		if pick(row.FileKey) {
			total += row.Size
		}
	}
	return total, nil
}

// Places returns the different places of a list, of the files of any package,
// in no order. Who may know of them, the caller decides.
func (s *Space) Places(ctx context.Context, list string) ([]string, error) {
	places, err := s.reg.db.Property.Query().
		Where(property.Name(list), property.RefTypeEQ(property.RefTypeFile)).
		Unique(true).
		Select(property.FieldValue).
		Strings(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	return places, nil
}

// FileKey names a file of a version.
type FileKey struct {
	ID             int64  `sql:"id"`
	Name           string `sql:"name"`
	NormalizedName string `sql:"normalized_name"`
	CompositeKey   string `sql:"composite_key"`
}

var fileKeyColumns = []string{packagefile.FieldID, packagefile.FieldName, packagefile.FieldNormalizedName, packagefile.FieldCompositeKey}

// FileKeys lists the files of a version. A version that is not there has none.
func (h Holdings) FileKeys(ctx context.Context, normalizedVersion string) ([]FileKey, error) {
	var keys []FileKey
	err := h.client.PackageFile.Query().Where(ofVersion(h.pkg.ID, normalizedVersion)).
		Order(ent.Asc(packagefile.FieldID)).
		Select(fileKeyColumns...).
		Scan(access.SystemContext(ctx), &keys)
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	return keys, nil
}

// DeleteFiles removes the files of a published version that pick chooses, all
// of them or none. The last file takes the version along, the last version the
// package. Error: NotFound when pick chooses none.
func (s *Space) DeleteFiles(ctx context.Context, p *ent.Pkg, normalizedVersion string, pick func(FileKey) bool) error {
	return s.remove(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg) error {
		keys, err := Holdings{tx.Client(), p}.FileKeys(ctx, normalizedVersion)
		if err != nil {
			return err
		}
		var gone []int64
		var names []string
		for _, key := range keys {
			if pick(key) {
				gone, names = append(gone, key.ID), append(names, key.Name)
			}
		}
		if len(gone) == 0 {
			return Errorf(NotFound, "file not found")
		}
		// The event says which, or, of very many, some.
		details := map[string]any{"version": normalizedVersion, "files": names[:min(len(names), lookUpAtOnce)], "count": len(names)}
		if len(gone) == len(keys) {
			if _, err := s.dropVersions(ctx, tx, p, packageversion.PackageID(p.ID), packageversion.NormalizedVersion(normalizedVersion)); err != nil {
				return err
			}
			return s.record(ctx, tx, EventVersionDeleted, p, details)
		}
		for ids := range slices.Chunk(gone, lookUpAtOnce) {
			if _, err := deleteFiles(ctx, tx, packagefile.IDIn(ids...)); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, EventFileDeleted, p, details)
	})
}
