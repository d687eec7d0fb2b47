package registry

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageblob"
)

// BenchmarkCleanup removes 40,000 versions of one package, each with a file of
// its own, by one rule: -benchtime 1x.
func BenchmarkCleanup(b *testing.B) {
	const n = 40_000
	for b.Loop() {
		b.StopTimer()
		f := newFixture(b)
		p := f.old("app", "1", "2")
		f.grow(p, n)
		f.rule(newest("one", 1))
		b.StartTimer()
		started := time.Now()
		run, err := f.RunCleanup(f.as(f.ann), "acme", nil, true)
		if err != nil {
			b.Fatal(err)
		}
		if run.Removed != n+1 {
			b.Fatalf("%d versions went, want %d", run.Removed, n+1)
		}
		b.ReportMetric(time.Since(started).Seconds(), "seconds")
	}
}

// grow adds old versions with a file each, written straight into the database.
func (f *fixture) grow(p *ent.Pkg, n int) {
	f.t.Helper()
	ctx := access.SystemContext(f.t.Context())
	client, at := f.db.Client, now().Add(-48*time.Hour)
	for chunk := range slices.Chunk(slices.Collect(func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}), 500) {
		var versions []*ent.PackageVersionCreate
		var blobs []*ent.PackageBlobCreate
		for _, i := range chunk {
			v := fmt.Sprintf("0.%d", i)
			versions = append(versions, client.PackageVersion.Create().SetPackageID(p.ID).SetVersion(v).SetNormalizedVersion(v).
				SetSortKey(fmt.Sprintf("00%06d", i)).SetCreatedAt(at))
			blobs = append(blobs, client.PackageBlob.Create().SetSize(10).SetSha256(fmt.Sprintf("%064x", i)).
				SetStorageKey(fmt.Sprintf("bench/%d", i)).SetState(packageblob.StateLive))
		}
		madeVersions, madeBlobs := client.PackageVersion.CreateBulk(versions...).SaveX(ctx), client.PackageBlob.CreateBulk(blobs...).SaveX(ctx)
		var files []*ent.PackageFileCreate
		for i, v := range madeVersions {
			files = append(files, client.PackageFile.Create().SetVersionID(v.ID).SetBlobID(madeBlobs[i].ID).
				SetName("f.txt").SetNormalizedName("f.txt").SetLead(true))
		}
		client.PackageFile.CreateBulk(files...).ExecX(ctx)
	}
	client.Pkg.UpdateOneID(p.ID).AddVersionCount(n).ExecX(ctx)
}
