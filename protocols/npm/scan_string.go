package npm

import (
	"bytes"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// copyString takes a string as it is written, quotes and escapes included.
func (s *scanner) copyString(out *bytes.Buffer) error {
	if err := s.expect('"'); err != nil {
		return err
	}
	if err := s.emit(out, '"'); err != nil {
		return err
	}
	for {
		run, err := s.run(maxRun)
		if err != nil {
			return err
		}
		if len(run) > 0 {
			if err := s.emit(out, run...); err != nil {
				return err
			}
			s.r.Discard(len(run)) // it is buffered
			if s.scanned += len(run); s.scanned > maxScanned {
				return errTooLarge
			}
			continue
		}
		c, err := s.next()
		if err != nil {
			return err
		}
		if c == '"' {
			return s.emit(out, '"')
		}
		if err := s.copyEscape(out); err != nil {
			return err
		}
	}
}

func (s *scanner) copyEscape(out *bytes.Buffer) error {
	c, err := s.next()
	if err != nil {
		return err
	}
	if err := s.emit(out, '\\', c); err != nil {
		return err
	}
	if c != 'u' {
		if _, ok := escapes[c]; !ok {
			return malformed("there is no escape \\%c", c)
		}
		return nil
	}
	digits, err := s.hexDigits()
	if err != nil {
		return err
	}
	return s.emit(out, digits[:]...)
}

// escapes are the characters that two-character escapes stand for.
var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (s *scanner) hexDigits() (digits [4]byte, err error) {
	for i := range digits {
		if digits[i], err = s.next(); err != nil {
			return digits, err
		}
		if _, ok := hexValue(digits[i]); !ok {
			return digits, malformed("an escape \\u wants four hexadecimal digits")
		}
	}
	return digits, nil
}

func hexValue(c byte) (rune, bool) {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}

// maxRun is how much of a string is looked at in one go.
const maxRun = 64 << 10

// run returns the plain characters next in a string, up to limit of them and
// without consuming them: up to a quote, a backslash or the end of what is
// buffered. It is empty only before a quote or a backslash.
func (s *scanner) run(limit int) ([]byte, error) {
	if _, err := s.r.Peek(1); err != nil {
		return nil, broken(err)
	}
	buffered, _ := s.r.Peek(min(s.r.Buffered(), limit)) // cannot fail
	for i, c := range buffered {
		if c == '"' || c == '\\' {
			return buffered[:i], nil
		}
		if c < ' ' {
			return nil, malformed("a control character stands in a string")
		}
	}
	return buffered, nil
}

// stream reads a string without keeping it: the reader yields its decoded
// characters and ends with the string. The scanner can go on only after it was
// read to its end.
func (s *scanner) stream() (*stringReader, error) {
	c, err := s.peek()
	if err != nil {
		return nil, err
	}
	if c != '"' {
		return nil, malformed("%q where a string should be", c)
	}
	_, err = s.next()
	return &stringReader{s: s}, err
}

// stringReader is the decoded content of one string. What it reads counts
// neither as kept nor as scanned.
type stringReader struct {
	s       *scanner
	pending []byte // decoded and not yet read
	err     error
}

// Read implements io.Reader.
func (t *stringReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && t.err == nil {
		if len(t.pending) > 0 {
			m := copy(p[n:], t.pending)
			t.pending = t.pending[m:]
			n += m
			continue
		}
		run, err := t.s.run(len(p) - n)
		if err != nil {
			t.err = err
			break
		}
		if len(run) > 0 {
			n += copy(p[n:], run)
			t.s.r.Discard(len(run)) // it is buffered
			continue
		}
		t.err = t.special()
	}
	if n > 0 {
		return n, nil
	}
	if len(p) == 0 {
		return 0, nil
	}
	return 0, t.err
}

// special consumes the quote that ends the string, or an escape.
func (t *stringReader) special() error {
	c, err := t.s.r.ReadByte()
	if err != nil {
		return broken(err)
	}
	if c == '"' {
		return io.EOF
	}
	if c, err = t.s.r.ReadByte(); err != nil {
		return broken(err)
	}
	if c != 'u' {
		plain, ok := escapes[c]
		if !ok {
			return malformed("there is no escape \\%c", c)
		}
		t.pending = append(t.pending[:0], plain)
		return nil
	}
	r, err := t.unicode()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) {
		if r, err = t.lowSurrogate(r); err != nil {
			return err
		}
	}
	t.pending = utf8.AppendRune(t.pending[:0], r)
	return nil
}

// unicode reads the digits of an escape \u.
func (t *stringReader) unicode() (rune, error) {
	digits, err := t.s.hexDigits()
	t.s.scanned -= len(digits)
	var r rune
	for _, c := range digits {
		v, _ := hexValue(c)
		r = r<<4 | v
	}
	return r, err
}

// lowSurrogate completes a pair. Half a pair is the replacement character, as
// it is for every other decoder.
func (t *stringReader) lowSurrogate(high rune) (rune, error) {
	if next, err := t.s.r.Peek(2); err != nil || next[0] != '\\' || next[1] != 'u' {
		return utf8.RuneError, nil
	}
	digits, err := t.s.r.Peek(6)
	if err != nil {
		return 0, broken(err)
	}
	var low rune
	for _, c := range digits[2:] {
		v, ok := hexValue(c)
		if !ok {
			return 0, malformed("an escape \\u wants four hexadecimal digits")
		}
		low = low<<4 | v
	}
	r := utf16.DecodeRune(high, low)
	if r != utf8.RuneError {
		t.s.r.Discard(6) // it was peeked at
	}
	return r, nil
}
