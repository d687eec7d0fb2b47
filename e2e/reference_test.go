//go:build e2e

package e2e

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The benchmarks here put the server beside the reference registry of the OCI
// (github.com/distribution/distribution), both with a local disk, one request
// to each in turn so that what else the machine does hits both:
//
//	e2e/install --bench
//	go test -tags e2e -run '^$' -bench Reference -benchtime 1x ./e2e
//
// They report the median of each in milliseconds and, for throughput, MiB/s.

// contestant is one of the two registries. The reference asks nobody who he
// is; ours wants alice's token to write, and reads are of a public owner.
type contestant struct {
	name  string
	url   string
	token string
}

// startReference starts the reference registry on a directory of its own.
func startReference(b *testing.B) contestant {
	b.Helper()
	program, err := exec.LookPath("distribution-registry")
	if err != nil {
		b.Fatalf("%v: run `e2e/install --bench` first", err)
	}
	port, err := freePort()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	config := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage:\n  filesystem: {rootdirectory: %s}\n  delete: {enabled: true}\n  tag: {concurrencylimit: 8}\nhttp: {addr: %q}\n",
		filepath.Join(dir, "data"), address)
	path := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, "serve", path)
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	p, err := startProcess("reference", cmd, filepath.Join(dir, "log"), syscall.SIGKILL)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.stop(syscall.SIGKILL, 5*time.Second) })
	c := contestant{name: "reference", url: "http://" + address}
	err = p.waitFor(func() error {
		response, err := http.Get(c.url + "/v2/")
		if err == nil {
			response.Body.Close()
		}
		return err
	}, 10*time.Second)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// startOurs starts the server with an account that owns acme.
func startOurs(b *testing.B) contestant {
	b.Helper()
	s, err := newServer(b.Context(), b.TempDir(), Setup{})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Stop(); err != nil {
			b.Error(err)
		}
	})
	alice, err := s.CreateUser(b.Context(), "alice")
	if err != nil {
		b.Fatal(err)
	}
	if err := s.CreateOrg(b.Context(), "acme", alice.Name, "public"); err != nil {
		b.Fatal(err)
	}
	return contestant{name: "ours", url: s.URL, token: alice.Token}
}

// call makes a request and drops the answer.
func (c contestant) call(ctx context.Context, method, path string, status int, body io.Reader, size int64, contentType string) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(path, "http") {
		if req, err = http.NewRequestWithContext(ctx, method, path, body); err != nil {
			return nil, err
		}
	}
	req.ContentLength = size
	if c.token != "" && method != http.MethodGet && method != http.MethodHead {
		req.SetBasicAuth("alice", c.token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Accept", manifestType)
	response, err := benchClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != status {
		return nil, fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return response.Header, nil
}

var benchClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32, DisableCompression: true}}

// pushBlob opens a session and sends the blob with one PUT.
func (c contestant) pushBlob(ctx context.Context, blob []byte, digest string) error {
	head, err := c.call(ctx, "POST", "/v2/acme/app/blobs/uploads/", http.StatusAccepted, nil, 0, "")
	if err != nil {
		return err
	}
	finish, err := withDigest(head.Get("Location"), digest)
	if err != nil {
		return err
	}
	_, err = c.call(ctx, "PUT", strings.TrimPrefix(finish, c.url), http.StatusCreated, strings.NewReader(string(blob)), int64(len(blob)), "application/octet-stream")
	return err
}

func (c contestant) pullBlob(ctx context.Context, digest string) error {
	_, err := c.call(ctx, "GET", "/v2/acme/app/blobs/"+digest, http.StatusOK, nil, 0, "")
	return err
}

// duel runs op on both in turn, rounds times by each of the workers, and
// reports the medians and their ratio. op prepares the nth piece of work and
// returns what is timed.
func duel(b *testing.B, rounds, workers int, both []contestant, op func(c contestant, n int) func(context.Context) error) {
	b.Helper()
	times := make([][]time.Duration, len(both))
	var mu sync.Mutex
	for range b.N {
		// Blocks, so that each has the machine to itself with its workers.
		const block = 10
		for done := 0; done < rounds; done += block {
			for i, c := range both {
				var group sync.WaitGroup
				for w := range workers {
					group.Go(func() {
						for n := done; n < min(done+block, rounds); n++ {
							timed := op(c, n*workers+w)
							began := time.Now()
							if err := timed(b.Context()); err != nil {
								b.Error(err)
								return
							}
							mu.Lock()
							times[i] = append(times[i], time.Since(began))
							mu.Unlock()
						}
					})
				}
				group.Wait()
			}
		}
	}
	if b.Failed() {
		return
	}
	b.ReportMetric(0, "ns/op")
	var medians []float64
	for i, c := range both {
		slices.Sort(times[i])
		median := float64(times[i][len(times[i])/2].Microseconds()) / 1000
		medians = append(medians, median)
		b.ReportMetric(median, c.name+"-ms")
	}
	if len(medians) == 2 && medians[1] > 0 {
		b.ReportMetric(medians[0]/medians[1], "ratio")
	}
}

