package registry

import (
	"context"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
)

// lookUpAtOnce bounds the names of one query; databases bound the parameters
// of a statement.
const lookUpAtOnce = 1000

// Holdings is what a package holds at one moment: within the transaction of a
// publication, or just so.
type Holdings struct {
	client *ent.Client
	pkg    *ent.Pkg
}

// Holdings is what the package, which the caller got from the space, holds
// now.
func (s *Space) Holdings(p *ent.Pkg) Holdings { return Holdings{s.reg.db.Client, p} }

// Holdings is what the package, which the caller may read, holds now.
func (r *Registry) Holdings(p *ent.Pkg) Holdings { return Holdings{r.db.Client, p} }

// Name is the package's, as it was first published.
func (h Holdings) Name() string { return h.pkg.Name }

// Sizes returns the sizes in bytes, by normalized name, of those of the named
// files that a version has. The version may be internal.
func (h Holdings) Sizes(ctx context.Context, normalizedVersion string, names []string) (map[string]int64, error) {
	sizes := make(map[string]int64, len(names))
	for len(names) > 0 {
		n := min(lookUpAtOnce, len(names))
		files, err := h.client.PackageFile.Query().
			Where(
				packagefile.NormalizedNameIn(names[:n]...),
				ofVersion(h.pkg.ID, normalizedVersion),
			).
			Select(packagefile.FieldBlobID, packagefile.FieldNormalizedName).
			WithBlob(func(q *ent.PackageBlobQuery) { q.Select(packageblob.FieldSize) }).
			All(access.SystemContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("look up files: %w", err)
		}
		for _, f := range files {
			sizes[f.NormalizedName] = f.Edges.Blob.Size
		}
		names = names[n:]
	}
	return sizes, nil
}

// Fragment returns the fragment of a file, nil when there is no such file. The
// version may be internal.
func (h Holdings) Fragment(ctx context.Context, normalizedVersion, normalizedName string) ([]byte, error) {
	f, err := h.client.PackageFile.Query().
		Where(packagefile.NormalizedName(normalizedName), ofVersion(h.pkg.ID, normalizedVersion)).
		Select(packagefile.FieldFragment).
		First(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up file: %w", err)
	}
	return f.Fragment, nil
}

// Versions returns those of the named versions that are published, by
// normalized version, without their readme.
func (h Holdings) Versions(ctx context.Context, normalizedVersions []string) (map[string]*ent.PackageVersion, error) {
	found := make(map[string]*ent.PackageVersion, len(normalizedVersions))
	for names := normalizedVersions; len(names) > 0; {
		n := min(lookUpAtOnce, len(names))
		versions, err := h.client.PackageVersion.Query().
			Where(packageversion.PackageID(h.pkg.ID), packageversion.NormalizedVersionIn(names[:n]...), published).
			Select(packageversion.FieldID, packageversion.FieldPackageID, packageversion.FieldVersion, packageversion.FieldNormalizedVersion,
				packageversion.FieldMetadata, packageversion.FieldSummary, packageversion.FieldLicense, packageversion.FieldHomepage,
				packageversion.FieldRepositoryURL, packageversion.FieldAuthors, packageversion.FieldKeywords).
			All(access.SystemContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("look up versions: %w", err)
		}
		for _, v := range versions {
			found[v.NormalizedVersion] = v
		}
		names = names[n:]
	}
	return found, nil
}

// Referring is a file of a version that refers to another.
type Referring struct {
	// VersionID is the version's number.
	VersionID int64
	Fragment  []byte
}

// Referring lists the files of that name of the published versions that have
// all of the properties, in the order of their versions' numbers; at most limit
// of them, from after the version with the number.
func (h Holdings) Referring(ctx context.Context, with []Property, normalizedFile string, after int64, limit int) ([]Referring, error) {
	versions := []predicate.PackageVersion{ofPackage(h.pkg.ID), published}
	for _, p := range with {
		versions = append(versions, hasProperty([]string{p.Name}, p.Value))
	}
	files, err := h.client.PackageFile.Query().
		Where(
			packagefile.NormalizedName(normalizedFile), entsql.FieldGT(packagefile.FieldVersionID, after),
			in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID, versions...),
		).
		Order(ent.Asc(packagefile.FieldVersionID)).
		Limit(limit).
		Select(packagefile.FieldVersionID, packagefile.FieldFragment).
		All(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("look up references: %w", err)
	}
	all := make([]Referring, len(files))
	for i, f := range files {
		all[i] = Referring{f.VersionID, f.Fragment}
	}
	return all, nil
}

// VersionWithFile returns the normalized version of the package that has a file
// with the property, "" if there is none; of several, the oldest.
func (h Holdings) VersionWithFile(ctx context.Context, p Property) (string, error) {
	files := in(packagefile.FieldID, property.Table, property.FieldRefID,
		property.Name(p.Name), property.Value(p.Value), property.RefTypeEQ(property.RefTypeFile))
	var versions []string
	err := h.client.PackageVersion.Query().
		Where(ofPackage(h.pkg.ID), in(packageversion.FieldID, packagefile.Table, packagefile.FieldVersionID, files)).
		Order(ent.Asc(packageversion.FieldID)).
		Limit(1).
		Select(packageversion.FieldNormalizedVersion).
		Scan(access.SystemContext(ctx), &versions)
	if err != nil {
		return "", fmt.Errorf("look up the version of a file: %w", err)
	}
	if len(versions) == 0 {
		return "", nil
	}
	return versions[0], nil
}

// needed is a Conflict when a version of the package says, by one of the
// properties the type refers with, that it needs the version or file of that
// name.
func (h Holdings) needed(ctx context.Context, t Type, name string) error {
	if len(t.References) == 0 {
		return nil
	}
	by, err := h.client.PackageVersion.Query().
		Where(ofPackage(h.pkg.ID), hasProperty(t.References, name)).
		Select(packageversion.FieldVersion).
		First(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up references: %w", err)
	}
	return Errorf(Conflict, "%s is part of %s, which has to be deleted first", name, by.Version)
}

// hasProperty finds versions by a property of one of the names with the value.
func hasProperty(names []string, value string) predicate.PackageVersion {
	return func(s *entsql.Selector) {
		s.Where(entsql.In(s.C(packageversion.FieldID), withProperty(names, value)))
	}
}
