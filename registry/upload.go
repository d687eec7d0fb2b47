package registry

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/blobupload"
	"entrepot/ent/predicate"
	"entrepot/ent/schema"
	"entrepot/storage"
)

// An upload is content that arrives in several requests, which any replica may
// take: all there is to know of it stands in its row. Each chunk is an object
// of its own; the row lists them and carries the state of the digests, so that
// every byte is hashed as it passes and read again only to join several
// chunks.
//
// Every change raises the row's revision and holds only on the revision it was
// made from: of two requests that go on with one upload the first to commit
// wins and the other is a Conflict, whatever happened to the process in
// between. So that nobody sends a gigabyte in vain, a request whose chunk is
// not here at once claims the row, renews the claim as long as it writes, and
// gives it back in the statement that commits the chunk; others are told at
// once.
//
// A chunk is durable before the row names it, and the row is gone before an
// object is removed. What a crash leaves between the two is found from the key
// leases.

const (
	// claimFor is how long a claim holds without being renewed: how long a
	// client waits after the server that took its chunk has died.
	claimFor = 30 * time.Second
	// smallChunk is the size in bytes of a chunk that is written so soon that
	// it needs no claim.
	smallChunk = 64 << 10
)

// Chunk is the next piece of an upload.
type Chunk struct {
	// Body is the piece; nil is an empty one.
	Body io.Reader
	// Offset is where the client believes the chunk to begin, or -1.
	Offset int64
	// Size is the length the client announced, or -1.
	Size int64
}

// BeginUpload opens an upload into the package of that normalized name, which
// need not exist, for the space's viewer. want adds digests to SHA-256.
func (s *Space) BeginUpload(ctx context.Context, normalizedName string, want storage.Algorithm) (*ent.BlobUpload, error) {
	if err := s.check(access.Write, ""); err != nil {
		return nil, err
	}
	state, err := storage.NewHasher(want).MarshalBinary()
	if err != nil {
		return nil, err
	}
	u, err := s.reg.db.BlobUpload.Create().
		SetSession(rand.Text()).
		SetOwnerID(s.Owner.ID).
		SetPackageType(s.Type.Name).
		SetPackageName(normalizedName).
		SetUserID(s.Viewer.UserID).
		SetHashState(state).
		SetExpiresAt(now().Add(MaxUpload)).
		Save(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("begin upload: %w", err)
	}
	return u, nil
}

// Upload returns an upload that the space's viewer began into the package of
// that name. NotFound covers one that has ended or expired, is another
// account's or goes elsewhere.
func (s *Space) Upload(ctx context.Context, normalizedName, session string) (*ent.BlobUpload, error) {
	u, err := s.reg.db.BlobUpload.Query().
		Where(
			blobupload.Session(session),
			blobupload.OwnerID(s.Owner.ID),
			blobupload.PackageType(s.Type.Name),
			blobupload.PackageName(normalizedName),
			blobupload.UserID(s.Viewer.UserID),
			blobupload.ExpiresAtGT(now()),
		).
		Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, errUploadGone
	}
	if err != nil {
		return nil, fmt.Errorf("look up upload: %w", err)
	}
	return u, nil
}

var (
	errUploadGone  = Errorf(NotFound, "the upload is unknown: it was finished or cancelled, or has expired")
	errUploadInUse = Errorf(Conflict, "another request is writing to this upload")
)

// AppendUpload adds a chunk and returns the upload as it is then. It returns
// once the bytes are durable and their number is committed. When the body
// breaks off, what has arrived is kept all the same and the error is Invalid.
// Other errors: Conflict when another request writes to the upload,
// Precondition when the chunk does not begin where the last one ended,
// Mismatch when it is not as long as announced; after these the upload is as
// it was. TooLarge ends it.
func (s *Space) AppendUpload(ctx context.Context, u *ent.BlobUpload, c Chunk) (*ent.BlobUpload, error) {
	h, err := s.hold(ctx, u, 0)
	if err != nil {
		return nil, err
	}
	defer h.release()
	part, err := h.receive(c)
	if err != nil {
		return nil, err
	}
	if err := h.commit(part); err != nil {
		return nil, err
	}
	return h.upload, nil
}

