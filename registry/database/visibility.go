package database

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/intercept"
	"entrepot/ent/membership"
	"entrepot/ent/owner"
	"entrepot/ent/packageblob"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/ent/tag"
	"entrepot/ent/token"
	"entrepot/ent/user"
)

// filterByViewer narrows every read of the client to what the viewer in the
// context may see. It is the second line behind access.Decide: a list, a
// count, an edge or a look-up by number that nobody thought of shows nothing
// hidden. The rules are access.Decide's for Read, written as SQL; a test
// holds the two against each other.
func filterByViewer(c *ent.Client) {
	c.Owner.Intercept(intercept.TraverseOwner(func(ctx context.Context, q *ent.OwnerQuery) error {
		if p := ownerVisible(access.FromContext(ctx)); p != nil {
			q.Where(p)
		}
		return nil
	}))
	c.User.Intercept(intercept.TraverseUser(func(ctx context.Context, q *ent.UserQuery) error {
		if p := ownerVisible(access.FromContext(ctx)); p != nil {
			q.Where(user.HasNamespaceWith(p))
		}
		return nil
	}))
	c.Membership.Intercept(intercept.TraverseMembership(func(ctx context.Context, q *ent.MembershipQuery) error {
		v := access.FromContext(ctx)
		if seesAll(v) {
			return nil
		}
		if v.Kind != access.User {
			q.Where(membership.IDLT(0))
			return nil
		}
		// Members know one another; nobody else is told.
		q.Where(membership.HasOwnerWith(owner.HasMembershipsWith(membership.UserID(v.UserID))))
		return nil
	}))
	c.Pkg.Intercept(intercept.TraversePkg(func(ctx context.Context, q *ent.PkgQuery) error {
		if v := access.FromContext(ctx); v.Kind != access.System {
			q.Where(pkgVisible(v)...)
		}
		return nil
	}))
	c.PackageVersion.Intercept(intercept.TraversePackageVersion(func(ctx context.Context, q *ent.PackageVersionQuery) error {
		if v := access.FromContext(ctx); v.Kind != access.System {
			q.Where(versionVisible(v)...)
		}
		return nil
	}))
	c.PackageFile.Intercept(intercept.TraversePackageFile(func(ctx context.Context, q *ent.PackageFileQuery) error {
		if v := access.FromContext(ctx); v.Kind != access.System {
			q.Where(packagefile.HasVersionWith(versionVisible(v)...))
		}
		return nil
	}))
	c.PackageBlob.Intercept(intercept.TraversePackageBlob(func(ctx context.Context, q *ent.PackageBlobQuery) error {
		if v := access.FromContext(ctx); v.Kind != access.System {
			q.Where(packageblob.HasFilesWith(packagefile.HasVersionWith(versionVisible(v)...)))
		}
		return nil
	}))
	c.Tag.Intercept(intercept.TraverseTag(func(ctx context.Context, q *ent.TagQuery) error {
		if v := access.FromContext(ctx); v.Kind != access.System {
			q.Where(tag.HasPackageWith(pkgVisible(v)...))
		}
		return nil
	}))
	c.Token.Intercept(intercept.TraverseToken(func(ctx context.Context, q *ent.TokenQuery) error {
		if v := access.FromContext(ctx); v.Kind != access.System {
			q.Where(token.UserID(v.UserID))
		}
		return nil
	}))
	c.Intercept(systemOnly)
}

// systemOnly refuses reads of the tables that no viewer has business in.
var systemOnly = intercept.TraverseFunc(func(ctx context.Context, q intercept.Query) error {
	switch q.Type() {
	case ent.TypeProperty, ent.TypeBlobUpload, ent.TypeKeyLease, ent.TypeSession, ent.TypeEvent, ent.TypeSecret,
		ent.TypeIndexRoot, ent.TypeIndexStream, ent.TypeIndexFragment, ent.TypeIndexData, ent.TypeIndexObject, ent.TypeIndexSnapshot, ent.TypeSigningKey:
		if access.FromContext(ctx).Kind != access.System {
			q.WhereP(func(s *sql.Selector) { s.Where(sql.False()) })
		}
	}
	return nil
})

func seesAll(v access.Viewer) bool {
	return v.Kind == access.System || v.SiteAdmin && v.Has(access.ReadPackage)
}

// ownerVisible is nil when the viewer sees every owner. A token without
// read:package sees its own user's namespace alone.
func ownerVisible(v access.Viewer) predicate.Owner {
	if seesAll(v) {
		return nil
	}
	if v.Kind != access.User {
		return owner.VisibilityEQ(owner.VisibilityPublic)
	}
	own := owner.HasUserWith(user.ID(v.UserID))
	if !v.Has(access.ReadPackage) {
		return own
	}
	return owner.Or(
		owner.VisibilityIn(owner.VisibilityPublic, owner.VisibilityLimited),
		own,
		owner.HasMembershipsWith(membership.UserID(v.UserID)),
	)
}

// pkgVisible gives the predicates under which a package shows: one with a
// version to show, that the viewer may read.
func pkgVisible(v access.Viewer) []predicate.Pkg {
	shown := []predicate.Pkg{pkg.VersionCountGT(0)}
	switch {
	case seesAll(v):
		return shown
	case !v.Has(access.ReadPackage):
		return append(shown, pkg.IDLT(0))
	case v.Kind != access.User:
		return append(shown,
			pkg.VisibilityIn(pkg.VisibilityInherit, pkg.VisibilityPublic),
			pkg.HasOwnerWith(owner.VisibilityEQ(owner.VisibilityPublic)))
	}
	return append(shown, pkg.Or(
		pkg.And(
			pkg.VisibilityIn(pkg.VisibilityInherit, pkg.VisibilityPublic, pkg.VisibilityLimited),
			pkg.HasOwnerWith(owner.VisibilityIn(owner.VisibilityPublic, owner.VisibilityLimited)),
		),
		pkg.HasOwnerWith(owner.Or(
			owner.HasUserWith(user.ID(v.UserID)),
			owner.HasMembershipsWith(membership.UserID(v.UserID)),
		)),
	))
}

func versionVisible(v access.Viewer) []predicate.PackageVersion {
	return []predicate.PackageVersion{
		// Not ent's NOT internal, which SQLite matches with no index.
		func(s *sql.Selector) { s.Where(sql.ExprP(s.C(packageversion.FieldInternal) + " = false")) },
		packageversion.HasPackageWith(pkgVisible(v)...),
	}
}
