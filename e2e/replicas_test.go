//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScriptReplicas runs the container clients' scripts against three
// replicas behind a balancer: no two requests of a client meet the same one.
func TestScriptReplicas(t *testing.T) {
	files, err := filepath.Glob("testdata/script/container_*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Files:              files,
		Cmds:               scriptCommands,
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			dir, err := os.MkdirTemp(scratch, "replicas-")
			if err != nil {
				return err
			}
			r, err := newReplicas(t.Context(), dir, 3)
			if err != nil {
				return err
			}
			env.Defer(func() {
				if err := r.Stop(); err != nil {
					env.T().Log("stop the replicas:", err)
					env.T().FailNow()
				}
				if err := os.RemoveAll(dir); err != nil {
					env.T().Log(err)
				}
			})
			if err := r.Start(); err != nil {
				return err
			}
			return describeServer(t.Context(), env, r.Server)
		},
	})
}

// A replica is killed between two chunks: the next takes the upload over.
func TestReplicaDiesBetweenChunks(t *testing.T) {
	r := StartReplicas(t, 3)
	ctx, alice := t.Context(), startOrg(t, r.Server)
	blob := randomBytes(6 << 20)
	session, err := openUpload(ctx, r.Server, alice, "/v2/acme/app")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		from, to := i<<20, (i+1)<<20
		if session, err = patchChunk(ctx, r.Server, alice, session, blob[from:to], from); err != nil {
			t.Fatalf("chunk %d: %v", i, err)
		}
		switch i {
		case 1, 2: // one is left
			r.Each[i].Kill9()
		case 4:
			if err := r.Each[1].Restart(); err != nil {
				t.Fatal(err)
			}
		}
	}
	finishUpload(t, r.Server, alice, session, blob)
}

// A replica is killed while it takes a chunk: once its claim on the upload has
// lapsed, the client goes on where another one tells it to.
func TestReplicaDiesInsideChunk(t *testing.T) {
	r := StartReplicas(t, 3)
	ctx, alice := t.Context(), startOrg(t, r.Server)
	blob := randomBytes(4 << 20)
	session, err := openUpload(ctx, r.Server, alice, "/v2/acme/app")
	if err != nil {
		t.Fatal(err)
	}
	if session, err = patchChunk(ctx, r.Server, alice, session, blob[:1<<20], 0); err != nil {
		t.Fatal(err)
	}

	victim := r.Each[0]
	half, rest := io.Pipe()
	cut := make(chan error, 1)
	go func() {
		_, err := victim.Do(ctx, Call{Method: "PATCH", URL: pathOf(session), As: alice, Body: half, Size: 3 << 20,
			Header: map[string]string{"Content-Type": "application/octet-stream"}})
		cut <- err
	}()
	if _, err := rest.Write(blob[1<<20 : 3<<20]); err != nil {
		t.Fatal(err)
	}
	if err := untilProbe(ctx, r.Server, alice, session, http.StatusConflict); err != nil {
		t.Fatalf("the server never began with the chunk: %v", err)
	}
	victim.Kill9()
	rest.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-cut; err == nil {
		t.Fatal("the request was meant to break off")
	}

	received, err := resumable(ctx, r.Server, alice, session)
	if err != nil {
		t.Fatal(err)
	}
	if received < 1<<20 || received > 3<<20 {
		t.Fatalf("%d bytes received, between 1 and 3 MiB were sent", received)
	}
	if session, err = patchChunk(ctx, r.Server, alice, session, blob[received:], received); err != nil {
		t.Fatal(err)
	}
	finishUpload(t, r.Server, alice, session, blob)
}

// resumable waits until nobody holds the upload any more, which may take as
// long as a dead server's claim, and returns how much of it has arrived.
func resumable(ctx context.Context, s *Server, as Account, session string) (int, error) {
	if err := untilProbe(ctx, s, as, session, http.StatusAccepted); err != nil {
		return 0, err
	}
	status, err := s.Want(ctx, http.StatusNoContent, Call{Method: "GET", URL: session, As: as})
	if err != nil {
		return 0, err
	}
	var last int
	if _, err := fmt.Sscanf(status.Header.Get("Range"), "0-%d", &last); err != nil {
		return 0, fmt.Errorf("Range %q: %w", status.Header.Get("Range"), err)
	}
	return last + 1, nil
}

// untilProbe sends empty chunks, which change nothing and are refused while
// the upload is in use, until one is answered with the status.
func untilProbe(ctx context.Context, s *Server, as Account, session string, status int) error {
	for deadline := time.Now().Add(time.Minute); ; {
		probe, err := s.Do(ctx, Call{Method: "PATCH", URL: session, As: as, Body: bytes.NewReader(nil),
			Header: map[string]string{"Content-Type": "application/octet-stream"}})
		if err != nil || probe.Status == status {
			return err
		}
		if probe.Status != http.StatusConflict && probe.Status != http.StatusAccepted || time.Now().After(deadline) {
			return fmt.Errorf("want %d: %s", status, probe)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// finishUpload ends the upload and checks what was stored.
func finishUpload(t *testing.T, s *Server, as Account, session string, blob []byte) {
	t.Helper()
	finish, err := withDigest(session, digestOf(blob))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Want(t.Context(), http.StatusCreated, Call{Method: "PUT", URL: finish, As: as}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Want(t.Context(), http.StatusOK, Call{Method: "GET", URL: "/v2/acme/app/blobs/" + digestOf(blob), As: as})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Body, blob) {
		t.Errorf("got %d bytes with digest %s, want %s", len(got.Body), digestOf(got.Body), digestOf(blob))
	}
	if err := s.Doctor(t.Context()); err != nil {
		t.Error(err)
	}
}

// pathOf is an absolute URL's path and query.
func pathOf(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		return rest[strings.IndexByte(rest, '/'):]
	}
	return url
}
