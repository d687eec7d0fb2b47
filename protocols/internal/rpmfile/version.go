package rpmfile

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// maxSortKey is how long a key may be; what differs beyond sorts as equal.
const maxSortKey = 512

// SortKey is a text in whose order rpm has the versions: by the epoch, then
// the version, then the release.
func (i Identity) SortKey() string {
	k := binary.BigEndian.AppendUint32(nil, uint32(i.Epoch))
	k = appendOrdered(k, i.Version)
	k = appendOrdered(k, i.Release)
	key := hex.EncodeToString(k)
	return key[:min(len(key), maxSortKey)]
}

// What may come next in a version, in its order: a tilde before the end, the
// end before a caret, then letters, then numbers.
const (
	orderTilde  = 0x01
	orderEnd    = 0x02
	orderCaret  = 0x03
	orderText   = 0x04
	orderNumber = 0x05
)

// appendOrdered appends the runs of letters and of digits of a version, and a
// mark that ends it. All other characters only divide runs.
//
// https://rpm.org/docs/latest/man/rpm-version.7
func appendOrdered(k []byte, part string) []byte {
	for part != "" {
		c, n := part[0], 1
		switch {
		case c == '~':
			k = append(k, orderTilde)
		case c == '^':
			k = append(k, orderCaret)
		case isDigit(c):
			for n < len(part) && isDigit(part[n]) {
				n++
			}
			digits := strings.TrimLeft(part[:n], "0")
			k = append(append(k, orderNumber, byte(min(len(digits), 255))), digits...)
		case isLetter(c):
			for n < len(part) && isLetter(part[n]) {
				n++
			}
			k = append(append(append(k, orderText), part[:n]...), 0)
		}
		part = part[n:]
	}
	return append(k, orderEnd)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
