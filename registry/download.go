package registry

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
)

// defaultFlush is how long download counts stay in memory: a crash loses at
// most so much, and no read ever waits for a write.
const defaultFlush = 5 * time.Second

// downloadCounter gathers downloads in memory and writes them now and then.
type downloadCounter struct {
	reg *Registry

	mu    sync.Mutex
	files map[int64]*downloads

	stop    chan struct{}
	stopped chan struct{}
}

type downloads struct {
	packageID, versionID int64
	lead                 bool
	n                    int64
}

func (c *downloadCounter) init(r *Registry, flush time.Duration) {
	c.reg = r
	c.files = map[int64]*downloads{}
	c.stop, c.stopped = make(chan struct{}), make(chan struct{})
	go c.run(flush)
}

func (c *downloadCounter) run(flush time.Duration) {
	defer close(c.stopped)
	tick := time.NewTicker(flush)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
			if err := c.flush(context.Background()); err != nil {
				c.reg.log.Warn("download counts could not be written; trying again", "error", err)
			}
		}
	}
}

func (c *downloadCounter) close(ctx context.Context) error {
	close(c.stop)
	<-c.stopped
	return c.flush(ctx)
}

// CountDownload counts one download of a file whose version is loaded. The
// version and the package count their lead files alone.
func (r *Registry) CountDownload(f *ent.PackageFile) {
	if f.Edges.Version == nil {
		return
	}
	c := &r.downloads
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.files[f.ID]
	if d == nil {
		d = &downloads{packageID: f.Edges.Version.PackageID, versionID: f.VersionID, lead: f.Lead}
		c.files[f.ID] = d
	}
	d.n++
}

// FlushDownloads writes the counts in memory now.
func (r *Registry) FlushDownloads(ctx context.Context) error { return r.downloads.flush(ctx) }

func (c *downloadCounter) flush(ctx context.Context) error {
	return errors.Join(c.reg.wanted.flush(ctx, c.reg), c.flushCounts(ctx))
}

func (c *downloadCounter) flushCounts(ctx context.Context) error {
	c.mu.Lock()
	files := c.files
	c.files = make(map[int64]*downloads, len(files))
	c.mu.Unlock()
	if len(files) == 0 {
		return nil
	}
	if err := c.write(ctx, files); err != nil {
		c.mu.Lock()
		for id, d := range files {
			if later := c.files[id]; later != nil {
				d.n += later.n
			}
			c.files[id] = d
		}
		c.mu.Unlock()
		return err
	}
	return nil
}

// write adds the counts, packages first and all in the order of their
// numbers, as publishing does: the two never wait for each other crosswise.
func (c *downloadCounter) write(ctx context.Context, files map[int64]*downloads) error {
	packages, versions := map[int64]int64{}, map[int64]int64{}
	for _, d := range files {
		if d.lead {
			packages[d.packageID] += d.n
			versions[d.versionID] += d.n
		}
	}
	at := now()
	return c.reg.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		for _, id := range slices.Sorted(maps.Keys(packages)) {
			if err := tx.Pkg.Update().Where(pkg.ID(id)).AddDownloads(packages[id]).Exec(ctx); err != nil {
				return err
			}
		}
		for _, id := range slices.Sorted(maps.Keys(versions)) {
			if err := tx.PackageVersion.Update().Where(packageversion.ID(id)).AddDownloads(versions[id]).SetDownloadedAt(at).Exec(ctx); err != nil {
				return err
			}
		}
		for _, id := range slices.Sorted(maps.Keys(files)) {
			if err := tx.PackageFile.Update().Where(packagefile.ID(id)).AddDownloads(files[id].n).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}