// FinishUpload adds the last chunk, makes one content of the whole and
// publishes it: the upload ends in the transaction that publishes. want are
// digests that the publication needs. publication describes it; an error from
// there ends the upload. After other errors the upload is as it was, or as
// AppendUpload leaves it. Errors are those of AppendUpload and Publish.
func (s *Space) FinishUpload(ctx context.Context, u *ent.BlobUpload, last Chunk, want storage.Algorithm, publication func(*Stored) (Publication, error)) (*Published, error) {
	h, err := s.hold(ctx, u, want)
	if err != nil {
		return nil, err
	}
	defer h.release()
	content, err := h.receive(last)
	if err != nil {
		return nil, err
	}
	// made tells that the row does not name the content's object.
	made := true
	if content == nil || len(u.Parts) > 0 {
		if err := h.commit(content); err != nil {
			return nil, err
		}
		if content, made, err = h.join(want); err != nil {
			return nil, err
		}
	}
	p, err := publication(content)
	if err != nil {
		if made {
			s.reg.Discard(ctx, content)
		}
		return nil, errors.Join(err, h.end())
	}
	p.upload = h.upload
	var spare []*Stored
	published, err := s.publish(ctx, p, &spare)
	if err != nil {
		if made && !errors.Is(err, errCommit) {
			s.reg.Discard(ctx, content)
		}
		return nil, err
	}
	h.over = true
	s.reg.Discard(ctx, spare...)
	if made {
		s.reg.removeParts(ctx, h.upload)
	}
	return published, nil
}

// CancelUpload ends an upload and removes what it has received. A request that
// writes to it at the moment gets a Conflict.
func (s *Space) CancelUpload(ctx context.Context, u *ent.BlobUpload) error {
	ctx = access.SystemContext(ctx)
	for {
		ended, err := s.reg.deleteUpload(ctx, u)
		if err != nil || ended {
			return err
		}
		// It went on meanwhile: there may be another part.
		u, err = s.reg.db.BlobUpload.Get(ctx, u.ID)
		if ent.IsNotFound(err) {
			return errUploadGone
		}
		if err != nil {
			return fmt.Errorf("look up upload: %w", err)
		}
	}
}

