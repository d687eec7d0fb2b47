package registry

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/tag"
)

// Contents are all that the documents of a package are composed of, as they
// were together at one instant.
type Contents struct {
	// Package is the package's row.
	Package *ent.Pkg
	// Latest is the version an install without a version gets.
	Latest *ent.PackageVersion
	// State is what is said of the package as a whole; only types with States
	// have it read.
	State PackageState
	// Tags are the package's tags by name, each with its version.
	Tags []*ent.Tag
	// Versions are the published versions in the order of publishing.
	Versions []VersionFragment
}

// VersionFragment is what a document says of one version.
type VersionFragment struct {
	ID                int64     `sql:"id"`
	Version           string    `sql:"version"`
	NormalizedVersion string    `sql:"normalized_version"`
	Deprecated        bool      `sql:"deprecated"`
	Yanked            bool      `sql:"yanked"`
	StatusReason      string    `sql:"status_reason"`
	CreatedAt         time.Time `sql:"created_at"`
	Downloads         int64     `sql:"downloads"`
	// Fragment is the lead file's. A version with several lead files is
	// listed once for each.
	Fragment []byte `sql:"fragment"`
}

// Contents reads what the documents of a package are composed of, in a number
// of statements that does not depend on the number of versions. A package
// that is gone is NotFound.
func (s *Space) Contents(ctx context.Context, p *ent.Pkg) (*Contents, error) {
	var c Contents
	err := s.reg.db.Snapshot(access.SystemContext(ctx), func(ctx context.Context, client *ent.Client) (err error) {
		if c.Package, err = client.Pkg.Get(ctx, p.ID); ent.IsNotFound(err) {
			return Errorf(NotFound, "package not found")
		}
		if err != nil {
			return fmt.Errorf("read package: %w", err)
		}
		if c.Latest, err = client.PackageVersion.Get(ctx, latestID(c.Package)); ent.IsNotFound(err) {
			return Errorf(NotFound, "package not found")
		}
		if err != nil {
			return fmt.Errorf("read latest version: %w", err)
		}
		if len(s.Type.States) > 0 {
			if c.State, err = (Holdings{client, c.Package}).State(ctx); err != nil {
				return err
			}
		}
		c.Tags, err = client.Tag.Query().Where(tag.PackageID(p.ID)).Order(tag.BySortKey()).
			WithVersion(func(q *ent.PackageVersionQuery) {
				q.Select(packageversion.FieldID, packageversion.FieldVersion)
			}).All(ctx)
		if err != nil {
			return fmt.Errorf("list tags: %w", err)
		}
		c.Versions, err = versionFragments(ctx, client, p, packagefile.FieldFragment)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// VersionStates lists the published versions of a package in the order of
// publishing, without their fragments. The caller got the package from the
// space.
func (s *Space) VersionStates(ctx context.Context, p *ent.Pkg) ([]VersionFragment, error) {
	return versionFragments(access.SystemContext(ctx), s.reg.db.Client, p)
}

// Fragments returns the fragments of the lead files of versions, by the
// versions' ids. The caller got the ids from the space.
func (s *Space) Fragments(ctx context.Context, versionIDs []int64) (map[int64][]byte, error) {
	found := make(map[int64][]byte, len(versionIDs))
	for len(versionIDs) > 0 {
		n := min(lookUpAtOnce, len(versionIDs))
		files, err := s.reg.db.PackageFile.Query().
			Where(packagefile.VersionIDIn(versionIDs[:n]...), packagefile.Lead(true)).
			Select(packagefile.FieldID, packagefile.FieldVersionID, packagefile.FieldFragment).
			All(access.SystemContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("read fragments: %w", err)
		}
		for _, f := range files {
			found[f.VersionID] = f.Fragment
		}
		versionIDs = versionIDs[n:]
	}
	return found, nil
}

// versionFragments reads the versions, joined with those columns of their lead
// files.
func versionFragments(ctx context.Context, client *ent.Client, p *ent.Pkg, fileColumns ...string) ([]VersionFragment, error) {
	var rows []VersionFragment
	err := client.PackageVersion.Query().
		Where(packageversion.PackageID(p.ID), published).
		Order(ent.Asc(packageversion.FieldCreatedAt), ent.Asc(packageversion.FieldID)).
		Modify(func(sel *sql.Selector) {
			sel.Select(sel.Columns(
				packageversion.FieldID, packageversion.FieldVersion, packageversion.FieldNormalizedVersion,
				packageversion.FieldDeprecated, packageversion.FieldYanked, packageversion.FieldStatusReason,
				packageversion.FieldCreatedAt, packageversion.FieldDownloads)...)
			if len(fileColumns) == 0 {
				return
			}
			files := sql.Table(packagefile.Table)
			sel.LeftJoin(files).OnP(sql.And(
				sql.ColumnsEQ(sel.C(packageversion.FieldID), files.C(packagefile.FieldVersionID)),
				sql.EQ(files.C(packagefile.FieldLead), true),
			))
			sel.AppendSelect(files.Columns(fileColumns...)...)
		}).
		Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list versions: %w", err)
	}
	return rows, nil
}
