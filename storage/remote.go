package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/list"
	"github.com/rclone/rclone/fs/object"
	"github.com/rclone/rclone/fs/operations"
	"github.com/rclone/rclone/fs/walk"
)

// cleanupTimeout bounds the removal of what a failed upload left behind.
const cleanupTimeout = 30 * time.Second

// remote keeps objects on an rclone backend. The backend's own features (encryption, chunking, several remotes joined)
// come along, because everything goes through its fs.Fs.
type remote struct {
	fs     fs.Fs
	config context.Context // carries rclone's settings for this store, nothing else
	spool  string          // directory for bodies whose length the backend must know
	linker linker          // nil where the backend cannot make links
	ttl    time.Duration   // of links that name none
}

// scoped adds the store's rclone settings to the caller's context.
func (s *remote) scoped(ctx context.Context) context.Context {
	return fs.CopyConfig(ctx, s.config)
}

// gatherLimit is how much of a body waits in memory before the backend sees any of it. A body that ends within it can be
// sent again when the remote stumbles, and one that breaks off never reaches the remote: S3 servers exist that
// keep what arrived of a broken PUT, and some do so only after the object was deleted. Larger bodies go to S3 in parts
// (upload_cutoff), which stay invisible until the last of them has arrived.
const gatherLimit = 5 << 20

// putAttempts is how often a gathered body is sent before the failure is the caller's; retryDelay is the pause
// after the first attempt, and doubles.
const (
	putAttempts = 3
	retryDelay  = 100 * time.Millisecond
)

// Put implements Receiver. The backend works under a context that is not cancelled with the caller's, so that it can
// clean up after itself; the caller's is looked at whenever the body is read.
func (s *remote) Put(ctx context.Context, key string, r io.Reader, size int64) (int64, error) {
	if err := checkKey("put", key); err != nil {
		return 0, err
	}
	body := &exactReader{ctx: ctx, r: r, size: size}
	head := &gathered{}
	defer head.release()
	n, err := s.put(s.scoped(context.WithoutCancel(ctx)), key, body, head)
	if body.err != nil {
		err = body.err // the cause; what the backend says is the consequence
	}
	if err != nil {
		s.discard(ctx, key)
		return 0, fail("put", key, err)
	}
	return n, nil
}

func (s *remote) put(ctx context.Context, key string, body *exactReader, head *gathered) (int64, error) {
	if err := head.fill(body); err != nil {
		return 0, err
	}
	switch {
	case body.eof:
		return s.putGathered(ctx, body.ctx, key, head)
	case body.size >= 0:
		return s.upload(ctx, key, io.MultiReader(head, body), body.size, s.fs.Put)
	}
	return s.putUnknown(ctx, key, io.MultiReader(head, body))
}

// putGathered uploads a body that is in memory, again if the remote is temporarily unable. caller ends the waiting.
func (s *remote) putGathered(ctx, caller context.Context, key string, body *gathered) (n int64, err error) {
	delay := retryDelay
	for attempt := 1; ; attempt++ {
		body.rewind()
		n, err = s.upload(ctx, key, body, body.size(), s.fs.Put)
		if err == nil || attempt == putAttempts || classify(err) != ErrTemporary {
			return n, err
		}
		select {
		case <-caller.Done():
			return 0, caller.Err()
		case <-time.After(delay):
			delay *= 2
		}
	}
}

// putUnknown uploads until r ends, through a temporary file if the backend needs the length first.
func (s *remote) putUnknown(ctx context.Context, key string, r io.Reader) (int64, error) {
	if stream := s.fs.Features().PutStream; stream != nil {
		return s.upload(ctx, key, r, -1, stream)
	}
	f, err := os.CreateTemp(s.spool, "entrepot-*")
	if err != nil {
		return 0, err
	}
	defer func() {
		f.Close()
		os.Remove(f.Name())
	}()
	size, err := io.Copy(f, r)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return 0, err
	}
	return s.upload(ctx, key, f, size, s.fs.Put)
}

