package registry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexfragment"
	"entrepot/ent/indexroot"
	"entrepot/ent/indexsnapshot"
	"entrepot/ent/indexstream"
	"entrepot/ent/predicate"
	"entrepot/ent/schema"
)

const (
	// leaseFor is how long a process that builds keeps others from it without
	// a sign of life. One that died delays the next build by so much.
	leaseFor = 10 * time.Second
	// leasePoll is how often a process asks whether another's build is done.
	leasePoll = 20 * time.Millisecond
	// maxBuild is how long a build may take.
	maxBuild = 10 * time.Minute
	// renderAtOnce is how many files are read from the database at a time.
	renderAtOnce = 500
	// aheadAtMost is how far Last-Modified may lie ahead of the clock. It
	// grows by a second a snapshot, so that builds come to one a second.
	aheadAtMost = 2 * time.Second
)

// buildTo builds a root until a snapshot shows its generation. Of all who
// want that at once, in all processes, one builds.
func (r *Registry) buildTo(ctx context.Context, rootID, generation int64) error {
	for {
		root, err := r.db.IndexRoot.Get(access.SystemContext(ctx), rootID)
		if ent.IsNotFound(err) {
			return Errorf(NotFound, "the index is gone")
		}
		if err != nil {
			return fmt.Errorf("read index: %w", err)
		}
		if root.Built >= generation && root.SnapshotID != nil {
			return nil
		}
		// The build goes on when the client that began it is gone: others wait.
		done := r.builds.DoChan(strconv.FormatInt(rootID, 10), func() (any, error) {
			ctx, cancel := context.WithTimeout(access.SystemContext(context.WithoutCancel(ctx)), maxBuild)
			defer cancel()
			return nil, r.build(ctx, rootID)
		})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case result := <-done:
			// One that was under way before may have been too early: look again.
			if result.Err != nil {
				return result.Err
			}
		}
	}
}

// errLostLease tells that another process has begun to build meanwhile.
var errLostLease = errors.New("another process builds the index")

// build makes one snapshot of a root, or waits until another process has.
func (r *Registry) build(ctx context.Context, rootID int64) error {
	root, err := r.lease(ctx, rootID)
	if err != nil || root == nil {
		return err
	}
	stop := r.renewLease(ctx, root)
	err = r.buildLeased(ctx, root)
	stop()
	if err != nil {
		// Let the next one begin at once.
		free := r.db.IndexRoot.Update().Where(indexroot.ID(rootID), indexroot.Token(root.Token)).ClearLeasedUntil().
			Exec(access.SystemContext(context.WithoutCancel(ctx)))
		if errors.Is(err, errLostLease) {
			return nil // whoever asked looks again
		}
		return errors.Join(err, free)
	}
	return nil
}

// lease returns the root once this process alone may build it, or nil after
// another's build has ended.
func (r *Registry) lease(ctx context.Context, rootID int64) (*ent.IndexRoot, error) {
	for waited := false; ; waited = true {
		at := now()
		root, err := r.db.IndexRoot.UpdateOneID(rootID).
			Where(indexroot.Or(indexroot.LeasedUntilIsNil(), indexroot.LeasedUntilLT(at))).
			AddToken(1).SetLeasedUntil(at.Add(leaseFor)).
			Save(ctx)
		if err == nil {
			if waited && root.Built >= root.Generation {
				return nil, r.db.IndexRoot.Update().Where(indexroot.ID(rootID), indexroot.Token(root.Token)).ClearLeasedUntil().Exec(ctx)
			}
			return root, nil
		}
		if !ent.IsNotFound(err) {
			return nil, fmt.Errorf("lease index: %w", err)
		}
		if there, err := r.db.IndexRoot.Query().Where(indexroot.ID(rootID)).Exist(ctx); err != nil || !there {
			return nil, cmpErr(err, Errorf(NotFound, "the index is gone"))
		}
		if err := sleep(ctx, leasePoll); err != nil {
			return nil, err
		}
	}
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// renewLease keeps a lease while a build goes on, until stop is called.
func (r *Registry) renewLease(ctx context.Context, root *ent.IndexRoot) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for sleep(ctx, leaseFor/3) == nil {
			// One that is lost is found out by the token at the end.
			err := r.db.IndexRoot.Update().
				Where(indexroot.ID(root.ID), indexroot.Token(root.Token), indexroot.LeasedUntilNotNil()).SetLeasedUntil(now().Add(leaseFor)).Exec(ctx)
			if err != nil && ctx.Err() == nil {
				r.log.WarnContext(ctx, "the lease of an index could not be renewed", "error", err)
			}
		}
	}()
	return func() {
		cancel()
		<-stopped
	}
}

