package container

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"

	"entrepot/registry"
	"entrepot/storage"
)

// The grammars are the specification's, section "Pulling manifests".
var (
	namePattern = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagPattern  = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
)

// maxReference is the longest host and repository name in bytes, the slash
// between them included, that clients handle.
const maxReference = 255

// checkName tells whether a repository can have this name. The owner may be
// written in any case; clients write it in lower case.
func checkName(host, owner, image string) error {
	if !namePattern.MatchString(image) {
		return fault(http.StatusBadRequest, nameInvalid,
			"%q cannot be the name of an image: use lower-case letters and digits, with . _ - between them and / between the parts", image)
	}
	if !namePattern.MatchString(strings.ToLower(owner)) {
		return fault(http.StatusBadRequest, nameInvalid, "the owner's name %q cannot be part of an image's name", owner)
	}
	if n := len(host) + len(owner) + len(image) + 2; n > maxReference {
		return fault(http.StatusBadRequest, nameInvalid, "the name has %d bytes with the host; clients handle %d", n, maxReference)
	}
	return nil
}

// checkTag tells whether a tag can have this name.
func checkTag(name string) error {
	if !tagPattern.MatchString(name) {
		return registry.FieldErrorf("tag", "%q is not a tag: use at most 128 letters, digits and _ . -, the first no . or -", name)
	}
	return nil
}

// parseDigest reads a digest. SHA-256 and SHA-512 are known, in lower case.
func parseDigest(text string) (digest.Digest, error) {
	d, err := digest.Parse(text)
	if err != nil || d.Algorithm() != digest.SHA256 && d.Algorithm() != digest.SHA512 {
		return "", fault(http.StatusBadRequest, digestInvalid, "%q is not a digest: use sha256: or sha512: and lower-case hexadecimal digits", text)
	}
	return d, nil
}

// isDigest tells whether a reference is a digest rather than a tag.
func isDigest(reference string) bool { return strings.Contains(reference, ":") }

// algorithm is what storage must compute for a digest to be compared.
func algorithm(d digest.Digest) storage.Algorithm {
	if isSHA512(d) {
		return storage.SHA512
	}
	return storage.SHA256
}

// isSHA512 tells whether the digest is one of SHA-512. No digest at all means
// SHA-256.
func isSHA512(d digest.Digest) bool { return strings.HasPrefix(string(d), "sha512:") }

// sumOf is the sum the digest is compared with.
func sumOf(sums storage.Sums, like digest.Digest) digest.Digest {
	if isSHA512(like) {
		return digest.NewDigestFromEncoded(digest.SHA512, sums.SHA512)
	}
	return digest.NewDigestFromEncoded(digest.SHA256, sums.SHA256)
}
