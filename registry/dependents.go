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

// Dependents names the packages of the same owner and type that the viewer in
// the context may read and whose latest version has the property: at most
// limit of them, by name.
func (h Holdings) Dependents(ctx context.Context, with Property, limit int) ([]string, error) {
	needs := in(pkg.FieldLatestID, property.Table, property.FieldRefID,
		property.Name(with.Name), property.Value(with.Value), property.RefTypeEQ(property.RefTypeVersion))
	names, err := h.client.Pkg.Query().
		Where(pkg.OwnerID(h.pkg.OwnerID), pkg.Type(h.pkg.Type), needs).
		Order(ent.Asc(pkg.FieldNormalizedName)).
		Limit(limit).
		Select(pkg.FieldName).
		Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("list dependents: %w", err)
	}
	return names, nil
}
