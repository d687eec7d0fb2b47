package cargo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/ent"
)

// realistic are the members of metadata of common size: a line of some 3 KB.
func realistic() object {
	var deps []any
	features := object{"default": []any{"std"}, "std": []any{}}
	for i := range 20 {
		deps = append(deps, object{
			"name": fmt.Sprintf("dependency-%d", i), "version_req": "^1.2", "features": []any{"derive"}, "optional": false,
			"default_features": true, "kind": "normal", "registry": "https://example.com/index",
		})
		features[fmt.Sprintf("feature-%d", i)] = []any{fmt.Sprintf("dependency-%d/std", i)}
	}
	return object{"deps": deps, "features": features, "description": "A crate of common size", "rust_version": "1.70"}
}

// grow brings a crate to n versions.
func (s *testServer) grow(name string, n int) {
	s.tb.Helper()
	s.publish(name, "0.0.0", realistic())
	s.Grow(s.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.0.%d", i)
		return version, name + "-" + version + ".crate", like.Fragment
	})
}

// BenchmarkIndex serves the index file of a crate of many versions, again and
// again (plain, gzip, 304) and after each change (cold).
func BenchmarkIndex(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{100, 500, 10_000} {
		name := fmt.Sprintf("versions-%d", n)
		s.grow(name, n)
		get := func(headers ...string) *http.Request {
			r := httptest.NewRequest("GET", root+"/ve/rs/"+name, nil)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			r.Header.Set("Authorization", s.Tokens["rea"])
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
				s := s.in(b)
				s.Measure(b, kind.status, func() *http.Request { return get(kind.headers...) })
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

// BenchmarkPublish publishes one more version of a crate that has many.
func BenchmarkPublish(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprintf("publish-%d", n)
		s.grow(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := s.in(b)
			s.Measure(b, 200, func() *http.Request {
				next++
				body := newRelease(b, name, fmt.Sprintf("1.0.%d", next), realistic()).body(b)
				r := httptest.NewRequest("PUT", api+"/new", strings.NewReader(body))
				r.Header.Set("Authorization", s.Tokens["ann"])
				return r
			})
		})
	}
}
