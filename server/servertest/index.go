package servertest

import (
	"context"
	"slices"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexfragment"
	"entrepot/ent/indexroot"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
)

// IndexSizes are how many packages the indexes of benchmarks have.
var IndexSizes = []int{10, 1000, 10_000, 100_000}

// GrowIndexed is Grow for a package whose one file is listed in an index: the
// others are listed beside it. The next read builds the index anew.
func (s *Server) GrowIndexed(tb testing.TB, name string, n int, next func(i int, like *ent.PackageFile) (version, file string, fragment []byte)) {
	tb.Helper()
	s.Grow(tb, name, n, next)
	ctx := access.SystemContext(context.Background())
	client := s.Registry().Client()
	p := client.Pkg.Query().Where(pkg.Name(name)).OnlyX(ctx)
	files := client.PackageFile.Query().
		Where(packagefile.HasVersionWith(packageversion.PackageID(p.ID)), packagefile.Lead(true)).
		Order(ent.Asc(packagefile.FieldID)).
		Select(packagefile.FieldID, packagefile.FieldVersionID).AllX(ctx)
	ranks := make(map[int64]string, n)
	for _, v := range client.PackageVersion.Query().Where(packageversion.PackageID(p.ID)).
		Select(packageversion.FieldID, packageversion.FieldSortKey).AllX(ctx) {
		ranks[v.ID] = v.SortKey
	}
	listed := client.IndexFragment.Query().Where(indexfragment.FileID(files[0].ID)).AllX(ctx)
	for chunk := range slices.Chunk(files[1:], 500) {
		var rows []*ent.IndexFragmentCreate
		for _, f := range chunk {
			for _, like := range listed {
				row := client.IndexFragment.Create().SetRootID(like.RootID).SetStreamID(like.StreamID).SetFileID(f.ID).SetName(like.Name)
				if like.Name != "" {
					row.SetRank(ranks[f.VersionID])
				}
				rows = append(rows, row)
			}
		}
		client.IndexFragment.CreateBulk(rows...).ExecX(ctx)
	}
	s.rebuild(ctx, listed)
}

// Indexed is a package of one version with one file that an index lists.
type Indexed struct {
	Package string
	// File and NormalizedFile name the file.
	File, NormalizedFile string
	Fragment             []byte
	// Sort is where the index has it, if that follows no other order.
	Sort string
}

// GrowIndexedPackages brings an index with one package, whose name is given, to
// n packages, in the likeness of the first, as GrowIndexed does with versions.
func (s *Server) GrowIndexedPackages(tb testing.TB, name string, n int, next func(i int, like *ent.PackageFile) Indexed) {
	tb.Helper()
	ctx := access.SystemContext(context.Background())
	client := s.Registry().Client()
	p := client.Pkg.Query().Where(pkg.Name(name)).OnlyX(ctx)
	version := client.PackageVersion.Query().Where(packageversion.PackageID(p.ID)).OnlyX(ctx)
	file := client.PackageFile.Query().Where(packagefile.VersionID(version.ID), packagefile.Lead(true)).OnlyX(ctx)
	listed := client.IndexFragment.Query().Where(indexfragment.FileID(file.ID)).AllX(ctx)
	const chunk = 500
	for start := 1; start < n; start += chunk {
		var all []Indexed
		var packages []*ent.PkgCreate
		for i := start; i < min(n, start+chunk); i++ {
			one := next(i, file)
			all = append(all, one)
			packages = append(packages, client.Pkg.Create().SetOwnerID(p.OwnerID).SetType(p.Type).
				SetName(one.Package).SetNormalizedName(one.Package).SetVersionCount(1))
		}
		var versions []*ent.PackageVersionCreate
		for _, made := range client.Pkg.CreateBulk(packages...).SaveX(ctx) {
			versions = append(versions, client.PackageVersion.Create().SetPackageID(made.ID).SetVersion(version.Version).
				SetNormalizedVersion(version.NormalizedVersion).SetSortKey(version.SortKey).SetMetadata(version.Metadata))
		}
		var files []*ent.PackageFileCreate
		for i, v := range client.PackageVersion.CreateBulk(versions...).SaveX(ctx) {
			files = append(files, client.PackageFile.Create().SetVersionID(v.ID).SetBlobID(file.BlobID).SetLead(true).SetCompositeKey(file.CompositeKey).
				SetName(all[i].File).SetNormalizedName(all[i].NormalizedFile).SetFragment(all[i].Fragment))
		}
		var rows []*ent.IndexFragmentCreate
		for i, f := range client.PackageFile.CreateBulk(files...).SaveX(ctx) {
			for _, like := range listed {
				row := client.IndexFragment.Create().SetRootID(like.RootID).SetStreamID(like.StreamID).SetFileID(f.ID).SetRank(like.Rank).SetSort(all[i].Sort)
				if like.Name != "" {
					row.SetName(all[i].Package)
				}
				rows = append(rows, row)
			}
		}
		client.IndexFragment.CreateBulk(rows...).ExecX(ctx)
	}
	s.rebuild(ctx, listed)
}

// rebuild has the next read build the indexes that list the entries.
func (s *Server) rebuild(ctx context.Context, listed []*ent.IndexFragment) {
	roots := map[int64]bool{}
	for _, like := range listed {
		roots[like.RootID] = true
	}
	for id := range roots {
		s.Registry().Client().IndexRoot.Update().Where(indexroot.ID(id)).AddGeneration(1).ExecX(ctx)
	}
}

// BuildSoon lets the next builds of indexes begin at once: a root is built once
// a second.
func (s *Server) BuildSoon() {
	s.Registry().Client().IndexRoot.Update().ClearModifiedAt().ExecX(access.SystemContext(context.Background()))
}

// MeasureFirstRead reports how long a read takes after a change, without the
// change itself.
func (s *Server) MeasureFirstRead(b *testing.B, change, read func()) {
	b.Helper()
	var spent time.Duration
	for b.Loop() {
		b.StopTimer()
		change()
		s.BuildSoon()
		b.StartTimer()
		started := time.Now()
		read()
		spent += time.Since(started)
	}
	b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "read-ms")
}

// WantIndexStatements holds what a publish and the read of an index that has not
// changed cost in SQL: the same whatever the index holds, and of the read few.
// prepare makes an index of n packages, and says how to publish one more and
// how to read.
func (s *Server) WantIndexStatements(t *testing.T, prepare func(n int) (publish, read func())) {
	t.Helper()
	type cost struct{ reads, writes int64 }
	count := func(f func()) cost {
		reads, writes := s.Registry().Database().Statements()
		f()
		moreReads, moreWrites := s.Registry().Database().Statements()
		return cost{moreReads - reads, moreWrites - writes}
	}
	var before [2]cost
	for _, n := range []int{3, 60} {
		publish, read := prepare(n)
		published := count(publish)
		read() // builds the index
		now := [2]cost{published, count(read)}
		if n > 3 && now != before {
			t.Errorf("statements of a publish and a read with %d packages: %v; with fewer: %v", n, now, before)
		}
		if now[1].reads > 3 || now[1].writes != 0 {
			t.Errorf("an unchanged index costs %d reads and %d writes", now[1].reads, now[1].writes)
		}
		before = now
	}
}
