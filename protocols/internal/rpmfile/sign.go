package rpmfile

import (
	"bytes"
	"crypto/sha512"
	"encoding"
	"fmt"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// signatureTags are those of signatures, of the header or of all.
var signatureTags = []int{sigDSA, sigRSA, sigOpenPGP, sigPGP, sigGPG}

// IsSigned tells whether somebody has signed the package.
func (h *Head) IsSigned() bool { return h.signature.has(signatureTags...) }

// Sign signs the header, which names the digest of the payload, in place of all
// signatures the package has. sign makes a binary detached OpenPGP signature of
// content whose SHA-512 has that state (encoding.BinaryMarshaler).
func (h *Head) Sign(sign func(state []byte) ([]byte, error)) error {
	state := sha512.New()
	state.Write(h.main.raw)
	seen, err := state.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return err
	}
	signature, err := sign(seen)
	if err != nil {
		return err
	}
	tag, err := signatureTag(signature)
	if err != nil {
		return err
	}
	h.signature, err = h.signature.with(Value{Tag: tag, kind: kindBinary, count: len(signature), data: signature})
	return err
}

// signatureTag is where rpm looks for a signature of that algorithm.
func signatureTag(signature []byte) (int, error) {
	p, err := packet.Read(bytes.NewReader(signature))
	if err != nil {
		return 0, fmt.Errorf("read our own signature: %w", err)
	}
	s, ok := p.(*packet.Signature)
	if !ok {
		return 0, fmt.Errorf("our own signature is a %T", p)
	}
	switch s.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly:
		return sigRSA, nil
	}
	return sigDSA, nil
}

// with is a signature header with another signature in place of those it has.
// The space that it reserves for one goes as well.
func (h *Header) with(signature Value) (*Header, error) {
	values := []Value{signature}
	for _, e := range h.entries {
		if e.tag == sigRegion || e.tag == sigReserved || slices.Contains(signatureTags, e.tag) {
			continue
		}
		data, err := h.bytesOf(e)
		if err != nil {
			return nil, err
		}
		values = append(values, Value{e.tag, e.kind, e.count, data})
	}
	slices.SortStableFunc(values, byTag)
	return readHeader(bytes.NewReader(writeHeader(values, sigRegion)), "signature", maxSignature)
}
