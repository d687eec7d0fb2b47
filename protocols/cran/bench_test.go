package cran_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexroot"
	"entrepot/ent/indexstream"
	"entrepot/ent/packagefile"
	"entrepot/ent/pkg"
)

// common are the fields of a package of common size.
var common = []string{
	"Depends: R (>= 3.5.0)", "Imports: cli (>= 3.6.0), glue (>= 1.6.2), lifecycle (>= 1.0.3), magrittr, rlang (>= 1.1.0), vctrs (>= 0.6.0)",
	"Suggests: testthat (>= 3.1.5), knitr, rmarkdown", "NeedsCompilation: no", "OS_type: unix",
}

// fill publishes one package and makes n of it, each with one version, written
// straight into the database: to upload ten thousand would take minutes.
func (r *repository) fill(prefix string, n int) {
	r.tb.Helper()
	first := prefix + ".0"
	r.publish(first, "1.0", common...)
	ctx := access.SystemContext(context.Background())
	client := r.Registry().Client()
	p := client.Pkg.Query().Where(pkg.Name(first)).WithVersions().OnlyX(ctx)
	like := p.Edges.Versions[0]
	file := client.PackageFile.Query().Where(packagefile.VersionID(like.ID)).OnlyX(ctx)
	root := client.IndexRoot.Query().Where(indexroot.Type("cran"), indexroot.Family("src")).OnlyX(ctx)
	streams := client.IndexStream.Query().Where(indexstream.RootID(root.ID)).AllX(ctx)
	const chunk = 500
	for start := 1; start < n; start += chunk {
		var packages []*ent.PkgCreate
		var names []string
		for i := start; i < min(n, start+chunk); i++ {
			name := fmt.Sprintf("%s.%d", prefix, i)
			names = append(names, name)
			packages = append(packages, client.Pkg.Create().SetOwnerID(p.OwnerID).SetType("cran").SetName(name).SetNormalizedName(name).SetVersionCount(1))
		}
		var versions []*ent.PackageVersionCreate
		for _, made := range client.Pkg.CreateBulk(packages...).SaveX(ctx) {
			versions = append(versions, client.PackageVersion.Create().SetPackageID(made.ID).SetVersion("1.0").SetNormalizedVersion("1.0").SetSortKey(like.SortKey))
		}
		var files []*ent.PackageFileCreate
		for i, v := range client.PackageVersion.CreateBulk(versions...).SaveX(ctx) {
			named := func(text string) string { return strings.ReplaceAll(text, first, names[i]) }
			files = append(files, client.PackageFile.Create().SetVersionID(v.ID).SetBlobID(file.BlobID).SetLead(true).
				SetName(named(file.Name)).SetNormalizedName(named(file.Name)).SetFragment([]byte(named(string(file.Fragment)))))
		}
		var rows []*ent.IndexFragmentCreate
		for i, f := range client.PackageFile.CreateBulk(files...).SaveX(ctx) {
			for _, s := range streams {
				rows = append(rows, client.IndexFragment.Create().SetRootID(root.ID).SetStreamID(s.ID).SetFileID(f.ID).
					SetName(names[i]+" >=3.5.0").SetRank(like.SortKey).SetSort(names[i]+"\x01"+like.SortKey))
			}
		}
		client.IndexFragment.CreateBulk(rows...).ExecX(ctx)
	}
	client.IndexRoot.Update().Where(indexroot.ID(root.ID)).AddGeneration(1).ExecX(ctx)
	if got := strings.Count(r.get("/src/contrib/PACKAGES"), "Package: "+prefix+"."); got != n {
		r.tb.Fatalf("%d packages are listed, want %d", got, n)
	}
}

// BenchmarkIndex serves an index that has not changed, in its forms.
func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{500, 10_000} {
		r := newRepository(b)
		r.fill("app", n)
		get := func(file string, headers ...string) *http.Request {
			req := httptest.NewRequest("GET", root+"/src/contrib/"+file, nil)
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			return req
		}
		etag := r.ETag(b, get("PACKAGES"))
		for _, kind := range []struct {
			name, file string
			headers    []string
			status     int
		}{
			{"PACKAGES", "PACKAGES", nil, 200}, {"gz", "PACKAGES.gz", nil, 200}, {"rds", "PACKAGES.rds", nil, 200},
			{"304", "PACKAGES", []string{"If-None-Match", etag}, 304},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, kind.name), func(b *testing.B) {
				r.in(b).Measure(b, kind.status, func() *http.Request { return get(kind.file, kind.headers...) })
			})
		}
	}
}

// BenchmarkPublish uploads one more package to a repository that has many.
func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		r := newRepository(b)
		r.fill("app", n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := r.in(b)
			r.Measure(b, 201, func() *http.Request {
				next++
				req := httptest.NewRequest("PUT", root+"/src", strings.NewReader(source(b, fmt.Sprintf("new.%d", next), "1.0", common...)))
				req.SetBasicAuth("wim", r.Tokens["wim"])
				return req
			})
		})
	}
}

// TestStatements holds what a publish and a read cost in SQL, whatever the
// repository holds.
func TestStatements(t *testing.T) {
	var before [3][2]int64
	for _, n := range []int{3, 60} {
		r := newRepository(t)
		count := func(f func()) [2]int64 {
			reads, writes := r.Registry().Database().Statements()
			f()
			nowReads, nowWrites := r.Registry().Database().Statements()
			return [2]int64{nowReads - reads, nowWrites - writes}
		}
		r.fill("app", n)
		var now [3][2]int64
		now[0] = count(func() { r.publish("one.more", "1.0", common...) })
		r.get("/src/contrib/PACKAGES")
		now[1] = count(func() { r.get("/src/contrib/PACKAGES") })
		now[2] = count(func() { r.get("/src/contrib/one.more_1.0.tar.gz") })
		if n > 3 && now != before {
			t.Errorf("statements with %d packages: %v; with fewer: %v", n, now, before)
		}
		if now[1][0] > 3 || now[2][0] > 5 || now[1][1]+now[2][1] != 0 {
			t.Errorf("an unchanged index costs %v reads and writes, a download %v", now[1], now[2])
		}
		before = now
	}
}
