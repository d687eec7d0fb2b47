package graph

import (
	"context"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/owner"
	"entrepot/graph/model"
	"entrepot/registry"
)

// instructions asks the package's type how to use it. version is nil for the
// package as a whole; its latest version's files and tags are named then.
// withToken asks for the lines of those who read with a token even if anybody
// may read.
func (a *API) instructions(ctx context.Context, p *ent.Pkg, version *ent.PackageVersion, withToken *bool) ([]*registry.Instructions, error) {
	t, ok := a.opts.Registry.Type(p.Type)
	if !ok || t.Instructions == nil {
		return []*registry.Instructions{}, nil
	}
	r := rowsFrom(ctx)
	o, err := r.ownerOfPackage(ctx, p)
	if err != nil {
		return nil, err
	}
	in := registry.InstructionsInput{
		BaseURL: a.opts.BaseURL(ctx),
		Owner:   o.Name,
		Package: p,
		Version: version,
		Private: effective(o, p) != owner.VisibilityPublic || withToken != nil && *withToken,
	}
	var id int64
	var near []int64
	switch {
	case version != nil:
		id, near = version.ID, r.versionIDs(version.ID)
	case p.LatestID != nil:
		id, near = *p.LatestID, r.latestIDs(p.ID)
	}
	if id != 0 {
		if in.Files, err = r.files.get(ctx, id, near); err != nil {
			return nil, err
		}
		if in.Tags, err = r.tagNames.get(ctx, id, near); err != nil {
			return nil, err
		}
	}
	return pointers(t.Instructions(in)), nil
}

// effective is who may read the package.
func effective(o *ent.Owner, p *ent.Pkg) owner.Visibility {
	return owner.Visibility(access.Narrower(access.Visibility(p.Visibility), access.Visibility(o.Visibility)))
}

// permissions are what the viewer may do to a target.
func permissions(ctx context.Context, t access.Target) *model.Permissions {
	v := access.FromContext(ctx)
	return &model.Permissions{
		Read:       access.Can(v, access.Read, t),
		Write:      access.Can(v, access.Write, t),
		Delete:     access.Can(v, access.Delete, t),
		Manage:     access.Can(v, access.Manage, t),
		Administer: access.Can(v, access.Administer, t),
	}
}
