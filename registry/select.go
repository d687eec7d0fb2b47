package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
)

// Selection says which packages, and which versions of them, are wanted. It is
// for ecosystems whose clients say with each search what versions they can do
// with; Search goes by the latest version alone. The zero value wants all.
type Selection struct {
	// Words must all be in the package's name, summary or keywords, or in
	// what Type.SearchWords adds, in any case.
	Words []string
	// InName must be in the normalized name.
	InName string
	// Names, if not nil, are the only normalized names wanted.
	Names []string
	// First is a normalized name: the package of that name comes first, then
	// those whose name begins so.
	First string

	// Stable leaves prereleases out, Listed yanked versions.
	Stable, Listed bool
	// With is a property that versions must have, Without one they must not
	// have, whatever its value; "" asks for none.
	With    Property
	Without string
}

// SelectPackages finds the packages of the space that the viewer may read and
// that have a version that is wanted. It returns up to limit of them from
// offset on and how many there are in all; by name, if the selection says
// nothing else.
func (s *Space) SelectPackages(ctx context.Context, sel Selection, offset, limit int) (found []*ent.Pkg, total int, err error) {
	where, possible := s.wantedPackages(sel)
	if !possible {
		return nil, 0, nil
	}
	where = append(where, hasVersion(sel))
	// The viewer's own eyes: what is hidden is neither listed nor counted.
	ctx = access.NewContext(ctx, s.Viewer)
	if total, err = s.reg.db.Pkg.Query().Where(where...).Count(ctx); err != nil {
		return nil, 0, fmt.Errorf("count packages: %w", err)
	}
	if limit <= 0 || offset >= total {
		return nil, total, nil // to ent, no limit means all
	}
	found, err = s.reg.db.Pkg.Query().Where(where...).
		Order(nearest(sel.First), pkg.OrderOption(ent.Asc(pkg.FieldNormalizedName))).
		Offset(offset).Limit(limit).
		All(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("select packages: %w", err)
	}
	return found, total, nil
}

// VersionRow is what lists over many packages need of a version.
type VersionRow struct {
	ID                int64     `sql:"id"`
	PackageID         int64     `sql:"package_id"`
	Name              string    `sql:"name"`
	PackageDownloads  int64     `sql:"package_downloads"`
	Version           string    `sql:"version"`
	NormalizedVersion string    `sql:"normalized_version"`
	Prerelease        bool      `sql:"prerelease"`
	Yanked            bool      `sql:"yanked"`
	Downloads         int64     `sql:"downloads"`
	CreatedAt         time.Time `sql:"created_at"`
	// Metadata is the type's own, in JSON, when it was asked for.
	Metadata []byte `sql:"metadata"`
}

// SelectVersions lists the wanted versions of the wanted packages that the
// viewer may read, in one statement, by the packages' names and the versions'
// order. metadata asks for the type's own as well.
func (s *Space) SelectVersions(ctx context.Context, sel Selection, metadata bool) ([]VersionRow, error) {
	packages, possible := s.wantedPackages(sel)
	if !possible {
		return nil, nil
	}
	var rows []VersionRow
	err := s.reg.db.PackageVersion.Query().
		Where(in(packageversion.FieldPackageID, pkg.Table, pkg.FieldID, packages...), published).
		Where(wantedVersions(sel)...).
		Modify(func(q *entsql.Selector) {
			q.Select(q.Columns(
				packageversion.FieldID, packageversion.FieldPackageID, packageversion.FieldVersion, packageversion.FieldNormalizedVersion,
				packageversion.FieldPrerelease, packageversion.FieldYanked, packageversion.FieldDownloads, packageversion.FieldCreatedAt)...)
			if metadata {
				q.AppendSelect(q.C(packageversion.FieldMetadata))
			}
			p := entsql.Table(pkg.Table).As("p")
			q.Join(p).On(q.C(packageversion.FieldPackageID), p.C(pkg.FieldID))
			q.AppendSelect(p.C(pkg.FieldName)).AppendSelectAs(p.C(pkg.FieldDownloads), "package_downloads")
			q.OrderBy(p.C(pkg.FieldNormalizedName), q.C(packageversion.FieldSortKey), q.C(packageversion.FieldID))
		}).
		Scan(access.NewContext(ctx, s.Viewer), &rows) // the viewer's own eyes
	if err != nil {
		return nil, fmt.Errorf("select versions: %w", err)
	}
	return rows, nil
}

// Described returns versions by their ids, with their packages and their lead
// files with blobs. The caller got the ids from the space.
func (s *Space) Described(ctx context.Context, ids []int64) (map[int64]*ent.PackageVersion, error) {
	found := make(map[int64]*ent.PackageVersion, len(ids))
	for len(ids) > 0 {
		n := min(lookUpAtOnce, len(ids))
		versions, err := s.reg.db.PackageVersion.Query().
			Where(packageversion.IDIn(ids[:n]...)).
			WithPackage().
			WithFiles(func(q *ent.PackageFileQuery) { q.Where(packagefile.Lead(true)).WithBlob() }).
			All(access.SystemContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("describe versions: %w", err)
		}
		for _, v := range versions {
			found[v.ID] = v
		}
		ids = ids[n:]
	}
	return found, nil
}

