package npm_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/ent"
	"entrepot/server/servertest"
)

// realistic are the members of a manifest of common size, about 3 KB.
func realistic() object {
	dependencies, scripts := object{}, object{}
	for i := range 25 {
		dependencies[fmt.Sprintf("@scope/dependency-%d", i)] = fmt.Sprintf("^%d.2.3", i)
		scripts[fmt.Sprintf("task:%d", i)] = "node ./scripts/task.js --with --some --flags"
	}
	return object{
		"description": "A package of common size", "dependencies": dependencies, "scripts": scripts,
		"keywords": []any{"some", "key", "words"}, "engines": object{"node": ">=20"}, "author": object{"name": "Ann"},
		"repository": object{"type": "git", "url": "git+https://example.com/acme/tool.git"}, "types": "index.d.ts",
	}
}

// grow brings a package to n versions.
func (s *registry) grow(name string, n int) {
	s.tb.Helper()
	s.publish(name, "0.0.0", realistic())
	s.Grow(s.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.0.%d", i)
		return version, "tool-" + version + ".tgz", like.Fragment
	})
}

// BenchmarkPackument serves the document of a package of many versions, again
// and again (full, abbreviated, 304) and after each change (cold).
func BenchmarkPackument(b *testing.B) {
	s := newRegistry(b)
	for _, n := range []int{100, 500, 1000, 10_000} {
		name := fmt.Sprintf("versions-%d", n)
		s.grow(name, n)
		get := func(headers ...string) *http.Request {
			r := httptest.NewRequest("GET", root+"/"+name, nil)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			r.SetBasicAuth("rea", s.Tokens["rea"])
			return r
		}
		etag := func(headers ...string) string {
			return s.ETag(b, get(headers...))
		}
		gzip := []string{"Accept-Encoding", "gzip"}
		short := []string{"Accept", abbreviatedType, "Accept-Encoding", "gzip"}
		for _, kind := range []struct {
			name    string
			headers []string
			status  int
		}{
			{"full", nil, 200}, {"full-gzip", gzip, 200}, {"abbreviated", short[:2], 200}, {"abbreviated-gzip", short, 200},
			{"304", append(short, "If-None-Match", etag(short...)), 304},
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
	s := newRegistry(b)
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprintf("publish-%d", n)
		s.grow(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := s.in(b)
			template := servertest.Encode(b, newRelease(b, name, "1.0.0", realistic()).body)
			s.Measure(b, 201, func() *http.Request {
				next++
				// The tarball is the same each time: what it says of the
				// version may differ in the build alone.
				r := newRelease(b, name, fmt.Sprintf("1.0.%d", next), realistic())
				body := servertest.Encode(b, r.body)
				if len(body) < len(template)/2 {
					b.Fatal("the body has shrunk")
				}
				req := httptest.NewRequest("PUT", root+"/"+name, strings.NewReader(body))
				req.SetBasicAuth("ann", s.Tokens["ann"])
				return req
			})
		})
	}
}
