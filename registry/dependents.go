package registry

import (
	"context"
	"fmt"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/pkg"
	"entrepot/ent/property"
)

// Dependents finds the packages of the space that the viewer may read and
// whose latest version has the property: adapters note by one what a version
// needs. It returns up to limit of them from offset on, ordered by name, with
// the latest version, and how many there are in all.
func (s *Space) Dependents(ctx context.Context, p Property, offset, limit int) (found []*ent.Pkg, total int, err error) {
	if !storableText(p.Value) {
		return nil, 0, nil
	}
	needs := in(pkg.FieldLatestID, property.Table, property.FieldRefID,
		property.Name(p.Name), property.Value(p.Value), property.RefTypeEQ(property.RefTypeVersion))
	q := s.reg.db.Pkg.Query().Where(pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name), needs)
	// The viewer's own eyes: what is hidden is neither listed nor counted.
	ctx = access.NewContext(ctx, s.Viewer)
	if total, err = q.Clone().Count(ctx); err != nil {
		return nil, 0, fmt.Errorf("count dependents: %w", err)
	}
	if limit <= 0 {
		return nil, total, nil // to ent, no limit means all
	}
	found, err = q.Order(ent.Asc(pkg.FieldNormalizedName)).Offset(offset).Limit(limit).WithLatest().All(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("list dependents: %w", err)
	}
	return found, total, nil
}
