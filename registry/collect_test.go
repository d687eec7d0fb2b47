package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/ent/schema"
	"entrepot/storage"
	"entrepot/storage/storagetest"
)

// system is the context of reads that look behind the curtain.
func (f *fixture) system() context.Context { return access.SystemContext(f.t.Context()) }

// objectKeys lists the store.
func (f *fixture) objectKeys() []string {
	f.t.Helper()
	var keys []string
	for entry, err := range f.store.List(f.t.Context()) {
		if err != nil {
			f.t.Fatal(err)
		}
		keys = append(keys, entry.Key)
	}
	slices.Sort(keys)
	return keys
}

// age lets all that has a time in the database have happened that much
// earlier.
func (f *fixture) age(by time.Duration) {
	f.t.Helper()
	ctx := f.system()
	for _, b := range f.db.PackageBlob.Query().Where(packageblob.UnreferencedAtNotNil()).AllX(ctx) {
		b.Update().SetUnreferencedAt(b.UnreferencedAt.Add(-by)).ExecX(ctx)
	}
	for _, u := range f.db.BlobUpload.Query().AllX(ctx) {
		u.Update().SetExpiresAt(u.ExpiresAt.Add(-by)).ExecX(ctx)
	}
	for _, l := range f.db.KeyLease.Query().AllX(ctx) {
		l.Update().SetExpiresAt(l.ExpiresAt.Add(-by)).ExecX(ctx)
	}
}