func BenchmarkReference(b *testing.B) {
	both := []contestant{startOurs(b), startReference(b)}

	blobs := func(size int) func(c contestant, n int) ([]byte, string) {
		base := make([]byte, size)
		rand.Read(base)
		return func(c contestant, n int) ([]byte, string) {
			blob := slices.Clone(base)
			copy(blob, fmt.Sprintf("%s %d %d", c.name, n, time.Now().UnixNano()))
			sum := sha256.Sum256(blob)
			return blob, "sha256:" + hex.EncodeToString(sum[:])
		}
	}
	var mu sync.Mutex
	pushed := map[string][]string{}
	for _, size := range []struct {
		name            string
		bytes           int
		rounds, workers int
	}{{"1MiB", 1 << 20, 13, 8}, {"1GiB", 1 << 30, 1, 1}} {
		next := blobs(size.bytes)
		b.Run("push/"+size.name, func(b *testing.B) {
			duel(b, size.rounds, size.workers, both, func(c contestant, n int) func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				blob, digest := next(c, n)
				pushed[c.name+size.name] = append(pushed[c.name+size.name], digest)
				return func(ctx context.Context) error { return c.pushBlob(ctx, blob, digest) }
			})
		})
		b.Run("pull/"+size.name, func(b *testing.B) {
			duel(b, max(5, size.rounds*2), size.workers, both, func(c contestant, n int) func(context.Context) error {
				all := pushed[c.name+size.name]
				return func(ctx context.Context) error { return c.pullBlob(ctx, all[n%len(all)]) }
			})
		})
	}

	manifest := func(n int) []byte {
		return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2},"layers":[],"annotations":{"n":"%d"}}`,
			manifestType, digestOf([]byte("{}")), n)
	}
	for _, c := range both {
		if err := c.pushBlob(b.Context(), []byte("{}"), digestOf([]byte("{}"))); err != nil {
			b.Fatal(err)
		}
	}
	putTag := func(ctx context.Context, c contestant, n int) error {
		m := manifest(n % 200)
		_, err := c.call(ctx, "PUT", fmt.Sprintf("/v2/acme/app/manifests/t%06d", n), http.StatusCreated, strings.NewReader(string(m)), int64(len(m)), manifestType)
		return err
	}
	b.Run("manifest/push", func(b *testing.B) {
		duel(b, 1000, 1, both, func(c contestant, n int) func(context.Context) error {
			return func(ctx context.Context) error { return putTag(ctx, c, n) }
		})
	})
	get := func(method, path string) func(c contestant, n int) func(context.Context) error {
		return func(c contestant, n int) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := c.call(ctx, method, strings.ReplaceAll(path, "{n}", fmt.Sprintf("%06d", n%20)), http.StatusOK, nil, 0, "")
				return err
			}
		}
	}
	ask := func(suffix string) {
		for _, method := range []string{"HEAD", "GET"} {
			b.Run("manifest/"+method+suffix, func(b *testing.B) { duel(b, 2000, 1, both, get(method, "/v2/acme/app/manifests/t{n}")) })
		}
		b.Run("tags/page of 100"+suffix, func(b *testing.B) { duel(b, 50, 1, both, get("GET", "/v2/acme/app/tags/list?n=100&last=t000500")) })
	}
	ask(", 1000 tags")
	many := 10000
	for _, c := range both {
		var group sync.WaitGroup
		for w := range 4 {
			group.Go(func() {
				for n := 1000 + w; n < many; n += 4 {
					if err := putTag(b.Context(), c, n); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
	}
	ask(fmt.Sprintf(", %d tags", many))
	b.Run("tags/whole list", func(b *testing.B) { duel(b, 10, 1, both, get("GET", "/v2/acme/app/tags/list")) })
}