// NamedFileWith returns a file of that normalized name that has the property, of
// any package of the space that the viewer may read, with its blob and its
// version. Without one it answers like Package.
func (s *Space) NamedFileWith(ctx context.Context, normalizedName string, p Property) (*ent.PackageFile, error) {
	if storableText(normalizedName) && storableText(p.Value) {
		ofSpace := packagefile.HasVersionWith(packageversion.HasPackageWith(pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name)))
		f, err := s.reg.db.PackageFile.Query().
			Where(
				in(packagefile.FieldID, property.Table, property.FieldRefID,
					property.Name(p.Name), property.Value(p.Value), property.RefTypeEQ(property.RefTypeFile)),
				packagefile.NormalizedName(normalizedName), ofSpace,
			).
			Order(ent.Asc(packagefile.FieldID)).
			WithBlob().WithVersion().
			First(access.NewContext(ctx, s.Viewer)) // the viewer's own eyes
		if err == nil || !ent.IsNotFound(err) {
			return f, err
		}
	}
	return nil, s.missing(ctx, "file")
}

// wantedPackages are the conditions on packages; possible is false when no
// package can meet them.
func (s *Space) wantedPackages(sel Selection) (where []predicate.Pkg, possible bool) {
	where = []predicate.Pkg{pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name)}
	for _, word := range append([]string{sel.InName}, sel.Words...) {
		if !storableText(word) {
			return nil, false
		}
	}
	for _, word := range sel.Words {
		where = append(where, pkg.SearchTextContains(strings.ToLower(word)))
	}
	if sel.InName != "" {
		where = append(where, pkg.NormalizedNameContains(sel.InName))
	}
	if sel.Names != nil {
		for _, name := range sel.Names {
			if !storableText(name) {
				return nil, false
			}
		}
		where = append(where, pkg.NormalizedNameIn(sel.Names...))
	}
	return where, true
}

// wantedVersions are the conditions on versions.
func wantedVersions(sel Selection) []predicate.PackageVersion {
	var where []predicate.PackageVersion
	if sel.Stable {
		where = append(where, is(packageversion.FieldPrerelease, false))
	}
	if sel.Listed {
		where = append(where, is(packageversion.FieldYanked, false))
	}
	if sel.With.Name != "" {
		where = append(where, versionProperty(sel.With.Name, &sel.With.Value, true))
	}
	if sel.Without != "" {
		where = append(where, versionProperty(sel.Without, nil, false))
	}
	return where
}

// hasVersion matches packages that have a wanted version. It asks for each
// package, which are few compared to the versions there are in all.
func hasVersion(sel Selection) predicate.Pkg {
	return func(q *entsql.Selector) {
		v := entsql.Dialect(q.Dialect()).Table(packageversion.Table).As("wanted")
		some := entsql.Dialect(q.Dialect()).Select(v.C(packageversion.FieldID)).From(v).
			Where(entsql.ColumnsEQ(v.C(packageversion.FieldPackageID), q.C(pkg.FieldID)))
		published(some)
		for _, p := range wantedVersions(sel) {
			p(some)
		}
		q.Where(entsql.Exists(some))
	}
}

// versionProperty matches versions that have a property, or have it not.
func versionProperty(name string, value *string, has bool) predicate.PackageVersion {
	return func(q *entsql.Selector) {
		p := entsql.Dialect(q.Dialect()).Table(property.Table).As("noted")
		some := entsql.Dialect(q.Dialect()).Select(p.C(property.FieldID)).From(p).Where(entsql.And(
			entsql.EQ(p.C(property.FieldRefType), string(property.RefTypeVersion)),
			entsql.ColumnsEQ(p.C(property.FieldRefID), q.C(packageversion.FieldID)),
			entsql.EQ(p.C(property.FieldName), name),
		))
		if value != nil {
			some.Where(entsql.EQ(p.C(property.FieldValue), *value))
		}
		if has {
			q.Where(entsql.Exists(some))
		} else {
			q.Where(entsql.Not(entsql.Exists(some)))
		}
	}
}

// nearest puts the package of the name first, and then those whose name begins
// so.
func nearest(name string) pkg.OrderOption {
	return func(q *entsql.Selector) {
		if name == "" || !storableText(name) {
			return
		}
		q.OrderExpr(entsql.ExprFunc(func(b *entsql.Builder) {
			column := q.C(pkg.FieldNormalizedName)
			b.WriteString("CASE WHEN ").Ident(column).WriteString(" = ").Arg(name)
			b.WriteString(" THEN 0 WHEN substr(").Ident(column).WriteString(", 1, ").Arg(len([]rune(name)))
			if q.Dialect() == dialect.Postgres {
				b.WriteString("::int")
			}
			b.WriteString(") = ").Arg(name).WriteString(" THEN 1 ELSE 2 END")
		}))
	}
}
