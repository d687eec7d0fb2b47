package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexdata"
	"entrepot/ent/indexfragment"
	"entrepot/ent/indexobject"
	"entrepot/ent/indexroot"
	"entrepot/ent/indexsnapshot"
	"entrepot/ent/indexstream"
	"entrepot/ent/pkg"
	"entrepot/registry/index"
)

const (
	// keepNewest snapshots of a root are kept whatever their age, all that were
	// replaced less than keepAtLeast ago, and up to keepMost for keepAtMost:
	// clients read the entry document once and then fetch by hash.
	keepNewest  = 3
	keepMost    = 200
	keepAtLeast = 15 * time.Minute
	keepAtMost  = 24 * time.Hour
	// youngData may be those of a build that has not committed yet.
	youngData = time.Hour
	// idleDirty is how long a root may have changes that nobody has read, and
	// pendingMost how many, before it is built all the same: the first reader
	// does not wait for a month of publishes.
	idleDirty   = 10 * time.Minute
	pendingMost = 4000
)

// TendIndexes builds the indexes that have changed and that nobody has asked
// for, those whose texts an older program has rendered, and those signed by a
// key whose time is over. It is run now and then; any number of replicas may.
func (r *Registry) TendIndexes(ctx context.Context) error {
	ctx = access.SystemContext(ctx)
	var errs []error
	for _, name := range r.indexedTypes() {
		// A raised format changes every root of the type once.
		old, err := r.db.IndexStream.Query().
			Where(indexstream.FormatLT(r.types[name].Index.Format),
				in(indexstream.FieldRootID, indexroot.Table, indexroot.FieldID, indexroot.Type(name), indexroot.DirtySinceIsNil())).
			Unique(true).Select(indexstream.FieldRootID).Ints(ctx)
		if err != nil {
			return fmt.Errorf("look for texts of an older format: %w", err)
		}
		for _, id := range old {
			errs = append(errs, r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
				changeRoots(ctx, int64(id))
				return nil
			}))
		}
	}
	roots, err := r.db.IndexRoot.Query().
		Where(indexroot.TypeIn(r.indexedTypes()...), indexroot.DirtySinceNotNil()).
		All(ctx)
	if err != nil {
		return fmt.Errorf("look for changed indexes: %w", err)
	}
	for _, root := range roots {
		if root.DirtySince.After(now().Add(-idleDirty)) && root.Generation-root.Built < pendingMost {
			continue
		}
		if err := r.buildTo(ctx, root.ID, root.Generation); err != nil && !isNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == NotFound
}

// collectIndexes removes snapshots that nobody can be reading any more, and
// the objects and data that only they were made of.
func (c *collection) collectIndexes(ctx context.Context) error {
	for last := int64(0); ; {
		roots, err := c.db.IndexRoot.Query().Where(indexroot.IDGT(last)).
			Order(ent.Asc(indexroot.FieldID)).Limit(collectBatch).IDs(ctx)
		if err != nil {
			return fmt.Errorf("list indexes: %w", err)
		}
		for _, root := range roots {
			if err := c.collectRoot(ctx, root); err != nil {
				return err
			}
		}
		if len(roots) < collectBatch {
			break
		}
		last = roots[len(roots)-1]
	}
	for last := int64(0); ; {
		next, err := c.db.IndexData.Query().Where(indexdata.OwnerIDGT(last)).
			Order(ent.Asc(indexdata.FieldOwnerID)).Limit(1).Select(indexdata.FieldOwnerID).Ints(ctx)
		if err != nil {
			return fmt.Errorf("find the next owner of data: %w", err)
		}
		if len(next) == 0 {
			return nil
		}
		last = int64(next[0])
		if err := c.collectData(ctx, last); err != nil {
			return err
		}
	}
}

