package debian

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// The form of an archive: a word, then for each member a header of 60 bytes
// and its bytes, filled up to an even number (deb(5), ar(5)).
const (
	arMagic  = "!<arch>\n"
	arHeader = 60
	arEnd    = "`\n"
)

// arReader reads the members of an archive one after the other.
type arReader struct {
	r    io.ReadSeeker
	next int64 // where the next header begins
	size int64 // of the archive
}

func newArReader(r io.ReadSeeker, size int64) (*arReader, error) {
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(r, magic); err != nil && !ended(err) {
		return nil, err
	}
	if string(magic) != arMagic {
		return nil, badPackage("it is not an ar archive")
	}
	return &arReader{r: r, next: int64(len(arMagic)), size: size}, nil
}

// member returns the name and the bytes of the next member; io.EOF after the
// last.
func (a *arReader) member() (name string, body io.Reader, err error) {
	if a.next >= a.size {
		return "", nil, io.EOF
	}
	if _, err := a.r.Seek(a.next, io.SeekStart); err != nil {
		return "", nil, err
	}
	header := make([]byte, arHeader)
	if _, err := io.ReadFull(a.r, header); err != nil {
		if ended(err) {
			err = badPackage("the archive ends within the header of a member")
		}
		return "", nil, err
	}
	if !bytes.HasSuffix(header, []byte(arEnd)) {
		return "", nil, badPackage("the header of a member is damaged")
	}
	length, err := strconv.ParseInt(strings.TrimRight(string(header[48:58]), " "), 10, 64)
	if err != nil || length < 0 {
		return "", nil, badPackage("the size of a member is damaged")
	}
	start := a.next + arHeader
	if length > a.size-start {
		return "", nil, badPackage("the archive ends within a member")
	}
	a.next = start + length + length&1
	name = strings.TrimSuffix(strings.TrimRight(string(header[:16]), " "), "/")
	return name, io.LimitReader(a.r, length), nil
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
