package npm

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// checkIntegrity holds a stored tarball against what the publisher says of it:
// the subresource integrity string, https://www.w3.org/TR/SRI/, or else the
// SHA-1 in hexadecimal; each may be "". Every digest of an algorithm known
// here must be right, and one at least must be known. Error: Invalid.
func checkIntegrity(r *protocols.Request, content *registry.Stored, integrity, shasum string) error {
	if strings.TrimSpace(integrity) == "" {
		if shasum != "" && !strings.EqualFold(shasum, content.Sums.SHA1) {
			return wrongDigest("shasum", shasum, content.Sums.SHA1)
		}
		return nil
	}
	known := false
	for item := range strings.FieldsSeq(integrity) {
		item, _, _ = strings.Cut(item, "?")
		algorithm, want, _ := strings.Cut(item, "-")
		got, err := digestOf(r, content, algorithm)
		if err != nil {
			return err
		}
		if got == "" {
			continue
		}
		known = true
		if want != got {
			return wrongDigest("integrity", item, algorithm+"-"+got)
		}
	}
	if !known {
		return registry.FieldErrorf("dist.integrity", "dist.integrity %.200q names no algorithm out of sha512, sha384, sha256 and sha1", integrity)
	}
	return nil
}

func wrongDigest(field, want, got string) error {
	return registry.FieldErrorf("dist."+field, "dist.%s is %.200q, but the tarball's is %s", field, want, got)
}

// digestOf is a digest of the content in base64, or "" for an algorithm not
// known here.
func digestOf(r *protocols.Request, content *registry.Stored, algorithm string) (string, error) {
	switch algorithm {
	case "sha512":
		return toBase64(content.Sums.SHA512), nil
	case "sha256":
		return toBase64(content.Sums.SHA256), nil
	case "sha1":
		return toBase64(content.Sums.SHA1), nil
	case "sha384":
		// Hardly anybody sends it, so it is not worth computing for all.
		bytes := r.Registry.OpenParts(r.Context(), []storage.Part{{Key: content.Key, Size: content.Size}})
		defer bytes.Close()
		h := sha512.New384()
		if _, err := io.Copy(h, bytes); err != nil {
			return "", fmt.Errorf("read the tarball back: %w", err)
		}
		return base64.StdEncoding.EncodeToString(h.Sum(nil)), nil
	}
	return "", nil
}

// toBase64 writes a hexadecimal digest in base64.
func toBase64(digest string) string {
	raw, err := hex.DecodeString(digest)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}
