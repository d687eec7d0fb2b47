package pypi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/ent"
)

// grow brings a project to n releases of one wheel.
func (s *index) grow(name string, n int) {
	s.tb.Helper()
	s.upload(201, newWheel(s.tb, name, "0.0", "Requires-Python: >=3.9"))
	s.Grow(s.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.%d", i)
		file = strings.Replace(like.Name, "-0.0-", "-"+version+"-", 1)
		return version, file, []byte(strings.ReplaceAll(string(like.Fragment), like.Name, file))
	})
}

// BenchmarkProject serves the page of a project of many releases, again and
// again (JSON, HTML, 304) and after each change (cold).
func BenchmarkProject(b *testing.B) {
	s := newIndex(b)
	for _, n := range []int{100, 500, 10_000} {
		name := fmt.Sprintf("versions-%d", n)
		s.grow(name, n)
		get := func(headers ...string) *http.Request {
			r := httptest.NewRequest("GET", root+"/simple/"+name+"/", nil)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			r.SetBasicAuth("rea", s.Tokens["rea"])
			return r
		}
		asPip := []string{"Accept", jsonType, "Accept-Encoding", "gzip"}
		for _, kind := range []struct {
			name    string
			headers []string
			status  int
		}{
			{"json-gzip", asPip, 200}, {"json", asPip[:2], 200}, {"html", nil, 200},
			{"304", append(asPip, "If-None-Match", s.ETag(b, get(asPip...))), 304},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, kind.name), func(b *testing.B) {
				s.in(b).Measure(b, kind.status, func() *http.Request { return get(kind.headers...) })
			})
		}
		b.Run(fmt.Sprintf("%d/cold", n), func(b *testing.B) {
			s.in(b).Measure(b, 200, func() *http.Request {
				s.Change(b, name)
				return get(asPip...)
			})
		})
	}
}

// BenchmarkUpload uploads one more release of a project that has many.
func BenchmarkUpload(b *testing.B) {
	s := newIndex(b)
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprintf("upload-%d", n)
		s.grow(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s.in(b).Measure(b, 201, func() *http.Request {
				next++
				body, contentType := newWheel(b, name, fmt.Sprintf("1.%d", next)).body(b)
				req := httptest.NewRequest("POST", root+"/", strings.NewReader(body))
				req.Header.Set("Content-Type", contentType)
				req.SetBasicAuth("ann", s.Tokens["ann"])
				return req
			})
		})
	}
}