// deleteUpload removes the row, if it is still as u has it, and then the parts.
func (r *Registry) deleteUpload(ctx context.Context, u *ent.BlobUpload) (ended bool, err error) {
	n, err := r.db.BlobUpload.Delete().Where(sameRevision(u)...).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("end upload: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	r.removeParts(ctx, u)
	return true, nil
}

func (r *Registry) removeParts(ctx context.Context, u *ent.BlobUpload) {
	for _, p := range u.Parts {
		r.removeObject(ctx, p.Key)
	}
}

func sameRevision(u *ent.BlobUpload) []predicate.BlobUpload {
	return []predicate.BlobUpload{blobupload.ID(u.ID), blobupload.Revision(u.Revision)}
}

// uploadHold is one request's work on an upload.
type uploadHold struct {
	reg *Registry
	// upload is the row as this request last left it.
	upload *ent.BlobUpload
	// digests have seen all that was received.
	digests *storage.Hasher
	// over tells that there is no claim to give back.
	over bool
	// ctx outlives the client, and ends when the claim is lost.
	ctx     context.Context
	cancel  context.CancelFunc
	renewed sync.WaitGroup
}

// hold begins work on an upload that nobody else has claimed. Nothing is
// written yet. want are digests to compute as well, if it is not too late.
func (s *Space) hold(ctx context.Context, u *ent.BlobUpload, want storage.Algorithm) (*uploadHold, error) {
	if err := s.check(access.Write, ""); err != nil {
		return nil, err
	}
	if u.ClaimedUntil != nil && u.ClaimedUntil.After(now()) {
		return nil, errUploadInUse
	}
	h := &uploadHold{reg: s.reg, upload: u, digests: new(storage.Hasher), over: true}
	if err := h.digests.UnmarshalBinary(u.HashState); err != nil {
		return nil, err
	}
	if u.Received == 0 {
		h.digests = storage.NewHasher(h.digests.Algorithms() | want)
	}
	// A client that hangs up ends its context; what it has sent is to be kept.
	h.ctx, h.cancel = context.WithCancel(access.SystemContext(context.WithoutCancel(ctx)))
	return h, nil
}

// receive stores a chunk, which the row does not name yet; nil for an empty
// one.
func (h *uploadHold) receive(c Chunk) (*Stored, error) {
	if c.Offset >= 0 && c.Offset != h.upload.Received {
		return nil, Errorf(Precondition, "the chunk begins at byte %d, but the upload is at byte %d", c.Offset, h.upload.Received)
	}
	if c.Body == nil {
		c.Body = bytes.NewReader(nil)
	}
	body := &chunkReader{r: c.Body, announced: c.Size}
	buffered := bufio.NewReaderSize(body, smallChunk)
	head, atEnd := buffered.Peek(smallChunk)
	if atEnd == nil {
		if err := h.claim(); err != nil {
			return nil, err
		}
	}
	var part *Stored
	if len(head) > 0 {
		var err error
		part, err = h.reg.StoreWith(h.ctx, buffered, -1, h.digests)
		if CodeOf(err) == TooLarge {
			return nil, errors.Join(err, h.end())
		}
		if err != nil {
			return nil, err
		}
	}
	if !body.asAnnounced() {
		h.reg.Discard(h.ctx, part)
		return nil, Errorf(Mismatch, "the chunk is not of the %d bytes announced", c.Size)
	}
	if body.broken != nil {
		if err := h.commit(part); err != nil {
			return nil, err
		}
		return nil, Errorf(Invalid, "the body broke off; %d bytes of the upload are kept", h.upload.Received)
	}
	return part, nil
}

// chunkReader reads a body that may break off: it ends there, so that the
// store finishes what has arrived, and remembers why.
type chunkReader struct {
	r         io.Reader
	announced int64 // below 0: not
	read      int64
	broken    error
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.broken != nil || c.announced >= 0 && c.read > c.announced {
		return 0, io.EOF
	}
	n, err := c.r.Read(p)
	c.read += int64(n)
	if err != nil && err != io.EOF {
		c.broken, err = err, io.EOF
	}
	return n, err
}

// asAnnounced is false for a body that came whole and has another length.
func (c *chunkReader) asAnnounced() bool {
	return c.announced < 0 || c.read == c.announced || c.broken != nil && c.read < c.announced
}

// claim keeps others away until the hold is released.
func (h *uploadHold) claim() error {
	if !h.over {
		return nil
	}
	at := now()
	n, err := h.reg.db.BlobUpload.Update().
		Where(append(sameRevision(h.upload), blobupload.ExpiresAtGT(at))...).
		AddRevision(1).
		SetClaimedUntil(at.Add(claimFor)).
		Save(h.ctx)
	if err != nil {
		return fmt.Errorf("claim upload: %w", err)
	}
	if n == 0 {
		return errUploadInUse
	}
	claimed := *h.upload
	claimed.Revision++
	h.upload, h.over = &claimed, false
	h.renewed.Go(func() { h.renew(&claimed) })
	return nil
}

// renew keeps the claim while the request works, however long that takes.
func (h *uploadHold) renew(claimed *ent.BlobUpload) {
	tick := time.NewTicker(claimFor / 3)
	defer tick.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-tick.C:
		}
		n, err := h.reg.db.BlobUpload.Update().
			Where(sameRevision(claimed)...).
			SetClaimedUntil(now().Add(claimFor)).
			Save(h.ctx)
		if err == nil && n == 0 {
			// Cancelled, or taken over after this process slept too long.
			h.cancel()
			return
		}
	}
}

// unclaim stops renewing.
func (h *uploadHold) unclaim() context.Context {
	h.cancel()
	h.renewed.Wait()
	return context.WithoutCancel(h.ctx)
}

