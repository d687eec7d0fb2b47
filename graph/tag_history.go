package graph

import (
	"context"
	"slices"

	"entgo.io/contrib/entgql"
	"github.com/99designs/gqlgen/graphql"

	"entrepot/ent"
	"entrepot/graph/model"
	"entrepot/registry"
)

// tagHistory pages through what happened to the tags of a package, which the
// viewer has been shown.
func (a *API) tagHistory(ctx context.Context, p *ent.Pkg, tag *string, after *entgql.Cursor[int64], first *int) (*model.TagMoveConnection, error) {
	name, before, limit := "", int64(0), 0
	if tag != nil {
		// An empty name is no tag's, and not the same as none.
		if name = *tag; name == "" {
			return &model.TagMoveConnection{Edges: []*model.TagMoveEdge{}, PageInfo: &entgql.PageInfo[int64]{}}, nil
		}
	}
	if after != nil {
		before = after.ID
	}
	if first != nil {
		limit = *first
	}
	page := &model.TagMoveConnection{
		Edges:    []*model.TagMoveEdge{},
		PageInfo: &entgql.PageInfo[int64]{HasPreviousPage: after != nil},
	}
	if asked(ctx, "totalCount") {
		n, err := a.opts.Registry.CountTagMoves(ctx, p.ID, name)
		if err != nil {
			return nil, err
		}
		page.TotalCount = n
	}
	if limit == 0 || !asked(ctx, "edges") && !asked(ctx, "pageInfo") {
		return page, nil
	}
	moves, err := a.opts.Registry.TagMoves(ctx, p.ID, name, before, limit+1)
	if err != nil {
		return nil, err
	}
	if len(moves) > limit {
		moves, page.PageInfo.HasNextPage = moves[:limit], true
	}
	if page.Edges, err = tagMoveEdges(ctx, moves); err != nil || len(moves) == 0 {
		return page, err
	}
	page.PageInfo.StartCursor = &page.Edges[0].Cursor
	page.PageInfo.EndCursor = &page.Edges[len(moves)-1].Cursor
	return page, nil
}

// tagMoveEdges adds to moves who made them, as far as the viewer may know.
func tagMoveEdges(ctx context.Context, moves []registry.TagMove) ([]*model.TagMoveEdge, error) {
	var actors []int64
	for _, m := range moves {
		if m.ActorID != 0 {
			actors = append(actors, m.ActorID)
		}
	}
	edges := make([]*model.TagMoveEdge, len(moves))
	for i, m := range moves {
		node := &model.TagMove{Tag: m.Tag, From: some(m.From), To: some(m.To), At: m.At}
		if m.ActorID != 0 {
			u, err := rowsFrom(ctx).visibleUserOf.get(ctx, m.ActorID, actors)
			if err != nil {
				return nil, err
			}
			node.Actor = u
		}
		edges[i] = &model.TagMoveEdge{Node: node, Cursor: entgql.Cursor[int64]{ID: m.ID}}
	}
	return edges, nil
}

// some returns a pointer to the text, nil when it is empty.
func some(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// asked tells whether the field at hand is asked for a field of its own.
func asked(ctx context.Context, field string) bool {
	return slices.Contains(graphql.CollectAllFields(ctx), field)
}
