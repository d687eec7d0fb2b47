package registry

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	entsql "entgo.io/ent/dialect/sql"

	"entrepot/ent"
	"entrepot/ent/indexfragment"
	"entrepot/ent/indexroot"
	"entrepot/ent/indexstream"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
)

// What a transaction that changes files does for indexes: it adds and marks
// fragments, and raises the generation of the roots it touched, last of all
// (changedRoots). Rows that stand in a chunk are only marked; builds alone move
// and remove them.

// changedRoots gathers the roots whose files a transaction has changed.
type changedRoots map[int64]bool

type changedRootsKey struct{}

// withChangedRoots lets a transaction gather roots.
func withChangedRoots(ctx context.Context) (context.Context, changedRoots) {
	changed := changedRoots{}
	return context.WithValue(ctx, changedRootsKey{}, changed), changed
}

// changeRoots notes roots for the end of the transaction.
func changeRoots(ctx context.Context, ids ...int64) {
	changed := ctx.Value(changedRootsKey{}).(changedRoots)
	for _, id := range ids {
		changed[id] = true
	}
}

// raise raises the generation of the roots. It is the last thing a transaction
// does, in the order of their numbers: the row of a root is what all publishes
// into it share, and is locked from here to the commit.
func (c changedRoots) raise(ctx context.Context, tx *ent.Tx) error {
	for _, id := range slices.Sorted(maps.Keys(c)) {
		if err := raiseRoots(ctx, tx, indexroot.ID(id)); err != nil {
			return err
		}
	}
	return nil
}

func raiseRoots(ctx context.Context, tx *ent.Tx, where ...predicate.IndexRoot) error {
	at := now()
	err := tx.IndexRoot.Update().Where(where...).AddGeneration(1).
		Modify(func(u *entsql.UpdateBuilder) {
			u.Set(indexroot.FieldDirtySince, entsql.ExprFunc(func(b *entsql.Builder) {
				b.WriteString("COALESCE(").Ident(indexroot.FieldDirtySince).Comma().Arg(at).WriteString(")")
			}))
		}).Exec(ctx)
	if err != nil {
		return fmt.Errorf("raise the generation of an index: %w", err)
	}
	return nil
}

// listing lists files of one package in the indexes of their type.
type listing struct {
	tx    *ent.Tx
	index *Index
	owner *ent.Owner
	pkg   *ent.Pkg

	// full are the streams that were added to and keep so many entries a name.
	full []fullStream
}

// fullStream is a stream that keeps the greatest entries of each name alone,
// by rank.
type fullStream struct {
	stream int64
	name   string
	keep   int
}

// lister returns what lists the package's files, or nil when its type has no
// indexes.
func (r *Registry) lister(tx *ent.Tx, o *ent.Owner, p *ent.Pkg) *listing {
	t, ok := r.types[p.Type]
	if !ok || t.Index == nil {
		return nil
	}
	return &listing{tx: tx, index: t.Index, owner: o, pkg: p}
}

// list lists a file of a published version that is not listed yet.
func (l *listing) list(ctx context.Context, f IndexedFile) error {
	places, err := l.index.Place(f)
	if err != nil {
		return fmt.Errorf("place %s in an index: %w", f.File.Name, err)
	}
	for _, p := range places {
		roots, err := l.roots(ctx, p)
		if err != nil {
			return err
		}
		for _, root := range roots {
			stream, err := streamOf(ctx, l.tx, root.ID, p.Stream, l.index.Format)
			if err != nil {
				return err
			}
			if err := l.insert(ctx, stream, f, p); err != nil {
				return err
			}
			changeRoots(ctx, root.ID)
			if keep, err := strconv.Atoi(root.Settings[SettingKeep]); err == nil && keep > 0 && p.Name != "" && p.Rank != "" && root.View == indexroot.ViewMembers {
				l.full = append(l.full, fullStream{stream.ID, p.Name, keep})
			}
		}
	}
	return nil
}

