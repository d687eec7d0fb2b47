package storage

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// maxKey is the longest key in bytes. Backends that encrypt names grow them by half and stop at 255 a segment.
const maxKey = 128

// keyAlphabet holds the 32 characters of a key's random part: base32 without padding, in lower case, because some
// remotes fold case.
const keyAlphabet = "abcdefghijklmnopqrstuvwxyz234567"

// NewKey returns a key that was never used before: "b/xx/" and 26 characters that carry 130 random bits. xx are two
// hexadecimal digits, equally random, that spread the objects of directory-based remotes over 256 directories: few
// enough to be made soon after the start, many enough to keep millions of objects in directories of bearable size.
func NewKey() string {
	const hexDigits = "0123456789abcdef"
	var random [27]byte
	rand.Read(random[:]) // never fails
	key := make([]byte, 0, len("b/xx/")+26)
	key = append(key, 'b', '/', hexDigits[random[0]>>4], hexDigits[random[0]&15], '/')
	for _, b := range random[1:] {
		key = append(key, keyAlphabet[b%32])
	}
	return string(key)
}

// ValidKey reports whether key can be used with a Store: 1 to 128 bytes of [a-z0-9] segments joined by single slashes,
// the first of them not "tmp", which the local store keeps for unfinished files. Such keys mean the same on every
// remote, whatever it does to case, Unicode, dots or trailing slashes.
func ValidKey(key string) bool {
	if len(key) == 0 || len(key) > maxKey || key == "tmp" || strings.HasPrefix(key, "tmp/") {
		return false
	}
	previous := byte('/')
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '/' && previous != '/':
		default:
			return false
		}
		previous = key[i]
	}
	return previous != '/'
}

// checkKey returns ErrKey for an invalid key.
func checkKey(op, key string) error {
	if ValidKey(key) {
		return nil
	}
	return &failure{op: op, kind: ErrKey, err: fmt.Errorf("%.140q", key)}
}
