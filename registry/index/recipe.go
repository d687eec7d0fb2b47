package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
)

// Recipe says what a file is put together from. It is a value: appending to a
// copy leaves the original as it is.
type Recipe struct {
	parts []Part
	size  int64
}

// Part is a literal, or a datum that a Source has.
type Part struct {
	// Literal are the bytes themselves, when Data is 0.
	Literal []byte
	// Data is the number of a datum.
	Data int64
	// Inflate tells that the datum's text is meant, not its compressed form.
	Inflate bool
	// Skip is how many bytes of the datum stand before the part.
	Skip int64
	// Size is how many bytes the part has in the file.
	Size int64
}

// Source gives the bytes of data. What it returns is not written to.
type Source func(data int64) ([]byte, error)

// Literal appends bytes, which must not be changed afterwards.
func (r Recipe) Literal(b []byte) Recipe {
	if len(b) == 0 {
		return r
	}
	return r.add(Part{Literal: b, Size: int64(len(b))})
}

// Join appends another recipe.
func (r Recipe) Join(other Recipe) Recipe {
	return Recipe{append(slices.Clip(r.parts), other.parts...), r.size + other.size}
}

// Data appends a datum of that size as it is.
func (r Recipe) Data(data, size int64) Recipe { return r.Slice(data, 0, size) }

// Slice appends size bytes of a datum, after the first skip.
func (r Recipe) Slice(data, skip, size int64) Recipe {
	return r.add(Part{Data: data, Skip: skip, Size: size})
}

func (r Recipe) add(p Part) Recipe {
	return Recipe{append(slices.Clip(r.parts), p), r.size + p.Size}
}

// Size is the length of the file in bytes.
func (r Recipe) Size() int64 { return r.size }

// Parts are the parts in their order.
func (r Recipe) Parts() []Part { return r.parts }

// Text is a text in pieces: literals, and chunks that are stored as data.
type Text struct{ pieces []piece }

type piece struct {
	literal []byte
	data    int64
	packed  int64
	size    int64
	crc     uint32
}

// Literal appends bytes to the text.
func (t *Text) Literal(b []byte) {
	if len(b) > 0 {
		t.pieces = append(t.pieces, piece{literal: b, size: int64(len(b))})
	}
}

// Chunk appends a chunk that is stored as the datum: size bytes of text with
// that CRC, packed bytes when deflated.
func (t *Text) Chunk(data, size, packed int64, crc uint32) {
	t.pieces = append(t.pieces, piece{data: data, size: size, packed: packed, crc: crc})
}

// Size is the length of the text.
func (t *Text) Size() (size int64) {
	for _, p := range t.pieces {
		size += p.size
	}
	return size
}

// Plain is the text itself.
func (t *Text) Plain() Recipe {
	r := Recipe{parts: make([]Part, 0, len(t.pieces))}
	for _, p := range t.pieces {
		part := Part{Literal: p.literal, Data: p.data, Inflate: p.data != 0, Size: p.size}
		r.parts, r.size = append(r.parts, part), r.size+p.size
	}
	return r
}

// Gzip is the text as one ordinary gzip member.
func (t *Text) Gzip() Recipe {
	r := Recipe{parts: make([]Part, 0, len(t.pieces)+2)}
	put := func(p Part) { r.parts, r.size = append(r.parts, p), r.size+p.Size }
	literal := bytes.Clone(gzipHeader)
	var crc uint32
	var size int64
	for _, p := range t.pieces {
		if p.data == 0 {
			c := Deflate(p.literal)
			literal = append(literal, c.Deflated...)
			p.crc = c.CRC
		} else {
			if len(literal) > 0 {
				put(Part{Literal: literal, Size: int64(len(literal))})
				literal = nil
			}
			put(Part{Data: p.data, Size: p.packed})
		}
		crc = combineCRC(crc, p.crc, p.size)
		size += p.size
	}
	literal = append(literal, gzipTrailer(crc, size)...)
	put(Part{Literal: literal, Size: int64(len(literal))})
	return r
}

// Open returns the file for reading and seeking.
func (r Recipe) Open(source Source) *Reader {
	ends := make([]int64, len(r.parts))
	var end int64
	for i, p := range r.parts {
		end += p.Size
		ends[i] = end
	}
	return &Reader{recipe: r, source: source, ends: ends}
}

