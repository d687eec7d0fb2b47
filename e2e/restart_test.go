//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// TestChunkedUploadSurvivesRestart pushes a blob in three chunks. Between the
// first two the server is restarted as for an upgrade, between the last two it
// is killed. The client goes on where it was told it was.
func TestChunkedUploadSurvivesRestart(t *testing.T) {
	eachSetup(t, func(t *testing.T, s *Server) {
		ctx, alice := t.Context(), startOrg(t, s)
		blob := randomBytes(3 << 20)
		session, err := openUpload(ctx, s, alice, "/v2/acme/app")
		if err != nil {
			t.Fatal(err)
		}
		for i, pause := range []func() error{
			s.Restart,
			func() error { s.Kill9(); return s.Restart() },
			func() error { return nil },
		} {
			from, to := i<<20, (i+1)<<20
			if session, err = patchChunk(ctx, s, alice, session, blob[from:to], from); err != nil {
				t.Fatalf("chunk %d: %v", i, err)
			}
			if err := pause(); err != nil {
				t.Fatalf("restart after chunk %d: %v", i, err)
			}
			if session, err = uploadStatus(ctx, s, alice, session, to); err != nil {
				t.Fatalf("after chunk %d: %v", i, err)
			}
		}
		finishUpload(t, s, alice, session, blob)
	})
}

// patchChunk sends the bytes at the offset and returns where to go on.
func patchChunk(ctx context.Context, s *Server, as Account, session string, chunk []byte, offset int) (string, error) {
	response, err := s.Want(ctx, http.StatusAccepted, Call{Method: "PATCH", URL: session, As: as, Body: reader(chunk), Header: map[string]string{
		"Content-Type":  "application/octet-stream",
		"Content-Range": fmt.Sprintf("%d-%d", offset, offset+len(chunk)-1),
	}})
	if err != nil {
		return "", err
	}
	return nextLocation(s, response, offset+len(chunk))
}

// uploadStatus asks how far an upload is, which must be received bytes.
func uploadStatus(ctx context.Context, s *Server, as Account, session string, received int) (string, error) {
	response, err := s.Want(ctx, http.StatusNoContent, Call{Method: "GET", URL: session, As: as})
	if err != nil {
		return "", err
	}
	return nextLocation(s, response, received)
}

func nextLocation(s *Server, response Response, received int) (string, error) {
	if got, want := response.Header.Get("Range"), fmt.Sprintf("0-%d", received-1); got != want {
		return "", fmt.Errorf("Range: %q, want %q", got, want)
	}
	return s.location("/", response)
}

// A cut connection keeps what arrived, and the session goes on from there.
func TestChunkedUploadSurvivesCutConnection(t *testing.T) {
	eachSetup(t, func(t *testing.T, s *Server) {
		ctx, alice := t.Context(), startOrg(t, s)
		session, err := openUpload(ctx, s, alice, "/v2/acme/app")
		if err != nil {
			t.Fatal(err)
		}
		blob := randomBytes(2 << 20)
		cut := io.MultiReader(reader(blob[:1<<20]), failingReader{})
		_, err = s.Do(ctx, Call{Method: "PATCH", URL: session, As: alice, Body: cut, Size: int64(len(blob)),
			Header: map[string]string{"Content-Type": "application/octet-stream"}})
		if err == nil {
			t.Fatal("the request was meant to break off")
		}

		// How much arrived is the server's to say; until it has noticed the cut the session is busy.
		var received int
		for deadline := time.Now().Add(10 * time.Second); ; {
			response, err := s.Do(ctx, Call{Method: "GET", URL: session, As: alice})
			if err != nil {
				t.Fatal(err)
			}
			var last int
			if _, err := fmt.Sscanf(response.Header.Get("Range"), "0-%d", &last); err == nil && last > 0 {
				received = last + 1
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("nothing of what arrived was kept: %s, Range %q", response, response.Header.Get("Range"))
			}
		}
		if received > 1<<20 {
			t.Fatalf("%d bytes received, only %d were sent", received, 1<<20)
		}
		if session, err = patchChunk(ctx, s, alice, session, blob[received:], received); err != nil {
			t.Fatal(err)
		}
		finish, err := withDigest(session, digestOf(blob))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: finish, As: alice}); err != nil {
			t.Fatal(err)
		}
	})
}

// failingReader breaks off.
type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestStopDrains sends the signal of an upgrade while a file is on its way in:
// the server takes no new work, but finishes this one and then exits with 0.
func TestStopDrains(t *testing.T) {
	eachSetup(t, func(t *testing.T, s *Server) {
		alice := startOrg(t, s)
		path := genericPath("acme", "app", "1.0.0", "slow.bin")
		body := randomBytes(32 << 20)
		r, w := io.Pipe()
		uploaded := make(chan error, 1)
		go func() {
			_, err := s.Want(t.Context(), http.StatusCreated, Call{Method: "PUT", URL: path, As: alice, Body: r, Size: int64(len(body))})
			uploaded <- err
		}()
		// This is more than the buffers of a connection hold: once it is written,
		// the server has begun to read.
		if _, err := w.Write(body[:len(body)/2]); err != nil {
			t.Fatal(err)
		}
		if err := s.process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); s.ready() == nil; {
			if time.Now().After(deadline) {
				t.Fatal("still ready 10 s after SIGTERM")
			}
		}
		if _, err := w.Write(body[len(body)/2:]); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-uploaded; err != nil {
			t.Fatalf("the upload did not survive: %v", err)
		}
		<-s.process.done
		if s.process.err != nil {
			t.Fatalf("exit: %v", s.process.err)
		}
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		got, err := s.Want(t.Context(), http.StatusOK, Call{Method: "GET", URL: path})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Body, body) {
			t.Error("other bytes came back than were sent")
		}
	})
}