// pending is what a build has to do, as it was at one instant.
type pending struct {
	root    *ent.IndexRoot
	streams []*ent.IndexStream
	// dirty are the fragments to be moved or removed, by stream.
	dirty map[int64][]*ent.IndexFragment
	// before is what the current snapshot is made of, by path.
	before map[string]*ent.IndexObject
}

func (r *Registry) readPending(ctx context.Context, rootID int64) (*pending, error) {
	p := &pending{dirty: map[int64][]*ent.IndexFragment{}, before: map[string]*ent.IndexObject{}}
	err := r.db.Snapshot(ctx, func(ctx context.Context, client *ent.Client) (err error) {
		if p.root, err = client.IndexRoot.Get(ctx, rootID); err != nil {
			return fmt.Errorf("read index: %w", err)
		}
		if p.streams, err = client.IndexStream.Query().Where(indexstream.RootID(rootID)).All(ctx); err != nil {
			return fmt.Errorf("list streams: %w", err)
		}
		rows, err := client.IndexFragment.Query().
			Where(indexfragment.RootID(rootID), is(indexfragment.FieldDirty, true)).
			Order(ent.Asc(indexfragment.FieldID)).
			All(ctx)
		if err != nil {
			return fmt.Errorf("list changes: %w", err)
		}
		for _, row := range rows {
			p.dirty[row.StreamID] = append(p.dirty[row.StreamID], row)
		}
		if p.root.SnapshotID == nil {
			return nil
		}
		objects, err := snapshotObjects(ctx, client, *p.root.SnapshotID)
		if err != nil {
			return err
		}
		for _, o := range objects {
			p.before[o.Path] = o
		}
		return nil
	})
	slices.SortFunc(p.streams, func(a, b *ent.IndexStream) int { return strings.Compare(a.Name, b.Name) })
	return p, err
}

// buildLeased makes a snapshot. Nothing is changed before its last step, one
// transaction, but that data are added which nothing refers to if it fails.
func (r *Registry) buildLeased(ctx context.Context, leased *ent.IndexRoot) error {
	p, err := r.readPending(ctx, leased.ID)
	if err != nil {
		return err
	}
	owner, err := r.db.Owner.Get(ctx, p.root.OwnerID)
	if err != nil {
		return fmt.Errorf("read owner: %w", err)
	}
	t, ok := r.types[p.root.Type]
	if !ok || t.Index == nil {
		return fmt.Errorf("there are no indexes of the type %q", p.root.Type)
	}
	b := &IndexBuild{
		Owner: owner, Name: IndexName{p.root.Family, p.root.Member}, Settings: p.root.Settings, Generation: p.root.Generation,
		reg: r, root: p.root, typ: t, before: p.before, texts: map[string]*IndexText{}, streamNames: map[int64]string{},
	}
	streams, idle, err := r.buildStreams(ctx, b, p)
	if err != nil {
		return err
	}
	if err := r.insertData(ctx, p.root, streams); err != nil {
		return err
	}
	for _, s := range streams {
		b.addText(s)
	}
	if b.Modified, err = r.nextModified(ctx, p.root); err != nil {
		return err
	}
	if t.Index.Key != "" {
		if b.signers, err = r.signers(ctx, owner, t); err != nil {
			return err
		}
	}
	if err := t.Index.Compose(ctx, b); err != nil {
		return fmt.Errorf("compose the index %s of %s: %w", p.root.Family, owner.Name, err)
	}
	return r.commitBuild(ctx, b, leased, streams, idle)
}

// nextModified is the Last-Modified of the next snapshot. Clients compare it
// in whole seconds and for equality alone, so it grows by at least one, however
// the clock goes; a root that is built more often than that waits.
func (r *Registry) nextModified(ctx context.Context, root *ent.IndexRoot) (time.Time, error) {
	next := now().Truncate(time.Second)
	if root.ModifiedAt == nil || next.After(*root.ModifiedAt) {
		return next, nil
	}
	next = root.ModifiedAt.UTC().Add(time.Second).Truncate(time.Second)
	ahead := next.Sub(now())
	if ahead > time.Minute {
		// The clock was set back. To wait for it would stop all reads.
		return next, nil
	}
	if ahead > aheadAtMost {
		return next, sleep(ctx, ahead-aheadAtMost)
	}
	return next, nil
}

