package graph

import (
	"context"

	"entgo.io/contrib/entgql"

	"entrepot/ent"
	"entrepot/graph/model"
)

// referrers pages through the versions that refer to a version, which the
// viewer has been shown: they are of the same package.
func (a *API) referrers(ctx context.Context, v *ent.PackageVersion, artifactType *string, after *entgql.Cursor[int64], first *int) (*model.ReferrerConnection, error) {
	p, err := rowsFrom(ctx).packageOfVersion(ctx, v)
	if err != nil {
		return nil, err
	}
	t, ok := a.opts.Registry.Type(p.Type)
	if !ok || t.Referrals == nil {
		return &model.ReferrerConnection{Edges: []*model.ReferrerEdge{}, PageInfo: &entgql.PageInfo[int64]{}}, nil
	}
	typ := ""
	if artifactType != nil {
		typ = *artifactType
	}
	found, err := a.client().PackageVersion.Query().
		Where(t.Referrals.Of(p.ID, v.NormalizedVersion, typ)).
		Paginate(ctx, after, first, nil, nil)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(found.Edges))
	for i, edge := range found.Edges {
		ids[i] = edge.Node.ID
	}
	described, err := t.Referrals.DescribeAll(ctx, a.opts.Registry, v.NormalizedVersion, ids)
	if err != nil {
		return nil, err
	}
	page := &model.ReferrerConnection{
		Edges: make([]*model.ReferrerEdge, len(ids)), PageInfo: &found.PageInfo, TotalCount: found.TotalCount,
	}
	for i, edge := range found.Edges {
		d := described[edge.Node.ID]
		page.Edges[i] = &model.ReferrerEdge{
			Node: edge.Node, Cursor: edge.Cursor, Kind: model.ReferrerKind(d.Kind), ArtifactType: d.Type,
		}
	}
	return page, nil
}
