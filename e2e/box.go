//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// publishVagrant uploads a box for the provider dummy.
func publishVagrant(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	archive := tar.NewWriter(z)
	for _, file := range []struct {
		name string
		body []byte
	}{{"metadata.json", []byte(`{"provider":"dummy"}`)}, {"disk.img", randomBytes(32 << 10)}} {
		if err := archive.WriteHeader(&tar.Header{Name: file.name, Mode: 0o644, Size: int64(len(file.body))}); err != nil {
			return nil, err
		}
		if _, err := archive.Write(file.body); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(archive.Close(), z.Close()); err != nil {
		return nil, err
	}
	path := "/api/packages/" + owner + "/vagrant/" + name + "/" + version + "/dummy.box"
	_, err := s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: path, As: as, Body: reader(out.Bytes())})
	return []Published{{path, sha256.Sum256(out.Bytes())}}, err
}

// cut NAME SUFFIX
//
// puts a server in front of $URL and sets NAME to its URL. It breaks the
// connection off in the middle of the first GET of a path that ends so.
func cmdCut(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: cut NAME SUFFIX")
	}
	target, err := url.Parse(ts.Getenv("URL"))
	if err != nil {
		return err
	}
	var done atomic.Bool
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.Request.Method == http.MethodGet && strings.HasSuffix(r.Request.URL.Path, args[1]) && done.CompareAndSwap(false, true) {
			r.Body = halfBody{io.LimitReader(r.Body, r.ContentLength/2), r.Body}
		}
		return nil
	}
	front := httptest.NewServer(proxy)
	ts.Defer(front.Close)
	ts.Setenv(args[0], front.URL)
	return nil
}

// halfBody ends early: the proxy notices that the length is wrong and breaks
// the connection off.
type halfBody struct {
	io.Reader
	io.Closer
}
