package vagrant_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
)

// grow brings a box of acme to n versions.
func (s *testServer) grow(name string, n int) {
	s.tb.Helper()
	s.release(name+"/1.0.0/dummy", "dummy")
	s.Grow(s.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		return fmt.Sprintf("1.0.%d", i), like.NormalizedName, like.Fragment
	})
}

// BenchmarkDocument serves the document of a box of many versions, again and
// again (plain, gzip, 304), after each change (cold), and with links in it.
func BenchmarkDocument(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{500, 10_000} {
		name := fmt.Sprintf("versions_%d", n)
		s.SetVisibility(b, "acme", access.Public)
		s.grow(name, n)
		get := func(headers ...string) *http.Request {
			r := httptest.NewRequest("GET", root+"/"+name, nil)
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
		s.SetVisibility(b, "acme", access.Private)
		b.Run(fmt.Sprintf("%d/links", n), func(b *testing.B) {
			s.in(b).Measure(b, 200, func() *http.Request { return get() })
		})
	}
}

// BenchmarkPublish publishes one more version of a box that has many.
func BenchmarkPublish(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprintf("publish_%d", n)
		s.grow(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := s.in(b)
			s.Measure(b, 201, func() *http.Request {
				b.StopTimer()
				defer b.StartTimer()
				next++
				r := httptest.NewRequest("PUT", fmt.Sprintf("%s/%s/2.0.%d/dummy.box", root, name, next), strings.NewReader(boxOf(b, "dummy", fmt.Sprint(n, next))))
				r.Header.Set("Authorization", "Bearer "+s.Tokens["ann"])
				return r
			})
		})
	}
}
