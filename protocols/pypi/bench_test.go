package pypi_test

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

// grow brings a project to n releases of one wheel. They are written straight
// into the database, in the likeness of one that was uploaded: ten thousand
// uploads would take minutes.
func (s *index) grow(name string, n int) {
	s.tb.Helper()
	s.upload(201, newWheel(s.tb, name, "0.1", "Requires-Python: >=3.9"))
	ctx := access.SystemContext(context.Background())
	client := s.Registry().Client()
	p := client.Pkg.Query().Where(pkg.Name(name)).OnlyX(ctx)
	like := client.PackageVersion.Query().Where(packageversion.PackageID(p.ID)).OnlyX(ctx)
	file := client.PackageFile.Query().Where(packagefile.VersionID(like.ID), packagefile.Lead(true)).OnlyX(ctx)
	const chunk = 500
	for start := 2; start <= n; start += chunk {
		var versions []*ent.PackageVersionCreate
		for i := start; i < min(n+1, start+chunk); i++ {
			v := fmt.Sprintf("0.%d", i)
			versions = append(versions, client.PackageVersion.Create().SetPackageID(p.ID).SetVersion(v).SetNormalizedVersion(v).
				SetSortKey(fmt.Sprintf("%08x", i)).SetSummary(like.Summary).SetMetadata(like.Metadata))
		}
		var files []*ent.PackageFileCreate
		for _, v := range client.PackageVersion.CreateBulk(versions...).SaveX(ctx) {
			filename := strings.Replace(file.Name, "-0.1-", "-"+v.Version+"-", 1)
			fragment := strings.ReplaceAll(string(file.Fragment), file.Name, filename)
			files = append(files, client.PackageFile.Create().SetVersionID(v.ID).SetBlobID(file.BlobID).SetLead(true).
				SetName(filename).SetNormalizedName(filename).SetFragment([]byte(fragment)))
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
func (s *index) measure(b *testing.B, status int, request func() *http.Request) {
	b.Helper()
	b.ReportAllocs()
	handler := s.Handler()
	bytes := int64(0)
	before := cpu(b)
	for b.Loop() {
		out := &sink{header: http.Header{}}
		handler.ServeHTTP(out, request())
		if out.status != status {
			b.Fatalf("status %d, want %d", out.status, status)
		}
		bytes = out.bytes
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(bytes), "answer-B")
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
		warm := &sink{header: http.Header{}}
		s.Handler().ServeHTTP(warm, get(asPip...))
		for _, kind := range []struct {
			name    string
			headers []string
			status  int
		}{
			{"json-gzip", asPip, 200}, {"json", asPip[:2], 200}, {"html", nil, 200},
			{"304", append(asPip, "If-None-Match", warm.header.Get("ETag")), 304},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, kind.name), func(b *testing.B) {
				s.in(b).measure(b, kind.status, func() *http.Request { return get(kind.headers...) })
			})
		}
		b.Run(fmt.Sprintf("%d/cold", n), func(b *testing.B) {
			ctx := access.SystemContext(context.Background())
			s.in(b).measure(b, 200, func() *http.Request {
				s.Registry().Client().Pkg.Update().Where(pkg.Name(name)).AddGeneration(1).ExecX(ctx)
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
			s.in(b).measure(b, 201, func() *http.Request {
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
