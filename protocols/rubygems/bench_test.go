package rubygems_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/property"
)

// realistic are the lines of a gemspec of common size.
func realistic() string {
	var b strings.Builder
	b.WriteString("description: A gem of common size\nhomepage: https://example.com/gem\nlicenses: [MIT]\ndependencies:\n")
	for i := range 10 {
		_, item, _ := strings.Cut(dependsOn(fmt.Sprintf("dependency-%d", i), "~>", fmt.Sprintf("%d.2", i)), "\n")
		b.WriteString(item)
	}
	return b.String()
}

// grow brings a gem to n versions. The state of its list's digest is not that
// of what was written into the database directly: the next push makes it anew.
func (s *testServer) grow(name string, n int) {
	s.tb.Helper()
	s.push(gem{name: name, version: "0.0.0", more: realistic()})
	s.Grow(s.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.0.%d", i)
		_, rest, _ := strings.Cut(string(like.Fragment), " ")
		return version, name + "-" + version + ".gem", []byte(version + " " + rest)
	})
	ctx := access.SystemContext(context.Background())
	s.Registry().Client().Property.Delete().Where(property.RefTypeEQ(property.RefTypePackage)).ExecX(ctx)
	s.push(gem{name: name, version: "0.1", more: realistic()})
	s.agree(name)
}

// BenchmarkInfo serves the list of a gem of many versions, again and again
// (200, 304, the last byte) and after each change (cold).
func BenchmarkInfo(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{500, 10_000} {
		name := fmt.Sprintf("versions-%d", n)
		s.grow(name, n)
		get := func(headers ...string) *http.Request {
			r := httptest.NewRequest("GET", root+"/info/"+name, nil)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			r.SetBasicAuth("rea", s.Tokens["rea"])
			return r
		}
		res := s.Want(b, 200, "rea", "GET", root+"/info/"+name, "")
		for _, kind := range []struct {
			name    string
			headers []string
			status  int
		}{
			{"full", nil, 200}, {"304", []string{"If-None-Match", res.Header.Get("Etag")}, 304},
			{"206", []string{"Range", fmt.Sprintf("bytes=%d-", len(res.Body)-1)}, 206},
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
				return get()
			})
		})
	}
}

// BenchmarkVersions serves the list of all gems, of 10,000 changes.
func BenchmarkVersions(b *testing.B) {
	s := newServer(b)
	s.push(gem{name: "a", version: "1"})
	ctx := access.SystemContext(context.Background())
	client := s.Registry().Client()
	like := client.Property.Query().Where(property.Name("journal/rubygems")).OnlyX(ctx)
	for start := 0; start < 10_000; start += 1000 {
		var rows []*ent.PropertyCreate
		for i := range 1000 {
			value := strings.Replace(like.Value, "a 1 ", fmt.Sprintf("gem-%d 1.%d ", (start+i)%500, start+i), 1)
			rows = append(rows, client.Property.Create().SetRefType(like.RefType).SetRefID(like.RefID).SetName(like.Name).SetValue(value))
		}
		client.Property.CreateBulk(rows...).ExecX(ctx)
	}
	s.push(gem{name: "a", version: "2"})
	etag := s.Want(b, 200, "rea", "GET", root+"/versions", "").Header.Get("Etag")
	for _, kind := range []struct {
		name, path string
		headers    []string
		status     int
	}{
		{"full", "/versions", nil, 200}, {"304", "/versions", []string{"If-None-Match", etag}, 304}, {"names", "/names", nil, 200}, {"specs", "/specs.4.8.gz", nil, 200},
	} {
		b.Run(kind.name, func(b *testing.B) {
			s := s.in(b)
			s.Measure(b, kind.status, func() *http.Request {
				r := httptest.NewRequest("GET", root+kind.path, nil)
				for i := 0; i < len(kind.headers); i += 2 {
					r.Header.Set(kind.headers[i], kind.headers[i+1])
				}
				r.SetBasicAuth("rea", s.Tokens["rea"])
				return r
			})
		})
	}
	next := 2
	b.Run("after a change", func(b *testing.B) {
		s := s.in(b)
		for b.Loop() {
			b.StopTimer()
			next++
			s.push(gem{name: "a", version: fmt.Sprint(next)})
			b.StartTimer()
			s.Want(b, 200, "rea", "GET", root+"/versions", "")
		}
	})
}

// BenchmarkPublish pushes one more version of a gem that has many.
func BenchmarkPublish(b *testing.B) {
	s := newServer(b)
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprintf("publish-%d", n)
		s.grow(name, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := s.in(b)
			s.Measure(b, 201, func() *http.Request {
				next++
				body := gem{name: name, version: fmt.Sprintf("1.0.%d", next), more: realistic()}.pack(b)
				r := httptest.NewRequest("POST", root+"/api/v1/gems", strings.NewReader(body))
				r.SetBasicAuth("ann", s.Tokens["ann"])
				return r
			})
		})
	}
}
