package registry

import (
	"context"
	"fmt"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/user"
)

// Versions lists the published versions of a package, newest first, with
// their files and blobs.
func (s *Space) Versions(ctx context.Context, p *ent.Pkg, offset, limit int) ([]*ent.PackageVersion, error) {
	return s.reg.db.PackageVersion.Query().
		Where(packageversion.PackageID(p.ID), published).
		Order(ent.Desc(packageversion.FieldCreatedAt), ent.Desc(packageversion.FieldID)).
		Offset(offset).Limit(limit).
		Select(packageversion.FieldID, packageversion.FieldVersion, packageversion.FieldCreatedAt).
		WithFiles(func(q *ent.PackageFileQuery) {
			q.Select(packagefile.FieldID, packagefile.FieldVersionID, packagefile.FieldBlobID, packagefile.FieldName).WithBlob()
		}).
		All(access.SystemContext(ctx))
}

// Latest returns the version an install without a version gets.
func (s *Space) Latest(ctx context.Context, p *ent.Pkg) (*ent.PackageVersion, error) {
	v, err := s.reg.db.PackageVersion.Query().
		Where(packageversion.HasPackageWith(pkg.ID(p.ID)), packageversion.ID(latestID(p))).
		Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, Errorf(NotFound, "the package has no version")
	}
	if err != nil {
		return nil, fmt.Errorf("look up latest version: %w", err)
	}
	return v, nil
}

// Names returns the normalized name of every package of the space that the
// viewer may read and that has a version, in order.
func (s *Space) Names(ctx context.Context) ([]string, error) {
	// The viewer's own eyes: what is hidden is not listed.
	names, err := s.reg.db.Pkg.Query().
		Where(pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name)).
		Order(ent.Asc(pkg.FieldNormalizedName)).
		Select(pkg.FieldNormalizedName).
		Strings(access.NewContext(ctx, s.Viewer))
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	return names, nil
}

// Packages returns those of the packages of these normalized names that the
// viewer may read and that have a version, in the order of the names.
func (s *Space) Packages(ctx context.Context, normalizedNames []string) ([]*ent.Pkg, error) {
	packages, err := s.reg.db.Pkg.Query().
		Where(pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name), pkg.NormalizedNameIn(normalizedNames...)).
		Order(ent.Asc(pkg.FieldNormalizedName)).
		All(access.NewContext(ctx, s.Viewer))
	if err != nil {
		return nil, fmt.Errorf("look up packages: %w", err)
	}
	return packages, nil
}

// All returns every package of the space that the viewer may read and that has
// a version, by name.
func (s *Space) All(ctx context.Context) ([]*ent.Pkg, error) {
	// The viewer's own eyes: what is hidden is not listed.
	packages, err := s.reg.db.Pkg.Query().
		Where(pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name)).
		Order(ent.Asc(pkg.FieldNormalizedName)).
		All(access.NewContext(ctx, s.Viewer))
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	return packages, nil
}

// PackageOrder is an order of packages; those that are equal in it come by
// name.
type PackageOrder int

// The orders.
const (
	// ByName is from A to Z.
	ByName PackageOrder = iota
	// ByUpdate is from the one that changed last.
	ByUpdate
	// ByCreation is from the one that came last.
	ByCreation
	// ByDownloads is from the one with the most.
	ByDownloads
)

// Listed lists the packages of the space that the viewer may read: up to limit
// of them from offset on, with the latest version, and how many there are in
// all.
func (s *Space) Listed(ctx context.Context, order PackageOrder, offset, limit int) (found []*ent.Pkg, total int, err error) {
	q := s.reg.db.Pkg.Query().Where(pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name))
	if s.Type.SkipsYanked {
		q.Where(in(pkg.FieldLatestID, packageversion.Table, packageversion.FieldID, packageversion.Yanked(false)))
	}
	ctx = access.NewContext(ctx, s.Viewer)
	if total, err = q.Clone().Count(ctx); err != nil {
		return nil, 0, fmt.Errorf("count packages: %w", err)
	}
	if limit <= 0 {
		return nil, total, nil // to ent, no limit means all
	}
	switch order {
	case ByUpdate:
		q.Order(ent.Desc(pkg.FieldUpdatedAt))
	case ByCreation:
		q.Order(ent.Desc(pkg.FieldCreatedAt))
	case ByDownloads:
		q.Order(ent.Desc(pkg.FieldDownloads))
	}
	found, err = q.Order(ent.Asc(pkg.FieldNormalizedName)).Offset(offset).Limit(limit).WithLatest().All(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("list packages: %w", err)
	}
	return found, total, nil
}

func latestID(p *ent.Pkg) int64 {
	if p.LatestID == nil {
		return 0
	}
	return *p.LatestID
}

// Files lists the files of a version by name, with their blobs.
func (s *Space) Files(ctx context.Context, v *ent.PackageVersion, offset, limit int) ([]*ent.PackageFile, error) {
	return s.reg.db.PackageFile.Query().
		Where(packagefile.VersionID(v.ID)).
		Order(ent.Asc(packagefile.FieldName), ent.Asc(packagefile.FieldID)).
		Offset(offset).Limit(limit).
		WithBlob().
		All(access.SystemContext(ctx))
}

// Creator returns the login name of who published the version, as far as the
// viewer may know, else "".
func (s *Space) Creator(ctx context.Context, v *ent.PackageVersion) (string, error) {
	if v.CreatorID == nil {
		return "", nil
	}
	u, err := s.reg.db.User.Query().Where(user.ID(*v.CreatorID)).Only(access.NewContext(ctx, s.Viewer))
	if ent.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up creator: %w", err)
	}
	return u.Login, nil
}
