package registry

import (
	"context"
	"fmt"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
)

// Search finds packages of the space that the viewer may read and that have
// all the words in their name, summary or keywords, whatever their case; no
// words find all. It returns up to limit of them from offset on, ordered by
// name, with the latest version and, as far as the viewer may know, who
// published it, and how many there are in all. Of packages found so, only
// those are left whose latest version has all the properties in with.
func (s *Space) Search(ctx context.Context, words []string, offset, limit int, with ...Property) (found []*ent.Pkg, total int, err error) {
	where := []predicate.Pkg{pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name)}
	for _, word := range words {
		if !storableText(word) {
			return nil, 0, nil
		}
		has := pkg.SearchTextContains(strings.ToLower(word))
		if s.Type.FoldName != nil {
			has = pkg.Or(has, pkg.NormalizedNameContains(s.Type.FoldName(word)))
		}
		where = append(where, has)
	}
	for _, p := range with {
		if !storableText(p.Value) {
			return nil, 0, nil
		}
		where = append(where, in(pkg.FieldLatestID, property.Table, property.FieldRefID,
			property.Name(p.Name), property.Value(p.Value), property.RefTypeEQ(property.RefTypeVersion)))
	}
	if s.Type.SkipsYanked {
		// The latest version is yanked only where no other is left.
		where = append(where, in(pkg.FieldLatestID, packageversion.Table, packageversion.FieldID, packageversion.Yanked(false)))
	}
	// The viewer's own eyes: what is hidden is neither listed nor counted.
	ctx = access.NewContext(ctx, s.Viewer)
	if total, err = s.reg.db.Pkg.Query().Where(where...).Count(ctx); err != nil {
		return nil, 0, fmt.Errorf("count packages: %w", err)
	}
	if limit <= 0 {
		return nil, total, nil // to ent, no limit means all
	}
	found, err = s.reg.db.Pkg.Query().Where(where...).
		Order(ent.Asc(pkg.FieldNormalizedName)).
		Offset(offset).Limit(limit).
		WithLatest(func(q *ent.PackageVersionQuery) { q.WithCreator() }).
		All(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("search packages: %w", err)
	}
	return found, total, nil
}
