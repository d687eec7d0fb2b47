package graph

import (
	"cmp"
	"context"
	"errors"

	"entrepot/access"
	"entrepot/graph/model"
	"entrepot/registry"
)

// copyVersion copies a version to another owner or package.
func (a *API) copyVersion(ctx context.Context, in model.CopyVersionInput) (*model.CopyVersionPayload, error) {
	from, p, v, err := a.openVersion(ctx, in.Version, access.Read)
	if err != nil {
		return nil, err
	}
	to, err := a.opts.Registry.Enter(ctx, in.Owner, p.Type, access.Write)
	if err != nil {
		return nil, ofField(err, "owner")
	}
	name := p.Name
	if in.Package != nil {
		name = cmp.Or(*in.Package, name)
	}
	done, err := from.Copy(ctx, p, v.NormalizedVersion, to, registry.CopyRequest{
		Package: name, Tags: in.Tags, Referrers: in.Referrers,
	})
	if err != nil {
		return nil, err
	}
	var out model.CopyVersionPayload
	if out.Version, err = a.versionAgain(ctx, done.Version.ID); err != nil {
		return nil, err
	}
	out.Package, err = a.packageAgain(ctx, done.Package.ID)
	return &out, err
}

// ofField says of an error of the registry which input field it is about.
func ofField(err error, field string) error {
	if e, ok := errors.AsType[*registry.Error](err); ok {
		about := *e
		about.Field = field
		return &about
	}
	return err
}
