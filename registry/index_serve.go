package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"maps"
	"path"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexobject"
	"entrepot/ent/indexroot"
	"entrepot/ent/indexsnapshot"
	"entrepot/registry/database"
	"entrepot/registry/index"
)

// Snapshot is one state of an index: objects that go together.
type Snapshot struct {
	// Generation grows with every snapshot of a root.
	Generation int64
	// Modified is the Last-Modified of all objects, in whole seconds.
	Modified time.Time

	id      int64
	objects map[string]*IndexObject
}

// IndexObject is a file of an index. It never changes.
type IndexObject struct {
	// Path names it among the objects of its root.
	Path string
	// Sha256 is its digest in hexadecimal, Size its length in bytes.
	Sha256 string
	Size   int64
	// ContentType is its media type.
	ContentType string
	// Modified and Generation are those of the snapshot it was got from; of one
	// that was found by its digest they are zero.
	Modified   time.Time
	Generation int64

	recipe Recipe
	reg    *Registry
}

// Open returns the object's bytes.
func (o *IndexObject) Open(ctx context.Context) io.ReadSeeker {
	return o.recipe.Open(func(data int64) ([]byte, error) { return o.reg.indexData(ctx, data) })
}

// Object returns an object of the snapshot by its path; NotFound if there is
// none.
func (s *Snapshot) Object(path string) (*IndexObject, error) {
	if o := s.objects[path]; o != nil {
		return o, nil
	}
	return nil, Errorf(NotFound, "there is no such file in this index")
}

// Paths are the paths of all objects of the snapshot, in no order.
func (s *Snapshot) Paths() iter.Seq[string] { return maps.Keys(s.objects) }

// rootRow is what a read asks a root.
type rootRow struct {
	id, generation, built int64
	snapshot              *int64
}

const selectRoot = `SELECT id, generation, built, snapshot_id FROM index_roots WHERE owner_id = ? AND type = ? AND family = ? AND member = ?`

// What members are shown, and what everybody is: the public view, or as long
// as there is none the one and only.
var (
	rootForMembers = database.NewStatement(selectRoot + ` AND view = 'MEMBERS'`)
	rootForPublic  = database.NewStatement(selectRoot + ` ORDER BY view DESC LIMIT 1`)
	indexDatum     = database.NewStatement(`SELECT content FROM index_data WHERE id = ?`)
)

// indexRoot finds the view of an index that the viewer is shown.
func (s *Space) indexRoot(ctx context.Context, n IndexName) (*rootRow, error) {
	statement := rootForPublic
	if s.seesNarrow() {
		statement = rootForMembers
	}
	var root rootRow
	found, err := s.reg.db.Row(ctx, statement, []any{s.Owner.ID, s.Type.Name, n.Family, n.Member},
		&root.id, &root.generation, &root.built, &root.snapshot)
	if err != nil {
		return nil, fmt.Errorf("look up index: %w", err)
	}
	if !found {
		return nil, Errorf(NotFound, "there is no such index")
	}
	return &root, nil
}

// seesNarrow tells whether the viewer may read all packages of the owner,
// whatever their own visibility.
func (s *Space) seesNarrow() bool {
	return access.Decide(s.Viewer, access.Read, s.target("PRIVATE")).Allowed
}

// Index returns the present state of an index, which shows every publish and
// every deletion that had returned before the call. It is built now if need
// be. NotFound if nothing was ever listed in it.
func (s *Space) Index(ctx context.Context, n IndexName) (*Snapshot, error) {
	root, err := s.indexRoot(ctx, n)
	if err != nil {
		return nil, err
	}
	return s.present(ctx, root)
}

// present is a snapshot that shows the generation the root had when it was
// read. What was published since is no concern of this read.
func (s *Space) present(ctx context.Context, root *rootRow) (*Snapshot, error) {
	for root.snapshot == nil || root.built < root.generation {
		if err := s.reg.buildTo(ctx, root.id, root.generation); err != nil {
			return nil, err
		}
		row, err := s.reg.db.IndexRoot.Get(access.SystemContext(ctx), root.id)
		if ent.IsNotFound(err) {
			return nil, Errorf(NotFound, "the index is gone")
		}
		if err != nil {
			return nil, fmt.Errorf("read index: %w", err)
		}
		root = &rootRow{root.id, root.generation, row.Built, row.SnapshotID}
	}
	return s.reg.snapshot(ctx, *root.snapshot)
}

