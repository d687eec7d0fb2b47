package arch_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/ent"
	"entrepot/server/servertest"
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
// upload ten thousand would take minutes.
func (r *repository) fill(group string, n int) {
	r.tb.Helper()
	r.uploadTo(group, "filler-"+group, "1-1", "x86_64", infoLike(0)...)
	r.GrowIndexedPackages(r.tb, "filler-"+group, n, func(i int, like *ent.PackageFile) servertest.Indexed {
		name := fmt.Sprintf("filler-%s-%d", group, i)
		stem := name + "-1-1-x86_64"
		return servertest.Indexed{Package: name, File: stem + ".pkg.tar.zst", NormalizedFile: stem, Fragment: r.fragment(like, i)}
	})
	body := r.Want(r.tb, 200, "", "GET", root+"/"+group+"/x86_64/acme.db", "", "User-Agent", "filler").Body
	if got := len(entries(r.tb, body)); got != n {
		r.tb.Fatalf("%d packages are listed, want %d", got, n)
	}
}

// fragment is that of a file with dependencies of its own.
func (r *repository) fragment(like *ent.PackageFile, i int) []byte {
	r.tb.Helper()
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
	return fragment
}

// BenchmarkPublish uploads one more package to a group that has many.
func BenchmarkPublish(b *testing.B) {
	r := newRepository(b)
	for _, n := range servertest.IndexSizes {
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
	for _, n := range servertest.IndexSizes {
		group := fmt.Sprintf("read-%d", n)
		r.fill(group, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := r.in(b)
			r.MeasureFirstRead(b, func() {
				next++
				r.uploadTo(group, fmt.Sprintf("app-%d-%d", n, next), "1.0-1", "x86_64", infoLike(next)...)
			}, func() { r.Want(b, 200, "", "GET", root+"/"+group+"/x86_64/acme.db", "") })
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
		{"package.sig", "/filler-same-1-1-x86_64.pkg.tar.zst.sig", 200, ""},
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
	r.WantIndexStatements(t, func(n int) (publish, read func()) {
		group := fmt.Sprintf("count-%d", n)
		r.fill(group, n)
		return func() { r.uploadTo(group, fmt.Sprintf("app-%d", n), "1.0-1", "x86_64") },
			func() { r.Want(t, 200, "", "GET", root+"/"+group+"/x86_64/acme.db", "") }
	})
}
