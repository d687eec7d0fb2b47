package registry

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/owner"
	"entrepot/ent/packageblob"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/storage"
)

// Catalog lists the packages of a type that the viewer in the context may
// read, as "owner/package" in normalized form and in byte order: at most limit
// of them, from after the one named last, which need not exist.
func (r *Registry) Catalog(ctx context.Context, typeName, last string, limit int) ([]string, error) {
	packages, err := r.db.Pkg.Query().
		Where(pkg.Type(typeName)).
		Where(func(s *entsql.Selector) {
			o := entsql.Table(owner.Table).As("o")
			s.Join(o).On(s.C(pkg.FieldOwnerID), o.C(owner.FieldID))
			name := fmt.Sprintf("%s || '/' || %s", o.C(owner.FieldNormalizedName), s.C(pkg.FieldNormalizedName))
			if s.Dialect() == dialect.Postgres {
				// Else the order would be the locale's.
				name = "(" + name + `) COLLATE "C"`
			}
			if last != "" {
				s.Where(entsql.P(func(b *entsql.Builder) { b.WriteString(name + " > ").Arg(last) }))
			}
			s.OrderExpr(entsql.Expr(name))
		}).
		Limit(limit).
		Select(pkg.FieldOwnerID, pkg.FieldNormalizedName).
		WithOwner(func(q *ent.OwnerQuery) { q.Select(owner.FieldNormalizedName) }).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	names := make([]string, len(packages))
	for i, p := range packages {
		names[i] = p.Edges.Owner.NormalizedName + "/" + p.NormalizedName
	}
	return names, nil
}

// Held returns a live blob with the digest of which some package of the type,
// that the viewer in the context may read, has a file in an internal version:
// proof that the viewer can read the bytes anyway. NotFound otherwise.
func (r *Registry) Held(ctx context.Context, typeName string, sums storage.Sums) (*ent.PackageBlob, error) {
	q := r.db.PackageBlob.Query()
	if sums.SHA256 != "" {
		q.Where(liveBlob(sums.SHA256))
	} else {
		// Not "is live": SQLite would go by the index on that.
		q.Where(packageblob.Sha512(sums.SHA512), packageblob.StateNEQ(packageblob.StateDying))
	}
	b, err := q.First(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, Errorf(NotFound, "content not found")
	}
	if err != nil {
		return nil, fmt.Errorf("look up blob: %w", err)
	}
	holds := in(pkg.FieldID, packageversion.Table, packageversion.FieldPackageID,
		packageversion.Internal(true), in(packageversion.FieldID, packagefile.Table, packagefile.FieldVersionID, packagefile.BlobID(b.ID)))
	// The viewer's filter is on the packages that show.
	readable, err := r.db.Pkg.Query().Where(pkg.Type(typeName), holds).Exist(ctx)
	if err == nil && !readable {
		readable, err = r.readsHidden(ctx, pkg.Type(typeName), holds)
	}
	if err != nil {
		return nil, fmt.Errorf("look up holders: %w", err)
	}
	if !readable {
		return nil, Errorf(NotFound, "content not found")
	}
	return b, nil
}

// readsHidden tells whether the viewer could read one of the packages that do
// not show yet because they have no version, were it there. There are few.
func (r *Registry) readsHidden(ctx context.Context, where ...predicate.Pkg) (bool, error) {
	const most = 20
	v := access.FromContext(ctx)
	packages, err := r.db.Pkg.Query().Where(where...).Where(pkg.VersionCount(0)).WithOwner().Limit(most).All(access.SystemContext(ctx))
	if err != nil {
		return false, err
	}
	for _, p := range packages {
		s := &Space{Owner: p.Edges.Owner, Viewer: v, reg: r}
		if s.Role, err = r.role(ctx, v, s.Owner); err != nil {
			return false, err
		}
		if s.Can(access.Read, p) {
			return true, nil
		}
	}
	return false, nil
}