// idleFragments stand in no chunk and need not be looked at by the next build:
// those that are not to be listed, and those that cannot be rendered.
type idleFragments struct{ unlisted, failed []int64 }

// buildStreams writes the new texts.
func (r *Registry) buildStreams(ctx context.Context, b *IndexBuild, p *pending) (streams []*streamBuild, idle *idleFragments, err error) {
	idle = &idleFragments{}
	pack, packCtx := errgroup.WithContext(ctx)
	pack.SetLimit(runtime.GOMAXPROCS(0))
	for _, s := range p.streams {
		b.streamNames[s.ID] = s.Name
		build := func(anew bool) (built *streamBuild, err error) {
			stream, dirty := s, p.dirty[s.ID]
			if anew {
				if dirty, err = r.allRows(ctx, s.ID); err != nil {
					return nil, err
				}
				whole := *s
				whole.Chunks, whole.Entries, whole.Format = nil, 0, b.typ.Index.Format
				stream = &whole
			}
			return r.buildStream(packCtx, b, stream, dirty, anew, pack, idle)
		}
		built, err := build(s.Format != b.typ.Index.Format)
		if errors.Is(err, errDamaged) {
			r.log.ErrorContext(ctx, "a text of an index is damaged and is written anew", "stream", s.Name, "root", s.RootID)
			built, err = build(true)
		}
		if err != nil {
			return nil, nil, errors.Join(err, pack.Wait())
		}
		streams = append(streams, built)
	}
	return streams, idle, pack.Wait()
}

// allRows lists all fragments of a stream as if they stood nowhere.
func (r *Registry) allRows(ctx context.Context, streamID int64) ([]*ent.IndexFragment, error) {
	rows, err := r.db.IndexFragment.Query().Where(indexfragment.StreamID(streamID)).Order(ent.Asc(indexfragment.FieldID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list fragments: %w", err)
	}
	return rows, nil
}

func (r *Registry) buildStream(ctx context.Context, b *IndexBuild, s *ent.IndexStream, dirty []*ent.IndexFragment, anew bool, pack *errgroup.Group, idle *idleFragments) (*streamBuild, error) {
	build := newStreamBuild(s, b.typ.Index.stream(s.Name), pack)
	build.read = func(data int64) ([]byte, error) { return r.indexData(ctx, data) }
	build.rows = rowsOf(r.db.Client, s.ID)
	cuts := map[int64]map[int64]bool{}
	var added []*ent.IndexFragment
	sorted := len(s.Chunks) > 0 && s.Chunks[len(s.Chunks)-1].FirstSort != ""
	for _, row := range dirty {
		switch {
		case row.Chunk == 0:
		case anew:
			build.cut = append(build.cut, row.ID)
		default:
			if cuts[row.Chunk] == nil {
				cuts[row.Chunk] = map[int64]bool{}
			}
			cuts[row.Chunk][row.ID] = true
		}
		switch {
		case row.Listed && !row.Gone:
			row.Position = 0
			added = append(added, row)
			sorted = sorted || row.Sort != ""
		case row.Chunk == 0:
			idle.unlisted = append(idle.unlisted, row.ID)
		}
	}
	failed := func(row *ent.IndexFragment, err error) {
		idle.failed = append(idle.failed, row.ID)
		r.log.ErrorContext(ctx, "a file is left out of its index", "file_id", row.FileID, "stream", s.Name, "error", err)
	}
	err := build.run(ctx, cuts, b.render(ctx, added, failed), sorted)
	return build, err
}

// render gives the texts of fragments, a few at a time.
func (b *IndexBuild) render(ctx context.Context, rows []*ent.IndexFragment, failed func(*ent.IndexFragment, error)) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for chunk := range slices.Chunk(rows, renderAtOnce) {
			ids := make([]int64, len(chunk))
			for i, row := range chunk {
				ids[i] = row.FileID
			}
			files, err := indexedFiles(ctx, b.reg.db.Client, ids)
			if err != nil {
				yield(entry{}, err)
				return
			}
			for _, row := range chunk {
				f, there := files[row.FileID]
				if !there {
					continue // deleted meanwhile; the row says so by now
				}
				text, err := b.renderOne(f, row)
				if err != nil || len(text) == 0 {
					failed(row, cmpErr(err, errors.New("it has no text")))
					continue
				}
				if !yield(entry{row: row, text: text, added: true}, nil) {
					return
				}
			}
		}
	}
}

