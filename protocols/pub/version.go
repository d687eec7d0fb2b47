package pub

import (
	"encoding/hex"
	"regexp"
	"strings"
)

const (
	maxVersion = 64
	// maxDigits is the longest number in a version: the client reads numbers
	// of 64 bits.
	maxDigits = 18
)

var versionPattern = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$`)

// version is a version as pub has it: that of Semantic Versioning 2.0.0, but
// build metadata counts.
type version struct {
	numbers    [3]string
	prerelease []string
	build      []string
}

// parseVersion reads a version. Numbers have no leading zeros, so that each
// version has one spelling.
func parseVersion(text string) (version, bool) {
	if len(text) > maxVersion {
		return version{}, false
	}
	m := versionPattern.FindStringSubmatch(text)
	if m == nil {
		return version{}, false
	}
	v := version{numbers: [3]string(m[1:4]), prerelease: identifiers(m[4]), build: identifiers(m[5])}
	for _, list := range [][]string{v.numbers[:], v.prerelease, v.build} {
		for _, identifier := range list {
			if isNumber(identifier) && (len(identifier) > maxDigits || len(identifier) > 1 && identifier[0] == '0') {
				return version{}, false
			}
		}
	}
	return v, true
}

func identifiers(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ".")
}

func isNumber(identifier string) bool { return strings.Trim(identifier, "0123456789") == "" }

// The marks stand between the parts of a sort key. Their order is the order of
// what they stand for: a list that ends before one that goes on, a number
// before a text, a prerelease before its release, and a version before those
// built from it.
const (
	markEnd        = 0x01
	markPrerelease = 0x10
	markPlain      = 0x18
	markNumber     = 0x20
	markText       = 0x30
	markRelease    = 0x40
	markBuild      = 0x50
)

// sortKey is a text whose order is that of the versions: the precedence of
// Semantic Versioning 2.0.0, section 11, and then build metadata, none first,
// else compared as prereleases are. It has at most 450 characters.
func (v version) sortKey() string {
	var key []byte
	number := func(digits string) {
		key = append(key, byte(len(digits)))
		key = append(key, digits...)
	}
	list := func(mark byte, identifiers []string) {
		key = append(key, mark)
		for _, identifier := range identifiers {
			if isNumber(identifier) {
				key = append(key, markNumber)
				number(identifier)
			} else {
				key = append(key, markText)
				key = append(key, identifier...)
				key = append(key, 0)
			}
		}
		key = append(key, markEnd)
	}
	for _, n := range v.numbers {
		number(n)
	}
	if len(v.prerelease) > 0 {
		list(markPrerelease, v.prerelease)
	} else {
		key = append(key, markRelease)
	}
	if len(v.build) > 0 {
		list(markBuild, v.build)
	} else {
		key = append(key, markPlain)
	}
	return hex.EncodeToString(key)
}
