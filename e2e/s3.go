//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// s3Server is one S3-compatible server (versitygw over a directory) for the
// whole run. Each Entrepot under test gets a bucket of its own.
type s3Server struct {
	process *process
	address string // host:port
	root    string // one directory a bucket
	buckets atomic.Int64
}

var sharedS3 = service[*s3Server]{start: startS3}

// The S3 account. Nothing but loopback ever sees it.
const (
	s3AccessKey = "entrepot-e2e"
	s3SecretKey = "not-a-secret-in-a-test"
	s3Region    = "us-east-1"
)

// startS3 starts the server with its objects below dir. Metadata goes to a
// sidecar directory because not every file system has extended attributes.
func startS3(dir string) (*s3Server, error) {
	root, sidecar := filepath.Join(dir, "buckets"), filepath.Join(dir, "sidecar")
	for _, d := range []string{root, sidecar} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, err
		}
	}
	program, err := exec.LookPath("versitygw")
	if err != nil {
		return nil, fmt.Errorf("%w: run `make tools` first", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &s3Server{address: fmt.Sprintf("127.0.0.1:%d", port), root: root}
	cmd := exec.Command(program, "--port", s.address, "--region", s3Region, "--quiet", "posix", "--sidecar", sidecar, root)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s3AccessKey, "ROOT_SECRET_KEY="+s3SecretKey)
	s.process, err = startProcess("versitygw", cmd, filepath.Join(scratch, "versitygw.log"), syscall.SIGKILL)
	if err != nil {
		return nil, err
	}
	if err := s.process.waitFor(s.dial, 20*time.Second); err != nil {
		_ = s.process.stop(syscall.SIGKILL, 10*time.Second)
		return nil, err
	}
	return s, nil
}

func (s *s3Server) dial() error {
	conn, err := net.DialTimeout("tcp", s.address, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// createBucket makes an empty bucket and returns it as an rclone remote, with
// the directory that its objects appear in.
func (s *s3Server) createBucket() (remote, objects string, err error) {
	bucket := fmt.Sprintf("bucket-%d", s.buckets.Add(1))
	if err := os.Mkdir(filepath.Join(s.root, bucket), 0o755); err != nil {
		return "", "", err
	}
	remote = fmt.Sprintf(`:s3,provider=Other,endpoint="http://%s",region=%s,access_key_id=%s,secret_access_key=%s,no_check_bucket=true:%s/blobs`,
		s.address, s3Region, s3AccessKey, s3SecretKey, bucket)
	return remote, filepath.Join(s.root, bucket, "blobs"), nil
}

// stop ends the server.
func (s *s3Server) stop() error {
	if err := s.process.stop(syscall.SIGTERM, 20*time.Second); err != nil {
		return fmt.Errorf("stop versitygw: %w", err)
	}
	return nil
}
