package alpine_test

import (
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
	r.GrowIndexed(r.tb, "filler-"+name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.%d-r0", i)
		block := strings.Replace(string(like.Fragment), "V:0-r0", "V:"+version, 1)
		depends := strings.Join(infoLike(i)[1:7], " ")
		before, _, _ := strings.Cut(block, "D:")
		return version, "filler-" + name + "-" + version + ".apk", []byte(before + "D:" + strings.ReplaceAll(depends, "depend = ", "") + "\n")
	})
	body := r.Want(r.tb, 200, "", "GET", root+"/edge/"+name+"/x86_64/APKINDEX.tar.gz", "").Body
	if got := strings.Count(readIndex(r.tb, body).text, "\nP:"); got != n {
		r.tb.Fatalf("%d packages are listed, want %d", got, n)
	}
}

// BenchmarkPublish uploads one more package to a repository that has many.
func BenchmarkPublish(b *testing.B) {
	r := newRepository(b)
	for _, n := range servertest.IndexSizes {
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
	for _, n := range servertest.IndexSizes {
		name := fmt.Sprintf("read-%d", n)
		r.fill(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := r.in(b)
			r.MeasureFirstRead(b, func() {
				next++
				r.uploadTo("edge/"+name, fmt.Sprintf("app-%d-x%d", n, next), "1.0-r0", "x86_64", infoLike(next)...)
			}, func() { r.Want(b, 200, "", "GET", root+"/edge/"+name+"/x86_64/APKINDEX.tar.gz", "") })
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
	r.WantIndexStatements(t, func(n int) (publish, read func()) {
		name := fmt.Sprintf("count-%d", n)
		r.fill(name, n)
		return func() { r.uploadTo("edge/"+name, fmt.Sprintf("app-x%d", n), "1.0-r0", "x86_64") },
			func() { r.Want(t, 200, "", "GET", root+"/edge/"+name+"/x86_64/APKINDEX.tar.gz", "") }
	})
}
