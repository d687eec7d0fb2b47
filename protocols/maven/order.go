package maven

import (
	"encoding/hex"
	"slices"
	"strings"
)

// maxSortKey bounds sort keys, in characters; versions that differ only beyond
// it sort as equal.
const maxSortKey = 512

// sortKey is a text whose order is that of Maven's versions
// (https://maven.apache.org/pom.html#version-order-specification), and tells
// whether the version has a qualifier that comes before the release.
//
// Maven cuts a version into numbers and qualifiers. A dot stays within a list
// of them; a hyphen, a change between digits and letters, and any qualifier
// open a new list that is the last element of the one before. Two versions are
// compared element by element, where at each place
//
//	qualifiers before the release < the end < later qualifiers < lists < numbers
//
// and a list is before the end when what it begins with is. The key writes
// down the elements with marks in that order.
func sortKey(version string) (key string, prerelease bool) {
	lists := normalize(parseLists(strings.ToLower(version)))
	var b []byte
	for i, list := range lists {
		if i > 0 {
			b = append(b, openingMark(lists[i:]))
		}
		for _, e := range list {
			b = e.appendTo(b)
			prerelease = prerelease || e.isQualifier() && e.rank() < rankRelease
		}
	}
	key = hex.EncodeToString(append(b, markEnd))
	return key[:min(len(key), maxSortKey)], prerelease
}

// The marks stand before the elements of a key.
const (
	markEarly     = 0x04 // a qualifier before the release
	markEarlyList = 0x10
	markEnd       = 0x20
	markLate      = 0x28 // any other qualifier
	markLateList  = 0x30
	markNumber    = 0x40
)

// element is a number, or a qualifier in lower case.
type element struct {
	text string
	// short tells that a digit follows at once: "a1" is "alpha1" then.
	short bool
}

func (e element) isQualifier() bool { return e.text != "" && !isDigit(e.text[0]) }

// The ranks of qualifiers.
const (
	rankRelease = 6
	rankUnknown = 8
)

var ranks = map[string]byte{
	"alpha": 1, "beta": 2, "milestone": 3, "rc": 4, "cr": 4, "snapshot": 5,
	"ga": rankRelease, "final": rankRelease, "release": rankRelease,
	"sp": 7,
}

var shortQualifiers = map[string]string{"a": "alpha", "b": "beta", "m": "milestone"}

func (e element) rank() byte {
	text := e.text
	if long, ok := shortQualifiers[text]; ok && e.short {
		text = long
	}
	if rank, ok := ranks[text]; ok {
		return rank
	}
	return rankUnknown
}

// isNull tells whether the element is as good as none: 1.0 is 1, and so is
// 1-ga.
func (e element) isNull() bool {
	if e.isQualifier() {
		return e.rank() == rankRelease
	}
	return strings.Trim(e.text, "0") == ""
}

func (e element) appendTo(b []byte) []byte {
	if !e.isQualifier() {
		digits := strings.TrimLeft(e.text, "0")
		b = append(b, markNumber, byte(min(len(digits), 255)))
		return append(b, digits...)
	}
	rank := e.rank()
	if rank < rankRelease {
		return append(b, markEarly, rank)
	}
	b = append(b, markLate, rank)
	if rank == rankUnknown {
		b = append(append(b, e.text...), 0)
	}
	return b
}

// openingMark is the mark of a list, by the first element in it or in the
// lists within.
func openingMark(lists [][]element) byte {
	for _, list := range lists {
		if len(list) == 0 {
			continue
		}
		if list[0].isQualifier() && list[0].rank() < rankRelease {
			return markEarlyList
		}
		break
	}
	return markLateList
}

// parseLists cuts a version up. Each list is the last element of the one
// before it.
func parseLists(version string) [][]element {
	lists := [][]element{nil}
	add := func(e element) { lists[len(lists)-1] = append(lists[len(lists)-1], e) }
	open := func() { lists = append(lists, nil) }
	start, digits := 0, false
	// flush adds what has been read up to end.
	flush := func(end int, short bool) {
		e := element{version[start:end], short}
		if e.isQualifier() && !e.isNull() && len(lists[len(lists)-1]) > 0 {
			open() // 1.x is 1-x
		}
		add(e)
	}
	for i := range len(version) {
		c := version[i]
		switch {
		case c == '.' || c == '-':
			flush(i, false)
			start = i + 1
			if c == '-' {
				open()
			}
		case isDigit(c) != digits && i > start:
			flush(i, isDigit(c))
			open()
			start, digits = i, isDigit(c)
		default:
			digits = isDigit(c)
		}
	}
	if start < len(version) {
		flush(len(version), false)
	}
	return lists
}

// normalize takes away, from each list, what is as good as nothing at its end,
// and lists that are empty then and hold no other.
func normalize(lists [][]element) [][]element {
	for i, list := range slices.Backward(lists) {
		n := len(list)
		for n > 0 && list[n-1].isNull() {
			n--
		}
		lists[i] = list[:n]
		if n == 0 && i == len(lists)-1 && i > 0 {
			lists = lists[:i]
		}
	}
	return lists
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
