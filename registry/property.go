package registry

import (
	"context"
	"fmt"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/property"
)

// PackageProperties are a package and what a type has noted on it.
type PackageProperties struct {
	Package    *ent.Pkg
	Properties map[string]string
}

// SetProperties notes values on the package, each in place of what was noted
// under the same name before. The package must be one of the space's; the
// viewer must be allowed to write to it. Values that are noted already change
// nothing.
func (s *Space) SetProperties(ctx context.Context, p *ent.Pkg, values map[string]string) error {
	if err := s.check(access.Write, p.Visibility); err != nil {
		return err
	}
	for name, value := range values {
		if !storableText(value) {
			return FieldErrorf(name, "%s is not valid UTF-8 text", name)
		}
	}
	noted, err := properties(access.SystemContext(ctx), s.reg.db.Property, p.ID)
	if err != nil {
		return err
	}
	same := true
	var wanted []Property
	var names []string
	for name, value := range values {
		same = same && noted[p.ID][name] == value
		names = append(names, name)
		wanted = append(wanted, Property{name, value})
	}
	if same {
		return nil
	}
	return s.change(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg, _ time.Time) error {
		_, err := tx.Property.Delete().
			Where(property.RefTypeEQ(property.RefTypePackage), property.RefID(p.ID), property.NameIn(names...)).
			Exec(ctx)
		if err != nil {
			return fmt.Errorf("replace properties: %w", err)
		}
		return attach(ctx, tx, property.RefTypePackage, p.ID, wanted)
	})
}

// PackagesWith lists the packages of the space that have the property and that
// the viewer may read, by name, with all their properties.
func (s *Space) PackagesWith(ctx context.Context, with Property) ([]PackageProperties, error) {
	having := in(pkg.FieldID, property.Table, property.FieldRefID,
		property.Name(with.Name), property.Value(with.Value), property.RefTypeEQ(property.RefTypePackage))
	packages, err := s.reg.db.Pkg.Query().
		Where(having, pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name), pkg.VersionCountGT(0)).
		Order(ent.Asc(pkg.FieldNormalizedName)).
		All(access.NewContext(ctx, s.Viewer)) // the viewer's own eyes
	if err != nil || len(packages) == 0 {
		return nil, err
	}
	ids := make([]int64, len(packages))
	for i, p := range packages {
		ids[i] = p.ID
	}
	noted, err := properties(access.SystemContext(ctx), s.reg.db.Property, ids...)
	if err != nil {
		return nil, err
	}
	found := make([]PackageProperties, len(packages))
	for i, p := range packages {
		found[i] = PackageProperties{p, noted[p.ID]}
	}
	return found, nil
}

// properties reads the properties of packages, by package and name.
func properties(ctx context.Context, c *ent.PropertyClient, packageIDs ...int64) (map[int64]map[string]string, error) {
	noted := make(map[int64]map[string]string, len(packageIDs))
	for len(packageIDs) > 0 {
		n := min(lookUpAtOnce, len(packageIDs))
		rows, err := c.Query().
			Where(property.RefTypeEQ(property.RefTypePackage), property.RefIDIn(packageIDs[:n]...)).
			All(ctx)
		if err != nil {
			return nil, fmt.Errorf("look up properties: %w", err)
		}
		for _, row := range rows {
			if noted[row.RefID] == nil {
				noted[row.RefID] = map[string]string{}
			}
			noted[row.RefID][row.Name] = row.Value
		}
		packageIDs = packageIDs[n:]
	}
	return noted, nil
}

// VersionWith returns the newest published version in the space that has the
// property and that the space's viewer published. Error: NotFound.
func (s *Space) VersionWith(ctx context.Context, p Property) (*ent.PackageVersion, error) {
	v, err := s.reg.db.PackageVersion.Query().
		Where(
			published, hasProperty([]string{p.Name}, p.Value),
			packageversion.CreatorID(s.Viewer.UserID),
			packageversion.HasPackageWith(pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name)),
		).
		Order(ent.Desc(packageversion.FieldID)).
		WithPackage().
		First(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, Errorf(NotFound, "version not found")
	}
	if err != nil {
		return nil, fmt.Errorf("look up version: %w", err)
	}
	return v, nil
}
