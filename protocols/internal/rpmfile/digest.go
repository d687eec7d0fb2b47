package rpmfile

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"
)

// CheckHeader compares the main header with the digests in the signature.
// Error: Invalid.
func (h *Head) CheckHeader() error {
	f := fields{h: h.signature}
	for _, digest := range []struct {
		tag int
		new func() hash.Hash
	}{{sigSHA1, sha1.New}, {sigSHA256, sha256.New}} {
		want := f.text(digest.tag)
		if want == "" {
			continue
		}
		sum := digest.new()
		sum.Write(h.main.raw)
		if !strings.EqualFold(hex.EncodeToString(sum.Sum(nil)), want) {
			return badPackage("its header does not have the digest that is written beside it; was it damaged?")
		}
	}
	return f.err
}

// Payload reads the payload and compares it with the digest in the header, if
// there is one.
type Payload struct {
	io.Reader
	want string
	sum  hash.Hash
}

// Payload reads the payload, which follows the head, from r.
func (h *Head) Payload(r io.Reader) (*Payload, error) {
	f := fields{h: h.main}
	p := &Payload{Reader: r}
	if f.number(tagPayloadAlgo) == payloadIsSHA256 {
		p.want = f.text(tagPayloadDigest)
	}
	if p.want != "" {
		p.sum = sha256.New()
		p.Reader = io.TeeReader(r, p.sum)
	}
	return p, f.err
}

// Check is asked after everything was read. Error: Invalid.
func (p *Payload) Check() error {
	if p.sum != nil && !strings.EqualFold(hex.EncodeToString(p.sum.Sum(nil)), p.want) {
		return badPackage("its payload does not have the digest that its header names; was it cut off?")
	}
	return nil
}
