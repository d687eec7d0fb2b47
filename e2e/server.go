//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Setup is where a server keeps its rows and bytes.
type Setup struct {
	Name string
	// external means PostgreSQL and S3; otherwise both are in the data directory.
	external bool
}

// setups are the two that every test runs in.
var setups = []Setup{
	{Name: "sqlite-disk"},
	{Name: "postgres-s3", external: true},
}

// eachSetup runs the test once in each set-up, against a fresh server.
func eachSetup(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	for _, setup := range setups {
		t.Run(setup.Name, func(t *testing.T) { test(t, StartServer(t, setup)) })
	}
}

// readyWithin is how long a server may take until /readyz answers 200, also
// after it was killed. It is a promise to users and asserted by every start.
const readyWithin = 5 * time.Second

// Server is a running `entrepot serve` with a database and storage of its own.
type Server struct {
	URL     string // http://127.0.0.1:port
	Host    string // 127.0.0.1:port
	DataDir string
	Admin   Account // administrator of the site

	serve   []string // arguments of the command that runs it
	env     []string // environment of every command on it
	log     string   // file with what it printed
	process *process
	client  *http.Client

	database string       // URL of the PostgreSQL database, if it is there
	objects  string       // directory of the store's objects
	balancer *http.Server // in front of replicas
}

// Account is somebody who may sign in.
type Account struct {
	Name     string
	Password string
	Token    string // scopes: read, write and delete packages
}

// StartServer starts a server on an empty database and empty storage and ends
// it with the test. If the test fails, the end of the server's log is printed.
// settings are further variables of its environment, NAME=value.
func StartServer(t *testing.T, setup Setup, settings ...string) *Server {
	t.Helper()
	s := startWithoutAccounts(t, setup, settings...)
	var err error
	if s.Admin, err = s.CreateUser(t.Context(), "warden", "--admin"); err != nil {
		t.Fatal(err)
	}
	return s
}

// startWithoutAccounts is StartServer that leaves the server as a first start does.
func startWithoutAccounts(t *testing.T, setup Setup, settings ...string) *Server {
	t.Helper()
	s, err := newServer(t.Context(), t.TempDir(), setup)
	if err != nil {
		t.Fatal(err)
	}
	s.env = append(s.env, settings...)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop the server: %v", err)
		}
		if t.Failed() {
			t.Logf("what the server complained about:\n%s", s.complaints())
			t.Logf("the end of the server's log:\n%s", tail(s.log, 16<<10))
		}
	})
	return s
}

// newServer prepares a server that keeps its data below dir, but does not
// start it.
func newServer(ctx context.Context, dir string, setup Setup) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Host:    fmt.Sprintf("127.0.0.1:%d", port),
		DataDir: filepath.Join(dir, "data"),
		log:     filepath.Join(dir, "server.log"),
		env:     []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir},
		client:  newHTTPClient(),
	}
	s.URL = "http://" + s.Host
	s.serve = []string{"serve", "--listen", s.Host, "--data", s.DataDir, "--url", s.URL}
	s.objects = filepath.Join(s.DataDir, "blobs")
	if !setup.external {
		return s, nil
	}

	pg, err := sharedPostgres.get("postgres")
	if err != nil {
		return nil, err
	}
	database, err := pg.createDatabase(ctx)
	if err != nil {
		return nil, err
	}
	s3, err := sharedS3.get("s3")
	if err != nil {
		return nil, err
	}
	remote, objects, err := s3.createBucket()
	if err != nil {
		return nil, err
	}
	s.database, s.objects = database, objects
	// serve is told by flags, every other command by the environment: both are promised.
	s.serve = append(s.serve, "--database", database, "--storage", remote)
	s.env = append(s.env, "ENTREPOT_DATABASE_URL="+database, "ENTREPOT_STORAGE_REMOTE="+remote)
	return s, nil
}

// start runs the server and waits until it is ready.
func (s *Server) start() error {
	cmd := exec.Command(binary, s.serve...)
	cmd.Env = s.env
	p, err := startProcess("entrepot", cmd, s.log, syscall.SIGKILL)
	if err != nil {
		return err
	}
	s.process = p
	if err := p.waitFor(s.ready, readyWithin); err != nil {
		_ = p.stop(syscall.SIGKILL, time.Second)
		return err
	}
	return nil
}

func (s *Server) ready() error {
	response, err := s.client.Get(s.URL + "/readyz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /readyz: %s", response.Status)
	}
	return nil
}

// Stop ends the server as an operator does, by SIGTERM. Stopping one that is
// down already does nothing. The error tells of a bad exit or of one that took too long.
func (s *Server) Stop() error {
	if s.process == nil || s.process.exited() {
		return nil
	}
	defer s.client.CloseIdleConnections()
	return s.process.stop(syscall.SIGTERM, 30*time.Second)
}

// Kill9 ends the server without a warning, as a power cut would for the process.
func (s *Server) Kill9() {
	_ = s.process.stop(syscall.SIGKILL, 10*time.Second) // "signal: killed" is what we want
	s.client.CloseIdleConnections()
}

// Restart starts the server again on the same port and data, stopping it first
// if it still runs. It fails if the server is not ready within readyWithin.
func (s *Server) Restart() error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.start()
}

// Memory is what the kernel says of the server's resident memory, in bytes.
type Memory struct {
	Now  int64 // VmRSS
	Peak int64 // VmHWM, since the process started
}

// RSS reads the server's memory from /proc.
func (s *Server) RSS() (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.pid()))
	if err != nil {
		return Memory{}, err
	}
	var m Memory
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		var field *int64
		switch key {
		case "VmRSS":
			field = &m.Now
		case "VmHWM":
			field = &m.Peak
		default:
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
		if err != nil {
			return Memory{}, fmt.Errorf("%s in /proc: %w", key, err)
		}
		*field = kib << 10
	}
	if m.Now == 0 || m.Peak == 0 {
		return Memory{}, errors.New("no VmRSS or VmHWM in /proc")
	}
	return m, nil
}

// Log returns everything the server printed since it was first started.
func (s *Server) Log() (string, error) {
	b, err := os.ReadFile(s.log)
	return string(b), err
}

// complaints returns the log's warnings and errors.
func (s *Server) complaints() string {
	log, err := s.Log()
	if err != nil {
		return err.Error()
	}
	var lines strings.Builder
	for line := range strings.Lines(log) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}
