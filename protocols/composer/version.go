package composer

import (
	"cmp"
	"encoding/hex"
	"regexp"
	"strings"
)

// maxVersion is the longest version in bytes: its sort key then fits what the
// registry keeps of one.
const maxVersion = 150

// version is a version as it was written and in Composer's normal form, which
// equal versions share: 1.0, v1.0.0 and 1.0.0.0 are one.
//
// https://getcomposer.org/doc/articles/versions.md
type version struct {
	pretty, normal string
	// branch tells that it is a branch by its name, "dev-main".
	branch bool
	// numbers, phase and phaseNumbers are the parts of any other; dev tells
	// that "-dev" stands behind them.
	numbers, phaseNumbers []string
	// phase is a modifier's word, and phaseText its numbers as written.
	phase, phaseText string
	dev              bool
}

const modifier = `[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?\d+)*)?)?([.-]?dev)?$`

var (
	aliased    = regexp.MustCompile(`^([^,\s]+) +as +[^,\s]+$`)
	flagged    = regexp.MustCompile(`(?i)@(?:stable|rc|beta|alpha|dev)$`)
	built      = regexp.MustCompile(`^([^,\s+]+)\+[^\s]+$`)
	classical  = regexp.MustCompile(`(?i)^v?(\d{1,5})(\.\d+)?(\.\d+)?(\.\d+)?` + modifier)
	dated      = regexp.MustCompile(`(?i)^v?(\d{4}(?:[.:-]?\d{2}){1,6}(?:[.:-]?\d{1,3}){0,2})` + modifier)
	numbered   = regexp.MustCompile(`(?i)^v?(\d+)(\.(?:\d+|[x*]))?(\.(?:\d+|[x*]))?(\.(?:\d+|[x*]))?[.-]?dev$`)
	nonDigits  = regexp.MustCompile(`\D`)
	digits     = regexp.MustCompile(`\d+`)
	branchName = regexp.MustCompile(`^[^\s\x00-\x20\x7f~^:?*\[\\,]+$`)
)

// phases are the modifiers by the words for them.
var phases = map[string]string{
	"stable": "", "beta": "beta", "b": "beta", "rc": "RC", "alpha": "alpha", "a": "alpha",
	"patch": "patch", "pl": "patch", "p": "patch",
}

// anyNumber stands in a branch's version for the numbers it leaves open.
const anyNumber = "9999999"

// parseVersion reads a version in any spelling; ok is false for what is none.
func parseVersion(text string) (v version, ok bool) {
	text = strings.TrimSpace(text)
	if m := aliased.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	text = strings.TrimSuffix(text, flagged.FindString(text))
	if text == "" || len(text) > maxVersion {
		return v, false
	}
	v.pretty = text
	if text == "master" || text == "trunk" || text == "default" {
		text = "dev-" + text
	}
	if len(text) > len("dev-") && strings.EqualFold(text[:len("dev-")], "dev-") {
		v.branch, v.dev = true, true
		v.normal = "dev-" + text[len("dev-"):]
		return v, validBranch(text[len("dev-"):])
	}
	if m := built.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	switch m := classical.FindStringSubmatch(text); {
	case m != nil:
		v.numbers = []string{m[1]}
		for _, part := range m[2:5] {
			v.numbers = append(v.numbers, cmp.Or(strings.TrimPrefix(part, "."), "0"))
		}
		v.modify(m[5:])
	default:
		if m := dated.FindStringSubmatch(text); m != nil {
			v.numbers = strings.Split(nonDigits.ReplaceAllString(m[1], "."), ".")
			v.modify(m[2:])
			break
		}
		m := numbered.FindStringSubmatch(text)
		if m == nil {
			return v, false
		}
		for _, part := range m[1:5] {
			part = strings.TrimPrefix(part, ".")
			if part == "" || strings.ContainsAny(part, "xX*") {
				part = anyNumber
			}
			v.numbers = append(v.numbers, part)
		}
		v.dev = true
	}
	v.normal = v.spell()
	return v, true
}

// modify takes in a modifier: its word, its numbers and "-dev".
func (v *version) modify(m []string) {
	v.phase = phases[strings.ToLower(m[0])]
	if v.phase != "" {
		v.phaseNumbers = digits.FindAllString(m[1], -1)
		v.phaseText = strings.TrimLeft(m[1], ".-")
	}
	// Behind "stable" Composer looks at nothing more.
	v.dev = m[2] != "" && m[0] != "stable"
}

// spell is the normal form of what is not a branch's name.
func (v *version) spell() string {
	text := strings.Join(v.numbers, ".")
	if v.phase != "" {
		text += "-" + v.phase + v.phaseText
	}
	if v.dev {
		text += "-dev"
	}
	return text
}

// validBranch refuses names that git has no branch for, or that could not
// stand in an address.
func validBranch(name string) bool {
	if !branchName.MatchString(name) || strings.Contains(name, "..") {
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || strings.HasPrefix(segment, ".") {
			return false
		}
	}
	return true
}

// prerelease tells whether installers pass the version over unless asked.
func (v version) prerelease() bool { return v.dev || v.phase != "" && v.phase != "patch" }

// The ranks of modifiers, and what begins and ends the parts of a sort key:
// what comes first has the lower mark.
const (
	markBranch = 0x01
	markEnd    = 0x02
	markNumber = 0x10
	rankDev    = 0x20
	rankStable = 0x24
)

var ranks = map[string]byte{"alpha": 0x21, "beta": 0x22, "RC": 0x23, "": rankStable, "patch": 0x25}

// sortKey is hexadecimal text in Composer's order: branches by name below
// everything, then number by number, then by modifier.
func (v version) sortKey() string {
	if v.branch {
		return hex.EncodeToString(append([]byte{markBranch}, v.normal...))
	}
	k := []byte{markNumber}
	add := func(numbers []string) {
		for _, n := range numbers {
			n = strings.TrimLeft(n, "0")
			k = append(append(k, markNumber, byte(len(n))), n...)
		}
		k = append(k, markEnd)
	}
	add(v.numbers)
	switch {
	case v.dev && v.phase == "":
		k = append(k, rankDev)
	default:
		k = append(k, ranks[v.phase])
		add(v.phaseNumbers)
		if v.dev {
			k = append(k, rankDev)
		} else {
			k = append(k, rankStable)
		}
	}
	return hex.EncodeToString(k)
}

// segment is the version as a segment of an address: git has no branches with
// a ~ in their name, so that it can stand for the slash.
func (v version) segment() string { return strings.ReplaceAll(v.pretty, "/", "~") }

// parseSegment is the way back.
func parseSegment(segment string) (version, bool) {
	return parseVersion(strings.ReplaceAll(segment, "~", "/"))
}
