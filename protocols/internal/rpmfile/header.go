// Package rpmfile reads RPM packages as far as a repository needs: the lead, the
// header with signatures and the main header (header.go), what the latter says
// of the package (package.go, identity.go), and the order of versions
// (version.go). It puts a signature in (sign.go) and writes headers (write.go).
//
// It is shared by the package types that serve such files. Its central idea:
// tags are looked up in the bytes as they came, and what is written again is
// copied from there, so that nothing gets lost that nobody here knows of.
package rpmfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"entrepot/registry"
)

// The bounds of what is read of a package. Its payload is not looked into.
const (
	// maxEntries is how many tags a header has, maxData how many bytes they
	// hold together; rpm's own bounds are of this order.
	maxEntries = 65_536
	maxData    = 64 << 20
	// maxSignature is maxData of the header with the signatures.
	maxSignature = 1 << 20
	// maxValues is how many values a tag has that is read: files, changes.
	maxValues = 1 << 20
)

const (
	leadSize  = 96
	introSize = 16
	entrySize = 16
)

var (
	leadMagic   = []byte{0xed, 0xab, 0xee, 0xdb}
	deltaMagic  = []byte("drpm")
	headerMagic = []byte{0x8e, 0xad, 0xe8, 1}
)

// badPackage refuses an uploaded package.
func badPackage(format string, args ...any) error {
	return registry.FieldErrorf("file", "this is not an RPM package: "+format, args...)
}

// Head is what stands before the payload: three parts one after the other.
type Head struct {
	lead            []byte
	signature, main *Header
}

// Size is where the payload begins.
func (h *Head) Size() int64 {
	start, size := h.MainRange()
	return start + size
}

// Main is the header that describes the package.
func (h *Head) Main() *Header { return h.main }

// MainRange is where the main header stands in the file.
func (h *Head) MainRange() (start, size int64) {
	signature := len(h.signature.raw)
	return int64(leadSize + signature + padding(signature)), int64(len(h.main.raw))
}

// padding is what fills the signature up to whole eights of bytes.
func padding(size int) int { return -size & 7 }

// Reader gives the bytes of the head.
func (h *Head) Reader() io.Reader {
	return io.MultiReader(bytes.NewReader(h.lead), bytes.NewReader(h.signature.raw),
		bytes.NewReader(make([]byte, padding(len(h.signature.raw)))), bytes.NewReader(h.main.raw))
}

// ReadHead reads a package up to its payload (rpm's docs/manual/format.md).
// Errors: Invalid for anything that is no package, or beyond the bounds above.
func ReadHead(r io.Reader) (*Head, error) {
	h := &Head{lead: make([]byte, leadSize)}
	n, err := io.ReadFull(r, h.lead)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return nil, badPackage("the body is empty")
	case bytes.HasPrefix(h.lead[:n], deltaMagic):
		return nil, badPackage("delta packages are not served")
	case err != nil:
		return nil, broken(err)
	case !bytes.HasPrefix(h.lead, leadMagic):
		return nil, badPackage("it does not begin as one")
	}
	if h.signature, err = readHeader(r, "signature", maxSignature); err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, int64(padding(len(h.signature.raw)))); err != nil {
		return nil, broken(err)
	}
	h.main, err = readHeader(r, "header", maxData)
	return h, err
}

// broken is the error for a package that ends before its payload.
func broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return badPackage("it ends within its header")
	}
	return registry.Errorf(registry.Invalid, "the body broke off: %v", err)
}

// Header is tags with values.
type Header struct {
	raw     []byte // all of it
	entries []entry
	data    []byte // the end of raw, where the values lie
}

// entry says where the values of a tag lie, and what they are.
type entry struct{ tag, kind, offset, count int }

// The kinds of value.
const (
	kindInt8        = 2
	kindInt16       = 3
	kindInt32       = 4
	kindInt64       = 5
	kindString      = 6
	kindBinary      = 7
	kindStringArray = 8
	kindI18nString  = 9
)

// widths are the bytes of a number of a kind.
var widths = map[int]int{kindInt8: 1, kindInt16: 2, kindInt32: 4, kindInt64: 8}

func isText(kind int) bool {
	return kind == kindString || kind == kindStringArray || kind == kindI18nString
}

