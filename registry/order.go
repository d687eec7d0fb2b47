package registry

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/Masterminds/semver/v3"
)

// Sort keys are lower-case hexadecimal, so that text order is the same on
// every database and in every collation. Their length is bounded; versions
// that differ only beyond the bound sort as equal.
const maxSortKey = 512

// TimeKey is a sort key that orders versions by the instant of publishing.
func TimeKey(t time.Time) string { return fmt.Sprintf("%016x", t.UnixMicro()) }

// byteKey is a sort key in the order of the text's bytes.
func byteKey(text string) string { return hex.EncodeToString([]byte(text)) }

// SemVerKey is a sort key in the order of precedence of Semantic Versioning
// 2.0.0, section 11. Build metadata plays no part in it.
func SemVerKey(v *semver.Version) string {
	var k sortKey
	k.number(fmt.Sprint(v.Major()))
	k.number(fmt.Sprint(v.Minor()))
	k.number(fmt.Sprint(v.Patch()))
	if v.Prerelease() == "" {
		k.mark(markRelease)
		return k.String()
	}
	k.mark(markPrerelease)
	for identifier := range strings.SplitSeq(v.Prerelease(), ".") {
		if strings.Trim(identifier, "0123456789") == "" {
			k.mark(markNumber)
			k.number(identifier)
		} else {
			k.mark(markText)
			k.text(identifier)
		}
	}
	k.mark(markEnd)
	return k.String()
}

// NaturalKey is a sort key for versions of no fixed grammar: runs of digits
// compare as numbers, letters without case, and a version with a prerelease
// word (1.0-rc1, 1.0beta) comes before the plain one, one with any other word
// or with a further number (1.0final, 1.0.0.1) after it. prerelease reports
// whether there is such a word. Versions that are SemVer, with or without a
// leading v, sort among each other as SemVerKey has it.
func NaturalKey(version string) (key string, prerelease bool) {
	if v, err := semver.NewVersion(version); err == nil {
		return SemVerKey(v), v.Prerelease() != ""
	}
	var k sortKey
	numbers := 0
	for _, run := range runs(strings.ToLower(version)) {
		switch {
		case isDigit(run[0]) && numbers < 3:
			k.number(run)
			numbers++
		case isDigit(run[0]) && prerelease:
			k.mark(markNumber)
			k.number(run)
		case isDigit(run[0]):
			k.mark(markFurther)
			k.number(run)
		case prereleaseWords[run]:
			prerelease = true
			k.pad(numbers)
			numbers = 3
			k.mark(markPrerelease)
			k.mark(markText)
			k.text(run)
		default:
			if numbers > 0 {
				k.pad(numbers)
			}
			numbers = 3
			k.mark(markRelease)
			k.text(run)
		}
	}
	k.pad(numbers)
	if prerelease {
		k.mark(markEnd)
	} else {
		k.mark(markRelease)
	}
	return k.String(), prerelease
}

var prereleaseWords = map[string]bool{
	"a": true, "alpha": true, "b": true, "beta": true, "c": true, "rc": true, "cr": true, "dev": true, "pre": true,
	"preview": true, "snapshot": true, "m": true, "milestone": true, "nightly": true, "canary": true,
}

// runs cuts a version into runs of digits and runs of letters; all else only
// separates them, but a lone separator-only version is kept as it is.
func runs(version string) []string {
	var all []string
	start, kind := 0, 0
	flush := func(end int) {
		if kind != 0 && end > start {
			all = append(all, version[start:end])
		}
	}
	for i, c := range version {
		k := 0
		switch {
		case c < unicode.MaxASCII && isDigit(byte(c)):
			k = 1
		case unicode.IsLetter(c) || unicode.IsMark(c) || unicode.IsDigit(c):
			k = 2
		}
		if k != kind {
			flush(i)
			start, kind = i, k
		}
	}
	flush(len(version))
	if all == nil && version != "" {
		all = []string{version}
	}
	return all
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// The marks stand between the parts of a key. Their order is what makes a
// prerelease sort before its release, a number before a text, a shorter list
// of identifiers before a longer one, and a release before the one that has a
// number more.
const (
	markEnd        = 0x01
	markPrerelease = 0x10
	markNumber     = 0x20
	markText       = 0x30
	markRelease    = 0x40
	markFurther    = 0x50
)

type sortKey struct{ b []byte }

func (k *sortKey) mark(m byte) { k.b = append(k.b, m) }

// number appends a decimal number: its length, then its digits.
func (k *sortKey) number(digits string) {
	digits = strings.TrimLeft(digits, "0")
	k.b = append(k.b, byte(min(len(digits), 255)))
	k.b = append(k.b, digits...)
}

// text appends a text and its end.
func (k *sortKey) text(s string) {
	k.b = append(k.b, s...)
	k.b = append(k.b, 0)
}

// pad fills up to three leading numbers, so that 1.0 equals 1.0.0.
func (k *sortKey) pad(numbers int) {
	for ; numbers < 3; numbers++ {
		k.number("0")
	}
}

// String is the key in hexadecimal.
func (k *sortKey) String() string {
	s := hex.EncodeToString(k.b)
	return s[:min(len(s), maxSortKey)]
}
