package rpm

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"
)

// checkHeader compares the main header with the digests in the signature.
func (h *head) checkHeader() error {
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

// payload reads the payload and compares it with the digest in the header, if
// there is one.
type payload struct {
	io.Reader
	want string
	sum  hash.Hash
}

func (h *head) payload(r io.Reader) (*payload, error) {
	f := fields{h: h.main}
	p := &payload{Reader: r}
	if f.number(tagPayloadAlgo) == payloadIsSHA256 {
		p.want = f.text(tagPayloadDigest)
	}
	if p.want != "" {
		p.sum = sha256.New()
		p.Reader = io.TeeReader(r, p.sum)
	}
	return p, f.err
}

// check is asked after everything was read.
func (p *payload) check() error {
	if p.sum != nil && !strings.EqualFold(hex.EncodeToString(p.sum.Sum(nil)), p.want) {
		return badPackage("its payload does not have the digest that its header names; was it cut off?")
	}
	return nil
}