// putter is fs.Fs.Put or Features.PutStream.
type putter func(ctx context.Context, in io.Reader, src fs.ObjectInfo, options ...fs.OpenOption) (fs.Object, error)

// upload hands r to the backend and believes its success only when all of r was taken and nothing else is there.
func (s *remote) upload(ctx context.Context, key string, r io.Reader, size int64, put putter) (int64, error) {
	body := &exactReader{ctx: ctx, r: r, size: size}
	src := object.NewStaticObjectInfo(key, time.Now(), size, true, nil, nil).WithMimeType("application/octet-stream")
	stored, err := put(ctx, body, src)
	if err != nil {
		return 0, err
	}
	if err := body.verdict(); err != nil {
		return 0, err
	}
	if got := stored.Size(); got >= 0 && got != body.n {
		return 0, sizeError(body.n, got)
	}
	return body.n, nil
}

// discard removes what a failed upload may have left, though the request that failed is often cancelled by then.
func (s *remote) discard(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := s.Remove(ctx, key); err != nil {
		fs.Logf(s.fs, "could not remove the rest of a failed upload, %s: %v", key, err)
	}
}

// object looks up an object; on S3 that is one HEAD request.
func (s *remote) object(ctx context.Context, key string) (fs.Object, error) {
	o, err := s.fs.NewObject(ctx, key)
	switch {
	case errors.Is(err, fs.ErrorObjectNotFound), errors.Is(err, fs.ErrorDirNotFound), errors.Is(err, fs.ErrorNotAFile), errors.Is(err, fs.ErrorIsDir):
		return nil, ErrNotFound
	case err != nil:
		return nil, err
	}
	return o, nil
}

// Open implements Opener: one lookup now, so that a missing object is known before a response has begun, and one ranged
// request per position that is read from.
func (s *remote) Open(ctx context.Context, key string, size int64) (io.ReadSeekCloser, error) {
	if err := checkKey("open", key); err != nil {
		return nil, err
	}
	ctx = s.scoped(ctx)
	o, err := s.object(ctx, key)
	if err == nil && o.Size() >= 0 && o.Size() != size {
		err = sizeError(size, o.Size())
	}
	if err != nil {
		return nil, fail("open", key, err)
	}
	return &remoteReader{ctx: ctx, object: o, key: key, size: size}, nil
}

func (s *remote) Stat(ctx context.Context, key string) (int64, error) {
	if err := checkKey("stat", key); err != nil {
		return 0, err
	}
	o, err := s.object(s.scoped(ctx), key)
	if err != nil {
		return 0, fail("stat", key, err)
	}
	return o.Size(), nil
}

func (s *remote) Remove(ctx context.Context, key string) error {
	if err := checkKey("remove", key); err != nil {
		return err
	}
	ctx = s.scoped(ctx)
	o, err := s.object(ctx, key)
	if err == nil {
		err = o.Remove(ctx)
	}
	if err = fail("remove", key, err); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// List implements Lister. Backends that can list recursively do so in pages of a thousand; others are walked directory
// by directory.
func (s *remote) List(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		ctx, cancel := context.WithCancel(s.scoped(ctx))
		defer cancel()
		var mu sync.Mutex // wrappers of several remotes list them at the same time
		done := false
		err := s.walk(ctx, func(entries fs.DirEntries) error {
			mu.Lock()
			defer mu.Unlock()
			for _, entry := range entries {
				if err := ctx.Err(); err != nil || done {
					return err
				}
				o, ok := entry.(fs.Object)
				if !ok || !ValidKey(o.Remote()) {
					continue
				}
				if !yield(Entry{Key: o.Remote(), Size: o.Size(), ModTime: o.ModTime(ctx)}, nil) {
					done = true
					cancel() // the backend need not fetch further pages
					return nil
				}
			}
			return nil
		})
		if err != nil && !done && !errors.Is(err, fs.ErrorDirNotFound) {
			yield(Entry{}, fail("list", "", err))
		}
	}
}

