package golang_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/ent"
)

// grow brings a module to n versions.
func (s *proxy) grow(path string, n int) {
	s.tb.Helper()
	s.upload(path, "v0.0.0")
	s.Grow(s.tb, path, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("v0.0.%d", i)
		return version, version + ".zip", like.Fragment
	})
}

// BenchmarkDocuments serves the list of versions and the latest one, again and
// again, and after each change (cold).
func BenchmarkDocuments(b *testing.B) {
	s := newProxy(b)
	for _, n := range []int{500, 10_000} {
		path := fmt.Sprintf("example.com/versions-%d", n)
		s.grow(path, n)
		for _, suffix := range []string{"/@v/list", "/@latest"} {
			get := func(headers ...string) *http.Request {
				r := httptest.NewRequest("GET", at(b, path, suffix), nil)
				for i := 0; i < len(headers); i += 2 {
					r.Header.Set(headers[i], headers[i+1])
				}
				return r
			}
			etag := s.ETag(b, get())
			b.Run(fmt.Sprintf("%d%s/warm", n, suffix), func(b *testing.B) {
				s.in(b).Measure(b, 200, func() *http.Request { return get() })
			})
			b.Run(fmt.Sprintf("%d%s/304", n, suffix), func(b *testing.B) {
				s.in(b).Measure(b, 304, func() *http.Request { return get("If-None-Match", etag) })
			})
			b.Run(fmt.Sprintf("%d%s/cold", n, suffix), func(b *testing.B) {
				s.in(b).Measure(b, 200, func() *http.Request {
					s.Change(b, path)
					return get()
				})
			})
		}
	}
}

// BenchmarkUpload uploads one more version of a module that has many.
func BenchmarkUpload(b *testing.B) {
	s := newProxy(b)
	for _, n := range []int{10, 1000, 10_000} {
		path := fmt.Sprintf("example.com/upload-%d", n)
		s.grow(path, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s.in(b).Measure(b, 201, func() *http.Request {
				next++
				r := httptest.NewRequest("PUT", root+"/upload", strings.NewReader(pack(b, path, fmt.Sprintf("v1.0.%d", next), nil)))
				r.SetBasicAuth("ann", s.Tokens["ann"])
				return r
			})
		})
	}
}
