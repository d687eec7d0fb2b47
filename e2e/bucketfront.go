//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// bucketFront is the address of the S3 server that clients know, as behind a
// proxy of a site's own: another host than the registry's, and another than
// the one that the registry itself talks to. It notes who asks for what.
type bucketFront struct {
	URL  string // http://localhost:port
	Host string // localhost:port

	mu   sync.Mutex
	seen []*http.Request
}

// startBucketFront starts one before the S3 server of the run.
func startBucketFront(t *testing.T) *bucketFront {
	t.Helper()
	s3, err := sharedS3.get("s3")
	if err != nil {
		t.Fatal(err)
	}
	f := &bucketFront{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: s3.address})
		r.Out.Host = r.In.Host // it is signed
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.seen = append(f.seen, r.Clone(r.Context()))
		f.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	f.Host = "localhost:" + port
	f.URL = "http://" + f.Host
	return f
}

// requests returns what came in since the last call.
func (f *bucketFront) requests() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen
	f.seen = nil
	return seen
}

// wantClean fails the test unless clients came for objects, all by signed
// links and without a word that was meant for the registry.
func (f *bucketFront) wantClean(t *testing.T, as Account) {
	t.Helper()
	requests := f.requests()
	if len(requests) == 0 {
		t.Error("nothing was fetched from the bucket")
	}
	for _, r := range requests {
		if r.Method != http.MethodGet || r.URL.Query().Get("X-Amz-Signature") == "" {
			t.Errorf("%s %s, want a GET by a signed link", r.Method, r.URL)
		}
		for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s got the header %s", r.URL.Path, name)
			}
		}
		everything := fmt.Sprint(r.URL, r.Header)
		if slices.ContainsFunc([]string{as.Token, as.Password}, func(secret string) bool { return strings.Contains(everything, secret) }) {
			t.Errorf("%s got a secret of the registry's", r.URL.Path)
		}
	}
}
