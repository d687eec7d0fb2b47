//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
)

// Replicas are servers on one database and one store behind a balancer that
// hands each request to the next of them. The embedded Server is what clients
// see: the balancer's address.
type Replicas struct {
	*Server
	Each []*Server
}

// StartReplicas starts n servers on PostgreSQL and S3 and ends them with the
// test.
func StartReplicas(t *testing.T, n int) *Replicas {
	t.Helper()
	r, err := newReplicas(t.Context(), t.TempDir(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Errorf("stop the replicas: %v", err)
		}
		if t.Failed() {
			for i, s := range r.Each {
				t.Logf("what replica %d complained about:\n%s", i, s.complaints())
			}
		}
	})
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if r.Admin, err = r.CreateUser(t.Context(), "warden", "--admin"); err != nil {
		t.Fatal(err)
	}
	return r
}

// newReplicas prepares servers that keep what is theirs alone below dir, but
// does not start them. The first's database and store are everybody's.
func newReplicas(ctx context.Context, dir string, n int) (*Replicas, error) {
	front, err := newServer(ctx, dir, Setup{external: true})
	if err != nil {
		return nil, err
	}
	r := &Replicas{Server: front}
	for i := range n {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		s := *front
		s.Host = fmt.Sprintf("127.0.0.1:%d", port)
		s.DataDir = filepath.Join(dir, fmt.Sprint("replica", i))
		s.log = filepath.Join(dir, fmt.Sprintf("replica%d.log", i))
		s.client = newHTTPClient()
		s.serve = slices.Clone(front.serve)
		s.serve[slices.Index(s.serve, "--listen")+1] = s.Host
		s.serve[slices.Index(s.serve, "--data")+1] = s.DataDir
		s.URL = "http://" + s.Host // clients are told front.URL, by --url
		r.Each = append(r.Each, &s)
	}
	return r, nil
}

// Start starts the servers and the balancer.
func (r *Replicas) Start() error {
	for _, s := range r.Each {
		if err := s.start(); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", r.Host)
	if err != nil {
		return err
	}
	b := &balancer{replicas: r.Each, transport: &http.Transport{DisableKeepAlives: true}}
	srv := &http.Server{Handler: &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", "replica"
			p.Out.Host = p.In.Host
			p.SetXForwarded()
		},
		Transport:     b,
		FlushInterval: -1,
	}}
	go srv.Serve(l) //nolint:errcheck // it is closed by Stop
	r.balancer = srv
	return nil
}

// Stop ends the balancer and the servers.
func (r *Replicas) Stop() error {
	var errs []error
	if r.balancer != nil {
		errs = append(errs, r.balancer.Close())
	}
	for _, s := range r.Each {
		errs = append(errs, s.Stop())
	}
	r.client.CloseIdleConnections()
	return errors.Join(errs...)
}

// balancer sends each request to the next server that takes connections. What
// was sent once is not sent again: that is for the client to decide. Every
// request dials, so that a dead server is noticed before a body is sent to it.
type balancer struct {
	replicas  []*Server
	transport *http.Transport
	next      atomic.Uint64
}

// RoundTrip implements http.RoundTripper.
func (b *balancer) RoundTrip(req *http.Request) (*http.Response, error) {
	var err error
	for range b.replicas {
		s := b.replicas[b.next.Add(1)%uint64(len(b.replicas))]
		out := req.Clone(req.Context())
		out.URL = &url.URL{Scheme: "http", Host: s.Host, Path: req.URL.Path, RawPath: req.URL.RawPath, RawQuery: req.URL.RawQuery}
		if req.Body != nil {
			out.Body = io.NopCloser(req.Body) // a transport that fails closes it
		}
		var response *http.Response
		response, err = b.transport.RoundTrip(out)
		if refused := (*net.OpError)(nil); err == nil || !errors.As(err, &refused) || refused.Op != "dial" {
			return response, err
		}
	}
	return nil, err
}
