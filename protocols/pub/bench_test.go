package pub_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/ent"
)

// realistic are the members of a pubspec of common size.
const realistic = `description: A package of common size
repository: https://example.com/acme/lib
topics: [widgets, forms, layout]
environment: {sdk: ^3.5.0, flutter: ">=3.24.0"}
dependencies: {flutter: {sdk: flutter}, collection: ^1.18.0, meta: ^1.15.0, path: ^1.9.0}
dev_dependencies: {test: ^1.25.0, lints: ^5.0.0}
`

// grow brings a package to n versions.
func (s *testServer) grow(name string, n int) {
	s.tb.Helper()
	s.release(name, "0.0.0", realistic)
	s.Grow(s.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.0.%d", i)
		return version, version + ".tar.gz", []byte(strings.ReplaceAll(string(like.Fragment), "0.0.0", version))
	})
}

// BenchmarkListing serves the listing of a package of many versions, again and
// again (plain, gzip, 304) and after each change (cold).
func BenchmarkListing(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{500, 10_000} {
		name := fmt.Sprintf("versions_%d", n)
		s.grow(name, n)
		get := func(headers ...string) *http.Request {
			r := httptest.NewRequest("GET", api+name, nil)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			r.Header.Set("Authorization", "Bearer "+s.Tokens["rea"])
			return r
		}
		gzip := []string{"Accept-Encoding", "gzip"}
		etag := s.ETag(b, get(gzip...))
		for _, kind := range []struct {
			name    string
			headers []string
			status  int
		}{
			{"plain", nil, 200}, {"gzip", gzip, 200}, {"304", append(gzip, "If-None-Match", etag), 304},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, kind.name), func(b *testing.B) {
				s.in(b).Measure(b, kind.status, func() *http.Request { return get(kind.headers...) })
			})
		}
		b.Run(fmt.Sprintf("%d/cold", n), func(b *testing.B) {
			s := s.in(b)
			s.Measure(b, 200, func() *http.Request {
				s.Change(b, name)
				return get(gzip...)
			})
		})
	}
}

// BenchmarkFinalize publishes one more version of a package that has many: the
// last step, which does the work; the archive has been sent before.
func BenchmarkFinalize(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprintf("publish_%d", n)
		s.grow(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := s.in(b)
			s.Measure(b, 200, func() *http.Request {
				b.StopTimer()
				defer b.StartTimer()
				next++
				r := httptest.NewRequest("GET", s.upload("ann", packageOf(b, name, fmt.Sprintf("1.0.%d", next), realistic)), nil)
				r.Header.Set("Authorization", "Bearer "+s.Tokens["ann"])
				return r
			})
		})
	}
}
