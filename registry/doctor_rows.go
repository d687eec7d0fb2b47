package registry

import (
	"context"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
	"entrepot/ent/tag"
)

// marks looks for live contents that wait for the collector though files name
// them, and for others that none names and that the collector will never see.
func (d *diagnosis) marks(ctx context.Context) error {
	for _, wrong := range []struct {
		where  predicate.PackageBlob
		detail string
		fix    func(*ent.PackageBlobUpdateOne) *ent.PackageBlobUpdateOne
	}{
		{
			packageblob.And(packageblob.HasFiles(), packageblob.UnreferencedAtNotNil()),
			"files name the content, and it is marked as named by none",
			(*ent.PackageBlobUpdateOne).ClearUnreferencedAt,
		},
		{
			packageblob.And(packageblob.Not(packageblob.HasFiles()), packageblob.UnreferencedAtIsNil()),
			"no file names the content, and it is not marked for removal",
			func(u *ent.PackageBlobUpdateOne) *ent.PackageBlobUpdateOne { return u.SetUnreferencedAt(d.at) },
		},
	} {
		where := packageblob.And(packageblob.StateEQ(packageblob.StateLive), wrong.where)
		last := int64(0)
		for {
			ids, err := d.db.PackageBlob.Query().Where(where, packageblob.IDGT(last)).
				Order(ent.Asc(packageblob.FieldID)).Limit(diagnoseBatch).IDs(ctx)
			if err != nil {
				return err
			}
			for _, id := range ids {
				last = id
				err := d.settled(ctx, func(ctx context.Context, tx *ent.Tx) (*Finding, func() error, error) {
					if err := lockBlobs(ctx, tx, []int64{id}); err != nil {
						return nil, nil, err
					}
					b, err := tx.PackageBlob.Query().Where(where, packageblob.ID(id)).Only(ctx)
					if err != nil {
						return nil, nil, ent.MaskNotFound(err)
					}
					return &Finding{Kind: WrongMark, Subject: contentName(b), Detail: wrong.detail}, func() error {
						return wrong.fix(tx.PackageBlob.UpdateOneID(id)).Exec(ctx)
					}, nil
				})
				if err != nil {
					return err
				}
			}
			if len(ids) < diagnoseBatch {
				break
			}
		}
	}
	return nil
}

// tags looks for tags on versions of other packages. One statement sees a tag
// together with its version; what it finds is looked at again all the same,
// with the package locked.
func (d *diagnosis) tags(ctx context.Context) error {
	stray := func(s *entsql.Selector) {
		v := entsql.Table(packageversion.Table)
		s.Where(entsql.NotExists(entsql.Select(v.C(packageversion.FieldID)).From(v).Where(entsql.And(
			entsql.ColumnsEQ(v.C(packageversion.FieldID), s.C(tag.FieldVersionID)),
			entsql.ColumnsEQ(v.C(packageversion.FieldPackageID), s.C(tag.FieldPackageID)),
		))))
	}
	last := int64(0)
	for {
		tags, err := d.db.Tag.Query().Where(stray, tag.IDGT(last)).
			Order(ent.Asc(tag.FieldID)).Limit(diagnoseBatch).WithPackage().All(ctx)
		if err != nil {
			return err
		}
		for _, t := range tags {
			last = t.ID
			if t.Edges.Package == nil { // deleted between the statements
				continue
			}
			err := d.onPackage(ctx, t.PackageID, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg) (*Finding, func() error, error) {
				t, err := tx.Tag.Query().Where(stray, tag.ID(t.ID)).Only(ctx)
				if err != nil {
					return nil, nil, ent.MaskNotFound(err)
				}
				f := &Finding{Kind: StrayTag, Subject: packageName(p), Detail: fmt.Sprintf("the tag %s names a version of another package", t.Name)}
				return f, func() error {
					if err := tx.Tag.DeleteOneID(t.ID).Exec(ctx); err != nil {
						return err
					}
					f.Detail += "; it was removed"
					return d.resettle(ctx, tx, p)
				}, nil
			})
			if err != nil {
				return err
			}
		}
		if len(tags) < diagnoseBatch {
			return nil
		}
	}
}

// properties looks for properties of rows that are gone. A row and its
// properties come and go in one transaction, and one statement sees both.
func (d *diagnosis) properties(ctx context.Context) error {
	for _, ref := range []struct {
		kind  property.RefType
		table string
	}{
		{property.RefTypePackage, pkg.Table},
		{property.RefTypeVersion, packageversion.Table},
		{property.RefTypeFile, packagefile.Table},
	} {
		stray := func(s *entsql.Selector) {
			t := entsql.Table(ref.table)
			s.Where(entsql.And(
				entsql.EQ(s.C(property.FieldRefType), ref.kind),
				entsql.NotExists(entsql.Select(t.C("id")).From(t).Where(entsql.ColumnsEQ(t.C("id"), s.C(property.FieldRefID)))),
			))
		}
		last := int64(0)
		for {
			rows, err := d.db.Property.Query().Where(stray, property.IDGT(last)).
				Order(ent.Asc(property.FieldID)).Limit(diagnoseBatch).All(ctx)
			if err != nil {
				return err
			}
			for _, p := range rows {
				last = p.ID
				f := Finding{
					Kind: StrayProperty, Subject: fmt.Sprintf("property %d", p.ID),
					Detail: fmt.Sprintf("%s=%q belongs to a row that is gone, number %d of %s", p.Name, p.Value, p.RefID, ref.table),
				}
				if d.opts.Fix {
					// Numbers are not used again: the row will not come back.
					if _, err := d.db.Property.Delete().Where(property.ID(p.ID)).Exec(ctx); err != nil {
						return err
					}
					f.Fixed = true
				}
				d.found(f)
			}
			if len(rows) < diagnoseBatch {
				break
			}
		}
	}
	return nil
}
