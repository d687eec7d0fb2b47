package rubygems

import (
	"encoding/hex"
	"regexp"
	"strings"

	"entrepot/registry"
)

// maxVersion is the longest version in bytes.
const maxVersion = 128

var (
	versionForm = regexp.MustCompile(`\A[0-9]+(\.[0-9A-Za-z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?\z`)
	plainForm   = regexp.MustCompile(`\A[0-9]+(\.[0-9A-Za-z]+)*\z`)
	segmentForm = regexp.MustCompile(`[0-9]+|[A-Za-z]+`)
)

// version is a version as Ruby writes it, without a dash.
//
// https://docs.ruby-lang.org/en/master/Gem/Version.html
type version string

// parseVersion reads a version. A dash means that a prerelease follows, and is
// written so.
func parseVersion(text string) (version, error) {
	text = strings.TrimSpace(text)
	v := strings.ReplaceAll(text, "-", ".pre.")
	// Two dashes in a row are a form that Ruby takes and cannot read again.
	if len(v) > maxVersion || !versionForm.MatchString(text) || !plainForm.MatchString(v) {
		return "", registry.FieldErrorf("version", "%.100q is no version", text)
	}
	return version(v), nil
}

// prerelease tells whether the version has a letter in it.
func (v version) prerelease() bool {
	return strings.ContainsAny(string(v), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

// withPlatform is the version as indexes and file names have it: of native gems
// with the platform behind.
func (v version) withPlatform(platform string) string {
	if platform == rubyPlatform {
		return string(v)
	}
	return string(v) + "-" + platform
}

// segments are the version's numbers, without leading zeros, and words. The
// zeros that count for nothing are left out: those at the end, and those before
// the first word.
func (v version) segments() []string {
	all := segmentForm.FindAllString(string(v), -1)
	var kept []string
	words := false
	dropZeros := func() {
		for len(kept) > 0 && kept[len(kept)-1] == "0" {
			kept = kept[:len(kept)-1]
		}
	}
	for _, s := range all {
		if isNumber(s) {
			if s = strings.TrimLeft(s, "0"); s == "" {
				s = "0"
			}
		} else if !words {
			words = true
			dropZeros()
		}
		kept = append(kept, s)
	}
	dropZeros()
	return kept
}

func isNumber(segment string) bool { return segment[0] >= '0' && segment[0] <= '9' }

// identity is the same for versions that Ruby takes for equal: 1.0 and 1.0.0.
func (v version) identity() string {
	if s := v.segments(); len(s) > 0 {
		return strings.Join(s, ".")
	}
	return "0"
}

// The marks that begin the parts of a sort key. A missing segment counts as 0,
// so the end of a version is above any word and below any number but 0; zeros
// go into the mark of what follows them.
const (
	markWord   = 0x10
	markEnd    = 0x20
	markNumber = 0x30
)

// sortKey is a text whose order is that of the versions: segment by segment,
// words before numbers, a missing segment as 0. It has at most 1,026
// characters.
func (v version) sortKey() string {
	var key []byte
	zeros := byte(0) // versions are too short for more than fit
	for _, s := range v.segments() {
		switch {
		case s == "0":
			zeros++
			continue
		case isNumber(s):
			// The sooner the number comes, the higher.
			key = append(key, markNumber, 0xff-zeros, byte(len(s)))
			key = append(key, s...)
		default:
			// The sooner the word comes, the lower.
			key = append(key, markWord, zeros)
			key = append(key, s...)
			key = append(key, 0)
		}
		zeros = 0
	}
	return hex.EncodeToString(append(key, markEnd))
}
