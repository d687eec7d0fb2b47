package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// A file in the xz format is a header, blocks, an index of the blocks, and a
// footer (.xz file format 1.2, section 2). Blocks know nothing of each other:
// those of many small files make one large one under a new index.

// CompressXZ compresses a text to an xz file of one block.
func CompressXZ(text []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := xz.WriterConfig{CheckSum: xz.CRC32, DictCap: 1 << 20}.NewWriter(&out)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

const (
	xzHeaderSize = 12
	xzFooterSize = 12
)

// XZHeader begins an xz file whose blocks have a CRC-32.
var XZHeader = []byte{0xfd, '7', 'z', 'X', 'Z', 0, 0, 1, 0x69, 0x22, 0xde, 0x36}

// XZBlock is where the block of a file of one block lies.
type XZBlock struct {
	// Skip is how many bytes stand before it, Size its length with padding.
	Skip, Size int64
	// Unpadded and Text are its length without padding and that of its text.
	unpadded, text uint64
}

var errXZ = errors.New("index: this is not an xz file of one block")

// FindXZBlock finds the block of a file that CompressXZ has made.
func FindXZBlock(file []byte) (XZBlock, error) {
	if len(file) < xzHeaderSize+xzFooterSize || !bytes.HasPrefix(file, XZHeader) {
		return XZBlock{}, errXZ
	}
	footer := file[len(file)-xzFooterSize:]
	indexSize := (int(binary.LittleEndian.Uint32(footer[4:])) + 1) * 4
	start := len(file) - xzFooterSize - indexSize
	if start < xzHeaderSize {
		return XZBlock{}, errXZ
	}
	index := file[start : len(file)-xzFooterSize]
	var numbers [3]uint64 // records, and of the first its two lengths
	rest := index[1:]
	for i := range numbers {
		n, width := binary.Uvarint(rest)
		if width <= 0 {
			return XZBlock{}, errXZ
		}
		numbers[i], rest = n, rest[width:]
	}
	if index[0] != 0 || numbers[0] != 1 {
		return XZBlock{}, errXZ
	}
	return XZBlock{Skip: xzHeaderSize, Size: int64(start - xzHeaderSize), unpadded: numbers[1], text: numbers[2]}, nil
}

// XZTrailer ends a file of those blocks.
func XZTrailer(blocks []XZBlock) []byte {
	index := []byte{0}
	index = binary.AppendUvarint(index, uint64(len(blocks)))
	for _, b := range blocks {
		index = binary.AppendUvarint(index, b.unpadded)
		index = binary.AppendUvarint(index, b.text)
	}
	for len(index)%4 != 0 {
		index = append(index, 0)
	}
	index = binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(index))
	tail := binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1))
	tail = append(tail, XZHeader[6], XZHeader[7])
	footer := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(tail))
	footer = append(append(footer, tail...), 'Y', 'Z')
	return append(index, footer...)
}

// CompressZstd compresses a text to a zstd frame. Frames follow each other to
// make one file (RFC 8878, section 3).
func CompressZstd(text []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	defer w.Close()
	return w.EncodeAll(text, nil), nil
}
