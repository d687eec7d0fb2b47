package graph

import (
	"context"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/registry"
)

// Mutations name packages, versions and files by their ids. The row is looked
// up as the system, then the registry's gate is passed by its names as any
// client's request would: what is hidden is answered like what is missing,
// down to the words.

// openPackage returns a package and its space for a viewer who may do the
// action to it.
func (a *API) openPackage(ctx context.Context, id int64, action access.Action) (*registry.Space, *ent.Pkg, error) {
	if err := signedIn(ctx); err != nil {
		return nil, nil, err
	}
	p, err := a.client().Pkg.Query().Where(pkg.ID(id)).WithOwner().Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, nil, missing("package")
	}
	if err != nil {
		return nil, nil, err
	}
	s, err := a.opts.Registry.Enter(ctx, p.Edges.Owner.Name, p.Type, action)
	if err == nil {
		p, err = s.Package(ctx, p.NormalizedName, action)
	}
	if registry.CodeOf(err) == registry.NotFound {
		err = missing("package")
	}
	return s, p, err
}

// openVersion is openPackage for a version.
func (a *API) openVersion(ctx context.Context, id int64, action access.Action) (*registry.Space, *ent.Pkg, *ent.PackageVersion, error) {
	if err := signedIn(ctx); err != nil {
		return nil, nil, nil, err
	}
	v, err := a.client().PackageVersion.Query().
		Where(packageversion.ID(id), packageversion.Internal(false)).
		Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, nil, nil, missing("version")
	}
	if err != nil {
		return nil, nil, nil, err
	}
	s, p, err := a.openPackage(ctx, v.PackageID, action)
	if registry.CodeOf(err) == registry.NotFound {
		err = missing("version")
	}
	return s, p, v, err
}

// openFile is openPackage for a file of a published version.
func (a *API) openFile(ctx context.Context, id int64, action access.Action) (*registry.Space, *ent.Pkg, *ent.PackageFile, error) {
	if err := signedIn(ctx); err != nil {
		return nil, nil, nil, err
	}
	f, err := a.client().PackageFile.Query().Where(packagefile.ID(id)).Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, nil, nil, missing("file")
	}
	if err != nil {
		return nil, nil, nil, err
	}
	s, p, _, err := a.openVersion(ctx, f.VersionID, action)
	if registry.CodeOf(err) == registry.NotFound {
		err = missing("file")
	}
	return s, p, f, err
}

func missing(what string) error {
	return &registry.Error{Code: registry.NotFound, Message: what + " not found", Rule: access.RuleNotVisible}
}

// again reads what a mutation has changed. The viewer was allowed to change
// it, which a token may be without being allowed to read; what it says of
// other rows is filtered as ever.
func again(ctx context.Context) context.Context { return access.SystemContext(ctx) }

// packageAgain returns the package as it is now, or nil when it is gone.
func (a *API) packageAgain(ctx context.Context, id int64) (*ent.Pkg, error) {
	return maskNotFound(a.client().Pkg.Query().Where(pkg.ID(id), pkg.VersionCountGT(0)).Only(again(ctx)))
}

// versionAgain returns the version as it is now, or nil when it is gone.
func (a *API) versionAgain(ctx context.Context, id int64) (*ent.PackageVersion, error) {
	return maskNotFound(a.client().PackageVersion.Query().Where(packageversion.ID(id)).Only(again(ctx)))
}

// setStatus changes what is said of a version and returns it as it is then.
func (a *API) setStatus(ctx context.Context, id int64, change func(*registry.Status)) (*ent.PackageVersion, error) {
	s, p, v, err := a.openVersion(ctx, id, access.Write)
	if err != nil {
		return nil, err
	}
	status := registry.Status{Deprecated: v.Deprecated, Yanked: v.Yanked, Reason: v.StatusReason}
	change(&status)
	if err := s.SetStatus(ctx, p, map[string]registry.Status{v.NormalizedVersion: status}); err != nil {
		return nil, err
	}
	return a.versionAgain(ctx, id)
}
