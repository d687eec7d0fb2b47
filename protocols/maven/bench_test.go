package maven_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/ent"
)

// grow brings an artifact to n versions.
func (r *repository) grow(artifact string, n int) {
	r.tb.Helper()
	r.put(201, fmt.Sprintf("/com/acme/%s/0.0/%s-0.0.pom", artifact, artifact), pom(artifact, "0.0", "<description>like all the others</description>"))
	r.Grow(r.tb, "com.acme:"+artifact, n, func(i int, like *ent.PackageFile) (version, file string, fragment []byte) {
		version = fmt.Sprintf("0.%d", i)
		return version, fmt.Sprintf("%s-%s.pom", artifact, version), like.Fragment
	})
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
			r.Measure(b, 200, func() *http.Request { return get() })
		})
		b.Run(fmt.Sprintf("%d/304", n), func(b *testing.B) {
			r.Measure(b, 304, func() *http.Request { return get("If-None-Match", etag) })
		})
		b.Run(fmt.Sprintf("%d/checksum", n), func(b *testing.B) {
			r.Measure(b, 200, func() *http.Request { return httptest.NewRequest("GET", path+".sha1", nil) })
		})
		b.Run(fmt.Sprintf("%d/cold", n), func(b *testing.B) {
			r.Measure(b, 200, func() *http.Request {
				r.Change(b, "com.acme:"+artifact)
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
			r.Measure(b, 201, func() *http.Request {
				next++
				path := fmt.Sprintf("%s/com/acme/%s/1.%d/%s-1.%d.jar", root, artifact, next, artifact, next)
				req := httptest.NewRequest("PUT", path, strings.NewReader(path))
				req.SetBasicAuth("wim", r.Tokens["wim"])
				return req
			})
		})
	}
}