func (b *IndexBuild) renderOne(f IndexedFile, row *ent.IndexFragment) ([]byte, error) {
	places, err := b.typ.Index.Place(f)
	if err != nil {
		return nil, err
	}
	stream := b.streamNames[row.StreamID]
	for _, p := range places {
		if p.Stream == stream && p.Family == b.Name.Family && (p.Member == b.Name.Member || p.Member == EveryMember) &&
			p.Name == row.Name && p.Rank == row.Rank && p.Sort == row.Sort {
			return b.typ.Index.Render(f, p, b.Name.Member)
		}
	}
	return nil, errors.New("its type places it elsewhere by now")
}

// insertData keeps the chunks that were compressed, and notes their numbers.
// What is kept here is garbage until commitBuild refers to it; the collector
// leaves young garbage alone.
func (r *Registry) insertData(ctx context.Context, root *ent.IndexRoot, streams []*streamBuild) error {
	var fresh []*builtChunk
	for _, s := range streams {
		for _, c := range s.chunks {
			if c.packed != nil {
				fresh = append(fresh, c)
			}
		}
	}
	const atOnce = 32 // some 2 MB
	for chunk := range slices.Chunk(fresh, atOnce) {
		creates := make([]*ent.IndexDataCreate, len(chunk))
		for i, c := range chunk {
			creates[i] = r.db.IndexData.Create().SetOwnerID(root.OwnerID).SetEncoding(encodingDeflate).SetContent(c.packed.Deflated).SetSize(c.Size)
		}
		rows, err := r.db.IndexData.CreateBulk(creates...).Save(ctx)
		if err != nil {
			return fmt.Errorf("keep chunks: %w", err)
		}
		for i, row := range rows {
			chunk[i].Data = row.ID
			r.indexCache.Set(row.ID, row.Content)
		}
	}
	return nil
}

// commitBuild makes the snapshot the current one, in one transaction that
// fails if the lease was lost meanwhile.
func (r *Registry) commitBuild(ctx context.Context, b *IndexBuild, leased *ent.IndexRoot, streams []*streamBuild, idle *idleFragments) error {
	return r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		// Fragments before the root, as in the transactions that change files.
		if err := moveFragments(ctx, tx, streams, idle); err != nil {
			return err
		}
		at := now()
		ids := make([]int64, len(b.objects))
		for i, o := range b.objects {
			if ids[i] = o.ID; o.ID != 0 {
				continue
			}
			row, err := tx.IndexObject.Create().SetRootID(b.root.ID).SetPath(o.Path).SetSha256(o.Sha256).SetSize(o.Size).
				SetContentType(o.ContentType).SetRecipe(o.Recipe).SetLadder(o.Ladder).Save(ctx)
			if err != nil {
				return fmt.Errorf("keep object: %w", err)
			}
			ids[i] = row.ID
		}
		snapshot, err := tx.IndexSnapshot.Create().SetRootID(b.root.ID).SetGeneration(b.Generation).SetModifiedAt(b.Modified).SetObjects(ids).Save(ctx)
		if err != nil {
			return fmt.Errorf("keep snapshot: %w", err)
		}
		if old := b.root.SnapshotID; old != nil {
			if err := tx.IndexSnapshot.Update().Where(indexsnapshot.ID(*old)).SetRetiredAt(at).Exec(ctx); err != nil {
				return fmt.Errorf("retire snapshot: %w", err)
			}
		}
		for _, s := range streams {
			err := tx.IndexStream.UpdateOneID(s.stream.ID).SetFormat(b.typ.Index.Format).SetChunks(s.list()).
				SetNextChunk(s.nextNo).SetNextPosition(s.nextAt).SetEntries(s.entries).Exec(ctx)
			if err != nil {
				return fmt.Errorf("write stream: %w", err)
			}
		}
		n, err := tx.IndexRoot.Update().Where(indexroot.ID(b.root.ID), indexroot.Token(leased.Token)).
			SetBuilt(b.Generation).SetSnapshotID(snapshot.ID).SetModifiedAt(b.Modified).ClearLeasedUntil().
			Save(ctx)
		if err != nil {
			return fmt.Errorf("switch index: %w", err)
		}
		if n == 0 {
			return errLostLease
		}
		// Dirty again since then, or clean.
		err = tx.IndexRoot.Update().Where(indexroot.ID(b.root.ID), indexroot.Generation(b.Generation)).ClearDirtySince().Exec(ctx)
		if err != nil {
			return fmt.Errorf("switch index: %w", err)
		}
		return nil
	})
}

