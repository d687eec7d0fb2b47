package servertest

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
)

// Grow brings a package that has one version to n of them. They are written
// straight into the database, in the likeness of the first: to publish ten
// thousand would take minutes. next names the ith version and its lead file,
// and may give the file a fragment other than the first's.
func (s *Server) Grow(tb testing.TB, name string, n int, next func(i int, like *ent.PackageFile) (version, file string, fragment []byte)) {
	tb.Helper()
	ctx := access.SystemContext(context.Background())
	client := s.Registry().Client()
	p := client.Pkg.Query().Where(pkg.Name(name)).OnlyX(ctx)
	like := client.PackageVersion.Query().Where(packageversion.PackageID(p.ID)).OnlyX(ctx)
	file := client.PackageFile.Query().Where(packagefile.VersionID(like.ID), packagefile.Lead(true)).OnlyX(ctx)
	const chunk = 500
	for start := 1; start < n; start += chunk {
		var versions []*ent.PackageVersionCreate
		var files []*ent.PackageFileCreate
		for i := start; i < min(n, start+chunk); i++ {
			version, fileName, fragment := next(i, file)
			versions = append(versions, client.PackageVersion.Create().SetPackageID(p.ID).SetVersion(version).SetNormalizedVersion(version).
				SetSortKey(fmt.Sprintf("%08x", i)).SetSummary(like.Summary).SetMetadata(like.Metadata).SetDependencies(like.Dependencies))
			files = append(files, client.PackageFile.Create().SetBlobID(file.BlobID).SetLead(true).SetCompositeKey(file.CompositeKey).
				SetName(fileName).SetNormalizedName(fileName).SetFragment(fragment))
		}
		for i, v := range client.PackageVersion.CreateBulk(versions...).SaveX(ctx) {
			files[i].SetVersionID(v.ID)
		}
		client.PackageFile.CreateBulk(files...).ExecX(ctx)
	}
	client.Pkg.UpdateOne(p).SetVersionCount(n).AddGeneration(1).ExecX(ctx)
}

// Change raises the generation of a package, as every change of it does: its
// documents are composed anew.
func (s *Server) Change(tb testing.TB, name string) {
	tb.Helper()
	s.Registry().Client().Pkg.Update().Where(pkg.Name(name)).AddGeneration(1).ExecX(access.SystemContext(context.Background()))
}

// ETag is the entity tag of what answers the request.
func (s *Server) ETag(tb testing.TB, r *http.Request) string {
	tb.Helper()
	out := &sink{header: http.Header{}}
	s.Handler().ServeHTTP(out, r)
	tag := out.header.Get("ETag")
	if tag == "" {
		tb.Fatalf("%s %s: %d without an entity tag", r.Method, r.URL, out.status)
	}
	return tag
}

// Measure serves requests and reports the processor time of one, which
// neighbours on the machine disturb less than the time it takes, and the size
// of the last answer.
func (s *Server) Measure(b *testing.B, status int, request func() *http.Request) {
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

// sink is an answer that is thrown away.
type sink struct {
	header http.Header
	status int
	bytes  int64
}

func (s *sink) Header() http.Header { return s.header }

func (s *sink) WriteHeader(status int) { s.status = status }

func (s *sink) Write(p []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
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