const (
	// pinFor is how long a client is shown files that go with an entry
	// document it got.
	pinFor = 30 * time.Second
	// pinEntry is how long an entry document stays with files that a client got
	// before it.
	pinEntry = 5 * time.Second
	maxPins  = 10_000
)

// pin is the state of a root that a client is in the middle of fetching.
type pin struct {
	snapshot int64
	at       time.Time
	// early tells that no entry document was asked for yet.
	early bool
}

type pinKey struct {
	root   int64
	client [sha256.Size]byte
}

// IndexClient tells clients apart that fetch files which must go together: by their
// address, their program and their credential.
func IndexClient(address, agent, authorization string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join([]string{address, agent, authorization}, "\x00")))
}

// IndexEntry is Index for the document by which clients learn the rest, which
// some fetch in further requests by names that stay: those get files of the
// same state (IndexSecondary).
func (s *Space) IndexEntry(ctx context.Context, n IndexName, client [sha256.Size]byte) (*Snapshot, error) {
	root, err := s.indexRoot(ctx, n)
	if err != nil {
		return nil, err
	}
	key := pinKey{root.id, client}
	if p, ok := s.reg.pins.GetIfPresent(key); ok && p.early && time.Since(p.at) < pinEntry {
		if snapshot, err := s.reg.snapshot(ctx, p.snapshot); err == nil {
			s.reg.pins.Set(key, pin{snapshot: p.snapshot, at: time.Now()})
			return snapshot, nil
		}
	}
	snapshot, err := s.present(ctx, root)
	if err != nil {
		return nil, err
	}
	s.reg.pins.Set(key, pin{snapshot: snapshot.id, at: time.Now()})
	return snapshot, nil
}

// IndexSecondary returns the state whose entry document the client has got
// last, or the present one, which its entry document then goes with.
func (s *Space) IndexSecondary(ctx context.Context, n IndexName, client [sha256.Size]byte) (*Snapshot, error) {
	root, err := s.indexRoot(ctx, n)
	if err != nil {
		return nil, err
	}
	key := pinKey{root.id, client}
	if p, ok := s.reg.pins.GetIfPresent(key); ok && time.Since(p.at) < pinFor {
		if snapshot, err := s.reg.snapshot(ctx, p.snapshot); err == nil {
			return snapshot, nil
		}
	}
	snapshot, err := s.present(ctx, root)
	if err != nil {
		return nil, err
	}
	s.reg.pins.Set(key, pin{snapshot: snapshot.id, at: time.Now(), early: true})
	return snapshot, nil
}

// IndexByHash returns an object of the present state of an index, or of one
// before it that is kept, by its SHA-256 in hexadecimal, in any case. folder is
// where its path lies, with a final slash, or "".
func (s *Space) IndexByHash(ctx context.Context, n IndexName, folder, sum string) (*IndexObject, error) {
	root, err := s.indexRoot(ctx, n)
	if err != nil {
		return nil, err
	}
	sum = strings.ToLower(sum)
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) != sha256.Size {
		return nil, Errorf(NotFound, "this is no SHA-256")
	}
	// Files of the same content are of several paths.
	rows, err := s.reg.db.IndexObject.Query().Where(indexobject.RootID(root.id), indexobject.Sha256(sum)).
		Order(ent.Desc(indexobject.FieldID)).All(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("look up object: %w", err)
	}
	for _, row := range rows {
		if dir, _ := path.Split(row.Path); dir == folder {
			return s.reg.object(row)
		}
	}
	return nil, Errorf(NotFound, "the index has no file of this digest any more")
}

// object makes an object of its row.
func (r *Registry) object(row *ent.IndexObject) (*IndexObject, error) {
	recipe, err := index.Unpack(row.Recipe)
	if err != nil {
		return nil, err
	}
	return &IndexObject{
		Path: row.Path, Sha256: row.Sha256, Size: row.Size, ContentType: row.ContentType, recipe: recipe, reg: r,
	}, nil
}

