package nuget

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// The bounds of a metadata root.
const (
	maxPDBVersion = 255
	maxPDBStreams = 64
	maxStreamName = 32
)

var (
	errNoPDB      = errors.New("it is no Portable PDB")
	errWindowsPDB = errors.New("it is a Windows PDB; only Portable PDBs are taken")
)

// readPDBID reads the id of a Portable PDB, 32 hexadecimal digits in lower
// case: the first 16 bytes of the stream #Pdb, which are a GUID. content is of
// that many bytes and is read where it says the stream is.
//
// https://github.com/dotnet/runtime/blob/main/docs/design/specs/PortablePdb-Metadata.md,
// and ECMA-335, II.24.2.1, for the metadata root.
func readPDBID(content io.ReadSeeker, size int64) (string, error) {
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	le := binary.LittleEndian
	head := make([]byte, 16)
	if err := fill(content, head); err != nil {
		return "", err
	}
	if !bytes.HasPrefix(head, []byte("BSJB")) {
		if bytes.HasPrefix(head, []byte("Microsoft C/C++ ")) {
			return "", errWindowsPDB
		}
		return "", errNoPDB
	}
	length := le.Uint32(head[12:])
	if length > maxPDBVersion+1 {
		return "", fmt.Errorf("%w: the name of its version is too long", errNoPDB)
	}
	// The version's name, the flags, the number of streams.
	rest := make([]byte, length+4)
	if err := fill(content, rest); err != nil {
		return "", err
	}
	streams := le.Uint16(rest[length+2:])
	if streams > maxPDBStreams {
		return "", fmt.Errorf("%w: it has too many streams", errNoPDB)
	}
	for range streams {
		offset, length, name, err := readStreamHeader(content)
		if err != nil {
			return "", err
		}
		if name != "#Pdb" {
			continue
		}
		if length < 16 || int64(offset)+16 > size {
			return "", fmt.Errorf("%w: its stream #Pdb is cut off", errNoPDB)
		}
		if _, err := content.Seek(int64(offset), io.SeekStart); err != nil {
			return "", err
		}
		guid := make([]byte, 16)
		if err := fill(content, guid); err != nil {
			return "", err
		}
		return guidText(guid), nil
	}
	return "", fmt.Errorf("%w: it has no stream #Pdb", errNoPDB)
}

// readStreamHeader reads where a stream is, how long it is and its name, which
// ends with a zero byte and is filled up to four bytes.
func readStreamHeader(r io.Reader) (offset, length uint32, name string, err error) {
	head := make([]byte, 8)
	if err := fill(r, head); err != nil {
		return 0, 0, "", err
	}
	var text []byte
	for len(text) < maxStreamName {
		four := make([]byte, 4)
		if err := fill(r, four); err != nil {
			return 0, 0, "", err
		}
		text = append(text, four...)
		if end := bytes.IndexByte(text, 0); end >= 0 {
			return binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[4:]), string(text[:end]), nil
		}
	}
	return 0, 0, "", fmt.Errorf("%w: the name of a stream is too long", errNoPDB)
}

// fill reads exactly as much as fits.
func fill(r io.Reader, p []byte) error {
	_, err := io.ReadFull(r, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it is cut off", errNoPDB)
	}
	return err
}

// guidText is a GUID as symbol servers name it: the first three of its numbers
// are stored with their lowest byte first.
func guidText(b []byte) string {
	return hex.EncodeToString([]byte{
		b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6],
		b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15],
	})
}
