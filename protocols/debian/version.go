package debian

import (
	"encoding/hex"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// https://www.debian.org/doc/debian-policy/ch-controlfields.html#version
var (
	upstream = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+~\-]*$`)
	revision = regexp.MustCompile(`^[A-Za-z0-9.+~]+$`)
)

const maxVersion = 200

// splitVersion takes a version apart: what stands before the first colon is
// the epoch, what stands behind the last hyphen the revision.
func splitVersion(version string) (epoch, up, rev string) {
	epoch, up, hasEpoch := strings.Cut(version, ":")
	if !hasEpoch {
		epoch, up = "", version
	}
	if i := strings.LastIndexByte(up, '-'); i >= 0 {
		up, rev = up[:i], up[i+1:]
	}
	return epoch, up, rev
}

// checkVersion tells what is wrong with a version.
func checkVersion(version string) error {
	epoch, up, rev := splitVersion(version)
	switch {
	case len(version) > maxVersion:
		return errors.New("it is too long")
	case strings.Contains(version, ":") && !validEpoch(epoch):
		return errors.New("its epoch is not a small number")
	case !upstream.MatchString(up):
		return errors.New("what comes before the revision begins with a digit, and has letters, digits and .+~- alone")
	case strings.Contains(version, "-") && !revision.MatchString(rev):
		return errors.New("its revision has letters, digits and .+~ alone")
	}
	return nil
}

func validEpoch(epoch string) bool {
	n, err := strconv.ParseInt(epoch, 10, 32)
	return err == nil && n >= 0 && strconv.FormatInt(n, 10) == epoch
}

// maxSortKey is how long a key may be; what differs beyond sorts as equal.
const maxSortKey = 512

// sortKey is a text in whose order dpkg has the versions: by the epoch, then
// what is upstream's, then the revision.
func sortKey(version string) string {
	epoch, up, rev := splitVersion(version)
	k := appendNumber(nil, epoch)
	k = appendOrdered(k, up)
	k = appendOrdered(k, rev)
	key := hex.EncodeToString(k)
	return key[:min(len(key), maxSortKey)]
}

// The order within a run without digits: a tilde before the end, the end
// before letters, letters before all else.
const (
	orderTilde = 0x01
	orderEnd   = 0x02
	orderOther = 0x80
)

// appendOrdered appends a part of a version: runs without digits and numbers
// in turn, and an empty pair that ends it.
func appendOrdered(k []byte, part string) []byte {
	if strings.Trim(part, "0") == "" {
		part = "" // no revision is the revision 0
	}
	for part != "" {
		n := 0
		for n < len(part) && !isDigit(part[n]) {
			k = append(k, order(part[n]))
			n++
		}
		k = append(k, orderEnd)
		part = part[n:]
		n = 0
		for n < len(part) && isDigit(part[n]) {
			n++
		}
		k = appendNumber(k, part[:n])
		part = part[n:]
	}
	return append(k, orderEnd, 0)
}

// appendNumber appends a number of any length: how many digits it has, and
// the digits.
func appendNumber(k []byte, digits string) []byte {
	digits = strings.TrimLeft(digits, "0")
	return append(append(k, byte(min(len(digits), 255))), digits...)
}

func order(c byte) byte {
	switch {
	case c == '~':
		return orderTilde
	case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
		return c
	}
	return orderOther + c&0x7f
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
