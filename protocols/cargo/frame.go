package cargo

import (
	"encoding/binary"
	"errors"
	"io"

	"entrepot/registry"
)

// maxMetadata is the longest metadata of a publish, in bytes.
const maxMetadata = 4 << 20

// frames reads the body of a publish: the length of the metadata in four
// bytes, least significant first, the metadata, and the same with the archive.
// https://doc.rust-lang.org/cargo/reference/registry-web-api.html#publish
type frames struct{ body io.Reader }

// length reads what the next part's length is said to be.
func (f frames) length(part string) (int64, error) {
	var n [4]byte
	if _, err := io.ReadFull(f.body, n[:]); err != nil {
		return 0, brokenOff(err, "the body ends before the length of the "+part)
	}
	return int64(binary.LittleEndian.Uint32(n[:])), nil
}

// metadata reads the first part. Error: Invalid, when it is longer than
// maxMetadata or than the body.
func (f frames) metadata() ([]byte, error) {
	n, err := f.length("metadata")
	if err != nil {
		return nil, err
	}
	if n > maxMetadata {
		return nil, registry.Errorf(registry.Invalid, "the metadata is said to be %d bytes long; at most %d are taken", n, maxMetadata)
	}
	raw, err := io.ReadAll(io.LimitReader(f.body, n))
	if err != nil {
		return nil, brokenOff(err, "")
	}
	if int64(len(raw)) < n {
		return nil, registry.Errorf(registry.Invalid, "the body ends within the metadata: %d of %d bytes", len(raw), n)
	}
	return raw, nil
}

// end wants the body to be over.
func (f frames) end() error {
	var one [1]byte
	switch _, err := io.ReadFull(f.body, one[:]); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return brokenOff(err, "")
	}
	return registry.Errorf(registry.Invalid, "the body goes on after the crate")
}

// brokenOff tells of a body that could not be read on: with the message, if
// it came to its end.
func brokenOff(err error, atEnd string) error {
	if _, ok := errors.AsType[*registry.Error](err); ok {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		if atEnd != "" {
			return registry.Errorf(registry.Invalid, "%s", atEnd)
		}
	}
	return registry.Errorf(registry.Invalid, "the body broke off: %v", err)
}