// collectRoot removes old snapshots of a root, and the objects that are in no
// other.
func (c *collection) collectRoot(ctx context.Context, rootID int64) error {
	rows, err := c.db.IndexSnapshot.Query().Where(indexsnapshot.RootID(rootID)).
		Order(ent.Desc(indexsnapshot.FieldID)).
		Select(indexsnapshot.FieldID, indexsnapshot.FieldRetiredAt).
		All(ctx)
	if err != nil {
		return fmt.Errorf("list snapshots: %w", err)
	}
	var old []int64
	for i, row := range rows {
		if i < keepNewest || row.RetiredAt == nil || row.RetiredAt.After(c.at.Add(-keepAtLeast)) ||
			i < keepMost && row.RetiredAt.After(c.at.Add(-keepAtMost)) {
			continue
		}
		old = append(old, row.ID)
	}
	if len(old) == 0 {
		return nil
	}
	return c.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		// A build refers to objects of the current snapshot, which stays.
		for chunk := range slices.Chunk(old, collectBatch) {
			if _, err := tx.IndexSnapshot.Delete().Where(indexsnapshot.IDIn(chunk...)).Exec(ctx); err != nil {
				return fmt.Errorf("remove snapshots: %w", err)
			}
		}
		kept, err := tx.IndexSnapshot.Query().Where(indexsnapshot.RootID(rootID)).All(ctx)
		if err != nil {
			return fmt.Errorf("list snapshots: %w", err)
		}
		live := map[int64]bool{}
		last := int64(0)
		for _, s := range kept {
			for _, id := range s.Objects {
				live[id], last = true, max(last, id)
			}
		}
		ids, err := tx.IndexObject.Query().Where(indexobject.RootID(rootID), indexobject.IDLTE(last)).IDs(ctx)
		if err != nil {
			return fmt.Errorf("list objects: %w", err)
		}
		ids = slices.DeleteFunc(ids, func(id int64) bool { return live[id] })
		for chunk := range slices.Chunk(ids, collectBatch) {
			if _, err := tx.IndexObject.Delete().Where(indexobject.IDIn(chunk...)).Exec(ctx); err != nil {
				return fmt.Errorf("remove objects: %w", err)
			}
		}
		return nil
	})
}

