package nuget

import (
	"regexp"
	"strings"
)

// versionRange is what a dependency asks for: "1.0" and everything above, or
// an interval, "[1.0,2.0)".
//
// https://learn.microsoft.com/nuget/concepts/package-versioning#version-ranges
type versionRange struct {
	// bounds are the versions named, one or two.
	bounds []version
}

// floating is a version whose end the client fills in: "1.*", "1.0-beta.*",
// "*-*".
var floating = regexp.MustCompile(`^(\d+\.){0,3}\*(-\*|-[0-9A-Za-z.-]*\*)?$|^\d+(\.\d+){0,3}-[0-9A-Za-z.-]*\*$`)

// parseRange reads a range; the empty one asks for any version. ok is false
// for what clients cannot read.
func parseRange(text string) (r versionRange, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return r, true
	}
	first, last := text[0], text[len(text)-1]
	if first != '[' && first != '(' {
		return r, r.add(text)
	}
	if len(text) < 3 || last != ']' && last != ')' {
		return r, false
	}
	low, high, two := strings.Cut(text[1:len(text)-1], ",")
	low, high = strings.TrimSpace(low), strings.TrimSpace(high)
	switch {
	case !two:
		return r, first == '[' && last == ']' && r.add(low)
	case low != "" && !r.add(low), high != "" && !r.add(high):
		return r, false
	case len(r.bounds) == 2:
		order := r.bounds[0].compare(r.bounds[1])
		return r, order < 0 || order == 0 && first == '[' && last == ']'
	}
	return r, true // "(,)" asks for any version, too
}

// add notes a bound. Those that float have no version of their own.
func (r *versionRange) add(text string) bool {
	if floating.MatchString(text) {
		return true
	}
	v, ok := parseVersion(text)
	if ok {
		r.bounds = append(r.bounds, v)
	}
	return ok
}

// semVer2 tells whether clients from before SemVer 2.0.0 cannot read the range.
func (r versionRange) semVer2() bool {
	for _, v := range r.bounds {
		if v.semVer2() {
			return true
		}
	}
	return false
}
