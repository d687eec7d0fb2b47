package storage

import (
	"context"
	"fmt"
	"io"
)

// bodyError marks err as the sender's. io.EOF in the middle is the caller's business and never comes here.
func bodyError(err error) error {
	return &bodyFailure{err}
}

type bodyFailure struct{ err error }

func (b *bodyFailure) Error() string   { return fmt.Sprintf("%v: %v", ErrBody, b.err) }
func (b *bodyFailure) Unwrap() []error { return []error{ErrBody, b.err} }

// exactReader hands a backend exactly the announced bytes or an error, because backends do not check: some store what
// came before an early end, some ignore what comes after the announced length. The last bytes are held back until the
// source has shown that nothing follows, so that a backend never completes an overlong object.
type exactReader struct {
	ctx  context.Context // some backends do not look at theirs
	r    io.Reader
	size int64 // announced, -1 unknown
	n    int64 // handed out
	eof  bool
	err  error // why the body is no good; the backend's own error then only repeats it
}

func (e *exactReader) Read(p []byte) (int, error) {
	if e.err == nil {
		e.err = e.ctx.Err()
	}
	if e.err != nil {
		return 0, e.err
	}
	if e.eof {
		return 0, io.EOF
	}
	if e.size >= 0 && int64(len(p)) > e.size-e.n {
		p = p[:e.size-e.n]
	}
	if len(p) == 0 && e.n != e.size {
		return 0, nil
	}
	n, err := 0, error(nil)
	if len(p) > 0 {
		n, err = e.r.Read(p)
	}
	if err == nil && e.n+int64(n) == e.size {
		err = e.expectEOF()
		if err != io.EOF {
			n = 0
		}
	}
	e.n += int64(n)
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		if e.err == nil {
			e.err = bodyError(err)
		}
	case e.size >= 0 && e.n != e.size:
		e.err = sizeError(e.size, e.n)
	default:
		e.eof = true
		return n, io.EOF
	}
	return n, e.err
}

// expectEOF looks one byte past the announced end.
func (e *exactReader) expectEOF() error {
	var beyond [1]byte
	for range 100 {
		n, err := e.r.Read(beyond[:])
		if n > 0 {
			e.err = sizeError(e.size, e.size+1)
			return e.err
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// verdict is called after the backend claims success: it returns an error unless the backend has taken every byte.
func (e *exactReader) verdict() error {
	if e.err == nil && !e.eof {
		// A backend that knows the length may stop there without asking for the end.
		_, err := e.Read(make([]byte, 1))
		if err == nil {
			return fmt.Errorf("%w: the backend stopped reading after %d bytes", ErrSize, e.n-1)
		}
	}
	return e.err
}
