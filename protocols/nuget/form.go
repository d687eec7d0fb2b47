package nuget

import (
	"bufio"
	"bytes"
	"io"
	"mime/multipart"
)

// newForm reads a multipart form. The classic client writes the line before the
// last boundary as its platform does, all others as the standard wants: outside
// Windows a "\r" is missing there, and the form would have no end. It is put in.
//
// RFC 2046, 5.1.1.
func newForm(body io.Reader, boundary string) *multipart.Reader {
	in := bufio.NewReaderSize(body, 64<<10)
	first := []byte("--" + boundary + "\r\n")
	if start, _ := in.Peek(len(first)); !bytes.Equal(start, first) {
		// Another form throughout, or none: multipart knows what to do.
		return multipart.NewReader(in, boundary)
	}
	return multipart.NewReader(&formLines{in: in, delimiter: []byte("\n--" + boundary)}, boundary)
}

// formLines puts "\r" before delimiters that are without.
type formLines struct {
	in        *bufio.Reader // with room for more than the delimiter
	delimiter []byte
	last      byte // what was read last
}

// Read reads up to the next delimiter, or what comes instead of the delimiter's
// first byte.
func (f *formLines) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	_, err := f.in.Peek(len(f.delimiter)) // so much is needed to tell what it is
	window, _ := f.in.Peek(f.in.Buffered())
	if len(window) == 0 {
		return 0, err
	}
	n := len(window)
	switch at := bytes.Index(window, f.delimiter); {
	case at == 0 && f.last != '\r':
		p[0], f.last = '\r', '\r'
		return 1, nil
	case at == 0:
		n = 1
	case at > 0:
		n = at
	case err == nil:
		n -= len(f.delimiter) - 1 // the rest may be the beginning of one
	}
	n, err = f.in.Read(p[:min(n, len(p))])
	if n > 0 {
		f.last = p[n-1]
	}
	return n, err
}
