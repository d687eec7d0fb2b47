package protocols

import (
	"errors"
	"io"
)

// Source reads uploaded content for a parser and remembers what went wrong in
// the reading itself: the parser's error then says nothing about the upload.
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

// Or is the error of the reading if there was one, else that of the parser.
func (s *Source) Or(err error) error {
	if s.err != nil {
		return s.err
	}
	return err
}
