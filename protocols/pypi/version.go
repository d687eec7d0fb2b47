package pypi

import (
	"encoding/hex"
	"regexp"
	"strings"
)

// version is a version of PEP 440. Numbers are kept as their digits without
// leading zeros, so that they may be of any length.
//
// https://packaging.python.org/en/latest/specifications/version-specifiers/
type version struct {
	epoch   string
	release []string
	// phase is that of a prerelease, "a", "b" or "rc", with its number; ""
	// for none.
	phase, phaseNumber string
	// post and dev are the numbers of a post-release and of a developmental
	// release; "" for none.
	post, dev string
	// local are the segments of the local version label.
	local []string
}

// maxVersion is the longest version in bytes: its sort key then fits what the
// registry keeps of one.
const maxVersion = 150

// grammar takes any spelling the specification allows, in lower case.
var grammar = regexp.MustCompile(`^v?` +
	`(?:(\d+)!)?` +
	`(\d+(?:\.\d+)*)` +
	`(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?` +
	`(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?` +
	`(?:[-_.]?(dev)[-_.]?(\d*))?` +
	`(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$`)

// phases are the phases by the words that stand for them.
var phases = map[string]string{
	"a": "a", "alpha": "a", "b": "b", "beta": "b", "c": "rc", "rc": "rc", "pre": "rc", "preview": "rc",
}

// parseVersion reads a version in any spelling; ok is false for what is none.
func parseVersion(text string) (v version, ok bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if len(text) > maxVersion {
		return v, false
	}
	m := grammar.FindStringSubmatch(text)
	if m == nil {
		return v, false
	}
	v.epoch = number(m[1])
	for part := range strings.SplitSeq(m[2], ".") {
		v.release = append(v.release, number(part))
	}
	if m[3] != "" {
		v.phase, v.phaseNumber = phases[m[3]], number(m[4])
	}
	switch {
	case m[5] != "":
		v.post = number(m[5])
	case m[6] != "":
		v.post = number(m[7])
	}
	if m[8] != "" {
		v.dev = number(m[9])
	}
	for _, part := range strings.FieldsFunc(m[10], func(c rune) bool { return isSeparator(byte(c)) }) {
		if isNumber(part) {
			part = number(part)
		}
		v.local = append(v.local, part)
	}
	return v, true
}

// number is a number's digits without leading zeros; none at all are zero.
func number(digits string) string {
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return "0"
	}
	return digits
}

func isNumber(text string) bool { return strings.Trim(text, "0123456789") == "" }

// prerelease tells whether installers pass the version over unless asked.
func (v version) prerelease() bool { return v.phase != "" || v.dev != "" }

// String is the version in its normal spelling.
func (v version) String() string { return v.spell(v.release) }

// identity is the spelling that all equal versions share: 1.0 and 1.0.0 are
// one release.
func (v version) identity() string { return v.spell(v.significant()) }

// significant are the release's numbers without the zeros at its end.
func (v version) significant() []string {
	n := len(v.release)
	for n > 1 && v.release[n-1] == "0" {
		n--
	}
	return v.release[:n]
}

func (v version) spell(release []string) string {
	var b strings.Builder
	if v.epoch != "0" {
		b.WriteString(v.epoch + "!")
	}
	b.WriteString(strings.Join(release, "."))
	if v.phase != "" {
		b.WriteString(v.phase + v.phaseNumber)
	}
	if v.post != "" {
		b.WriteString(".post" + v.post)
	}
	if v.dev != "" {
		b.WriteString(".dev" + v.dev)
	}
	if v.local != nil {
		b.WriteString("+" + strings.Join(v.local, "."))
	}
	return b.String()
}

// The marks of a sort key say what follows them; what sorts first has the
// lower one.
const (
	markEnd   = 0x01
	markLeast = 0x10
	markText  = 0x20
	markPart  = 0x30
	markMost  = 0x40
)

var phaseMarks = map[string]byte{"a": markPart, "b": markPart + 1, "rc": markPart + 2}

// sortKey is hexadecimal text in the order the specification gives versions;
// equal versions have equal keys.
func (v version) sortKey() string {
	var k []byte
	num := func(digits string) { k = append(append(k, byte(len(digits))), digits...) }
	num(v.epoch)
	for _, part := range v.significant() {
		k = append(k, markPart)
		num(part)
	}
	k = append(k, markEnd)
	switch {
	case v.phase != "":
		k = append(k, phaseMarks[v.phase])
		num(v.phaseNumber)
	case v.post == "" && v.dev != "":
		k = append(k, markLeast) // 1.0.dev1 comes before 1.0a1
	default:
		k = append(k, markMost)
	}
	if v.post != "" {
		k = append(k, markPart)
		num(v.post)
	} else {
		k = append(k, markLeast)
	}
	if v.dev != "" {
		k = append(k, markPart)
		num(v.dev)
	} else {
		k = append(k, markMost)
	}
	for _, part := range v.local {
		if isNumber(part) {
			k = append(k, markPart)
			num(part)
		} else {
			k = append(append(append(k, markText), part...), 0)
		}
	}
	return hex.EncodeToString(append(k, markEnd))
}
