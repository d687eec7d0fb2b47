package nuget

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// version is a NuGetVersion: up to four numbers, the labels of a prerelease
// and build metadata. It is not SemVer, though every SemVer of sensible length
// is one.
//
// https://learn.microsoft.com/nuget/concepts/package-versioning
type version struct {
	numbers [4]int32
	labels  []string
	// metadata is what stands behind the +; it tells no versions apart.
	metadata string
}

// maxVersion is the longest version in characters.
const maxVersion = 64

var versionGrammar = regexp.MustCompile(`^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.(\d+))?` +
	`(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?` +
	`(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$`)

// parseVersion reads a version; ok is false for what is none.
func parseVersion(text string) (v version, ok bool) {
	if len(text) > maxVersion {
		return v, false
	}
	parts := versionGrammar.FindStringSubmatch(text)
	if parts == nil {
		return v, false
	}
	for i := range v.numbers {
		if parts[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(parts[i+1], 10, 32)
		if err != nil {
			return v, false
		}
		v.numbers[i] = int32(n)
	}
	if parts[5] != "" {
		v.labels = strings.Split(parts[5], ".")
	}
	v.metadata = parts[6]
	return v, true
}

// String is the version in its normal form: three numbers, the fourth if it is
// not 0, the labels as they were written, no metadata.
func (v version) String() string {
	text := fmt.Sprintf("%d.%d.%d", v.numbers[0], v.numbers[1], v.numbers[2])
	if v.numbers[3] != 0 {
		text += "." + strconv.Itoa(int(v.numbers[3]))
	}
	if len(v.labels) > 0 {
		text += "-" + strings.Join(v.labels, ".")
	}
	return text
}

// identity is the normal form without case, by which versions are told apart.
func (v version) identity() string { return fold(v.String()) }

func (v version) prerelease() bool { return len(v.labels) > 0 }

// semVer2 tells whether clients from before SemVer 2.0.0 cannot read the
// version.
func (v version) semVer2() bool { return len(v.labels) > 1 || v.metadata != "" }

// compare orders versions: by their numbers, a prerelease before its release,
// labels one by one, numbers before texts and texts without case.
func (v version) compare(w version) int {
	for i := range v.numbers {
		if c := cmp.Compare(v.numbers[i], w.numbers[i]); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(len(w.labels), len(v.labels)); c != 0 && (len(v.labels) == 0 || len(w.labels) == 0) {
		return c // the one without labels is the release
	}
	for i := range min(len(v.labels), len(w.labels)) {
		if c := compareLabels(v.labels[i], w.labels[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(v.labels), len(w.labels))
}

func compareLabels(a, b string) int {
	na, nb := isNumber(a), isNumber(b)
	switch {
	case na && nb:
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	case na:
		return -1
	case nb:
		return 1
	}
	return cmp.Compare(fold(a), fold(b))
}

func isNumber(label string) bool { return strings.Trim(label, "0123456789") == "" }

// The marks in a sort key, in the order in which what follows them sorts.
const (
	markEnd        = 0x01
	markNumber     = 0x20
	markText       = 0x30
	markPrerelease = 0x40
	markRelease    = 0x50
)

// sortKey is a text whose order is that of compare, as the registry wants it:
// lower-case hexadecimal.
func (v version) sortKey() string {
	var k []byte
	for _, n := range v.numbers {
		k = append(k, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	if !v.prerelease() {
		return hex.EncodeToString(append(k, markRelease))
	}
	k = append(k, markPrerelease)
	for _, label := range v.labels {
		if isNumber(label) {
			digits := strings.TrimLeft(label, "0")
			k = append(k, markNumber, byte(len(digits)))
			k = append(k, digits...)
			continue
		}
		k = append(k, markText)
		k = append(k, fold(label)...)
		k = append(k, 0)
	}
	return hex.EncodeToString(append(k, markEnd))
}
