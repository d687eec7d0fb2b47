//go:build e2e

package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// modzip FILE DIR MODULE VERSION
//
// packs the module in a directory as the go command would.
func cmdModzip(ts *testscript.TestScript, args []string) error {
	if len(args) != 4 {
		return errors.New("usage: modzip FILE DIR MODULE VERSION")
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	err = modzip.CreateFromDir(f, module.Version{Path: args[2], Version: args[3]}, ts.MkAbs(args[1]))
	return errors.Join(err, f.Close())
}

// tls NAME CERTIFICATE
//
// puts a server that speaks TLS in front of $URL, sets NAME to its host and port and
// writes its certificate to a file: some clients send passwords that way alone.
func cmdTLS(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: tls NAME CERTIFICATE")
	}
	target, err := url.Parse(ts.Getenv("URL"))
	if err != nil {
		return err
	}
	front := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(target))
	ts.Defer(front.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	ts.Setenv(args[0], front.Listener.Addr().String())
	return os.WriteFile(ts.MkAbs(args[1]), certificate, 0o600)
}

// publishGo uploads a module zip.
func publishGo(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	path := "example.test/" + name
	var body bytes.Buffer
	archive := zip.NewWriter(&body)
	for file, text := range map[string]string{
		"go.mod": "module " + path + "\n",
		"mod.go": fmt.Sprintf("package mod\n\n// %s\n", randomBytes(1+rand.IntN(32<<10))),
	} {
		w, err := archive.Create(path + "@v" + version + "/" + file)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	escaped, err := module.EscapePath(path)
	if err != nil {
		return nil, err
	}
	proxy := "/api/packages/" + owner + "/go"
	_, err = s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: proxy + "/upload", As: as, Body: reader(body.Bytes())})
	return []Published{
		{proxy + "/" + escaped + "/@v/v" + version + ".zip", sha256.Sum256(body.Bytes())},
		{proxy + "/" + escaped + "/@v/v" + version + ".mod", sha256.Sum256([]byte("module " + path + "\n"))},
	}, err
}
