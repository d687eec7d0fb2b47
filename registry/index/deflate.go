package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// Chunk is a text that is compressed by itself.
type Chunk struct {
	// Deflated is the text as a run of DEFLATE blocks (RFC 1951) that ends at
	// a byte and is not final: others may follow.
	Deflated []byte
	// Size is the length of the text in bytes.
	Size int64
	// CRC is its CRC-32 (IEEE).
	CRC uint32
}

// level gives chunks 2 % larger than gzip -9 does, in two thirds of the time,
// which a reader waits for after each publish.
const level = 7

var deflaters = sync.Pool{New: func() any {
	// A level that exists cannot be refused.
	w, _ := flate.NewWriter(nil, level)
	return w
}}

// Deflate compresses a text. Equal texts give equal chunks.
func Deflate(text []byte) Chunk {
	var out bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	// Writing to a buffer does not fail. Flush ends with an empty stored
	// block, which begins at the next byte.
	w.Write(text)
	w.Flush()
	return Chunk{Deflated: bytes.Clone(out.Bytes()), Size: int64(len(text)), CRC: crc32.ChecksumIEEE(text)}
}

// Inflate returns the text of a chunk. An error means that the bytes are
// damaged: they are not size bytes of text.
func Inflate(deflated []byte, size int64) ([]byte, error) {
	text := make([]byte, size)
	r := inflaterOf(deflated)
	defer inflaters.Put(r)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, fmt.Errorf("inflate: %w", err)
	}
	return text, nil
}

var inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

func inflaterOf(deflated []byte) io.ReadCloser {
	r := inflaters.Get().(io.ReadCloser)
	// The reader of the package always is one that can be reset.
	_ = r.(flate.Resetter).Reset(bytes.NewReader(deflated), nil)
	return r
}

// gzipHeader begins a gzip member (RFC 1952, section 2.3): no name, no time,
// no system, so that equal texts give equal files.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// finalBlock is an empty DEFLATE block that is the last.
var finalBlock = []byte{0x03, 0x00}

// gzipTrailer ends a member whose text has that CRC and length.
func gzipTrailer(crc uint32, size int64) []byte {
	trailer := bytes.Clone(finalBlock)
	trailer = binary.LittleEndian.AppendUint32(trailer, crc)
	return binary.LittleEndian.AppendUint32(trailer, uint32(size))
}