// collectData removes the data of an owner that neither a text nor an object
// is made of. The list of data is read before what refers to them, and young
// ones stay, so a build that goes on meanwhile loses nothing: what it refers
// to is young, or in a text, or another encoding of that, or in an object of the
// current snapshot.
func (c *collection) collectData(ctx context.Context, ownerID int64) error {
	var data []struct {
		ID       int64 `json:"id"`
		SourceID int64 `json:"source_id"`
	}
	err := c.db.IndexData.Query().Where(indexdata.OwnerID(ownerID), indexdata.CreatedAtLT(c.at.Add(-youngData))).
		Select(indexdata.FieldID, indexdata.FieldSourceID).Scan(ctx, &data)
	if err != nil {
		return fmt.Errorf("list data: %w", err)
	}
	if len(data) == 0 {
		return nil
	}
	live := map[int64]bool{}
	roots, err := c.db.IndexRoot.Query().Where(indexroot.OwnerID(ownerID)).IDs(ctx)
	if err != nil {
		return fmt.Errorf("list indexes: %w", err)
	}
	for _, root := range roots {
		streams, err := c.db.IndexStream.Query().Where(indexstream.RootID(root)).Select(indexstream.FieldID, indexstream.FieldChunks).All(ctx)
		if err != nil {
			return fmt.Errorf("list streams: %w", err)
		}
		for _, s := range streams {
			for _, chunk := range s.Chunks {
				live[chunk.Data] = true
			}
		}
		err = c.eachObject(ctx, root, func(o *ent.IndexObject) error {
			recipe, err := index.Unpack(o.Recipe)
			for _, part := range recipe.Parts() {
				live[part.Data] = true
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	var dead []int64
	for _, d := range data {
		if !live[d.ID] && (d.SourceID == 0 || !live[d.SourceID]) {
			dead = append(dead, d.ID)
		}
	}
	for chunk := range slices.Chunk(dead, collectBatch) {
		if _, err := c.db.IndexData.Delete().Where(indexdata.IDIn(chunk...)).Exec(ctx); err != nil {
			return fmt.Errorf("remove data: %w", err)
		}
		for _, id := range chunk {
			c.indexCache.Invalidate(id)
		}
	}
	return nil
}

// eachObject calls f for every object of a root, with its recipe alone loaded.
func (r *Registry) eachObject(ctx context.Context, rootID int64, f func(*ent.IndexObject) error) error {
	last := int64(0)
	for {
		rows, err := r.db.IndexObject.Query().
			Where(indexobject.RootID(rootID), indexobject.IDGT(last)).
			Order(ent.Asc(indexobject.FieldID)).Limit(collectBatch).
			Select(indexobject.FieldID, indexobject.FieldRecipe).
			All(ctx)
		if err != nil {
			return fmt.Errorf("list objects: %w", err)
		}
		for _, row := range rows {
			last = row.ID
			if err := f(row); err != nil {
				return err
			}
		}
		if len(rows) < collectBatch {
			return nil
		}
	}
}

// RemoveIndex removes an index that lists nothing: a distribution that was
// given up. The viewer must administer the owner. Errors: NotFound; Conflict
// while files are listed.
func (s *Space) RemoveIndex(ctx context.Context, family string) error {
	if err := s.check(access.Administer, ""); err != nil {
		return err
	}
	return s.reg.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		roots, err := tx.IndexRoot.Query().
			Where(indexroot.OwnerID(s.Owner.ID), indexroot.Type(s.Type.Name), indexroot.Family(family)).
			Order(ent.Asc(indexroot.FieldID)).Modify(forUpdate()).
			All(ctx)
		if err != nil {
			return fmt.Errorf("look up indexes: %w", err)
		}
		if len(roots) == 0 {
			return Errorf(NotFound, "there is no such index")
		}
		ids := make([]int64, len(roots))
		for i, root := range roots {
			ids[i] = root.ID
		}
		listed, err := tx.IndexFragment.Query().Where(indexfragment.RootIDIn(ids...), is(indexfragment.FieldGone, false)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("look for listed files: %w", err)
		}
		if listed {
			return Errorf(Conflict, "%s still lists packages; delete them first", family)
		}
		if err := removeRoots(ctx, tx, ids); err != nil {
			return err
		}
		return record(ctx, tx, s.Viewer, EventIndexRemoved, s.Owner.ID, nil, map[string]any{"type": s.Type.Name, "family": family})
	})
}

// removeRoots removes roots with all that belongs to them. Their data are left
// to the collector while the owner has others.
func removeRoots(ctx context.Context, tx *ent.Tx, ids []int64) error {
	for _, id := range ids {
		if _, err := tx.IndexFragment.Delete().Where(indexfragment.RootID(id)).Exec(ctx); err != nil {
			return fmt.Errorf("remove fragments: %w", err)
		}
		if _, err := tx.IndexStream.Delete().Where(indexstream.RootID(id)).Exec(ctx); err != nil {
			return fmt.Errorf("remove streams: %w", err)
		}
		if _, err := tx.IndexObject.Delete().Where(indexobject.RootID(id)).Exec(ctx); err != nil {
			return fmt.Errorf("remove objects: %w", err)
		}
		if _, err := tx.IndexSnapshot.Delete().Where(indexsnapshot.RootID(id)).Exec(ctx); err != nil {
			return fmt.Errorf("remove snapshots: %w", err)
		}
		if err := tx.IndexRoot.DeleteOneID(id).Exec(ctx); err != nil {
			return fmt.Errorf("remove index: %w", err)
		}
	}
	return nil
}

// RebuildIndexes writes the indexes of a type anew from the published files,
// of one owner or, with "", of all: for an administrator who has reason to.
func (r *Registry) RebuildIndexes(ctx context.Context, typeName, ownerName string) error {
	ctx = access.SystemContext(ctx)
	q := r.db.Pkg.Query().Where(pkg.Type(typeName), pkg.VersionCountGT(0)).Order(ent.Asc(pkg.FieldID))
	if ownerName != "" {
		o, err := r.owner(ctx, ownerName)
		if err != nil {
			return err
		}
		if o == nil {
			return Errorf(NotFound, "owner not found")
		}
		q.Where(pkg.OwnerID(o.ID))
	}
	ids, err := q.IDs(ctx)
	if err != nil {
		return fmt.Errorf("list packages: %w", err)
	}
	for _, id := range ids {
		err := r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error { return r.relist(ctx, tx, id) })
		if err != nil && !ent.IsNotFound(err) {
			return err
		}
	}
	return nil
}
