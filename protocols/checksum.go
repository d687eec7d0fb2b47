package protocols

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"entrepot/ent"
	"entrepot/registry"
	"entrepot/storage"
)

// Checksums are the digests to store of files that have side files.
const Checksums = storage.MD5 | storage.SHA1 | storage.SHA256 | storage.SHA512

// checksums are the algorithms of side files, by the end of the side file's
// name.
var checksums = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New,
}

// maxChecksum is the longest side file in bytes: the digest, and the file's
// name and path behind it as sha1sum writes them.
const maxChecksum = 8 << 10

// CutChecksum takes the name of a side file apart: "a.jar.sha1" is the sha1 of
// "a.jar". It reports false for any other name.
func CutChecksum(file string) (of, algorithm string, ok bool) {
	dot := strings.LastIndexByte(file, '.')
	if dot <= 0 || checksums[file[dot+1:]] == nil {
		return "", "", false
	}
	return file[:dot], file[dot+1:], true
}

// NewChecksum returns the hash of an algorithm that CutChecksum has told.
func NewChecksum(algorithm string) hash.Hash { return checksums[algorithm]() }

// ReadChecksum reads an uploaded side file: its first word is the digest in
// hexadecimal, returned in lower case. Errors: Invalid for anything else,
// TooLarge.
func ReadChecksum(body io.Reader, algorithm string) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxChecksum+1))
	if err != nil {
		return "", registry.Errorf(registry.Invalid, "the body broke off: %v", err)
	}
	if len(raw) > maxChecksum {
		return "", registry.Errorf(registry.TooLarge, "a checksum file has at most %d bytes", maxChecksum)
	}
	word := ""
	if words := strings.Fields(string(raw)); len(words) > 0 {
		word = strings.ToLower(words[0])
	}
	sum, err := hex.DecodeString(word)
	if err != nil || len(sum) != NewChecksum(algorithm).Size() {
		return "", registry.Errorf(registry.Invalid, "the body is not a %s in hexadecimal", algorithm)
	}
	return word, nil
}

// Checksum is a blob's digest: read from its row or, for content stored
// without it, computed from its bytes.
func (r *Request) Checksum(b *ent.PackageBlob, algorithm string) (string, error) {
	known := map[string]string{"md5": b.Md5, "sha1": b.Sha1, "sha256": b.Sha256, "sha512": b.Sha512}[algorithm]
	if known != "" {
		return known, nil
	}
	body, err := r.Registry.OpenBlob(r.Context(), b)
	if err != nil {
		return "", err
	}
	defer body.Close()
	h := NewChecksum(algorithm)
	if _, err := io.Copy(h, body); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// ServeChecksum answers with a digest and nothing else, not even an end of
// line: some clients compare the whole body.
func ServeChecksum(w http.ResponseWriter, r *Request, sum string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Length", strconv.Itoa(len(sum)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		io.WriteString(w, sum) // the client has it or is gone
	}
}
