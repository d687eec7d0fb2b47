package graph

import (
	"context"
	"strings"

	"entgo.io/ent/dialect/sql"

	"entrepot/ent"
	"entrepot/ent/owner"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/graph/model"
	"entrepot/registry"
)

// The bounds of what a search looks for.
const (
	maxSearchText  = 200
	maxSearchWords = 10
	maxSearchNames = 100
)

// newSearch reads what is searched for.
func newSearch(text string, types, owners []string) (*model.Search, error) {
	if len(text) > maxSearchText {
		return nil, registry.FieldErrorf("text", "a search has at most %d bytes", maxSearchText)
	}
	s := &model.Search{Words: strings.Fields(strings.ToLower(text)), Types: types}
	if len(s.Words) > maxSearchWords {
		return nil, registry.FieldErrorf("text", "a search has at most %d words", maxSearchWords)
	}
	if len(types) > maxSearchNames {
		return nil, registry.FieldErrorf("types", "a search names at most %d types", maxSearchNames)
	}
	if len(owners) > maxSearchNames {
		return nil, registry.FieldErrorf("owners", "a search names at most %d owners", maxSearchNames)
	}
	for _, name := range owners {
		s.Owners = append(s.Owners, strings.ToLower(name))
	}
	return s, nil
}

// matches are the predicates of a search.
func matches(s *model.Search) []predicate.Pkg {
	var all []predicate.Pkg
	for _, word := range s.Words {
		all = append(all, pkg.SearchTextContains(word))
	}
	if s.Types != nil {
		all = append(all, pkg.TypeIn(s.Types...))
	}
	if s.Owners != nil {
		all = append(all, pkg.HasOwnerWith(owner.NormalizedNameIn(s.Owners...)))
	}
	return all
}

// searchOrder is the order when none is asked for.
func searchOrder(s *model.Search, order []*ent.PackageOrder) []*ent.PackageOrder {
	if len(order) > 0 {
		return order
	}
	field := ent.PkgOrderFieldDownloads
	if len(s.Words) == 0 {
		field = ent.PkgOrderFieldUpdatedAt
	}
	return []*ent.PackageOrder{{Direction: "DESC", Field: field}}
}

// countTypes counts what is found by type, whatever types are searched for.
func (a *API) countTypes(ctx context.Context, s model.Search) ([]*model.TypeCount, error) {
	s.Types = nil
	var counts []struct {
		Type  string `json:"type"`
		Count int    `json:"count"`
	}
	err := a.client().Pkg.Query().Where(matches(&s)...).
		Order(ent.Asc(pkg.FieldType)).
		GroupBy(pkg.FieldType).Aggregate(ent.Count()).Scan(ctx, &counts)
	list := make([]*model.TypeCount, len(counts))
	for i, c := range counts {
		list[i] = a.typeCount(c.Type, c.Count)
	}
	return list, err
}

// typeCount is a count with the type's name for people; a type that is served
// no more has only the one.
func (a *API) typeCount(typ string, n int) *model.TypeCount {
	c := &model.TypeCount{Type: typ, Title: typ, Count: n}
	if t, ok := a.opts.Registry.Type(typ); ok {
		c.Title = t.Title
	}
	return c
}

// countOwners counts what is found by owner, whatever owners are searched
// for: the n with the most.
func (a *API) countOwners(ctx context.Context, s model.Search, n int) ([]*model.OwnerCount, error) {
	s.Owners = nil
	var counts []struct {
		OwnerID int64 `json:"owner_id"`
		Count   int   `json:"count"`
	}
	err := a.client().Pkg.Query().Where(matches(&s)...).
		Order(func(s *sql.Selector) { s.OrderBy(sql.Desc("count"), s.C(pkg.FieldOwnerID)) }).
		Limit(n).
		GroupBy(pkg.FieldOwnerID).Aggregate(ent.As(ent.Count(), "count")).Scan(ctx, &counts)
	if err != nil || len(counts) == 0 {
		return []*model.OwnerCount{}, err
	}
	r := rowsFrom(ctx)
	ids := make([]int64, len(counts))
	for i, c := range counts {
		ids[i] = c.OwnerID
	}
	list := make([]*model.OwnerCount, len(counts))
	for i, c := range counts {
		o, err := r.ownerOf.get(ctx, c.OwnerID, ids)
		if err != nil {
			return nil, err
		}
		list[i] = &model.OwnerCount{Owner: o, Count: c.Count}
	}
	return list, nil
}
