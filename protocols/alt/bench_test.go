package alt_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"entrepot/ent"
	"entrepot/protocols/alt"
	"entrepot/protocols/rpmtest"
	"entrepot/server/servertest"
)

// packLike is a package of common size.
func packLike(name string, i int) rpmtest.Package { return rpmtest.Common(name, i, "alt1") }

// fill makes a group with n packages, written straight into the database: to
// upload ten thousand would take minutes.
func (r *repository) fill(group string, n int) {
	r.tb.Helper()
	name := "filler-" + group
	r.upload(group, packLike(name, 0))
	r.GrowIndexed(r.tb, name, n, func(i int, _ *ent.PackageFile) (version, file string, fragment []byte) {
		fragment, file, err := alt.Fragment(packLike(name, i).Bytes())
		if err != nil {
			r.tb.Fatal(err)
		}
		return fmt.Sprintf("0.%d-alt1", i), file, fragment
	})
	started := time.Now()
	r.get(repo(group) + "/x86_64/base/release")
	plain := r.get(repo(group) + "/x86_64/base/pkglist.classic")
	r.tb.Logf("the first list of %d packages, %d bytes, took %v", n, len(plain), time.Since(started))
	if headers, err := rpmtest.ReadHeaders([]byte(plain)); len(headers) != n || err != nil {
		r.tb.Fatalf("%d packages are listed, want %d; %v", len(headers), n, err)
	}
}

// BenchmarkPublish uploads one more package to a group that has many.
func BenchmarkPublish(b *testing.B) {
	r := newRepository(b)
	for _, n := range servertest.IndexSizes {
		group := fmt.Sprintf("publish-%d", n)
		r.in(b).fill(group, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r.in(b).Measure(b, 201, func() *http.Request {
				next++
				body := packLike(fmt.Sprintf("app-%d-%d", n, next), next).Bytes()
				req := httptest.NewRequest("PUT", uploads(group), bytes.NewReader(body))
				req.SetBasicAuth("ann", r.Tokens["ann"])
				return req
			})
		})
	}
}

// BenchmarkFirstRead reads the release after one publish, of which it counts
// the read alone. The key is an Ed25519 one; an RSA key of 4,096 bits signs in
// 12 ms.
func BenchmarkFirstRead(b *testing.B) {
	r := newRepository(b)
	for _, n := range servertest.IndexSizes {
		group := fmt.Sprintf("read-%d", n)
		r.in(b).fill(group, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := r.in(b)
			r.MeasureFirstRead(b, func() {
				next++
				r.upload(group, packLike(fmt.Sprintf("app-%d-%d", n, next), next))
			}, func() { r.get(repo(group) + "/x86_64/base/release") })
		})
	}
}

// BenchmarkRead reads an index of 500 packages that has not changed.
func BenchmarkRead(b *testing.B) {
	r := newRepository(b)
	r.fill("same", 500)
	base := repo("same") + "/x86_64/base/"
	date := r.Want(b, 200, "", "GET", base+"pkglist.classic.xz", "").Header.Get("Last-Modified")
	for _, kind := range []struct {
		name, file string
		status     int
		headers    []string
	}{
		{"304", "pkglist.classic.xz", 304, []string{"If-Modified-Since", date}},
		{"release", "release", 200, nil},
		{"pkglist.xz", "pkglist.classic.xz", 200, nil},
		{"pkglist", "pkglist.classic", 200, nil},
	} {
		b.Run(kind.name, func(b *testing.B) {
			r.in(b).Measure(b, kind.status, func() *http.Request {
				req := httptest.NewRequest("GET", base+kind.file, nil)
				for i := 0; i < len(kind.headers); i += 2 {
					req.Header.Set(kind.headers[i], kind.headers[i+1])
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
		return func() { r.upload(group, pack(fmt.Sprintf("app-%d", n), "1", "x86_64")) },
			func() { r.get(repo(group) + "/x86_64/base/release") }
	})
	reads, _ := r.Registry().Database().Statements()
	r.get(repo("count-60") + "/x86_64/RPMS.classic/app-60-1-alt1.x86_64.rpm")
	if more, _ := r.Registry().Database().Statements(); more-reads > 5 {
		t.Errorf("a download costs %d reads", more-reads)
	}
}
