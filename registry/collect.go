package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"golang.org/x/sync/errgroup"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/ent/predicate"
)

// Collected is what a run of the collector has removed.
type Collected struct {
	// Files counts layers and the like that no version has needed for a day.
	Files int
	// Expired counts files that, by their owner's settings, had had their time.
	Expired int
	// Blobs counts contents that no file had named for the grace time.
	Blobs int
	// Uploads counts uploads that were given up.
	Uploads int
	// Strays counts objects that crashes and cut connections left behind.
	Strays int
	// Leases counts blocks of storage keys that no upload can use any more.
	Leases int
	// Bytes is the size of what was removed from the store.
	Bytes int64
}

// Collect removes what nothing refers to: contents that no file has named for
// the grace time, uploads that were given up, and objects that never got a
// row. It walks the database and never lists the store, so its cost follows
// the garbage; its memory is bounded. Any number of replicas may run it at
// once and beside everything else. What cannot be removed now, because the
// store is out of reach or the process dies, is found by the next run; then
// the error says so, and the counts are of what was removed all the same.
func (r *Registry) Collect(ctx context.Context) (Collected, error) {
	c := &collection{Registry: r, at: now()}
	ctx = access.SystemContext(ctx)
	for _, step := range []func(context.Context) error{
		c.removeExpired, c.removeUnneeded, c.claimBlobs, c.removeBlobs, c.removeUploads, c.removeLeases, c.collectIndexes,
	} {
		if err := step(ctx); err != nil {
			return c.done, fmt.Errorf("collect garbage: %w", err)
		}
	}
	if c.failed > 0 {
		return c.done, fmt.Errorf("collect garbage: %d objects could not be removed: %w", c.failed, c.failure)
	}
	return c.done, nil
}

const (
	// collectBatch is how many rows one transaction of the collector touches,
	// and how many it holds in memory.
	collectBatch = 500
	// collectWorkers is how many objects are removed at a time.
	collectWorkers = 8
	// collectFailures is how many objects may resist before a run is given
	// up: the store is out of reach then, and each takes its time to fail.
	collectFailures = 20
)

// collection is one run of the collector.
type collection struct {
	*Registry
	// at is the run's one idea of the present.
	at time.Time

	mu      sync.Mutex
	done    Collected
	failed  int
	failure error
}

// claimBlobs marks contents whose grace is over as dying. From then on no
// publish refers to them: one that brings the same bytes keeps its own object
// and gets a row of its own, which the index on live rows alone lets in.
//
// Why this never takes a blob that a publish is about to use. Both sides
// change the blob's row, so one waits for the other:
//
//   - The publish is first. It has cleared the mark (see reference) and holds
//     the row's lock until its file is committed. The collector skips a locked
//     row; after the commit the mark is gone, and it does not match.
//   - The collector is first. The publish waits for the row, finds that it is
//     live no longer, and goes on with its own bytes.
//   - The publish has read the row as live and not touched it yet. Reading
//     binds nobody; its update decides, as in the two cases above.
//
// A deletion sets the mark under the row's lock after it has seen that no
// committed file names the blob (see release), and whoever adds a file clears
// it. So the mark alone is proof, whatever the grace and however far the
// clocks of two replicas are apart; that the statement also looks for files
// guards against marks that are wrong for reasons not thought of.
//
// On SQLite all of these are whole transactions on one connection, begun as
// writers: they do not overlap at all.
func (c *collection) claimBlobs(ctx context.Context) error {
	for {
		claimed := 0
		err := c.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
			ids, err := c.lockSome(ctx, tx, expired(c.at.Add(-c.grace))...)
			if err != nil || len(ids) == 0 {
				return err
			}
			claimed, err = tx.PackageBlob.Update().
				Where(packageblob.IDIn(ids...)).
				Where(expired(c.at.Add(-c.grace))...).
				SetState(packageblob.StateDying).
				Save(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("claim blobs: %w", err)
		}
		if claimed < collectBatch {
			return nil
		}
	}
}

