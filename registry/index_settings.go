package registry

import (
	"context"
	"fmt"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexroot"
)

// SettingKeep is the setting of a root of which the engine knows itself: how
// many entries of one name a stream keeps, those with the greatest ranks. What
// falls behind is deleted when a file is published. The zero and none keep all.
// A new member of a family has that of EveryMember.
const SettingKeep = "keep"

// ConfigureIndex changes what a root keeps beside its files, or makes the root
// before anything is listed in it: change gets the settings as they are, those
// of Index.Freeze for a new root, and returns the new ones or an error. The
// viewer must administer the owner.
func (s *Space) ConfigureIndex(ctx context.Context, n IndexName, change func(now map[string]string, made bool) (map[string]string, error)) error {
	if err := s.check(access.Administer, ""); err != nil {
		return err
	}
	if s.Type.Index == nil {
		return Errorf(NotFound, "there are no indexes of this type")
	}
	return s.reg.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		l := &listing{tx: tx, index: s.Type.Index, owner: s.Owner, pkg: &ent.Pkg{Type: s.Type.Name}}
		there, err := tx.IndexRoot.Query().
			Where(indexroot.OwnerID(s.Owner.ID), indexroot.Type(s.Type.Name), indexroot.Family(n.Family), indexroot.Member(n.Member)).
			Exist(ctx)
		if err != nil {
			return fmt.Errorf("look up index: %w", err)
		}
		root, err := l.root(ctx, n.Family, n.Member)
		if err != nil {
			return err
		}
		settings, err := change(root.Settings, !there)
		if err != nil {
			return err
		}
		views, err := tx.IndexRoot.Query().
			Where(indexroot.OwnerID(s.Owner.ID), indexroot.Type(s.Type.Name), indexroot.Family(n.Family), indexroot.Member(n.Member)).
			IDs(ctx)
		if err != nil {
			return fmt.Errorf("look up index: %w", err)
		}
		for _, id := range views {
			if err := tx.IndexRoot.UpdateOneID(id).SetSettings(settings).Exec(ctx); err != nil {
				return fmt.Errorf("configure index: %w", err)
			}
		}
		changeRoots(ctx, views...)
		return record(ctx, tx, s.Viewer, EventIndexConfigured, s.Owner.ID, nil, map[string]any{"type": s.Type.Name, "family": n.Family, "member": n.Member, "settings": settings})
	})
}
