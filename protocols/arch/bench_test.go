package arch_test

import (
	"context"
	"encoding/json"
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
	"entrepot/ent/indexstream"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
)

// infoLike is further lines of a description of common size.
func infoLike(i int) []string {
	random := rand.New(rand.NewPCG(5, uint64(i)))
	word := func() string { return fmt.Sprintf("lib%s%d", string(rune('a'+random.IntN(26))), random.IntN(400)) }
	lines := make([]string, 0, 12)
	for range 8 {
		lines = append(lines, fmt.Sprintf("depend = %s>=%d.%d", word(), random.IntN(9), random.IntN(30)))
	}
	return append(lines, "optdepend = "+word()+": for other things", "provides = "+word(), "makedepend = "+word())
}

// fill makes a group with n packages, written straight into the database: to
// upload ten thousand would take minutes. Each stands in both databases under
// a name of its own, as packages of that many names would.
func (r *repository) fill(group string, n int) {
	r.tb.Helper()
	name := "filler-" + strings.ReplaceAll(group, "/", "-")
	r.uploadTo(group, name, "0-1", "x86_64", infoLike(0)...)
	ctx := access.SystemContext(context.Background())
	r.Grow(r.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.%d-1", i)
		var kept map[string]any
		if err := json.Unmarshal(like.Fragment, &kept); err != nil {
			r.tb.Fatal(err)
		}
		var depends []string
		for _, line := range infoLike(i)[:8] {
			depends = append(depends, strings.TrimPrefix(line, "depend = "))
		}
		kept["info"].(map[string]any)["depend"] = depends
		fragment, err := json.Marshal(kept)
		if err != nil {
			r.tb.Fatal(err)
		}
		return version, name + "-" + version + "-x86_64", fragment
	})
	client := r.Registry().Client()
	first := client.IndexFragment.Query().Where(indexfragment.Name(name)).FirstX(ctx)
	streams := client.IndexStream.Query().Where(indexstream.RootID(first.RootID)).IDsX(ctx)
	versions := client.PackageVersion.Query().
		Where(packageversion.HasPackageWith(pkg.Name(name)), packageversion.VersionNEQ("0-1")).
		Order(ent.Asc(packageversion.FieldID)).
		Select(packageversion.FieldID, packageversion.FieldVersion, packageversion.FieldSortKey).
		WithFiles(func(q *ent.PackageFileQuery) { q.Select(packagefile.FieldID, packagefile.FieldVersionID) }).
		AllX(ctx)
	for chunk := range slices.Chunk(versions, 1000) {
		var rows []*ent.IndexFragmentCreate
		for _, v := range chunk {
			for _, stream := range streams {
				rows = append(rows, client.IndexFragment.Create().SetRootID(first.RootID).SetStreamID(stream).
					SetFileID(v.Edges.Files[0].ID).SetName(name+"-"+v.Version).SetRank(v.SortKey+" 1"))
			}
		}
		client.IndexFragment.CreateBulk(rows...).ExecX(ctx)
	}
	client.IndexRoot.Update().Where(indexroot.ID(first.RootID)).AddGeneration(1).ExecX(ctx)
	body := r.Want(r.tb, 200, "", "GET", root+"/"+group+"/x86_64/acme.db", "", "User-Agent", "filler").Body
	if got := len(entries(r.tb, body)); got != n {
		r.tb.Fatalf("%d packages are listed, want %d", got, n)
	}
}

// soon lets the next build begin at once: a root is built once a second.
func (r *repository) soon() {
	r.Registry().Client().IndexRoot.Update().ClearModifiedAt().ExecX(access.SystemContext(context.Background()))
}

var sizes = []int{10, 1000, 10_000}

// BenchmarkPublish uploads one more package to a group that has many.
func BenchmarkPublish(b *testing.B) {
	r := newRepository(b)
	for _, n := range sizes {
		group := fmt.Sprintf("publish-%d", n)
		r.fill(group, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := r.in(b)
			r.Measure(b, 201, func() *http.Request {
				next++
				body := pack(b, infoOf(fmt.Sprintf("app-%d-%d", n, next), "1.0-1", "x86_64", infoLike(next)...))
				req := httptest.NewRequest("PUT", root+"/"+group, strings.NewReader(body))
				req.SetBasicAuth("ann", r.Tokens["ann"])
				return req
			})
		})
	}
}

// BenchmarkFirstRead reads a database after one publish, of which it counts
// the read alone. The key is an Ed25519 one; an RSA key of 4,096 bits signs in
// 12 ms, and two databases are signed.
func BenchmarkFirstRead(b *testing.B) {
	r := newRepository(b)
	for _, n := range sizes {
		group := fmt.Sprintf("read-%d", n)
		r.fill(group, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := r.in(b)
			var spent time.Duration
			for b.Loop() {
				b.StopTimer()
				next++
				r.uploadTo(group, fmt.Sprintf("app-%d-%d", n, next), "1.0-1", "x86_64", infoLike(next)...)
				r.soon()
				b.StartTimer()
				started := time.Now()
				r.Want(b, 200, "", "GET", root+"/"+group+"/x86_64/acme.db", "")
				spent += time.Since(started)
			}
			b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "read-ms")
		})
	}
}

// BenchmarkRead reads what has not changed: a database of 500 packages, the
// answer that it is the same, and a signature that is made for the reader.
func BenchmarkRead(b *testing.B) {
	r := newRepository(b)
	r.fill("same", 500)
	date := r.Want(b, 200, "", "GET", root+"/same/x86_64/acme.db", "").Header.Get("Last-Modified")
	for _, kind := range []struct {
		name, path string
		status     int
		since      string
	}{
		{"304", "/acme.db", 304, date},
		{"db", "/acme.db", 200, ""},
		{"files", "/acme.files", 200, ""},
		{"db.sig", "/acme.db.sig", 200, ""},
		{"package.sig", "/filler-same-0-1-x86_64.pkg.tar.zst.sig", 200, ""},
	} {
		b.Run(kind.name, func(b *testing.B) {
			r.in(b).Measure(b, kind.status, func() *http.Request {
				req := httptest.NewRequest("GET", root+"/same/x86_64"+kind.path, nil)
				if kind.since != "" {
					req.Header.Set("If-Modified-Since", kind.since)
				}
				return req
			})
		})
	}
}

// TestStatements holds what a publish and a read cost in SQL, whatever the
// group holds.
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
		group := fmt.Sprintf("count-%d", n)
		r.fill(group, n)
		var now [2][2]int64
		now[0][0], now[0][1] = count(func() { r.uploadTo(group, fmt.Sprintf("app-%d", n), "1.0-1", "x86_64") })
		path := root + "/" + group + "/x86_64/acme.db"
		r.Want(t, 200, "", "GET", path, "")
		now[1][0], now[1][1] = count(func() { r.Want(t, 200, "", "GET", path, "") })
		if n > 3 && now != before {
			t.Errorf("statements with %d packages: %v; with fewer: %v", n, now, before)
		}
		if now[1][0] > 3 || now[1][1] != 0 {
			t.Errorf("an unchanged database costs %d reads and %d writes", now[1][0], now[1][1])
		}
		before = now
	}
}