func (f *fixture) collect() Collected {
	f.t.Helper()
	c, err := f.Collect(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// publish publishes one version with one file, as ann to acme's plain space.
func (f *fixture) publish(name, version, content string) *Published {
	f.t.Helper()
	done, err := f.enter(f.ann, "acme", "plain", access.Write).Publish(f.t.Context(), f.publication(name, version, content))
	if err != nil {
		f.t.Fatal(err)
	}
	return done
}

func (f *fixture) deletePackage(p *ent.Pkg) {
	f.t.Helper()
	if err := f.enter(f.ann, "acme", "plain", access.Delete).DeletePackage(f.t.Context(), p); err != nil {
		f.t.Fatal(err)
	}
}

// bytesOf reads the one file of a publication back.
func (f *fixture) bytesOf(done *Published) (string, error) {
	body, err := f.Open(f.t.Context(), done.Files[0])
	if err != nil {
		return "", err
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	return string(got), err
}

func TestCollectContents(t *testing.T) {
	f := newFixture(t)
	kept := f.publish("kept", "1", "kept")
	gone := f.publish("gone", "1", "gone")
	f.deletePackage(gone.Package)

	if c := f.collect(); c != (Collected{}) {
		t.Errorf("within the grace time: collected %+v", c)
	}
	f.age(f.grace)
	if c, want := f.collect(), (Collected{Blobs: 1, Bytes: 4}); c != want {
		t.Errorf("collected %+v, want %+v", c, want)
	}
	if c := f.collect(); c != (Collected{}) {
		t.Errorf("a second time: collected %+v", c)
	}
	if keys := f.objectKeys(); len(keys) != 1 || keys[0] != kept.Files[0].Edges.Blob.StorageKey {
		t.Errorf("objects left: %q", keys)
	}
	if n := f.db.PackageBlob.Query().CountX(f.system()); n != 1 {
		t.Errorf("%d blobs left, want 1", n)
	}
	if got, err := f.bytesOf(kept); got != "kept" || err != nil {
		t.Errorf("kept content: %q, %v", got, err)
	}
}

// TestCollectRevived publishes content again that is at various stages of its
// removal.
func TestCollectRevived(t *testing.T) {
	for _, tt := range []struct {
		name  string
		stage func(f *fixture)
		blobs int // in the end
	}{
		{"in its grace time", func(f *fixture) {}, 1},
		{"after it", func(f *fixture) { f.age(f.grace) }, 1},
		{"claimed", func(f *fixture) {
			f.db.PackageBlob.Update().SetState(packageblob.StateDying).ExecX(f.system())
		}, 1},
		{"claimed, object removed", func(f *fixture) {
			b := f.db.PackageBlob.Query().OnlyX(f.system())
			b.Update().SetState(packageblob.StateDying).ExecX(f.system())
			if err := f.store.Remove(f.t.Context(), b.StorageKey); err != nil {
				f.t.Fatal(err)
			}
		}, 1},
		{"removed", func(f *fixture) { f.age(f.grace); f.collect() }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.deletePackage(f.publish("app", "1", "content").Package)
			tt.stage(f)
			again := f.publish("app", "1", "content")
			f.age(f.grace)
			f.collect()
			if got, err := f.bytesOf(again); got != "content" || err != nil {
				t.Errorf("content: %q, %v", got, err)
			}
			if n := f.db.PackageBlob.Query().CountX(f.system()); n != tt.blobs {
				t.Errorf("%d blobs, want %d", n, tt.blobs)
			}
			if keys := f.objectKeys(); len(keys) != 1 {
				t.Errorf("objects: %q", keys)
			}
		})
	}
}

// TestCollectDoesNotTrustMarks sets a mark that is wrong: files decide.
func TestCollectDoesNotTrustMarks(t *testing.T) {
	f := newFixture(t)
	done := f.publish("app", "1", "content")
	f.db.PackageBlob.Update().SetUnreferencedAt(now().Add(-time.Hour * 24)).ExecX(f.system())
	if c := f.collect(); c != (Collected{}) {
		t.Errorf("collected %+v", c)
	}
	f.db.PackageBlob.Update().SetState(packageblob.StateDying).ExecX(f.system())
	if c := f.collect(); c != (Collected{}) {
		t.Errorf("claimed: collected %+v", c)
	}
	if _, err := f.bytesOf(done); err != nil {
		t.Error(err)
	}
}

// TestCollectAfterCrash begins with what a process that was killed has left,
// at each step between the first byte and the last removal.
func TestCollectAfterCrash(t *testing.T) {
	for _, tt := range []struct {
		name  string
		crash func(f *fixture)
		want  Collected
	}{
		{"key drawn, nothing written", func(f *fixture) {
			if _, err := f.keys.take(f.t.Context()); err != nil {
				f.t.Fatal(err)
			}
		}, Collected{Leases: 1}},
		{"object written, no row", func(f *fixture) { f.stored("stray") }, Collected{Strays: 1, Leases: 1, Bytes: 5}},
		{"row dying, object there", func(f *fixture) {
			f.deletePackage(f.publish("app", "1", "12345").Package)
			f.db.PackageBlob.Update().SetState(packageblob.StateDying).ExecX(f.system())
		}, Collected{Blobs: 1, Leases: 1, Bytes: 5}},
		{"row dying, object removed", func(f *fixture) {
			f.deletePackage(f.publish("app", "1", "12345").Package)
			b := f.db.PackageBlob.Query().OnlyX(f.system())
			b.Update().SetState(packageblob.StateDying).ExecX(f.system())
			if err := f.store.Remove(f.t.Context(), b.StorageKey); err != nil {
				f.t.Fatal(err)
			}
		}, Collected{Blobs: 1, Leases: 1, Bytes: 5}},
		{"row removed, object left", func(f *fixture) {
			f.deletePackage(f.publish("app", "1", "12345").Package)
			f.db.PackageBlob.Delete().ExecX(f.system())
		}, Collected{Strays: 1, Leases: 1, Bytes: 5}},
		{"lease being collected", func(f *fixture) {
			f.stored("stray")
			f.age(leaseUse + MaxUpload + leaseSlack)
			l := f.db.KeyLease.Query().OnlyX(f.system())
			l.Update().SetExpiresAt(now().Add(leaseRetry)).ExecX(f.system())
		}, Collected{Strays: 1, Leases: 1, Bytes: 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			tt.crash(f)
			f.keys.prefix = "" // the process has lost it
			f.age(leaseUse + MaxUpload + leaseSlack)
			if c := f.collect(); c != tt.want {
				t.Errorf("collected %+v, want %+v", c, tt.want)
			}
			if keys := f.objectKeys(); len(keys) != 0 {
				t.Errorf("objects left: %q", keys)
			}
			if blobs, leases := f.db.PackageBlob.Query().CountX(f.system()), f.db.KeyLease.Query().CountX(f.system()); blobs+leases != 0 {
				t.Errorf("%d blobs and %d leases left", blobs, leases)
			}
		})
	}
}

func TestCollectLeavesLeasesInUse(t *testing.T) {
	f := newFixture(t)
	done := f.publish("app", "1", "named")
	part, stray := f.stored("a part"), f.stored("a stray")
	u := f.db.BlobUpload.Create().SetSession("s").SetOwnerID(1).SetPackageType("plain").SetPackageName("app").SetUserID(1).
		SetParts([]schema.UploadPart{{Key: part.Key, Size: part.Size}}).SetExpiresAt(now().Add(time.Hour)).SaveX(f.system())

	// Before the lease expires nothing under its keys is touched.
	if c := f.collect(); c != (Collected{}) {
		t.Errorf("collected %+v", c)
	}
	// Nor is it afterwards, as long as an upload names one of them.
	lease := f.db.KeyLease.Query().OnlyX(f.system())
	lease.Update().SetExpiresAt(now().Add(-time.Second)).ExecX(f.system())
	if c := f.collect(); c != (Collected{}) {
		t.Errorf("beside an upload: collected %+v", c)
	}
	// Nor while a request writes to an expired upload.
	u.Update().SetExpiresAt(now().Add(-time.Second)).SetClaimedUntil(now().Add(time.Minute)).ExecX(f.system())
	if c := f.collect(); c != (Collected{}) {
		t.Errorf("beside a claimed upload: collected %+v", c)
	}
	u.Update().ClearClaimedUntil().ExecX(f.system())
	want := Collected{Uploads: 1, Strays: 1, Leases: 1, Bytes: part.Size + stray.Size}
	if c := f.collect(); c != want {
		t.Errorf("in the end: collected %+v, want %+v", c, want)
	}
	if keys := f.objectKeys(); len(keys) != 1 {
		t.Errorf("objects left: %q", keys)
	}
	if got, err := f.bytesOf(done); got != "named" || err != nil {
		t.Errorf("content: %q, %v", got, err)
	}
}

// TestLateContentIsRefused takes longer for an upload than its key is leased.
func TestLateContentIsRefused(t *testing.T) {
	f := newFixture(t)
	f.keys.upload = -time.Second
	_, err := f.Store(t.Context(), strings.NewReader("late"), 4, storage.SHA256)
	wantCode(t, err, Unavailable)
	if keys := f.objectKeys(); len(keys) != 0 {
		t.Errorf("objects: %q", keys)
	}

	f.keys.upload = MaxUpload
	p := f.publication("app", "1", "late")
	p.Files[0].Content.until = now().Add(-time.Second)
	_, err = f.enter(f.ann, "acme", "plain", access.Write).Publish(t.Context(), p)
	wantCode(t, err, Unavailable)
	if n := f.db.PackageBlob.Query().CountX(f.system()); n != 0 {
		t.Errorf("%d blobs", n)
	}
}

// TestCollectFromFaultyStore lets each operation of a collection fail in turn,
// before and after its effect. The next run finishes the work, and nothing that
// is in use is ever touched.
func TestCollectFromFaultyStore(t *testing.T) {
	for _, op := range []storagetest.Op{storagetest.OpRemove, storagetest.OpStat} {
		for _, when := range []storagetest.When{storagetest.Before, storagetest.After} {
			for n := 1; ; n++ {
				f, faulty := newFaultyFixture(t)
				kept := f.publish("kept", "1", "kept")
				f.deletePackage(f.publish("gone", "1", "gone").Package)
				f.stored("stray")
				part := f.stored("part")
				f.db.BlobUpload.Create().SetSession("s").SetOwnerID(1).SetPackageType("plain").SetPackageName("app").SetUserID(1).
					SetParts([]schema.UploadPart{{Key: part.Key, Size: part.Size}}).SetExpiresAt(now()).ExecX(f.system())
				f.keys.close(t.Context())
				f.age(48 * time.Hour)

				faulty.Fail(storagetest.Fault{Op: op, N: n, When: when})
				_, err := f.Collect(t.Context())
				if faulty.Pending() > 0 {
					if n < 3 {
						t.Fatalf("only %d calls of %s", n-1, op)
					}
					break
				}
				if !errors.Is(err, storagetest.ErrFault) {
					t.Fatalf("%s %d fails %s: error %v", op, n, when, err)
				}
				f.age(leaseRetry)
				f.collect()
				if keys := f.objectKeys(); len(keys) != 1 {
					t.Errorf("%s %d failed %s: objects left: %q", op, n, when, keys)
				}
				if leases := f.db.KeyLease.Query().CountX(f.system()); leases != 0 {
					t.Errorf("%s %d failed %s: %d leases left", op, n, when, leases)
				}
				if got, err := f.bytesOf(kept); got != "kept" || err != nil {
					t.Errorf("%s %d failed %s: content %q, %v", op, n, when, got, err)
				}
			}
		}
	}
}

func newFaultyFixture(t *testing.T) (*fixture, *storagetest.FaultyStore) {
	t.Helper()
	store, err := storage.Open(t.Context(), t.TempDir(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	faulty := storagetest.Faulty(store)
	return newFixtureOn(t, "sqlite:"+t.TempDir()+"/test.db", Options{Store: faulty}), faulty
}

// TestCollectGivesUp stops at a store that is out of reach instead of trying
// each object in turn.
func TestCollectGivesUp(t *testing.T) {
	f, faulty := newFaultyFixture(t)
	for n := range 2 * collectFailures {
		f.deletePackage(f.publish("app", "1", fmt.Sprint(n)).Package)
	}
	f.age(f.grace)
	for n := range 2 * collectFailures {
		faulty.Fail(storagetest.Fault{Op: storagetest.OpRemove, N: n + 1})
	}
	calls := faulty.Calls(storagetest.OpRemove)
	if _, err := f.Collect(t.Context()); !errors.Is(err, storagetest.ErrFault) {
		t.Errorf("error %v", err)
	}
	if n := faulty.Calls(storagetest.OpRemove) - calls; n < collectFailures || n > collectFailures+collectWorkers {
		t.Errorf("%d objects tried", n)
	}
}

func TestCollectInBatches(t *testing.T) {
	f := newFixture(t)
	const n = 2*collectBatch + 1
	rows := make([]*ent.PackageBlobCreate, n)
	for i := range rows {
		rows[i] = f.db.PackageBlob.Create().SetSha256(fmt.Sprintf("%064x", i)).SetSize(1).
			SetStorageKey(storage.NewKey()).SetUnreferencedAt(now().Add(-2 * time.Hour))
	}
	f.db.PackageBlob.CreateBulk(rows...).ExecX(f.system())
	before, _ := f.db.Statements()
	if c, want := f.collect(), (Collected{Blobs: n, Bytes: n}); c != want {
		t.Errorf("collected %+v, want %+v", c, want)
	}
	if after, _ := f.db.Statements(); after-before > 20 {
		t.Errorf("%d reads for %d blobs", after-before, n)
	}
}

// TestConcurrentCollectors counts every removal once however many collectors
// there are.
func TestConcurrentCollectors(t *testing.T) { testConcurrentCollectors(newFixture(t)) }

func testConcurrentCollectors(f *fixture) {
	t := f.t
	const n = 60
	for i := range n {
		f.deletePackage(f.publish("app", "1", fmt.Sprintf("%02d", i)).Package)
	}
	f.stored("stray")
	f.keys.close(t.Context())
	f.age(48 * time.Hour)
	var mu sync.Mutex
	var sum Collected
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			c, err := f.Collect(t.Context())
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum.Blobs, sum.Leases, sum.Bytes = sum.Blobs+c.Blobs, sum.Leases+c.Leases, sum.Bytes+c.Bytes
		})
	}
	wg.Wait()
	if want := (Collected{Blobs: n, Leases: 1, Bytes: 2*n + 5}); sum != want {
		t.Errorf("collected %+v in all, want %+v", sum, want)
	}
	if keys := f.objectKeys(); len(keys) != 0 {
		t.Errorf("objects left: %q", keys)
	}
}

// TestCollectBesidePublishes publishes and deletes a few contents from many
// goroutines while collectors run without any grace to speak of. What was
// acknowledged and not deleted must be readable at any instant.
func TestCollectBesidePublishes(t *testing.T) {
	soak(newFixtureOn(t, "sqlite:"+t.TempDir()+"/test.db", Options{Grace: time.Microsecond}), 20)
}

func soak(f *fixture, rounds int) {
	t := f.t
	const workers, contents = 16, 4
	ctx, stop := context.WithCancel(t.Context())
	var background sync.WaitGroup
	for range 2 {
		background.Go(func() {
			for ctx.Err() == nil {
				if _, err := f.Collect(ctx); err != nil && ctx.Err() == nil {
					t.Errorf("collect: %v", err)
				}
			}
		})
	}
	var wg sync.WaitGroup
	for w := range workers {
		random := rand.New(rand.NewPCG(1, uint64(w)))
		space := f.enter(f.ann, "acme", "plain", access.Delete)
		wg.Go(func() {
			name := fmt.Sprintf("app-%d", w)
			for round := range rounds {
				want := fmt.Sprintf("content %d", random.IntN(contents))
				p, err := f.tryPublication(name, "1", want)
				if err != nil {
					t.Errorf("worker %d, round %d: store: %v", w, round, err)
					return
				}
				done, err := space.Publish(ctx, p)
				if err != nil {
					t.Errorf("worker %d, round %d: publish: %v", w, round, err)
					return
				}
				if got, err := f.bytesOf(done); err != nil || got != want {
					t.Errorf("worker %d, round %d: content %q, %v; want %q", w, round, got, err, want)
				}
				if round == rounds-1 {
					return // the last one stays
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
	f.collect()
	for w := range workers {
		p, err := f.enter(f.ann, "acme", "plain", access.Read).Package(t.Context(), fmt.Sprintf("app-%d", w), access.Read)
		if err != nil {
			t.Fatal(err)
		}
		file, err := f.enter(f.ann, "acme", "plain", access.Read).File(t.Context(), p, "1", "f.txt", "")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.bytesOf(&Published{Files: []*ent.PackageFile{file}}); err != nil || !strings.HasPrefix(got, "content ") {
			t.Errorf("%s in the end: %q, %v", p.Name, got, err)
		}
	}
	if blobs, objects := f.db.PackageBlob.Query().CountX(f.system()), len(f.objectKeys()); blobs > contents || objects != blobs {
		t.Errorf("%d blobs and %d objects for %d contents", blobs, objects, contents)
	}
	f.wantNoFindings()
}

// tryPublication is publication for goroutines that may not end the test.
func (f *fixture) tryPublication(name, version, content string) (Publication, error) {
	c, err := f.Store(f.t.Context(), bytes.NewReader([]byte(content)), int64(len(content)), storage.SHA256)
	if err != nil {
		return Publication{}, err
	}
	return Publication{
		Name: name, NormalizedName: name, Version: version, NormalizedVersion: version, SortKey: TimeKey(now()),
		Files: []File{{Name: "f.txt", NormalizedName: "f.txt", Lead: true, Content: c}},
	}, nil
}
