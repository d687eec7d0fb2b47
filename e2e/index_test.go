//go:build e2e

package e2e

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// indexCrashes is how often a server is killed while it builds indexes.
const indexCrashes = 12

// TestIndexCrash kills the server at random moments while clients publish
// Debian packages and others read the index all the time, so that a build is
// nearly always under way. After each start the index fits together and lists
// everything that was acknowledged.
func TestIndexCrash(t *testing.T) {
	eachSetup(t, func(t *testing.T, s *Server) {
		alice := startOrg(t, s)
		listed := &acknowledged{}
		for round := range indexCrashes {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			var clients sync.WaitGroup
			for client := range 4 {
				clients.Go(func() {
					for n := 0; publishListed(ctx, t, s, alice, listed, fmt.Sprintf("app-%d-%d-%d", round, client, n)); n++ {
					}
				})
				clients.Go(func() {
					for readDistribution(ctx, s, fmt.Sprint("reader/", client), nil) == nil {
					}
				})
			}
			// The moment is the point of the test; nothing is waited for.
			time.Sleep(time.Duration(200+rand.IntN(1800)) * time.Millisecond)
			s.Kill9()
			clients.Wait()
			cancel()
			if err := s.Restart(); err != nil {
				t.Fatalf("round %d: start after the kill: %v", round, err)
			}
			if err := readDistribution(t.Context(), s, "after", listed.all()); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		if _, err := s.command(t.Context(), "", "index", "verify", "debian"); err != nil {
			t.Errorf("verify: %v", err)
		}
		t.Logf("%d packages were acknowledged and are listed after %d kills", len(listed.all()), indexCrashes)
		if len(listed.all()) < indexCrashes {
			t.Error("too few packages were published to prove anything")
		}
	})
}

// TestIndexOnReplicas reads and publishes through a balancer that gives each
// request to another replica. What was published before a read is in it.
func TestIndexOnReplicas(t *testing.T) {
	r := StartReplicas(t, 2)
	alice := startOrg(t, r.Server)
	listed := &acknowledged{}
	var publishing, reading sync.WaitGroup
	done := make(chan struct{})
	for client := range 4 {
		publishing.Go(func() {
			for n := range 25 {
				publishListed(t.Context(), t, r.Server, alice, listed, fmt.Sprintf("app-%d-%d", client, n))
			}
		})
		reading.Go(func() {
			for {
				if names := listed.all(); len(names) > 0 {
					if err := readDistribution(t.Context(), r.Server, fmt.Sprint("reader/", client), names); err != nil {
						t.Error(err)
						return
					}
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	publishing.Wait()
	close(done)
	reading.Wait()
	if err := readDistribution(t.Context(), r.Server, "after", listed.all()); err != nil {
		t.Error(err)
	}
}

// acknowledged are the names of packages that the server said it has.
type acknowledged struct {
	lock  sync.Mutex
	names []string
}

func (a *acknowledged) add(name string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.names = append(a.names, name)
}

func (a *acknowledged) all() []string {
	a.lock.Lock()
	defer a.lock.Unlock()
	return slices.Clone(a.names)
}

// publishListed publishes a package and notes it, and tells whether the server
// is still there.
func publishListed(ctx context.Context, t *testing.T, s *Server, as Account, listed *acknowledged, name string) bool {
	_, err := publishDebian(ctx, s, as, "acme", name, "1.0")
	if refused := (*StatusError)(nil); errors.As(err, &refused) {
		t.Errorf("the server was up and answered: %v", err)
	}
	if err != nil {
		return false
	}
	listed.add(name)
	return true
}

// readDistribution reads a distribution by hash, as apt does, checks every
// digest, and that it lists the packages of those names. A distribution that
// is not there is an empty one.
func readDistribution(ctx context.Context, s *Server, agent string, names []string) error {
	get := func(path string) (string, error) {
		r, err := s.Do(ctx, Call{Method: "GET", URL: "/api/packages/acme/debian/dists/stable/" + path, Header: map[string]string{"User-Agent": agent}})
		switch {
		case err != nil:
			return "", err
		case r.Status == http.StatusNotFound && len(names) == 0 && path == "InRelease":
			return "", nil
		case r.Status != http.StatusOK:
			return "", fmt.Errorf("%s: %d %.200s", path, r.Status, r.Body)
		}
		return string(r.Body), nil
	}
	release, err := get("InRelease")
	if err != nil || release == "" {
		return err
	}
	const file = "main/binary-amd64/Packages.gz"
	digest := ""
	for line := range strings.Lines(release) {
		if part := strings.Fields(line); len(part) == 3 && part[2] == file {
			digest = part[0]
		}
	}
	packed, err := get("main/binary-amd64/by-hash/SHA256/" + digest)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256([]byte(packed)); hex.EncodeToString(sum[:]) != digest {
		return fmt.Errorf("%s has another digest than the Release names", file)
	}
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		return err
	}
	have := map[string]bool{}
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "Package: "); ok {
			have[name] = true
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	for _, name := range names {
		if !have[name] {
			return fmt.Errorf("%s was published before and is not listed", name)
		}
	}
	return nil
}
