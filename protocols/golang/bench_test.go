package golang_test

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

// grow brings a module to n versions. They are written straight into the
// database, in the likeness of one that was uploaded: ten thousand uploads
// would take minutes.
func (s *proxy) grow(path string, n int) {
	s.tb.Helper()
	s.upload(path, "v0.0.0")
	ctx := access.SystemContext(context.Background())
	client := s.Registry().Client()
	p := client.Pkg.Query().Where(pkg.Name(path)).OnlyX(ctx)
	like := client.PackageVersion.Query().Where(packageversion.PackageID(p.ID)).OnlyX(ctx)
	file := client.PackageFile.Query().Where(packagefile.VersionID(like.ID), packagefile.Lead(true)).OnlyX(ctx)
	const chunk = 500
	for start := 1; start < n; start += chunk {
		var versions []*ent.PackageVersionCreate
		for i := start; i < min(n, start+chunk); i++ {
			v := fmt.Sprintf("v0.0.%d", i)
			versions = append(versions, client.PackageVersion.Create().SetPackageID(p.ID).SetVersion(v).SetNormalizedVersion(v).
				SetSortKey(fmt.Sprintf("%08x", i)).SetMetadata(like.Metadata))
		}
		var files []*ent.PackageFileCreate
		for _, v := range client.PackageVersion.CreateBulk(versions...).SaveX(ctx) {
			files = append(files, client.PackageFile.Create().SetVersionID(v.ID).SetBlobID(file.BlobID).SetLead(true).
				SetName(v.Version+".zip").SetNormalizedName(v.Version+".zip").SetFragment(file.Fragment))
		}
		client.PackageFile.CreateBulk(files...).ExecX(ctx)
	}
	client.Pkg.UpdateOne(p).SetVersionCount(n).AddGeneration(1).ExecX(ctx)
}

// sink is an answer that is thrown away.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header { return s.header }

func (s *sink) WriteHeader(status int) { s.status = status }

func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

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
func (s *proxy) measure(b *testing.B, status int, request func(i int) *http.Request) {
	b.Helper()
	b.ReportAllocs()
	handler := s.Handler()
	before := cpu(b)
	for i := 0; b.Loop(); i++ {
		out := &sink{header: http.Header{}}
		handler.ServeHTTP(out, request(i))
		if out.status != status {
			b.Fatalf("status %d, want %d", out.status, status)
		}
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
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
			out := &sink{header: http.Header{}}
			s.Handler().ServeHTTP(out, get())
			etag := out.header.Get("ETag")
			b.Run(fmt.Sprintf("%d%s/warm", n, suffix), func(b *testing.B) {
				s.in(b).measure(b, 200, func(int) *http.Request { return get() })
			})
			b.Run(fmt.Sprintf("%d%s/304", n, suffix), func(b *testing.B) {
				s.in(b).measure(b, 304, func(int) *http.Request { return get("If-None-Match", etag) })
			})
			b.Run(fmt.Sprintf("%d%s/cold", n, suffix), func(b *testing.B) {
				ctx := access.SystemContext(context.Background())
				s.in(b).measure(b, 200, func(int) *http.Request {
					s.Registry().Client().Pkg.Update().Where(pkg.Name(path)).AddGeneration(1).ExecX(ctx)
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
			s.in(b).measure(b, 201, func(int) *http.Request {
				next++
				r := httptest.NewRequest("PUT", root+"/upload", strings.NewReader(pack(b, path, fmt.Sprintf("v1.0.%d", next), nil)))
				r.SetBasicAuth("ann", s.Tokens["ann"])
				return r
			})
		})
	}
}
