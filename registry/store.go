package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/ent/packagefile"
	"entrepot/ent/predicate"
	"entrepot/storage"
)

// Stored is content that lies in the store and that no row names yet. It is
// handed to Publish, which takes it over whatever happens, or to Discard.
type Stored struct {
	Key  string
	Size int64
	Sums storage.Sums

	// until is when the collector may begin to take the object for garbage;
	// zero while the row of an upload names it.
	until time.Time
}

// Store streams body into the store and returns once its bytes are durable.
// size is the announced length or -1; want adds digests to SHA-256. Errors:
// Invalid when the body is not as long as announced or breaks off, TooLarge,
// Unavailable when the store is full or out of reach.
func (r *Registry) Store(ctx context.Context, body io.Reader, size int64, want storage.Algorithm) (*Stored, error) {
	return r.StoreWith(ctx, body, size, storage.NewHasher(want))
}

// StoreWith is Store with digests that may have seen earlier parts of a longer
// content: the sums are of all that h has seen, the size is this part's.
func (r *Registry) StoreWith(ctx context.Context, body io.Reader, size int64, h *storage.Hasher) (*Stored, error) {
	if err := r.CheckSize(h.Size() + max(size, 0)); err != nil {
		return nil, err
	}
	if r.maxSize > 0 {
		body = &boundedReader{r: body, left: r.maxSize - h.Size(), limit: r.maxSize}
	}
	until := now().Add(r.keys.upload)
	key, err := r.keys.take(ctx)
	if err != nil {
		return nil, fmt.Errorf("reserve a key: %w", err)
	}
	w, err := storage.WriteWith(ctx, r.store, key, body, size, h)
	if err != nil {
		return nil, storeError(err)
	}
	c := &Stored{Key: w.Key, Size: w.Size, Sums: w.Sums, until: until}
	if err := c.inTime(); err != nil {
		r.Discard(ctx, c)
		return nil, err
	}
	return c, nil
}

// inTime refuses content whose key is about to fall back to the collector. It
// asks the wall clock, not the monotonic one, which stands still while a
// machine sleeps.
func (c *Stored) inTime() error {
	if !c.until.IsZero() && now().After(c.until) {
		return Errorf(Unavailable, "the upload took longer than %v, try again", MaxUpload)
	}
	return nil
}

// CheckSize tells TooLarge for a length that would not be stored. Unknown
// lengths, below 0, pass: they are counted as they stream.
func (r *Registry) CheckSize(size int64) error {
	if r.maxSize > 0 && size > r.maxSize {
		return Errorf(TooLarge, "the file is larger than the %d bytes this server takes", r.maxSize)
	}
	return nil
}

// boundedReader refuses a body that goes on beyond the limit.
type boundedReader struct {
	r           io.Reader
	left, limit int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, Errorf(TooLarge, "the file is larger than the %d bytes this server takes", b.limit)
	}
	return n, err
}

func storeError(err error) error {
	// A reader of the caller's that refused the body says why.
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, storage.ErrSize):
		return Errorf(Invalid, "the body is not as long as announced")
	case errors.Is(err, storage.ErrBody):
		return Errorf(Invalid, "the body broke off: %v", err)
	case errors.Is(err, storage.ErrNoSpace):
		return Errorf(Unavailable, "the storage is full")
	case errors.Is(err, storage.ErrTemporary):
		return Errorf(Unavailable, "the storage is out of reach, try again later")
	}
	return fmt.Errorf("store: %w", err)
}

// Discard removes content that was not published. It works also after the
// client has gone, and does not fail: what it cannot remove, the collector
// will.
func (r *Registry) Discard(ctx context.Context, contents ...*Stored) {
	for _, c := range contents {
		if c == nil {
			continue
		}
		r.removeObject(ctx, c.Key)
	}
}

func (r *Registry) removeObject(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := r.store.Remove(ctx, key); err != nil {
		r.log.WarnContext(ctx, "an object could not be removed; the collector will", "key", key, "error", err)
	}
}

// Open returns the bytes of a file whose blob is loaded.
func (r *Registry) Open(ctx context.Context, f *ent.PackageFile) (io.ReadSeekCloser, error) {
	if f.Edges.Blob == nil {
		return nil, errors.New("open file: its blob is not loaded")
	}
	return r.OpenBlob(ctx, f.Edges.Blob)
}

// OpenStored returns the bytes of content that is not published yet, for
// archives that can only be read from their end.
func (r *Registry) OpenStored(ctx context.Context, c *Stored) (io.ReadSeekCloser, error) {
	f, err := r.store.Open(ctx, c.Key, c.Size)
	if err != nil {
		return nil, storeError(err)
	}
	return f, nil
}

// OpenBlob returns the bytes of a blob.
func (r *Registry) OpenBlob(ctx context.Context, b *ent.PackageBlob) (io.ReadSeekCloser, error) {
	open := func() (io.ReadSeekCloser, error) { return r.store.Open(ctx, b.StorageKey, b.Size) }
	var f io.ReadSeekCloser
	var err error
	if b.Size <= smallContent {
		f, err = r.small.read(b.StorageKey, b.Size, open)
	} else {
		f, err = open()
	}
	if errors.Is(err, storage.ErrTemporary) {
		return nil, Errorf(Unavailable, "the storage is out of reach, try again later")
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", b.Sha256, err)
	}
	return f, nil
}

// OpenParts returns one reader over the parts of an upload, in order.
func (r *Registry) OpenParts(ctx context.Context, parts []storage.Part) io.ReadSeekCloser {
	return storage.Concat(ctx, r.store, parts)
}

