package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/rclone/rclone/fs"
)

// answer is an error that carries an HTTP status, like those of the S3 client.
type answer int

func (a answer) Error() string       { return fmt.Sprintf("answered %d", int(a)) }
func (a answer) HTTPStatusCode() int { return int(a) }

func TestClassify(t *testing.T) {
	pathError := func(errno syscall.Errno) error { return &os.PathError{Op: "write", Path: "x", Err: errno} }
	for _, test := range []struct {
		err  error
		want error // nil: permanent
	}{
		{fs.ErrorObjectNotFound, ErrNotFound},
		{pathError(syscall.ENOENT), ErrNotFound},
		{pathError(syscall.EEXIST), ErrExist},
		{pathError(syscall.ENOSPC), ErrNoSpace},
		{pathError(syscall.EDQUOT), ErrNoSpace},
		{pathError(syscall.EMFILE), ErrTemporary},
		{pathError(syscall.EIO), nil},
		{pathError(syscall.EACCES), nil},
		{pathError(syscall.EROFS), nil},
		{answer(404), ErrNotFound},
		{answer(403), nil},
		{answer(429), ErrTemporary},
		{answer(500), ErrTemporary},
		{answer(503), ErrTemporary},
		{answer(507), ErrNoSpace},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, ErrTemporary},
		{io.ErrUnexpectedEOF, ErrTemporary},
		{context.Canceled, nil},
		{context.DeadlineExceeded, nil},
		{errors.New("something else"), nil},
		{sizeError(1, 2), ErrSize},
		{bodyError(io.ErrUnexpectedEOF), ErrBody},
		{ErrNoLink, ErrNoLink},
	} {
		err := fail("put", "b/x", fmt.Errorf("backend: %w", test.err))
		for _, kind := range []error{ErrNotFound, ErrExist, ErrSize, ErrBody, ErrNoLink, ErrNoSpace, ErrTemporary} {
			if errors.Is(err, kind) != (kind == test.want) {
				t.Errorf("%v: errors.Is(%v) = %v", err, kind, errors.Is(err, kind))
			}
		}
		if !errors.Is(err, test.err) {
			t.Errorf("%v lost its cause", err)
		}
		if test.want != nil && strings.Count(err.Error(), test.want.Error()) != 1 {
			t.Errorf("%q names its category %d times", err, strings.Count(err.Error(), test.want.Error()))
		}
	}
	if fail("put", "b/x", nil) != nil {
		t.Error("no error became one")
	}
}

func TestForwardLog(t *testing.T) {
	var first, second bytes.Buffer
	t.Cleanup(func() { logTarget.Store(nil) })
	log := slog.New(forwardLog{})
	logTarget.Store(slog.New(slog.NewTextHandler(&first, nil)))
	log.Info("one")
	logTarget.Store(slog.New(slog.NewTextHandler(&second, nil)))
	log.Info("two")
	log.With("a", 1).WithGroup("g").Info("three", "b", 2)
	log.Debug("four")
	if !strings.Contains(first.String(), "one") || strings.Contains(first.String(), "two") {
		t.Errorf("first logger got %q", first.String())
	}
	if got := second.String(); !strings.Contains(got, "two") || !strings.Contains(got, "a=1 g.b=2") || strings.Contains(got, "four") {
		t.Errorf("second logger got %q", got)
	}
}