// expired matches live blobs that no file has named since before the cutoff.
func expired(cutoff time.Time) []predicate.PackageBlob {
	return []predicate.PackageBlob{
		packageblob.StateEQ(packageblob.StateLive),
		packageblob.UnreferencedAtLT(cutoff),
		packageblob.Not(packageblob.HasFiles()),
	}
}

// lockSome returns some of the blobs that match, locked for the transaction.
// Rows that others hold are passed over: they are being referred to, or are
// another collector's. Nobody who waits for nothing can be part of a deadlock.
func (c *collection) lockSome(ctx context.Context, tx *ent.Tx, where ...predicate.PackageBlob) ([]int64, error) {
	q := tx.PackageBlob.Query().Where(where...).Limit(collectBatch)
	if c.db.Dialect == dialect.Postgres {
		q.ForUpdate(entsql.WithLockAction(entsql.SkipLocked))
	}
	return q.IDs(ctx)
}

// removeBlobs removes dying blobs, the objects first: a row without bytes that
// nobody will read is found again by its state, bytes without a row by nobody.
// This includes blobs that a run before this one had claimed when it ended.
func (c *collection) removeBlobs(ctx context.Context) error {
	// Blobs whose objects resist, which collectFailures keeps few.
	var stay []int64
	for {
		blobs, err := c.db.PackageBlob.Query().
			Where(packageblob.StateEQ(packageblob.StateDying), packageblob.Not(packageblob.HasFiles()), packageblob.IDNotIn(stay...)).
			Limit(collectBatch).
			Select(packageblob.FieldID, packageblob.FieldStorageKey, packageblob.FieldSize).
			All(ctx)
		if err != nil {
			return fmt.Errorf("list dying blobs: %w", err)
		}
		if len(blobs) == 0 {
			return nil
		}
		left, err := c.removeBatch(ctx, blobs)
		if err != nil {
			return err
		}
		stay = append(stay, left...)
	}
}

// removeBatch removes the blobs with their objects, and returns those that it
// could not remove or that another collector is about to.
func (c *collection) removeBatch(ctx context.Context, blobs []*ent.PackageBlob) (left []int64, err error) {
	removed := make([]bool, len(blobs))
	err = c.each(ctx, len(blobs), func(ctx context.Context, i int) error {
		err := c.store.Remove(ctx, blobs[i].StorageKey)
		removed[i] = err == nil
		return err
	})
	if err != nil {
		return nil, err
	}
	sizes := make(map[int64]int64, len(blobs))
	for i, b := range blobs {
		if removed[i] {
			sizes[b.ID] = b.Size
		} else {
			left = append(left, b.ID)
		}
	}
	var ours []int64
	err = c.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		// Another collector may have been as far as this: whoever deletes the
		// row counts it.
		ours, err = c.lockSome(ctx, tx, packageblob.IDIn(slices.Collect(maps.Keys(sizes))...), packageblob.StateEQ(packageblob.StateDying))
		if err != nil || len(ours) == 0 {
			return err
		}
		_, err = tx.PackageBlob.Delete().Where(packageblob.IDIn(ours...)).Exec(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("delete blobs: %w", err)
	}
	for _, id := range ours {
		c.done.Blobs++
		c.done.Bytes += sizes[id]
		delete(sizes, id)
	}
	return slices.AppendSeq(left, maps.Keys(sizes)), nil
}

// each runs f for 0 to n-1, several at a time. A failure of f is remembered
// for the end of the run; too many of them, and the end of ctx, are an error.
func (c *collection) each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(collectWorkers)
	for i := range n {
		if groupCtx.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := f(groupCtx, i); err != nil {
				return c.note(groupCtx, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

func (c *collection) note(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed++
	if c.failure == nil {
		c.failure = err
	}
	if c.failed >= collectFailures {
		return fmt.Errorf("given up after %d failures: %w", c.failed, c.failure)
	}
	return nil
}