func (s *streamBuild) list() []schema.IndexChunk {
	chunks := make([]schema.IndexChunk, len(s.chunks))
	for i, c := range s.chunks {
		chunks[i] = c.IndexChunk
	}
	return chunks
}

// moveFragments writes where the build has put fragments. What happened to
// them meanwhile stays noted: they remain dirty.
func moveFragments(ctx context.Context, tx *ent.Tx, streams []*streamBuild, idle *idleFragments) error {
	var cut []int64
	var moved []movedFragment
	for _, s := range streams {
		again := make(map[int64]bool, len(s.moved))
		for _, m := range s.moved {
			again[m.id] = true
		}
		for _, id := range s.cut {
			if !again[id] {
				cut = append(cut, id)
			}
		}
		moved = append(moved, s.moved...)
	}
	slices.Sort(cut)
	for chunk := range slices.Chunk(cut, lookUpAtOnce) {
		if _, err := tx.IndexFragment.Delete().Where(indexfragment.IDIn(chunk...), is(indexfragment.FieldGone, true)).Exec(ctx); err != nil {
			return fmt.Errorf("remove fragments: %w", err)
		}
		_, err := tx.ExecContext(ctx, `UPDATE index_fragments SET chunk = 0, position = 0, length = 0, dirty = (listed OR gone) WHERE id IN (`+numbers(chunk)+`)`)
		if err != nil {
			return fmt.Errorf("cut fragments: %w", err)
		}
	}
	for _, rest := range []struct {
		ids    []int64
		listed bool
	}{{idle.unlisted, false}, {idle.failed, true}} {
		for chunk := range slices.Chunk(rest.ids, lookUpAtOnce) {
			here := []predicate.IndexFragment{indexfragment.IDIn(chunk...), indexfragment.Chunk(0)}
			if _, err := tx.IndexFragment.Delete().Where(here...).Where(is(indexfragment.FieldGone, true)).Exec(ctx); err != nil {
				return fmt.Errorf("remove fragments: %w", err)
			}
			err := tx.IndexFragment.Update().Where(here...).
				Where(is(indexfragment.FieldGone, false), is(indexfragment.FieldListed, rest.listed)).SetDirty(false).Exec(ctx)
			if err != nil {
				return fmt.Errorf("settle fragments: %w", err)
			}
		}
	}
	slices.SortFunc(moved, func(a, b movedFragment) int { return int(a.id - b.id) })
	for chunk := range slices.Chunk(moved, 1000) {
		var values strings.Builder
		for i, m := range chunk {
			if i > 0 {
				values.WriteByte(',')
			}
			fmt.Fprintf(&values, "(%d,%d,%d,%d)", m.id, m.chunk, m.position, m.length)
		}
		_, err := tx.ExecContext(ctx, `WITH moved (id, chunk, position, length) AS (VALUES `+values.String()+`)
			UPDATE index_fragments SET chunk = moved.chunk, position = moved.position, length = moved.length, dirty = (gone OR NOT listed)
			FROM moved WHERE index_fragments.id = moved.id`)
		if err != nil {
			return fmt.Errorf("move fragments: %w", err)
		}
	}
	return nil
}

func numbers(ids []int64) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(id, 10))
	}
	return b.String()
}

// encodingDeflate is the encoding of chunks as they are joined to gzip files.
const encodingDeflate = "deflate"

// snapshotObjects reads the objects of a snapshot.
func snapshotObjects(ctx context.Context, client *ent.Client, snapshotID int64) ([]*ent.IndexObject, error) {
	snapshot, err := client.IndexSnapshot.Get(ctx, snapshotID)
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	return readObjects(ctx, client, snapshot.Objects)
}
