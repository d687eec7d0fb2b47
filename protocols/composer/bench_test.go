package composer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/ent"
)

// realistic are the members of a composer.json of common size, about 2 KB.
func realistic() object {
	require, classes := object{"php": ">=8.1"}, object{}
	for i := range 25 {
		require[fmt.Sprintf("vendor/dependency-%d", i)] = fmt.Sprintf("^%d.2.3", i)
		classes[fmt.Sprintf("Acme\\Part%d\\", i)] = fmt.Sprintf("src/Part%d/", i)
	}
	return object{
		"description": "A package of common size", "type": "library", "license": "MIT", "require": require,
		"autoload": object{"psr-4": classes}, "authors": []any{object{"name": "Ann", "email": "ann@example.com"}},
	}
}

// grow brings a package to n versions.
func (s *testServer) grow(name string, n int) {
	s.tb.Helper()
	s.publish(name, "0.0.0", realistic())
	s.Grow(s.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.0.%d", i)
		return version, "archive-" + version, like.Fragment
	})
}

// BenchmarkDocument serves the document of a package of many versions, again
// and again (plain, gzip, 304) and after each change (cold).
func BenchmarkDocument(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{100, 500, 10_000} {
		name := fmt.Sprintf("acme/versions-%d", n)
		s.grow(name, n)
		path := root + "/p2/" + name + ".json"
		get := func(headers ...string) *http.Request {
			r := httptest.NewRequest("GET", path, nil)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			r.SetBasicAuth("rea", s.Tokens["rea"])
			return r
		}
		gzip := []string{"Accept-Encoding", "gzip"}
		date := s.Want(b, 200, "rea", "HEAD", path, "").Header.Get("Last-Modified")
		for _, kind := range []struct {
			name    string
			headers []string
			status  int
		}{
			{"plain", nil, 200}, {"gzip", gzip, 200}, {"304", append(gzip, "If-Modified-Since", date), 304},
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

// BenchmarkPublish publishes one more version of a package that has many.
func BenchmarkPublish(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprintf("acme/publish-%d", n)
		s.grow(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := s.in(b)
			s.Measure(b, 201, func() *http.Request {
				next++
				archive := zipped(b, "composer.json", manifest(b, name, fmt.Sprintf("1.0.%d", next), realistic()))
				r := httptest.NewRequest("PUT", root, strings.NewReader(archive))
				r.SetBasicAuth("ann", s.Tokens["ann"])
				return r
			})
		})
	}
}