// surplus are the files that have fallen behind those that full streams keep,
// but for those given, which were published just now.
func (l *listing) surplus(ctx context.Context, except []*ent.PackageFile) ([]int64, error) {
	var files []int64
	for _, f := range l.full {
		rows, err := entriesOfName(ctx, l.tx, f.stream, f.name)
		if err != nil {
			return nil, err
		}
		for _, row := range rows[min(f.keep, len(rows)):] {
			isNew := slices.ContainsFunc(except, func(e *ent.PackageFile) bool { return e.ID == row.FileID })
			if !isNew && !slices.Contains(files, row.FileID) {
				files = append(files, row.FileID)
			}
		}
	}
	return files, nil
}

// insert adds a fragment to a stream.
func (l *listing) insert(ctx context.Context, stream *ent.IndexStream, f IndexedFile, p Placement) error {
	row, err := l.tx.IndexFragment.Create().
		SetRootID(stream.RootID).SetStreamID(stream.ID).SetFileID(f.File.ID).
		SetName(p.Name).SetRank(p.Rank).SetSort(p.Sort).
		Save(ctx)
	if err != nil {
		return fmt.Errorf("list a file: %w", err)
	}
	if l.index.stream(stream.Name).Newest {
		return elect(ctx, l.tx, row.StreamID, row.Name)
	}
	return nil
}

// elect lets a stream that lists one entry a name list the greatest.
func elect(ctx context.Context, tx *ent.Tx, streamID int64, name string) error {
	rows, err := entriesOfName(ctx, tx, streamID, name)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if row.Listed == (i == 0) {
			continue
		}
		if err := tx.IndexFragment.UpdateOneID(row.ID).SetListed(i == 0).SetDirty(true).Exec(ctx); err != nil {
			return fmt.Errorf("choose the entry of a name: %w", err)
		}
	}
	return nil
}

// entriesOfName lists the entries of a name, the greatest rank first.
func entriesOfName(ctx context.Context, tx *ent.Tx, streamID int64, name string) ([]*ent.IndexFragment, error) {
	rows, err := tx.IndexFragment.Query().
		Where(indexfragment.StreamID(streamID), indexfragment.Name(name), is(indexfragment.FieldGone, false)).
		Select(indexfragment.FieldID, indexfragment.FieldFileID, indexfragment.FieldListed, indexfragment.FieldRank).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up the entries of a name: %w", err)
	}
	slices.SortFunc(rows, func(a, b *ent.IndexFragment) int {
		return cmp.Or(cmp.Compare(b.Rank, a.Rank), cmp.Compare(b.ID, a.ID))
	})
	return rows, nil
}

