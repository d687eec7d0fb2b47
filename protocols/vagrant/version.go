package vagrant

import (
	"encoding/hex"
	"regexp"
	"strings"

	"entrepot/registry"
)

const maxVersion = 128

// versionPattern is what Gem::Version takes: the client makes one of every
// version of the document, and can use none of them when one is no good.
var (
	versionPattern = regexp.MustCompile(`^[0-9]+(\.[0-9A-Za-z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)
	segmentPattern = regexp.MustCompile(`[0-9]+|[A-Za-z]+`)
)

// version is a version as RubyGems has it
// (https://guides.rubygems.org/patterns/#semantic-versioning): numbers and
// words in turn. Words make a prerelease.
type version struct {
	text string
	// segments are the numbers, without leading zeros, and the words, without
	// the zeros that do not count.
	segments []string
	// canonical is the same for versions that are equal.
	canonical string
}

// parseVersion reads a version. Error: Invalid.
func parseVersion(text string) (version, error) {
	if len(text) > maxVersion || !versionPattern.MatchString(text) {
		return version{}, registry.FieldErrorf("version", "invalid version %.200q: the client only reads versions such as 1.0.0 or 20240101.0.0-rc.1, without v and build metadata, of at most %d bytes", text, maxVersion)
	}
	var numbers, rest []string
	for _, segment := range segmentPattern.FindAllString(strings.ReplaceAll(text, "-", ".pre."), -1) {
		if isNumber(segment) {
			if segment = strings.TrimLeft(segment, "0"); segment == "" {
				segment = "0"
			}
		}
		if len(rest) == 0 && isNumber(segment) {
			numbers = append(numbers, segment)
		} else {
			rest = append(rest, segment)
		}
	}
	v := version{text: text, segments: append(trimZeros(numbers), trimZeros(rest)...)}
	v.canonical = strings.Join(v.segments, ".")
	if v.canonical == "" {
		v.canonical = "0"
	}
	return v, nil
}

// trimZeros leaves out the zeros at the end.
func trimZeros(segments []string) []string {
	for len(segments) > 0 && segments[len(segments)-1] == "0" {
		segments = segments[:len(segments)-1]
	}
	return segments
}

func isNumber(segment string) bool { return segment[0] <= '9' }

// prerelease tells whether the version is one.
func (v version) prerelease() bool {
	for _, segment := range v.segments {
		if !isNumber(segment) {
			return true
		}
	}
	return false
}

// The marks stand before the segments of a sort key.
//
// A version goes on with zeros for ever, and a word is less than a zero, a zero
// less than any other number. So of two versions that are the same up to
// here, with some zeros next, one with a word after the zeros is the less the
// fewer they are, and one with a number the greater the fewer they are. A
// version that ends here lies between them.
const (
	markWord   = 0x01 // and the number of zeros before it
	markEnd    = 0x7f
	markNumber = 0xfe // less the number of zeros before it
)

// sortKey is a text whose order is that of the versions.
func (v version) sortKey() string {
	var key []byte
	zeros := byte(0) // at most maxVersion/2
	for _, segment := range v.segments {
		switch {
		case segment == "0":
			zeros++
			continue
		case isNumber(segment):
			key = append(key, markNumber-zeros, byte(len(segment)))
			key = append(key, segment...)
		default:
			key = append(key, markWord+zeros)
			key = append(key, segment...)
			key = append(key, 0)
		}
		zeros = 0
	}
	return hex.EncodeToString(append(key, markEnd))
}
