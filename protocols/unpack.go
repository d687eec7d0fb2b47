package protocols

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxWindow is the most memory a decompressor takes because an uploaded file
// says so: what `xz -9` asks for, and more than any package needs.
const maxWindow = 64 << 20

// ErrWindow tells that a file asks for more memory to be unpacked than anybody
// should need.
var ErrWindow = errors.New("unpacking would take more than 64 MiB of memory")

// Unpack returns the unpacked form of an uploaded file, by the ending of its
// compression: "", ".gz", ".xz" or ".zst". The caller bounds how much is read
// and closes it.
func Unpack(r io.Reader, ending string) (io.ReadCloser, error) {
	switch ending {
	case "":
		return io.NopCloser(r), nil
	case ".gz":
		return gzip.NewReader(r)
	case ".xz":
		return unpackXZ(r)
	case ".zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("the compression %q is not supported", ending)
}

// unpackXZ looks at the size of the dictionary before anything is allocated.
func unpackXZ(r io.Reader) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(r, 4<<10)
	const streamHeader, longestBlockHeader = 12, 1024
	head, err := in.Peek(streamHeader + longestBlockHeader)
	if len(head) == 0 && err != nil {
		return nil, err
	}
	if len(head) > streamHeader && xzDictionary(head[streamHeader:]) > maxWindow {
		return nil, ErrWindow
	}
	x, err := xz.ReaderConfig{SingleStream: true}.NewReader(in)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(x), nil
}

// xzDictionary is the size of the dictionary that the header of a block asks
// for (.xz file format 1.2, sections 3.1 and 5.3.1), 0 if it names none.
func xzDictionary(header []byte) int64 {
	const lzma2 = 0x21
	size := (int(header[0]) + 1) * 4
	if header[0] == 0 || size > len(header) {
		return 0
	}
	flags, rest := header[1], header[2:size]
	number := func() uint64 {
		var n uint64
		for shift := 0; len(rest) > 0 && shift < 63; shift += 7 {
			b := rest[0]
			rest = rest[1:]
			n |= uint64(b&0x7f) << shift
			if b&0x80 == 0 {
				break
			}
		}
		return n
	}
	for _, present := range []byte{0x40, 0x80} { // compressed, uncompressed size
		if flags&present != 0 {
			number()
		}
	}
	for range int(flags&3) + 1 {
		id, length := number(), number()
		if length > uint64(len(rest)) {
			return 0
		}
		properties := rest[:length]
		rest = rest[length:]
		if id == lzma2 && length == 1 {
			bits := properties[0] & 0x3f
			if bits > 40 {
				return 1 << 40
			}
			return int64(2|bits&1) << (bits/2 + 11)
		}
	}
	return 0
}

// ErrTooMuch tells that what LimitUnpacked reads goes on beyond the limit.
var ErrTooMuch = errors.New("it unpacks to more than is read of such a file")

// LimitUnpacked reads at most limit bytes and fails beyond.
func LimitUnpacked(r io.Reader, limit int64) io.Reader { return &unpackedLimit{r, limit} }

type unpackedLimit struct {
	r    io.Reader
	left int64
}

func (l *unpackedLimit) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, ErrTooMuch
	}
	return n, err
}

// ReadLimited reads all, and fails with ErrTooMuch beyond limit bytes.
func ReadLimited(r io.Reader, limit int64) ([]byte, error) {
	var all bytes.Buffer
	_, err := all.ReadFrom(LimitUnpacked(r, limit))
	return all.Bytes(), err
}
