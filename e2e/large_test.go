//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os/exec"
	"testing"
)

// TestLargeFileWithCurl streams 1 GiB through curl in both directions. Neither
// side has the file on disk: curl reads a pipe and writes a pipe.
func TestLargeFileWithCurl(t *testing.T) {
	const size = 1 << 30
	eachSetup(t, func(t *testing.T, s *Server) {
		alice := startOrg(t, s)
		url := s.URL + genericPath("acme", "large", "1.0.0", "large.bin")

		sent := sha256.New()
		put := exec.CommandContext(t.Context(), "curl", "-sS", "--fail-with-body", "-u", alice.Name+":"+alice.Token, "-T", "-", url)
		put.Stdin = io.TeeReader(madeUp(size), sent)
		if out, err := put.CombinedOutput(); err != nil {
			t.Fatalf("upload: %v\n%s", err, out)
		}

		received := sha256.New()
		var problem bytes.Buffer
		get := exec.CommandContext(t.Context(), "curl", "-sSfL", url)
		get.Stdout, get.Stderr = received, &problem
		if err := get.Run(); err != nil {
			t.Fatalf("download: %v\n%s", err, problem.Bytes())
		}
		if !bytes.Equal(sent.Sum(nil), received.Sum(nil)) {
			t.Error("other bytes came back than were sent")
		}
	})
}
