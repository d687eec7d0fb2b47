package cargo_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
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

// grow brings a crate to n versions. They are written straight into the
// database, in the likeness of one that was published: ten thousand publishes
// would take minutes.
func (s *testServer) grow(name string, n int) {
	s.tb.Helper()
	s.publish(name, "0.0.0", realistic())
	ctx := access.SystemContext(context.Background())
	client := s.Registry().Client()
	p := client.Pkg.Query().Where(pkg.Name(name)).OnlyX(ctx)
	like := client.PackageVersion.Query().Where(packageversion.PackageID(p.ID)).OnlyX(ctx)
	file := client.PackageFile.Query().Where(packagefile.VersionID(like.ID)).OnlyX(ctx)
	const chunk = 500
	for start := 1; start < n; start += chunk {
		var versions []*ent.PackageVersionCreate
		for i := start; i < min(n, start+chunk); i++ {
			v := fmt.Sprintf("0.0.%d", i)
			versions = append(versions, client.PackageVersion.Create().SetPackageID(p.ID).SetVersion(v).SetNormalizedVersion(v).
				SetSortKey(fmt.Sprintf("%08x", i)).SetSummary(like.Summary).SetMetadata(like.Metadata).SetDependencies(like.Dependencies))
		}
		var files []*ent.PackageFileCreate
		for _, v := range client.PackageVersion.CreateBulk(versions...).SaveX(ctx) {
			file := client.PackageFile.Create().SetVersionID(v.ID).SetBlobID(file.BlobID).SetLead(true).
				SetName(name + "-" + v.Version + ".crate").SetNormalizedName(name + "-" + v.Version + ".crate").SetFragment(file.Fragment)
			files = append(files, file)
		}
		client.PackageFile.CreateBulk(files...).ExecX(ctx)
	}
	client.Pkg.UpdateOne(p).SetVersionCount(n).AddGeneration(1).ExecX(ctx)
}

// sink is an answer that is thrown away.
type sink struct {
	header http.Header
	status int
	bytes  int64
}

func (s *sink) Header() http.Header { return s.header }

func (s *sink) WriteHeader(status int) { s.status = status }

func (s *sink) Write(p []byte) (int, error) {
	s.bytes += int64(len(p))
	return len(p), nil
}

// cpu is the processor time this process has used.
func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure serves requests and reports the processor time of one, which
// neighbours on the machine disturb less than the time it takes.
func (s *testServer) measure(b *testing.B, status int, request func(i int) *http.Request) {
	b.Helper()
	b.ReportAllocs()
	handler := s.Handler()
	bytes := int64(0)
	before := cpu(b)
	for i := 0; b.Loop(); i++ {
		out := &sink{header: http.Header{}}
		handler.ServeHTTP(out, request(i))
		if out.status != status {
			b.Fatalf("status %d, want %d", out.status, status)
		}
		bytes = out.bytes
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(bytes), "answer-B")
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
		out := &sink{header: http.Header{}}
		s.Handler().ServeHTTP(out, get(gzip...))
		etag := out.header.Get("ETag")
		for _, kind := range []struct {
			name    string
			headers []string
			status  int
		}{
			{"plain", nil, 200}, {"gzip", gzip, 200}, {"304", append(gzip, "If-None-Match", etag), 304},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, kind.name), func(b *testing.B) {
				s := s.in(b)
				s.measure(b, kind.status, func(int) *http.Request { return get(kind.headers...) })
			})
		}
		b.Run(fmt.Sprintf("%d/cold", n), func(b *testing.B) {
			s := s.in(b)
			ctx := access.SystemContext(context.Background())
			s.measure(b, 200, func(int) *http.Request {
				s.Registry().Client().Pkg.Update().Where(pkg.Name(name)).AddGeneration(1).ExecX(ctx)
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
			s.measure(b, 200, func(int) *http.Request {
				next++
				body := newRelease(b, name, fmt.Sprintf("1.0.%d", next), realistic()).body(b)
				r := httptest.NewRequest("PUT", api+"/new", strings.NewReader(body))
				r.Header.Set("Authorization", s.Tokens["ann"])
				return r
			})
		})
	}
}