// commit names the part in the row and gives the claim back, in one statement.
// There may be no part.
func (h *uploadHold) commit(part *Stored) error {
	if part == nil {
		return nil
	}
	state, err := h.digests.MarshalBinary()
	if err != nil {
		return err
	}
	ctx := h.unclaim()
	u := *h.upload
	u.Parts = append(slices.Clone(u.Parts), schema.UploadPart{Key: part.Key, Size: part.Size})
	u.Received += part.Size
	u.Revision++
	u.HashState, u.ClaimedUntil = state, nil
	u.ExpiresAt = now().Add(MaxUpload)
	n, err := h.reg.db.BlobUpload.Update().
		Where(append(sameRevision(h.upload), blobupload.ExpiresAtGT(now()))...).
		SetParts(u.Parts).
		SetReceived(u.Received).
		SetHashState(u.HashState).
		SetExpiresAt(u.ExpiresAt).
		SetRevision(u.Revision).
		ClearClaimedUntil().
		Save(ctx)
	if err != nil {
		// The row may name the part all the same: it is not removed here.
		return fmt.Errorf("commit part: %w", err)
	}
	h.over = true
	if n == 0 {
		h.reg.Discard(ctx, part)
		return errUploadInUse
	}
	h.upload = &u
	h.ctx, h.cancel = context.WithCancel(ctx)
	return nil
}

// join returns what the row names as one object. That of a single part is
// taken as it is; made tells that the object is another one.
func (h *uploadHold) join(want storage.Algorithm) (content *Stored, made bool, err error) {
	parts := make([]storage.Part, len(h.upload.Parts))
	for i, p := range h.upload.Parts {
		parts[i] = storage.Part{Key: p.Key, Size: p.Size}
	}
	sums := h.digests.Sums()
	switch len(parts) {
	case 0:
		content, err = h.reg.Store(h.ctx, bytes.NewReader(nil), 0, want)
		return content, true, err
	case 1:
		if !h.digests.Algorithms().Has(want) {
			if sums, err = h.digestAgain(parts, want); err != nil {
				return nil, false, err
			}
		}
		return &Stored{Key: parts[0].Key, Size: parts[0].Size, Sums: sums}, false, nil
	}
	if err := h.claim(); err != nil {
		return nil, false, err
	}
	until := now().Add(h.reg.keys.upload)
	key, err := h.reg.keys.take(h.ctx)
	if err != nil {
		return nil, false, fmt.Errorf("reserve a key: %w", err)
	}
	w, err := storage.Compose(h.ctx, h.reg.store, key, parts, h.digests.Algorithms()|want)
	if err != nil {
		return nil, false, storeError(err)
	}
	if w.Sums.SHA256 != sums.SHA256 {
		h.reg.removeObject(h.ctx, key)
		return nil, false, fmt.Errorf("the parts of upload %d read back as %s, not %s", h.upload.ID, w.Sums.SHA256, sums.SHA256)
	}
	return &Stored{Key: w.Key, Size: w.Size, Sums: w.Sums, until: until}, true, nil
}

// digestAgain computes digests that the client asks for only at the end.
func (h *uploadHold) digestAgain(parts []storage.Part, want storage.Algorithm) (storage.Sums, error) {
	d := storage.NewHasher(want)
	whole := h.reg.OpenParts(h.ctx, parts)
	defer whole.Close()
	if _, err := io.Copy(d, whole); err != nil {
		return storage.Sums{}, fmt.Errorf("read upload: %w", err)
	}
	return d.Sums(), nil
}

// end removes the upload.
func (h *uploadHold) end() error {
	ended, err := h.reg.deleteUpload(h.unclaim(), h.upload)
	if ended {
		h.over = true
	}
	return err
}

// release gives the claim back if nothing else has. It must run before the
// client is answered: its next request follows at once.
func (h *uploadHold) release() {
	ctx := h.unclaim()
	if h.over {
		return
	}
	err := h.reg.db.BlobUpload.Update().Where(sameRevision(h.upload)...).ClearClaimedUntil().Exec(ctx)
	if err != nil {
		h.reg.log.Warn("the claim on an upload could not be given back; it lapses by itself", "error", err)
	}
}
