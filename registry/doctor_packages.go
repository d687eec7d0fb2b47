package registry

import (
	"context"
	"fmt"

	"entrepot/ent"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
)

// packages compares what the rows of packages tell of their versions with the
// versions.
func (d *diagnosis) packages(ctx context.Context) error {
	last := int64(0)
	for {
		packages, err := d.db.Pkg.Query().Where(pkg.IDGT(last)).
			Order(ent.Asc(pkg.FieldID)).Limit(diagnoseBatch).
			Select(pkg.FieldID, pkg.FieldType, pkg.FieldVersionCount, pkg.FieldLatestID).All(ctx)
		if err != nil {
			return err
		}
		for _, p := range packages {
			last = p.ID
			wrong, err := d.examinePackage(ctx, d.db.PackageVersion, p)
			if err != nil {
				return err
			}
			if wrong == nil {
				continue
			}
			// Perhaps the row and the versions were read on two sides of a
			// publish. No publish is halfway while the package is locked.
			err = d.onPackage(ctx, p.ID, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg) (*Finding, func() error, error) {
				f, err := d.examinePackage(ctx, tx.PackageVersion, p)
				if err != nil || f == nil {
					return nil, nil, err
				}
				f.Subject = packageName(p)
				return f, func() error { return d.resettle(ctx, tx, p) }, nil
			})
			if err != nil {
				return err
			}
		}
		if len(packages) < diagnoseBatch {
			return nil
		}
	}
}

// examinePackage returns what is wrong with the package's row, or nil.
func (d *diagnosis) examinePackage(ctx context.Context, c *ent.PackageVersionClient, p *ent.Pkg) (*Finding, error) {
	count, err := countVersions(ctx, c, p)
	if err != nil {
		return nil, err
	}
	if count != p.VersionCount {
		return &Finding{Kind: WrongCount, Detail: fmt.Sprintf("the row tells %d versions, there are %d", p.VersionCount, count)}, nil
	}
	latest, tagged, err := pickLatest(ctx, c, p.ID)
	if err != nil {
		return nil, err
	}
	want := int64(0)
	if latest != nil {
		want = latest.ID
	}
	switch {
	case latestID(p) != want:
		return &Finding{Kind: WrongLatest, Detail: fmt.Sprintf("the row tells version %d as the latest, it is %d", latestID(p), want)}, nil
	case latest != nil && !tagged && d.types[p.Type].KeepsLatestTag:
		return &Finding{Kind: WrongLatest, Detail: "there is no tag " + Latest}, nil
	}
	return nil, nil
}

func countVersions(ctx context.Context, c *ent.PackageVersionClient, p *ent.Pkg) (int, error) {
	return c.Query().Where(packageversion.PackageID(p.ID), published).Count(ctx)
}

// onPackage is settled with the package locked and its owner loaded. A package
// that is gone has no defects.
func (d *diagnosis) onPackage(ctx context.Context, id int64, examine func(context.Context, *ent.Tx, *ent.Pkg) (*Finding, func() error, error)) error {
	return d.settled(ctx, func(ctx context.Context, tx *ent.Tx) (*Finding, func() error, error) {
		var locked []struct {
			ID int64 `json:"id"`
		}
		if err := tx.Pkg.Query().Where(pkg.ID(id)).Modify(forUpdate()).Select(pkg.FieldID).Scan(ctx, &locked); err != nil {
			return nil, nil, err
		}
		p, err := tx.Pkg.Query().Where(pkg.ID(id)).WithOwner().Only(ctx)
		if err != nil {
			return nil, nil, ent.MaskNotFound(err)
		}
		return examine(ctx, tx, p)
	})
}

// resettle brings the package's row in line with its versions, and raises the
// generation: documents were composed from what was wrong. The package does
// not appear as changed for it.
func (d *diagnosis) resettle(ctx context.Context, tx *ent.Tx, p *ent.Pkg) error {
	count, err := countVersions(ctx, tx.PackageVersion, p)
	if err != nil {
		return err
	}
	if err := tx.Pkg.UpdateOneID(p.ID).SetVersionCount(count).AddGeneration(1).Exec(ctx); err != nil {
		return err
	}
	s := &Space{Type: d.types[p.Type], reg: d.Registry}
	_, err = s.settle(ctx, tx, p, p.UpdatedAt)
	return err
}
