package rpm

import (
	"bytes"
	"cmp"
	"crypto/sha512"
	"encoding"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"entrepot/protocols"
)

// signatureTags are those of signatures, of the header or of all.
var signatureTags = []int{sigDSA, sigRSA, sigOpenPGP, sigPGP, sigGPG}

// isSigned tells whether somebody has signed the package.
func (h *head) isSigned() bool { return h.signature.has(signatureTags...) }

// sign signs the header, which names the digest of the payload, with the
// owner's key, in place of all signatures the package has.
func (h *head) sign(r *protocols.Request) error {
	state := sha512.New()
	state.Write(h.main.raw)
	seen, err := state.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return err
	}
	signature, err := r.Space.SignState(r.Context(), seen)
	if err != nil {
		return err
	}
	tag, err := signatureTag(signature)
	if err != nil {
		return err
	}
	h.signature, err = h.signature.with(value{tag: tag, kind: kindBinary, count: len(signature), data: signature})
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

// value is a tag with its values as they lie in a header.
type value struct {
	tag, kind, count int
	data             []byte
}

// with is a signature header with another signature in place of those it has.
// The space that it reserves for one goes as well.
func (h *header) with(signature value) (*header, error) {
	values := []value{signature}
	for _, e := range h.entries {
		if e.tag == sigRegion || e.tag == sigReserved || slices.Contains(signatureTags, e.tag) {
			continue
		}
		data, err := h.bytesOf(e)
		if err != nil {
			return nil, err
		}
		values = append(values, value{e.tag, e.kind, e.count, data})
	}
	slices.SortStableFunc(values, func(a, b value) int { return cmp.Compare(a.tag, b.tag) })
	return readHeader(bytes.NewReader(writeSignature(values)), "signature", maxSignature)
}

// writeSignature writes a signature header: its values, and first of all the
// region, which says that all of them belong together. What tells so stands at
// the end of the data, and looks like an entry itself.
func writeSignature(values []value) []byte {
	var index, data bytes.Buffer
	add := func(b *bytes.Buffer, numbers ...int) {
		for _, n := range numbers {
			b.Write(binary.BigEndian.AppendUint32(nil, uint32(int32(n))))
		}
	}
	for _, v := range values {
		// Numbers lie at multiples of their width.
		for data.Len()%max(widths[v.kind], 1) != 0 {
			data.WriteByte(0)
		}
		add(&index, v.tag, v.kind, data.Len(), v.count)
		data.Write(v.data)
	}
	count := len(values) + 1
	region := data.Len()
	add(&data, sigRegion, kindBinary, -count*entrySize, entrySize)

	var all bytes.Buffer
	all.Write(headerMagic)
	add(&all, 0, count, data.Len())
	add(&all, sigRegion, kindBinary, region, entrySize)
	all.Write(index.Bytes())
	all.Write(data.Bytes())
	return all.Bytes()
}
