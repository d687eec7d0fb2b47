//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
)

// memoryLimit is what the server may have resident at any time while large
// files pass through it, in bytes.
const memoryLimit = 128 << 20

// TestMemory sends files through the server that are far larger than its
// memory may be. The body is made up as it is sent and stored nowhere here.
func TestMemory(t *testing.T) {
	for _, c := range []struct {
		name    string
		size    int64
		chunked bool // the client does not say how much will come
	}{
		{name: "2 GiB", size: 2 << 30},
		{name: "1 GiB chunked", size: 1 << 30, chunked: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachSetup(t, func(t *testing.T, s *Server) {
				alice := startOrg(t, s)
				path := genericPath("acme", "large", "1.0.0", "large.bin")

				sent := sha256.New()
				upload := Call{Method: "PUT", URL: path, As: alice, Body: io.TeeReader(madeUp(c.size), sent)}
				if !c.chunked {
					upload.Size = c.size
				}
				if _, err := s.Want(t.Context(), http.StatusCreated, upload); err != nil {
					t.Fatal(err)
				}
				checkMemory(t, s, "upload")

				response, err := s.Open(t.Context(), Call{Method: "GET", URL: path})
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				received := sha256.New()
				if n, err := io.Copy(received, response.Body); err != nil || n != c.size {
					t.Fatalf("downloaded %d bytes, %v; want %d", n, err, c.size)
				}
				if !bytes.Equal(sent.Sum(nil), received.Sum(nil)) {
					t.Error("other bytes came back than were sent")
				}
				checkMemory(t, s, "download")
			})
		})
	}
}

// idleLimit is what a server that has nothing to do may have resident, in
// bytes.
const idleLimit = 60 << 20

// TestIdle looks at a server just after its start.
func TestIdle(t *testing.T) {
	eachSetup(t, func(t *testing.T, s *Server) {
		m, err := s.RSS()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d MiB resident when idle", m.Now>>20)
		if m.Now > idleLimit && !raceDetector() {
			t.Errorf("an idle server has %d MiB resident, want at most %d", m.Now>>20, idleLimit>>20)
		}
	})
}

// madeUp reads as size random bytes.
func madeUp(size int64) io.Reader {
	var seed [32]byte
	copy(seed[:], randomBytes(len(seed)))
	return io.LimitReader(rand.NewChaCha8(seed), size)
}

func checkMemory(t *testing.T, s *Server, after string) {
	t.Helper()
	m, err := s.RSS()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("after the %s: %d MiB resident, %d MiB at most", after, m.Now>>20, m.Peak>>20)
	limit := int64(memoryLimit)
	if raceDetector() {
		limit *= 10 // what the detector itself takes
	}
	if m.Peak > limit {
		t.Errorf("after the %s the server has had %d MiB resident, want at most %d", after, m.Peak>>20, limit>>20)
	}
}
