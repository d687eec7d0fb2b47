// Package registry is the domain: owners, packages, their versions, files and
// blobs; publishing, deleting, downloading; and the documents composed from
// what is published.
//
// It imports ent, storage and access, and knows nothing of HTTP or of any one
// package type. Its central idea: a request enters a Space, the packages of
// one type under one owner as one viewer may see them (space.go); everything
// a wire adapter does, it does in a Space, so that no path leads around the
// access gate. A change is one transaction (publish.go, delete.go), and bytes
// are durable before the row that names them (store.go).
package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry/database"
	"entrepot/storage"
)

// Registry is the domain over one database and one store. It is safe for
// concurrent use; any number of them may share the database and the store.
type Registry struct {
	db           *database.DB
	store        storage.Store
	types        map[string]Type
	typeOrder    []string
	log          *slog.Logger
	grace        time.Duration
	keepUnneeded time.Duration
	redirect     RedirectPolicy
	linkFailure  linkFailure
	maxSize      int64
	// cleanupSchedule is that of rules that have none of their own.
	cleanupSchedule string
	keys            keyPool
	downloads       downloadCounter
	wanted          wantedFiles
	documents       *documentCache
	journals        *journalCache
	small           smallCache

	// What repository-wide indexes keep; see index.go.
	signing    signingKeys
	builds     singleflight.Group
	indexCache *otter.Cache[int64, []byte]
	snapshots  *otter.Cache[int64, *Snapshot]
	packed     *otter.Cache[string, []byte]
	pins       *otter.Cache[pinKey, pin]
}

// Options configure a Registry.
type Options struct {
	Database *database.DB
	Store    storage.Store
	// Types lists the package types there are.
	Types []Type
	// Logger receives what happens outside of any request; nil discards it.
	Logger *slog.Logger
	// Grace is how long bytes without a reference are kept; 0 means an hour.
	Grace time.Duration
	// KeepUnneeded is how long a file that was uploaded for a version that
	// never came, or whose version went, is kept; 0 means a day.
	KeepUnneeded time.Duration
	// Redirect says which downloads clients fetch from the store itself.
	Redirect RedirectPolicy
	// MaxSize is the largest content that is stored, in bytes; 0 means no
	// limit.
	MaxSize int64
	// Flush is how long download counts stay in memory; 0 means 5 seconds.
	Flush time.Duration
	// CleanupSchedule is when cleanup rules are carried out that do not say so
	// themselves, as ParseSchedule reads it; empty means never.
	CleanupSchedule string
	// DocumentCache bounds the memory for composed documents in bytes; 0
	// means 32 MiB.
	DocumentCache int64
}

// New returns a Registry. Close must be called to write what is still in
// memory.
func New(opts Options) (*Registry, error) {
	r := &Registry{
		db:       opts.Database,
		store:    opts.Store,
		types:    make(map[string]Type, len(opts.Types)),
		log:      opts.Logger,
		grace:    opts.Grace,
		redirect: opts.Redirect,
		maxSize:  opts.MaxSize,

		cleanupSchedule: opts.CleanupSchedule,
	}
	if r.cleanupSchedule != "" {
		if _, err := ParseSchedule(r.cleanupSchedule); err != nil {
			return nil, fmt.Errorf("the schedule of cleanup rules cannot be read: %w", err)
		}
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.grace <= 0 {
		r.grace = time.Hour
	}
	r.keepUnneeded = cmp.Or(opts.KeepUnneeded, defaultKeepUnneeded)
	for _, t := range opts.Types {
		if _, twice := r.types[t.Name]; twice {
			return nil, fmt.Errorf("package type %q is listed twice", t.Name)
		}
		r.types[t.Name] = t
		r.typeOrder = append(r.typeOrder, t.Name)
	}
	r.keys.init(r.db)
	r.downloads.init(r, cmp.Or(opts.Flush, defaultFlush))
	r.documents = newDocumentCache(opts.DocumentCache)
	r.journals = newJournalCache(opts.DocumentCache)
	r.small = newSmallCache()
	r.initIndexes()
	return r, nil
}

// Close writes the download counts still in memory and gives unused storage
// keys back.
func (r *Registry) Close(ctx context.Context) error {
	err := r.downloads.close(ctx)
	r.keys.close(ctx)
	return err
}

// Client is the ent client for reads outside of a Space: GraphQL's. Each read
// is filtered by the viewer in its context.
func (r *Registry) Client() *ent.Client { return r.db.Client }

// Database is the database beneath, for health checks and statistics.
func (r *Registry) Database() *database.DB { return r.db }

// inTx runs f in one transaction, under the system's eyes: whoever calls it
// has asked access.Decide before. The transaction is committed when f returns
// nil. When the database gave it up in favour of another one it is run again
// from the start, so f must change nothing but the database and what it
// assigns anew each time.
//
// Deadlocks are avoided by order: the package's row first, then blobs by their
// digests. What is left, two publishes that overwrite each the other's
// content, is rare enough to be settled by PostgreSQL.
func (r *Registry) inTx(ctx context.Context, f func(ctx context.Context, tx *ent.Tx) error) error {
	ctx = access.SystemContext(ctx)
	const attempts = 5
	for n := 1; ; n++ {
		err := r.tryTx(ctx, f)
		if n == attempts || !database.GaveUp(err) || ctx.Err() != nil {
			return err
		}
		r.log.DebugContext(ctx, "a transaction is tried again", "attempt", n, "error", err)
	}
}

func (r *Registry) tryTx(ctx context.Context, f func(ctx context.Context, tx *ent.Tx) error) error {
	tx, err := r.db.Tx(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		// After a commit this does nothing; after an error or a panic it frees
		// the connection.
		_ = tx.Rollback()
	}()
	ctx, changed := withChangedRoots(ctx)
	if err := f(ctx, tx); err != nil {
		return err
	}
	if err := changed.raise(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%w: %w", errCommit, err)
	}
	return nil
}

// errCommit marks a commit that failed: a lost connection leaves open whether
// the database carried it out.
var errCommit = errors.New("commit")

// now is the clock of the database; see ent/schema.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
