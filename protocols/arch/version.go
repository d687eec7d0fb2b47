package arch

import (
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
)

// https://man.archlinux.org/man/PKGBUILD.5: pkgver has neither colon, slash,
// hyphen nor blank; what a package says is [epoch:]pkgver-pkgrel.
var wholeVersion = regexp.MustCompile(`^(?:[0-9]+:)?[!-,.0-9;-~]+-[0-9]+(?:\.[0-9]+)?$`)

const maxVersion = 200

func checkVersion(version string) error {
	switch {
	case len(version) > maxVersion:
		return errors.New("it is too long")
	case !wholeVersion.MatchString(version):
		return errors.New("want [epoch:]pkgver-pkgrel, where pkgver has neither colon, slash, hyphen nor blank, and pkgrel is a number")
	}
	return nil
}

// splitVersion takes a version apart; no epoch is the epoch 0.
func splitVersion(version string) (epoch, pkgver, pkgrel string) {
	epoch, rest, ok := strings.Cut(version, ":")
	if !ok {
		epoch, rest = "0", version
	}
	pkgver, pkgrel, _ = cutLast(rest, "-")
	return epoch, pkgver, pkgrel
}

// maxSortKey is how long a key may be; what differs beyond sorts as equal.
const maxSortKey = 512

// sortKey is a text in whose order pacman has the versions (vercmp(8)): by the
// epoch, then pkgver, then pkgrel.
func sortKey(version string) string {
	epoch, pkgver, pkgrel := splitVersion(version)
	k := appendOrdered(nil, epoch)
	k = appendOrdered(k, pkgver)
	k = appendOrdered(k, pkgrel)
	key := hex.EncodeToString(k)
	return key[:min(len(key), maxSortKey)]
}

// What can follow at a place of a version, lowest first, all of them after the
// number of separators in front: 1.0a is before 1.0, and that before 1.0.a and
// 1.0.1. That separators at the end are a step of their own follows vercmp as
// far as an order can: it is not transitive there.
const (
	orderLetters = iota
	orderEnd
	orderNumber
	orders
)

// maxSeparators is how many separators in a row are told apart.
const maxSeparators = 255/orders - 1

// appendOrdered appends a part of a version: runs of letters and of digits,
// each with the separators that stand in front of it.
func appendOrdered(k []byte, part string) []byte {
	for {
		separators := run(part, func(c byte) bool { return !isDigit(c) && !isLetter(c) })
		part = part[separators:]
		step := byte(min(separators, maxSeparators) * orders)
		switch {
		case part == "":
			return append(k, step+orderEnd)
		case isDigit(part[0]):
			n := run(part, isDigit)
			k = appendNumber(append(k, step+orderNumber), part[:n])
			part = part[n:]
		default:
			n := run(part, isLetter)
			k = append(append(append(k, step+orderLetters), part[:n]...), 0)
			part = part[n:]
		}
	}
}

// appendNumber appends a number of any length: how many digits it has, and
// the digits.
func appendNumber(k []byte, digits string) []byte {
	digits = strings.TrimLeft(digits, "0")
	return append(append(k, byte(min(len(digits), 255))), digits...)
}

// run is how many bytes from the first on are of the kind.
func run(text string, kind func(byte) bool) int {
	n := 0
	for n < len(text) && kind(text[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
