package storage

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestHasherKnownAnswers(t *testing.T) {
	h := NewHasher(allAlgorithms)
	io.WriteString(h, "abc")
	want := Sums{ // FIPS 180-4 and RFC 1321, 3174, 7693 give the digests of "abc"
		SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		MD5:    "900150983cd24fb0d6963f7d28e17f72",
		SHA1:   "a9993e364706816aba3e25717850c26c9cd0d89d",
		SHA512: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
			"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
		BLAKE2b256: "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
	}
	if got := h.Sums(); got != want {
		t.Errorf("sums of abc: %+v", got)
	}
	if h.Size() != 3 {
		t.Errorf("size %d", h.Size())
	}
}

func TestHasherComputesOnlyWhatIsWanted(t *testing.T) {
	for set, names := range map[Algorithm]string{
		0:                 "sha256",
		SHA256:            "sha256",
		MD5:               "sha256+md5",
		SHA512 | SHA1:     "sha256+sha1+sha512",
		BLAKE2b256:        "sha256+blake2b-256",
		allAlgorithms:     "sha256+md5+sha1+sha512+blake2b-256",
		Algorithm(1 << 7): "sha256",
	} {
		h := NewHasher(set)
		if got := h.Algorithms().String(); got != names {
			t.Errorf("NewHasher(%#x) computes %s, want %s", uint8(set), got, names)
		}
		sums := h.Sums()
		for i, algorithm := range algorithms {
			if wanted := strings.Contains("+"+names+"+", "+"+algorithm.name+"+"); wanted != (*sums.field(i) != "") {
				t.Errorf("NewHasher(%#x): %s present: %v, want %v", uint8(set), algorithm.name, !wanted, wanted)
			}
		}
	}
}

// TestHasherState carries the state between hashers at every kind of position within a hash's block.
func TestHasherState(t *testing.T) {
	content := make([]byte, 1000)
	rand.NewChaCha8([32]byte{}).Read(content)
	whole := NewHasher(allAlgorithms)
	whole.Write(content)
	for _, set := range []Algorithm{SHA256, SHA256 | SHA512, allAlgorithms} {
		for _, at := range []int{0, 1, 63, 64, 65, 127, 128, 500, 1000} {
			first := NewHasher(set)
			first.Write(content[:at])
			state, err := first.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			first.Write([]byte("must not matter any more"))
			var second Hasher
			if err := second.UnmarshalBinary(state); err != nil {
				t.Fatal(err)
			}
			if second.Size() != int64(at) || second.Algorithms() != set {
				t.Errorf("restored %d bytes of %v", second.Size(), second.Algorithms())
			}
			second.Write(content[at:])
			for i := range algorithms {
				got, all := second.Sums(), whole.Sums()
				if set.Has(1<<i) && *got.field(i) != *all.field(i) {
					t.Errorf("%s differs when carried at %d", algorithms[i].name, at)
				}
			}
		}
	}
}

func TestHasherStateRejects(t *testing.T) {
	h := NewHasher(SHA512)
	h.Write([]byte("something"))
	good, err := h.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int, to byte) []byte {
		state := bytes.Clone(good)
		state[at] = to
		return state
	}
	for name, state := range map[string][]byte{
		"empty":             nil,
		"short":             good[:9],
		"other version":     changed(0, 2),
		"no sha256":         changed(1, byte(SHA512)),
		"unknown algorithm": changed(1, 0xff),
		"more digests":      changed(1, byte(allAlgorithms)),
		"fewer digests":     changed(1, byte(SHA256)),
		"negative size":     changed(2, 0x80),
		"cut":               good[:len(good)-1],
		"longer":            append(bytes.Clone(good), 0),
		"other hash inside": changed(12, 'x'),
	} {
		before := h.Sums()
		if err := h.UnmarshalBinary(state); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if h.Sums() != before || h.Size() != 9 {
			t.Errorf("%s: the hasher changed", name)
		}
	}
}

func FuzzHasherState(f *testing.F) {
	for _, set := range []Algorithm{0, SHA512, allAlgorithms} {
		h := NewHasher(set)
		h.Write([]byte("seed"))
		state, _ := h.MarshalBinary()
		f.Add(state)
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		var h Hasher
		if h.UnmarshalBinary(state) != nil {
			return
		}
		// What was accepted is usable: it hashes, and its state survives another round.
		h.Write([]byte("more"))
		again, err := h.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var second Hasher
		if err := second.UnmarshalBinary(again); err != nil {
			t.Fatal(err)
		}
		if h.Sums() != second.Sums() {
			t.Error("sums differ after a second round")
		}
	})
}
