package container_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"entrepot/server"
	"entrepot/server/servertest"
)

// The benchmarks measure pushes and pulls of blobs against a bare handler that
// does what cannot be left out: hash, write, sync to the disk, serve a file.
// Run them with
//
//	go test -run "^$" -bench . ./protocols/container

// sizes of the blobs.
var sizes = []struct {
	name string
	n    int
}{{"64KiB", 64 << 10}, {"1MiB", 1 << 20}, {"100MiB", 100 << 20}, {"1GiB", 1 << 30}}

// bare stores bodies as files and serves them.
func bare(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			http.ServeFile(w, r, filepath.Join(dir, filepath.Base(r.URL.Path)))
			return
		}
		if err := storeBare(dir, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusCreated)
	}))
	b.Cleanup(srv.Close)
	return srv.URL
}

func storeBare(dir string, body io.Reader) error {
	f, err := os.CreateTemp(dir, "upload")
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(io.MultiWriter(f, h), struct{ io.Reader }{body}, make([]byte, 256<<10)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, hex.EncodeToString(h.Sum(nil)))); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// durable is the configuration people run.
func durable(c *server.Config) { c.Database.Fast = false }

// send makes a request and drops the answer.
func send(b *testing.B, req *http.Request, status int) *http.Response {
	b.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		b.Fatal(err)
	}
	if res.StatusCode != status {
		b.Fatalf("%s %s: %d", req.Method, req.URL, res.StatusCode)
	}
	return res
}

func request(b *testing.B, method, url string, body []byte) *http.Request {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	return req
}

// fresh is content that was never pushed.
func fresh(b *testing.B, content []byte) string {
	b.Helper()
	rand.Read(content[:32])
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func BenchmarkPush(b *testing.B) {
	for _, size := range sizes {
		content := make([]byte, size.n)
		rand.Read(content)
		b.Run(size.name+"/bare", func(b *testing.B) {
			url := bare(b)
			b.SetBytes(int64(size.n))
			for b.Loop() {
				fresh(b, content)
				send(b, request(b, "PUT", url+"/x", content), 201)
			}
		})
		for _, style := range []string{"one request", "session"} {
			b.Run(size.name+"/"+style, func(b *testing.B) {
				s := servertest.New(b, durable)
				b.SetBytes(int64(size.n))
				for b.Loop() {
					digest := fresh(b, content)
					url := s.URL + root + "/blobs/uploads/"
					if style == "session" {
						begin := request(b, "POST", url, nil)
						begin.SetBasicAuth("wim", s.Tokens["wim"])
						url = s.URL + send(b, begin, 202).Header.Get("Location")
					}
					req := request(b, map[string]string{"one request": "POST", "session": "PUT"}[style], url+"?digest="+digest, content)
					req.SetBasicAuth("wim", s.Tokens["wim"])
					send(b, req, 201)
				}
			})
		}
	}
}

func BenchmarkPull(b *testing.B) {
	for _, size := range sizes {
		content := make([]byte, size.n)
		digest := fresh(b, content)
		b.Run(size.name+"/bare", func(b *testing.B) {
			url := bare(b)
			send(b, request(b, "PUT", url+"/x", content), 201)
			b.SetBytes(int64(size.n))
			for b.Loop() {
				send(b, request(b, "GET", url+"/"+digest[len("sha256:"):], nil), 200)
			}
		})
		b.Run(size.name+"/blob", func(b *testing.B) {
			s := servertest.New(b, durable)
			req := request(b, "POST", s.URL+root+"/blobs/uploads/?digest="+digest, content)
			req.SetBasicAuth("wim", s.Tokens["wim"])
			send(b, req, 201)
			b.SetBytes(int64(size.n))
			for b.Loop() {
				send(b, request(b, "GET", s.URL+root+"/blobs/"+digest, nil), 200)
			}
		})
	}
}

// BenchmarkManifest is what every pull begins with, for a tag among few and
// among many.
func BenchmarkManifest(b *testing.B) {
	for _, tags := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d tags", tags), func(b *testing.B) {
			s := servertest.New(b)
			pushTags(b, s, tags)
			req := request(b, "HEAD", s.URL+root+"/manifests/t0", nil)
			for b.Loop() {
				send(b, req, 200)
			}
		})
	}
}

func pushTags(b *testing.B, s *servertest.Server, n int) {
	b.Helper()
	s.Want(b, 201, "wim", "POST", root+"/blobs/uploads/?digest="+digest(emptyConfig), emptyConfig)
	for i := range n {
		m := image(fmt.Sprintf(`,"annotations":{"n":"%d"}`, i))
		s.Want(b, 201, "wim", "PUT", fmt.Sprintf("%s/manifests/t%d", root, i), m, "Content-Type", ociImage)
	}
}

// BenchmarkLists reads what clients page through: tags among 20,000, and the
// referrers of an image that has 10,000, all of them and those of one type.
func BenchmarkLists(b *testing.B) {
	const tags, referrers = 20_000, 10_000
	s := servertest.New(b)
	pushTags(b, s, tags)
	subject := image("")
	s.Want(b, 201, "wim", "PUT", root+"/manifests/subject", subject)
	for i := range referrers {
		about := image(fmt.Sprintf(`,"artifactType":"application/x.kind-%d","annotations":{"n":"%d"},"subject":{"mediaType":%q,"digest":%q,"size":%d}`,
			i%100, i, ociImage, digest(subject), len(subject)))
		s.Want(b, 201, "wim", "PUT", root+"/manifests/"+digest(about), about)
	}
	list := root + "/referrers/" + digest(subject)
	for _, bm := range []struct{ name, path string }{
		{"100 tags of 20,000", root + "/tags/list?n=100&last=t15"},
		{"all 20,000 tags", root + "/tags/list"},
		{"first page of 10,000 referrers", list},
		{"100 referrers of one type", list + "?artifactType=application/x.kind-7"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			s.Measure(b, 200, func() *http.Request {
				r := httptest.NewRequest("GET", bm.path, nil)
				r.SetBasicAuth("wim", s.Tokens["wim"])
				return r
			})
		})
	}
}
