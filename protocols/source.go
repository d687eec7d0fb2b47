package protocols

import (
	"errors"
	"io"
)

// Source reads an uploaded file on behalf of parsers, and tells errors of the
// store from those of what lies in it: whatever a parser makes of a failed
// read, Or finds the failure again.
type Source struct {
	r   io.Reader
	err error
}

// NewSource reads from r.
func NewSource(r io.Reader) *Source { return &Source{r: r} }

// Read reads on.
func (s *Source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// Or is the error of the store, if it had one, else err.
func (s *Source) Or(err error) error {
	if s.err != nil {
		return s.err
	}
	return err
}
