//go:build e2e

package registry

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/registry/database/databasetest"
	"entrepot/storage"
)

func newPostgresFixture(t *testing.T, opts Options) (*fixture, *sql.DB) {
	t.Helper()
	databaseURL := databasetest.Postgres(t)
	raw, err := sql.Open("pgx", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return newFixtureOn(t, databaseURL, opts), raw
}

func TestCollectBesidePublishesOnPostgres(t *testing.T) {
	f, _ := newPostgresFixture(t, Options{Grace: time.Microsecond})
	soak(f, 20)
}

func TestDoctorBesideWorkOnPostgres(t *testing.T) {
	f, _ := newPostgresFixture(t, Options{Grace: time.Microsecond})
	diagnoseBesideWork(f, 12)
}

func TestConcurrentCollectorsOnPostgres(t *testing.T) {
	f, _ := newPostgresFixture(t, Options{})
	testConcurrentCollectors(f)
}

func TestDoctorOnPostgres(t *testing.T) {
	f, _ := newPostgresFixture(t, Options{})
	f.work()
	f.wantNoFindings()
}

// TestNoDeadlocksOnPostgres publishes the same contents, in ever other orders,
// into packages of their own, and deletes them again. The order in which rows
// are locked must keep everybody from waiting crosswise: PostgreSQL would
// notice, end one of the two, and count it.
func TestNoDeadlocksOnPostgres(t *testing.T) {
	f, raw := newPostgresFixture(t, Options{Grace: time.Microsecond})
	const workers, rounds, contents = 8, 12, 8
	ctx, stop := context.WithCancel(t.Context())
	var background, wg sync.WaitGroup
	background.Go(func() {
		for ctx.Err() == nil {
			if _, err := f.Collect(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("collect: %v", err)
			}
		}
	})
	for w := range workers {
		random := rand.New(rand.NewPCG(2, uint64(w)))
		space := f.enter(f.ann, "acme", "plain", access.Delete)
		wg.Go(func() {
			for round := range rounds {
				p, err := f.manyFiles(fmt.Sprintf("app-%d", w), random.Perm(contents))
				if err != nil {
					t.Errorf("store: %v", err)
					return
				}
				done, err := space.Publish(ctx, p)
				if err != nil {
					t.Errorf("worker %d, round %d: publish: %v", w, round, err)
					return
				}
				f.CountDownload(done.Files[0])
				if err := f.FlushDownloads(ctx); err != nil {
					t.Errorf("worker %d, round %d: flush: %v", w, round, err)
				}
				if err := space.DeletePackage(ctx, done.Package); err != nil {
					t.Errorf("worker %d, round %d: delete: %v", w, round, err)
				}
			}
		})
	}
	wg.Wait()
	stop()
	background.Wait()
	if n := deadlocks(t, raw); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
	f.wantNoFindings()
}

// manyFiles is one version with the contents of those numbers as its files.
func (f *fixture) manyFiles(name string, contents []int) (Publication, error) {
	p := Publication{Name: name, NormalizedName: name, Version: "1", NormalizedVersion: "1", SortKey: TimeKey(now())}
	for _, n := range contents {
		q, err := f.tryPublication(name, "1", fmt.Sprintf("content %d", n))
		if err != nil {
			return p, err
		}
		file := q.Files[0]
		file.Name = fmt.Sprintf("f%d", n)
		file.NormalizedName = file.Name
		p.Files = append(p.Files, file)
	}
	return p, nil
}

// deadlocks is how many PostgreSQL has resolved in this database. Sessions
// report to it now and then, and at their end.
func deadlocks(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	const query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
	for _, statement := range []string{"SELECT pg_stat_force_next_flush()", "SELECT pg_stat_clear_snapshot()"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCrosswiseOverwritesOnPostgres lets two packages exchange their contents
// over and over, which no order of locks can prepare for: each publish needs
// what the other one releases. All must succeed, if need be in a second
// attempt.
func TestCrosswiseOverwritesOnPostgres(t *testing.T) {
	f, _ := newPostgresFixture(t, Options{})
	const workers, rounds = 4, 8
	var wg sync.WaitGroup
	for w := range workers {
		space := f.enter(f.ann, "acme", "plain", access.Write)
		wg.Go(func() {
			for round := range rounds {
				p, err := f.manyFiles(fmt.Sprintf("app-%d", w), []int{0, 1})
				if err != nil {
					t.Errorf("store: %v", err)
					return
				}
				if (w+round)%2 == 1 {
					p.Files[0].Content, p.Files[1].Content = p.Files[1].Content, p.Files[0].Content
				}
				p.Policy, p.Overwrite = CreateOrAdd, OverwriteAlways
				if _, err := space.Publish(t.Context(), p); err != nil {
					t.Errorf("worker %d, round %d: %v", w, round, err)
				}
			}
		})
	}
	wg.Wait()
	f.wantNoFindings()
}

// TestTransactionIsTriedAgainOnPostgres makes a deadlock by hand.
func TestTransactionIsTriedAgainOnPostgres(t *testing.T) {
	f, raw := newPostgresFixture(t, Options{})
	a, b := f.publish("a", "1", "a").Package, f.publish("b", "1", "b").Package
	// Both hold one row before either asks for the other's.
	var both sync.WaitGroup
	both.Add(2)
	var wg sync.WaitGroup
	attempts := make([]int, 2)
	for i, order := range [][2]int64{{a.ID, b.ID}, {b.ID, a.ID}} {
		wg.Go(func() {
			err := f.inTx(t.Context(), func(ctx context.Context, tx *ent.Tx) error {
				attempts[i]++
				if err := tx.Pkg.UpdateOneID(order[0]).AddGeneration(1).Exec(ctx); err != nil {
					return err
				}
				if attempts[i] == 1 {
					both.Done()
					both.Wait()
				}
				return tx.Pkg.UpdateOneID(order[1]).AddGeneration(1).Exec(ctx)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if attempts[0]+attempts[1] < 3 {
		t.Errorf("attempts %v: there was no deadlock", attempts)
	}
	if n := deadlocks(t, raw); n == 0 {
		t.Error("PostgreSQL has counted no deadlock")
	}
	for _, p := range []int64{a.ID, b.ID} {
		if g := f.db.Pkg.GetX(f.system(), p).Generation; g != a.Generation+2 {
			t.Errorf("generation %d, want two more than %d", g, a.Generation)
		}
	}
}

// TestInterleavingsOnPostgres stops one side in the middle of its transaction
// and starts the other: what claimBlobs and release say of each other, step by
// step.
func TestInterleavingsOnPostgres(t *testing.T) {
	// unnamed prepares content that was released long ago.
	unnamed := func(f *fixture) (blob int64) {
		done := f.publish("gone", "1", "content")
		f.deletePackage(done.Package)
		f.age(48 * time.Hour)
		return done.Files[0].BlobID
	}
	t.Run("the collector passes over what a publish holds", func(t *testing.T) {
		f, _ := newPostgresFixture(t, Options{})
		blob := unnamed(f)
		must(f, f.inTx(t.Context(), func(ctx context.Context, tx *ent.Tx) error {
			if kept, err := reference(ctx, tx, tx.PackageBlob.GetX(ctx, blob), storage.Sums{}); err != nil || !kept {
				t.Errorf("reference: %v, %v", kept, err)
			}
			if c := f.collect(); c.Blobs != 0 {
				t.Errorf("collected %+v", c)
			}
			return nil
		}))
		if c := f.collect(); c.Blobs != 0 {
			t.Errorf("afterwards: collected %+v", c)
		}
	})
	t.Run("a publish waits for the collector and keeps its own bytes", func(t *testing.T) {
		f, raw := newPostgresFixture(t, Options{})
		blob := unnamed(f)
		var published *Published
		var wg sync.WaitGroup
		must(f, f.inTx(t.Context(), func(ctx context.Context, tx *ent.Tx) error {
			tx.PackageBlob.UpdateOneID(blob).SetState(packageblob.StateDying).ExecX(ctx)
			wg.Go(func() { published = f.publish("app", "1", "content") })
			awaitBlocked(t, raw)
			return nil
		}))
		wg.Wait()
		if published.Files[0].BlobID == blob {
			t.Error("the publish refers to the claimed blob")
		}
		f.age(48 * time.Hour)
		f.collect()
		if got, err := f.bytesOf(published); got != "content" || err != nil {
			t.Errorf("content %q, %v", got, err)
		}
		f.wantNoFindings()
	})
	t.Run("a deletion waits for a publish and leaves no mark", func(t *testing.T) {
		f, raw := newPostgresFixture(t, Options{})
		first, other := f.publish("first", "1", "content"), f.publish("other", "1", "other")
		var wg sync.WaitGroup
		must(f, f.inTx(t.Context(), func(ctx context.Context, tx *ent.Tx) error {
			if kept, err := reference(ctx, tx, blobOf(first), storage.Sums{}); err != nil || !kept {
				t.Errorf("reference: %v, %v", kept, err)
			}
			wg.Go(func() { f.deletePackage(first.Package) })
			awaitBlocked(t, raw)
			return tx.PackageFile.Create().SetVersionID(other.Version.ID).SetBlobID(first.Files[0].BlobID).
				SetName("g").SetNormalizedName("g").Exec(ctx)
		}))
		wg.Wait()
		f.wantNoFindings()
	})
}

// awaitBlocked waits until a session of the database waits for a lock.
func awaitBlocked(t *testing.T, db *sql.DB) {
	t.Helper()
	const query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		var waiting int
		if err := db.QueryRowContext(t.Context(), query).Scan(&waiting); err != nil {
			t.Error(err)
			return
		}
		if waiting > 0 {
			return
		}
	}
	t.Error("nobody waits")
}

// TestSameVersionAtOnceOnPostgres lets 64 clients of two replicas publish one
// version.
func TestSameVersionAtOnceOnPostgres(t *testing.T) {
	databaseURL := databasetest.Postgres(t)
	dir := t.TempDir()
	open := func() storage.Store {
		s, err := storage.Open(t.Context(), dir, storage.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	f := newFixtureOn(t, databaseURL, Options{Store: open()})
	other, err := New(Options{Database: f.db, Store: open(), Types: f.Types()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close(context.Background()) })
	var mu sync.Mutex
	outcomes := map[Code]int{}
	var wg sync.WaitGroup
	for n := range 64 {
		r := []*Registry{f.Registry, other}[n%2]
		wg.Go(func() {
			space, err := r.Enter(f.as(f.ann), "acme", "plain", access.Write)
			if err != nil {
				t.Error(err)
				return
			}
			p, err := f.tryPublication("app", "1", fmt.Sprintf("content %d", n%3))
			if err != nil {
				t.Error(err)
				return
			}
			_, err = space.Publish(t.Context(), p)
			if err != nil && CodeOf(err) == "" {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			outcomes[CodeOf(err)]++
		})
	}
	wg.Wait()
	if outcomes[""] != 1 || outcomes[Conflict] != 63 {
		t.Errorf("outcomes %v, want one success and 63 conflicts", outcomes)
	}
	f.wantNoFindings()
}

// TestPlansOnPostgres looks at how PostgreSQL would run the statements of the
// hot paths if tables were large: with none but indexes to go by.
func TestPlansOnPostgres(t *testing.T) {
	databaseURL := databasetest.Postgres(t)
	f := newFixtureOn(t, databaseURL, Options{})
	u, err := url.Parse(databaseURL)
	must(f, err)
	q := u.Query()
	for _, parameter := range []string{"enable_seqscan", "enable_bitmapscan", "enable_sort"} {
		q.Set(parameter, "off")
	}
	u.RawQuery = q.Encode()
	raw, err := sql.Open("pgx", u.String())
	must(f, err)
	t.Cleanup(func() { raw.Close() })
	testPlans(t, f, entsql.OpenDB(dialect.Postgres, raw), func(s statement) string {
		return explain(t, raw, "EXPLAIN "+s.query, s.args)
	})
}
