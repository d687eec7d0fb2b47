package conan_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/property"
)

// grow brings a recipe of one revision, r1, to n revisions. They are written
// straight into the database, in the likeness of the first.
func (r *remote) grow(name string, n int) {
	r.tb.Helper()
	r.publish(name+"/1.0/_/_", "r1")
	ctx := access.SystemContext(context.Background())
	client := r.Registry().Client()
	var likes []*ent.PackageFile
	lists := map[int64][]*ent.Property{} // by the file that stands in them
	for _, f := range client.PackageFile.Query().Where(packagefile.CompositeKey("_/_/r1")).WithVersion(func(q *ent.PackageVersionQuery) { q.WithPackage() }).AllX(ctx) {
		if f.Edges.Version.Edges.Package.Name == name {
			likes = append(likes, f)
			lists[f.ID] = client.Property.Query().Where(property.RefTypeEQ(property.RefTypeFile), property.RefID(f.ID)).AllX(ctx)
		}
	}
	const chunk = 500
	for start := 1; start < n; start += chunk {
		var files []*ent.PackageFileCreate
		var of []*ent.PackageFile
		for i := start; i < min(n, start+chunk); i++ {
			key := fmt.Sprintf("_/_/g%d", i)
			for _, like := range likes {
				files = append(files, client.PackageFile.Create().SetVersionID(like.VersionID).SetBlobID(like.BlobID).SetName(key+"/"+like.NormalizedName).
					SetNormalizedName(like.NormalizedName).SetCompositeKey(key).SetLead(like.Lead).SetFragment(like.Fragment))
				of = append(of, like)
			}
		}
		var properties []*ent.PropertyCreate
		for i, f := range client.PackageFile.CreateBulk(files...).SaveX(ctx) {
			for _, p := range lists[of[i].ID] {
				list := strings.Replace(p.Name, "_/_/r1", f.CompositeKey, 1)
				properties = append(properties, client.Property.Create().SetRefType(property.RefTypeFile).SetRefID(f.ID).SetName(list).SetValue(p.Value))
			}
		}
		for len(properties) > 0 {
			k := min(len(properties), chunk)
			client.Property.CreateBulk(properties[:k]...).ExecX(ctx)
			properties = properties[k:]
		}
	}
	r.Change(r.tb, name)
}

// growVersions brings a package to n versions.
func (r *remote) growVersions(name string, n int) {
	r.tb.Helper()
	r.publish(name+"/1.0/_/_", "r1")
	r.Grow(r.tb, name, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		return fmt.Sprintf("1.0.%d", i), like.Name, like.Fragment
	})
}

// BenchmarkDocuments serves documents of a recipe with many revisions and of a
// revision with many binaries, again and again, and when the client has them.
func BenchmarkDocuments(b *testing.B) {
	r := newRemote(b)
	const many = 500
	r.grow("lib", many)
	for i := range many {
		at := binary("lib/1.0/_/_", "r1", fmt.Sprint("p", i), "v")
		r.put(201, at+"/files/conaninfo.txt", conaninfo+"x"+fmt.Sprint(i))
		r.put(201, at+"/files/conanmanifest.txt", "m")
	}
	for name, path := range map[string]string{
		"latest": "/latest", "revisions": "/revisions", "search": "/revisions/r1/search", "files": "/revisions/r1/files",
	} {
		path := recipe("lib/1.0/_/_") + path
		get := func(headers ...string) *http.Request {
			req := httptest.NewRequest("GET", path, nil)
			req.Header.Set("Accept-Encoding", "gzip")
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			return req
		}
		etag := r.ETag(b, get())
		b.Run(name+"/warm", func(b *testing.B) { r.Measure(b, 200, func() *http.Request { return get() }) })
		b.Run(name+"/304", func(b *testing.B) {
			r.Measure(b, 304, func() *http.Request { return get("If-None-Match", etag) })
		})
		b.Run(name+"/cold", func(b *testing.B) {
			r.Measure(b, 200, func() *http.Request {
				r.Change(b, "lib")
				return get()
			})
		})
	}
}

// BenchmarkUpload uploads the manifest of one more revision of a recipe that
// has many, and of one more version of a package that has many.
func BenchmarkUpload(b *testing.B) {
	r := newRemote(b)
	next := 0
	put := func(path string) *http.Request {
		next++
		req := httptest.NewRequest("PUT", path, strings.NewReader(fmt.Sprint("manifest ", next)))
		req.SetBasicAuth("wim", r.Tokens["wim"])
		return req
	}
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprint("lib-", n)
		r.grow(name, n)
		b.Run(fmt.Sprintf("revision/%d", n), func(b *testing.B) {
			r.Measure(b, 201, func() *http.Request {
				return put(revision(name+"/1.0/_/_", fmt.Sprint("n", next)) + "/files/conanmanifest.txt")
			})
		})
	}
	for _, n := range []int{10, 1000, 10_000} {
		name := fmt.Sprint("many-", n)
		r.growVersions(name, n)
		b.Run(fmt.Sprintf("version/%d", n), func(b *testing.B) {
			r.Measure(b, 201, func() *http.Request {
				return put(revision(fmt.Sprintf("%s/2.0.%d/_/_", name, next), "r1") + "/files/conanmanifest.txt")
			})
		})
	}
}