// Reader reads a file that a recipe describes: an io.ReadSeeker.
type Reader struct {
	recipe Recipe
	source Source
	ends   []int64 // where each part ends in the file

	at      int64
	part    int    // whose bytes are in current
	current []byte // all bytes of the part, nil before it was asked for
}

// Read reads on from where the reader stands.
func (r *Reader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && r.at < r.recipe.size {
		rest, err := r.rest()
		if err != nil {
			return n, err
		}
		m := copy(p[n:], rest)
		n += m
		r.at += int64(m)
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// WriteTo writes all that follows, a part at a time.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for r.at < r.recipe.size {
		rest, err := r.rest()
		if err != nil {
			return written, err
		}
		n, err := w.Write(rest)
		written += int64(n)
		r.at += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Seek moves to a place in the file.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.recipe.size
	}
	if offset < 0 {
		return 0, errors.New("index: seek before the start of a file")
	}
	r.at = offset
	return offset, nil
}

// rest is what the part at the reader's place still has.
func (r *Reader) rest() ([]byte, error) {
	i := sort.Search(len(r.ends), func(i int) bool { return r.ends[i] > r.at })
	if i != r.part || r.current == nil {
		content, err := r.recipe.parts[i].content(r.source)
		if err != nil {
			return nil, err
		}
		r.part, r.current = i, content
	}
	start := r.ends[i] - r.recipe.parts[i].Size
	return r.current[r.at-start:], nil
}

// content is all bytes of the part.
func (p Part) content(source Source) ([]byte, error) {
	if p.Data == 0 {
		return p.Literal, nil
	}
	content, err := source(p.Data)
	if err != nil {
		return nil, err
	}
	if p.Inflate {
		return Inflate(content, p.Size)
	}
	if p.Skip+p.Size > int64(len(content)) || p.Skip == 0 && p.Size != int64(len(content)) {
		return nil, fmt.Errorf("index: datum %d has %d bytes, want %d after %d", p.Data, len(content), p.Size, p.Skip)
	}
	return content[p.Skip : p.Skip+p.Size], nil
}

// The kinds of part in the packed form.
const (
	packedLiteral = iota
	packedData
	packedInflated
	packedSlice
)

// Pack writes the recipe down; Unpack reads it.
func (r Recipe) Pack() []byte {
	out := []byte{}
	for _, p := range r.parts {
		switch {
		case p.Data == 0:
			out = append(out, packedLiteral)
			out = binary.AppendUvarint(out, uint64(len(p.Literal)))
			out = append(out, p.Literal...)
			continue
		case p.Inflate:
			out = append(out, packedInflated)
		case p.Skip > 0:
			out = append(out, packedSlice)
			out = binary.AppendUvarint(out, uint64(p.Skip))
		default:
			out = append(out, packedData)
		}
		out = binary.AppendUvarint(out, uint64(p.Data))
		out = binary.AppendUvarint(out, uint64(p.Size))
	}
	return out
}

var errPacked = errors.New("index: a packed recipe is damaged")

// Unpack reads what Pack has written.
func Unpack(packed []byte) (Recipe, error) {
	var r Recipe
	number := func() (int64, bool) {
		n, width := binary.Uvarint(packed)
		if width <= 0 || n > 1<<62 {
			return 0, false
		}
		packed = packed[width:]
		return int64(n), true
	}
	for len(packed) > 0 {
		kind := packed[0]
		packed = packed[1:]
		var skip int64
		ok := true
		if kind == packedSlice {
			skip, ok = number()
		}
		first, isNumber := number()
		if !ok || !isNumber || kind > packedSlice {
			return Recipe{}, errPacked
		}
		if kind == packedLiteral {
			if first > int64(len(packed)) {
				return Recipe{}, errPacked
			}
			r.parts, r.size = append(r.parts, Part{Literal: packed[:first:first], Size: first}), r.size+first
			packed = packed[first:]
			continue
		}
		size, ok := number()
		if !ok || first == 0 {
			return Recipe{}, errPacked
		}
		r.parts, r.size = append(r.parts, Part{Data: first, Inflate: kind == packedInflated, Skip: skip, Size: size}), r.size+size
	}
	return r, nil
}
