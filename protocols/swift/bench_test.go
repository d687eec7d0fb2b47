package swift_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkDocuments serves the list of a package with many releases (its first
// page) and one of them, again and again (plain, gzip, 304) and after each
// change (cold).
func BenchmarkDocuments(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{500, 10_000} {
		name := fmt.Sprintf("acme/Versions%d", n)
		s.grow(name, n)
		for document, path := range map[string]string{"releases": root + "/" + name, "release": root + "/" + name + "/1.0.7"} {
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
				b.Run(fmt.Sprintf("%d/%s/%s", n, document, kind.name), func(b *testing.B) {
					s.in(b).Measure(b, kind.status, func() *http.Request { return get(kind.headers...) })
				})
			}
			b.Run(fmt.Sprintf("%d/%s/cold", n, document), func(b *testing.B) {
				s := s.in(b)
				s.Measure(b, 200, func() *http.Request {
					s.Change(b, strings.ReplaceAll(name, "/", "."))
					return get(gzip...)
				})
			})
		}
	}
}

// BenchmarkPublish publishes one more release of a package that has many.
func BenchmarkPublish(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprintf("acme/Publish%d", n)
		s.grow(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := s.in(b)
			s.Measure(b, 201, func() *http.Request {
				b.StopTimer()
				defer b.StartTimer()
				next++
				body := form(archivePart(sources(b, fmt.Sprint(n, next))), metadataPart(`{"repositoryURLs":["https://example.com/a"]}`))
				r := httptest.NewRequest("PUT", fmt.Sprintf("%s/%s/2.0.%d", root, name, next), strings.NewReader(body))
				r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
				r.Header.Set("Authorization", "Bearer "+s.Tokens["ann"])
				return r
			})
		})
	}
}
