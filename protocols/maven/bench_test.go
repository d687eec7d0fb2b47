package maven_test

import (
	"context"
	"fmt"
	"io"
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

// grow brings an artifact to n versions. They are written straight into the
// database, in the likeness of one that was deployed.
func (r *repository) grow(artifact string, n int) {
	r.tb.Helper()
	r.put(201, fmt.Sprintf("/com/acme/%s/0.0/%s-0.0.pom", artifact, artifact), pom(artifact, "0.0", "<description>like all the others</description>"))
	ctx := access.SystemContext(context.Background())
	client := r.Registry().Client()
	p := client.Pkg.Query().Where(pkg.Name("com.acme:" + artifact)).OnlyX(ctx)
	like := client.PackageVersion.Query().Where(packageversion.PackageID(p.ID)).OnlyX(ctx)
	file := client.PackageFile.Query().Where(packagefile.VersionID(like.ID)).OnlyX(ctx)
	const chunk = 500
	for start := 1; start < n; start += chunk {
		var versions []*ent.PackageVersionCreate
		for i := start; i < min(n, start+chunk); i++ {
			v := fmt.Sprintf("0.%d", i)
			versions = append(versions, client.PackageVersion.Create().SetPackageID(p.ID).SetVersion(v).SetNormalizedVersion(v).
				SetSortKey(fmt.Sprintf("%08x", i)).SetSummary(like.Summary).SetMetadata(like.Metadata))
		}
		var files []*ent.PackageFileCreate
		for _, v := range client.PackageVersion.CreateBulk(versions...).SaveX(ctx) {
			name := fmt.Sprintf("%s-%s.pom", artifact, v.Version)
			files = append(files, client.PackageFile.Create().SetVersionID(v.ID).SetBlobID(file.BlobID).SetLead(true).SetName(name).SetNormalizedName(name))
		}
		client.PackageFile.CreateBulk(files...).ExecX(ctx)
	}
	client.Pkg.UpdateOne(p).SetVersionCount(n).AddGeneration(1).ExecX(ctx)
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
func (r *repository) measure(b *testing.B, status int, request func(i int) *http.Request) {
	b.Helper()
	b.ReportAllocs()
	handler := r.Handler()
	before := cpu(b)
	for i := 0; b.Loop(); i++ {
		out := httptest.NewRecorder()
		req := request(i)
		req.SetBasicAuth("wim", r.Tokens["wim"])
		handler.ServeHTTP(out, req)
		if out.Code != status {
			b.Fatalf("status %d, want %d: %s", out.Code, status, out.Body)
		}
		io.Copy(io.Discard, out.Body)
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkDocument serves an artifact's document, again and again, when the
// client has it, and after each change.
func BenchmarkDocument(b *testing.B) {
	r := newRepository(b)
	for _, n := range []int{500, 10_000} {
		artifact := fmt.Sprintf("lib-%d", n)
		r.grow(artifact, n)
		path := root + "/com/acme/" + artifact + "/maven-metadata.xml"
		etag := r.Want(b, 200, "wim", "GET", path, "", "Accept-Encoding", "gzip").Header.Get("ETag")
		get := func(headers ...string) *http.Request {
			req := httptest.NewRequest("GET", path, nil)
			req.Header.Set("Accept-Encoding", "gzip")
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			return req
		}
		b.Run(fmt.Sprintf("%d/warm", n), func(b *testing.B) {
			r.measure(b, 200, func(int) *http.Request { return get() })
		})
		b.Run(fmt.Sprintf("%d/304", n), func(b *testing.B) {
			r.measure(b, 304, func(int) *http.Request { return get("If-None-Match", etag) })
		})
		b.Run(fmt.Sprintf("%d/checksum", n), func(b *testing.B) {
			r.measure(b, 200, func(int) *http.Request { return httptest.NewRequest("GET", path+".sha1", nil) })
		})
		b.Run(fmt.Sprintf("%d/cold", n), func(b *testing.B) {
			ctx := access.SystemContext(context.Background())
			r.measure(b, 200, func(int) *http.Request {
				r.Registry().Client().Pkg.Update().Where(pkg.Name("com.acme:" + artifact)).AddGeneration(1).ExecX(ctx)
				return get()
			})
		})
	}
}

// BenchmarkDeploy deploys the first file of one more version of an artifact
// that has many.
func BenchmarkDeploy(b *testing.B) {
	r := newRepository(b)
	for _, n := range []int{10, 1000, 10_000} {
		artifact := fmt.Sprintf("lib-%d", n)
		r.grow(artifact, n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r.measure(b, 201, func(int) *http.Request {
				next++
				path := fmt.Sprintf("%s/com/acme/%s/1.%d/%s-1.%d.jar", root, artifact, next, artifact, next)
				return httptest.NewRequest("PUT", path, strings.NewReader(path))
			})
		})
	}
}
