package graph

import (
	"context"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/graph/model"
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
	// Who may not write to the owner must not be told so about a package that
	// he may not see: the owner's door stands open to readers, and the package
	// decides. A token need not read to write.
	s, err := a.opts.Registry.Enter(ctx, p.Edges.Owner.Name, p.Type, access.Read)
	if err != nil {
		s, err = a.opts.Registry.Enter(ctx, p.Edges.Owner.Name, p.Type, action)
	}
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

// What follows reads a row again after a mutation: the one the registry gave
// belongs to a transaction that is over. It is read as the system, because a
// token may be allowed to change what it may not read; what the row says of
// other rows is filtered as ever.

// packageAgain returns the package as it is now, or nil when it is gone.
func (a *API) packageAgain(ctx context.Context, id int64) (*ent.Pkg, error) {
	return maskNotFound(a.client().Pkg.Query().Where(pkg.ID(id), pkg.VersionCountGT(0)).Only(access.SystemContext(ctx)))
}

// versionAgain returns the version as it is now, or nil when it is gone.
func (a *API) versionAgain(ctx context.Context, id int64) (*ent.PackageVersion, error) {
	return maskNotFound(a.client().PackageVersion.Get(access.SystemContext(ctx), id))
}

func (a *API) fileAgain(ctx context.Context, id int64) (*ent.PackageFile, error) {
	return a.client().PackageFile.Get(access.SystemContext(ctx), id)
}

func (a *API) ownerAgain(ctx context.Context, id int64) (*ent.Owner, error) {
	return a.client().Owner.Get(access.SystemContext(ctx), id)
}

func (a *API) userAgain(ctx context.Context, id int64) (*ent.User, error) {
	return a.client().User.Get(access.SystemContext(ctx), id)
}

func (a *API) membershipAgain(ctx context.Context, id int64) (*ent.Membership, error) {
	return a.client().Membership.Get(access.SystemContext(ctx), id)
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

// setYanked yanks a version, or takes that back, and returns it as it is then.
func (a *API) setYanked(ctx context.Context, id int64, yanked bool, reason string) (*ent.PackageVersion, error) {
	if len(reason) > maxReason {
		return nil, registry.FieldErrorf("reason", "a reason has at most %d bytes", maxReason)
	}
	s, _, _, err := a.openVersion(ctx, id, access.Write)
	if err != nil {
		return nil, err
	}
	if !s.Type.Yanks {
		return nil, registry.FieldErrorf("id", "versions of this type are not yanked")
	}
	return a.setStatus(ctx, id, func(status *registry.Status) {
		if status.Yanked = yanked; yanked || !status.Deprecated {
			status.Reason = reason
		}
	})
}

// setState says something of a package as a whole and returns it as it is then.
func (a *API) setState(ctx context.Context, input model.SetPackageStateInput) (*ent.Pkg, error) {
	if len(input.Reason) > maxReason {
		return nil, registry.FieldErrorf("reason", "a reason has at most %d bytes", maxReason)
	}
	s, p, err := a.openPackage(ctx, input.ID, access.Write)
	if err != nil {
		return nil, err
	}
	var state registry.PackageState
	if input.State != nil && *input.State != "" {
		state = registry.PackageState{State: *input.State, Reason: input.Reason}
	}
	if err := s.SetState(ctx, p, state); err != nil {
		return nil, err
	}
	return a.packageAgain(ctx, p.ID)
}

// setPinned keeps a version from cleanup rules, or takes that back, and returns
// it as it is then.
func (a *API) setPinned(ctx context.Context, id int64, pinned bool) (*ent.PackageVersion, error) {
	s, p, v, err := a.openVersion(ctx, id, access.Manage)
	if err != nil {
		return nil, err
	}
	if err := s.SetPinned(ctx, p, []string{v.NormalizedVersion}, pinned); err != nil {
		return nil, err
	}
	return a.versionAgain(ctx, id)
}
