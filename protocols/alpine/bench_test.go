package alpine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
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

// infoLike is further lines of a description of common size.
func infoLike(i int) []string {
	random := rand.New(rand.NewPCG(5, uint64(i)))
	word := func() string { return fmt.Sprintf("lib%s%d", string(rune('a'+random.IntN(26))), random.IntN(400)) }
	lines := []string{fmt.Sprintf("commit = %040x", random.Uint64())}
	for range 6 {
		lines = append(lines, fmt.Sprintf("depend = so:%s.so.%d", word(), random.IntN(9)))
	}
	return append(lines, "provides = cmd:"+word()+"=1.0-r0")
}

// fill makes a repository of the branch edge with n packages, written straight
// into the database: to upload ten thousand would take minutes.
func (r *repository) fill(name string, n int) {
	r.tb.Helper()
	r.uploadTo("edge/"+name, "filler-"+name, "0-r0", "x86_64", infoLike(0)...)
	ctx := access.SystemContext(context.Background())
	r.Grow(r.tb, "filler-"+name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.%d-r0", i)
		block := strings.Replace(string(like.Fragment), "V:0-r0", "V:"+version, 1)
		depends := strings.Join(infoLike(i)[1:7], " ")
		before, _, _ := strings.Cut(block, "D:")
		return version, "filler-" + name + "-" + version + ".apk", []byte(before + "D:" + strings.ReplaceAll(depends, "depend = ", "") + "\n")
	})
	client := r.Registry().Client()
	first := client.IndexFragment.Query().Where(indexfragment.Name("filler-" + name)).OnlyX(ctx)
	versions := client.PackageVersion.Query().
		Where(packageversion.HasPackageWith(pkg.Name("filler-"+name)), packageversion.VersionNEQ("0-r0")).
		Order(ent.Asc(packageversion.FieldID)).
		Select(packageversion.FieldID, packageversion.FieldSortKey).
		WithFiles(func(q *ent.PackageFileQuery) { q.Select(packagefile.FieldID, packagefile.FieldVersionID) }).
		AllX(ctx)
	for chunk := range slices.Chunk(versions, 1000) {
		var rows []*ent.IndexFragmentCreate
		for _, v := range chunk {
			rows = append(rows, client.IndexFragment.Create().SetRootID(first.RootID).SetStreamID(first.StreamID).
				SetFileID(v.Edges.Files[0].ID).SetName("filler-"+name).SetRank(v.SortKey))
		}
		client.IndexFragment.CreateBulk(rows...).ExecX(ctx)
	}
	client.IndexRoot.Update().Where(indexroot.ID(first.RootID)).AddGeneration(1).ExecX(ctx)
	body := r.Want(r.tb, 200, "", "GET", root+"/edge/"+name+"/x86_64/APKINDEX.tar.gz", "").Body
	if got := strings.Count(readIndex(r.tb, body).text, "\nP:"); got != n {
		r.tb.Fatalf("%d packages are listed, want %d", got, n)
	}
}

// soon lets the next build begin at once: a root is built once a second.
func (r *repository) soon() {
	r.Registry().Client().IndexRoot.Update().ClearModifiedAt().ExecX(access.SystemContext(context.Background()))
}

var sizes = []int{10, 1000, 10_000}

// BenchmarkPublish uploads one more package to a repository that has many.
func BenchmarkPublish(b *testing.B) {
	r := newRepository(b)
	for _, n := range sizes {
		name := fmt.Sprintf("publish-%d", n)
		r.fill(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := r.in(b)
			r.Measure(b, 201, func() *http.Request {
				next++
				body := apk(b, infoOf(fmt.Sprintf("app-%d-x%d", n, next), "1.0-r0", "x86_64", infoLike(next)...))
				req := httptest.NewRequest("PUT", root+"/edge/"+name, strings.NewReader(body))
				req.SetBasicAuth("ann", r.Tokens["ann"])
				return req
			})
		})
	}
}

// BenchmarkFirstRead reads an index after one publish, of which it counts the
// read alone. The key has 2,048 bits; one of 4,096 signs in 6 ms, and there
// are two signatures.
func BenchmarkFirstRead(b *testing.B) {
	r := newRepository(b)
	for _, n := range sizes {
		name := fmt.Sprintf("read-%d", n)
		r.fill(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := r.in(b)
			var spent time.Duration
			for b.Loop() {
				b.StopTimer()
				next++
				r.uploadTo("edge/"+name, fmt.Sprintf("app-%d-x%d", n, next), "1.0-r0", "x86_64", infoLike(next)...)
				r.soon()
				b.StartTimer()
				started := time.Now()
				r.Want(b, 200, "", "GET", root+"/edge/"+name+"/x86_64/APKINDEX.tar.gz", "")
				spent += time.Since(started)
			}
			b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "read-ms")
		})
	}
}

// BenchmarkRead reads an index of 500 packages that has not changed.
func BenchmarkRead(b *testing.B) {
	r := newRepository(b)
	r.fill("same", 500)
	path := root + "/edge/same/x86_64/APKINDEX.tar.gz"
	date := r.Want(b, 200, "", "GET", path, "").Header.Get("Last-Modified")
	for name, status := range map[string]int{"304": 304, "whole": 200} {
		b.Run(name, func(b *testing.B) {
			r.in(b).Measure(b, status, func() *http.Request {
				req := httptest.NewRequest("GET", path, nil)
				if status == 304 {
					req.Header.Set("If-Modified-Since", date)
				}
				return req
			})
		})
	}
}

// TestStatements holds what a publish and a read cost in SQL, whatever the
// repository holds.
func TestStatements(t *testing.T) {
	r := newRepository(t)
	count := func(f func()) (int64, int64) {
		reads, writes := r.Registry().Database().Statements()
		f()
		r, w := r.Registry().Database().Statements()
		return r - reads, w - writes
	}
	var before [2][2]int64
	for _, n := range []int{3, 60} {
		name := fmt.Sprintf("count-%d", n)
		r.fill(name, n)
		var now [2][2]int64
		now[0][0], now[0][1] = count(func() { r.uploadTo("edge/"+name, fmt.Sprintf("app-x%d", n), "1.0-r0", "x86_64") })
		path := root + "/edge/" + name + "/x86_64/APKINDEX.tar.gz"
		r.Want(t, 200, "", "GET", path, "")
		now[1][0], now[1][1] = count(func() { r.Want(t, 200, "", "GET", path, "") })
		if n > 3 && now != before {
			t.Errorf("statements with %d packages: %v; with fewer: %v", n, now, before)
		}
		if now[1][0] > 3 || now[1][1] != 0 {
			t.Errorf("an unchanged index costs %d reads and %d writes", now[1][0], now[1][1])
		}
		before = now
	}
}