func readHeader(r io.Reader, what string, limit int) (*Header, error) {
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, introSize); err != nil {
		return nil, broken(err)
	}
	intro := b.Bytes()
	if !bytes.HasPrefix(intro, headerMagic) {
		return nil, badPackage("its %s does not begin as one", what)
	}
	entries, data := int64(binary.BigEndian.Uint32(intro[8:])), int64(binary.BigEndian.Uint32(intro[12:]))
	if entries == 0 || entries > maxEntries || data > int64(limit) {
		return nil, badPackage("its %s has %d entries and %d bytes; at most %d and %d are read", what, entries, data, maxEntries, limit)
	}
	// The buffer grows with what really comes.
	if _, err := io.CopyN(&b, r, entries*entrySize+data); err != nil {
		return nil, broken(err)
	}
	h := &Header{raw: b.Bytes(), entries: make([]entry, entries)}
	h.data = h.raw[introSize+entries*entrySize:]
	for i := range h.entries {
		at := h.raw[introSize+i*entrySize:]
		number := func(n int) int { return int(binary.BigEndian.Uint32(at[4*n:])) }
		e := entry{number(0), number(1), number(2), number(3)}
		if e.offset > len(h.data) || e.count == 0 || e.count > len(h.data)-e.offset {
			return nil, badPackage("the tag %d of its %s lies outside of it", e.tag, what)
		}
		h.entries[i] = e
	}
	return h, nil
}

// entry finds a tag.
func (h *Header) entry(tag int) (entry, bool) {
	i := slices.IndexFunc(h.entries, func(e entry) bool { return e.tag == tag })
	if i < 0 {
		return entry{}, false
	}
	return h.entries[i], true
}

// has tells whether the header has one of the tags.
func (h *Header) has(tags ...int) bool {
	return slices.ContainsFunc(h.entries, func(e entry) bool { return slices.Contains(tags, e.tag) })
}

// bytesOf are the bytes that the values of a tag take.
func (h *Header) bytesOf(e entry) ([]byte, error) {
	data := h.data[e.offset:]
	size := e.count
	switch width, isNumber := widths[e.kind]; {
	case isNumber:
		size = width * e.count
	case isText(e.kind):
		if e.kind == kindString && e.count != 1 {
			return nil, badPackage("the tag %d has %d values, want one", e.tag, e.count)
		}
		size = 0
		for range e.count {
			n := bytes.IndexByte(data[size:], 0)
			if n < 0 {
				return nil, badPackage("a text of the tag %d has no end", e.tag)
			}
			size += n + 1
		}
	}
	if size > len(data) {
		return nil, badPackage("the tag %d lies outside of its header", e.tag)
	}
	return data[:size], nil
}

// texts are the values of a tag that holds texts, nil if it is not there.
func (h *Header) texts(tag int) ([]string, error) {
	e, ok := h.entry(tag)
	if !ok {
		return nil, nil
	}
	if !isText(e.kind) {
		return nil, badPackage("the tag %d is not a text", tag)
	}
	if e.count > maxValues {
		return nil, badPackage("the tag %d has %d values; at most %d are read", tag, e.count, maxValues)
	}
	raw, err := h.bytesOf(e)
	if err != nil {
		return nil, err
	}
	// The texts share the memory of one.
	all, texts := string(raw), make([]string, e.count)
	for i := range texts {
		n := bytes.IndexByte(raw, 0)
		texts[i], all, raw = all[:n], all[n+1:], raw[n+1:]
	}
	return texts, nil
}

// numbers are the values of a tag that holds numbers, nil if it is not there.
func (h *Header) numbers(tag int) ([]uint64, error) {
	e, ok := h.entry(tag)
	if !ok {
		return nil, nil
	}
	width, ok := widths[e.kind]
	if !ok {
		return nil, badPackage("the tag %d is not a number", tag)
	}
	if e.count > maxValues {
		return nil, badPackage("the tag %d has %d values; at most %d are read", tag, e.count, maxValues)
	}
	raw, err := h.bytesOf(e)
	if err != nil {
		return nil, err
	}
	numbers := make([]uint64, e.count)
	for i := range numbers {
		for _, c := range raw[i*width : (i+1)*width] {
			numbers[i] = numbers[i]<<8 | uint64(c)
		}
	}
	return numbers, nil
}

// fields reads tags one after the other, and keeps the first error.
type fields struct {
	h   *Header
	err error
}

func (f *fields) texts(tag int) []string {
	texts, err := f.h.texts(tag)
	f.note(err)
	return texts
}

func (f *fields) numbers(tag int) []uint64 {
	numbers, err := f.h.numbers(tag)
	f.note(err)
	return numbers
}

func (f *fields) note(err error) {
	if f.err == nil {
		f.err = err
	}
}

// text is the first value of a tag, "" if it is not there: of texts in many
// languages that in none.
func (f *fields) text(tag int) string {
	if texts := f.texts(tag); len(texts) > 0 {
		return texts[0]
	}
	return ""
}

// number is the first value of the first of the tags that is there, else 0.
func (f *fields) number(tags ...int) uint64 {
	for _, tag := range tags {
		if numbers := f.numbers(tag); len(numbers) > 0 {
			return numbers[0]
		}
	}
	return 0
}

// same notes that lists do not go together.
func (f *fields) same(what string, length int, others ...int) {
	for _, n := range others {
		if n != length {
			f.note(badPackage("its lists of %s are of different lengths: %s", what, fmt.Sprint(length, others)))
			return
		}
	}
}