// walk calls fn with batches of entries, one at a time.
func (s *remote) walk(ctx context.Context, fn func(fs.DirEntries) error) error {
	if s.fs.Features().ListR != nil {
		return walk.ListR(ctx, s.fs, "", true, -1, walk.ListObjects, fn)
	}
	return s.walkDir(ctx, "", fn)
}

func (s *remote) walkDir(ctx context.Context, dir string, fn func(fs.DirEntries) error) error {
	entries, err := list.DirSorted(ctx, s.fs, true, dir)
	if err != nil {
		return err
	}
	if err := fn(entries); err != nil {
		return err
	}
	for _, entry := range entries {
		if sub, ok := entry.(fs.Directory); ok {
			if err := s.walkDir(ctx, sub.Remote(), fn); err != nil && !errors.Is(err, fs.ErrorDirNotFound) {
				return err
			}
		}
	}
	return nil
}

func (s *remote) Link(ctx context.Context, key string, l LinkOptions) (string, error) {
	if err := checkKey("link", key); err != nil {
		return "", err
	}
	if s.linker == nil {
		return "", fail("link", key, ErrNoLink)
	}
	l.TTL = lifetime(l.TTL, s.ttl)
	url, err := s.linker.link(s.scoped(ctx), key, l)
	return url, fail("link", key, err)
}

// Ping lists the top of the store: one request, which unlike a lookup of an object also notices a bucket that does not
// exist.
func (s *remote) Ping(ctx context.Context) error {
	_, err := s.fs.List(s.scoped(ctx), "b")
	if errors.Is(err, fs.ErrorDirNotFound) {
		err = nil
		if s.fs.Features().BucketBased {
			err = fmt.Errorf("bucket or container of %v does not exist", s.fs)
		}
	}
	return fail("ping", "", err)
}

// Close lets a backend with connections of its own (sftp) drop them.
func (s *remote) Close() error {
	shutdown := s.fs.Features().Shutdown
	if shutdown == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.scoped(context.Background()), cleanupTimeout)
	defer cancel()
	return fail("close", "", shutdown(ctx))
}

// remoteReader reads an object from wherever it was last sought to.
type remoteReader struct {
	ctx    context.Context
	object fs.Object
	key    string
	size   int64
	offset int64
	body   io.ReadCloser // open at offset, or nil
	closed bool
}

func (r *remoteReader) Read(p []byte) (int, error) {
	if r.closed {
		return 0, os.ErrClosed
	}
	if len(p) == 0 {
		return 0, nil
	}
	if r.offset >= r.size {
		return 0, io.EOF
	}
	if r.body == nil {
		body, err := operations.Open(r.ctx, r.object, &fs.RangeOption{Start: r.offset, End: r.size - 1})
		if err != nil {
			return 0, fail("read", r.key, err)
		}
		r.body = body
	}
	if int64(len(p)) > r.size-r.offset {
		p = p[:r.size-r.offset]
	}
	n, err := r.body.Read(p)
	r.offset += int64(n)
	switch {
	case err == io.EOF && r.offset < r.size:
		return n, fail("read", r.key, fmt.Errorf("object ends at byte %d of %d: %w", r.offset, r.size, io.ErrUnexpectedEOF))
	case err != nil && err != io.EOF:
		return n, fail("read", r.key, err)
	}
	return n, err
}

// Seek implements io.Seeker without any request.
func (r *remoteReader) Seek(offset int64, whence int) (int64, error) {
	target, err := seekTarget(r.offset, r.size, offset, whence)
	if err != nil || target == r.offset {
		return target, err
	}
	r.offset = target
	return target, r.closeBody()
}

func (r *remoteReader) Close() error {
	r.closed = true
	return r.closeBody()
}

func (r *remoteReader) closeBody() error {
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	return err
}
