//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// process is a running child of the test binary. Its output goes to a file and
// not through a pipe, so that a child that outlives its own children, or is
// stopped, can never block on us.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string // path of the file that holds stdout and stderr

	done chan struct{} // closed once the process has been waited for
	err  error         // what Wait returned; read it only after done
}

// startProcess starts cmd with its output appended to the file log. deathSignal is what the
// kernel sends it should the test binary die first, on a panic or a timeout
// for example, so that nothing is ever left behind.
func startProcess(name string, cmd *exec.Cmd, log string, deathSignal syscall.Signal) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = deathSignal
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// pid is the number the kernel knows the process by.
func (p *process) pid() int { return p.cmd.Process.Pid }

// exited tells whether the process has ended.
func (p *process) exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop sends the signal and waits for the end; after patience it kills. It
// returns how the process ended, and an error of its own if it had to be killed.
func (p *process) stop(sig syscall.Signal, patience time.Duration) error {
	// Signalling a process that is gone already is fine: Wait knows how it went.
	_ = p.cmd.Process.Signal(sig)
	select {
	case <-p.done:
		return p.err
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("%s did not end within %s of %s", p.name, patience, sig)
	}
}

// waitFor polls ready every few milliseconds until it returns nil, the process
// ends or patience runs out.
func (p *process) waitFor(ready func() error, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready after %s: %w\n%s", p.name, patience, err, tail(p.log, 4<<10))
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended before it was ready: %v\n%s", p.name, p.err, tail(p.log, 4<<10))
		case <-tick.C:
		}
	}
}

// tail returns the last size bytes of a file, or the reason it cannot.
func tail(path string, size int64) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err.Error()
	}
	skip := max(info.Size()-size, 0)
	buf := make([]byte, info.Size()-skip)
	n, _ := f.ReadAt(buf, skip) // a log that shrinks under us is no concern here
	return string(buf[:n])
}

// service is something all tests share and that is started by the first that
// asks for it, so that a run of a single test pays only for what it uses.
type service[T interface{ stop() error }] struct {
	start func(dir string) (T, error)

	once    sync.Once
	value   T
	err     error
	started bool
}

// get starts the service on first use, in a directory of its own below scratch.
func (s *service[T]) get(name string) (T, error) {
	s.once.Do(func() {
		dir := filepath.Join(scratch, name)
		if s.err = os.Mkdir(dir, 0o755); s.err != nil {
			return
		}
		s.value, s.err = s.start(dir)
		s.started = s.err == nil
	})
	return s.value, s.err
}

// end stops the service if it was ever started.
func (s *service[T]) end() error {
	if !s.started {
		return nil
	}
	return s.value.stop()
}