// snapshot reads a snapshot. It never changes, so it is kept in memory.
func (r *Registry) snapshot(ctx context.Context, id int64) (*Snapshot, error) {
	if s, ok := r.snapshots.GetIfPresent(id); ok {
		return s, nil
	}
	ctx = access.SystemContext(ctx)
	row, err := r.db.IndexSnapshot.Query().Where(indexsnapshot.ID(id)).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	objects, err := readObjects(ctx, r.db.Client, row.Objects)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{id: id, Generation: row.Generation, Modified: row.ModifiedAt.UTC(), objects: make(map[string]*IndexObject, len(objects))}
	for _, o := range objects {
		object, err := r.object(o)
		if err != nil {
			return nil, err
		}
		object.Modified, object.Generation = s.Modified, s.Generation
		s.objects[o.Path] = object
	}
	r.snapshots.Set(id, s)
	return s, nil
}

// readObjects reads objects by their numbers.
func readObjects(ctx context.Context, client *ent.Client, ids []int64) ([]*ent.IndexObject, error) {
	rows, err := client.IndexObject.Query().Where(indexobject.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read objects: %w", err)
	}
	return rows, nil
}

// indexData reads the bytes of a datum, which never changes.
func (r *Registry) indexData(ctx context.Context, id int64) ([]byte, error) {
	if content, ok := r.indexCache.GetIfPresent(id); ok {
		return content, nil
	}
	var content []byte
	found, err := r.db.Row(ctx, indexDatum, []any{id}, &content)
	if err != nil {
		return nil, fmt.Errorf("read datum %d: %w", id, err)
	}
	if !found {
		return nil, fmt.Errorf("datum %d of an index is gone", id)
	}
	r.indexCache.Set(id, content)
	return content, nil
}

// indexMemory is how many bytes of chunks are kept in memory.
const indexMemory = 64 << 20

// initIndexes prepares what indexes keep in memory.
func (r *Registry) initIndexes() {
	r.signing.db = r.db
	r.indexCache = otter.Must(&otter.Options[int64, []byte]{
		MaximumWeight: indexMemory,
		Weigher:       func(_ int64, content []byte) uint32 { return uint32(len(content) + 64) },
	})
	r.snapshots = otter.Must(&otter.Options[int64, *Snapshot]{
		MaximumWeight: indexMemory / 2,
		Weigher: func(_ int64, s *Snapshot) uint32 {
			weight := 128
			for _, o := range s.objects {
				weight += 256 + 64*len(o.recipe.Parts())
				for _, p := range o.recipe.Parts() {
					weight += len(p.Literal)
				}
			}
			return uint32(weight)
		},
	})
	r.packed = otter.Must(&otter.Options[string, []byte]{
		MaximumWeight: packedMemory,
		Weigher:       func(_ string, content []byte) uint32 { return uint32(len(content) + 128) },
	})
	r.pins = otter.Must(&otter.Options[pinKey, pin]{MaximumSize: maxPins})
}

// Indexes lists the indexes of the space, members' views alone, by family and
// member. The viewer must be allowed to read the owner's packages.
func (s *Space) Indexes(ctx context.Context) ([]*ent.IndexRoot, error) {
	roots, err := s.reg.db.IndexRoot.Query().
		Where(indexroot.OwnerID(s.Owner.ID), indexroot.Type(s.Type.Name), indexroot.ViewEQ(indexroot.ViewMembers)).
		Order(ent.Asc(indexroot.FieldFamily), ent.Asc(indexroot.FieldMember)).
		All(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	return roots, nil
}

// HasIndex tells whether the space has an index of the family, whatever its
// member, and whether or not anything is listed in it now.
func (s *Space) HasIndex(ctx context.Context, family string) (bool, error) {
	has, err := s.reg.db.IndexRoot.Query().
		Where(indexroot.OwnerID(s.Owner.ID), indexroot.Type(s.Type.Name), indexroot.Family(family)).
		Exist(access.SystemContext(ctx))
	if err != nil {
		return false, fmt.Errorf("look for indexes: %w", err)
	}
	return has, nil
}
