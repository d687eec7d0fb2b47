package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fserrors"
)

// Errors of this package, to be tested for with errors.Is.
var (
	// ErrNotFound: there is no object under this key.
	ErrNotFound = errors.New("no such object")
	// ErrExist: there already is an object under this key. Keys are used once.
	ErrExist = errors.New("object exists")
	// ErrKey: the key has characters or a form that no backend is asked to take, see ValidKey.
	ErrKey = errors.New("invalid key")
	// ErrSize: the body was shorter or longer than announced, or the stored object is not as long as it should be.
	ErrSize = errors.New("size differs from the announced one")
	// ErrBody: reading the body failed, so the fault is the sender's. The sender's own error is wrapped beside it.
	ErrBody = errors.New("body could not be read")
	// ErrNoLink: this remote cannot give out links; stream the object instead.
	ErrNoLink = errors.New("remote cannot make links")
	// ErrNoSpace: the disk or the remote's quota is full. Reads still work.
	ErrNoSpace = errors.New("no space left in storage")
	// ErrTemporary: the same call may succeed later (connection lost, remote overloaded, too many open files).
	ErrTemporary = errors.New("storage temporarily unavailable")
)

// failure is an error of a store operation together with the category callers test for.
type failure struct {
	op, key string
	kind    error // one of the errors above, or nil for a permanent failure
	err     error // the cause, in the backend's words
}

func (f *failure) Error() string {
	s := "storage: " + f.op
	if f.key != "" {
		s += " " + f.key
	}
	if f.kind != nil {
		s += ": " + f.kind.Error()
	}
	if f.err != nil {
		s += ": " + f.err.Error()
	}
	return s
}

func (f *failure) Unwrap() []error {
	var errs []error
	if f.kind != nil {
		errs = append(errs, f.kind)
	}
	if f.err != nil {
		errs = append(errs, f.err)
	}
	return errs
}

// fail wraps err with the operation, the key and its category. It returns nil for nil.
func fail(op, key string, err error) error {
	if err == nil {
		return nil
	}
	kind := classify(err)
	if err == kind {
		err = nil // the category says it all
	}
	return &failure{op: op, key: key, kind: kind, err: err}
}

// sizeError is ErrSize with the two numbers.
func sizeError(want, got int64) error {
	return fmt.Errorf("%w: %d bytes announced, %d seen", ErrSize, want, got)
}

// classify names the category of a backend's error, nil when it is a permanent failure without a name.
func classify(err error) error {
	for _, known := range []error{ErrNotFound, ErrExist, ErrKey, ErrSize, ErrBody, ErrNoLink, ErrNoSpace, ErrTemporary} {
		if err == known {
			return known
		}
		if errors.Is(err, known) {
			return nil // wrapped already: the chain answers errors.Is, and the text need not say it twice
		}
	}
	var status interface{ HTTPStatusCode() int }
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nil
	case errors.Is(err, fs.ErrorObjectNotFound), errors.Is(err, os.ErrNotExist):
		return ErrNotFound
	case errors.Is(err, os.ErrExist):
		return ErrExist
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return ErrNoSpace
	case errors.As(err, &status) && status.HTTPStatusCode() != 0: // 0: no answer came
		return classifyStatus(status.HTTPStatusCode())
	case isTransient(err):
		return ErrTemporary
	}
	return nil
}

// classifyStatus maps the answer of an HTTP remote. 403 and its like are permanent: somebody must change something.
func classifyStatus(code int) error {
	switch {
	case code == 404:
		return ErrNotFound
	case code == 413, code == 507:
		return ErrNoSpace
	case code == 408, code == 425, code == 429, code >= 500:
		return ErrTemporary
	}
	return nil
}

func isTransient(err error) bool {
	var (
		connection *net.OpError // refused, reset, unreachable
		name       *net.DNSError
		slow       net.Error // every errno has this form too, hence the question whether it is a timeout
	)
	switch {
	case errors.As(err, &connection), errors.As(err, &name):
		return true
	case errors.As(err, &slow) && slow.Timeout(), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	}
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EAGAIN, syscall.EBUSY, syscall.ENOMEM, syscall.EINTR, syscall.ESTALE, syscall.ETIMEDOUT} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return fserrors.ShouldRetry(err)
}
