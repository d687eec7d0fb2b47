package nuget_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkRegistration serves the index of a package of many versions, and
// one of its pages, again and again (plain, gzip, 304) and after each change
// (cold).
func BenchmarkRegistration(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{100, 500, 10_000} {
		id := fmt.Sprintf("Versions%d", n)
		s.grow(id, n)
		for name, path := range map[string]string{
			"index": "/index.json", "page": "/page/0.0.0/0.0.63.json",
		} {
			path := root + "/registration/" + strings.ToLower(id) + path
			get := func(headers ...string) *http.Request {
				r := httptest.NewRequest("GET", path, nil)
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
				b.Run(fmt.Sprintf("%d/%s/%s", n, name, kind.name), func(b *testing.B) {
					s.Measure(b, kind.status, func() *http.Request { return get(kind.headers...) })
				})
			}
			b.Run(fmt.Sprintf("%d/%s/cold", n, name), func(b *testing.B) {
				s.Measure(b, 200, func() *http.Request {
					s.Change(b, id)
					return get(gzip...)
				})
			})
		}
	}
}

// BenchmarkPublish publishes one more version of a package that has many.
func BenchmarkPublish(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{10, 1000, 10_000} {
		id := fmt.Sprintf("Publish%d", n)
		s.grow(id, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s.Measure(b, 201, func() *http.Request {
				next++
				r := httptest.NewRequest("PUT", root, strings.NewReader(nupkg(b, id, fmt.Sprintf("1.0.%d", next))))
				r.Header.Set("X-NuGet-ApiKey", s.Tokens["ann"])
				return r
			})
		})
	}
}
