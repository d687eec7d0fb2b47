package generic

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"

	"entrepot/registry"
	"entrepot/storage"
)

// announced are the digests a client sent along with a file, in hexadecimal.
type announced struct{ sha256, sha512, sha1, md5 string }

// parseDigests reads the headers by which clients announce digests:
// Repr-Digest and Content-Digest (RFC 9530), Digest (RFC 3230), Content-MD5
// (RFC 1864) and X-Checksum-*. Algorithms not known here are passed over; a
// digest that cannot be read is Invalid.
func parseDigests(h http.Header) (announced, error) {
	var a announced
	for _, name := range []string{"Repr-Digest", "Content-Digest"} {
		for item := range strings.SplitSeq(strings.Join(h.Values(name), ","), ",") {
			algorithm, value, _ := strings.Cut(strings.TrimSpace(item), "=")
			value, _, _ = strings.Cut(value, ";")
			inner, ok := strings.CutPrefix(strings.TrimSpace(value), ":")
			inner, closed := strings.CutSuffix(inner, ":")
			if err := a.setBase64(name, algorithm, inner, ok && closed); err != nil {
				return a, err
			}
		}
	}
	for item := range strings.SplitSeq(strings.Join(h.Values("Digest"), ","), ",") {
		algorithm, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		if err := a.setBase64("Digest", algorithm, value, true); err != nil {
			return a, err
		}
	}
	if value := h.Get("Content-MD5"); value != "" {
		if err := a.setBase64("Content-MD5", "md5", value, true); err != nil {
			return a, err
		}
	}
	for _, name := range []string{"Md5", "Sha1", "Sha256", "Sha512"} {
		if value := h.Get("X-Checksum-" + name); value != "" {
			sum, err := hex.DecodeString(value)
			if err := a.set("X-Checksum-"+name, strings.ToLower(name), sum, err == nil); err != nil {
				return a, err
			}
		}
	}
	return a, nil
}

func (a *announced) setBase64(header, algorithm, value string, wellFormed bool) error {
	if algorithm == "" && value == "" {
		return nil
	}
	sum, err := base64.StdEncoding.DecodeString(value)
	return a.set(header, strings.ReplaceAll(strings.ToLower(algorithm), "-", ""), sum, wellFormed && err == nil)
}

func (a *announced) set(header, algorithm string, sum []byte, wellFormed bool) error {
	field, length := a.field(algorithm)
	if field == nil {
		return nil
	}
	if !wellFormed || len(sum) != length {
		return registry.FieldErrorf(header, "the digest in %s cannot be read", header)
	}
	text := hex.EncodeToString(sum)
	if *field != "" && *field != text {
		return registry.FieldErrorf(header, "the request announces two different %s digests", algorithm)
	}
	*field = text
	return nil
}

func (a *announced) field(algorithm string) (field *string, length int) {
	switch algorithm {
	case "sha256":
		return &a.sha256, 32
	case "sha512":
		return &a.sha512, 64
	case "sha", "sha1":
		return &a.sha1, 20
	case "md5":
		return &a.md5, 16
	}
	return nil, 0
}

// needs is the digest that must be computed beside the usual ones.
func (a announced) needs() storage.Algorithm {
	if a.sha1 != "" {
		return storage.SHA1
	}
	return 0
}

// check compares what was announced with what arrived.
func (a announced) check(c *registry.Stored) error {
	for _, d := range []struct{ algorithm, want, got string }{
		{"sha-256", a.sha256, c.Sums.SHA256}, {"sha-512", a.sha512, c.Sums.SHA512},
		{"sha-1", a.sha1, c.Sums.SHA1}, {"md5", a.md5, c.Sums.MD5},
	} {
		if d.want != "" && d.want != d.got {
			return registry.Errorf(registry.Mismatch, "the body's %s is %s, not %s as announced", d.algorithm, d.got, d.want)
		}
	}
	return nil
}
