package rpm_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"entrepot/ent"
	"entrepot/protocols/rpm"
	"entrepot/protocols/rpmtest"
	"entrepot/server/servertest"
)

// packLike is a package of common size with two entries of a changelog.
func packLike(name string, i int) rpmtest.Package {
	p := rpmtest.Common(name, i, "1")
	p.Tags[1080] = []int32{2, 1}
	p.Tags[1081] = []string{"Ann <ann@example.com> - 2", "Ann <ann@example.com> - 1"}
	p.Tags[1082] = []string{"- mended", "- made"}
	return p
}

// fill makes a group with n packages, written straight into the database: to
// upload a hundred thousand would take an hour.
func (r *repository) fill(group string, n int) {
	r.tb.Helper()
	name := "filler-" + group
	r.upload(group, packLike(name, 0))
	r.GrowIndexed(r.tb, name, n, func(i int, _ *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.%d-1", i)
		fragment, err := rpm.Fragment(packLike(name, i).Bytes())
		if err != nil {
			r.tb.Fatal(err)
		}
		return version, name + "-" + version + ".x86_64.rpm", fragment
	})
	started := time.Now()
	body := r.get(place(group) + "/repodata/repomd.xml")
	r.tb.Logf("the first index of %d packages took %v", n, time.Since(started))
	if primary := unpack(r.tb, r.get(place(group)+"/repodata/primary.xml.gz")); strings.Count(primary, "<package type=") != n || body == "" {
		r.tb.Fatalf("%d packages are listed, want %d", strings.Count(primary, "<package type="), n)
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
				req := httptest.NewRequest("PUT", place(group)+"/upload", bytes.NewReader(body))
				req.SetBasicAuth("ann", r.Tokens["ann"])
				return req
			})
		})
	}
}

// BenchmarkFirstRead reads repomd.xml after one publish, of which it counts
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
			}, func() { r.get(place(group) + "/repodata/repomd.xml") })
		})
	}
}

// BenchmarkRead reads an index of 500 packages that has not changed.
func BenchmarkRead(b *testing.B) {
	r := newRepository(b)
	r.fill("same", 500)
	path := place("same") + "/repodata/"
	date := r.Want(b, 200, "", "GET", path+"repomd.xml", "").Header.Get("Last-Modified")
	for _, kind := range []struct {
		name, file string
		status     int
		headers    []string
	}{
		{"304", "repomd.xml", 304, []string{"If-Modified-Since", date}},
		{"repomd.xml", "repomd.xml", 200, nil},
		{"primary.xml.gz", "primary.xml.gz", 200, nil},
		{"filelists.xml.gz", "filelists.xml.gz", 200, nil},
	} {
		b.Run(kind.name, func(b *testing.B) {
			r.in(b).Measure(b, kind.status, func() *http.Request {
				req := httptest.NewRequest("GET", path+kind.file, nil)
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
			func() { r.get(place(group) + "/repodata/repomd.xml") }
	})
}
