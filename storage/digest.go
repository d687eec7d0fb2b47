package storage

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// Algorithm is a set of digest algorithms, one bit each.
type Algorithm uint8

// The digests that package formats publish. SHA256 is always computed: it names the content in the database. MD5 and
// SHA1 are for formats that demand them; nothing here relies on them.
const (
	SHA256 Algorithm = 1 << iota
	MD5
	SHA1
	SHA512
	BLAKE2b256

	allAlgorithms = SHA256 | MD5 | SHA1 | SHA512 | BLAKE2b256
)

// algorithms describes each bit, in the order of the bits.
var algorithms = [...]struct {
	name string
	new  func() hash.Hash
}{
	{"sha256", sha256.New},
	{"md5", md5.New},
	{"sha1", sha1.New},
	{"sha512", sha512.New},
	{"blake2b-256", newBLAKE2b256},
}

// newBLAKE2b256 drops the error of blake2b.New256, which only a key can cause.
func newBLAKE2b256() hash.Hash {
	h, _ := blake2b.New256(nil)
	return h
}

// Has reports whether all algorithms of b are in the set.
func (a Algorithm) Has(b Algorithm) bool { return a&b == b }

// String returns the names, joined by "+".
func (a Algorithm) String() string {
	var names []string
	for i, algorithm := range algorithms {
		if a.Has(1 << i) {
			names = append(names, algorithm.name)
		}
	}
	return strings.Join(names, "+")
}

// Sums holds digests in lower-case hexadecimal; those that were not asked for are empty.
type Sums struct {
	SHA256     string
	MD5        string
	SHA1       string
	SHA512     string
	BLAKE2b256 string
}

// field returns the place of the i-th algorithm.
func (s *Sums) field(i int) *string {
	return [...]*string{&s.SHA256, &s.MD5, &s.SHA1, &s.SHA512, &s.BLAKE2b256}[i]
}

// Hasher computes a set of digests in one pass. Its state can be saved and carried to another process, so that an
// upload that arrives in chunks is hashed once. It is not safe for concurrent use.
type Hasher struct {
	set    Algorithm
	hashes [len(algorithms)]hash.Hash // nil where the bit is not set
	size   int64
}

// NewHasher returns a Hasher for SHA256 and the algorithms of want.
func NewHasher(want Algorithm) *Hasher {
	h := &Hasher{set: (want | SHA256) & allAlgorithms}
	for i := range algorithms {
		if h.set.Has(1 << i) {
			h.hashes[i] = algorithms[i].new()
		}
	}
	return h
}

// Algorithms returns the set being computed.
func (h *Hasher) Algorithms() Algorithm { return h.set }

// Size returns the number of bytes hashed so far.
func (h *Hasher) Size() int64 { return h.size }

// Write adds p to every digest. It never fails.
func (h *Hasher) Write(p []byte) (int, error) {
	for _, digest := range h.hashes {
		if digest != nil {
			digest.Write(p)
		}
	}
	h.size += int64(len(p))
	return len(p), nil
}

// Sums returns the digests of everything written so far; more may be written afterwards.
func (h *Hasher) Sums() Sums {
	var sums Sums
	for i, digest := range h.hashes {
		if digest != nil {
			*sums.field(i) = hex.EncodeToString(digest.Sum(nil))
		}
	}
	return sums
}

// stateVersion starts the saved state: a reader of another layout must not guess.
const stateVersion = 1

// MarshalBinary saves the state: version, set, bytes so far, then for each digest the length and the bytes of its own
// state (about 100 to 210 bytes each).
func (h *Hasher) MarshalBinary() ([]byte, error) {
	state := binary.BigEndian.AppendUint64([]byte{stateVersion, byte(h.set)}, uint64(h.size))
	for i, digest := range h.hashes {
		if digest == nil {
			continue
		}
		part, err := digest.(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("storage: save state of %s: %w", algorithms[i].name, err)
		}
		state = binary.BigEndian.AppendUint16(state, uint16(len(part)))
		state = append(state, part...)
	}
	return state, nil
}

// UnmarshalBinary restores a state saved by MarshalBinary, possibly by another process of the same or a newer release.
// On an error the Hasher is unchanged.
func (h *Hasher) UnmarshalBinary(state []byte) error {
	const header = 10
	if len(state) < header || state[0] != stateVersion {
		return errors.New("storage: hash state has an unknown form")
	}
	set, size := Algorithm(state[1]), int64(binary.BigEndian.Uint64(state[2:]))
	if !set.Has(SHA256) || set&^allAlgorithms != 0 || size < 0 {
		return fmt.Errorf("storage: hash state names unknown algorithms (%#x) or a negative size", uint8(set))
	}
	restored := NewHasher(set)
	restored.size = size
	rest := state[header:]
	for i, digest := range restored.hashes {
		if digest == nil {
			continue
		}
		if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
			return errors.New("storage: hash state ends early")
		}
		length := int(binary.BigEndian.Uint16(rest))
		if err := digest.(encoding.BinaryUnmarshaler).UnmarshalBinary(rest[2 : 2+length]); err != nil {
			return fmt.Errorf("storage: restore state of %s: %w", algorithms[i].name, err)
		}
		rest = rest[2+length:]
	}
	if len(rest) != 0 {
		return errors.New("storage: hash state has trailing bytes")
	}
	*h = *restored
	return nil
}
