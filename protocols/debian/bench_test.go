package debian_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"entrepot/ent"
	"entrepot/server/servertest"
)

// stanzaLike is a control file of common size: what a distribution has, 0.8 KB
// a package.
func stanzaLike(i int) []string {
	random := rand.New(rand.NewPCG(5, uint64(i)))
	word := func() string { return fmt.Sprintf("lib%s%d", string(rune('a'+random.IntN(26))), random.IntN(400)) }
	depends := make([]string, 8)
	for j := range depends {
		depends[j] = fmt.Sprintf("%s (>= %d.%d.%d)", word(), random.IntN(9), random.IntN(30), random.IntN(10))
	}
	return []string{
		"Source: " + word(), fmt.Sprintf("Installed-Size: %d", random.IntN(90000)), "Depends: " + strings.Join(depends, ", "),
		"Section: utils", "Priority: optional", "Multi-Arch: foreign", "Homepage: https://example.com/" + word(),
		fmt.Sprintf("Tag: implemented-in::c, role::%s, suite::%s, use::%s", word(), word(), word()),
		"X-Notes: " + strings.Repeat(word()+" ", 12),
	}
}

// fill makes a distribution with n packages, written straight into the
// database: to upload a hundred thousand would take an hour.
func (r *repository) fill(distribution string, n int) {
	r.tb.Helper()
	name := "filler-" + distribution
	r.uploadTo(distribution+"/main", name, "0", "amd64", stanzaLike(0)...)
	r.GrowIndexed(r.tb, name, n, func(i int, _ *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.%d", i)
		control := controlOf(name, version, "amd64", stanzaLike(i)...)
		return version, name + "_" + version + "_amd64.deb", []byte(control)
	})
	started := time.Now()
	body := r.Want(r.tb, 200, "", "GET", root+"/dists/"+distribution+"/main/binary-amd64/Packages", "", "User-Agent", "filler").Body
	if got := strings.Count(body, "\nFilename: "); got != n {
		r.tb.Fatalf("%d packages are listed, want %d", got, n)
	}
	r.tb.Logf("the first index of %d packages took %v", n, time.Since(started))
}

// BenchmarkPublish uploads one more package to a distribution that has many.
func BenchmarkPublish(b *testing.B) {
	r := newRepository(b)
	for _, n := range servertest.IndexSizes {
		distribution := fmt.Sprintf("publish-%d", n)
		r.fill(distribution, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := r.in(b)
			r.Measure(b, 201, func() *http.Request {
				next++
				body := deb(b, controlOf(fmt.Sprintf("app-%d-%d", n, next), "1.0", "amd64", stanzaLike(next)...))
				req := httptest.NewRequest("PUT", root+"/pool/"+distribution+"/main/upload", strings.NewReader(body))
				req.SetBasicAuth("ann", r.Tokens["ann"])
				return req
			})
		})
	}
}

// BenchmarkFirstRead reads InRelease after one publish, of which it counts
// the read alone; with 100 publishes before it, and after a deletion from the
// middle. The key is an Ed25519 one; an RSA key of 4,096 bits signs in 12 ms.
func BenchmarkFirstRead(b *testing.B) {
	r := newRepository(b)
	for _, n := range servertest.IndexSizes {
		distribution := fmt.Sprintf("read-%d", n)
		r.fill(distribution, n)
		next := 0
		publish := func(times int) {
			for range times {
				next++
				r.uploadTo(distribution+"/main", fmt.Sprintf("app-%d-%d", n, next), "1.0", "amd64", stanzaLike(next)...)
			}
		}
		read := func(b *testing.B, change func()) {
			r := r.in(b)
			r.MeasureFirstRead(b, change, func() { r.get("/dists/" + distribution + "/InRelease") })
		}
		b.Run(fmt.Sprintf("%d/publish", n), func(b *testing.B) { read(b, func() { publish(1) }) })
		b.Run(fmt.Sprintf("%d/100-publishes", n), func(b *testing.B) { read(b, func() { publish(100) }) })
		if n < 1000 {
			continue // there would soon be none left to delete
		}
		middle := n / 2
		b.Run(fmt.Sprintf("%d/delete", n), func(b *testing.B) {
			read(b, func() {
				middle++
				path := fmt.Sprintf("/pool/%s/main/filler-%s/0.%d/amd64", distribution, distribution, middle%n)
				r.Want(b, 204, "ann", "DELETE", root+path, "")
			})
		})
	}
}

// BenchmarkRead reads an index that has not changed.
func BenchmarkRead(b *testing.B) {
	r := newRepository(b)
	for _, n := range []int{10, 10_000} {
		distribution := fmt.Sprintf("same-%d", n)
		r.fill(distribution, n)
		date := r.Want(b, 200, "", "GET", root+"/dists/"+distribution+"/InRelease", "").Header.Get("Last-Modified")
		for _, kind := range []struct {
			name, path string
			status     int
			headers    []string
		}{
			{"304", "/InRelease", 304, []string{"If-Modified-Since", date}},
			{"InRelease", "/InRelease", 200, nil},
			{"Packages.gz", "/main/binary-amd64/Packages.gz", 200, nil},
			{"Packages", "/main/binary-amd64/Packages", 200, nil},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, kind.name), func(b *testing.B) {
				r.in(b).Measure(b, kind.status, func() *http.Request {
					req := httptest.NewRequest("GET", root+"/dists/"+distribution+kind.path, nil)
					for i := 0; i < len(kind.headers); i += 2 {
						req.Header.Set(kind.headers[i], kind.headers[i+1])
					}
					return req
				})
			})
		}
	}
}

// TestStatements holds what a publish and a read cost in SQL, whatever the
// distribution holds.
func TestStatements(t *testing.T) {
	r := newRepository(t)
	r.WantIndexStatements(t, func(n int) (publish, read func()) {
		distribution := fmt.Sprintf("count-%d", n)
		r.fill(distribution, n)
		return func() { r.uploadTo(distribution+"/main", fmt.Sprintf("app-%d", n), "1.0", "amd64") },
			func() { r.get("/dists/" + distribution + "/InRelease") }
	})
}
