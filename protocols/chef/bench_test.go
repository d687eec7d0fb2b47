package chef_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/ent"
)

// grow brings a cookbook of acme to n versions.
func (s *testServer) grow(name string, n int) {
	s.tb.Helper()
	s.share(name, "1.0.0", `"description":"A cookbook of common size","dependencies":{"apt":">= 2.0","yum":"~> 3.0"}`)
	s.Grow(s.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		return fmt.Sprintf("1.0.%d", i), like.NormalizedName, like.Fragment
	})
}

// BenchmarkDocuments serves the universe and a cookbook with many versions
// again and again (plain, gzip, 304) and after each change (cold).
func BenchmarkDocuments(b *testing.B) {
	for _, n := range []int{500, 10_000} {
		s := newServer(b)
		s.grow("grown", n)
		for document, path := range map[string]string{"universe": root + "/universe", "cookbook": api + "/cookbooks/grown", "version": api + "/cookbooks/grown/versions/1_0_7"} {
			get := func(headers ...string) *http.Request {
				r := httptest.NewRequest("GET", path, nil)
				for i := 0; i < len(headers); i += 2 {
					r.Header.Set(headers[i], headers[i+1])
				}
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
					s.Change(b, "grown")
					return get(gzip...)
				})
			})
		}
	}
}

// BenchmarkPublish shares one more version of a cookbook that has many.
func BenchmarkPublish(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprint("publish", n)
		s.grow(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := s.in(b)
			s.Measure(b, 201, func() *http.Request {
				b.StopTimer()
				defer b.StartTimer()
				next++
				body := sent(cookbook(b, name, fmt.Sprint("2.0.", next)))
				r := httptest.NewRequest("POST", api+"/cookbooks", strings.NewReader(body))
				r.Header.Set(formHeaders[0], formHeaders[1])
				r.Header.Set("Authorization", "Bearer "+s.Tokens["ann"])
				return r
			})
		})
	}
}
