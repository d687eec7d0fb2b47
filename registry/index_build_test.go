package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexroot"
	"entrepot/ent/indexsnapshot"
)

func TestIndexIsBuiltOnceForManyPublishes(t *testing.T) {
	x := newIndexes(t)
	for i := range 20 {
		x.publish(fmt.Sprintf("app-%d", i), "1", "stable/")
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := x.space.Index(t.Context(), IndexName{"stable", ""}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := x.db.IndexSnapshot.Query().CountX(access.SystemContext(t.Context())); n != 1 {
		t.Errorf("%d snapshots, want 1", n)
	}
	reads, writes := x.db.Statements()
	if _, err := x.space.Index(t.Context(), IndexName{"stable", ""}); err != nil {
		t.Fatal(err)
	}
	if r, w := x.db.Statements(); r-reads != 1 || w != writes {
		t.Errorf("an unchanged index took %d reads and %d writes, want one read", r-reads, w-writes)
	}
}

// TestIndexOnTwoReplicas lets two processes' registries, on one database,
// publish and read at once: a read shows whatever was published before it
// began, by either.
func TestIndexOnTwoReplicas(t *testing.T) { testTwoReplicas(newIndexes(t)) }

func testTwoReplicas(x *indexes) {
	t := x.t
	second, err := New(Options{Database: x.db, Store: x.store, Types: []Type{listedType()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	other, err := second.Enter(x.as(x.ann), "acme", "listed", access.Delete)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w, s := range []*Space{x.space, other, x.space, other} {
		wg.Go(func() {
			for i := range 4 {
				name := fmt.Sprintf("app-%d-%d", w, i)
				if _, err := s.Publish(t.Context(), x.release(name, "1", "stable/", "text")); err != nil {
					t.Errorf("publish: %v", err)
					return
				}
				for _, reader := range []*Space{x.space, other} {
					snapshot, err := reader.Index(t.Context(), IndexName{"stable", ""})
					if err != nil {
						t.Errorf("read: %v", err)
						return
					}
					if !strings.Contains(x.object(snapshot, "all"), name+" 1 ") {
						t.Errorf("%s was published and is not listed", name)
					}
				}
			}
		})
	}
	wg.Wait()
	x.wantSound()
	last, root := time.Time{}, x.db.IndexRoot.Query().Where(indexroot.Family("stable"), indexroot.Member("")).OnlyIDX(access.SystemContext(t.Context()))
	for _, s := range x.db.IndexSnapshot.Query().Where(indexsnapshot.RootID(root)).Order(ent.Asc(indexsnapshot.FieldID)).AllX(access.SystemContext(t.Context())) {
		if !s.ModifiedAt.After(last) {
			t.Errorf("two snapshots of %v", s.ModifiedAt)
		}
		last = s.ModifiedAt
	}
}

// TestIndexBuildThatDies leaves the old snapshot to be read, and the next build
// does all that the dead one did not.
func TestIndexBuildThatDies(t *testing.T) {
	x := newIndexes(t)
	x.publish("app", "1", "stable/")
	x.wantText("stable/", "all", "<app 1 in : text of app\n>")
	// A process has taken the lease and died.
	ctx := access.SystemContext(t.Context())
	x.publish("app", "2", "stable/")
	root := x.db.IndexRoot.Query().Where(indexroot.Family("stable"), indexroot.Member("")).OnlyX(ctx)
	x.db.IndexRoot.UpdateOne(root).AddToken(1).SetLeasedUntil(now().Add(300 * time.Millisecond)).ExecX(ctx)
	x.wantText("stable/", "all", "<app 1 in : text of app\napp 2 in : text of app\n>")
	// One comes back to life after another has built: its token is old.
	x.publish("app", "3", "stable/")
	stale := x.db.IndexRoot.GetX(ctx, root.ID)
	x.wantText("stable/", "all", "<app 1 in : text of app\napp 2 in : text of app\napp 3 in : text of app\n>")
	stale.Token--
	if err := x.buildLeased(ctx, stale); !errors.Is(err, errLostLease) {
		t.Errorf("a build without the lease: %v", err)
	}
	x.wantSound()
	// And one that fails between its data and its last step changes nothing.
	failing := errors.New("the power is gone")
	typ := x.types["listed"]
	whole := typ.Index
	broken := *whole
	broken.Compose = func(context.Context, *IndexBuild) error { return failing }
	typ.Index = &broken
	x.types["listed"] = typ
	x.publish("app", "4", "stable/")
	if _, err := x.space.Index(t.Context(), IndexName{"stable", ""}); !errors.Is(err, failing) {
		t.Errorf("a build that fails: %v", err)
	}
	typ.Index = whole
	x.types["listed"] = typ
	x.wantSound()
}

// TestIndexDateGrows has the clock set back.
func TestIndexDateGrows(t *testing.T) {
	x := newIndexes(t)
	ctx := access.SystemContext(t.Context())
	x.publish("app", "1", "stable/")
	x.read(x.space, "stable/", "all")
	ahead := now().Add(3 * time.Hour).Truncate(time.Second)
	x.db.IndexRoot.Update().SetModifiedAt(ahead).ExecX(ctx)
	x.publish("app", "2", "stable/")
	s, err := x.space.Index(t.Context(), IndexName{"stable", ""})
	if err != nil {
		t.Fatal(err)
	}
	if want := ahead.Add(time.Second); !s.Modified.Equal(want) {
		t.Errorf("modified %v, want %v", s.Modified, want)
	}
}

func TestIndexPins(t *testing.T) {
	x := newIndexes(t)
	name := IndexName{"stable", ""}
	me, you := IndexClient("1", "apt", ""), IndexClient("2", "apt", "")
	get := func(f func(context.Context, IndexName, [32]byte) (*Snapshot, error), client [32]byte) int64 {
		t.Helper()
		s, err := f(t.Context(), name, client)
		if err != nil {
			t.Fatal(err)
		}
		return s.id
	}
	x.publish("app", "1", "stable/")
	first := get(x.space.IndexEntry, me)
	x.publish("app", "2", "stable/")
	second := get(x.space.IndexEntry, you)
	if first == second {
		t.Fatal("an entry document did not show a publish")
	}
	if got := get(x.space.IndexSecondary, me); got != first {
		t.Errorf("a signature goes with snapshot %d, the client got %d", got, first)
	}
	if got := get(x.space.IndexSecondary, you); got != second {
		t.Errorf("a signature goes with snapshot %d, the client got %d", got, second)
	}
	if got := get(x.space.IndexEntry, me); got != second {
		t.Errorf("a client that asks again gets snapshot %d, want %d", got, second)
	}
	// A client that fetches the signature first.
	third := IndexClient("3", "zypper", "")
	early := get(x.space.IndexSecondary, third)
	x.publish("app", "3", "stable/")
	if got := get(x.space.IndexEntry, third); got != early {
		t.Errorf("an entry document is of snapshot %d, its signature was of %d", got, early)
	}
	if got := get(x.space.IndexEntry, third); got == early {
		t.Error("an entry document stays old for good")
	}
}

func TestIndexRetention(t *testing.T) {
	x := newIndexes(t)
	ctx := access.SystemContext(t.Context())
	snapshot := func() *Snapshot {
		t.Helper()
		s, err := x.space.Index(t.Context(), IndexName{"stable", ""})
		if err != nil {
			t.Fatal(err)
		}
		x.db.IndexRoot.Update().ClearModifiedAt().ExecX(ctx)
		return s
	}
	var all []*Snapshot
	for i := range 6 {
		x.publish(fmt.Sprintf("app-%d", i), "1", "stable/")
		all = append(all, snapshot())
	}
	byHash := func(s *Snapshot) error {
		o, err := s.Object("all")
		if err != nil {
			t.Fatal(err)
		}
		found, err := x.space.IndexByHash(t.Context(), IndexName{"stable", ""}, "", o.Sha256)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, found.Open(t.Context()))
		return err
	}
	collect := func() {
		t.Helper()
		if _, err := x.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		x.indexCache.InvalidateAll()
	}
	collect()
	for i, s := range all {
		if err := byHash(s); err != nil {
			t.Errorf("snapshot %d, replaced just now: %v", i, err)
		}
	}
	// A day later.
	x.db.IndexSnapshot.Update().Where(indexsnapshot.RetiredAtNotNil()).SetRetiredAt(now().Add(-25 * time.Hour)).ExecX(ctx)
	if _, err := x.db.IndexSnapshot.Query().Count(ctx); err != nil {
		t.Fatal(err)
	}
	x.oldData()
	collect()
	for i, s := range all {
		if err := byHash(s); (err == nil) != (i >= 3) {
			t.Errorf("snapshot %d of %d, a day later: %v", i, len(all), err)
		}
	}
	x.wantSound()
	// Every datum that is left serves something.
	live := x.db.IndexData.Query().CountX(ctx)
	if live == 0 || live > 4*len(all) {
		t.Errorf("%d data are left", live)
	}
}

// oldData makes all data look old.
func (x *indexes) oldData() {
	x.t.Helper()
	ctx := access.SystemContext(x.t.Context())
	err := x.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE index_data SET created_at = '2020-01-01 00:00:00+00:00'`)
		return err
	})
	if err != nil {
		x.t.Fatal(err)
	}
}
