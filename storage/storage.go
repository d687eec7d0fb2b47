// Package storage keeps bytes: immutable objects under keys that were never used before, on a local disk or on any
// remote that rclone reaches. It knows nothing of packages, users or the database, and imports nothing of this module.
//
// # One write per byte
//
// A stream goes straight to its final object while its digests are computed ([Write]); nothing is renamed, copied or
// looked at twice on a remote. The caller's database says which key holds which content. Because a key ([NewKey]) is
// random and never used again, an object is either absent or complete and never changes: it can be cached, linked to
// and collected without asking anybody.
//
// # What is durable when
//
// When Put returns nil the bytes survive a power cut. On a local disk that means, in this order:
//
//  1. the bytes go to a new file in tmp/ below the root (same file system as the objects);
//  2. fsync of that file: content and length are on the disk;
//  3. the file moves to its key in one step that refuses to replace anything: readers see all of it or nothing;
//  4. fsync of the directory: the name is on the disk. A directory that had to be made was itself fsynced into its
//     parent before.
//
// On a remote it means that the backend acknowledged the upload, that it consumed exactly the announced bytes, and that
// the size it reports is the size we sent.
//
// # What a crash leaves behind
//
// Before step 3 a file in tmp/, which a later [Open] removes once nothing has been written to it for a day. After step 3
// a complete object no row names. On a remote a complete object without a row, or an unfinished multipart upload that
// the bucket's lifecycle rule must expire. Never half an object under a key, and never a row without bytes, provided
// that the caller commits its row after Put returned. The reverse order of deletion follows: first the row, then
// [Remover.Remove]. Objects without rows are found by comparing [Lister.List] with the database.
//
// # When something fails
//
// A failed Put removes what it had written, with a context of its own, because the usual reason is a client that hung up.
// Errors can be told apart with errors.Is: [ErrNotFound], [ErrSize], [ErrBody] (the sender failed, not the store),
// [ErrNoSpace], [ErrTemporary] (worth another try later), anything else is permanent. A stream can be read only once, so
// what is retried here is what fits in memory: bodies up to 5 MiB on remotes, and parts of larger ones on S3.
package storage

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"time"
)

// Store is everything a backend can do. Functions that need less ask for one of the small roles it is composed of.
// All methods may be called by any number of goroutines.
type Store interface {
	Receiver
	Opener
	Stater
	Remover
	Lister
	Linker

	// Ping says whether the store can be reached, for readiness probes. It writes nothing and costs one directory
	// lookup or one request. It does not fail on a full disk: reads go on there.
	Ping(ctx context.Context) error

	// Close releases the root and idle connections. Call it after the last Put has returned; readers handed out
	// stay valid on a local disk.
	Close() error
}

// Receiver takes new objects.
type Receiver interface {
	// Put streams r to key, which must be new, and returns the number of bytes written once they are durable.
	// size is the length of r in bytes, or -1 when it is not known. A body that turns out shorter or longer than announced is ErrSize. After any error nothing
	// is left under key. Errors: ErrSize, ErrBody, ErrExist (local disk only: key is taken and stays as it is), ErrKey,
	// ErrNoSpace, ErrTemporary, the context's error.
	Put(ctx context.Context, key string, r io.Reader, size int64) (written int64, err error)
}

// Opener gives out the bytes of an object.
type Opener interface {
	// Open returns a reader at the start of the object. size is its length as the caller's database knows it.
	// On a local disk the reader is an *os.File, so that net/http can use sendfile. On a remote, Seek only notes the
	// position; the next Read opens the object from there, and a broken connection is resumed. ctx must
	// live as long as the reader. Errors: ErrNotFound, ErrSize (the remote's object has another size), ErrTemporary.
	Open(ctx context.Context, key string, size int64) (io.ReadSeekCloser, error)
}

// Stater measures objects.
type Stater interface {
	// Stat returns the size of the object in bytes, or ErrNotFound.
	Stat(ctx context.Context, key string) (int64, error)
}

// Remover deletes objects.
type Remover interface {
	// Remove deletes the object; one that is already gone is no error. After a power cut a removed object may be
	// back (the removal is not fsynced), which costs space and nothing else since its key is never used again.
	Remove(ctx context.Context, key string) error
}

// Entry is one object of a listing.
type Entry struct {
	Key     string
	Size    int64     // bytes
	ModTime time.Time // zero where the remote does not tell
}

// Lister walks the whole store.
type Lister interface {
	// List yields every object in no particular order and stops at the first error, which it yields with a zero Entry.
	// Objects put or removed meanwhile may or may not appear. It takes minutes on a large bucket: it is for
	// checking the store against the database, never for a request.
	List(ctx context.Context) iter.Seq2[Entry, error]
}

// LinkOptions say what the response behind a link looks like.
type LinkOptions struct {
	ContentType string        // Content-Type of the response; empty leaves it to the remote
	Disposition string        // Content-Disposition of the response; empty leaves it out
	TTL         time.Duration // how long the link works; 0 means Options.LinkTTL, more than MaxLinkTTL is cut to it
}

// Linker lets clients fetch objects from the remote itself.
type Linker interface {
	// Link returns a URL that anybody can GET (not HEAD) until it expires. It does not check that the object exists.
	// Errors: ErrNoLink where the remote cannot do this, or not with these options.
	Link(ctx context.Context, key string, l LinkOptions) (url string, err error)
}

// DefaultLinkTTL is how long links live unless the options say otherwise. MaxLinkTTL is as long as any may live: a link
// works for whoever holds it, also after its reader has lost the right to the file. A download that has begun goes on.
const (
	DefaultLinkTTL = 5 * time.Minute
	MaxLinkTTL     = 15 * time.Minute
)

// Options refine Open. The zero value is usable.
type Options struct {
	// RcloneConfig is the path of an rclone.conf that NAME:path remotes are looked up in. It is read once and
	// never written. An encrypted file is opened with RCLONE_CONFIG_PASS. Names are process-wide.
	RcloneConfig string

	// PublicEndpoint is the URL (scheme://host[:port]) under which clients reach the object store, when that differs
	// from the one this process uses. Only links use it. On Google Cloud Storage a host outside of googleapis.com
	// is taken for one that is bound to the bucket, whose paths do not name it.
	PublicEndpoint string

	// LinkTTL is the default life of links; 0 means DefaultLinkTTL.
	LinkTTL time.Duration

	// Logger receives what rclone has to say; nil means slog.Default(). rclone has one logger per process: the last
	// Open that set one wins.
	Logger *slog.Logger

	// SpoolDir is where bodies of unknown length wait for remotes that must know it beforehand (b2, swift and S3 do
	// not need it; some WebDAV servers do). Empty means os.TempDir().
	SpoolDir string
}

// Open opens a store. remote is one of
//
//	/path/or/relative/path              a local directory, made if missing
//	:s3,provider=...,endpoint=...:bucket/prefix    an rclone connection string, any backend linked into this binary
//	:memory:                            a fresh store in memory (":memory:name" is shared within the process)
//	NAME:path                           a remote of opts.RcloneConfig or of RCLONE_CONFIG_NAME_* variables
//
// A remote that turns out to be a local directory gets the local fast path too. Opening an S3 remote sends no request;
// Ping tells whether it answers. Secrets of the connection string never appear in errors or logs.
func Open(ctx context.Context, remote string, opts Options) (Store, error) {
	if opts.LinkTTL <= 0 {
		opts.LinkTTL = DefaultLinkTTL
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	return openRemote(ctx, remote, opts)
}
