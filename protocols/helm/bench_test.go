package helm_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexfragment"
	"entrepot/ent/indexroot"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
)

// common is what a chart of common size says.
const common = `description: A chart of common size for a service with a database
home: https://example.com/app
sources: [https://example.com/app.git]
keywords: [database, sql, cluster]
maintainers: [{name: Ann, email: ann@example.com}]
icon: https://example.com/app.svg
appVersion: "1.10"
annotations: {category: Database, licenses: Apache-2.0}
kubeVersion: ">=1.25.0-0"
dependencies: [{name: common, version: 2.x.x, repository: "https://example.com/charts", tags: [common]}]
type: application
`

// fill brings a chart to n versions, written straight into the database: to
// upload ten thousand would take minutes.
func (r *repository) fill(name string, n int) {
	r.tb.Helper()
	r.push(name, "0.0.0", common)
	ctx := access.SystemContext(context.Background())
	r.Grow(r.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.0.%d", i)
		return version, name + "-" + version + ".tgz", []byte(strings.ReplaceAll(string(like.Fragment), "0.0.0", version))
	})
	client := r.Registry().Client()
	first := client.IndexFragment.Query().Where(indexfragment.Name(name)).OnlyX(ctx)
	versions := client.PackageVersion.Query().
		Where(packageversion.HasPackageWith(pkg.Name(name)), packageversion.VersionNEQ("0.0.0")).
		Order(ent.Asc(packageversion.FieldID)).
		Select(packageversion.FieldID, packageversion.FieldSortKey).
		WithFiles(func(q *ent.PackageFileQuery) { q.Select(packagefile.FieldID, packagefile.FieldVersionID) }).
		AllX(ctx)
	for chunk := range slices.Chunk(versions, 1000) {
		var rows []*ent.IndexFragmentCreate
		for _, v := range chunk {
			rows = append(rows, client.IndexFragment.Create().SetRootID(first.RootID).SetStreamID(first.StreamID).
				SetFileID(v.Edges.Files[0].ID).SetName(name).SetRank(v.SortKey).SetSort(sortOf(name, v)))
		}
		client.IndexFragment.CreateBulk(rows...).ExecX(ctx)
	}
	client.IndexRoot.Update().Where(indexroot.ID(first.RootID)).AddGeneration(1).ExecX(ctx)
	if got := strings.Count(r.get("/index.yaml"), `{"name":"`+name+`"`); got != n {
		r.tb.Fatalf("%d versions are listed, want %d", got, n)
	}
}

// sortOf is the place of a version in the index.
func sortOf(name string, v *ent.PackageVersion) string {
	turned := strings.Map(func(c rune) rune {
		const digits = "0123456789abcdef"
		return rune(digits[15-strings.IndexRune(digits, c)])
	}, v.SortKey)
	return fmt.Sprintf("%s\x01%s~%016x", name, turned, math.MaxInt64-v.ID)
}

// BenchmarkIndex serves an index that has not changed.
func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{500, 10_000} {
		r := newRepository(b)
		r.fill("app", n)
		get := func(headers ...string) *http.Request {
			req := httptest.NewRequest("GET", root+"/index.yaml", nil)
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			return req
		}
		etag := r.ETag(b, get())
		for _, kind := range []struct {
			name    string
			headers []string
			status  int
		}{{"plain", nil, 200}, {"gzip", []string{"Accept-Encoding", "gzip"}, 200}, {"304", []string{"If-None-Match", etag}, 304}} {
			b.Run(fmt.Sprintf("%d/%s", n, kind.name), func(b *testing.B) {
				r.in(b).Measure(b, kind.status, func() *http.Request { return get(kind.headers...) })
			})
		}
	}
}

// BenchmarkPublish uploads one more version of a chart that has many.
func BenchmarkPublish(b *testing.B) {
	r := newRepository(b)
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprintf("publish-%d", n)
		r.fill(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := r.in(b)
			r.Measure(b, 201, func() *http.Request {
				next++
				req := httptest.NewRequest("POST", root+"/api/charts", strings.NewReader(chart(b, name, fmt.Sprintf("1.0.%d", next), common)))
				req.SetBasicAuth("wim", r.Tokens["wim"])
				return req
			})
		})
	}
}

// BenchmarkDownload sends a chart.
func BenchmarkDownload(b *testing.B) {
	r := newRepository(b)
	r.push("app", "1.0.0", common)
	r.Measure(b, 200, func() *http.Request { return httptest.NewRequest("GET", root+"/app-1.0.0.tgz", nil) })
}

// TestStatements holds what a publish and a read cost in SQL, whatever the
// repository holds.
func TestStatements(t *testing.T) {
	r := newRepository(t)
	count := func(f func()) [2]int64 {
		reads, writes := r.Registry().Database().Statements()
		f()
		nowReads, nowWrites := r.Registry().Database().Statements()
		return [2]int64{nowReads - reads, nowWrites - writes}
	}
	var before [3][2]int64
	for _, n := range []int{3, 60} {
		name := fmt.Sprintf("count-%d", n)
		r.fill(name, n)
		var now [3][2]int64
		now[0] = count(func() { r.push(name, "1.0.0") })
		r.get("/index.yaml")
		now[1] = count(func() { r.get("/index.yaml") })
		now[2] = count(func() { r.get("/" + name + "-1.0.0.tgz") })
		if n > 3 && now != before {
			t.Errorf("statements with %d versions: %v; with fewer: %v", n, now, before)
		}
		if now[1][0] > 3 || now[2][0] > 6 || now[1][1]+now[2][1] != 0 {
			t.Errorf("an unchanged index costs %v reads and writes, a download %v", now[1], now[2])
		}
		before = now
	}
}
