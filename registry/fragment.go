package registry

import (
	"context"
	"fmt"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
)

// SetFragment changes what a file contributes to composed documents and to
// indexes, for types that say more of single files than what their bytes say.
// change gets the fragment as it is in the transaction. The package is one of
// the space's, the viewer must be allowed to write to it; details are for the
// event. Error: NotFound when the file is gone.
func (s *Space) SetFragment(ctx context.Context, p *ent.Pkg, f *ent.PackageFile, details any, change func(fragment []byte) ([]byte, error)) error {
	if err := s.check(access.Write, p.Visibility); err != nil {
		return err
	}
	return s.change(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg, _ time.Time) error {
		row, err := tx.PackageFile.Query().Where(packagefile.ID(f.ID)).Only(ctx)
		if ent.IsNotFound(err) {
			return Errorf(NotFound, "file not found")
		}
		if err != nil {
			return fmt.Errorf("read file: %w", err)
		}
		fragment, err := change(row.Fragment)
		if err != nil {
			return err
		}
		if err := tx.PackageFile.UpdateOneID(row.ID).SetFragment(fragment).Exec(ctx); err != nil {
			return fmt.Errorf("change file: %w", err)
		}
		if err := s.reg.relist(ctx, tx, p.ID, packageversion.ID(row.VersionID)); err != nil {
			return err
		}
		return s.record(ctx, tx, EventStatusChanged, p, details)
	})
}