// blobFor returns the row for stored content within the transaction: a live
// one with the same digest, which the content then duplicates, or a new one.
func blobFor(ctx context.Context, tx *ent.Tx, c *Stored) (b *ent.PackageBlob, duplicate bool, err error) {
	for range 3 {
		b, err = tx.PackageBlob.Query().Where(liveBlob(c.Sums.SHA256)).Only(ctx)
		switch {
		case err == nil:
			kept, err := reference(ctx, tx, b, c.Sums)
			if err != nil || kept {
				return b, true, err
			}
			// The collector claimed it between the two statements.
		case !ent.IsNotFound(err):
			return nil, false, fmt.Errorf("look up blob: %w", err)
		}
		if err := c.inTime(); err != nil {
			return nil, false, err
		}
		id, err := tx.PackageBlob.Create().
			SetSize(c.Size).
			SetSha256(c.Sums.SHA256).
			SetSha512(c.Sums.SHA512).
			SetSha1(c.Sums.SHA1).
			SetMd5(c.Sums.MD5).
			SetBlake2b(c.Sums.BLAKE2b256).
			SetStorageKey(c.Key).
			OnConflict(onLiveBlob()...).
			Ignore().
			ID(ctx)
		if err != nil {
			return nil, false, fmt.Errorf("insert blob: %w", err)
		}
		b, err = tx.PackageBlob.Get(ctx, id)
		if err != nil {
			return nil, false, fmt.Errorf("read blob: %w", err)
		}
		if b.StorageKey == c.Key {
			return b, false, nil
		}
		// Another transaction was first: refer to its row as to any other.
	}
	return nil, false, Errorf(Conflict, "the same content is being removed, try again")
}

// onLiveBlob names the index that keeps live blobs unique. The condition is
// written out because PostgreSQL cannot infer an index from a parameter. It is
// made anew for each statement: a condition is written into while the
// statement is built, and two at once would mix their texts.
func onLiveBlob() []entsql.ConflictOption {
	return []entsql.ConflictOption{
		entsql.ConflictColumns(packageblob.FieldSha256),
		entsql.ConflictWhere(entsql.ExprP("state = 'LIVE'")),
	}
}

// liveBlob matches the live blob of that digest. Its condition on the state is
// written out like the index's, for the planner to see that the index serves.
func liveBlob(sha256 string) predicate.PackageBlob {
	return func(s *entsql.Selector) {
		s.Where(entsql.And(
			entsql.EQ(s.C(packageblob.FieldSha256), sha256),
			entsql.ExprP(s.C(packageblob.FieldState)+" = 'LIVE'"),
		))
	}
}

// reference takes a blob out of the collector's reach. It reports false when
// the collector was first. Digests the blob lacks are added.
func reference(ctx context.Context, tx *ent.Tx, b *ent.PackageBlob, sums storage.Sums) (bool, error) {
	u := tx.PackageBlob.Update().
		Where(packageblob.ID(b.ID), packageblob.StateEQ(packageblob.StateLive)).
		ClearUnreferencedAt()
	if b.Sha512 == "" && sums.SHA512 != "" {
		u.SetSha512(sums.SHA512)
	}
	if b.Sha1 == "" && sums.SHA1 != "" {
		u.SetSha1(sums.SHA1)
	}
	if b.Md5 == "" && sums.MD5 != "" {
		u.SetMd5(sums.MD5)
	}
	if b.Blake2b == "" && sums.BLAKE2b256 != "" {
		u.SetBlake2b(sums.BLAKE2b256)
	}
	n, err := u.Save(ctx)
	if err != nil {
		return false, fmt.Errorf("refer to blob: %w", err)
	}
	return n == 1, nil
}

// release starts the grace time of the blobs that no file names any more.
//
// It locks the rows first, in the order in which publishes lock them, and
// looks for files only then, in a statement of its own: a publish that held
// one of the rows has committed its file by now, and the look-up, which sees
// what was committed before it began, does not miss it. So a row that carries
// the mark is never named by a committed file, which the collector builds on.
func release(ctx context.Context, tx *ent.Tx, blobIDs ...int64) error {
	// The order is kept within what one statement can name.
	const chunk = 10_000
	for ids := range slices.Chunk(blobIDs, chunk) {
		if err := lockBlobs(ctx, tx, ids); err != nil {
			return err
		}
		err := tx.PackageBlob.Update().
			Where(packageblob.IDIn(ids...), packageblob.Not(packageblob.HasFiles())).
			SetUnreferencedAt(now()).
			Exec(ctx)
		if err != nil {
			return fmt.Errorf("release blobs: %w", err)
		}
	}
	return nil
}

// lockBlobs locks the rows in the order of their digests. On SQLite, where a
// transaction that writes is alone, it only reads.
func lockBlobs(ctx context.Context, tx *ent.Tx, ids []int64) error {
	var locked []struct {
		ID int64 `json:"id"`
	}
	err := tx.PackageBlob.Query().Where(packageblob.IDIn(ids...)).Order(packageblob.BySha256()).
		Modify(forUpdate()).Select(packageblob.FieldID).Scan(ctx, &locked)
	if err != nil {
		return fmt.Errorf("lock blobs: %w", err)
	}
	return nil
}

// forUpdate locks the selected rows where the database knows such a thing.
func forUpdate(opts ...entsql.LockOption) func(*entsql.Selector) {
	return func(s *entsql.Selector) {
		if s.Dialect() == dialect.Postgres {
			s.For(entsql.LockNoKeyUpdate, opts...)
		}
	}
}

// blobIDsOf lists the blobs of the files that match.
func blobIDsOf(ctx context.Context, tx *ent.Tx, where ...predicate.PackageFile) ([]int64, error) {
	var ids []int64
	err := tx.PackageFile.Query().Where(where...).Unique(true).Select(packagefile.FieldBlobID).Scan(ctx, &ids)
	return ids, err
}
