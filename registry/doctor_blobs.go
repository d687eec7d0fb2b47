package registry

import (
	"context"
	"errors"
	"fmt"
	"io"

	entsql "entgo.io/ent/dialect/sql"
	"golang.org/x/sync/errgroup"

	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/storage"
)

// diagnoseWorkers is how many contents are read at a time.
const diagnoseWorkers = 4

// blobs compares every content that may be read with its object. Dying blobs
// that no file names are the collector's.
func (d *diagnosis) blobs(ctx context.Context) error {
	last := int64(0)
	for {
		blobs, err := d.db.PackageBlob.Query().
			Where(inUse(), packageblob.IDGT(last)).
			Order(ent.Asc(packageblob.FieldID)).
			Limit(diagnoseBatch).
			All(ctx)
		if err != nil {
			return err
		}
		if len(blobs) == 0 {
			return nil
		}
		last = blobs[len(blobs)-1].ID
		g, groupCtx := errgroup.WithContext(ctx)
		g.SetLimit(diagnoseWorkers)
		for _, b := range blobs {
			if groupCtx.Err() != nil {
				break
			}
			g.Go(func() error { return d.blob(groupCtx, b) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
}

// inUse matches blobs that are live or that a file names.
func inUse() predicate.PackageBlob {
	return packageblob.Or(packageblob.StateEQ(packageblob.StateLive), packageblob.HasFiles())
}

func (d *diagnosis) blob(ctx context.Context, b *ent.PackageBlob) error {
	// What was set aside is taken back on no less than a full reading.
	state, err := d.examine(ctx, b, d.reads() || b.State == packageblob.StateDying)
	if err != nil {
		return err
	}
	if state.sound() && b.State == packageblob.StateLive {
		return nil
	}
	// An object goes only after its row has ceased to be in use: if it still
	// is, what was seen before is a defect.
	b, err = d.db.PackageBlob.Query().Where(inUse(), packageblob.ID(b.ID)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case state.lost != "":
		return d.lostBlob(ctx, b, state)
	case b.State == packageblob.StateDying:
		return d.soundAgain(ctx, b)
	}
	return d.wrongRow(ctx, b, state)
}

// blobState is what a look at a blob's object has shown.
type blobState struct {
	// lost is why the content cannot be had, or "".
	lost   FindingKind
	detail string
	// size and sums are the object's, when its bytes were read and are the
	// row's content.
	size int64
	sums storage.Sums
	// wrong lists what the row tells wrongly of its content.
	wrong []FindingKind
}

func (s *blobState) sound() bool { return s.lost == "" && len(s.wrong) == 0 }

// examine measures the object and, if asked to or if it is not as long as it
// should be, reads it. Its error is that nothing can be said: the store is out
// of reach.
func (d *diagnosis) examine(ctx context.Context, b *ent.PackageBlob, read bool) (*blobState, error) {
	size, err := d.store.Stat(ctx, b.StorageKey)
	if err != nil {
		return unavailable(b, err)
	}
	if !read && size == b.Size {
		return &blobState{size: size}, nil
	}
	sums, err := d.digest(ctx, b, size)
	if err != nil {
		return unavailable(b, err)
	}
	if sums.SHA256 != b.Sha256 {
		detail := fmt.Sprintf("the object %s reads as sha256:%s", b.StorageKey, sums.SHA256)
		if size != b.Size {
			detail = fmt.Sprintf("the object %s has %d bytes, not %d", b.StorageKey, size, b.Size)
		}
		return &blobState{lost: DamagedBytes, detail: detail}, nil
	}
	s := &blobState{size: size, sums: sums}
	if size != b.Size {
		s.wrong = append(s.wrong, WrongSize)
	}
	if sums != rowSums(b) {
		s.wrong = append(s.wrong, WrongDigest)
	}
	return s, nil
}

// unavailable tells objects that are lost from a store that is out of reach.
func unavailable(b *ent.PackageBlob, err error) (*blobState, error) {
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return &blobState{lost: MissingBytes, detail: fmt.Sprintf("the object %s is not there", b.StorageKey)}, nil
	case errors.Is(err, storage.ErrTemporary), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nil, err
	}
	return &blobState{lost: UnreadableBytes, detail: err.Error()}, nil
}

// digest reads the object and computes the digests that the row has.
func (d *diagnosis) digest(ctx context.Context, b *ent.PackageBlob, size int64) (storage.Sums, error) {
	var want storage.Algorithm
	for _, digest := range []struct {
		sum       string
		algorithm storage.Algorithm
	}{
		{b.Sha512, storage.SHA512}, {b.Sha1, storage.SHA1}, {b.Md5, storage.MD5}, {b.Blake2b, storage.BLAKE2b256},
	} {
		if digest.sum != "" {
			want |= digest.algorithm
		}
	}
	body, err := d.store.Open(ctx, b.StorageKey, size)
	if err != nil {
		return storage.Sums{}, err
	}
	defer body.Close()
	h := storage.NewHasher(want)
	if _, err := io.Copy(h, &untilDone{ctx, body}); err != nil {
		return storage.Sums{}, err
	}
	return h.Sums(), nil
}

// untilDone ends a long read with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

func rowSums(b *ent.PackageBlob) storage.Sums {
	return storage.Sums{SHA256: b.Sha256, SHA512: b.Sha512, SHA1: b.Sha1, MD5: b.Md5, BLAKE2b256: b.Blake2b}
}

// lostBlob reports every file of content that cannot be had. To fix it is to
// set the content aside and, once the same bytes have been published again, to
// join the files to those.
func (d *diagnosis) lostBlob(ctx context.Context, b *ent.PackageBlob, state *blobState) error {
	fixed, detail := false, state.detail
	names, err := d.namesOf(ctx, b)
	if err != nil {
		return err
	}
	twin, err := d.twin(ctx, b)
	if err != nil {
		return err
	}
	switch {
	case twin != nil && d.opts.Fix:
		if fixed, err = d.rejoin(ctx, b, twin); err != nil {
			return err
		}
	case twin != nil:
		detail += "; the same content was published again and can take its place"
	case d.opts.Fix:
		// Never again will a publish find it and drop its own, good, bytes.
		// Without a file the row is the collector's from here on.
		err := d.db.PackageBlob.Update().
			Where(packageblob.ID(b.ID), packageblob.StateEQ(packageblob.StateLive)).
			SetState(packageblob.StateDying).
			Exec(ctx)
		if err != nil {
			return err
		}
		if fixed = len(names) == 0; !fixed {
			detail += "; it was set aside: restore the object, or publish the same content again, and repeat this"
		}
	}
	if len(names) == 0 {
		names = []string{contentName(b)}
	}
	for _, name := range names {
		d.found(Finding{Kind: state.lost, Subject: name, Detail: detail, Fixed: fixed})
	}
	return nil
}

// twin returns another, live blob of the same content whose bytes are sound,
// or nil.
func (d *diagnosis) twin(ctx context.Context, b *ent.PackageBlob) (*ent.PackageBlob, error) {
	twin, err := d.db.PackageBlob.Query().Where(liveBlob(b.Sha256), packageblob.IDNEQ(b.ID)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	state, err := d.examine(ctx, twin, true)
	if err != nil || state.lost != "" {
		return nil, err
	}
	return twin, nil
}

// rejoin points the files of b at its twin, unless the twin was collected
// meanwhile. What is left of b is the collector's.
func (d *diagnosis) rejoin(ctx context.Context, b, twin *ent.PackageBlob) (done bool, err error) {
	err = d.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		if done, err = reference(ctx, tx, twin, rowSums(b)); err != nil || !done {
			return err
		}
		if err := tx.PackageFile.Update().Where(packagefile.BlobID(b.ID)).SetBlobID(twin.ID).Exec(ctx); err != nil {
			return err
		}
		return release(ctx, tx, twin.ID)
	})
	return done, err
}

// soundAgain reports content that was set aside and can be had after all.
func (d *diagnosis) soundAgain(ctx context.Context, b *ent.PackageBlob) error {
	return d.settled(ctx, func(ctx context.Context, tx *ent.Tx) (*Finding, func() error, error) {
		if err := lockBlobs(ctx, tx, []int64{b.ID}); err != nil {
			return nil, nil, err
		}
		still, err := tx.PackageBlob.Query().
			Where(packageblob.ID(b.ID), packageblob.StateEQ(packageblob.StateDying), packageblob.HasFiles()).
			Exist(ctx)
		if err != nil || !still {
			return nil, nil, err
		}
		f := &Finding{Kind: SetAside, Subject: contentName(b), Detail: "the content was set aside, and is sound; files name it"}
		return f, func() error {
			twin, err := tx.PackageBlob.Query().Where(liveBlob(b.Sha256)).Only(ctx)
			if ent.IsNotFound(err) {
				return tx.PackageBlob.UpdateOneID(b.ID).SetState(packageblob.StateLive).ClearUnreferencedAt().Exec(ctx)
			}
			if err != nil {
				return err
			}
			if kept, err := reference(ctx, tx, twin, rowSums(b)); err != nil || !kept {
				return errors.Join(err, errors.New("its twin was collected meanwhile; run this again"))
			}
			return tx.PackageFile.Update().Where(packagefile.BlobID(b.ID)).SetBlobID(twin.ID).Exec(ctx)
		}, nil
	})
}

// wrongRow reports, and corrects, what a row tells wrongly of sound content.
func (d *diagnosis) wrongRow(ctx context.Context, b *ent.PackageBlob, state *blobState) error {
	for _, kind := range state.wrong {
		f := Finding{Kind: kind, Subject: contentName(b)}
		correct := d.db.PackageBlob.UpdateOneID(b.ID)
		if kind == WrongSize {
			f.Detail = fmt.Sprintf("the row tells %d bytes, the content has %d", b.Size, state.size)
			correct.Modify(func(u *entsql.UpdateBuilder) { u.Set(packageblob.FieldSize, state.size) })
		} else {
			f.Detail = fmt.Sprintf("the row tells other digests than the content has: %+v", state.sums)
			correctSums(correct, state.sums)
		}
		if d.opts.Fix {
			if err := correct.Exec(ctx); err != nil && !ent.IsNotFound(err) {
				return err
			}
			f.Fixed = true
		}
		d.found(f)
	}
	return nil
}

// correctSums sets the digests that were computed; a publish may have added
// others meanwhile.
func correctSums(u *ent.PackageBlobUpdateOne, sums storage.Sums) {
	for _, digest := range []struct {
		sum string
		set func(string) *ent.PackageBlobUpdateOne
	}{
		{sums.SHA512, u.SetSha512}, {sums.SHA1, u.SetSha1}, {sums.MD5, u.SetMd5}, {sums.BLAKE2b256, u.SetBlake2b},
	} {
		if digest.sum != "" {
			digest.set(digest.sum)
		}
	}
}

func contentName(b *ent.PackageBlob) string { return "sha256:" + b.Sha256 }

// maxNames bounds how many files of one content are told by name.
const maxNames = 1000

// namesOf returns the names of the blob's files for findings.
func (d *diagnosis) namesOf(ctx context.Context, b *ent.PackageBlob) ([]string, error) {
	files, err := d.db.PackageFile.Query().
		Where(packagefile.BlobID(b.ID)).
		Order(ent.Asc(packagefile.FieldID)).
		Limit(maxNames + 1).
		WithVersion(func(q *ent.PackageVersionQuery) {
			q.Select(packageversion.FieldID, packageversion.FieldVersion, packageversion.FieldPackageID).
				WithPackage(func(q *ent.PkgQuery) {
					q.Select(pkg.FieldID, pkg.FieldOwnerID, pkg.FieldType, pkg.FieldName).WithOwner()
				})
		}).
		All(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for i, f := range files {
		v := f.Edges.Version
		switch {
		case i == maxNames:
			names = append(names, "and more files of "+contentName(b))
		case v == nil || v.Edges.Package == nil: // deleted between the statements
		default:
			names = append(names, fmt.Sprintf("%s, version %s, file %s", packageName(v.Edges.Package), v.Version, f.Name))
		}
	}
	return names, nil
}

// packageName is how a package whose owner is loaded is called in findings.
func packageName(p *ent.Pkg) string {
	return fmt.Sprintf("%s/%s/%s", p.Edges.Owner.Name, p.Type, p.Name)
}