// unlist takes files, named by their numbers, out of all indexes. It is called
// by whatever removes file rows.
func unlist(ctx context.Context, tx *ent.Tx, fileIDs ...int64) error {
	rows, err := tx.IndexFragment.Query().
		Where(indexfragment.FileIDIn(fileIDs...), is(indexfragment.FieldGone, false)).
		All(ctx)
	if err != nil {
		return fmt.Errorf("look up what indexes list: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	ids := make([]int64, len(rows))
	type entry struct {
		stream int64
		name   string
	}
	listed := map[entry]bool{}
	for i, row := range rows {
		ids[i] = row.ID
		changeRoots(ctx, row.RootID)
		if row.Listed {
			listed[entry{row.StreamID, row.Name}] = true
		}
	}
	err = tx.IndexFragment.Update().Where(indexfragment.IDIn(ids...)).SetGone(true).SetListed(false).SetDirty(true).Exec(ctx)
	if err != nil {
		return fmt.Errorf("take files out of indexes: %w", err)
	}
	// What was hidden behind one that is gone comes forward. In a stream that
	// lists all entries of a name, there is nothing to come.
	for e := range listed {
		next, err := tx.IndexFragment.Query().
			Where(indexfragment.StreamID(e.stream), indexfragment.Name(e.name), is(indexfragment.FieldGone, false), is(indexfragment.FieldListed, false)).
			Exist(ctx)
		if err == nil && next {
			err = elect(ctx, tx, e.stream, e.name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// relist lists all files of a package anew, after something changed that
// decides where they are listed or what is said of them.
func (r *Registry) relist(ctx context.Context, tx *ent.Tx, packageID int64, versions ...predicate.PackageVersion) error {
	p, err := tx.Pkg.Query().Where(pkg.ID(packageID)).WithOwner().Only(ctx)
	if err != nil {
		return fmt.Errorf("read package: %w", err)
	}
	l := r.lister(tx, p.Edges.Owner, p)
	if l == nil {
		return nil
	}
	where := append([]predicate.PackageVersion{packageversion.PackageID(packageID), published}, versions...)
	ids, err := tx.PackageFile.Query().
		Where(in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID, where...)).
		Order(ent.Asc(packagefile.FieldID)).
		IDs(ctx)
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	for chunk := range slices.Chunk(ids, lookUpAtOnce) {
		if err := unlist(ctx, tx, chunk...); err != nil {
			return err
		}
		files, err := indexedFiles(ctx, tx.Client(), chunk)
		if err != nil {
			return err
		}
		for _, id := range chunk {
			if err := l.list(ctx, files[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

// relistOwner lists the packages anew whose own visibility compares otherwise
// with their owner's than before.
func (r *Registry) relistOwner(ctx context.Context, tx *ent.Tx, before, after *ent.Owner) error {
	if before.Visibility == after.Visibility {
		return nil
	}
	packages, err := tx.Pkg.Query().
		Where(pkg.OwnerID(after.ID), pkg.TypeIn(r.indexedTypes()...), pkg.VisibilityNEQ(pkg.VisibilityInherit)).
		Order(ent.Asc(pkg.FieldID)).
		All(ctx)
	if err != nil {
		return fmt.Errorf("list packages: %w", err)
	}
	for _, p := range packages {
		if isNarrow(before, p) == isNarrow(after, p) {
			continue
		}
		if err := r.relist(ctx, tx, p.ID); err != nil {
			return err
		}
	}
	return nil
}

func (r *Registry) indexedTypes() (names []string) {
	for name, t := range r.types {
		if t.Index != nil {
			names = append(names, name)
		}
	}
	return names
}

// indexedFiles reads files as indexes see them.
func indexedFiles(ctx context.Context, client *ent.Client, ids []int64) (map[int64]IndexedFile, error) {
	files := make(map[int64]IndexedFile, len(ids))
	rows, err := client.PackageFile.Query().
		Where(packagefile.IDIn(ids...)).
		WithBlob().
		WithVersion(func(q *ent.PackageVersionQuery) {
			q.Select(packageversion.FieldID, packageversion.FieldPackageID, packageversion.FieldVersion, packageversion.FieldNormalizedVersion,
				packageversion.FieldSortKey, packageversion.FieldPrerelease, packageversion.FieldInternal, packageversion.FieldMetadata,
				packageversion.FieldYanked, packageversion.FieldDeprecated, packageversion.FieldStatusReason, packageversion.FieldCreatedAt)
			q.WithPackage()
		}).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read files to list: %w", err)
	}
	for _, row := range rows {
		v := row.Edges.Version
		files[row.ID] = IndexedFile{File: row, Blob: row.Edges.Blob, Version: v, Package: v.Edges.Package}
	}
	return files, nil
}

// roots returns the roots in which a file at that place is listed, made if
// they are not there.
func (l *listing) roots(ctx context.Context, p Placement) ([]*ent.IndexRoot, error) {
	if l.index.FansOut {
		// Who lists in every member, and who makes a member, take turns.
		if err := l.lockFamily(ctx, p.Family); err != nil {
			return nil, err
		}
	}
	if _, err := l.root(ctx, p.Family, p.Member); err != nil {
		return nil, err
	}
	where := []predicate.IndexRoot{
		indexroot.OwnerID(l.owner.ID), indexroot.Type(l.pkg.Type), indexroot.Family(p.Family),
	}
	if p.Member != EveryMember {
		where = append(where, indexroot.Member(p.Member))
	}
	rows, err := l.tx.IndexRoot.Query().Where(where...).Order(ent.Asc(indexroot.FieldID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up indexes: %w", err)
	}
	public := map[string]bool{}
	for _, root := range rows {
		public[root.Member] = public[root.Member] || root.View == indexroot.ViewPublic
	}
	narrow := isNarrow(l.owner, l.pkg)
	var roots []*ent.IndexRoot
	for _, root := range rows {
		if narrow && root.View == indexroot.ViewPublic {
			continue
		}
		if narrow && !public[root.Member] {
			if err := l.split(ctx, root); err != nil {
				return nil, err
			}
		}
		roots = append(roots, root)
	}
	return roots, nil
}

// root returns the members' view of a root, made if it is not there.
func (l *listing) root(ctx context.Context, family, member string) (*ent.IndexRoot, error) {
	find := func() (*ent.IndexRoot, error) {
		root, err := l.tx.IndexRoot.Query().Where(
			indexroot.OwnerID(l.owner.ID), indexroot.Type(l.pkg.Type), indexroot.Family(family), indexroot.Member(member),
			indexroot.ViewEQ(indexroot.ViewMembers)).Only(ctx)
		if err != nil && !ent.IsNotFound(err) {
			return nil, fmt.Errorf("look up index: %w", err)
		}
		return root, nil
	}
	root, err := find()
	if err != nil || root != nil {
		return root, err
	}
	err = l.create(family, member, indexroot.ViewMembers).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("make index: %w", err)
	}
	if root, err = find(); err != nil {
		return nil, err
	}
	if l.index.FansOut && member != EveryMember {
		return root, l.inherit(ctx, root)
	}
	return root, nil
}

func (l *listing) create(family, member string, view indexroot.View) *ent.IndexRootUpsertOne {
	create := l.tx.IndexRoot.Create().SetOwnerID(l.owner.ID).SetType(l.pkg.Type).SetFamily(family).SetMember(member).SetView(view)
	if l.index.Freeze != nil {
		create.SetSettings(l.index.Freeze(l.owner, family, member))
	}
	// Whoever is first decides; both then find the same row.
	return create.OnConflictColumns(indexroot.FieldOwnerID, indexroot.FieldType, indexroot.FieldFamily, indexroot.FieldMember, indexroot.FieldView).Ignore()
}

// lockFamily makes transactions that list in every member, and those that make
// one, wait for each other, on the root that serves the rest.
func (l *listing) lockFamily(ctx context.Context, family string) error {
	if err := l.create(family, EveryMember, indexroot.ViewMembers).Exec(ctx); err != nil {
		return fmt.Errorf("make index: %w", err)
	}
	return lockRoot(ctx, l.tx, indexroot.OwnerID(l.owner.ID), indexroot.Type(l.pkg.Type), indexroot.Family(family),
		indexroot.Member(EveryMember), indexroot.ViewEQ(indexroot.ViewMembers))
}

func lockRoot(ctx context.Context, tx *ent.Tx, where ...predicate.IndexRoot) error {
	if _, err := tx.IndexRoot.Query().Where(where...).Modify(forUpdate()).Select(indexroot.FieldID).Ints(ctx); err != nil {
		return fmt.Errorf("lock index: %w", err)
	}
	return nil
}

// inherit lists in a new member what is listed in every one.
func (l *listing) inherit(ctx context.Context, root *ent.IndexRoot) error {
	from, err := l.tx.IndexRoot.Query().
		Where(indexroot.OwnerID(root.OwnerID), indexroot.Type(root.Type), indexroot.Family(root.Family), indexroot.Member(EveryMember)).
		All(ctx)
	if err != nil {
		return fmt.Errorf("look up indexes: %w", err)
	}
	for _, f := range from {
		to := root
		if f.View == indexroot.ViewPublic {
			if to, err = l.publicRoot(ctx, root); err != nil {
				return err
			}
		}
		streams, err := l.tx.IndexStream.Query().Where(indexstream.RootID(f.ID)).All(ctx)
		if err != nil {
			return fmt.Errorf("list streams: %w", err)
		}
		for _, s := range streams {
			stream, err := streamOf(ctx, l.tx, to.ID, s.Name, l.index.Format)
			if err != nil {
				return err
			}
			_, err = l.tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO index_fragments (root_id, stream_id, file_id, name, %[1]s, sort, listed, gone, dirty, chunk, position, length)
				SELECT %[2]d, %[3]d, file_id, name, %[1]s, sort, listed, false, listed, 0, 0, 0 FROM index_fragments WHERE stream_id = %[4]d AND gone = false ORDER BY id`,
				`"rank"`, to.ID, stream.ID, s.ID))
			if err != nil {
				return fmt.Errorf("list what every member lists: %w", err)
			}
		}
		changeRoots(ctx, to.ID)
	}
	return nil
}

// publicRoot makes the public view beside a root.
func (l *listing) publicRoot(ctx context.Context, members *ent.IndexRoot) (*ent.IndexRoot, error) {
	id, err := l.tx.IndexRoot.Create().
		SetOwnerID(members.OwnerID).SetType(members.Type).SetFamily(members.Family).SetMember(members.Member).SetView(indexroot.ViewPublic).
		SetSettings(members.Settings).
		OnConflictColumns(indexroot.FieldOwnerID, indexroot.FieldType, indexroot.FieldFamily, indexroot.FieldMember, indexroot.FieldView).
		Ignore().ID(ctx)
	if err != nil {
		return nil, fmt.Errorf("make public index: %w", err)
	}
	return l.tx.IndexRoot.Get(ctx, id)
}

// split makes the public view of a root that everybody has shared so far: its
// texts are those of the members' as they stand. The chunks are the same; only
// the rows are copied. The members' root is locked, so that no build moves
// them meanwhile.
func (l *listing) split(ctx context.Context, members *ent.IndexRoot) error {
	if err := lockRoot(ctx, l.tx, indexroot.ID(members.ID)); err != nil {
		return err
	}
	public, err := l.publicRoot(ctx, members)
	if err != nil {
		return err
	}
	if started, err := l.tx.IndexStream.Query().Where(indexstream.RootID(public.ID)).Exist(ctx); err != nil || started {
		return err
	}
	// Whoever asked for the members' index before must not be told that the
	// public one is older.
	err = l.tx.IndexRoot.UpdateOneID(public.ID).SetNillableModifiedAt(members.ModifiedAt).SetGeneration(members.Generation).Exec(ctx)
	if err != nil {
		return fmt.Errorf("date public index: %w", err)
	}
	streams, err := l.tx.IndexStream.Query().Where(indexstream.RootID(members.ID)).All(ctx)
	if err != nil {
		return fmt.Errorf("list streams: %w", err)
	}
	for _, s := range streams {
		copied, err := l.tx.IndexStream.Create().SetRootID(public.ID).SetName(s.Name).SetFormat(s.Format).SetChunks(s.Chunks).
			SetNextChunk(s.NextChunk).SetNextPosition(s.NextPosition).SetEntries(s.Entries).Save(ctx)
		if err != nil {
			return fmt.Errorf("copy stream: %w", err)
		}
		_, err = l.tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO index_fragments (root_id, stream_id, file_id, name, %[1]s, sort, listed, gone, dirty, chunk, position, length)
			SELECT %[2]d, %[3]d, file_id, name, %[1]s, sort, listed, gone, dirty, chunk, position, length FROM index_fragments WHERE stream_id = %[4]d ORDER BY id`,
			`"rank"`, public.ID, copied.ID, s.ID))
		if err != nil {
			return fmt.Errorf("copy fragments: %w", err)
		}
	}
	changeRoots(ctx, public.ID)
	return nil
}

// streamOf returns a stream of a root, made if it is not there.
func streamOf(ctx context.Context, tx *ent.Tx, rootID int64, name string, format int) (*ent.IndexStream, error) {
	find := func() (*ent.IndexStream, error) {
		return tx.IndexStream.Query().Where(indexstream.RootID(rootID), indexstream.Name(name)).
			Select(indexstream.FieldID, indexstream.FieldRootID, indexstream.FieldName).Only(ctx)
	}
	stream, err := find()
	if !ent.IsNotFound(err) {
		return stream, err
	}
	err = tx.IndexStream.Create().SetRootID(rootID).SetName(name).SetFormat(format).
		OnConflictColumns(indexstream.FieldRootID, indexstream.FieldName).Ignore().Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("make stream: %w", err)
	}
	return find()
}

// removeIndexes removes all indexes and keys of an owner that goes.
func removeIndexes(ctx context.Context, tx *ent.Tx, o *ent.Owner) error {
	roots, err := tx.IndexRoot.Query().Where(indexroot.OwnerID(o.ID)).IDs(ctx)
	if err != nil {
		return fmt.Errorf("list indexes: %w", err)
	}
	if err := removeRoots(ctx, tx, roots); err != nil {
		return err
	}
	return removeKeys(ctx, tx, o.ID)
}
