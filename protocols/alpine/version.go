package alpine

import (
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
)

// https://wiki.alpinelinux.org/wiki/APKBUILD_Reference#pkgver, and the hash of
// a commit that apk has known since.
var wholeVersion = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)(~[0-9a-f]+)?(?:-r([0-9]+))?$`)

const maxVersion = 128

func checkVersion(version string) error {
	switch {
	case len(version) > maxVersion:
		return errors.New("it is too long")
	case !wholeVersion.MatchString(version):
		return errors.New("want numbers with dots between them, then maybe a letter, suffixes such as _rc1 or _p1, ~hash and -r with a number")
	}
	return nil
}

// suffixes are in their order; those of what is not finished, before
// firstFinished, come before the version without any.
var suffixes = []string{"alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"}

// firstFinished is the place of the first of those that come after.
const firstFinished = 4

// What can follow at a place of a version, lowest first: more of a version is
// greater, but for suffixes of what is not finished, and what belongs further
// to the front is greater than what belongs to the end.
const (
	orderUnfinished = iota
	orderEnd
	orderRelease
	orderHash
	orderSuffixNumber
	orderSuffix
	orderLetter
	orderNumber
)

// maxSortKey is how long a key may be; what differs beyond sorts as equal.
const maxSortKey = 512

// sortKey is a text in whose order apk has the versions. It is empty for what
// is no version.
func sortKey(version string) string {
	m := wholeVersion.FindStringSubmatch(version)
	if m == nil {
		return ""
	}
	var k []byte
	for i, number := range strings.Split(m[1], ".") {
		k = append(k, orderNumber)
		if i > 0 && number[0] == '0' {
			// As with the digits of a fraction: 1.05 is before 1.5.
			k = append(append(append(k, 0), number...), 0)
			continue
		}
		k = appendNumber(append(k, 1), number)
	}
	if m[2] != "" {
		k = append(k, orderLetter, m[2][0])
	}
	for _, suffix := range strings.Split(m[3], "_")[1:] {
		word := strings.TrimRight(suffix, "0123456789")
		kind := byte(orderSuffix)
		at := byte(0)
		for i, s := range suffixes {
			if s == word {
				at = byte(i)
			}
		}
		if at < firstFinished {
			kind = orderUnfinished
		}
		k = append(k, kind, at)
		if number := suffix[len(word):]; number != "" {
			k = appendNumber(append(k, orderSuffixNumber), number)
		}
	}
	if m[4] != "" {
		k = append(append(append(k, orderHash), m[4][1:]...), 0)
	}
	if m[5] != "" {
		k = appendNumber(append(k, orderRelease), m[5])
	}
	key := hex.EncodeToString(append(k, orderEnd))
	return key[:min(len(key), maxSortKey)]
}

// isPrerelease tells whether a version is one of what is not finished.
func isPrerelease(version string) bool {
	m := wholeVersion.FindStringSubmatch(version)
	if m == nil {
		return false
	}
	for _, word := range suffixes[:firstFinished] {
		if strings.HasPrefix(m[3], "_"+word) {
			return true
		}
	}
	return false
}

// appendNumber appends a number of any length: how many digits it has, and
// the digits.
func appendNumber(k []byte, digits string) []byte {
	digits = strings.TrimLeft(digits, "0")
	return append(append(k, byte(min(len(digits), 255))), digits...)
}
