package npm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"entrepot/registry"
)

const (
	// maxKept is how many bytes of one body are kept in memory: all but the
	// attachments' contents, which stream by.
	maxKept = 4 << 20
	// maxScanned is how many bytes of one body are looked at beside the
	// attachments' contents. Clients send the whole packument back to change
	// one word in it.
	maxScanned = 256 << 20
	// maxDepth is how deep arrays and objects may nest.
	maxDepth = 128
	// maxLiteral is the longest number.
	maxLiteral = 512
)

// scanner reads one JSON text (RFC 8259) from a stream, front to back, a value
// at a time: what is wanted is kept, what is large is handed on, the rest is
// passed over. Errors: Invalid for what is no JSON and for a stream that
// breaks off, TooLarge beyond the bounds above.
type scanner struct {
	r       *bufio.Reader
	kept    int // bytes of maxKept used
	scanned int // bytes of maxScanned used
}

func newScanner(r io.Reader) *scanner { return &scanner{r: bufio.NewReaderSize(r, 64<<10)} }

func malformed(format string, args ...any) error {
	return registry.Errorf(registry.Invalid, "the body is not the JSON it should be: "+format, args...)
}

var errTooLarge = registry.Errorf(registry.TooLarge, "the document is larger than the %d MiB it may have beside the tarball", maxKept>>20)

// broken says why the stream ended where it should not.
func broken(err error) error {
	if e, ok := errors.AsType[*registry.Error](err); ok {
		return e
	}
	if errors.Is(err, io.EOF) {
		return malformed("it ends early")
	}
	return registry.Errorf(registry.Invalid, "the body broke off: %v", err)
}

// keep accounts for n bytes that stay in memory.
func (s *scanner) keep(n int) error {
	if s.kept += n; s.kept > maxKept {
		return errTooLarge
	}
	return nil
}

// release is keep's opposite.
func (s *scanner) release(n int) { s.kept -= n }

// next reads one byte.
func (s *scanner) next() (byte, error) {
	c, err := s.r.ReadByte()
	if err != nil {
		return 0, broken(err)
	}
	if s.scanned++; s.scanned > maxScanned {
		return 0, errTooLarge
	}
	return c, nil
}

// peek returns the first byte of the next token without consuming it.
func (s *scanner) peek() (byte, error) {
	for {
		c, err := s.next()
		if err != nil {
			return 0, err
		}
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		}
		s.scanned--
		return c, s.r.UnreadByte()
	}
}

// expect consumes the next token, which must be the byte.
func (s *scanner) expect(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return malformed("%q where %q should be", c, want)
	}
	_, err = s.next()
	return err
}

// end checks that nothing follows the text.
func (s *scanner) end() error {
	for {
		c, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return broken(err)
		}
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return malformed("something follows its end")
		}
	}
}

// object reads an object: member is called after each key and consumes the
// value. Keys do not count as kept. Keys longer than maxKey are Invalid.
func (s *scanner) object(member func(key string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	return s.elements('}', func() error {
		key, err := s.text(maxKey)
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		s.release(len(key))
		return member(key)
	})
}

// maxKey is the longest key of an object that is looked into.
const maxKey = 1024

// elements reads what stands between commas up to the closing byte.
func (s *scanner) elements(closing byte, element func() error) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c == closing {
		_, err := s.next()
		return err
	}
	for {
		if err := element(); err != nil {
			return err
		}
		c, err := s.peek()
		if err != nil {
			return err
		}
		if _, err := s.next(); err != nil {
			return err
		}
		switch c {
		case closing:
			return nil
		case ',':
		default:
			return malformed("%q where a comma or %q should be", c, closing)
		}
	}
}

// text reads a string of at most limit bytes. Its bytes count as kept.
func (s *scanner) text(limit int) (string, error) {
	t, err := s.stream()
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(t, int64(limit)+1))
	if err != nil {
		return "", err
	}
	if n > int64(limit) {
		return "", malformed("a string is longer than %d bytes", limit)
	}
	if !utf8.Valid(b.Bytes()) {
		return "", malformed("a string is not UTF-8")
	}
	return b.String(), s.keep(b.Len())
}

// raw reads any value and returns it without the blanks between its tokens.
// Its bytes count as kept.
func (s *scanner) raw() (json.RawMessage, error) {
	var b bytes.Buffer
	if err := s.value(&b, 0); err != nil {
		return nil, err
	}
	if !utf8.Valid(b.Bytes()) {
		return nil, malformed("a string is not UTF-8")
	}
	return b.Bytes(), nil
}

// skip passes over any value.
func (s *scanner) skip() error { return s.value(nil, 0) }

// value passes over a value and appends it to out, if there is one.
func (s *scanner) value(out *bytes.Buffer, depth int) error {
	if depth > maxDepth {
		return malformed("it nests deeper than %d", maxDepth)
	}
	c, err := s.peek()
	if err != nil {
		return err
	}
	switch c {
	case '"':
		return s.copyString(out)
	case '{':
		return s.copyList(out, '{', '}', func() error {
			if err := s.copyKey(out); err != nil {
				return err
			}
			return s.value(out, depth+1)
		})
	case '[':
		return s.copyList(out, '[', ']', func() error { return s.value(out, depth+1) })
	}
	return s.copyLiteral(out)
}

func (s *scanner) copyList(out *bytes.Buffer, opening, closing byte, element func() error) error {
	if err := s.expect(opening); err != nil {
		return err
	}
	if err := s.emit(out, opening); err != nil {
		return err
	}
	first := true
	err := s.elements(closing, func() error {
		if !first {
			if err := s.emit(out, ','); err != nil {
				return err
			}
		}
		first = false
		return element()
	})
	if err != nil {
		return err
	}
	return s.emit(out, closing)
}

func (s *scanner) copyKey(out *bytes.Buffer) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != '"' {
		return malformed("%q where a key should be", c)
	}
	if err := s.copyString(out); err != nil {
		return err
	}
	if err := s.expect(':'); err != nil {
		return err
	}
	return s.emit(out, ':')
}

// copyLiteral takes a number, true, false or null.
func (s *scanner) copyLiteral(out *bytes.Buffer) error {
	var literal []byte
	for {
		c, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return broken(err)
		}
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == 'E' || c == '+' || c == '-' || c == '.') {
			if err := s.r.UnreadByte(); err != nil {
				return err
			}
			break
		}
		if literal = append(literal, c); len(literal) > maxLiteral {
			return malformed("a number is longer than %d digits", maxLiteral)
		}
	}
	s.scanned += len(literal)
	if !json.Valid(literal) {
		return malformed("%.20q is no value", literal)
	}
	return s.emit(out, literal...)
}

// emit appends to the copy, if there is one, and counts it as kept.
func (s *scanner) emit(out *bytes.Buffer, p ...byte) error {
	if out == nil {
		return nil
	}
	out.Write(p)
	return s.keep(len(p))
}
